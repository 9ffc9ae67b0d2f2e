"""Names in all languages on an output that has no code for them, as where Windows redirects it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stylize_live.cli import console as cli_console
from stylize_live.cli.app import main
from stylize_live.system import console
from stylize_live.system.console import carry_all_text

NAME = "浪 и 😀.jpg"


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


def written(stream: io.TextIOWrapper, text: str) -> bytes:
    carry_all_text(stream)
    stream.write(text)
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue()


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_WINDOWS", True)
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)


@pytest.mark.usefixtures("windows")
def test_what_windows_redirects_is_utf_8() -> None:
    assert written(io.TextIOWrapper(io.BytesIO(), "cp1252"), NAME) == NAME.encode()
    assert written(io.TextIOWrapper(io.BytesIO(), "cp1252"), "a\ud800") == b"a\\ud800"  # NTFS allows it


@pytest.mark.usefixtures("windows")
def test_a_terminal_and_what_was_asked_for_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    spelt = b"\\u6d6a \\u0438 \\U0001f600.jpg"
    assert written(io.TextIOWrapper(Terminal(), "cp1252"), NAME) == spelt
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    assert written(io.TextIOWrapper(io.BytesIO(), "cp1252"), NAME) == spelt


def test_elsewhere_the_locale_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_WINDOWS", False)
    odd = "ü\udcff浪"  # a letter, a byte of a name that is no text, and what Latin-1 cannot have
    assert written(io.TextIOWrapper(io.BytesIO(), "latin-1"), odd) == b"\xfc\xff\\u6d6a"
    assert written(io.TextIOWrapper(io.BytesIO(), "utf-8"), odd) == b"\xc3\xbc\xff\xe6\xb5\xaa"


def test_what_is_no_file_of_text_is_left_alone() -> None:
    for stream in (None, io.StringIO(), io.BytesIO()):
        carry_all_text(stream)


@pytest.mark.usefixtures("windows")
def test_results_and_notes_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """`print_line`, `print_json` and `warn`, as a queue of videos uses them."""
    out, said = (io.TextIOWrapper(io.BytesIO(), "cp1252") for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", said)
    assert main(["styles", NAME]) == 3
    cli_console.print_line(NAME)
    cli_console.print_json({"target": NAME})
    cli_console.warn(NAME)
    out.flush()
    said.flush()
    lines = out.buffer.getvalue().decode("utf-8").splitlines()  # type: ignore[attr-defined]
    assert lines[0] == NAME
    assert json.loads(lines[1]) == {"target": NAME}
    assert said.buffer.getvalue().decode("utf-8").count(NAME) == 2  # type: ignore[attr-defined]


def test_a_whole_command_with_another_code_page(tmp_path: Path, tiny_style: Path) -> None:
    """Spelt out, because PYTHONIOENCODING asks for that code page; but nothing ends."""
    from tiny import random_pixels

    from stylize_live.media.image.io import Still, write_image

    write_image(tmp_path / NAME, Still(random_pixels(40, 40, 0)))
    words = ["image", str(tmp_path / NAME), "-o", str(tmp_path / "out" / NAME), "--style", str(tiny_style)]
    done = subprocess.run(
        [sys.executable, "-m", "stylize_live.cli.app", *words, "--device", "cpu"],
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(b"out")[-1].strip()[1:] == b"\\u6d6a \\u0438 \\U0001f600.jpg"
    assert (tmp_path / "out" / NAME).exists()
