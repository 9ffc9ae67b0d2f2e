"""Commands that people are told to type, and names that the shells of Windows leave as they are."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from tiny import random_pixels

from stylize_live import install_hints
from stylize_live.cli.app import main
from stylize_live.cli.convert import _inputs_and_output
from stylize_live.errors import SourceError
from stylize_live.media.image.io import Still, write_image
from stylize_live.system import commands, wildcards
from stylize_live.system.commands import program, quote
from stylize_live.system.wildcards import expand


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_WINDOWS", True)
    monkeypatch.setattr(wildcards, "_WINDOWS", True)


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("text", "typed"),
    [
        (r"C:\videos\a.mp4", r"C:\videos\a.mp4"),
        ("openvino>=2025", '"openvino>=2025"'),
        (r"C:\my videos\a.mp4", r'"C:\my videos\a.mp4"'),
        ("C:\\my videos\\", '"C:\\my videos\\\\"'),  # else the last quote would be part of it
        ("a&b.mp4", '"a&b.mp4"'),  # the command prompt would begin a second command
        ("starry-night:0.6,great-wave:0.4", '"starry-night:0.6,great-wave:0.4"'),  # a list in PowerShell
        ("out/{folder}/{stem}{suffix}", '"out/{folder}/{stem}{suffix}"'),
        ("my garden's", '"my garden\'s"'),
        ("浪", '"浪"'),
        ("", '""'),
    ],
)
def test_words_for_both_shells_of_windows(text: str, typed: str) -> None:
    assert quote(text) == typed


@pytest.mark.parametrize("text", ["a b", "my garden's", "a&b", "$HOME", "plain", ""])
def test_words_for_other_shells(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_WINDOWS", False)
    assert shlex.split(quote(text)) == [text]
    assert program(text) == quote(text)


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("in_powershell", [True, False])
def test_a_program_whose_path_has_a_space(monkeypatch: pytest.MonkeyPatch, in_powershell: bool) -> None:
    monkeypatch.setenv("PSModulePath", "...")  # which Windows gives to all
    monkeypatch.setenv("PROMPT", "$P$G")
    if in_powershell:
        monkeypatch.delenv("PROMPT")
    before = "& " if in_powershell else ""
    assert program(r"C:\My Programs\python.exe") == before + r'"C:\My Programs\python.exe"'
    assert program(r"C:\Python\python.exe") == r"C:\Python\python.exe"
    monkeypatch.setattr(install_hints, "find_spec", lambda name: object())
    monkeypatch.setattr(install_hints.sys, "executable", r"C:\My Programs\python.exe")
    expected = before + r'"C:\My Programs\python.exe" -m pip install openvino'
    assert install_hints.install_command("openvino") == expected


# ------------------------------------------------------------------ *.mp4


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "my videos [2024]"
    folder.mkdir()
    for name in ("b.mp4", "a.mp4", "c.mov", ".hidden.mp4", "a[1].mp4"):
        (folder / name).touch()
    return folder


@pytest.mark.usefixtures("windows")
def test_the_program_finds_what_the_shell_did_not(videos: Path) -> None:
    assert [path.name for path in expand([videos / "*.mp4"])] == ["a.mp4", "a[1].mp4", "b.mp4"]
    assert expand([videos / "?.mov", videos / "a.mp4"]) == [videos / "c.mov", videos / "a.mp4"]
    with pytest.raises(SourceError, match=r"\*\.avi: no such files"):
        expand([videos / "*.avi"])
    assert expand([videos / "a[1].mp4", Path("-")]) == [videos / "a[1].mp4", Path("-")]
    inputs, target = _inputs_and_output([videos / "*.mp4", Path("out*")], None)
    assert (len(inputs), target) == (3, "out*")
    assert len(_inputs_and_output([videos / "*.mp4"], "painted")[0]) == 3


def test_elsewhere_a_star_is_part_of_a_name(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wildcards, "_WINDOWS", False)
    assert expand([videos / "*.mp4"]) == [videos / "*.mp4"]


@pytest.mark.usefixtures("windows")
def test_images_through_the_command(
    tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        write_image(tmp_path / f"{number}.png", Still(random_pixels(40, 40, number)))
    words = ["image", str(tmp_path / "*.png"), "-o", str(tmp_path / "out"), "--style", str(tiny_style)]
    assert main([*words, "--device", "cpu"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "1.png"]
    assert main(["convert", str(tmp_path / "*.mp4"), str(tmp_path / "x.mp4"), "--device", "cpu"]) == 4
    assert f"{tmp_path / '*.mp4'}: no such files" in capsys.readouterr().err
