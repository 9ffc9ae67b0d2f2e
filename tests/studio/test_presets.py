"""Presets on the page: listed, taken, renamed; and the browser that is opened on request."""

from __future__ import annotations

import json
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import pytest
from studio_show import Show, get, page, running

from stylize_live.cli import browser
from stylize_live.cli.app import main
from stylize_live.config import LiveSettings, StudioSettings, merge_config
from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.studio import presets
from stylize_live.studio.presets import list_presets, load_preset, rename_preset, save_preset
from stylize_live.system import desktop


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    monkeypatch.chdir(tmp_path)
    with running() as found:
        yield found


def test_saved_listed_taken_and_renamed(show: Show, tmp_path: Path) -> None:
    with page(show.port) as one, page(show.port) as other:
        one.until_state(presets=0)
        one.set(strength=0.6, stroke=2, keep_colors=True, split=True, style={"first": 0.25, "second": 0.75})
        one.say(save="evening")
        one.until_state(presets=1)
        one.set(strength=1, stroke=1, keep_colors=False, split=False, style={"third": 1})
        one.until_state(strength=1.0, style={"third": 1.0}, split=False)
        other.say(rename=["evening", "late evening"])
        one.until_state(presets=2, note="renamed evening to late evening")
        assert json.loads(get(show.port, "/presets")[2]) == ["late evening"]
        other.say(load="late evening")
        one.until_state(strength=0.6, stroke=2.0, keep_colors=True, split=True, note="late evening")
        assert one.words["state"]["style"] == {"first": 0.25, "second": 0.75}
        one.say(load="evening")
        one.until_state(note="evening.toml is not a preset")
    (file,) = tmp_path.glob("*.toml")
    assert file.read_text().startswith("# stylize-live live --config late evening.toml\n")
    assert merge_config(LiveSettings(), file).strength == 0.6


@pytest.mark.parametrize(
    "message",
    [
        {"load": "../outside"},
        {"load": ".hidden"},
        {"load": ""},
        {"rename": ["a", "../b"]},
        {"rename": ["/etc/passwd", "b"]},
        {"rename": ["a"]},
        {"rename": ["a", "b", "c"]},
    ],
    ids=str,
)
def test_names_that_lead_elsewhere_are_nonsense(show: Show, message: dict[str, object]) -> None:
    with page(show.port) as open_page:
        open_page.say(**message)
        assert open_page.end() == 1008


def test_presets_that_break_something_are_a_note(show: Show, tmp_path: Path) -> None:
    mark = "# stylize-live live --config x.toml\n"
    (tmp_path / "foreign.toml").write_text(mark + 'style = "/etc/passwd"\nsource = "/etc/passwd"\n')
    (tmp_path / "wrong.toml").write_text(mark + "strength = 7\n")
    (tmp_path / "broken.toml").write_text(mark + "strength =\n")
    (tmp_path / "latin.toml").write_bytes(f"{mark}# caf\xe9\n".encode("latin-1"))
    with page(show.port) as open_page:
        open_page.until_state(style={"first": 1.0})
        told = {
            "foreign": "is not offered here",
            "wrong": "strength",
            "broken": "toml",
            "latin": "not a preset",
        }
        for name, words in told.items():
            open_page.say(load=name)
            open_page.until(lambda words=words: words in open_page.words["state"]["note"])
        assert open_page.words["state"]["style"] == {"first": 1.0}
        assert open_page.words["state"]["source"] == "test"


@pytest.mark.posix
def test_only_presets_are_listed_read_and_renamed(tmp_path: Path) -> None:
    save_preset(tmp_path / "Zebra.toml", LiveSettings(), {"strength": 0.5})
    save_preset(tmp_path / "apple.toml", LiveSettings(), {"strength": 0.7})
    (tmp_path / "other.toml").write_text("strength = 0.1\n")
    (tmp_path / "large.toml").write_text("# stylize-live live --config large.toml\n" + "#" * 70_000)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "link.toml").symlink_to(tmp_path / "apple.toml")
    assert list_presets(tmp_path) == ["apple", "Zebra"]
    assert list_presets(tmp_path / "missing") == []
    assert load_preset(tmp_path / "apple.toml")["strength"] == 0.7
    for name in ("other", "large", "bytes", "folder", "link"):
        with pytest.raises(SourceError, match="is not a preset"):
            load_preset(tmp_path / f"{name}.toml")
        with pytest.raises(SourceError, match="is not a preset"):
            rename_preset(tmp_path / f"{name}.toml", tmp_path / "new.toml")
    with pytest.raises(SinkError, match="already exists"):
        rename_preset(tmp_path / "apple.toml", tmp_path / "Zebra.toml")
    assert load_preset(tmp_path / "Zebra.toml")["strength"] == 0.5


# Every setting is given: as a text that is a path and a number, too, where it has no default.
EVERY = StudioSettings.model_validate(
    {
        name: "00000012" if field.default is None else field.default
        for name, field in StudioSettings.model_fields.items()
    }
)
OF_ONE_SESSION = {"record", "microphone", "duration", "window", "port", "host", "token", "open"}


def test_every_setting_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(EVERY.record, Path)
    save_preset(tmp_path / "some.toml", EVERY, {})
    some = load_preset(tmp_path / "some.toml")
    assert some == EVERY.model_dump(include=set(presets._KEPT))
    assert not OF_ONE_SESSION & set(some)
    monkeypatch.setattr(presets, "_KEPT", list(StudioSettings.model_fields))  # were none left out
    save_preset(tmp_path / "all.toml", EVERY, {})
    assert load_preset(tmp_path / "all.toml") == EVERY.model_dump()


@pytest.mark.parametrize(
    "value", [Path("\udcff.mp4"), "\udcff", object(), [None]], ids=["path", "text", "object", "none"]
)
def test_what_cannot_be_written_is_an_error_of_ours(tmp_path: Path, value: object) -> None:
    with pytest.raises(SinkError, match="cannot write a setting") as caught:
        save_preset(tmp_path / "a.toml", LiveSettings(), {"source": value})
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("screen", "works"), [("", True), (":0", False), (":0", True)])
def test_a_browser_is_opened_or_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], screen: str, works: bool
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(desktop.sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", screen)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(webbrowser, "open", lambda url: asked.append(url) or works)
    browser._open("http://127.0.0.1:9720/")
    assert asked == (["http://127.0.0.1:9720/"] if screen else [])
    assert ("open the link yourself" in capsys.readouterr().err) is not bool(screen and works)


def test_the_command_opens_its_page(
    tiny_style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked: list[str] = []
    monkeypatch.setattr("stylize_live.cli.show.open_in_browser", asked.append)
    size = ["--width", "64", "--height", "48", "--duration", "0.2", "--device", "cpu"]
    words = ["--source", "test", "--style", str(tiny_style), *size]
    assert main(["studio", *words, "--port", "0", "--open"]) == 0
    assert f"studio: {asked[0]}\n" in capsys.readouterr().out
    assert main(["live", *words, "--no-window", "--open"]) == UsageError.exit_code
    assert "--open is for the studio's page: add --studio" in capsys.readouterr().err


def test_the_command_keeps_its_token_from_the_browsers_command_line(
    tiny_style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other users of the machine can read that."""
    monkeypatch.chdir(tmp_path)
    asked: list[str] = []
    monkeypatch.setattr("stylize_live.cli.show.open_in_browser", asked.append)
    words = ["--source", "test", "--style", str(tiny_style), "--width", "64", "--height", "48"]
    words += ["--duration", "0.2", "--device", "cpu", "--port", "0", "--open", "--token", "a-long-secret"]
    assert main(["studio", *words]) == 0
    assert "?token=a-long-secret" in capsys.readouterr().out
    assert len(asked) == 1
    assert "/?ticket=" in asked[0]
    assert "a-long-secret" not in asked[0]
