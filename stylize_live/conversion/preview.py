"""A preview: a few seconds of a video, original beside result, before hours of work."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from stylize_live.config import ConvertSettings
from stylize_live.media.decode.reader import VideoReader
from stylize_live.units import parse_seconds


def without_preview(source: Path, settings: ConvertSettings) -> tuple[ConvertSettings, Fraction]:
    """Spell out what a preview is: a part from the middle, the original beside the result.

    Args:
        source: the video, which is opened to see how long it is.
        settings: perhaps with `preview`.

    Returns:
        Settings without it, and how many seconds the previewed part begins after the part that the
        settings asked for; a video shorter than the preview is taken whole.

    Raises:
        SourceError: the source is no video.
    """
    if settings.preview is None:
        return settings, Fraction(0)
    with VideoReader(source, settings) as reader:
        duration, begin = reader.duration or Fraction(0), reader.trim.start
    length = Fraction(settings.preview)
    # Milliseconds are fine enough to say and keep numbers short.
    skipped = Fraction(round(max(Fraction(0), (duration - length) / 2) * 1000), 1000)
    start = begin + skipped
    values: dict[str, object] = {"preview": None, "side_by_side": True}
    if duration > length:
        values |= {"start": str(float(start)), "end": str(float(start + length))}
    return settings.model_copy(update=values), start - parse_seconds(settings.start or "0")
