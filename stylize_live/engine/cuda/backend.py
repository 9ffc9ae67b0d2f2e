"""The network on an NVIDIA GPU: one stream, a ring of staging buffers, one event for each image.

Uploading, painting and downloading are queued on one stream and marked by an event; the host waits for
that event only, never for the whole device (unless the processor has to measure motion), so that the copies
of one image overlap with the host's work on others. Images that were decoded on the GPU are neither
uploaded nor downloaded, and planes that were decoded elsewhere travel as planes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
import torch

from stylize_live.engine.core.protocols import FrameJob, Memory, TemporalContext
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.cpu.torch_backend import DTYPES, Blender, prepare_network, to_levels
from stylize_live.engine.cuda.compositing import attenuate_low_contrast
from stylize_live.engine.cuda.graphs import Graphed
from stylize_live.engine.cuda.motion import select_motion
from stylize_live.engine.cuda.network import select_network
from stylize_live.engine.cuda.painting import TensorStylizer
from stylize_live.engine.cuda.staging import (
    HostBuffer,
    Image,
    StagingBuffer,
    SurfaceBuffer,
    kind_of,
    make_host_buffer,
)
from stylize_live.frame import Frame, Pixels
from stylize_live.media.hw.surface import Nv12Surface
from stylize_live.nets.checkpoint import Checkpoint

_SLOTS = 3


@dataclass(frozen=True, slots=True)
class _UnderWay:
    slot: StagingBuffer
    done: torch.cuda.Event

    def result(self) -> Image:
        """Wait for it."""
        self.done.synchronize()
        return self.slot.result()


class CudaBackend:
    """Paints on an NVIDIA GPU, see the module's text.

    Args:
        checkpoint: weights to start with.
        precision: "float16", "bfloat16" or "float32".

    Attributes:
        runtime: see `Backend`.
    """

    def __init__(self, checkpoint: Checkpoint, precision: str) -> None:
        self._device, self._dtype = torch.device("cuda"), DTYPES[precision]
        self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        self._ring: deque[HostBuffer[Any]] = deque()
        self._kind: tuple[object, ...] = ()
        with torch.cuda.stream(self._stream):
            follow = select_motion(self._device)
        self._note = "" if isinstance(follow, Graphed) else ", motion by the processor"
        self._stylizer = TensorStylizer(follow)
        self.load(checkpoint)

    def load(self, checkpoint: Checkpoint) -> None:
        """See `Backend.load`; uploaded on our stream, so it queues behind images under way."""
        with torch.cuda.stream(self._stream):
            network = prepare_network(checkpoint, self._device, self._dtype)
            self._network = select_network(network)
            self._stylizer.network = Graphed(self._network)
            self._blender = Blender(network)
        self.runtime = self._network.kernels + self._note

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """See `Backend.blend`; computed on our stream, so it queues behind images under way."""
        with torch.cuda.stream(self._stream):
            self._blender(first, second, share)
            self._network.refresh()

    def prepare(self, checkpoint: Checkpoint) -> None:
        """See `Backend.prepare`: weights are changed in place, there is nothing to wait for."""

    @property
    def memory(self) -> Memory:
        """See `Backend.memory`; waits for the images under way."""
        if self._stylizer.past is None:
            return {}
        shown, before = self._stylizer.past
        with torch.cuda.stream(self._stream):
            image = shown[0].permute(1, 2, 0).contiguous()
            return {"picture": image.cpu().numpy(), "before": before.cpu().numpy()}

    @memory.setter
    def memory(self, arrays: Memory) -> None:
        with torch.cuda.stream(self._stream):
            image = torch.from_numpy(arrays["picture"]).to(self._device)
            before = torch.from_numpy(arrays["before"]).to(self._device)
            self._stylizer.past = image.permute(2, 0, 1)[None], before

    def run(self, pixels: Pixels, options: RenderOptions, context: TemporalContext | None = None) -> Pixels:
        """See `Backend.run`."""
        slot = self._next_slot(pixels)
        self._submit(slot, options, context).done.synchronize()
        painted: Pixels = slot.result()
        return painted

    def stream(self, jobs: Iterable[FrameJob]) -> Iterator[Frame]:
        """See `Backend.stream`; at most one image fewer than there are slots is under way."""
        under_way: deque[tuple[Frame, _UnderWay]] = deque()
        for frame, options, context in jobs:
            image = _image_of(frame)
            # An image of another kind would free buffers that the device still reads.
            while under_way and (len(under_way) >= _SLOTS - 1 or not self._fits(image)):
                yield _finish_frame(*under_way.popleft())
            under_way.append((frame, self._submit(self._choose_slot(image), options, context)))
        while under_way:
            yield _finish_frame(*under_way.popleft())

    def _submit(
        self, slot: StagingBuffer, options: RenderOptions, context: TemporalContext | None
    ) -> _UnderWay:
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            slot.take(self._stylizer(slot.levels(), options, context))
            # Waiting for it is to sleep: a core that spins is one that decoders and encoders lack.
            done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
            done.record(self._stream)
        return _UnderWay(slot, done)

    def _choose_slot(self, image: Image) -> StagingBuffer:
        return SurfaceBuffer(image) if _stays_on_gpu(image) else self._next_slot(image)

    def _next_slot(self, image: Image) -> HostBuffer[Any]:
        if not self._fits(image):
            with torch.cuda.stream(self._stream):  # which the device's part is used on
                self._ring = deque(make_host_buffer(image, self._device) for _ in range(_SLOTS))
            self._kind = kind_of(image)
        self._ring.rotate(-1)
        self._ring[0].put(image)
        return self._ring[0]

    def _fits(self, image: Image) -> bool:
        """Whether the ring's buffers are of the image's kind; what stays on the device needs none."""
        return _stays_on_gpu(image) or kind_of(image) == self._kind

    def paint_small(self, small: Pixels) -> npt.NDArray[np.float32]:
        """See `Backend.paint_small`."""
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            image = to_levels(torch.from_numpy(small).to(self._device))
            painted = attenuate_low_contrast(self._stylizer.network(image), image)
            found: npt.NDArray[np.float32] = painted[0].permute(1, 2, 0).float().contiguous().cpu().numpy()
        return found

    def close(self) -> None:
        """Drop the buffers; torch keeps their memory for whoever asks next. That of graphs stays."""
        self._ring.clear()
        self._kind = ()
        self._stylizer.past = None


def _finish_frame(frame: Frame, under_way: _UnderWay) -> Frame:
    return frame.with_image(under_way.result())


def _stays_on_gpu(image: Image) -> TypeGuard[Nv12Surface]:
    """Whether an image lies on the device and stays there."""
    return isinstance(image, Nv12Surface) and image.on_gpu


def _image_of(frame: Frame) -> Image:
    """The image of a frame as staging buffers take it."""
    return frame.image if isinstance(frame.image, Nv12Surface) else frame.pixels
