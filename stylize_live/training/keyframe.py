"""An artist's own frame as the teacher: a frame of a video, and what was painted over it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stylize_live.errors import UsageError
from stylize_live.training.settings import TrainSettings
from stylize_live.wording import option

DEFAULT_MINUTES = 3.0
# Peak learning rate: one image, shown again and again, bears more than photos that are always others.
_RATE = 3e-3
# Settings of paintings alone, about texture without a place and colors without a pattern.
_OF_PAINTINGS = (
    *("painting_size", "painting_blur", "contrast", "saturation", "palette", "lines", "match"),
    *("fine_weight", "deep_weight", "pooled", "variation_weight", "steady_weight"),
)


@dataclass(frozen=True, slots=True)
class Keyframe:
    """Two images of the same size, or the same shape.

    Attributes:
        frame: of a video, as it is.
        painting: what was painted over it. Where it is transparent, the frame is seen.
    """

    frame: Path
    painting: Path

    @classmethod
    def parse(cls, text: str) -> Keyframe:
        """Read FRAME=PAINTING; names may hold "=", too, where both files are there.

        Raises:
            UsageError: it is something else.
        """
        parts = text.split("=")
        pairs = [("=".join(parts[:at]), "=".join(parts[at:])) for at in range(1, len(parts))]
        pairs = [pair for pair in pairs if all(pair)]
        if not pairs:
            raise UsageError(f"{option('keyframe')} {text}: give it as FRAME=PAINTING, two image files")
        there = [pair for pair in pairs if all(Path(name).exists() for name in pair)]
        frame, painting = (there or pairs)[0]
        return cls(Path(frame), Path(painting))


def keyframe_settings(settings: TrainSettings) -> TrainSettings:
    """The settings of a run that keyframes teach: with a rate and minutes of their own where none are given.

    Raises:
        UsageError: one would have no effect.
    """
    for name in _OF_PAINTINGS:
        if getattr(settings, name) != TrainSettings.model_fields[name].default:
            raise UsageError(f"{option(name)} has no effect with {option('keyframe')}, which shows how it is")
    own: dict[str, float] = {}
    if "rate" not in settings.model_fields_set:
        own["rate"] = _RATE
    if not (settings.steps or settings.minutes):
        own["minutes"] = DEFAULT_MINUTES
    return settings.model_copy(update=own)
