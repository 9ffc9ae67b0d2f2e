"""Steadiness where the motion is known: `python benchmarks/ground_truth.py FOLDER... [--style NAME]`.

Each folder holds pairs of frames and their true motion as the benchmarks of optical flow publish them
(Middlebury, FlyingChairs): a `.flo` file beside two frames. The first frame is painted, then the
second, with and without smoothing; the second is compared with the first moved along the *true* motion,
wherever that is known and both show the same thing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from stylize_live import Stylizer
from stylize_live.engine.cpu.optical_flow import warp
from stylize_live.frame import Pixels
from stylize_live.media.image.io import read_image

_MAGIC = 202021.25  # first number of a .flo file (Baker et al., IJCV 2011)
_UNKNOWN = 1e9  # pixels: larger motion means that it is not known
_SAME = 30.0  # levels: the true motion leads to something else, so the place is hidden in one frame


def read_flow(path: Path) -> np.ndarray:
    """(H, W, 2) float32: where each pixel of the first frame is in the second, less where it was."""
    magic = np.fromfile(path, "<f4", 1)
    if magic[0] != _MAGIC:
        raise SystemExit(f"{path}: not a .flo file")
    width, height = np.fromfile(path, "<i4", 2, offset=4)
    return np.fromfile(path, "<f4", offset=12).reshape(height, width, 2)


def error(first: Pixels, second: Pixels, flow: np.ndarray, valid: np.ndarray) -> float:
    """RMSE in [0, 1] between the first frame and the second, fetched along the flow."""
    difference = (first.astype(np.float32) - warp(second, flow))[valid] / 255
    return float(np.sqrt(np.square(difference).mean()))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--style", default="great-wave")
    parser.add_argument("--steadiness", type=float, default=0.8)
    options = parser.parse_args()
    print("| pair | motion, pixels | input | network | smoothed | ratio |\n|---|---|---|---|---|---|")
    plain, steady = Stylizer(options.style), Stylizer(options.style, steadiness=options.steadiness)
    with plain, steady:
        for truth in sorted(path for folder in options.folders for path in folder.rglob("*.flo")):
            print(row(truth, plain, steady), flush=True)


def row(truth: Path, plain: Stylizer, steady: Stylizer) -> str:
    """One pair, as a line of the table."""
    pair = sorted(truth.parent.glob("*.png"))
    number = truth.name.split("-")[0]
    first, second = (
        read_image(path).pixels for path in pair if len(pair) == 2 or path.name.startswith(number)
    )
    flow = read_flow(truth)
    known = np.abs(flow).max(-1) < _UNKNOWN
    flow = np.where(known[..., None], flow, 0).astype(np.float32)
    apart = np.abs(first.astype(np.float32) - warp(second, flow)).max(-1)
    rows, columns = np.mgrid[: flow.shape[0], : flow.shape[1]]
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    inside = (x >= 0) & (x < flow.shape[1] - 1) & (y >= 0) & (y < flow.shape[0] - 1)
    valid = known & inside & (apart < _SAME)
    motion = float(np.sqrt((flow[valid] ** 2).sum(-1)).mean())
    painted = plain(first), plain(second)
    steady.reset()
    smooth = steady(first), steady(second)
    errors = [error(*videos, flow, valid) for videos in ((first, second), painted, smooth)]
    figures = " | ".join(f"{value:.4f}" for value in errors)
    name = f"{truth.parent.name} {truth.stem}"
    return f"| {name} | {motion:.1f} | {figures} | {errors[2] / errors[1]:.2f} |"


if __name__ == "__main__":
    main()
