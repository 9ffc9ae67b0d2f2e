"""The network that finds people: what OpenCV makes of the original file, both runtimes make of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from places import ROOT
from safetensors import safe_open

from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.engine.matting import weights
from stylize_live.engine.matting.network import STRIDE, shapes
from stylize_live.engine.matting.torch_network import TorchNetwork
from stylize_live.frame import Pixels
from stylize_live.media.image.io import read_image
from stylize_live.media.libraries import cv2

ORIGINAL = Path(__file__).parent / "selfie_segmentation.tflite"
SIDE = 256  # of the original's images

Network = Callable[[Pixels], Plane]


def face(size: tuple[int, int]) -> Pixels:
    """A person, (width, height)."""
    pixels = read_image(ROOT / "docs" / "originals" / "face.jpg").pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def make_openvino(size: tuple[int, int]) -> Network:
    pytest.importorskip("openvino")
    from stylize_live.engine.matting.openvino_network import OpenVinoNetwork

    return OpenVinoNetwork(size)


def make_torch(size: tuple[int, int]) -> Network:
    return TorchNetwork(torch.device("cpu"))


both = pytest.mark.parametrize("make", [make_openvino, make_torch])


@pytest.mark.skipif(int(cv2.__version__.split(".")[0]) < 5, reason="OpenCV reads such files from 5 on")
@both
def test_it_is_the_original(make: Callable[[tuple[int, int]], Network]) -> None:
    pixels = face((SIDE, SIDE))
    original = cv2.dnn.readNetFromTFLite(str(ORIGINAL))
    original.setInput(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32) / np.float32(255))
    expected = original.forward().reshape(SIDE, SIDE)
    assert 0.1 < (expected > 0.9).mean() < 0.8
    np.testing.assert_allclose(make((SIDE, SIDE))(pixels), expected, atol=1e-4)


@pytest.mark.parametrize("size", [(256, 192), (STRIDE, STRIDE), (STRIDE, 4 * STRIDE), (208, 240)])
def test_runtimes_agree_at_all_sizes(size: tuple[int, int]) -> None:
    pixels = face(size)
    found = make_openvino(size)(pixels)
    assert found.shape == (size[1], size[0])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, make_torch(size)(pixels), atol=1e-4)


@both
def test_what_it_gave_stays(make: Callable[[tuple[int, int]], Network]) -> None:
    network = make((64, 64))
    found = network(face((64, 64)))
    kept = found.copy()
    network(np.zeros((64, 64, 3), np.uint8))
    np.testing.assert_array_equal(found, kept)


def test_torch_has_its_threads_again() -> None:
    usual = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        make_torch((64, 64))(face((64, 64)))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(usual)


def test_weights_fit_and_say_where_they_come_from() -> None:
    file = Path(weights.__file__).parent / "weights" / "person.safetensors"
    with safe_open(file, framework="numpy") as opened:
        assert opened.metadata()["licence"] == "Apache-2.0"
        assert "MediaPipe" in opened.metadata()["credit"]
        assert {opened.get_slice(name).get_dtype() for name in opened.keys()} == {"F16"}  # noqa: SIM118
    loaded = weights.load_weights()
    assert {name: array.shape for name, array in loaded.items()} == shapes()
    assert (file.parent / "LICENSE").read_text(encoding="utf-8").lstrip().startswith("Apache License")
