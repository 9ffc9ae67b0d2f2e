"""Makes the photos that come with the package to practise on, from a folder of free ones.

    python benchmarks/practice_photos.py PHOTOS

Their names, sources and licences are in docs/credits.md. The first three are measured on and not practised
on; the rest is anything people point cameras at.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from stylize_live.learning.photos import FOLDER, SIDE
from stylize_live.media.image.io import on_paper, read_image, resize

NAMES = (
    *("mdnla_red-panda-portrait-small", "popos_sean-afnan-244576", "mdn_ultra-hdr"),
    *("budgie_beacon-street-sunset", "mdn_pic1", "budgie_kitten-on-lawn", "mdnla_larch", "budgie_casa-mila"),
    *("mdn_favorite-bird-3", "budgie_roman-colosseum", "mdnla_pirate", "popos_kait-herzog-8242"),
    *(
        "budgie_singaporean-cityscape",
        "mdnla_teapot",
        "budgie_budgie-branch",
        "elementary_Sunset-by-the-Pier",
    ),
    *("mdn_balloons-landscape", "budgie_oakland-zoo-otters", "budgie_orange-hallway", "mdnla_wild-bear"),
    *("budgie_blue-periwinkle", "mdn_ice-cream", "popos_jad-limcaco-183877", "budgie_perched-osprey"),
    *("elementary_Ashim-DSilva", "mdnla_teddy-bear", "budgie_colorful-wall", "mdn_favorite-bird-4"),
    *("budgie_canyon-wren", "budgie_serene"),
)
_LONGEST = 1.6  # long over short side
_QUALITY = 62


def main() -> None:
    folder = Path(sys.argv[1])
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.webp"):
        old.unlink()
    total = 0
    for number, name in enumerate(NAMES):
        pixels = resize(on_paper(read_image(folder / f"{name}.jpg")), SIDE)
        longest = round(_LONGEST * SIDE)
        pixels = pixels[:longest, :longest]
        target = FOLDER / f"{number:02d}-{name.partition('_')[2].lower()}.webp"
        Image.fromarray(pixels).save(target, "WEBP", quality=_QUALITY, method=6)
        total += target.stat().st_size
    print(f"{len(NAMES)} photos, {total / 1000:.0f} kB")


if __name__ == "__main__":
    main()
