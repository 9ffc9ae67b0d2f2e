"""What a video's decoded frames become: upright, RGB, all of one size; or surfaces, where they can be."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from stylize_live.frame import FrameKind, Pixels, Surface
from stylize_live.media.color.colorspace import SITED_LEFT, ToRgb
from stylize_live.media.color.letterbox import fit_inside, place_in_frame
from stylize_live.media.color.orientation import Orientation
from stylize_live.media.decode.container import frame_losses, has_alpha
from stylize_live.media.decode.photo_decoder import PHOTOS
from stylize_live.media.hw.surface import in_memory, make_surface, on_chip
from stylize_live.media.libraries import av
from stylize_live.units import fit_size, square_pixels

_MOST_STRETCHED = Fraction(8)  # what is said to be more is a fault in the header


class FrameConverter:
    """Makes the frames of one video. Keeps scalers, so use it in one thread at a time.

    Attributes:
        size: (width, height) of the upright frames in pixels; others are fitted into it.
        sample_aspect: width of an upright pixel over its height, or None when unknown.
        has_alpha: whether they have transparency.
        frame_kind: what they are: surfaces only where those were asked for.

    Args:
        first: the video's first frame; what it says of itself holds for all, but for photos.
        sample_aspect: width of a stored pixel over its height, or None when unknown.
        bits: of each colour; more than 8 gives uint16.
        codec: FFmpeg's name of what the frames were coded with.
        square_pixels: stretch frames whose pixels are not square until they are.
        wanted_size: as `--size` has it, or None to keep the size.
        surfaces: leave frames as planes where they can be surfaces.
        transparent: whether frames have transparency even if the first has none.
        note: told what is not carried over, in words; perhaps more than once.
    """

    def __init__(
        self,
        first: av.VideoFrame,
        sample_aspect: Fraction | None,
        *,
        bits: int = 8,
        codec: str,
        square_pixels: bool = False,
        wanted_size: str | None = None,
        surfaces: bool = False,
        transparent: bool = False,
        note: Callable[[str], None],
    ) -> None:
        self._note = note
        frame = in_memory(first)
        self._sited_left = codec in SITED_LEFT
        self._convert = ToRgb(bits, sited_left=self._sited_left)
        # Of a video, once: some decoders tell it of key frames only. Photos say it of themselves.
        turn = self._turn = Orientation.of(frame)
        self._photos = codec in PHOTOS
        self._stored_size = frame.width, frame.height
        self.size = self._first_size = turn.turn_size(self._stored_size)
        turned = 1 / sample_aspect if sample_aspect and turn.transpose else sample_aspect
        self.sample_aspect = turned or None
        if square_pixels:
            self._make_square()
        if wanted_size:
            self.size = fit_size(wanted_size, self.size)
        self.has_alpha = transparent or has_alpha(frame)
        self._opaque_format = None if self.has_alpha else frame.format.name
        for loss in frame_losses(frame, bits):
            note(loss)
        hdr = self._convert.hdr_info(frame)
        if hdr is not None:
            note(hdr.note)
        as_stored = turn == Orientation() and self.size == self._stored_size
        plain = as_stored and hdr is None and bits == 8
        self.frame_kind = FrameKind.PIXELS
        if surfaces and plain and self._surface(first) is not None:
            self.frame_kind = FrameKind.ON_CHIP if on_chip(first) else FrameKind.PLANES

    def _make_square(self) -> None:
        aspect = self.sample_aspect or Fraction(1)
        if aspect != 1 and 1 / _MOST_STRETCHED <= aspect <= _MOST_STRETCHED:
            self.size = square_pixels(self.size, aspect)
            self.sample_aspect = Fraction(1)
            shape = f"{aspect.numerator}:{aspect.denominator}"
            self._note(f"pixels of {shape}, which this kind of file does not store, were made square")

    def __call__(self, frame: av.VideoFrame) -> tuple[Pixels | Surface, Pixels | None]:
        """A decoded frame, and its opacity if it has one."""
        turn = Orientation.of(frame) if self._photos else self._turn
        stays = self.frame_kind is not FrameKind.PIXELS and turn == Orientation()
        surface = self._surface(frame) if stays else None
        if surface is not None:
            return surface, None
        frame = in_memory(frame)
        self._say_late_alpha(frame)
        return self._upright(frame, turn)

    def _say_late_alpha(self, frame: av.VideoFrame) -> None:
        if self._opaque_format is not None and frame.format.name != self._opaque_format:
            self._opaque_format = frame.format.name
            if has_alpha(frame):
                self._note("transparency that begins in mid-video was dropped")

    def _surface(self, frame: av.VideoFrame) -> Surface | None:
        """None for a frame that cannot stay planes. What chips decode is video, sited as such."""
        sited_left = self._sited_left or on_chip(frame)
        as_first = (frame.width, frame.height) == self._stored_size
        return make_surface(frame) if sited_left and as_first else None

    def _upright(self, frame: av.VideoFrame, turn: Orientation) -> tuple[Pixels, Pixels | None]:
        own = turn.turn_size((frame.width, frame.height))
        inner = self.size
        if own != self._first_size:
            first = "x".join(map(str, self._first_size))
            self._note(f"the size changes in the video: all frames were fitted into the first one's {first}")
            inner = fit_inside(own, self.size)
        inner, size = turn.turn_size(inner), turn.turn_size(self.size)
        pixels = place_in_frame(self._convert(frame, inner), size)
        alpha = place_in_frame(self._convert.alpha(frame, inner), size) if self.has_alpha else None
        return turn.apply(pixels), None if alpha is None else turn.apply(alpha)
