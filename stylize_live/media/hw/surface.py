"""Frames that stay planes, as videos store them, from PyAV to torch and back.

Where a GPU decoded them they stay on it, handed over through DLPack. The same code works on planes in the
machine's memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.media.color.colorspace import (
    MATRIX_TAGS,
    ColorRange,
    ToRgb,
    ToStored,
    matrix_of,
    range_of,
    tag,
)
from stylize_live.media.libraries import av, cv2

if TYPE_CHECKING:
    from torch import Tensor

CHIP = "cuda"  # FFmpeg's name of these chips, and of the pixel format of what lies on them
NV12 = "nv12"
# FFmpeg is to take the context of the GPU that the thread has from torch. Asked for the "primary" one, which
# is the same, it insists on flags that torch has not set.
_OF_THIS_THREAD: dict[str, object] = {"primary_ctx": "0", "current_ctx": "1"}
STORED = "bt709"  # the scaler's name of the matrix of everything that this package encodes
STORED_AS_PLANES = frozenset({NV12, "yuv420p"})  # what encoders store that is a surface but for its order
_THREE_PLANES = frozenset({"yuv420p", "yuvj420p"})


@dataclass(slots=True, eq=False)
class Nv12Surface:
    """A `Surface` as two planes, on any device of torch's. Never written to after it was made.

    Attributes:
        luma: (H, W) uint8, H and W even.
        chroma: (H/2, W/2, 2) uint8, right behind it, see `nv12.join_planes`.
        matrix: the scaler's name of the matrix that it was made with.
        full_range: whether its values fill 0..255.
    """

    luma: Tensor
    chroma: Tensor
    matrix: str = STORED
    full_range: bool = False
    _preview: Pixels | None = field(default=None, init=False)

    @property
    def size(self) -> tuple[int, int]:
        """See `Surface`."""
        return self.luma.shape[1], self.luma.shape[0]

    def levels(self) -> Tensor:
        """(1, 3, H, W) float32 RGB in 0..255, where the planes are."""
        from stylize_live.media.hw.nv12 import to_rgb

        return to_rgb(self.luma, self.chroma, self.matrix, full_range=self.full_range)

    @property
    def on_gpu(self) -> bool:
        """Whether the planes lie on a GPU, and not in the machine's memory."""
        return self.luma.is_cuda

    @property
    def preview(self) -> Pixels:
        """See `Surface`; made when it is first asked for."""
        if self._preview is None:
            from stylize_live.media.hw.surface_preview import make_preview

            self._preview = make_preview(self.luma, self.chroma, self.matrix, full_range=self.full_range)
        return self._preview

    def download(self) -> Pixels:
        """See `Surface`; from the machine's memory by FFmpeg's scaler, many times as fast as torch there."""
        if not self.on_gpu:
            return ToRgb(sited_left=True)(self._untouched_frame())
        from stylize_live.media.hw.surface_preview import download

        return download(self.levels())

    def video_frame(self) -> av.VideoFrame:
        """The frame as an encoder takes it, BT.709 and tagged; shares the planes, which must be complete."""
        if self.matrix == STORED and not self.full_range:
            frame = _wrap_shared(self.luma, self.chroma)
        elif self.on_gpu:
            from stylize_live.media.hw.nv12 import from_rgb

            frame = _wrap_shared(*from_rgb(self.levels()))
        else:
            return ToStored(NV12)(self.download())
        tag(frame, av.VideoFormat(NV12))
        return frame

    def stored_frame(self, pixel_format: str) -> av.VideoFrame:
        """`video_frame` in the machine's memory, in one of `STORED_AS_PLANES`."""
        surface = self
        if self.on_gpu:
            surface = Nv12Surface(self.luma.cpu(), self.chroma.cpu(), self.matrix, self.full_range)
        frame = surface.video_frame().reformat(format=pixel_format)
        tag(frame, av.VideoFormat(pixel_format))
        return frame

    def _untouched_frame(self) -> av.VideoFrame:
        frame = _wrap_shared(self.luma, self.chroma)
        frame.colorspace = MATRIX_TAGS[self.matrix]
        frame.color_range = ColorRange.JPEG if self.full_range else ColorRange.MPEG
        return frame


def _wrap_shared(luma: Tensor, chroma: Tensor) -> av.VideoFrame:
    if luma.is_cuda:
        return av.VideoFrame.from_dlpack((luma, chroma), format=NV12, cuda_context=_context())
    # As arrays: torch may call page-locked memory a GPU's, which PyAV would not take.
    return av.VideoFrame.from_dlpack((luma.numpy(), chroma.numpy()), format=NV12)


def chip_to_encode() -> av.codec.hwaccel.HWAccel:
    """What an encoder needs to take surfaces: the GPU in the state that torch has made of it.

    Raises:
        RuntimeError: torch has no GPU here.
    """
    _make_current()
    return av.codec.hwaccel.HWAccel(CHIP, options=_OF_THIS_THREAD)


def chip_to_decode() -> av.codec.hwaccel.HWAccel:
    """What a decoder needs to leave frames where torch finds them.

    Raises:
        RuntimeError: torch has no GPU here.
    """
    _make_current()
    return av.codec.hwaccel.HWAccel(
        CHIP, allow_software_fallback=False, is_hw_owned=True, options=_OF_THIS_THREAD
    )


@cache
def _context() -> av.video.frame.CudaContext:
    """FFmpeg's view of torch's GPU; nothing of it is asked for before there are planes on one."""
    _make_current()
    return av.video.frame.CudaContext(primary_ctx=False, current_ctx=True)


def _make_current() -> None:
    """Have torch's context of the GPU be the calling thread's."""
    import torch

    if not torch.cuda.is_available():
        raise RuntimeError("torch has no GPU here")
    torch.empty(1, device=CHIP)


def on_chip(frame: av.VideoFrame) -> bool:
    """Whether a decoded frame lies on a chip."""
    return bool(frame.format.name == CHIP)


def make_surface(frame: av.VideoFrame) -> Nv12Surface | None:
    """A decoded frame as a surface where it lies; None where its planes are not 8 bits of 4:2:0.

    It is copied: decoders have few places for frames, and want them back.
    """
    if frame.width % 2 or frame.height % 2:
        return None
    if frame.format.name in _THREE_PLANES:
        planes = _join_chroma(frame)
    elif (frame.sw_format or frame.format).name == NV12:
        planes = _copy_nv12(frame)
    else:
        return None
    return Nv12Surface(*planes, matrix_of(frame) or STORED, range_of(frame) == "pc")


def _copy_nv12(frame: av.VideoFrame) -> tuple[Tensor, Tensor]:
    from torch.utils.dlpack import from_dlpack

    from stylize_live.media.hw.nv12 import join_planes

    # FFmpeg decodes on the stream that is torch's usual one, too, so the copies wait for it. PyAV wants no
    # stream named, which torch does when it is given the plane itself.
    planes: tuple[Any, ...] = frame.planes
    luma, chroma = join_planes(*(from_dlpack(plane.__dlpack__()) for plane in planes))
    return luma, chroma


def _join_chroma(frame: av.VideoFrame) -> tuple[Tensor, Tensor]:
    """By hand: the scaler would change values where a format's name means full range."""
    from stylize_live.media.hw.nv12 import allocate_planes, split_planes

    luma, chroma = split_planes(allocate_planes((frame.width, frame.height)), frame.width)
    light, blue, red = (
        np.frombuffer(cast("Any", plane), np.uint8).reshape(plane.height, -1)[:, : plane.width]
        for plane in frame.planes
    )
    luma.numpy()[:] = light
    cv2.merge((blue, red), chroma.numpy())
    return luma, chroma


def in_memory(frame: av.VideoFrame) -> av.VideoFrame:
    """A decoded frame in the machine's memory; the same one where it already exists."""
    if frame.sw_format is None:
        return frame
    return frame.reformat(format=frame.sw_format.name)
