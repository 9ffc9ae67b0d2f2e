"""The smallest network and images that everything works with."""

from __future__ import annotations

import json

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.nets.checkpoint import Checkpoint, StyleInfo, weights_of
from stylize_live.nets.transformer import Architecture, ResidualTransformer, initialise

TINY = Architecture(width=8, deep_width=8, head_width=8, blocks_in=1, blocks_deep=1, blocks_out=1)


# What stands in a style file beside its weights.
GOOD_METADATA = {
    "format": "stylize_live.style",
    "version": "3",
    "architecture": json.dumps(TINY.to_dict()),
    "style": json.dumps({"name": "x"}),
    "training": "{}",
}


def random_pixels(width: int, height: int, seed: int = 0) -> Pixels:
    """Smooth random colours: like an image, unlike noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 16 + 2, width // 16 + 2, 3)).astype(np.float32)
    fine = np.kron(coarse, np.ones((16, 16, 1), np.float32))[:height, :width]
    return np.ascontiguousarray(fine.astype(np.uint8))


def make_checkpoint(name: str = "tiny", seed: int = 0) -> Checkpoint:
    """An untrained style of a tiny network."""
    network = ResidualTransformer(TINY)
    initialise(network, seed)
    return Checkpoint(StyleInfo(name), TINY, weights_of(network.state_dict()))
