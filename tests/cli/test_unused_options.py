"""Options that have no part in what is painted are told of, and only those."""

from __future__ import annotations

from pathlib import Path

import pytest
from mattes import mattes
from tiny import random_pixels

from stylize_live.cli.app import main
from stylize_live.cli.unused_options import explain_unused
from stylize_live.media.image.io import Still, write_image
from stylize_live.options import LayerOptions

__all__ = ["mattes"]


@pytest.mark.parametrize(
    ("paint", "style", "behind", "begin"),
    [
        ("person", "the-kiss", "", "background_style changes nothing: with paint='person'"),
        ("person", "the-kiss", "beach.jpg", "background_style changes nothing: with paint='person'"),
        ("both", "the-kiss", "lime", "background_style changes nothing: with background='lime'"),
        (
            "both",
            "the-kiss",
            "transparent",
            "background_style changes nothing: with background='transparent'",
        ),
        ("background", "", "lime", "nothing is painted: with background='lime'"),
        ("background", "the-kiss", "transparent", "nothing is painted: with background='transparent'"),
    ],
)
def test_what_has_no_part_is_told(paint: str, style: str, behind: str, begin: str) -> None:
    options = LayerOptions.model_validate({"paint": paint, "background_style": style, "background": behind})
    assert explain_unused(options).startswith(begin)


@pytest.mark.parametrize("paint", ["both", "person", "background"])
@pytest.mark.parametrize("behind", ["", "blur", "beach.jpg", "lime"])
def test_what_has_a_part_is_not(paint: str, behind: str) -> None:
    style = "the-kiss" if paint != "person" and behind != "lime" else ""
    behind = behind if paint != "background" or behind != "lime" else ""
    options = LayerOptions.model_validate({"paint": paint, "background_style": style, "background": behind})
    assert explain_unused(options) == ""


@pytest.mark.usefixtures("mattes")
def test_it_is_a_note_and_the_image_is_painted(
    tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "in.png", Still(random_pixels(40, 30)))
    words = ["image", tmp_path / "in.png", "-o", tmp_path / "out.png", "--style", tiny_style]
    assert main([*map(str, words), "--background", "lime", "--background-style", "the-kiss"]) == 0
    assert "--background-style changes nothing: with --background lime, " in capsys.readouterr().err
    assert (tmp_path / "out.png").exists()
