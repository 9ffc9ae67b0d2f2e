"""The README's Python lines run as printed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from clips import CFR
from documents import python_blocks, run, write_samples
from places import ROOT

from stylize_live.conversion.progress import ConvertReport
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.image.io import read_image

README = (ROOT / "README.md").read_text(encoding="utf-8")


BLOCKS = python_blocks("README.md")


def test_there_is_python_in_the_readme() -> None:
    assert len(BLOCKS) == 2


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with the samples of the README."""
    write_samples(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "samples"


def test_python_paints_an_image(samples: Path) -> None:
    run(BLOCKS[0])
    painted = read_image(samples.parent / "painted.jpg").pixels
    original = read_image(samples / "snow-mountain.jpg").pixels
    assert painted.shape == original.shape
    assert (painted != original).any()


def test_python_converts_a_video(samples: Path) -> None:
    report = run(BLOCKS[1])["report"]
    assert isinstance(report, ConvertReport)
    assert report.frames == len(CFR)
    with VideoReader(samples.parent / "painted.mp4") as reader:
        assert len(list(reader)) == len(CFR)


def test_every_command_in_the_readme_exists() -> None:
    commands = set(re.findall(r"stylize-live (\w+)", README))
    known = {
        "live",
        "studio",
        "obs",
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


def test_every_extra_is_in_the_table() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: packages for name, packages in project["optional-dependencies"].items() if name != "dev"}
    table = dict(re.findall(r"^\| `([\w-]+)` \|(.*)\|$", README, re.MULTILINE))
    assert table.keys() == extras.keys()
    for name, packages in extras.items():
        for package in packages:
            assert re.split(r"[>=<]", package)[0] in table[name].lower()


PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def anchors(page: Path) -> set[str]:
    """What a link may name behind #, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^):\s]+)\)", page.read_text(encoding="utf-8")):
        name, _, part = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), target
        assert not part or part in anchors(linked), target
