"""The network on an NVIDIA GPU: one stream, a ring of preallocated slots, one event a picture.

Uploading, painting and downloading are queued on one stream and marked by an event; the host waits for
that event only, never for the whole device, so that the copies of one picture overlap with the host's
work on others. Pictures that were decoded on the GPU are neither uploaded nor downloaded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from stylize_live.engine.backend import DTYPES, Blender, prepare_network
from stylize_live.engine.contract import Job, Steady
from stylize_live.engine.cuda_graphs import GraphedNetwork
from stylize_live.engine.flow import Plane
from stylize_live.engine.look import Look
from stylize_live.engine.painting_torch import TensorPainter
from stylize_live.engine.slots import HostSlot, Slot, SurfaceSlot
from stylize_live.frame import Frame, Pixels, Surface
from stylize_live.media.surface import Nv12Surface
from stylize_live.nets.checkpoint import Checkpoint

_SLOTS = 3


@dataclass(frozen=True, slots=True)
class _UnderWay:
    slot: Slot
    done: torch.cuda.Event

    def result(self) -> Pixels | Nv12Surface:
        """Wait for it."""
        self.done.synchronize()
        return self.slot.result()


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
        self._ring: deque[HostSlot] = deque()
        self._kind: tuple[object, ...] = ()
        self._painter = TensorPainter()
        self.load(checkpoint)

    def load(self, checkpoint: Checkpoint) -> None:
        """See `Backend.load`; uploaded on our stream, so it queues behind pictures under way."""
        with torch.cuda.stream(self._stream):
            network = prepare_network(checkpoint, self._device, self._dtype)
            self._painter.network = GraphedNetwork(network, self._stream)
            self._blender = Blender(network)

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """See `Backend.blend`; computed on our stream, so it queues behind pictures under way."""
        with torch.cuda.stream(self._stream):
            self._blender(first, second, share)

    @property
    def memory(self) -> Plane | None:
        """See `Backend.memory`; waits for the pictures under way."""
        if self._painter.memory is None:
            return None
        with torch.cuda.stream(self._stream):
            picture: Plane = self._painter.memory[0].permute(1, 2, 0).contiguous().cpu().numpy()
        return picture

    @memory.setter
    def memory(self, picture: Plane | None) -> None:
        if picture is None:
            self._painter.memory = None
            return
        with torch.cuda.stream(self._stream):
            self._painter.memory = torch.from_numpy(picture).to(self._device).permute(2, 0, 1)[None]

    def run(self, pixels: Pixels, look: Look, steady: Steady | None = None) -> Pixels:
        """See `Backend.run`."""
        slot = self._next_slot(pixels)
        self._submitted(slot, look, steady).done.synchronize()
        return slot.result()

    def stream(self, jobs: Iterable[Job], look: Look) -> Iterator[Frame]:
        """See `Backend.stream`; at most one picture fewer than there are slots is under way."""
        under_way: deque[tuple[Frame, _UnderWay]] = deque()
        for frame, steady in jobs:
            # A picture of another size would free buffers that the device still reads.
            while under_way and (len(under_way) >= _SLOTS - 1 or not self._fits(frame.picture)):
                yield _finished(*under_way.popleft())
            under_way.append((frame, self._submitted(self._slot(frame), look, steady)))
        while under_way:
            yield _finished(*under_way.popleft())

    def _submitted(self, slot: Slot, look: Look, steady: Steady | None) -> _UnderWay:
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            slot.take(self._painter(slot.given(), look, steady))
            done = torch.cuda.Event()  # type: ignore[no-untyped-call]
            done.record(self._stream)
        return _UnderWay(slot, done)

    def _slot(self, frame: Frame) -> Slot:
        picture = frame.picture
        return SurfaceSlot(picture) if isinstance(picture, Nv12Surface) else self._next_slot(frame.pixels)

    def _next_slot(self, pixels: Pixels) -> HostSlot:
        if not self._fits(pixels):
            self._ring = deque(HostSlot(pixels, self._device) for _ in range(_SLOTS))
            self._kind = _kind(pixels)
        self._ring.rotate(-1)
        self._ring[0].put(pixels)
        return self._ring[0]

    def _fits(self, picture: Pixels | Surface) -> bool:
        """Whether the ring's buffers are of the picture's kind; what stays on the device needs none."""
        return not isinstance(picture, np.ndarray) or _kind(picture) == self._kind

    def close(self) -> None:
        """Drop the buffers; torch keeps their memory for whoever asks next."""
        self._ring.clear()
        self._kind = ()
        self._painter.memory = None


def _finished(frame: Frame, under_way: _UnderWay) -> Frame:
    return frame.with_picture(under_way.result())


def _kind(pixels: Pixels) -> tuple[object, ...]:
    """What must be equal for two pictures to use the same buffers."""
    return *pixels.shape, pixels.dtype
