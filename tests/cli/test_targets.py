"""Files that stand behind people are not written over."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import Video
from tiny import random_pixels

from stylize_live.cli.app import main
from stylize_live.errors import UsageError
from stylize_live.media.image.io import Still, write_image


@pytest.mark.parametrize("command", ["convert", "image"])
def test_what_stands_behind_people_is_not_written_over(
    tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    suffix = {"convert": ".mp4", "image": ".png"}[command]
    source, behind = tmp_path / f"me{suffix}", tmp_path / f"sea{suffix}"
    for path in (source, behind):
        if command == "convert":
            Video().write(path)
        else:
            write_image(path, Still(random_pixels(40, 30)))
    before = behind.read_bytes()
    elsewhere = tmp_path / "x" / ".." / behind.name
    (tmp_path / "x").mkdir()
    words = [command, source, "-o", elsewhere, "--background", behind, "--style", tiny_style, "--overwrite"]
    assert main([str(word) for word in words]) == UsageError.exit_code
    assert "stands behind people, choose another name" in capsys.readouterr().err
    assert behind.read_bytes() == before
