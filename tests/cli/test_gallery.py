"""The gallery's list and the plan of its training."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from places import ROOT

from stylize_live.media.image.io import Still, read_image, write_image
from stylize_live.nets.style_folders import shipped_names
from stylize_live.training.settings import TrainSettings

_SCRIPT = ROOT / "benchmarks" / "gallery.py"
_SPEC = importlib.util.spec_from_file_location("gallery_script", _SCRIPT)
assert _SPEC is not None
assert _SPEC.loader is not None
gallery = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = gallery
_SPEC.loader.exec_module(gallery)

STYLES = tomllib.loads(gallery.GALLERY.read_text(encoding="utf-8"))


def test_every_shipped_style_is_in_the_list() -> None:
    assert set(shipped_names()) <= set(STYLES)
    assert len(STYLES) == 24


@pytest.mark.parametrize("name", STYLES)
def test_styles_say_where_they_come_from(name: str) -> None:
    style = STYLES[name]
    assert style["painting"].endswith(".jpg")
    assert all(style[key] for key in ("title", "artist", "licence"))
    assert set(style) <= {"painting", "title", "artist", "year", "licence", "credit", "crop", "settings"}
    TrainSettings(**style.get("settings", {}))


@pytest.mark.parametrize(
    ("minutes", "styles", "jobs", "gpu", "each"),
    [(12, 24, 4, True, 2 - 14 / 60), (12, 24, 1, False, 0.5), (60, 1, 4, False, 60), (1, 24, 1, True, 0.1)],
)
def test_all_are_done_in_time(minutes: float, styles: int, jobs: int, gpu: bool, each: float) -> None:
    assert gallery.minutes_each(minutes, styles, jobs, gpu=gpu) == pytest.approx(each)


def test_a_painting_that_is_in_no_folder(tmp_path: Path) -> None:
    (tmp_path / "here.jpg").touch()
    assert gallery.find("here.jpg", [tmp_path / "no", tmp_path]) == tmp_path / "here.jpg"
    with pytest.raises(SystemExit, match=r"gone\.jpg: in none of"):
        gallery.find("gone.jpg", [tmp_path])


def test_frames_are_cut_off(tmp_path: Path) -> None:
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[10:80, 20:190] = 200
    painting = tmp_path / "framed.png"
    write_image(painting, Still(pixels))
    assert gallery.cropped(painting, None, tmp_path / "out") == painting
    found = gallery.cropped(painting, [0.1, 0.1, 0.05, 0.2], tmp_path / "out")
    assert found == tmp_path / "out" / "cropped" / "framed.png"
    assert np.array_equal(read_image(found).pixels, np.full((70, 170, 3), 200, np.uint8))
