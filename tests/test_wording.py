"""Words of files and command lines, fit to be shown."""

from __future__ import annotations

import json

import pytest

from stylize_live.errors import UsageError
from stylize_live.wording import MOST_SHOWN, as_json, is_plain, plain, shorten, strip_accents


@pytest.mark.parametrize("text", ["The Scream", "神奈川沖浪裏", "Ünder 50 %", "नमस्\u200dते", ""])
def test_people_write_so(text: str) -> None:
    assert is_plain(text)
    assert plain(text) == shorten(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\nb\rc", r"a\x0ab\x0dc"),
        ("\x9b31m", r"\x9b31m"),
        ("exe.\u202egpj", r"exe.\u202egpj"),
        ("\ud800", r"\ud800"),
        ("a\u2028b", r"a\u2028b"),
    ],
)
def test_what_a_terminal_would_obey_is_spelt_out(text: str, shown: str) -> None:
    assert not is_plain(text)
    assert plain(text) == shown
    assert str(UsageError(text)) == shown
    assert json.loads(as_json({"title": text})) == {"title": text}
    assert is_plain(as_json({"title": text}))


def test_a_message_keeps_its_beginning_and_its_end() -> None:
    text = str(UsageError(f"photo.jpg: {'9' * 10**6} is not a valid time"))
    assert len(text) == MOST_SHOWN
    assert text.startswith("photo.jpg: 999")
    assert text.endswith("99 is not a valid time")


def test_letters_that_images_are_written_on_with() -> None:
    assert strip_accents("Dürer, Café Terrace, naïve Ångström") == "Durer, Cafe Terrace, naive Angstrom"


def test_json_keeps_its_lines() -> None:
    assert as_json({"a": ["é\x1b"]}, indent=1) == '{\n "a": [\n  "é\\u001b"\n ]\n}'
