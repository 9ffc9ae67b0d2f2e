"""Style files: what is written is read, and nothing else is believed."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny import GOOD_METADATA, TINY, make_checkpoint

from stylize_live.errors import SinkError, StyleError
from stylize_live.nets import checkpoint as module
from stylize_live.nets.checkpoint import blend, load_checkpoint, read_info, save_checkpoint


def good_tensors() -> dict[str, torch.Tensor]:
    return {k: torch.from_numpy(v).half() for k, v in make_checkpoint().weights.items()}


def test_round_trip(tiny_style: Path) -> None:
    loaded = load_checkpoint(tiny_style)
    assert loaded.architecture == TINY
    assert read_info(tiny_style)[0].name == "tiny"
    for name, value in make_checkpoint().weights.items():
        np.testing.assert_array_equal(loaded.weights[name], value.astype(np.float16).astype(np.float32))
    assert loaded.network()(torch.rand(1, 3, 9, 9)).shape == (1, 3, 9, 9)


def test_styles_of_the_version_before_keep_all_of_the_photos_brightness(tmp_path: Path) -> None:
    tensors = good_tensors()
    del tensors["brightness"]
    path = tmp_path / "old.safetensors"
    save_file(tensors, path, GOOD_METADATA | {"version": "2"})
    assert load_checkpoint(path).weights["brightness"].tolist() == [2.0]
    save_file(tensors, path, GOOD_METADATA)
    with pytest.raises(StyleError, match="do not fit"):
        load_checkpoint(path)


def test_brightness_decides_how_much_of_the_photo_is_added() -> None:
    network, photo = make_checkpoint().network(), torch.rand(1, 3, 16, 16)
    light = (photo * torch.tensor([0.2126, 0.7152, 0.0722]).view(1, 3, 1, 1)).sum(1, keepdim=True) - 0.5
    with_light = torch.logit(network(photo))
    network.brightness.zero_()
    torch.testing.assert_close(with_light - torch.logit(network(photo)), (2 * light).expand(-1, 3, -1, -1))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match="cannot read"):
        load_checkpoint(tmp_path / "no.safetensors")


def test_directory(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match="not a file"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a style", b"\xff" * 100, struct.pack("<Q", 2**60) + b"{}"])
def test_garbage(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(StyleError, match="not a safetensors file or damaged"):
        load_checkpoint(path)


def test_truncated(tiny_style: Path) -> None:
    tiny_style.write_bytes(tiny_style.read_bytes()[:-10])
    with pytest.raises(StyleError, match="damaged"):
        load_checkpoint(tiny_style)


def test_huge(tiny_style: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    with pytest.raises(StyleError, match="limit 100"):
        load_checkpoint(tiny_style)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "not a stylize_live style"),
        ({"version": "9"}, "update it"),
        ({"architecture": "[]"}, "no architecture"),
        ({"architecture": json.dumps({**TINY.to_dict(), "width": 10**9})}, "expected"),
        ({"architecture": json.dumps({**TINY.to_dict(), "width": 16})}, "do not fit"),
        ({"style": "{}"}, "unknown style fields"),
        ({"style": json.dumps({"name": "x", "evil": "y"})}, "unknown style fields"),
        ({"style": json.dumps({"name": ["x"]})}, "must be text"),
        ({"training": "no json"}, "no training"),
    ],
)
def test_metadata_is_not_believed(tmp_path: Path, change: dict[str, str], message: str) -> None:
    path = tmp_path / "x.safetensors"
    save_file(good_tensors(), path, {**GOOD_METADATA, **change})
    with pytest.raises(StyleError, match=message):
        load_checkpoint(path)


def test_foreign_weights(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"layer.weight": torch.zeros(3)}, path)
    with pytest.raises(StyleError, match="not a stylize_live style"):
        load_checkpoint(path)


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    tensors = good_tensors()
    next(iter(tensors.values())).view(-1)[0] = float("nan")
    save_file(tensors, tmp_path / "x.safetensors", GOOD_METADATA)
    with pytest.raises(StyleError, match="not finite"):
        load_checkpoint(tmp_path / "x.safetensors")


def test_unwritable_target(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot write"):
        save_checkpoint(tmp_path / "no" / "x.safetensors", make_checkpoint())


def test_blend_of_equal_shares_is_the_mean() -> None:
    pair = {"a": make_checkpoint(seed=1), "b": make_checkpoint(seed=2)}
    mixed, faithful = blend(pair, {"a": 3, "b": 3})
    assert faithful is None
    for name, value in mixed.items():
        np.testing.assert_allclose(value, (pair["a"].weights[name] + pair["b"].weights[name]) / 2, atol=1e-7)


def test_blend_refuses_negative_shares() -> None:
    pair = {"a": make_checkpoint(seed=1), "b": make_checkpoint(seed=2)}
    with pytest.raises(StyleError, match="positive"):
        blend(pair, {"a": 2, "b": -1})


def test_weights_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({name: tensor.bfloat16() for name, tensor in good_tensors().items()}, path, GOOD_METADATA)
    with pytest.raises(StyleError, match="has an unknown type of numbers"):
        load_checkpoint(path)
