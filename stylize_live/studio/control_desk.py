"""What a session is controlled with, whoever asks: pages, programs, OSC, MIDI. The main thread's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from stylize_live.config import LiveSettings
from stylize_live.errors import StylizeError
from stylize_live.live.hotkeys import OF_PAGES
from stylize_live.live.session import LiveSession
from stylize_live.media.sinks.opening import VIRTUAL_CAMERA, sink_address
from stylize_live.naming import display_name
from stylize_live.studio.actions import ACTIONS
from stylize_live.studio.backgrounds import FOLDER, Backgrounds
from stylize_live.studio.control import Choices, Command, check
from stylize_live.studio.learning import keep_learnt
from stylize_live.studio.messages import (
    Message,
    SettingChanges,
    apply_changes,
    apply_output_changes,
    apply_preset,
    shares_of,
    sound_changes,
)
from stylize_live.studio.microphones import Microphones
from stylize_live.studio.paintings import FOLDER as PAINTINGS
from stylize_live.studio.paintings import Paintings
from stylize_live.studio.presets import load_preset, rename_preset, save_preset
from stylize_live.studio.sound import apply_sound_changes, leave_sound_style, sound_origins, sound_settings
from stylize_live.studio.sources import BROWSER, Names, Sources
from stylize_live.studio.state import outputs_of, state_of, view_settings
from stylize_live.system.commands import quote


class Knobs(Protocol):
    """MIDI devices, as pages see them."""

    def learn(self, name: str) -> None:
        """Bind the knob or key that is moved next to a control; "" to none. Unknown names are ignored."""

    def forget(self, key: str) -> None:
        """Unbind a knob or key. Raises `SinkError` if that cannot be kept."""

    def describe(self) -> dict[str, object]:
        """What pages are told: "devices", by name; "bound", controls by knob or key; "learning"."""


class ControlDesk:
    """Does what is asked for, and tells how all is set.

    Args:
        styles: names that can be chosen; paintings are added and taken away where they are, at its end.
        sources: likewise.
        settings: what the program was started with; presets build on them.
        tell_sources: called with the sources whenever they were listed anew; in another thread.
        end_camera: called when the source is no page's camera any more.

    Attributes:
        backgrounds: files that can stand behind people.
        paintings: that pages brought.
        knobs: MIDI devices, or None.
        osc: where OSC messages are taken, or "".
    """

    def __init__(
        self,
        styles: list[str],
        sources: Sources,
        settings: LiveSettings,
        tell_sources: Callable[[Names], None] = lambda names: None,
        end_camera: Callable[[], None] = lambda: None,
    ) -> None:
        self.styles = styles
        self.backgrounds = Backgrounds(Path(FOLDER), settings.background)
        self.paintings = Paintings(Path(PAINTINGS))
        self._usual_styles = [style for style in styles if style not in self.paintings.styles]
        self.update_styles()
        self.knobs: Knobs | None = None
        self.osc = ""
        self._sources = sources
        self._settings = settings
        self._tell_sources = tell_sources
        self._end_camera = end_camera
        self._microphones = Microphones(settings.microphone)
        self._presets = 0  # how often they were changed

    def carry_out(self, command: Command, session: LiveSession) -> Exception | None:
        """Do what a program asked for; returns the error, or None."""
        before = self.state_of(session)
        try:
            message = command(before, self._list_choices())
            self.apply(message, session)
            check(message, before, self.state_of(session), session.view.note)
        except (StylizeError, OSError) as error:
            return error
        return None

    def _list_choices(self) -> Choices:
        self.update_styles()
        choices = {
            "source": list(self._sources.names),
            "microphone": list(self._microphones.names),
            "background": self.backgrounds.names,
            "resolution": self._sources.resolutions,
            "sound_from": list(self._sound_origins),
        }
        return Choices(self.styles, choices)

    @property
    def _sound_origins(self) -> Names:
        return sound_origins(self._microphones.names)

    def refresh_devices(self) -> None:
        """List the connected cameras and microphones, backgrounds and paintings anew."""
        self._sources.refresh(self._tell_sources)
        self._microphones.refresh(lambda: None)  # the state tells
        self.backgrounds.refresh()
        self.paintings.refresh()
        self.update_styles()

    def update_styles(self) -> None:
        """Bring the styles up to what paintings there are."""
        wanted = [*self._usual_styles, *self.paintings.styles]
        if wanted != self.styles:
            self.styles[:] = wanted

    def exclude_own_camera(self, session: LiveSession) -> None:
        """Take the virtual camera that we feed off the list of sources."""
        sink = session.switches.sink(VIRTUAL_CAMERA) if VIRTUAL_CAMERA in session.switches.names else None
        ours = None if sink is None else sink_address(sink)
        if ours != self._sources.ours:
            self._sources.ours = ours
            self._sources.refresh(self._tell_sources)

    def apply(self, message: Message, session: LiveSession) -> None:
        """Do what a page asked for. Raises `StylizeError` or `OSError` where it cannot be done."""
        self.update_styles()  # a page that brought a painting asks for it next
        changes = message.set or SettingChanges()
        apply_changes(changes, session.view, self.styles, self.backgrounds.text_of)
        apply_output_changes(changes, session)
        apply_sound_changes(changes, session, self._sound_origins, self.styles)
        if changes.microphone in self._microphones.names:
            session.microphone = changes.microphone or None
        if changes.resolution is not None:
            self._sources.resize(changes.resolution)
        if changes.source is not None:
            self._sources.choose(changes.source)
            if self._sources.key != BROWSER:
                self._end_camera()
        if message.press in OF_PAGES:
            session.view.press(message.press)
        if message.do is not None:
            ACTIONS[message.do](session, self)
        if message.keep is not None:
            self._offer_style(keep_learnt(session, message.keep).stem)
        self._apply_preset_message(message, session)
        if message.remove in self.paintings.styles:
            self._remove_painting(message.remove, session)
        self._turn_knobs(message)

    def _apply_preset_message(self, message: Message, session: LiveSession) -> None:
        if message.save is not None:
            self._save(_preset(message.save), session)
            self._presets += 1
        if message.rename is not None:
            old, new = message.rename
            rename_preset(_preset(old), _preset(new))
            self._presets += 1
            session.view.say(f"renamed {old} to {new}")
        if message.load is not None:
            preset = load_preset(_preset(message.load))
            apply_preset(preset, session.view, self.styles)
            apply_sound_changes(sound_changes(preset), session, {}, self.styles)
            session.view.say(message.load)

    def _offer_style(self, name: str) -> None:
        """Have a style in the list that was made meanwhile."""
        if name not in self._usual_styles:
            self._usual_styles.append(name)
        self.update_styles()

    def _remove_painting(self, style: str, session: LiveSession) -> None:
        """Delete it, and paint in the style before it where it is shown."""
        rest = [name for name in shares_of(session.stylizer.style) if name != style]
        if len(rest) < len(shares_of(session.stylizer.style)):
            session.view.use_style(rest[0] if rest else self.styles[self.styles.index(style) - 1])
        if style in shares_of(session.stylizer.background_style):
            session.view.use_option("background_style", "")
        leave_sound_style(style, session)
        self.paintings.remove(style)
        self.update_styles()
        session.view.say(f"removed {display_name(style)}")

    def _turn_knobs(self, message: Message) -> None:
        if self.knobs is None:
            return
        if message.learn is not None:
            self.knobs.learn(message.learn)
        if message.forget is not None:
            self.knobs.forget(message.forget)

    def _save(self, path: Path, session: LiveSession) -> None:
        today = {
            name: value for name, value in view_settings(session).items() if name in LiveSettings.model_fields
        }
        today |= {"source": self._sources.text, "style": session.stylizer.style}
        today |= sound_settings(session)
        today |= outputs_of(session, self._settings) | self._sources.requested_size
        save_preset(path, self._settings, today)
        session.view.say(f"saved: stylize-live live --config {quote(path.name)}")

    def state_of(self, session: LiveSession) -> dict[str, object]:
        """What pages and programs are told: settings by their names, and what else there is to know."""
        return state_of(session) | {
            "source": self._sources.key,
            "source_name": self._sources.name,
            "no_source": self._sources.needs_choice,
            "no_camera": self._sources.waits_for_browser,
            "resolution": self._sources.resolution,
            "has_resolution": self._sources.has_resolution,
            "presets": self._presets,
            "background": self.backgrounds.key_of(session.stylizer.background),
            "backgrounds": self.backgrounds.names,
            "microphones": self._microphones.names,
            "no_microphones": self._microphones.missing,
            "sound_origins": self._sound_origins,
            "osc": self.osc,
            "midi": None if self.knobs is None else self.knobs.describe(),
        }


def _preset(name: str) -> Path:
    return Path(f"{name}.toml")
