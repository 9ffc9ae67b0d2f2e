"""How painted frames depend on those before them: what can be painted apart, and what needs a state."""

from __future__ import annotations

from stylize_live.backgrounds import parse_background
from stylize_live.config import ConvertSettings
from stylize_live.media.image.io import SUFFIXES
from stylize_live.options import LayerOptions

_WHOLE = LayerOptions()


def follows_frames(settings: ConvertSettings) -> bool:
    """Whether frames follow from those before them in a shot: smoothing does that, and mattes of people."""
    layers = {name: getattr(settings, name) for name in LayerOptions.model_fields}
    return settings.steadiness > 0 or LayerOptions(**layers) != _WHOLE


def follows_over_cuts(settings: ConvertSettings) -> bool:
    """Whether they also do where a shot begins: a video behind people is smoothed over its own shots, where
    it is painted apart from them."""
    background = parse_background(settings.background)
    is_video = background.kind == "file" and background.path.suffix.lower() not in SUFFIXES
    apart = settings.paint == "background" or (settings.paint == "both" and bool(settings.background_style))
    return settings.steadiness > 0 and is_video and apart
