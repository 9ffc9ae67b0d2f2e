"""What `--help` shows: options under headings, the important ones first, lines that fit."""

from __future__ import annotations

from itertools import pairwise

import pytest
from rich.console import Console

from stylize_live.cli.app import app, main
from stylize_live.cli.help import reflow
from stylize_live.cli.help_sections import OTHERS, SECTIONS


def shown(
    command: str, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    monkeypatch.setattr(app, "console", Console(width=columns))
    assert main([command, "--help"]) == 0
    return str(capsys.readouterr().out)


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("command", [*SECTIONS, "evaluate"])
def test_lines_fit_and_every_option_has_its_heading(
    command: str, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    help_ = shown(command, columns, monkeypatch, capsys)
    lines = help_.splitlines()
    assert max(map(len, lines)) <= columns
    assert f"─ {OTHERS} ─" not in help_
    headings = [line.split("─")[1].strip() for line in lines if line.startswith("╭")]
    known = [heading for heading in SECTIONS.get(command, {}) if heading in headings]
    assert [heading for heading in headings if heading in known] == known
    # A paragraph ends where its next word would not have fitted.
    above = lines[2 : next(number for number, line in enumerate(lines) if line.startswith("╭"))]
    for line, following in pairwise(above):
        if line and following and line[0] != " " != following[0] and not line.endswith(":"):
            assert len(line) + 1 + len(following.split()[0]) > min(columns, 110)


def test_what_matters_comes_first_and_what_says_nothing_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live = shown("live", 80, monkeypatch, capsys)
    assert live.index("--source TEXT") < live.index("--style TEXT") < live.index("--record PATH")
    assert live.index("--record PATH") < live.index("--device TEXT")
    assert "--no-mirror" not in live
    assert "--no-window" in live
    assert "[default: False]" not in live
    train = shown("train", 80, monkeypatch, capsys)
    assert train.index("--photos") < train.index("--palette") < train.index("--style-weight")


def test_text_is_broken_where_the_terminal_ends() -> None:
    listed = "  key, k   what it does, at\n           length\n  x        other"
    text = f"One paragraph\nof two lines.\n\n{listed}\n\nEnd"
    assert reflow(text, 30).splitlines() == [
        *("One paragraph of two lines.", "", "  key, k   what it does, at", "           length"),
        *("  x        other", "", "End"),
    ]
    assert reflow(text, 20).splitlines()[:2] == ["One paragraph of two", "lines."]
    assert "  key, k   what it\n           does, at\n           length" in reflow(text, 20)
