"""The sheet of docs/people.md: one frame, painted in every way that tells people from the background.

python benchmarks/people_sheet.py someone.mkv --at 1.5       # docs/people.jpg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from stylize_live import Stylizer, VideoReader
from stylize_live.config import SourceSettings
from stylize_live.frame import Pixels
from stylize_live.media.image.contact_sheet import Entry, draw_contact_sheet
from stylize_live.media.image.io import Still, write_image

ROOT = Path(__file__).parent.parent
_STYLE = "great-wave"
_MOUNTAIN = str(ROOT / "samples" / "snow-mountain.jpg")
_LIGHT, _DARK, _SQUARE = 205, 165, 16  # what transparent places are shown as
WAYS: list[dict[str, str]] = [
    {},
    {"paint": "person"},
    {"paint": "background"},
    {"background_style": "the-scream"},
    {"background": "blur"},
    {"paint": "person", "background": "blur"},
    {"background": "navy"},
    {"background": _MOUNTAIN},
    {"background": _MOUNTAIN, "background_style": "wheat-field"},
    {"background": _MOUNTAIN, "paint": "person"},
    {"background": "transparent"},
]
_MOST_WIDE = 1500  # pixels


def on_checks(pixels: Pixels) -> Pixels:
    """(H, W, 4) as editors show it."""
    rows, columns = np.indices(pixels.shape[:2]) // _SQUARE
    checks = np.where((rows + columns) % 2, _LIGHT, _DARK)[..., None]
    share = pixels[..., 3:] / 255
    return np.rint(pixels[..., :3] * share + checks * (1 - share)).astype(np.uint8)


def main() -> None:
    """Paint and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--at", default="1", help="seconds")
    parser.add_argument("--output", "-o", type=Path, default=ROOT / "docs" / "people.jpg")
    given = parser.parse_args()
    with VideoReader(given.video, SourceSettings(start=given.at)) as video:
        pixels = next(iter(video)).pixels
    entries = [Entry((pixels,), "as captured")]
    for way in WAYS:
        with Stylizer(_STYLE, **way) as paint:  # type: ignore[arg-type]
            painted = paint(pixels)
        flags = [f"--{name.replace('_', '-')} {Path(value).name}" for name, value in way.items()]
        shown = on_checks(painted) if painted.shape[2] == 4 else painted
        name, *more = flags or [f"--style {_STYLE}"]
        entries.append(Entry((shown,), name, " ".join(more)))
    sheet = draw_contact_sheet(entries)
    size = _MOST_WIDE, round(sheet.shape[0] * _MOST_WIDE / sheet.shape[1])
    write_image(given.output, Still(np.array(Image.fromarray(sheet).resize(size, Image.Resampling.LANCZOS))))


if __name__ == "__main__":
    main()
