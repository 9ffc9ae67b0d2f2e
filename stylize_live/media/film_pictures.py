"""What a film's decoded pictures become: upright, RGB, all of one size; or surfaces, where they can be."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from stylize_live.frame import FrameKind, Pixels, Surface
from stylize_live.media.colour import SITED_LEFT, ToRgb
from stylize_live.media.container import has_alpha, picture_losses
from stylize_live.media.fitting import fitting, framed
from stylize_live.media.libraries import av
from stylize_live.media.orientation import Orientation
from stylize_live.media.photo_decoder import PHOTOS
from stylize_live.media.surface import in_memory, on_chip, surface_of
from stylize_live.quantities import fitted, squared

_MOST_STRETCHED = Fraction(8)  # what is said to be more is a fault in the header


class FilmPictures:
    """Makes the pictures of one film. Keeps scalers, so use it in one thread at a time.

    Attributes:
        size: (width, height) of the upright pictures in pixels; others are fitted into it.
        sample_aspect: width of an upright pixel over its height, or None when unknown.
        has_alpha: whether they have transparency.
        frame_kind: what they are: surfaces only where those were asked for.

    Args:
        first: the film's first picture; what it says of itself holds for all, but for photos.
        sample_aspect: width of a stored pixel over its height, or None when unknown.
        bits: of each colour; more than 8 gives uint16.
        codec: FFmpeg's name of what the pictures were coded with.
        square_pixels: stretch pictures whose pixels are not square until they are.
        wanted_size: as `--size` has it, or None to keep the size.
        surfaces: leave pictures as planes where they can be surfaces.
        transparent: whether pictures have transparency even if the first has none.
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
        picture = in_memory(first)
        self._sited_left = codec in SITED_LEFT
        self._convert = ToRgb(bits, sited_left=self._sited_left)
        # Of a film, once: some decoders tell it of key frames only. Photos say it of themselves.
        turn = self._turn = Orientation.of(picture)
        self._photos = codec in PHOTOS
        self._stored_size = picture.width, picture.height
        self.size = self._first_size = turn.turned(self._stored_size)
        turned = 1 / sample_aspect if sample_aspect and turn.transpose else sample_aspect
        self.sample_aspect = turned or None
        if square_pixels:
            self._make_square()
        if wanted_size:
            self.size = fitted(wanted_size, self.size)
        self.has_alpha = transparent or has_alpha(picture)
        self._opaque_format = None if self.has_alpha else picture.format.name
        for loss in picture_losses(picture, bits):
            note(loss)
        look = self._convert.look(picture)
        if look is not None:
            note(look.note)
        as_stored = turn == Orientation() and self.size == self._stored_size
        plain = as_stored and look is None and bits == 8
        self.frame_kind = FrameKind.PIXELS
        if surfaces and plain and self._surface(first) is not None:
            self.frame_kind = FrameKind.ON_CHIP if on_chip(first) else FrameKind.PLANES

    def _make_square(self) -> None:
        aspect = self.sample_aspect or Fraction(1)
        if aspect != 1 and 1 / _MOST_STRETCHED <= aspect <= _MOST_STRETCHED:
            self.size = squared(self.size, aspect)
            self.sample_aspect = Fraction(1)
            shape = f"{aspect.numerator}:{aspect.denominator}"
            self._note(f"pixels of {shape}, which this kind of file does not store, were made square")

    def __call__(self, picture: av.VideoFrame) -> tuple[Pixels | Surface, Pixels | None]:
        """A decoded picture, and its opacity if it has one."""
        turn = Orientation.of(picture) if self._photos else self._turn
        stays = self.frame_kind is not FrameKind.PIXELS and turn == Orientation()
        surface = self._surface(picture) if stays else None
        if surface is not None:
            return surface, None
        picture = in_memory(picture)
        self._say_late_alpha(picture)
        return self._upright(picture, turn)

    def _say_late_alpha(self, picture: av.VideoFrame) -> None:
        if self._opaque_format is not None and picture.format.name != self._opaque_format:
            self._opaque_format = picture.format.name
            if has_alpha(picture):
                self._note("transparency that begins in mid-film was dropped")

    def _surface(self, picture: av.VideoFrame) -> Surface | None:
        """None for a picture that cannot stay planes. What chips decode is video, sited as such."""
        sited_left = self._sited_left or on_chip(picture)
        as_first = (picture.width, picture.height) == self._stored_size
        return surface_of(picture) if sited_left and as_first else None

    def _upright(self, picture: av.VideoFrame, turn: Orientation) -> tuple[Pixels, Pixels | None]:
        own = turn.turned((picture.width, picture.height))
        inner = self.size
        if own != self._first_size:
            first = "x".join(map(str, self._first_size))
            self._note(f"the size changes in the film: all pictures were fitted into the first one's {first}")
            inner = fitting(own, self.size)
        inner, size = turn.turned(inner), turn.turned(self.size)
        pixels = framed(self._convert(picture, inner), size)
        alpha = framed(self._convert.alpha(picture, inner), size) if self.has_alpha else None
        return turn.apply(pixels), None if alpha is None else turn.apply(alpha)
