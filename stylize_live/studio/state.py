"""What pages and programs are told of a session."""

from __future__ import annotations

from dataclasses import asdict

from stylize_live.config import LiveSettings
from stylize_live.live.session import LiveSession
from stylize_live.live.sink_switches import SinkState
from stylize_live.media.sinks.opening import NDI, STREAM, VIRTUAL_CAMERA
from stylize_live.studio.learning import learning_state
from stylize_live.studio.messages import shares_of
from stylize_live.studio.sound import sound_state

SWITCHED = {"stream": STREAM, "virtual_camera": VIRTUAL_CAMERA, "ndi": NDI}  # names of settings, and of sinks
_MISSING = SinkState(False, False, "", "")


def view_settings(session: LiveSession) -> dict[str, object]:
    """Switches and painting options of the view, by name."""
    view = session.view
    return {
        **view.options,
        "has_boldness": session.stylizer.has_boldness,
        **dict(view.view_options),
        "frozen": view.frozen,
    }


def state_of(session: LiveSession) -> dict[str, object]:
    """The state of a session: settings by their names, and what else pages show."""
    recorded, on_record, video = session.recorded, session.on_record, session.video
    switches = session.switches
    states = {key: switches.state(name) for key, name in SWITCHED.items() if name in switches.names}
    return view_settings(session) | {
        "style": shares_of(session.stylizer.style),
        "note": session.view.note or session.trouble,
        "recorded": None if recorded is None else int(recorded),
        "video": None if video is None else video.name,
        "saved": session.saved,
        "on_record": None if on_record is None else int(on_record),
        "has_image": session.original is not None,
        "image": None if session.shown is None else session.shown.size,
        "size": size_of(session),
        "can_resize": session.can_resize,
        "microphone": session.microphone or "",
        **sound_state(session),
        **learning_state(session),
        **{key: asdict(states.get(key, _MISSING)) for key in SWITCHED},
    }


def size_of(session: LiveSession) -> str:
    """The lines that are painted, as `--size` has them."""
    return "auto" if session.lines is None else f"{session.lines}p"


def outputs_of(session: LiveSession, settings: LiveSettings) -> dict[str, object]:
    """Which settings open the sinks that are on now; those that are off are None."""
    found: dict[str, object] = {"size": size_of(session)} if session.can_resize else {}
    for key, name in SWITCHED.items():
        if name in session.switches.names:
            on = session.switches.state(name).on
            found[key] = (getattr(settings, key) or "auto") if on else None
    return found
