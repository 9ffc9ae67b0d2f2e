"""Optical flow on an NVIDIA GPU, with kernels of its own: `triton/flow_search.py` and
`triton/flow_refinement.py`.

Needs what `fused_network` needs.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from stylize_live.engine.cuda.triton import flow_refinement, flow_search
from stylize_live.engine.cuda.triton.build import LAUNCH

_BLOCK = 256  # pixels that a program works on at once
_PATCHES = 8  # or patches
_STRIDE = 4  # pixels from patch to patch; must divide a patch's 8
_LEAST_SIDE = 16  # pixels of the smallest image that is searched
_ROUNDS = 3  # of the search in each
_STEPS = 5  # downhill in each round
_DAMPING = 16.0
_WEIGHTS: dict[str, Any] = {"levels_weight": 2.5, "slopes_weight": 5.0, "smoothness": 10.0}
_FIXES = 2  # times that the weights of the equations are made anew
_RELAXATIONS = 5
_OMEGA = 1.6


def flow_between(images: Tensor) -> Tensor:
    """Where every pixel was: searched in ever larger images, and refined in each.

    Args:
        images: (2, h, w) float32 in 0..255, on a GPU, the one before and the one now; h and w at least 2.

    Returns:
        (2, h, w) float32: what is at (x, y) now was at (x, y) + flow before, in pixels.
    """
    sizes = [images]
    while min(sizes[-1].shape[1:]) >= 2 * _LEAST_SIDE:
        sizes.append(_halve(sizes[-1]))
    smallest = sizes.pop()
    flow = _refine(smallest, _search(smallest, None))
    for larger in reversed(sizes):
        flow = _refine(larger, _search(larger, flow))
    return flow


def compare_patches(images: Tensor, flow: Tensor) -> Tensor:
    """See `flow_refinement.compare`: (2, h, w) each -> (2, h, w)."""
    height, width = images.shape[1:]
    both = torch.empty_like(images)
    flow_refinement.compare[_programs(height * width)](
        images, flow, both, height, width, block=_BLOCK, **LAUNCH
    )
    return both


def _halve(planes: Tensor) -> Tensor:
    height, width = planes.shape[1:]
    out = planes.new_empty((2, height // 2, width // 2))
    flow_search.halve[_programs(out.numel())](planes, out, height, width, block=_BLOCK, **LAUNCH)
    return out


def _search(images: Tensor, smaller: Tensor | None) -> Tensor:
    """The flow by search; beginning with that of the image of half the size, if there is one."""
    height, width = images.shape[1:]
    # As many patches as it takes to cover all pixels; the last ones may reach beyond them.
    rows, columns = (max(1, math.ceil((side - 8) / _STRIDE) + 1) for side in (height, width))
    patches = {"rows": rows, "columns": columns, "stride": _STRIDE}
    found = images.new_zeros((2, rows, columns))
    other = torch.empty_like(found)
    if smaller is not None:
        flow_search.starts[_programs(rows * columns)](
            smaller, found, *smaller.shape[1:], **patches, block=_BLOCK, **LAUNCH
        )
    for _ in range(_ROUNDS):
        flow_search.search[(math.ceil(rows * columns / _PATCHES),)](
            images, found, other, height, width, **patches,
            steps=_STEPS, damping=_DAMPING, patches=_PATCHES, **LAUNCH,
        )  # fmt: skip
        found, other = other, found
    flow = torch.empty_like(images)
    flow_search.densify[_programs(height * width)](
        images, found, flow, height, width, **patches, block=_BLOCK, **LAUNCH
    )
    return flow


def _refine(images: Tensor, base: Tensor) -> Tensor:
    """A flow made smooth where the images allow it."""
    height, width = images.shape[1:]
    both = compare_patches(images, base)
    first = _slopes(both)
    second = _slopes(first[0])
    flow, system = base.clone(), base.new_empty((7, height, width))
    half = _programs(height * ((width + 1) // 2))
    for _ in range(_FIXES):
        flow_refinement.equations[_programs(height * width)](
            both, first, second, base, flow, system, height, width, **_WEIGHTS, block=_BLOCK, **LAUNCH
        )
        for step in range(2 * _RELAXATIONS):
            flow_refinement.relax[half](
                flow, system, height, width, step % 2, omega=_OMEGA, block=_BLOCK, **LAUNCH
            )
    return flow


def _slopes(planes: Tensor) -> Tensor:
    """(n, h, w) -> (n, 2, h, w), across and down."""
    count, height, width = planes.shape
    out = planes.new_empty((count, 2, height, width))
    flow_refinement.slopes[_programs(planes.numel())](
        planes, out, count, height, width, block=_BLOCK, **LAUNCH
    )
    return out


def _programs(count: int) -> tuple[int]:
    return (math.ceil(count / _BLOCK),)
