"""Names that Windows refuses, paths that are too long there, and disks that take X.JPG for x.jpg."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

import pytest
from tiny import random_pixels

from stylize_live.cli import image as image_command
from stylize_live.cli.app import main
from stylize_live.config import LiveSettings
from stylize_live.conversion.queue import plan_jobs
from stylize_live.errors import SinkError, UsageError
from stylize_live.files import replacing, slug
from stylize_live.media.formats.containers import check_target
from stylize_live.media.image.io import Still, write_image
from stylize_live.nets.style_folders import style_name
from stylize_live.studio.presets import save_preset
from stylize_live.system import names
from stylize_live.system.names import (
    explain_unfit,
    explain_unfit_on_windows,
    identity,
    ignores_case,
    is_reserved,
)


@pytest.mark.parametrize("name", ["con", "NUL", "aux.mp4", "Com1.tar.gz", "lpt³", "con .txt", "CONOUT$"])
def test_devices_of_windows(name: str) -> None:
    assert is_reserved(name)
    assert "for a device" in explain_unfit_on_windows(PureWindowsPath("C:/videos") / name)


@pytest.mark.parametrize("name", ["console.mp4", "nulls", "com10", "com", "auxiliary.toml", "浪.mp4"])
def test_other_names_are_fit(name: str) -> None:
    assert not is_reserved(name)
    assert explain_unfit_on_windows(PureWindowsPath("C:/videos") / name) == ""


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (r"C:\videos\12:30.mp4", "':' in its name"),
        (r"C:\videos\what?.mp4", "'?' in its name"),
        (r"C:\videos\a.", "ends in a dot"),
        ("C:\\" + "long folder\\" * 18 + "a.mp4", "the path has 224 characters, and Windows takes 219 here"),
    ],
)
def test_other_refusals_of_windows(path: str, why: str) -> None:
    assert why in explain_unfit_on_windows(PureWindowsPath(path))


def test_long_paths_where_they_are_switched_on() -> None:
    assert explain_unfit_on_windows(PureWindowsPath("C:/" + "a/" * 300 + "b.mp4"), longest=None) == ""
    assert "characters" in explain_unfit_on_windows(
        PureWindowsPath("a/" * 120 + "b.mp4")
    )  # from the current folder


def test_targets_are_refused_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert explain_unfit(tmp_path / "nul.mp4") == ""  # a name like any other, elsewhere
    monkeypatch.setattr(names, "_WINDOWS", True)
    with pytest.raises(SinkError, match=r"nul\.mp4: Windows keeps the name nul\.mp4"):
        check_target(tmp_path / "nul.mp4")
    with pytest.raises(SinkError, match=r"con\.png: cannot write: Windows keeps"):
        write_image(tmp_path / "con.png", Still(random_pixels(8, 8, 0)))
    with pytest.raises(OSError, match="for a device"), replacing(tmp_path / "aux.safetensors"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_styles_and_presets_have_names_that_all_systems_take(tmp_path: Path) -> None:
    assert style_name("Con") == "style-con"
    assert style_name("console") == "console"
    with pytest.raises(SinkError, match="nul is a device on Windows"):
        save_preset(tmp_path / "nul.toml", LiveSettings(), {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("starry-night", "starry-night"),
        ("a:0.6, b:0.4", "a_0.6_b_0.4"),
        ("../x/../y", ".._x_.._y"),
        ("浪 Ünïcode!", "浪_Ünïcode_"),
        ("", ""),
    ],
)
def test_a_text_becomes_part_of_a_name(text: str, kept: str) -> None:
    assert slug(text) == kept


def test_what_a_name_keeps_is_chosen() -> None:
    assert slug("a+b.c]d", keep="+]", gap="-") == "a+b-c]d"
    assert slug("a.b-c", keep="", gap="-") == "a-b-c"


# ------------------------------------------------------------------ the same file under two names


@pytest.fixture
def any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk as Windows and macOS have it."""
    monkeypatch.setattr(names, "ignores_case", lambda path: True)


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """Images whose names differ by case, from two folders."""
    paths = [tmp_path / "a" / "x.jpg", tmp_path / "b" / "X.JPG"]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        write_image(path, Still(random_pixels(40, 40, number)))
    return paths


@pytest.mark.usefixtures("any_case")
def test_one_image_does_not_replace_another(
    two: list[Path], tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["image", *map(str, two), "-o", str(tmp_path / "out"), "--style", str(tiny_style)]
    assert main([*words, "--device", "cpu"]) == UsageError.exit_code
    assert capsys.readouterr().err.count("several inputs would become") == 2
    assert not (tmp_path / "out").exists()


def test_on_other_disks_these_are_two(two: list[Path], tmp_path: Path) -> None:
    targets = [target for _, target in image_command._plan(two, str(tmp_path / "out"))]
    assert len({identity(target) for target in targets}) == (1 if ignores_case(tmp_path / "out") else 2)


@pytest.mark.usefixtures("any_case")
def test_one_video_does_not_replace_another(tmp_path: Path) -> None:
    videos = [tmp_path / "a" / "x.mp4", tmp_path / "b" / "X.mp4"]
    jobs = plan_jobs(videos, str(tmp_path / "out"), style="starry-night")
    assert all("several videos would become" in str(job.error) for job in jobs)
    with pytest.raises(UsageError, match="is the source itself"):
        plan_jobs([videos[0], tmp_path / "y.mp4"], str(tmp_path / "A"), style="starry-night")


def test_letters_with_accents_in_one_piece_or_two(any_case: None, tmp_path: Path) -> None:
    """macOS stores what it was given, and finds both."""
    assert identity(tmp_path / "caf\u00e9.mp4") == identity(tmp_path / "CAFE\u0301.mp4")


def test_a_disk_is_asked_by_what_is_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Clip.mp4").touch()
    asked: list[tuple[str, str]] = []

    def same(path: Path, other: Path) -> bool:
        asked.append((path.name, other.name))
        return True

    monkeypatch.setattr(Path, "samefile", same)
    assert ignores_case(tmp_path / "missing" / "x.jpg")
    assert asked == [("Clip.mp4", "cLIP.MP4")]


@pytest.mark.linux
def test_a_disk_that_tells_them_apart(tmp_path: Path) -> None:
    (tmp_path / "Clip.mp4").touch()
    assert not ignores_case(tmp_path / "x.jpg")
    (tmp_path / "cLIP.MP4").touch()
    assert not ignores_case(tmp_path / "x.jpg")
    assert not ignores_case(tmp_path / ("a" * 400) / "x.jpg")
