"""A painting option is declared once: everything that takes one takes it, within the same range."""

from __future__ import annotations

import inspect
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from live_fakes import FakeStylizer
from option_values import another, as_words, is_number, refused
from pydantic import ValidationError

import stylize_live.studio
from stylize_live import Stylizer
from stylize_live.cli.app import app, main
from stylize_live.cli.help_sections import OTHERS, SECTIONS, section_of
from stylize_live.config import LiveSettings, merge_config
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.errors import ConfigError, UsageError
from stylize_live.live.view import View
from stylize_live.options import ImageOptions, PaintingOptions, Slider, control_of, limits_of
from stylize_live.studio.app import static_files
from stylize_live.studio.control import Choices, settings
from stylize_live.studio.messages import Message, apply_changes, apply_preset
from stylize_live.studio.presets import load_preset, save_preset

NAMES = list(PaintingOptions.model_fields)
COMMANDS = {"live": PaintingOptions, "studio": PaintingOptions, "convert": PaintingOptions}
COMMANDS |= {"bench": PaintingOptions, "image": ImageOptions}
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


@each
def test_help_has_its_words_and_its_default(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "--help"]) == 0
    shown = re.sub(r"[\s│]+", " ", capsys.readouterr().out)
    option = PaintingOptions.model_fields[name]
    assert option.description
    assert option.description in shown
    if is_number(name):
        assert f"[default: {option.default}]" in shown.partition(option.description)[2][:40]


@each
def test_a_flag_out_of_range_is_refused_in_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for value in refused(name):
        assert main(["live", f"{flag(name)}={value}"]) == UsageError.exit_code
        (line,) = capsys.readouterr().err.splitlines()
        assert flag(name) in line


@each
def test_a_file_of_settings_has_it(name: str, tmp_path: Path) -> None:
    file = tmp_path / "show.toml"
    file.write_text(f"{name} = {str(another(name)).lower()}\n")
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
    apply_changes(asked.set, view, ["first"])
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
    state, choices = make_view().options, Choices(["first"], {})
    for asked in (another(name), f"{another(name)}"):
        message = settings({flag(name)[2:]: asked})(state, choices)
        assert message.set is not None
        assert message.set.new_options == {name: another(name)}
    for asked in refused(name):
        words = "expected a number from" if is_number(name) else "expected on, off or toggle"
        with pytest.raises(UsageError, match=f"{name}: {words}"):
            settings({name: asked})(state, choices)


@each
def test_steps_of_programs_end_where_the_range_does(name: str) -> None:
    state, choices = make_view().options, Choices(["first"], {})
    if is_number(name):
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
    apply_preset(load_preset(tmp_path / "evening.toml"), view, ["first"])
    assert view.options[name] == another(name)


@each
def test_a_frozen_image_is_painted_again_where_it_looks_different(name: str) -> None:
    view = make_view()
    view.use_option(name, another(name))
    # Boldness takes a while: whoever makes it ready has the image painted again.
    assert view.repaint == (name in ImageOptions.model_fields and name != "boldness")


@each
def test_a_stylizer_takes_it_and_refuses_what_is_out_of_range(name: str, tiny_style: Path) -> None:
    parameter = inspect.signature(Stylizer).parameters[name]
    if name in ImageOptions.model_fields:
        assert parameter.default == ImageOptions.model_fields[name].default
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
    """The attributes of every <input> by its id, and the text of every <label>."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str | None]] = {}
        self.labels = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "input" and values.get("id"):
            self.found[str(values["id"])] = values

    def handle_data(self, data: str) -> None:
        self.labels += data


def test_the_page_has_a_slider_or_switch_for_each_and_no_other() -> None:
    inputs = Inputs(static_files()["index.html"].decode())
    ours = [id_ for id_, values in inputs.found.items() if {"data-unit", "data-option"} & values.keys()]
    assert sorted(ours) == sorted(NAMES)
    for name in NAMES:
        control, shown = control_of(name), inputs.found[name]
        assert control.label in inputs.labels
        assert (shown["type"] == "range") == isinstance(control, Slider)


@each
def test_a_slider_has_the_range_and_the_default(name: str) -> None:
    shown, control = Inputs(static_files()["index.html"].decode()).found[name], control_of(name)
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


def test_the_page_itself_names_no_option() -> None:
    for file in ("index.html", "studio.js"):
        text = (PAGE / file).read_text("utf-8")
        assert [name for name in NAMES if re.search(rf"\b{name}\b", text)] == []
