"""A style whose usual boldness was improved: both of its ends move along."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from stylize_live.errors import StyleError
from stylize_live.nets.checkpoint import Checkpoint, Weights
from stylize_live.options import DEFAULT_BOLDNESS


def usual_end(start: Checkpoint) -> Checkpoint:
    """What is improved: the style at the usual boldness."""
    return start.at(DEFAULT_BOLDNESS)


def move_ends(start: Checkpoint, usual: Weights, training: dict[str, Any] | None = None) -> Checkpoint:
    """The style whose weights at the usual boldness are these.

    Each end moves as far, so that boldness goes on doing what it did.

    Args:
        start: the style before.
        usual: weights at the usual boldness, checked here: they come from another process.
        training: the record of the new style; None for that of the old one.

    Raises:
        StyleError: they do not fit the network, or are not finite.
    """
    shapes = start.architecture.shapes()
    if {name: array.shape for name, array in usual.items()} != shapes:
        raise StyleError(f"{start.info.name}: what was learnt does not fit its network")
    if not all(np.isfinite(array).all() for array in usual.values()):
        raise StyleError(f"{start.info.name}: what was learnt is not finite")
    record = start.training if training is None else training
    if start.faithful is None:
        return replace(start, weights=dict(usual), training=record)
    before = usual_end(start).weights
    bold, faithful = (
        {name: end[name] + (usual[name] - before[name]) for name in shapes}
        for end in (start.weights, start.faithful)
    )
    return replace(start, weights=bold, faithful=faithful, training=record)
