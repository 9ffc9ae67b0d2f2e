"""Decoded pictures that stay on an NVIDIA GPU, from PyAV to torch and back through DLPack.

Unverified on a GPU. The same code works on planes in the machine's memory, and is tested there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.media.colour import matrix_of, range_of, tag
from stylize_live.media.libraries import av

if TYPE_CHECKING:
    from torch import Tensor

CHIP = "cuda"  # FFmpeg's name of these chips, and of the pixel format of what lies on them
NV12 = "nv12"
STORED = "bt709"  # the scaler's name of the matrix of everything that this package encodes
_MOST_PREVIEWED = 480 * 270  # pixels


@dataclass(slots=True, eq=False)
class Nv12Surface:
    """A `Surface` as two planes, on any device of torch's. Never written to after it was made.

    Attributes:
        luma: (H, W) uint8, H and W even.
        chroma: (H/2, W/2, 2) uint8, right behind it, see `nv12.together`.
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
        from stylize_live.media.nv12 import to_rgb

        return to_rgb(self.luma, self.chroma, self.matrix, full_range=self.full_range)

    @property
    def preview(self) -> Pixels:
        """See `Surface`; at most as large as what motion is measured on."""
        if self._preview is None:
            import torch.nn.functional as F

            width, height = self.size
            factor = max(1.0, (width * height / _MOST_PREVIEWED) ** 0.5)
            size = max(1, round(height / factor)), max(1, round(width / factor))
            self._preview = _downloaded(F.interpolate(self.levels(), size, mode="area"))
        return self._preview

    def download(self) -> Pixels:
        """See `Surface`."""
        return _downloaded(self.levels())

    def video_frame(self) -> av.VideoFrame:
        """It as an encoder takes it, BT.709 and tagged; shares the planes, which must be complete."""
        planes = self.luma, self.chroma
        if self.matrix != STORED or self.full_range:
            from stylize_live.media.nv12 import from_rgb

            planes = from_rgb(self.levels())
        frame = av.VideoFrame.from_dlpack(planes, format=NV12, cuda_context=_context())
        tag(frame, av.VideoFormat(NV12))
        return frame


def chip_to_encode() -> av.codec.hwaccel.HWAccel:
    """What an encoder needs to take surfaces: the GPU in the state that torch has made of it."""
    return av.codec.hwaccel.HWAccel(CHIP, options={"primary_ctx": "1"})


@cache
def _context() -> av.video.frame.CudaContext:
    """FFmpeg's view of torch's GPU; nothing of it is asked for before there are planes on one."""
    return av.video.frame.CudaContext(primary_ctx=True)


def _downloaded(levels: Tensor) -> Pixels:
    pixels = (levels[0] + 0.5).byte().permute(1, 2, 0).contiguous()
    return np.asarray(pixels.cpu().numpy())


def on_chip(picture: av.VideoFrame) -> bool:
    """Whether a decoded picture lies on a chip."""
    return bool(picture.format.name == CHIP)


def surface_of(picture: av.VideoFrame) -> Nv12Surface | None:
    """A decoded picture as a surface; None where its planes are not those of NV12.

    It is copied, within the GPU: decoders have few places for pictures, and want them back.
    """
    kind = picture.sw_format or picture.format
    if kind.name != NV12 or picture.width % 2 or picture.height % 2:
        return None
    from torch.utils.dlpack import from_dlpack

    from stylize_live.media.nv12 import together

    # FFmpeg decodes on the stream that is torch's usual one, too, so the copies wait for it. PyAV wants no
    # stream named, which torch does when it is given the plane itself.
    planes: tuple[Any, ...] = picture.planes
    luma, chroma = together(*(from_dlpack(plane.__dlpack__()) for plane in planes))
    return Nv12Surface(luma, chroma, matrix_of(picture) or STORED, range_of(picture) == "pc")


def in_memory(picture: av.VideoFrame) -> av.VideoFrame:
    """A decoded picture in the machine's memory; the same one where it is there already."""
    if picture.sw_format is None:
        return picture
    return picture.reformat(format=picture.sw_format.name)
