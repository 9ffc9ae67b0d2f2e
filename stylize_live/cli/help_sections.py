"""In which order `--help` shows the options of each command, and under which headings."""

from __future__ import annotations

from stylize_live.config import Heading, LiveSettings
from stylize_live.options import ImageOptions, LayerOptions, VideoOptions
from stylize_live.validation import Settings

Sections = dict[str, tuple[str, ...]]  # heading -> options without their dashes


def _flags(options: type[Settings]) -> list[str]:
    return [name.replace("_", "-") for name in options.model_fields]


def _flags_under(heading: str) -> tuple[str, ...]:
    """The settings of live commands that `config.py` places there."""
    return tuple(
        name.replace("_", "-")
        for name, field in LiveSettings.model_fields.items()
        if Heading(heading) in field.metadata
    )


# What changes most comes first, then what else there is.
_LOOK = tuple(dict.fromkeys(["style", "boldness", "strength", "stroke", *_flags(ImageOptions)]))
_MOVING_LOOK = tuple(dict.fromkeys([*_LOOK, *_flags(VideoOptions)]))
_LAYERS = tuple(_flags(LayerOptions))
_MACHINE = ("device", "precision", "runtime", "config")
_LIVE_LOOK = (*_MOVING_LOOK, *_flags_under("Look"))
_SOURCE, _OUTPUTS, _REMOTES, _PAGE = map(_flags_under, ("Source", "Outputs", "OSC and MIDI", "Page"))
_SOUND = _flags_under("Sound")
# Options that have no heading come last, under this one.
OTHERS = "Others"

SECTIONS: dict[str, Sections] = {
    "live": {
        "Source": _SOURCE,
        "Look": _LIVE_LOOK,
        "People and background": _LAYERS,
        "Follow the sound": _SOUND,
        "Outputs": (*_OUTPUTS, "json"),
        "OSC and MIDI": _REMOTES,
        "Page": ("studio", "open", *_PAGE),
        "Machine": _MACHINE,
    },
    "studio": {
        "Page": _PAGE,
        "Source": _SOURCE,
        "Look": _LIVE_LOOK,
        "People and background": _LAYERS,
        "Follow the sound": _SOUND,
        "Outputs": (*_OUTPUTS, "json"),
        "OSC and MIDI": _REMOTES,
        "Machine": _MACHINE,
    },
    "obs": {
        "What OBS shows": ("scene", "stream", "page"),
        "Result": ("undo", "dry-run", "json"),
        "Which OBS": ("host", "port", "password"),
    },
    "convert": {
        "Look": (*_MOVING_LOOK, "learn", "crossfade"),
        "People and background": _LAYERS,
        "Result": (
            *("output", "preview", "side-by-side", "before-after", "dry-run"),
            *("overwrite", "restart", "work-folder", "json"),
        ),
        "Follow the sound": tuple(name for name in _SOUND if name != "sound-from"),
        "Part and size": ("start", "end", "size", "fps"),
        "Folders": ("include", "exclude"),
        "Sound and compression": ("audio", "codec", "crf", "preset", "bits", "encoder", "decoder"),
        "Machine": (*_MACHINE, "cluster"),
    },
    "image": {
        "Result": ("output", "side-by-side", "overwrite"),
        "Look": (*_LOOK, "learn"),
        "People and background": _LAYERS,
        "Machine": _MACHINE,
    },
    "train": {
        "Style": ("keyframe", "photos", "name", "minutes", "output"),
        "Look": (
            "palette",
            "lines",
            "contrast",
            "saturation",
            "brightness",
            "painting-size",
            "painting-blur",
        ),
        "Run": ("restart", "overwrite", "previews", "start", "verbose", "device"),
        "Painting": ("title", "artist", "year", "licence", "credit"),
        "For experts": (
            *("features", "steps", "batch", "crop", "style-weight", "content-weight", "color-weight"),
            *("pixel-weight", "fine-weight", "deep-weight", "coarse-weight", "pooled", "variation-weight"),
            *("steady-weight", "colors", "match", "rate", "seed"),
        ),
    },
    "styles": {"Options": ("sheet", "photos", "overwrite", "json")},
    "export": {"Options": ("output", "boldness", "overwrite")},
    "bench": {
        "Result": ("output", "plot", "json"),
        "What is measured": ("size", "seconds", *_MOVING_LOOK),
        "Machine": _MACHINE,
    },
    "devices": {"Options": ("json", "measure")},
}


def section_of(option: str, sections: Sections) -> tuple[str, int]:
    """Heading and place of an option."""
    for heading, options in sections.items():
        if option in options:
            return heading, options.index(option)
    return OTHERS, 0
