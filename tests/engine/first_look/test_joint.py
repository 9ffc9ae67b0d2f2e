"""What is predicted for a painting, and how it changes a network."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from stylize_live.engine.first_look import joint as module
from stylize_live.engine.first_look.description import Description
from stylize_live.engine.first_look.joint import (
    JointNetwork,
    adapt,
    adapted,
    count_numbers,
    load_joint_network,
    save_joint_network,
)
from stylize_live.engine.first_look.space import MOST_DEVIATIONS
from stylize_live.nets.architecture import Architecture
from stylize_live.nets.checkpoint import Weights


@pytest.fixture(scope="module")
def joint() -> JointNetwork:
    return load_joint_network()


@pytest.fixture
def base(joint: JointNetwork) -> Weights:
    return joint.base


def numbers(**given: float) -> np.ndarray:
    """All 0, but all those of some weights."""
    found = [
        np.full(int(np.prod(shape)), given.get(name, 0.0), np.float32) for name, shape in adapted().items()
    ]
    return np.concatenate([*found, np.zeros(21, np.float32)])


def changed(base: Weights, found: Weights) -> set[str]:
    return {name for name in base if not np.array_equal(base[name], found[name])}


def test_norms_and_the_last_layer_differ_from_painting_to_painting() -> None:
    names = set(adapted())
    norms = {name for name, shape in Architecture().shapes().items() if len(shape) == 1}
    assert names == norms - {"to_full.bias", "brightness"} | {"to_full.weight"}
    assert count_numbers() == 2141


def test_no_numbers_change_nothing(base: Weights) -> None:
    assert changed(base, adapt(base, numbers())) == set()


def test_scales_are_multiplied_and_shifts_added_to(base: Weights) -> None:
    given = {"stem.1.weight": 0.5, "stem.1.bias": 0.25, "to_full.weight": 0.125}
    found = adapt(base, numbers(**given))
    assert changed(base, found) == set(given)
    np.testing.assert_allclose(found["stem.1.weight"], 1.5 * base["stem.1.weight"], rtol=1e-6)
    np.testing.assert_allclose(found["stem.1.bias"], base["stem.1.bias"] + 0.25, rtol=1e-6)
    np.testing.assert_allclose(found["to_full.weight"], base["to_full.weight"] + 0.125, atol=1e-6)


def test_colors_are_mapped_behind_everything(base: Weights) -> None:
    matrix, shift = np.float32([[0, 1, 0], [0, 0.5, 0], [0, 0, 0]]), np.float32([0.1, 0.2, 0.3])
    given = numbers()
    given[-21:-9] = [*matrix.ravel(), *shift]
    found = adapt(base, given)
    kernel, bias = base["to_full.weight"], base["to_full.bias"]
    np.testing.assert_allclose(found["to_full.weight"][0], kernel[0] + kernel[1], atol=1e-6)
    np.testing.assert_allclose(found["to_full.weight"][1], 1.5 * kernel[1], atol=1e-6)
    np.testing.assert_allclose(found["to_full.bias"], bias + matrix @ bias + shift, atol=1e-6)


def test_the_photo_s_colors_are_mapped_before_everything(base: Weights) -> None:
    """What the changed network paints of a photo is what the usual one paints of its mapped colors."""
    matrix = np.float32([[-0.5, 0.25, 0], [0, 0.5, 0], [0.125, 0, 0]])
    given = numbers()
    given[-9:] = matrix.ravel()
    found = adapt(base, given)
    assert changed(base, found) == {"stem.0.weight"}
    photo = torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    mapped = photo - 0.5 + torch.einsum("ij,njhw->nihw", torch.from_numpy(matrix), photo - 0.5)
    blocks, mapped_blocks = F.pixel_unshuffle(photo - 0.5, 4), F.pixel_unshuffle(mapped, 4)
    one, other = (torch.from_numpy(weights["stem.0.weight"]) for weights in (base, found))
    torch.testing.assert_close(F.conv2d(blocks, other), F.conv2d(mapped_blocks, one), atol=1e-5, rtol=1e-4)


def test_the_shipped_one_fits_the_network(joint: JointNetwork) -> None:
    assert {name: array.shape for name, array in joint.base.items()} == Architecture().shapes()
    assert len(joint.bias) == count_numbers()
    assert float(joint.base["brightness"][0]) == 0
    assert len(joint.mean) == len(joint.axes)


def test_what_no_painting_looks_like_is_taken_for_the_farthest(joint: JointNetwork) -> None:
    strange = Description(np.full(1920, 1e6, np.float32), np.full(12, -1e6, np.float32))
    assert np.abs(joint.place(strange)).max() == MOST_DEVIATIONS
    assert all(np.isfinite(array).all() for array in joint(strange).values())


def test_written_and_read_it_is_the_same(
    joint: JointNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(joint, bias=joint.bias + 1)
    save_joint_network(tmp_path / "a.safetensors", other, {"steps": "1"})
    monkeypatch.setattr(module, "FILE", tmp_path / "a.safetensors")
    read = load_joint_network()
    for field in fields(JointNetwork):
        first, second = getattr(read, field.name), getattr(other, field.name)
        for name, array in second.items() if field.name == "base" else [("", second)]:
            found = first[name] if name else first
            # Six bits: half a step of 31 on either side of zero, and rounding to eight.
            np.testing.assert_allclose(found, array, atol=0.02 * np.abs(array).max(), err_msg=field.name)
