"""Fixtures of conversions that end too early; a room's conftest.py says that it has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from interrupted import write_source

from stylize_live.conversion import segments


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 5 to 11 frames, for clips of seconds."""
    monkeypatch.setattr(segments, "LEAST_FRAMES", 5)
    monkeypatch.setattr(segments, "MOST_FRAMES", 11)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A video of several shots, unevenly timed, with sound."""
    return write_source(tmp_path / "in.mp4")
