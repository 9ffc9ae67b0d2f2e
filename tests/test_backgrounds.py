"""What can stand behind people, as people write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stylize_live.backgrounds import parse_background
from stylize_live.config import LiveSettings
from stylize_live.options import LayerOptions
from stylize_live.units import parse_color


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "kept"),
        ("none", "kept"),
        ("Blur", "blur"),
        (" transparent ", "transparent"),
        ("#00ff00", "color"),
        ("Navy", "color"),
        ("beach.jpg", "file"),
        ("C:\\videos\\aquarium.mp4", "file"),
        ("videos/aquarium", "file"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert parse_background(text).kind == kind


def test_a_file_without_a_suffix_is_one_where_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"beach\.jpg$"):
        parse_background("aquarium")
    Path("aquarium").touch()
    assert parse_background("aquarium").path == Path("aquarium")


@pytest.mark.parametrize("text", ["#12345", "#", "greenish", "rgb(1,2)", "7" * 5000])
def test_what_is_none_is_told_what_there_is(text: str) -> None:
    with pytest.raises(ValueError, match="expected blur, transparent, a colour such as #00ff00"):
        parse_background(text)


@pytest.mark.parametrize("text", ["https://example.org/beach.jpg", "s3://bucket/aquarium.mp4"])
def test_a_url_is_told_to_be_downloaded(text: str) -> None:
    with pytest.raises(ValueError, match="expected a file, not a URL: download it"):
        parse_background(text)


@pytest.mark.parametrize("text", ["Transparent", " BLUR "])
def test_a_word_is_one_word_for_all_who_ask(text: str) -> None:
    """Whether a recording is transparent, say, is asked of the settings."""
    assert LayerOptions(background=text).background == text.strip().lower()
    assert LiveSettings(background=text).background == text.strip().lower()


def test_near_words_are_named() -> None:
    with pytest.raises(ValueError, match="did you mean transparent"):
        parse_background("transparant")


def test_colors() -> None:
    assert parse_color("#0f8") == (0, 255, 136)
    assert parse_color("rebeccapurple") == (102, 51, 153)
    assert parse_color("#00ff0080") is None  # half of one is none
