"""The network on an NVIDIA GPU: one stream, a ring of preallocated slots, one event a slot.

A slot owns page-locked host memory and device memory for one picture each way. Uploading, painting
and downloading are queued on one stream and marked by the slot's event; the host waits for that
event only, never for the whole device, so that the copies of one picture overlap with the host's
work on others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import torch

from stylize_live.engine.backend import DTYPES, Blender, levels, prepare_network, quantised
from stylize_live.engine.contract import Job, Steady
from stylize_live.engine.cuda_graphs import GraphedNetwork
from stylize_live.engine.finishing_torch import finished, reduced_to
from stylize_live.engine.flow import Plane
from stylize_live.engine.look import Look
from stylize_live.engine.smoothing import Tuning
from stylize_live.engine.smoothing_torch import smoothed
from stylize_live.frame import Frame, Pixels
from stylize_live.nets.checkpoint import Checkpoint

_SLOTS = 3


class _Slot:
    """Buffers for pictures of one size and kind.

    Args:
        like: such a picture, (H, W, 3) uint8 or uint16.
    """

    def __init__(self, like: Pixels, device: torch.device) -> None:
        shape, dtype = like.shape, torch.from_numpy(like).dtype
        self.host_in = torch.empty(shape, dtype=dtype, pin_memory=True)
        self.host_out = torch.empty(shape, dtype=dtype, pin_memory=True)
        self.device_in = torch.empty(shape, dtype=dtype, device=device)
        self.done = torch.cuda.Event()  # type: ignore[no-untyped-call]


class CudaBackend:
    """See the module's text.

    Args:
        checkpoint: weights to start with.
        precision: "float16", "bfloat16" or "float32".
    """

    runtime = f"torch {torch.__version__}"

    def __init__(self, checkpoint: Checkpoint, precision: str) -> None:
        self._device, self._dtype = torch.device("cuda"), DTYPES[precision]
        self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        self._ring: deque[_Slot] = deque()
        self._kind: tuple[object, ...] = ()
        self._memory: torch.Tensor | None = None
        self.load(checkpoint)

    def load(self, checkpoint: Checkpoint) -> None:
        """See `Backend.load`; uploaded on our stream, so it queues behind pictures under way."""
        with torch.cuda.stream(self._stream):
            network = prepare_network(checkpoint, self._device, self._dtype)
            self._paint = GraphedNetwork(network, self._stream)
            self._blender = Blender(network)

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """See `Backend.blend`; computed on our stream, so it queues behind pictures under way."""
        with torch.cuda.stream(self._stream):
            self._blender(first, second, share)

    @property
    def memory(self) -> Plane | None:
        """See `Backend.memory`; waits for the pictures under way."""
        if self._memory is None:
            return None
        with torch.cuda.stream(self._stream):
            picture: Plane = self._memory[0].permute(1, 2, 0).contiguous().cpu().numpy()
        return picture

    @memory.setter
    def memory(self, picture: Plane | None) -> None:
        if picture is None:
            self._memory = None
            return
        with torch.cuda.stream(self._stream):
            self._memory = torch.from_numpy(picture).to(self._device).permute(2, 0, 1)[None]

    def run(self, pixels: Pixels, look: Look, steady: Steady | None = None) -> Pixels:
        """See `Backend.run`."""
        return self._collect(self._submit(pixels, look, steady))

    def stream(self, jobs: Iterable[Job], look: Look) -> Iterator[Frame]:
        """See `Backend.stream`; at most one picture fewer than there are slots is under way."""
        under_way: deque[tuple[Frame, _Slot]] = deque()
        for frame, steady in jobs:
            # A picture of another size would free buffers that the device still reads.
            while under_way and (len(under_way) >= _SLOTS - 1 or _kind(frame.pixels) != self._kind):
                yield self._finished(*under_way.popleft())
            under_way.append((frame, self._submit(frame.pixels, look, steady)))
        while under_way:
            yield self._finished(*under_way.popleft())

    def _finished(self, frame: Frame, slot: _Slot) -> Frame:
        return frame.with_pixels(self._collect(slot))

    def _submit(self, pixels: Pixels, look: Look, steady: Steady | None) -> _Slot:
        slot = self._next_slot(pixels)
        slot.host_in.numpy()[:] = pixels
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            slot.device_in.copy_(slot.host_in, non_blocking=True)
            picture = levels(slot.device_in)
            small = reduced_to(picture, look.working_size((pixels.shape[1], pixels.shape[0])))
            painted = self._paint(small)
            if steady is not None:
                painted = self._smoothed(painted, steady)
            shown = finished(painted, small, picture, look)
            slot.host_out.copy_(quantised(shown, slot.device_in.dtype), non_blocking=True)
            slot.done.record(self._stream)
        return slot

    def _smoothed(self, fresh: torch.Tensor, steady: Steady) -> torch.Tensor:
        """Smooth on the device. The host measures the motion while the device paints."""
        motion = steady.motion()
        if motion is None or self._memory is None or self._memory.shape != fresh.shape:
            self._memory = fresh.clone()  # the next painting is written over this one
        else:
            self._memory = smoothed(self._memory, fresh, motion, steady.share, Tuning())
        return self._memory

    def _collect(self, slot: _Slot) -> Pixels:
        slot.done.synchronize()
        # Copied, because the slot is used again while the picture travels on.
        pixels: Pixels = slot.host_out.numpy().copy()
        return pixels

    def _next_slot(self, pixels: Pixels) -> _Slot:
        if _kind(pixels) != self._kind:
            self._ring = deque(_Slot(pixels, self._device) for _ in range(_SLOTS))
            self._kind = _kind(pixels)
        self._ring.rotate(-1)
        return self._ring[0]

    def close(self) -> None:
        """Drop the buffers; torch keeps their memory for whoever asks next."""
        self._ring.clear()
        self._kind = ()
        self._memory = None


def _kind(pixels: Pixels) -> tuple[object, ...]:
    """What must be equal for two pictures to use the same buffers."""
    return *pixels.shape, pixels.dtype
