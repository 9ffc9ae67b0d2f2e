"""Other weights of the style that is shown: no pixel changes where they are the same, and nothing flashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tiny import make_checkpoint, random_pixels

from stylize_live.engine import Stylizer
from stylize_live.errors import StyleError
from stylize_live.frame import Frame, Pixels
from stylize_live.nets.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from stylize_live.nets.transformer import Architecture

FRAMES = [
    Frame(np.roll(random_pixels(96, 64), 2 * index, axis=1), Fraction(index, 30), 0.0, index)
    for index in range(6)
]


@pytest.fixture(params=["torch", "openvino"])
def runtime(request: pytest.FixtureRequest) -> str:
    if request.param == "openvino":
        pytest.importorskip("openvino")
    return str(request.param)


@pytest.fixture
def style(tmp_path: Path) -> str:
    """A style with two ends."""
    bold, faithful = make_checkpoint(seed=1), make_checkpoint(seed=2)
    path = tmp_path / "one.safetensors"
    save_checkpoint(path, replace(bold, faithful=faithful.weights))
    return str(path)


def paint(stylizer: Stylizer, frames: Sequence[Frame]) -> list[Pixels]:
    return [stylizer(frame).pixels.copy() for frame in frames]


def make(style: str, runtime: str, steadiness: float = 1.0) -> Stylizer:
    return Stylizer(
        style,
        steadiness=steadiness,
        device="cpu",
        runtime=runtime,
        precision="float32",  # type: ignore[arg-type]
    )


def copied(checkpoint: Checkpoint) -> Checkpoint:
    """The same style as an object of its own."""
    return replace(checkpoint, weights={name: array.copy() for name, array in checkpoint.weights.items()})


def test_the_same_weights_change_no_pixel(style: str, runtime: str) -> None:
    with make(style, runtime) as plain, make(style, runtime) as refined:
        wanted = paint(plain, FRAMES)
        found = paint(refined, FRAMES[:3])
        assert refined.refine(style, copied(load_checkpoint(Path(style))))
        found += paint(refined, FRAMES[3:])
    for one, other in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_frames_go_on_following_from_each_other(style: str, runtime: str) -> None:
    """So that other weights come in gently; a change of style begins anew."""
    other = make_checkpoint(seed=5)
    with make(style, runtime, 0.0) as alone:
        alone.refine(style, other)
        sudden = paint(alone, FRAMES[3:4])[0]
    with make(style, runtime) as stylizer:
        before = paint(stylizer, FRAMES[:3])[-1]
        stylizer.refine(style, other)
        gentle = paint(stylizer, FRAMES[3:4])[0]
    assert (gentle != sudden).any()
    assert distance(gentle, before) < distance(sudden, before)


def distance(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def test_weights_of_another_style_are_not_taken(style: str) -> None:
    with make(style, "torch", 0.0) as stylizer:
        before = paint(stylizer, FRAMES[:1])[0]
        assert not stylizer.refine("starry-night", make_checkpoint(seed=5))
        np.testing.assert_array_equal(paint(stylizer, FRAMES[:1])[0], before)


def test_a_style_chosen_at_the_same_time_begins_anew(style: str, tmp_path: Path) -> None:
    """Weights that came before its first frame must not make it follow from the style before."""
    second = tmp_path / "two.safetensors"
    save_checkpoint(second, make_checkpoint(seed=7))
    with make(style, "torch") as stylizer, make(str(second), "torch") as fresh:
        paint(stylizer, FRAMES[:3])
        stylizer.style = str(second)
        stylizer.refine(str(second), load_checkpoint(second))
        np.testing.assert_array_equal(paint(stylizer, FRAMES[3:4])[0], paint(fresh, FRAMES[3:4])[0])


def test_another_network_is_refused(style: str) -> None:
    wider = Architecture(width=16, deep_width=8, head_width=8, blocks_in=1, blocks_deep=1, blocks_out=1)
    with make(style, "torch") as stylizer, pytest.raises(StyleError, match="another network"):
        stylizer.refine(style, replace(make_checkpoint(), architecture=wider))


def test_boldness_counts_for_refined_weights(style: str) -> None:
    other = replace(make_checkpoint(seed=5), faithful=make_checkpoint(seed=6).weights)
    with make(style, "torch", 0.0) as stylizer:
        stylizer.refine(style, other)
        usual = paint(stylizer, FRAMES[:1])[0]
        stylizer.boldness = 0.2
        faithful = paint(stylizer, FRAMES[:1])[0]
        stylizer.refine(style, copied(other))
        np.testing.assert_array_equal(paint(stylizer, FRAMES[:1])[0], faithful)
    assert (usual != faithful).any()


def test_no_weights_pile_up(style: str) -> None:
    """A show takes hundreds of them."""
    from stylize_live.nets import checkpoint

    with make(style, "torch", 0.0) as stylizer:
        paint(stylizer, FRAMES[:1])
        before = checkpoint._interpolate.cache_info().currsize
        for seed in range(3):
            other = replace(make_checkpoint(seed=seed), faithful=make_checkpoint(seed=seed + 9).weights)
            stylizer.refine(style, other)
            paint(stylizer, FRAMES[:1])
        assert checkpoint._interpolate.cache_info().currsize == before
