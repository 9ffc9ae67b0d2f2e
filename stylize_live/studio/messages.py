"""What a page may ask for, checked before anything is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from stylize_live.backgrounds import parse_background
from stylize_live.config import SIZE
from stylize_live.errors import StyleError
from stylize_live.live.adaptive_resolution import parse_lines
from stylize_live.live.painted_frame import ViewOptions
from stylize_live.live.session import LiveSession
from stylize_live.live.view import View
from stylize_live.media.sinks.opening import NDI, STREAM, VIRTUAL_CAMERA
from stylize_live.nets.catalogue import style_shares
from stylize_live.options import PaintingOptions
from stylize_live.sound_rules import rules_of
from stylize_live.studio.actions import ACTIONS
from stylize_live.studio.learning import learning_of
from stylize_live.studio.presets import NAME
from stylize_live.validation import Settings, describe_value

_LONGEST_OFFER = 12_000  # characters; browsers need about half of that
_PRESET_SETTINGS = {*PaintingOptions.model_fields, *ViewOptions.model_fields}
_PRESET_SOUND = {"follow_sound", "sound_amount", "sound_styles"}
_LEAST_SHARE = 0.005  # of a style in a blend; less counts as none

SIZES = ("auto", "480p", "432p", "384p", "336p", "288p", "240p", "192p", "144p")  # what pages show
_FEWEST, _MOST_LINES = 64, 2160
SIZE_WORDS = f"expected auto, or {_FEWEST}p to {_MOST_LINES}p"


def _check_size(size: str) -> str:
    lines = parse_lines(size)
    if lines is not None and not _FEWEST <= lines <= _MOST_LINES:
        raise ValueError(f"size: {SIZE_WORDS}, {describe_value(size)}")
    return size


def _check_rules(text: str) -> str:
    try:
        rules_of(text)
    except ValueError as error:
        raise ValueError(f"follow_sound: {error}") from None
    return text


def _check_action(name: str) -> str:
    if name not in ACTIONS:
        raise ValueError(f"do: expected one of {', '.join(ACTIONS)}, {describe_value(name)}")
    return name


Share = Annotated[float, Field(ge=0, le=1)]
PresetName = Annotated[str, Field(pattern=NAME)]
StyleName = Annotated[str, Field(min_length=1, max_length=60)]


class SettingChanges(PaintingOptions, ViewOptions):
    """New values of what can be changed: of painting and view options those that are set, see `new_options`
    and `new_view_options`, of all else what is not None.

    Attributes:
        style: one style, or two and their shares; names that the studio does not offer are ignored, also of
            the background's style, and of files that stand there.
        source: likewise.
        size: lines to paint, as `--size` takes them.
        resolution: asked of the source, "1280x720"; what the studio does not offer is ignored.
        microphone: of recordings that are begun from now on: a key of those offered, "" for none.
        follow_sound, sound_amount: as the settings; "off" follows nothing.
        sound_styles: names parted by commas, "" for all; those that the studio does not offer are ignored.
        sound_from: a key of those offered.
        learning: whether the painting that is the style is learnt.
        stream, virtual_camera, ndi: whether they get frames.
    """

    style: Annotated[dict[str, Share], Field(min_length=1, max_length=2)] | None = None
    frozen: bool | None = None
    source: Annotated[str, Field(max_length=2000)] | None = None
    size: Annotated[str, Field(pattern=SIZE), AfterValidator(_check_size)] | None = None
    resolution: Annotated[str, Field(pattern=r"^\d{1,5}x\d{1,5}$")] | None = None
    microphone: Annotated[str, Field(max_length=200)] | None = None
    stream: bool | None = None
    virtual_camera: bool | None = None
    follow_sound: Annotated[str, Field(max_length=500), AfterValidator(_check_rules)] | None = None
    sound_amount: Annotated[float, Field(ge=0, le=2)] | None = None
    sound_styles: Annotated[str, Field(max_length=4000)] | None = None
    sound_from: Annotated[str, Field(max_length=200)] | None = None
    ndi: bool | None = None
    learning: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_none(cls, values: Any) -> Any:
        """None leaves anything as it is."""
        return {k: v for k, v in values.items() if v is not None} if isinstance(values, dict) else values

    @property
    def new_options(self) -> dict[str, float | bool | str]:
        """Painting options that are to change, by name."""
        return self._set_fields_of(PaintingOptions)

    @property
    def new_view_options(self) -> dict[str, bool]:
        """View options that are to change, by name."""
        return self._set_fields_of(ViewOptions)

    def _set_fields_of(self, kind: type[Settings]) -> dict[str, Any]:
        return {name: getattr(self, name) for name in kind.model_fields if name in self.model_fields_set}


class Message(Settings):
    """One message of a page.

    Attributes:
        ack: number of a frame that the page has drawn.
        visible: whether the page can be seen.
        set: what to change.
        do: what to do once, see `ACTIONS`.
        press: a key of the session, see `live/hotkeys.py`; those that are not for pages are ignored.
        save: name of a preset to save.
        load: name of a preset to load.
        keep: name of a style to keep what was learnt as.
        rename: [a preset's name, its new one].
        remove: the style of a painting that a page brought; it is deleted. Others are ignored.
        camera: SDP that offers the page's own camera; "" turns it off.
        learn: name of a control for the MIDI knob that is moved next, "" for none, see `Knobs`.
        forget: a MIDI knob or key that is bound to nothing from now on.
    """

    ack: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    visible: bool | None = None
    set: SettingChanges | None = None
    do: Annotated[str, AfterValidator(_check_action)] | None = None
    press: Annotated[str, Field(min_length=1, max_length=8)] | None = None
    save: PresetName | None = None
    load: PresetName | None = None
    keep: StyleName | None = None
    rename: Annotated[list[PresetName], Field(min_length=2, max_length=2)] | None = None
    remove: Annotated[str, Field(max_length=300)] | None = None
    camera: Annotated[str, Field(max_length=_LONGEST_OFFER)] | None = None
    learn: Annotated[str, Field(max_length=100)] | None = None
    forget: Annotated[str, Field(max_length=100)] | None = None


def _no_file(asked: str) -> str | None:
    return None if parse_background(asked).kind == "file" else asked


def apply_changes(
    changes: SettingChanges,
    view: View,
    styles: Sequence[str],
    background: Callable[[str], str | None] = _no_file,
) -> None:
    """Apply changes to the view.

    Args:
        changes: to be made.
        view: that changes.
        styles: that are offered; others are ignored.
        background: returns the `--background` that is meant by a word, a color or a file's name; None for
            files that are not offered, which are ignored.
    """
    if changes.style is not None and (text := style_text(changes.style, styles)):
        view.use_style(text)
    offered = changes.new_options
    if offered.get("background_style", "") not in ("", *styles):
        del offered["background_style"]
    if "background" in offered:
        meant = background(str(offered.pop("background")))
        offered |= {} if meant is None else {"background": meant}
    for name, value in offered.items():
        view.use_option(name, value)
    for name, on in changes.new_view_options.items():
        view.use_view_option(name, on)
    if changes.frozen is not None:
        view.switch("frozen", changes.frozen)


def apply_output_changes(changes: SettingChanges, session: LiveSession) -> None:
    """Apply changes of size and outputs, and whether a painting is learnt. Raises `UsageError`."""
    if changes.size is not None:
        session.lines = parse_lines(changes.size)
    if changes.stream is not None:
        session.switches.turn(STREAM, changes.stream)
    if changes.virtual_camera is not None:
        session.switches.turn(VIRTUAL_CAMERA, changes.virtual_camera)
    if changes.ndi is not None:
        session.switches.turn(NDI, changes.ndi)
    if changes.learning is not None:
        learning_of(session).turn(changes.learning)


def sound_changes(preset: dict[str, object]) -> SettingChanges:
    """What a preset says of what follows the sound; not where that comes from."""
    kept = {name: preset[name] for name in _PRESET_SOUND & preset.keys()}
    if "follow_sound" in kept:
        kept.setdefault("sound_styles", "")  # a file has no word for all of them
    return SettingChanges.model_validate(kept)


def apply_preset(preset: dict[str, object], view: View, styles: Sequence[str]) -> None:
    """Apply a preset's style and painting options, and nothing else: no source, no size.

    Raises:
        StyleError: the style is not offered.
    """
    style = str(preset.get("style", ""))
    if style and not all(name in styles for name in shares_of(style)):
        raise StyleError(f"the style {style!r} is not offered here")
    if style and not view.use_style(style):
        return
    apply_changes(
        SettingChanges.model_validate({name: preset[name] for name in _PRESET_SETTINGS & preset.keys()}),
        view,
        styles,
        str,
    )


def style_text(shares: dict[str, float], styles: Sequence[str]) -> str:
    """A style or blend as the stylizer takes it, or "" where one is not offered."""
    if not all(name in styles for name in shares):
        return ""
    real = {name: share for name, share in shares.items() if share >= _LEAST_SHARE}
    if len(real) < 2:
        return next(iter(real or shares))
    return ",".join(f"{name}:{share:.3g}" for name, share in real.items())


def shares_of(text: str) -> dict[str, float]:
    """The shares in a style or blend; a text that is not a blend, such as a timeline, is one style."""
    try:
        return style_shares(text)
    except StyleError:
        return {text: 1.0}
