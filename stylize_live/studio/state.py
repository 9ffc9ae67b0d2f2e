"""What pages and programs are told of a show."""

from __future__ import annotations

from dataclasses import asdict

from stylize_live.config import LiveSettings
from stylize_live.live.session import LiveSession
from stylize_live.live.sink_switches import SinkState
from stylize_live.media.sinks.opening import STREAM, VIRTUAL_CAMERA
from stylize_live.studio.messages import shares_of

SWITCHED = {"stream": STREAM, "virtual_camera": VIRTUAL_CAMERA}  # names of settings, and of sinks
_MISSING = SinkState(False, False, "", "")


def look(show: LiveSession) -> dict[str, object]:
    """What can be changed and is no text."""
    view = show.view
    return {
        **view.options,
        "has_boldness": show.stylizer.has_boldness,
        "mirror": view.mirror,
        "split": view.split,
        "frozen": view.frozen,
    }


def state_of(show: LiveSession) -> dict[str, object]:
    """How a show stands: of settings by their names, and what else pages show."""
    recorded, on_record, video = show.recorded, show.on_record, show.video
    switches = show.switches
    states = {key: switches.state(name) for key, name in SWITCHED.items() if name in switches.names}
    return look(show) | {
        "style": shares_of(show.stylizer.style),
        "note": show.view.note or show.trouble,
        "recorded": None if recorded is None else int(recorded),
        "video": None if video is None else video.name,
        "saved": show.saved,
        "on_record": None if on_record is None else int(on_record),
        "has_image": show.original is not None,
        "image": None if show.shown is None else show.shown.size,
        "size": size_of(show),
        "can_resize": show.can_resize,
        "microphone": show.microphone or "",
        **{key: asdict(states.get(key, _MISSING)) for key in SWITCHED},
    }


def size_of(show: LiveSession) -> str:
    """The lines that are painted, as `--size` has them."""
    return "auto" if show.lines is None else f"{show.lines}p"


def outputs_of(show: LiveSession, settings: LiveSettings) -> dict[str, object]:
    """Which settings open the sinks that are on now; those that are off are None."""
    found: dict[str, object] = {"size": size_of(show)} if show.can_resize else {}
    for key, name in SWITCHED.items():
        if name in show.switches.names:
            on = show.switches.state(name).on
            found[key] = (getattr(settings, key) or "auto") if on else None
    return found
