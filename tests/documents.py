"""The Python lines of documents, and a folder to run them in."""

from __future__ import annotations

import re
from pathlib import Path

from clips import Video
from PIL import Image
from places import ROOT, SAMPLES


def python_blocks(document: str) -> list[str]:
    """The Python blocks of a document, by its name in the repository."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def run(block: str) -> dict[str, object]:
    """Run a block as its reader would; all its names afterwards."""
    names: dict[str, object] = {}
    exec(compile(block, "document", "exec"), names)
    return names


def write_samples(folder: Path) -> None:
    """What documents use of `samples/`: small ones of the same names."""
    samples = folder / "samples"
    samples.mkdir()
    for name in ("snow-mountain.jpg", "desert.jpg"):
        with Image.open(SAMPLES / name, formats=["JPEG"]) as image:
            image.reduce(4).save(samples / name)
    Video().write(samples / "flower.mp4")
