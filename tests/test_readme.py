"""The README's Python lines run as printed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from stylize_live.media.still import read_still

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def python_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_there_is_python_in_the_readme() -> None:
    assert python_blocks()


@pytest.mark.parametrize("block", python_blocks())
def test_python_lines_run(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    names: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), names)
    original = read_still(ROOT / "samples" / "snow-mountain.jpg").pixels
    painted = names["painted"]
    assert isinstance(painted, np.ndarray)
    assert painted.shape == original.shape
    assert (painted != original).any()


def test_every_command_in_the_readme_exists() -> None:
    commands = set(re.findall(r"stylize-live (\w+)", README))
    known = {
        "live",
        "studio",
        "convert",
        "image",
        "train",
        "evaluate",
        "styles",
        "export",
        "bench",
        "devices",
    }
    assert commands <= known
    assert {"live", "convert", "image", "train", "styles", "devices"} <= commands


def test_every_linked_file_exists() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
