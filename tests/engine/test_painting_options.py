"""A painting option is declared once: everything that takes one takes it, within the same range."""

from __future__ import annotations

import inspect
import io
import math
import re
from contextlib import redirect_stdout
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest
from live_fakes import FakeStylizer
from option_values import another, as_words, is_number, is_text, refused
from pydantic import ValidationError

import stylize_live.studio
from stylize_live import Stylizer
from stylize_live.cli.app import app, main
from stylize_live.cli.help_sections import OTHERS, SECTIONS, section_of
from stylize_live.config import ImageSettings, LiveSettings, merge_config
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.errors import ConfigError, UsageError
from stylize_live.live.view import View
from stylize_live.options import (
    Choice,
    ImageOptions,
    LayerOptions,
    PaintedPart,
    PaintingOptions,
    Picker,
    Slider,
    VideoOptions,
    control_of,
    limits_of,
)
from stylize_live.studio.app import static_files
from stylize_live.studio.control import Choices, settings
from stylize_live.studio.messages import Message, apply_changes, apply_preset
from stylize_live.studio.presets import load_preset, save_preset

NAMES = list(PaintingOptions.model_fields)
COMMANDS = {"live": PaintingOptions, "studio": PaintingOptions, "convert": PaintingOptions}
COMMANDS |= {"bench": VideoOptions, "image": ImageSettings}
STYLES = ["first", "great-wave"]
PAGE = Path(stylize_live.studio.__file__).parent / "static"

each = pytest.mark.parametrize("name", NAMES)


def make_view() -> View:
    view = View(FakeStylizer(), ["first"], lambda: None, lambda: None, lambda boldness: None)
    view.changed = view.repaint = False
    return view


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


@each
def test_every_command_that_paints_has_a_flag_under_a_heading(name: str) -> None:
    text, value = as_words(name)
    for command, options in COMMANDS.items():
        if name not in options.model_fields:
            continue
        words = [command, *(["in.mp4"] if command in ("convert", "image") else []), flag(name)]
        _, given, _ = app.parse_args([*words, *filter(None, [text])], exit_on_error=False, print_error=False)
        assert getattr(given.arguments["settings"], name) == value
        assert section_of(flag(name).removeprefix("--"), SECTIONS[command])[0] != OTHERS


@pytest.fixture(scope="module")
def help_text() -> str:
    """What `convert --help` says, in one line."""
    said = io.StringIO()
    with redirect_stdout(said):
        assert main(["convert", "--help"]) == 0
    return re.sub(r"[\s│]+", " ", said.getvalue())


@each
def test_help_has_its_words_and_its_default(name: str, help_text: str) -> None:
    option = PaintingOptions.model_fields[name]
    assert option.description
    assert option.description in help_text
    if is_number(name):
        assert f"[default: {option.default}]" in help_text.partition(option.description)[2][:40]


@each
def test_a_flag_out_of_range_is_refused_in_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for value in refused(name):
        assert main(["live", f"{flag(name)}={value}"]) == UsageError.exit_code
        (line,) = capsys.readouterr().err.splitlines()
        assert flag(name) in line


@each
def test_a_file_of_settings_has_it(name: str, tmp_path: Path) -> None:
    file = tmp_path / "show.toml"
    value = another(name)
    file.write_text(f"{name} = {repr(value) if is_text(name) else str(value).lower()}\n")
    assert getattr(merge_config(LiveSettings(), file), name) == another(name)
    for value in refused(name):
        file.write_text(f"{name} = {value if isinstance(value, float) else repr(value)}\n")
        with pytest.raises(ConfigError, match=f"{name}: expected "):
            merge_config(LiveSettings(), file)


@each
def test_a_page_may_change_it(name: str) -> None:
    view = make_view()
    assert view.options[name] != another(name) or name == "boldness"
    asked = Message.model_validate({"set": {name: another(name)}})
    assert asked.set is not None
    assert asked.set.new_options == {name: another(name)}
    apply_changes(asked.set, view, STYLES)
    assert view.options[name] == another(name)
    for value in refused(name):
        with pytest.raises(ValidationError):
            Message.model_validate({"set": {name: value}})


def test_what_a_page_leaves_out_or_sets_to_nothing_stays() -> None:
    for message in ({}, {"set": {}}, {"set": dict.fromkeys(NAMES)}):
        changes = Message.model_validate(message).set
        assert changes is None or changes.new_options == {}


@each
def test_a_program_may_change_it(name: str) -> None:
    state, choices = make_view().options, Choices(STYLES, {"background": []})
    for asked in (another(name), f"{another(name)}"):
        message = settings({flag(name)[2:]: asked})(state, choices)
        assert message.set is not None
        assert message.set.new_options == {name: another(name)}
    for asked in refused(name):
        switch = not (is_number(name) or is_text(name))
        words = (
            "expected a number from"
            if is_number(name)
            else "expected on, off or toggle"
            if switch
            else "expected"
        )
        with pytest.raises(UsageError, match=f"{name}: {words}"):
            settings({name: asked})(state, choices)


@each
def test_steps_of_programs_end_where_the_range_does(name: str) -> None:
    state, choices = make_view().options, Choices(STYLES, {"background": []})
    if is_text(name):
        ends = {another(name): another(name)}
    elif is_number(name):
        ends = {"-99": limits_of(name).low, "+99": limits_of(name).high}
    else:
        ends = {"toggle": not state[name], "on": True}
    for step, end in ends.items():
        message = settings({name: step})(state, choices)
        assert message.set is not None
        assert message.set.new_options == {name: end}


@each
def test_a_preset_keeps_it(name: str, tmp_path: Path) -> None:
    save_preset(tmp_path / "evening.toml", LiveSettings(), {name: another(name)})
    view = make_view()
    apply_preset(load_preset(tmp_path / "evening.toml"), view, STYLES)
    assert view.options[name] == another(name)


@each
def test_a_frozen_image_is_painted_again_where_it_looks_different(name: str) -> None:
    view = make_view()
    view.use_option(name, another(name))
    # Boldness takes a while: whoever makes it ready has the image painted again.
    still = {*ImageOptions.model_fields, *LayerOptions.model_fields} - {"boldness"}
    assert view.repaint == (name in still)


@each
def test_a_stylizer_takes_it_and_refuses_what_is_out_of_range(name: str, tiny_style: Path) -> None:
    parameter = inspect.signature(Stylizer).parameters[name]
    if name in ImageSettings.model_fields:
        assert parameter.default == ImageSettings.model_fields[name].default
    with Stylizer(tiny_style, device="cpu", runtime="torch", **{name: another(name)}) as stylizer:  # type: ignore[arg-type]
        assert getattr(stylizer, name) == another(name)
        default = PaintingOptions.model_fields[name].default
        setattr(stylizer, name, default)
        for value in refused(name):
            with pytest.raises(UsageError, match=f"^{name}"):
                Stylizer(tiny_style, device="cpu", runtime="torch", **{name: value})  # type: ignore[arg-type]
            with pytest.raises(UsageError, match=f"^{name}"):
                setattr(stylizer, name, value)
        assert getattr(stylizer, name) == default


def test_backends_are_told_all_options_of_an_image() -> None:
    options = RenderOptions()
    assert {name: getattr(options, name) for name in ImageOptions.model_fields} == dict(ImageOptions())


# ------------------------------------------------------------------ the page


class Inputs(HTMLParser):
    """The attributes of every <input> and group by its id, the words of every group, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str | None]] = {}
        self.words: dict[str, list[str | None]] = {}
        self.text = ""
        self._group = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id") and (tag == "input" or values.get("role") == "group"):
            self.found[str(values["id"])] = values
            self._group = str(values["id"])
        if "data-word" in values:
            self.words.setdefault(self._group, []).append(values["data-word"])

    def handle_data(self, data: str) -> None:
        self.text += data


def read_page() -> Inputs:
    return Inputs(static_files()["index.html"].decode())


def test_the_page_has_a_control_for_each_and_no_other() -> None:
    page = read_page()
    marks = {"data-unit", "data-option", "data-choice", "data-picker"}
    ours = [id_ for id_, values in page.found.items() if marks & values.keys()]
    assert sorted(ours) == sorted(NAMES)
    for name in NAMES:
        control, shown = control_of(name), page.found[name]
        assert control.label in page.text or control.label == shown.get("aria-label")
        assert (shown.get("type") == "range") == isinstance(control, Slider)


@pytest.mark.parametrize("name", [name for name in NAMES if not is_text(name)])
def test_a_slider_has_the_range_and_the_default(name: str) -> None:
    shown, control = read_page().found[name], control_of(name)
    default = PaintingOptions.model_fields[name].default
    if not isinstance(control, Slider):
        assert ("checked" in shown) == default
        return
    limits, doublings = limits_of(name), control.scale == "doublings"
    wanted = {"min": limits.low, "max": limits.high, "value": default}
    for attribute, value in wanted.items():
        assert float(shown[attribute] or "") == (math.log2(value) if doublings else value)
    assert float(shown["step"] or "") == control.step > 0
    assert (shown["data-scale"], shown["data-unit"]) == (control.scale, control.unit)


@pytest.mark.parametrize("name", [name for name in NAMES if is_text(name)])
def test_a_group_has_the_words_or_what_is_offered(name: str) -> None:
    page, control = read_page(), control_of(name)
    if isinstance(control, Choice):
        words = [word for word, _ in control.words]
        assert page.words[name] == words == list(get_args(PaintedPart))
    elif isinstance(control, Picker):
        assert page.found[name]["data-picker"] == control.offers


def test_the_page_itself_names_no_option() -> None:
    """Not as an id or a setting; \"paint\" and \"background\" are words for other things, too."""
    for file in ("index.html", "studio.js", "layers.js"):
        text = (PAGE / file).read_text("utf-8")
        plain = [name for name in NAMES if name not in ("paint", "background")]
        assert [name for name in plain if re.search(rf"\b{name}\b", text)] == []
        assert [
            name for name in NAMES if re.search(rf'id="{name}"|\$\("{name}"|(state|news)\??\.{name}\b', text)
        ] == []
