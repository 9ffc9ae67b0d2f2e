"""What the program makes, as hashes: to see that a change of its structure changed nothing else.

    python benchmarks/golden.py record before.json    # with the code as it was
    python benchmarks/golden.py record after.json     # with the code as it is
    python benchmarks/golden.py compare before.json after.json

Frames of every way to compute, bytes of conversions, reports as JSON without what no two runs share, help
texts; with `--features` (a file of VGG16's weights) also a training of some steps and an evaluation. Both
runs need the same machine: other instructions round otherwise.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
COMMANDS = (
    *("live", "studio", "obs", "convert", "image", "train"),
    *("evaluate", "styles", "export", "bench", "devices"),
)
CONVERSIONS = {
    "plain.mp4": [],
    "timeline.mkv": ["--style", "0:starry-night,0.6:great-wave", "--crossfade", "0.4"],
    "small.webm": ["--size", "160x90", "--end", "1"],
    "beside.mp4": ["--side-by-side", "--fps", "10", "--codec", "hevc"],
    "archive.mkv": ["--codec", "ffv1", "--bits", "10", "--end", "0.5"],
    "moving.gif": ["--size", "120p", "--fps", "5", "--steadiness", "0"],
    "frames/%04d.png": ["--start", "0.4", "--end", "0.9", "--keep-colors"],
    "soft.mov": ["--strength", "0.5", "--stroke", "2", "--boldness", "0", "--end", "1"],
}
# What is of the machine or the moment, and not of the program.
_PASSING = re.compile(
    r"second|fps|time|speed|memory|path|file|output|source|date|version|rate|peak|mega|load|ms"
    r"|decode|inference|encode"
)


def program(*arguments: str) -> str:
    """What a command prints, at a width of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "stylize_live", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT)},
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-600:]}")
    return done.stdout


def digest(data: bytes) -> str:
    """The first half of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:32]


def helps() -> Iterator[tuple[str, str]]:
    """The help text of each command."""
    yield "help", program("--help")
    for command in COMMANDS:
        yield f"help {command}", program(command, "--help")


def painted() -> Iterator[tuple[str, str]]:
    """Frames of each way to compute on a CPU, one after the other and alone."""
    from stylize_live import Stylizer, VideoReader
    from stylize_live.errors import DeviceError

    with VideoReader(SAMPLES / "flower.mp4") as reader:
        frames = [frame for frame, _ in zip(reader, range(8), strict=False)]
    large = np.kron(frames[0].pixels, np.ones((3, 3, 1), np.uint8))
    for runtime in ("torch", "openvino"):
        for precision in ("float32", "bfloat16", "int8"):
            way = {"device": "cpu", "runtime": runtime, "precision": precision}
            try:
                with Stylizer("great-wave", steadiness=0.8, **way) as stylizer:
                    follow = [stylizer(frame).pixels.tobytes() for frame in frames]
                    stylizer.boldness = 0.2
                    follow.append(stylizer(frames[0]).pixels.tobytes())
                with Stylizer("starry-night:0.5,the-scream:0.5", stroke=1.5, strength=0.7, **way) as stylizer:
                    stylizer.keep_colors = True
                    alone = [stylizer(frames[0].pixels).tobytes(), stylizer(large).tobytes()]
            except DeviceError as error:
                yield f"frames {runtime} {precision}", str(error)
                continue
            yield f"frames {runtime} {precision}", digest(b"".join(follow + alone))


def converted(folder: Path) -> Iterator[tuple[str, str]]:
    """The bytes of conversions, and their reports."""
    way = ["--runtime", "openvino", "--precision", "float32"]
    for name, options in CONVERSIONS.items():
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        report = program("convert", str(SAMPLES / "flower.mp4"), str(target), *options, *way, "--json")
        written = [target] if "%" not in name else sorted(target.parent.iterdir())
        yield f"bytes {name}", digest(b"".join(contents(path) for path in written))
        yield f"report {name}", lasting(report)
    photo = folder / "photo.png"
    program("image", str(SAMPLES / "desert.jpg"), "-o", str(photo), *way)
    yield "bytes photo.png", digest(photo.read_bytes())
    yield "styles", lasting(program("styles", "--json"))


def contents(path: Path) -> bytes:
    """A file; of Matroska, which numbers each file by lot, all packets."""
    if path.suffix not in (".mkv", ".webm"):
        return path.read_bytes()
    import av
    import cv2  # noqa: F401  # before av, as in the program

    with av.open(path) as container:
        packets = [
            f"{packet.stream_index} {packet.pts}".encode() + bytes(packet) for packet in container.demux()
        ]
    return b"".join(packets)


def weights(path: Path) -> bytes:
    """The numbers of a style file, without the record of its making."""
    from safetensors.numpy import load_file

    return b"".join(name.encode() + array.tobytes() for name, array in sorted(load_file(path).items()))


def learned(folder: Path, features: str) -> Iterator[tuple[str, str]]:
    """The weights after some steps of training, and an evaluation."""
    style = folder / "own.safetensors"
    given = ["--features", features, "--photos", str(SAMPLES), "--seed", "3"]
    size = ["--steps", "6", "--batch", "1", "--crop", "64", "--device", "cpu"]
    program("train", str(SAMPLES / "desert.jpg"), *given, *size, "-o", str(style), "--palette", "16")
    yield "weights own", digest(weights(style))
    figures = ["great-wave", "--size", "128", "--json", "--device", "cpu", "--precision", "float32"]
    page = ["-o", str(folder / "report")]
    yield (
        "evaluation",
        lasting(program("evaluate", *figures, "--photos", str(SAMPLES), "--features", features, *page)),
    )


def lasting(text: str) -> str:
    """JSON without figures that no two runs share, and floats in six digits."""

    def keep(value: object) -> object:
        if isinstance(value, dict):
            return {
                key: "..." if _PASSING.search(key) and not isinstance(item, dict | list) else keep(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [keep(item) for item in value]
        return float(f"{value:.6g}") if isinstance(value, float) else value

    lines = [json.loads(line) for line in text.splitlines()] if "\n{" in text else [json.loads(text)]
    return json.dumps([keep(line) for line in lines], indent=1)


def record(target: Path, features: str | None) -> None:
    """Write all of it down."""
    with tempfile.TemporaryDirectory() as name:
        found = dict(helps()) | dict(painted()) | dict(converted(Path(name)))
        if features:
            found |= dict(learned(Path(name), features))
        text = json.dumps(found, indent=1).replace(name, "FOLDER")
    target.write_text(text + "\n", encoding="utf-8")
    print(f"{len(found)} outputs in {target}")


def compare(before: Path, after: Path) -> int:
    """Show what differs. 1 if anything does."""
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (before, after))
    different = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    for name in different:
        print(f"--- {name}")
        pair = [str(side.get(name, "is not there")).splitlines() for side in (old, new)]
        print("\n".join(list(difflib.unified_diff(*pair, lineterm="", n=0))[2:]))
    print(f"{len(different)} of {len({**old, **new})} differ")
    return int(bool(different))


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command")
    recording = commands.add_parser("record")
    recording.add_argument("target", type=Path)
    recording.add_argument("--features")
    comparing = commands.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    given = parser.parse_args()
    if given.command == "compare":
        return compare(given.before, given.after)
    record(given.target, given.features)
    return 0


if __name__ == "__main__":
    sys.exit(main())
