"""Train the whole gallery, as gallery.toml describes it; the same command goes on where it was stopped.

python benchmarks/gallery.py [STYLE...] -o OUT --paintings DIR... --photos DIR --features FILE --minutes 12

The minutes are for all styles together. Each style is written to OUT as soon as it is done, and is not
trained again; an unfinished one goes on. Several are trained at a time (`--jobs`): a GPU would wait for one
alone, which reads photos, launches kernels and is measured. Crops are small then (`--batch`, `--crop`):
more steps of less work are worth more. With `--start own`, each shipped style is gone on with.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from stylize_live.files import make_folder
from stylize_live.media.image.io import Still, on_paper, read_image, write_image
from stylize_live.nets.checkpoint import is_unfinished, read_info

GALLERY = Path(__file__).with_name("gallery.toml")
# Of a run's time on a GPU, what its minutes do not hold, with 13 at a time on 16 cores: starting, loading
# features.
OVERHEAD_SECONDS = 14.0
OWN_RATE = 8e-4  # of what goes on with a style
Style = dict[str, Any]


def main() -> None:
    """Train, then print the errors of all that is there."""
    options = parsed()
    options.output.mkdir(parents=True, exist_ok=True)
    gallery = tomllib.loads(GALLERY.read_text(encoding="utf-8"))
    names = options.styles or list(gallery)
    if unknown := sorted(set(names) - set(gallery)):
        raise SystemExit(f"not in {GALLERY.name}: {', '.join(unknown)}")
    paintings = {
        name: cropped(
            find(gallery[name]["painting"], options.paintings), gallery[name].get("crop"), options.output
        )
        for name in names
    }
    wanted = [name for name in names if not done(target(options, name))]
    minutes = minutes_each(options.minutes, len(wanted), options.jobs, gpu=options.device == "cuda")
    print(
        f"{len(wanted)} of {len(names)} styles, {minutes:.2f} minutes each, {options.jobs} at a time",
        flush=True,
    )

    def run(name: str) -> None:
        train(name, gallery[name], paintings[name], minutes, options)

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(run, wanted))
    failed = [name for name in names if not done(target(options, name))]
    print("| style | style error | content error | steps | minutes |\n|---|---|---|---|---|")
    for name in sorted(set(names) - set(failed)):
        _, t = read_info(target(options, name))
        print(f"| {name} | {t['style_error']} | {t['content_error']} | {t['steps']} | {t['minutes']} |")
    if failed:
        raise SystemExit(f"failed, see their logs in {options.output}: {', '.join(failed)}")


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("styles", nargs="*", help="all, if none is named")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--paintings", type=Path, nargs="+", required=True, help="folders")
    parser.add_argument("--photos", required=True)
    parser.add_argument("--features", required=True)
    parser.add_argument("--start", default="base", help="as of train; own: each from what is shipped")
    parser.add_argument("--minutes", type=float, required=True, help="for all of them")
    parser.add_argument("--jobs", type=int, default=1, help="styles at the same time; 13 on a large GPU")
    parser.add_argument("--batch", type=int, help="crops of a step; on a large GPU with many jobs 12")
    parser.add_argument("--crop", type=int, help="their side in pixels; 192 there")
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


def minutes_each(minutes: float, styles: int, jobs: int, *, gpu: bool) -> float:
    """Training time of one style, so that all are done in time."""
    rounds = -(-styles // jobs) or 1
    overhead = OVERHEAD_SECONDS / 60 if gpu else 0.0
    return max(0.1, minutes / rounds - overhead)


def find(name: str, folders: list[Path]) -> Path:
    """A painting by its file name."""
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise SystemExit(f"{name}: in none of {', '.join(map(str, folders))}")


def cropped(painting: Path, crop: list[float] | None, folder: Path) -> Path:
    """A painting without its frame, in a file of its own.

    `crop` are the shares of its width and height to cut off, on the left, at the top, on the right and below.
    """
    if crop is None:
        return painting
    pixels = on_paper(read_image(painting))
    height, width = pixels.shape[:2]
    left, top, right, bottom = crop
    part = pixels[
        round(height * top) : round(height * (1 - bottom)), round(width * left) : round(width * (1 - right))
    ]
    make_folder(folder / "cropped")
    target = folder / "cropped" / f"{painting.stem}.png"
    write_image(target, Still(np.ascontiguousarray(part)))
    return target


def target(options: argparse.Namespace, name: str) -> Path:
    """The style file."""
    path: Path = options.output / f"{name}.safetensors"
    return path


def done(path: Path) -> bool:
    """Whether a style is there and its training was not interrupted."""
    return path.exists() and not is_unfinished(path)


def train(name: str, style: Style, painting: Path, minutes: float, options: argparse.Namespace) -> None:
    """Run `stylize-live train` for one style; what it says goes into a log beside the style."""
    told = {key: style[key] for key in ("title", "artist", "year", "licence", "credit") if style.get(key)}
    told |= {"name": name, "output": target(options, name), "photos": options.photos}
    told |= {"features": options.features, "start": options.start, "device": options.device}
    if options.start == "own":  # its colors are there already, and what is good is to stay
        told |= {"start": name, "colors": 0, "rate": OWN_RATE}
    told |= {"minutes": f"{minutes:.3f}"} | style.get("settings", {})
    told |= {key: value for key in ("batch", "crop") if (value := getattr(options, key))}
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in told.items()]
    command = [sys.executable, "-m", "stylize_live.cli.app", "train", str(painting), *flags]
    environment = dict(os.environ)
    if options.jobs > 1:
        environment["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // options.jobs))
    with (options.output / f"{name}.log").open("a") as log:
        code = subprocess.run(command, stdout=log, stderr=log, env=environment, check=False).returncode
    print(f"{name}: {'done' if code == 0 else f'exit code {code}'}", flush=True)


if __name__ == "__main__":
    main()
