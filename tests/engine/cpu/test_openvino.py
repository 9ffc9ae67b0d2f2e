"""OpenVINO paints what torch paints."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from places import SAMPLES

from stylize_live.engine import Stylizer
from stylize_live.errors import DeviceError
from stylize_live.frame import Frame, Pixels
from stylize_live.media.image.io import read_image, resize

pytest.importorskip("openvino")


def photo(size: tuple[int, int], dtype: type = np.uint8, seed: int = 0) -> Pixels:
    """Soft blobs of all brightnesses, (height, width) in `size`."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / (9 + 7 * c) + seed) + np.cos(y / (13 - 3 * c)) for c in range(3)]
    image = (np.stack(waves, -1) + 2) / 4
    return (image * np.iinfo(dtype).max).astype(dtype)


def both(**how: Any) -> tuple[Stylizer, Stylizer]:
    return Stylizer(runtime="openvino", device="cpu", **how), Stylizer(runtime="torch", device="cpu", **how)


# In images of a few pixels, the norms at an eighth of the size have one or two values, whose rounding they
# blow up.
@pytest.mark.parametrize(("size", "levels"), [((96, 160), 1), ((101, 77), 1), ((9, 8), 10), ((1, 1), 10)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_same_images_in_float32(size: tuple[int, int], levels: int, dtype: type) -> None:
    ours, expected = both(precision="float32")
    image = photo(size, dtype)
    step = np.iinfo(dtype).max / 255  # one level of 255
    difference = np.abs(ours(image).astype(float) - expected(image)) / step
    assert difference.max() <= levels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("style", "mean", "most"), [("great-wave", 0.5, 10), ("starry-night", 1, 20)])
def test_bfloat16_is_less_than_a_level_off(style: str, mean: float, most: float, dtype: type) -> None:
    """On a photo: of a 16-bit image as soft as `photo`, bfloat16 keeps steps, which bold styles paint (2.7
    levels off)."""
    ours, _ = both(style=style, precision="bfloat16")
    _, exact = both(style=style, precision="float32")
    small = resize(read_image(SAMPLES / "snow-mountain.jpg").pixels, 144)
    image = small.astype(dtype) * (np.iinfo(dtype).max // 255)
    off = (ours(image).astype(float) - exact(image)) * 255 / np.iinfo(dtype).max
    assert np.abs(off).mean() < mean
    assert np.abs(off).max() < most


def test_another_style_another_image() -> None:
    ours, expected = both(precision="float32")
    image = photo((64, 96))
    before = ours(image)
    ours.style = expected.style = "great-wave"
    assert np.abs(ours(image).astype(int) - expected(image)).max() <= 1
    assert np.abs(ours(image).astype(int) - before).mean() > 5


def test_crossfades_do_not_jump() -> None:
    """Torch paints what lies between two styles; where it hands over, nothing may be seen."""
    ours, expected = both(precision="float32", style="0:starry-night,1:great-wave", crossfade=1.0)
    image = photo((64, 96))
    for tenth in (0, 9, 10, 11, 15, 19, 20, 25):
        frame = Frame(image, Fraction(tenth, 10), 0.0, tenth)
        assert np.abs(ours(frame).pixels.astype(int) - expected(frame).pixels).max() <= 1


def test_images_are_the_callers_own() -> None:
    ours, _ = both(precision="float32")
    first, second = photo((64, 96)), photo((64, 96), seed=2)
    painted = ours(first)
    kept = painted.copy()
    ours(second)
    np.testing.assert_array_equal(painted, kept)


def test_smoothing_goes_on_from_it() -> None:
    ours, expected = both(precision="float32", steadiness=0.8)
    for seed in range(4):
        image = photo((96, 160), seed=0) + np.uint8(seed)
        assert np.abs(ours(image).astype(int) - expected(image)).max() <= 1


def test_it_is_named_in_the_fingerprint() -> None:
    ours, expected = both()
    assert "openvino" in ours.fingerprint
    assert ours.fingerprint != expected.fingerprint


def test_not_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    with pytest.raises(DeviceError, match="device='cpu'"):
        Stylizer(runtime="openvino", device="cuda")


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylize_live.engine.runtimes.has_package", lambda name: name != "openvino")
    assert "openvino" not in Stylizer(device="cpu").fingerprint
    with pytest.raises(DeviceError, match=r"OpenVINO is not installed: .*openvino"):
        Stylizer(runtime="openvino")


def test_other_lines_are_made_ready_before_they_are_painted() -> None:
    stylizer = Stylizer(runtime="openvino", device="cpu", precision="float32")
    stylizer(photo((96, 160)))
    assert stylizer.is_ready(96)
    assert not stylizer.is_ready(48)
    stylizer.make_ready(48)
    assert stylizer.is_ready(48)
    stylizer.lines = 48
    graphs = len(stylizer._backend._graphs)  # type: ignore[attr-defined]
    stylizer(photo((96, 160)))
    assert len(stylizer._backend._graphs) == graphs == 2  # type: ignore[attr-defined]
