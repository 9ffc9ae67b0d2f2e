"""Between the RGB of networks and the YUV of video files.

A YUV image means nothing without its matrix and range. What the file says is believed. Where it
says nothing, the convention of players holds: BT.709 from 720 lines up, BT.601 below, limited range.
Everything this package encodes is BT.709 limited, and says so in every tag there is.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, cast

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.media.color.filter_graph import EXACT, Chain, Scaler
from stylize_live.media.color.planar import PLANAR_RGB, PLANAR_RGB_16, interleave
from stylize_live.media.color.tonemap import WHITE_OF_ARRAYS, WHITE_OF_SCALER, HdrInfo, to_sdr_filter
from stylize_live.media.libraries import av, cv2

ColorPrimaries = av.video.reformatter.ColorPrimaries
ColorRange = av.video.reformatter.ColorRange
Colorspace = av.video.reformatter.Colorspace
ColorTrc = av.video.reformatter.ColorTrc

HD_LINES = 720
# Decoders whose colour samples sit on the left, as all video has them. Some do not say so, and the scaler
# does not listen to those that do.
SITED_LEFT = frozenset(
    {"h264", "hevc", "mpeg2video", "mpeg4", "vc1", "wmv3", "vp8", "vp9", "libvpx", "libvpx-vp9"}
    | {"av1", "libdav1d", "ffv1", "prores", "dnxhd"}
)
# FFmpeg's tag of the matrix (AVColorSpace) to the scaler's name of it.
_MATRICES = {
    1: "bt709",
    4: "fcc",
    5: "bt601",
    6: "bt601",
    7: "smpte240m",
    9: "bt2020",
    10: "bt2020",
}
MATRIX_TAGS = {name: tag for tag, name in _MATRICES.items()}  # one of those that mean it


def matrix_of(frame: av.VideoFrame) -> str | None:
    """The scaler's name of the matrix a decoded frame was made with; None for RGB, which has none."""
    if frame.format.is_rgb:
        return None
    return _MATRICES.get(frame.colorspace, "bt709" if frame.height >= HD_LINES else "bt601")


def range_of(frame: av.VideoFrame) -> str | None:
    """The range of a decoded frame's values, "tv" or "pc"; None for RGB, which is always full."""
    if frame.format.is_rgb:
        return None
    full = frame.format.name.startswith("yuvj") or frame.color_range == ColorRange.JPEG
    return "pc" if full else "tv"


class ToRgb:
    """Turns decoded frames into RGB; keeps scalers, so make one per stream and thread.

    HDR and wide colours are brought into BT.709 on the way, see `tonemap.py`; the first frame
    decides for all.

    Args:
        bits: 8, or more for 16-bit images.
        sited_left: whether colour samples sit on the left, as video has them, and not in the middle, as
            photos have.
    """

    def __init__(self, bits: int = 8, *, sited_left: bool = False) -> None:
        self._deep = bits > 8
        self._format, self._alpha_format = (PLANAR_RGB_16, "rgba64le") if self._deep else (PLANAR_RGB, "rgba")
        self._sited_left = sited_left
        self._hdr_info: HdrInfo | None = None
        self._has_seen_first = False
        self._size = (0, 0)
        self._scaler = Scaler(self._chain)
        self._alpha_scaler = Scaler(lambda frame, _: [self._scale(frame), _in_format(self._alpha_format)])

    def hdr_info(self, frame: av.VideoFrame) -> HdrInfo | None:
        """What the first frame said of its colours; None for ordinary ones."""
        if not self._has_seen_first:
            self._has_seen_first = True
            self._hdr_info = HdrInfo.of(frame)
        return self._hdr_info

    def __call__(self, frame: av.VideoFrame, size: tuple[int, int] | None = None) -> Pixels:
        """Convert one image.

        Args:
            frame: a decoded frame of any pixel format.
            size: (width, height) in pixels to scale to; None keeps the size.

        Returns:
            (H, W, 3) RGB, uint8 or uint16, full range, C-contiguous.
        """
        self.hdr_info(frame)
        self._size = size or (frame.width, frame.height)
        rgb = interleave(self._scaler(frame, self._size))
        return _multiply(rgb, WHITE_OF_ARRAYS / WHITE_OF_SCALER) if self._deep else rgb

    def alpha(self, frame: av.VideoFrame, size: tuple[int, int] | None = None) -> Pixels:
        """The opacity of an image that has one: (H, W) uint8 or uint16."""
        self._size = size or (frame.width, frame.height)
        rgba = self._alpha_scaler(frame, self._size)
        alpha = np.ascontiguousarray(cast("Pixels", rgba.to_ndarray()[..., 3]))
        return _multiply(alpha, WHITE_OF_ARRAYS / WHITE_OF_SCALER) if self._deep else alpha

    def _chain(self, frame: av.VideoFrame, until_built: ExitStack) -> Chain:
        # Planes are not only faster: to packed 16 bits, the scaler gets 4:2:0 plainly wrong.
        if self._hdr_info is None:
            return [self._scale(frame), _in_format(self._format)]
        to_sdr = until_built.enter_context(to_sdr_filter(self._hdr_info))
        back = ("scale", {"flags": EXACT})
        return [self._scale(frame), _in_format(PLANAR_RGB_16), to_sdr, back, _in_format(self._format)]

    def _scale(self, frame: av.VideoFrame) -> tuple[str, dict[str, str]]:
        width, height = self._size
        arguments = {"w": str(width), "h": str(height), "flags": EXACT}
        matrix, range_ = matrix_of(frame), range_of(frame)
        if matrix is not None and range_ is not None:
            arguments |= {"in_color_matrix": matrix, "in_range": range_}
        if self._sited_left:
            arguments["in_chroma_loc"] = "left"
        return "scale", arguments


class ToStored:
    """Turns RGB into what an encoder stores; keeps a scaler, so make one per stream and thread.

    Args:
        pixel_format: FFmpeg's name of it, YUV or RGB, with or without alpha.
    """

    def __init__(self, pixel_format: str = "yuv420p") -> None:
        self._format = av.VideoFormat(pixel_format)
        self._scaler = Scaler(lambda *_: self._chain())

    def _chain(self) -> Chain:
        arguments = {"flags": EXACT}
        if not self._format.is_rgb:
            # Players expect the colour samples on the left; the scaler alone would put them in the middle.
            arguments |= {"out_color_matrix": "bt709", "out_range": "tv", "out_chroma_loc": "left"}
        return [("scale", arguments), _in_format(self._format.name)]

    def __call__(self, pixels: Pixels) -> av.VideoFrame:
        """Convert one image to BT.709, tagged; YUV in limited range.

        Args:
            pixels: (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16, sides as the format needs them
                (see `pad`), C-contiguous.
        """
        name = _RGB_NAMES[pixels.dtype.itemsize, pixels.shape[2]]
        if pixels.dtype == np.uint16:
            pixels = _multiply(pixels, WHITE_OF_SCALER / WHITE_OF_ARRAYS)
        stored = self._scaler(av.VideoFrame.from_numpy_buffer(cast("Any", pixels), format=name))
        tag(stored, self._format)
        return stored


def _multiply(pixels: Pixels, factor: float) -> Pixels:
    """16-bit values times a factor, rounded; what would be more than 65535 stays there."""
    flat: Any = pixels.reshape(pixels.shape[0], -1)
    return cast("Pixels", cv2.multiply(flat, cast("Any", factor)).reshape(pixels.shape))


def _in_format(pixel_format: str) -> tuple[str, dict[str, str]]:
    return "format", {"pix_fmts": pixel_format}


_RGB_NAMES = {(1, 3): "rgb24", (1, 4): "rgba", (2, 3): "rgb48le", (2, 4): "rgba64le"}
_RGB_MATRIX = 0  # AVCOL_SPC_RGB


def tag(target: av.VideoFrame | av.VideoCodecContext, pixel_format: av.VideoFormat) -> None:
    """Say that an image, or all that an encoder makes, is BT.709 in limited range; RGB is full range.

    Primaries and transfer are tagged without converting: they differ from BT.601's by less than an
    eye notices, while a missing tag makes players guess the matrix, which is plainly visible.
    """
    target.colorspace = _RGB_MATRIX if pixel_format.is_rgb else Colorspace.ITU709
    target.color_range = ColorRange.JPEG if pixel_format.is_rgb else ColorRange.MPEG
    target.color_primaries = ColorPrimaries.BT709
    target.color_trc = ColorTrc.BT709


def encoded_size(size: tuple[int, int], pixel_format: str) -> tuple[int, int]:
    """(width, height) that colours at half the resolution leave room for: odd sides grow by one."""
    kind = av.VideoFormat(pixel_format, *_BLOCK)
    across, down = _BLOCK[0] // kind.chroma_width(), _BLOCK[1] // kind.chroma_height()
    return -(-size[0] // across) * across, -(-size[1] // down) * down


_BLOCK = (16, 16)


def pad(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Repeat the last row and column up to a (width, height); the same array where nothing is missing."""
    height, width = pixels.shape[:2]
    if (width, height) == size:
        return pixels
    return np.pad(pixels, ((0, size[1] - height), (0, size[0] - width), (0, 0)), mode="edge")
