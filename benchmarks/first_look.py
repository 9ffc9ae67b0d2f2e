"""Makes what the first look at a painting needs, and shows what it gives:

    python benchmarks/first_look.py features vgg16.safetensors
    python benchmarks/first_look.py describe paintings/ described.pt
    python benchmarks/first_look.py describe --shipped paintings/ shipped.pt
    python benchmarks/first_look.py nearest described.pt shipped.pt photos/
    python benchmarks/first_look.py train described.pt joint.pt --paintings DIR --photos DIR --hours 1
    python benchmarks/first_look.py export described.pt joint.pt
    python benchmarks/first_look.py paint photos/ paintings/ OUT

`features` brings the weights of VGG16, torchvision's or a file like it, into the package in eight bits.
`describe` looks at the paintings to learn from; with --shipped at those of the clean shipped styles, which
gallery.toml names. `nearest` brings what finds the nearest of these into the package; they paint some photos
for it. `train` trains the network that learns all paintings, and keeps it every 500 steps, in a file of its
own; `export` brings it into the package. `paint` writes OUT/PAINTING/PHOTO.png.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

from stylize_live.cli.machine import tune_process

tune_process()

import numpy as np
import torch
from safetensors.numpy import save
from torch import Tensor

from stylize_live.engine import Stylizer
from stylize_live.engine.first_look import feature_weights, joint, nearest
from stylize_live.engine.first_look.description import describe
from stylize_live.engine.first_look.painting import read_painting
from stylize_live.errors import StyleError
from stylize_live.files import make_folder
from stylize_live.media.image.io import Still, on_paper, read_image, resize, write_image
from stylize_live.options import DEFAULT_BOLDNESS
from stylize_live.system.clock import monotonic
from stylize_live.training.color_transfer import PhotoStatistics
from stylize_live.training.dataset import PhotoBatches, find_photos, sample_crops, to_tensor
from stylize_live.training.features import load_features, read_weights
from stylize_live.training.first_look import CLEAN_STYLES, PaintingSpace, export_nearest_style
from stylize_live.training.joint_network import AdaptedNetwork, export_joint_network, start_network
from stylize_live.training.joint_run import SETTINGS, JointTrainer

GALLERY = Path(__file__).with_name("gallery.toml")
_CREDIT = {
    "format": "stylize_live.features",
    "licence": "BSD-3-Clause",
    "credit": "VGG16 of torchvision, Copyright (c) Soumith Chintala 2016",
    "changes": "up to relu4_1, in eight bits a weight",
}
_SAID, _KEPT = 25, 500  # steps
_PHOTOS, _LINES = 24, 160  # that styles paint, and how large


def write_features(options: argparse.Namespace) -> None:
    """Write the weights of VGG16."""
    weights = {name: tensor.float().numpy() for name, tensor in read_weights(options.weights).items()}
    feature_weights.FILE.write_bytes(save(feature_weights.pack(weights), _CREDIT))
    print(f"{feature_weights.FILE}: {feature_weights.FILE.stat().st_size} bytes")


def describe_paintings(options: argparse.Namespace) -> None:
    """Write the descriptions of paintings: features, colors, and their files' names without suffix."""
    found, stems = [], []
    for path in list(_shipped_paintings(options.folder) if options.shipped else find_photos(options.folder)):
        try:
            found.append(describe(read_painting(path)))
        except StyleError as error:
            print(error, flush=True)
            continue
        stems.append(path.stem)
    features, colors = (
        torch.from_numpy(np.stack([getattr(one, part) for one in found])) for part in ("features", "colors")
    )
    torch.save((features, colors, stems), options.described)
    print(f"{options.described}: {len(stems)} paintings")


def _shipped_paintings(folder: Path) -> Iterable[Path]:
    gallery = tomllib.loads(GALLERY.read_text(encoding="utf-8"))
    there = {path.name: path for path in find_photos(folder)}
    return (there[gallery[name]["painting"]] for name in CLEAN_STYLES)


def _read_descriptions(path: Path) -> tuple[Tensor, Tensor, list[str]]:
    features, colors, *stems = torch.load(path, weights_only=True)
    return features.float(), colors.float(), stems[0] if stems else []


def find_nearest(options: argparse.Namespace) -> None:
    """Bring what finds the nearest style into the package."""
    space = PaintingSpace.of(*_read_descriptions(options.described)[:2])
    gallery = space.place(*_read_descriptions(options.shipped)[:2])
    photos = find_photos(options.photos)[:_PHOTOS]
    read = [to_tensor(resize(on_paper(read_image(photo)), _LINES)) for photo in photos]
    about = {"format": "stylize_live.first_look"}
    nearest.save_nearest_style(nearest.FILE, export_nearest_style(space, gallery, read), about)
    print(f"{nearest.FILE}: {nearest.FILE.stat().st_size} bytes")


def train(options: argparse.Namespace) -> None:
    """Train the network of all paintings, and write it every now and then."""
    features, colors, stems = _read_descriptions(options.described)
    there = {path.stem: path for path in find_photos(options.paintings)}
    photos = find_photos(options.photos)
    places = PaintingSpace.of(features, colors).place(features, colors)
    began, seconds = monotonic(), options.hours * 3600
    lines = SETTINGS.lines
    with PhotoBatches(photos, batch=options.batch, crop=options.crop, seed=0, lines=lines) as batches:
        trainer = JointTrainer(
            AdaptedNetwork(start_network(), places.shape[1]),
            [there[stem] for stem in stems],
            places,
            load_features(options.features, device=torch.device("cpu"), dtype=torch.bfloat16),
            PhotoStatistics.of(sample_crops(photos)),
            batches,
        )
        while (passed := monotonic() - began) < seconds:
            losses = trainer.make_step(passed / seconds)
            if not trainer.step % _SAID:
                said = ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
                print(f"{trainer.step} steps, {passed:.0f} s: {said}", flush=True)
            if not trainer.step % _KEPT:
                kept = options.trained.with_stem(f"{options.trained.stem}-{trainer.step}")
                torch.save((trainer.average, trainer.step), kept)
    torch.save((trainer.average, trainer.step), options.trained)


def export(options: argparse.Namespace) -> None:
    """Bring the network of all paintings into the package."""
    space = PaintingSpace.of(*_read_descriptions(options.described)[:2])
    state, steps = torch.load(options.trained, weights_only=True)
    about = {"format": "stylize_live.joint_network", "steps": str(steps)}
    joint.save_joint_network(joint.FILE, export_joint_network(state, space), about)
    print(f"{joint.FILE}: {joint.FILE.stat().st_size} bytes, after {steps} steps")


def paint(options: argparse.Namespace) -> None:
    """Paint all photos after all paintings."""
    for painting in find_photos(options.paintings):
        with Stylizer(painting, boldness=options.boldness) as stylizer:
            folder = options.output / painting.stem
            make_folder(folder)
            for photo in find_photos(options.photos):
                pixels = on_paper(read_image(photo))
                if options.lines:
                    pixels = resize(pixels, options.lines)
                write_image(folder / f"{photo.stem}.png", Still(stylizer(pixels)))
        print(folder, flush=True)


def parse() -> tuple[Callable[[argparse.Namespace], None], argparse.Namespace]:
    """What is to be done, and how."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(required=True)

    def add(name: str, do: Callable[[argparse.Namespace], None], *paths: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=do.__doc__)
        command.set_defaults(do=do)
        for path in paths:
            command.add_argument(path, type=Path)
        return command

    add("features", write_features, "weights")
    command = add("describe", describe_paintings, "folder", "described")
    command.add_argument("--shipped", action="store_true")
    add("nearest", find_nearest, "described", "shipped", "photos")
    command = add("train", train, "described", "trained")
    command.add_argument("--paintings", type=Path, required=True)
    command.add_argument("--photos", type=Path, required=True)
    command.add_argument("--features", default="small")
    command.add_argument("--hours", type=float, required=True)
    command.add_argument("--crop", type=int, default=160)
    command.add_argument("--batch", type=int, default=1, help="photos for each of a step's two paintings")
    add("export", export, "described", "trained")
    command = add("paint", paint, "photos", "paintings", "output")
    command.add_argument("--boldness", type=float, default=DEFAULT_BOLDNESS)
    command.add_argument(
        "--lines", type=int, default=0, help="scale photos to this short side; 0 leaves them"
    )
    options = parser.parse_args()
    return options.do, options


if __name__ == "__main__":
    do, options = parse()
    do(options)
