"""The two ends of a style's boldness, moved along with what was learnt between them."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import make_checkpoint

from stylize_live.errors import StyleError
from stylize_live.nets.checkpoint import Checkpoint
from stylize_live.nets.ends import move_ends, usual_end
from stylize_live.options import DEFAULT_BOLDNESS


def two_ends() -> Checkpoint:
    bold, faithful = make_checkpoint(seed=1), make_checkpoint(seed=2)
    return Checkpoint(bold.info, bold.architecture, bold.weights, {"steps": 1}, faithful.weights)


def test_both_ends_move_along() -> None:
    start, learnt = two_ends(), make_checkpoint(seed=3).weights
    moved = move_ends(start, learnt)
    assert moved.faithful is not None
    assert start.faithful is not None
    for name, wanted in learnt.items():
        np.testing.assert_allclose(moved.at(DEFAULT_BOLDNESS).weights[name], wanted, atol=1e-5)
        before, now = start.weights[name] - start.faithful[name], moved.weights[name] - moved.faithful[name]
        np.testing.assert_allclose(now, before, atol=1e-5)


def test_nothing_learnt_moves_nothing() -> None:
    start = two_ends()
    moved = move_ends(start, usual_end(start).weights)
    for name, weights in start.weights.items():
        np.testing.assert_array_equal(moved.weights[name], weights)


@pytest.mark.parametrize("damage", ["shape", "name", "nan"])
def test_what_does_not_fit_is_refused(damage: str) -> None:
    start = two_ends()
    weights = {name: array.copy() for name, array in start.weights.items()}
    name = max(weights, key=lambda one: weights[one].size)
    if damage == "shape":
        weights[name] = weights[name][..., :1]
    elif damage == "name":
        weights["other"] = weights.pop(name)
    else:
        weights[name].flat[0] = np.nan
    with pytest.raises(StyleError, match="what was learnt"):
        move_ends(start, weights)
