"""What is said of paintings before they are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from stylize_live.cli.paintings import say_paintings


def test_each_painting_that_is_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a [1].jpg", "b.PNG"):
        (tmp_path / name).touch()
    say_paintings(f"{tmp_path}/a [1].jpg:0.5,starry-night:0.5", f"0:udnie,3:{tmp_path}/b.PNG@0.2")
    say_paintings("starry-night", "", str(tmp_path / "missing.jpg"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "looking at a [1].jpg\nlooking at b.PNG\n"
