"""Contact sheets: where images and names stand, and `styles --sheet`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.progress import TaskID
from tiny import random_pixels

from stylize_live.cli.app import main
from stylize_live.cli.progress_bars import Bars
from stylize_live.frame import Pixels
from stylize_live.media.image.contact_sheet import Entry, draw_contact_sheet
from stylize_live.media.image.io import Still, read_image, write_image


def even(color: tuple[int, int, int], width: int = 64, height: int = 36) -> Pixels:
    return np.full((height, width, 3), color, np.uint8)


def boxes(sheet: Pixels, color: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a colour."""
    rows, columns = np.nonzero((sheet == color).all(-1))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@pytest.mark.parametrize("count", [1, 2, 5, 17])
def test_every_image_is_there_and_none_covers_another(count: int) -> None:
    colors = [(i * 6, 255 - i * 5, 40) for i in range(count)]
    sheet = draw_contact_sheet([Entry((even(c),), f"style {i}", "a note") for i, c in enumerate(colors)])
    found = [boxes(sheet, color) for color in colors]
    sizes = {(right - left, bottom - top) for left, top, right, bottom in found}
    assert len(sizes) == 1
    ((wide, tall),) = sizes
    assert wide / tall == pytest.approx(64 / 36, rel=0.02)
    for color, (left, top, right, bottom) in zip(colors, found, strict=True):
        assert (sheet[top:bottom, left:right] == color).all()
        below = sheet[bottom : bottom + round(2.4 * 13), left:right]
        assert below.shape[0] > 20
        assert below.min() < 120  # the name
    assert sheet.size / 3 < 8e6


def test_sheets_are_neither_towers_nor_ribbons() -> None:
    for count in (4, 12, 17):
        for photos in (1, 4):
            height, width = draw_contact_sheet([Entry((even((9, 9, 9)),) * photos, "x")] * count).shape[:2]
            assert 0.8 < width / height < 2.6


def test_several_images_of_one_entry_stand_in_a_row() -> None:
    red, blue = (200, 0, 0), (0, 0, 200)
    sheet = draw_contact_sheet([Entry((even(red), even(blue, 36, 64)), "both")])
    first, second = boxes(sheet, red), boxes(sheet, blue)
    assert first[1::2] == second[1::2]
    assert 0 < second[0] - first[2] < 6


def test_long_names_stay_in_their_place() -> None:
    entries = [Entry((even((9, 9, 9)),), "x" * 400, "y" * 400), Entry((even((0, 200, 0)),), "z")]
    sheet = draw_contact_sheet(entries)
    left, _, right, bottom = boxes(sheet, (9, 9, 9))
    assert (sheet[:bottom, right : right + 5] == sheet[0, 0]).all()
    assert (sheet[bottom:, right : right + 5] == sheet[0, 0]).all()
    assert (sheet[:, : left - 2] == sheet[0, 0]).all()


def test_accents_are_no_empty_boxes() -> None:
    image = random_pixels(160, 90)
    plain, accented = (
        draw_contact_sheet([Entry((image,), "Cafe", note)]) for note in ("Durer", "D\u00fcrer")
    )
    assert np.array_equal(plain, accented)


def test_styles_writes_a_sheet(tiny_style: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, target = tmp_path / "photo.png", tmp_path / "sheet.png"
    write_image(photo, Still(random_pixels(80, 45)))
    arguments = ["styles", str(tiny_style), "--sheet", str(target), "--photos", str(photo), str(photo)]
    assert main(arguments) == 0
    assert capsys.readouterr().out.strip() == str(target)
    assert read_image(target).pixels.std() > 10
    assert main(arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 0


def test_the_command_says_how_far_a_sheet_is(
    tiny_style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[str, float, str]] = []

    class Watched(Bars):
        def update(self, task_id: TaskID, **values: Any) -> None:
            super().update(task_id, **values)
            shown.append((values["description"], values["completed"], values["count"]))

    monkeypatch.setattr("stylize_live.cli.styles.Bars", Watched)
    photo = tmp_path / "photo.png"
    write_image(photo, Still(random_pixels(80, 45)))
    words = ["styles", str(tiny_style), str(tiny_style), "--sheet", str(tmp_path / "s.png")]
    assert main([*words, "--photos", str(photo)]) == 0
    assert shown == [(str(tiny_style), 0, "0/2"), (str(tiny_style), 1, "1/2")]


def test_styles_lists_only_those_named(tiny_style: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["styles", str(tiny_style)]) == 0
    assert len(capsys.readouterr().out.strip().splitlines()) >= 2


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--sheet", "s.jpg"], 2, "--photos"),
        (["--photos", "x.jpg"], 2, "--sheet"),
        (["--sheet", "s.gif", "--photos", "x.jpg"], 2, "use one of"),
        (["--sheet", "s.jpg", "--photos", "x.jpg"], 4, "no such file"),
        (["--sheet", "s.jpg", "--photos", "x.jpg", "--json"], 2, "--json"),
        (["no-such-style"], 3, "unknown style"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["styles", *arguments]) == code
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not list(tmp_path.iterdir())


def test_of_a_strip_the_middle_is_shown(tiny_style: Path, tmp_path: Path) -> None:
    strip = np.zeros((20, 2000, 3), np.uint8)
    strip[:, 960:1040] = (0, 255, 0)
    write_image(tmp_path / "strip.png", Still(strip))
    sheet = tmp_path / "sheet.png"
    assert (
        main(["styles", str(tiny_style), "--sheet", str(sheet), "--photos", str(tmp_path / "strip.png")]) == 0
    )
    pixels = read_image(sheet).pixels
    assert pixels.shape[1] < 6 * pixels.shape[0]
    left, _, right, _ = boxes(pixels, (0, 255, 0))
    assert right - left > pixels.shape[1] / 3
