"""Which style a video has when, and how bold: ``0:starry-night,12.5:great-wave,20:great-wave@0.3``."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

from stylize_live.errors import StyleError
from stylize_live.units import parse_seconds

# Seconds, or minutes and seconds, or hours, minutes and seconds, then a colon and the style.
_KEY = re.compile(r"\s*((?:\d+:){0,2}\d+(?:\.\d+)?):\s*(\D.*?)\s*")
# A style, an @ and its boldness.
_BOLDNESS = re.compile(r"(.+?)\s*@\s*(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Mix:
    """A style on its way into another.

    Attributes:
        first, second: numbers of the styles in the timeline, equal while none changes.
        share: of the second, 0 to below 1.
    """

    first: int
    second: int
    share: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """Styles and the times from which on they count; the first counts before its time, too.

    Attributes:
        styles: as `load_style` takes them, one or more.
        boldness: of each, 0 to 1, or None where it is as bold as all else.
        times: when each begins, in seconds, growing; one for each style.
        crossfade: seconds that each change takes, from the style's time on. Shorter where the next
            one comes sooner.
    """

    styles: tuple[str, ...]
    boldness: tuple[float | None, ...]
    times: tuple[Fraction, ...]
    crossfade: Fraction

    @classmethod
    def parse(cls, text: str, crossfade: float = 0.0) -> Timeline:
        """Read ``0:starry-night,12.5:great-wave@0.3,1:30:the-scream``; other texts are one style throughout.

        Raises:
            StyleError: a part without a time, times that do not grow, or a boldness not in 0..1.
        """
        if not _KEY.fullmatch(text.split(",", 1)[0]):
            return cls((text,), (None,), (Fraction(0),), Fraction(0))
        keys = []
        for part in text.split(","):
            match = _KEY.fullmatch(part)
            if match is None:
                raise StyleError(f"timeline {text!r}: {part.strip()!r} needs a time, like 12.5:great-wave")
            try:
                keys.append((parse_seconds(match[1]), match[2]))
            except ValueError as error:
                raise StyleError(f"timeline {text!r}: {error}") from None
        times = tuple(when for when, _ in keys)
        if any(later <= earlier for earlier, later in itertools.pairwise(times)):
            raise StyleError(f"timeline {text!r}: every style must begin later than the one before")
        styles, boldness = zip(*(_with_boldness(text, style) for _, style in keys), strict=True)
        return cls(styles, boldness, times, Fraction(crossfade))

    def at(self, when: Fraction) -> Mix:
        """The styles of a frame of this time. A function of the time alone, whatever came before."""
        current = max(0, bisect_right(self.times, when) - 1)
        since = when - self.times[current]
        fade = self.crossfade
        if current + 1 < len(self.times):
            fade = min(fade, self.times[current + 1] - self.times[current])
        if current == 0 or since >= fade:
            return Mix(current, current, 0.0)
        return Mix(current - 1, current, float(since / fade))


def _with_boldness(timeline: str, style: str) -> tuple[str, float | None]:
    """Part ``great-wave@0.3``."""
    match = _BOLDNESS.fullmatch(style)
    if match is None:
        return style, None
    boldness = float(match[2])
    if boldness > 1:
        raise StyleError(f"timeline {timeline!r}: {style!r} needs a boldness of 0 to 1, like great-wave@0.3")
    return match[1], boldness
