"""The person matte as a whole, with the shipped weights."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec

import numpy as np
import pytest
from places import ROOT, SAMPLES

from stylize_live.engine.matting import matte as module
from stylize_live.engine.matting.matte import PersonMatte
from stylize_live.engine.matting.sizes import network_size
from stylize_live.errors import DeviceError
from stylize_live.frame import Pixels
from stylize_live.media.image.io import read_image
from stylize_live.media.libraries import cv2


@pytest.fixture(scope="module")
def face() -> Pixels:
    return read_image(ROOT / "docs" / "originals" / "face.jpg").pixels


@pytest.fixture
def matte() -> Iterator[PersonMatte]:
    with PersonMatte() as made:
        yield made


def scale(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), pixels.dtype)


def test_a_person_is_found(matte: PersonMatte, face: Pixels) -> None:
    found = matte.measure(face, True)
    assert found.shape == face.shape[:2]
    assert found.dtype == np.uint8
    assert 0.15 < (found == 255).mean() < 0.8
    assert (found == 0).mean() > 0.15


def test_nobody_is_nobody(matte: PersonMatte) -> None:
    for name in ("snow-mountain.jpg", "desert.jpg"):
        assert not matte.measure(read_image(SAMPLES / name).pixels, True).any()
    assert not matte.measure(np.zeros((90, 160, 3), np.uint8), True).any()


@pytest.mark.parametrize(
    "size", [(1, 1), (16, 16), (17, 31), (640, 360), (360, 640), (2000, 20), (3840, 2160)]
)
def test_every_size(matte: PersonMatte, face: Pixels, size: tuple[int, int]) -> None:
    pixels = scale(face, size)
    kept = pixels.copy()
    assert matte.measure(pixels, False).shape == (size[1], size[0])
    np.testing.assert_array_equal(pixels, kept)


def test_sixteen_bits_are_the_same(matte: PersonMatte, face: Pixels) -> None:
    deep = face.astype(np.uint16) * 257
    difference = np.abs(matte.measure(face, True).astype(int) - matte.measure(deep, True))
    assert difference.max() <= 20
    assert difference.mean() < 0.05


def test_a_shot_follows_from_nothing_before(matte: PersonMatte, face: Pixels) -> None:
    alone = matte.measure(face, True)
    for _ in range(2):
        matte.measure(face[:, ::-1].copy(), False)
    np.testing.assert_array_equal(matte.measure(face, True), alone)
    matte.measure(face[:, ::-1].copy(), False)
    matte.reset()
    np.testing.assert_array_equal(matte.measure(face, False), alone)


def test_it_goes_on_from_its_memory(face: Pixels) -> None:
    frames = [np.roll(scale(face, (320, 180)), 2 * step, axis=1) for step in range(6)]
    with PersonMatte() as whole, PersonMatte() as first, PersonMatte() as second:
        expected = [whole.measure(frame, step == 0) for step, frame in enumerate(frames)]
        for step, frame in enumerate(frames[:3]):
            first.measure(frame, step == 0)
        second.memory = {name: array.copy() for name, array in first.memory.items()}
        found = [second.measure(frame, False) for frame in frames[3:]]
        assert second.fingerprint == whole.fingerprint
    np.testing.assert_array_equal(found, expected[3:])


def test_runtimes_agree(face: Pixels) -> None:
    pytest.importorskip("openvino")
    with PersonMatte(runtime="torch") as by_torch, PersonMatte(runtime="openvino") as by_openvino:
        one, other = (made.measure(face, True).astype(int) for made in (by_torch, by_openvino))
        assert by_torch.fingerprint != by_openvino.fingerprint
    assert np.abs(one - other).max() <= 2


def test_it_may_be_closed_twice_and_used_again(face: Pixels) -> None:
    made = PersonMatte()
    found = made.measure(face, True)
    made.close()
    made.close()
    np.testing.assert_array_equal(made.measure(face, False), found)
    made.close()


def test_many_sizes_do_not_pile_up(matte: PersonMatte) -> None:
    for width in (40, 64, 100, 200, 400, 900):
        matte.measure(np.zeros((64, width, 3), np.uint8), True)
    assert len(matte._networks) <= module._NETWORKS


def test_without_openvino(monkeypatch: pytest.MonkeyPatch, face: Pixels) -> None:
    def find(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(module, "find_spec", find)
    with pytest.raises(DeviceError, match="OpenVINO is not installed"):
        PersonMatte(runtime="openvino")
    with PersonMatte() as made:
        assert "torch" in made.fingerprint
        assert made.measure(face, True).any()


def test_making_one_loads_nothing() -> None:
    pytest.importorskip("openvino")
    code = (
        "import sys; from stylize_live.engine.matting.matte import PersonMatte; import numpy as np\n"
        "matte = PersonMatte(); early = {'torch', 'openvino'} & set(sys.modules)\n"
        "matte.measure(np.zeros((16, 16, 3), np.uint8), True), matte.fingerprint\n"
        "print(sorted(early), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip() == "[] False"


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (640, 480), (1, 4000), (4000, 1), (100, 100)])
def test_people_are_looked_for_in_so_many_pixels(size: tuple[int, int]) -> None:
    width, height = network_size(size)
    assert width % 16 == 0
    assert height % 16 == 0
    assert 40_000 < width * height < 56_000
    assert (width > height) == (size[0] > size[1])
    assert network_size(size[::-1]) == (height, width)
