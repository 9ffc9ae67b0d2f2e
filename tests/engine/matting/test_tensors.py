"""The person matte in torch, as a GPU makes it, against the one of OpenCV: step by step, and as a whole.

On torch's CPU device; those marked `gpu` are the same on a GPU, unverified where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from places import ROOT
from textures import texture
from torch import Tensor

from stylize_live.engine.cpu.optical_flow import FlowEstimator, Plane
from stylize_live.engine.cpu.torch_backend import to_levels
from stylize_live.engine.cuda.motion_tensors import TensorMotion
from stylize_live.engine.matting import smoothing, tensor_smoothing
from stylize_live.engine.matting.blobs import remove_weak_blobs
from stylize_live.engine.matting.edges import EdgeFollower
from stylize_live.engine.matting.matte import PersonMatte
from stylize_live.engine.matting.reduction import reduce_to
from stylize_live.engine.matting.tensor_blobs import find_roots
from stylize_live.engine.matting.tensor_blobs import remove_weak_blobs as remove_by_tensors
from stylize_live.engine.matting.tensor_edges import follow_edges
from stylize_live.engine.matting.tensor_matte import DeviceMatte
from stylize_live.engine.matting.tensor_motion import measure_motion
from stylize_live.engine.matting.tensor_reduction import reduce_to as reduce_by_tensors
from stylize_live.frame import Pixels
from stylize_live.media.image.io import read_image
from stylize_live.media.libraries import cv2

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def face() -> Pixels:
    return read_image(ROOT / "docs" / "originals" / "face.jpg").pixels


@pytest.fixture(scope="module")
def likelihood(face: Pixels) -> Plane:
    """What the network says of it, at the size of what follows."""
    with PersonMatte(runtime="torch") as matte:
        matte.measure(face, True)
        return np.array(matte.memory["matte"])


@pytest.fixture(autouse=True)
def on_one_thread() -> Iterator[None]:
    """Several would mostly wait for each other: all is small."""
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.inference_mode():
        yield
    torch.set_num_threads(usual)


def scale(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), pixels.dtype)


def tensor(plane: Plane) -> Tensor:
    return torch.from_numpy(plane)[None, None]


def levels(pixels: Pixels) -> Tensor:
    return to_levels(torch.from_numpy(pixels))


def pan(face: Pixels, size: tuple[int, int], count: int = 6) -> list[Pixels]:
    """A person who goes by."""
    wide = scale(face, size)
    return [np.roll(wide, 2 * step, axis=1) for step in range(count)]


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (1920, 1080), (360, 640), (641, 363), (20, 30)])
def test_reduced_alike(face: Pixels, size: tuple[int, int]) -> None:
    """OpenCV rounds to levels twice on the way, and weighs the pixels that an odd side shares out."""
    pixels = scale(face, size)
    found = reduce_by_tensors(levels(pixels), (256, 192))[0].permute(1, 2, 0).numpy()
    difference = np.abs(found - reduce_to(pixels, (256, 192)))
    assert difference.mean() < 0.5
    assert np.percentile(difference, 99) < (1.01 if size[0] % 2 == 0 else 4)


@pytest.mark.parametrize("share", [0.3, 0.4, 0.5, 0.6])
def test_blobs_are_those_of_opencv(share: float) -> None:
    """Also of noise, as soft as the matte is or softer."""
    noise = np.random.default_rng(round(10 * share)).random((96, 128)).astype(np.float32)
    for sigma in (1.5, 3.0, 6.0):
        soft = cv2.GaussianBlur(noise, (0, 0), sigma)
        assert joined_alike(soft > np.quantile(soft, 1 - share))
    assert joined_alike(noise > 0.7)


def joined_alike(shown: Pixels) -> bool:
    """Whether the same pixels belong together, and no others."""
    roots = find_roots(torch.from_numpy(shown)[None, None]).numpy().reshape(shown.shape)[shown]
    labels = cv2.connectedComponents(shown.view(np.uint8), connectivity=8)[1][shown]
    pairs = np.unique(np.stack((roots, labels)), axis=1).shape[1]
    return pairs == np.unique(roots).size == np.unique(labels).size


def test_what_is_long_and_bent_is_one() -> None:
    """A ring, combs, and arms that meet at their hands."""
    shapes = [np.zeros((96, 128), bool) for _ in range(4)]
    cv2.circle(shapes[0].view(np.uint8), (64, 48), 40, 1, 1)
    shapes[1][10:80, ::6] = shapes[1][80] = True
    shapes[3][10:80, ::20] = shapes[3][10] = True
    cv2.polylines(shapes[2].view(np.uint8), [np.array([[5, 90], [60, 5], [120, 90], [70, 40]])], False, 1, 3)
    for shown in shapes:
        assert joined_alike(shown)
        assert joined_alike(shown[::-1, ::-1].copy())


def test_weak_blobs_vanish_alike(likelihood: Plane) -> None:
    weak = likelihood.copy()
    weak[:12, :12], weak[-6:, :3], weak[:20, -20:] = 0.8, 0.95, 0.5
    for plane in (likelihood, weak, 0 * weak, 1 + 0 * weak):
        found = remove_by_tensors(tensor(plane))[0, 0].numpy()
        np.testing.assert_allclose(found, remove_weak_blobs(plane), atol=1e-6)


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (1920, 1080), (361, 203), (17, 900)])
def test_edges_are_the_same(face: Pixels, likelihood: Plane, size: tuple[int, int]) -> None:
    """To within rounding: OpenCV's is once more to whole levels, before the noise is blurred; where a guide
    is halved, it is, too, which counts for more in the dark."""
    halved = size[0] * size[1] > 1280 * 720
    pixels = scale(face, size)
    for light in (1.0, 0.15):
        dark = (pixels * light).astype(np.uint8)
        small = reduce_to(dark, likelihood.shape[::-1])
        wanted = EdgeFollower()(likelihood, small, dark).astype(int)
        found = follow_edges(tensor(likelihood), levels(small), levels(dark)).numpy()
        difference = np.abs(found - wanted)
        assert difference.max() <= (1 if not halved else 2 if light == 1 else 16)
        assert difference.mean() < 0.1


def test_nobody_and_nothing_else(face: Pixels) -> None:
    pixels = scale(face, (320, 180))
    small = levels(reduce_to(pixels, (128, 96)))
    for level in (0, 1):
        matte = follow_edges(torch.full((1, 1, 96, 128), float(level)), small, levels(pixels))
        assert (matte == 255 * level).all()


def test_smoothed_alike_by_the_same_motion(face: Pixels, likelihood: Plane) -> None:
    """To within a few thousandths: OpenCV moves by 32nds of a pixel."""
    small = reduce_to(face, likelihood.shape[::-1])
    later, moved = np.roll(small, 2, axis=1), np.roll(likelihood, 2, axis=1)
    smoother = smoothing.MatteSmoother()
    smoother(likelihood, small)
    before = smoother.memory["matte_before"]
    wanted = smoother(moved, later)
    motion = FlowEstimator()(before, smoother.memory["matte_before"])
    found = tensor_smoothing.smooth(
        tensor(likelihood), tensor(moved), TensorMotion.of(motion, CPU), torch.zeros(())
    )[0, 0].numpy()
    assert np.abs(found - wanted).max() < 0.02
    assert np.abs(found - wanted).mean() < 0.001


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.4, 0.0), (-0.7, 0.5), (1.0, -1.0), (1.6, 1.3)])
def test_motion_is_found(shift: tuple[float, float]) -> None:
    scene = cv2.cvtColor(texture(104, 125, 3), cv2.COLOR_RGB2GRAY)

    def view(x: float, y: float) -> Tensor:
        return torch.from_numpy(cv2.getRectSubPix(scene, (85, 64), (62 + x, 52 + y))).float()

    motion = measure_motion(torch.stack((view(0, 0), view(*shift))))
    found = motion.flow[0, :, 8:-8, 8:-8].flatten(1).median(1).values
    assert found.tolist() == pytest.approx(shift, abs=0.2)


def test_nothing_moves_where_nothing_is_seen() -> None:
    grey, still = np.full((64, 85), 90, np.uint8), texture(64, 85, 1)[..., 0]
    for image in (grey, still):
        assert not measure_motion(torch.from_numpy(image).float().expand(2, -1, -1)).flow.any()


@pytest.mark.parametrize("size", [(640, 360), (400, 300)])
def test_the_whole_matte(face: Pixels, size: tuple[int, int]) -> None:
    """The first frame to within rounding; later a few pixels of edges more: motion is searched otherwise."""
    frames = pan(face, size)
    matte = DeviceMatte("cpu")
    with PersonMatte(runtime="torch") as wanted:
        for index, frame in enumerate(frames):
            found = matte.measure(frame, index == 0)
            difference = np.abs(found.astype(int) - wanted.measure(frame, index == 0))
            assert found.dtype == np.uint8
            assert difference.mean() < (0.6 if index else 0.05)
            assert (difference > 25).mean() <= (0.01 if index else 0)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 31), (360, 640), (2000, 20)])
def test_every_size(face: Pixels, size: tuple[int, int]) -> None:
    pixels = scale(face, size)
    for dtype in (np.uint8, np.uint16):
        given = pixels.astype(dtype) * (257 if dtype is np.uint16 else 1)
        kept = given.copy()
        assert DeviceMatte("cpu").measure(given, False).shape == (size[1], size[0])
        np.testing.assert_array_equal(given, kept)


def test_a_shot_and_another_size_follow_from_nothing_before(face: Pixels) -> None:
    frame, matte = scale(face, (320, 180)), DeviceMatte("cpu")
    alone = matte.measure(frame, True)
    matte.measure(frame[:, ::-1].copy(), False)
    np.testing.assert_array_equal(matte.measure(frame, True), alone)
    matte.measure(scale(face, (180, 320)), False)
    np.testing.assert_array_equal(matte.measure(frame, False), alone)


def test_it_goes_on_from_its_memory(face: Pixels) -> None:
    frames = pan(face, (320, 180))
    whole, first, second = DeviceMatte("cpu"), DeviceMatte("cpu"), DeviceMatte("cpu")
    assert not first.memory
    expected = [whole.measure(frame, step == 0) for step, frame in enumerate(frames)]
    for step, frame in enumerate(frames[:3]):
        first.measure(frame, step == 0)
    second.memory = {name: array.copy() for name, array in first.memory.items()} | {"mix": np.zeros(3)}
    found = [second.measure(frame, False) for frame in frames[3:]]
    np.testing.assert_array_equal(found, expected[3:])
    second.memory = {}
    np.testing.assert_array_equal(second.measure(frames[0], False), expected[0])


def test_a_stylizer_on_a_gpu_has_it(face: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that differs there is the device."""
    monkeypatch.setattr(
        "stylize_live.engine.matting.tensor_matte.DeviceMatte", lambda name: DeviceMatte("cpu")
    )
    frames = pan(face, (320, 180), 3)
    plain = DeviceMatte("cpu")
    with PersonMatte("cuda:1") as matte, PersonMatte("cuda") as other:
        assert matte.fingerprint == other.fingerprint != PersonMatte().fingerprint
        for index, frame in enumerate(frames[:2]):
            found = matte.measure(frame, index == 0)
            np.testing.assert_array_equal(found, plain.measure(frame, index == 0))
        other.memory = dict(matte.memory)
        np.testing.assert_array_equal(other.measure(frames[2], False), plain.measure(frames[2], False))
        other.reset()
        assert not other.memory


@pytest.mark.gpu
@pytest.mark.parametrize("size", [(640, 360), (1920, 1080), (53, 37)])
def test_on_a_gpu_as_on_the_cpu(cuda: torch.device, face: Pixels, size: tuple[int, int]) -> None:
    """Its convolutions round otherwise, and to fewer digits where it has TF32."""
    by_gpu, by_cpu = DeviceMatte("cuda"), DeviceMatte("cpu")
    for index, frame in enumerate(pan(face, size, 4)):
        difference = np.abs(by_gpu.measure(frame, index == 0).astype(int) - by_cpu.measure(frame, index == 0))
        assert difference.mean() < 0.6
        assert (difference > 25).mean() < 0.01


@pytest.mark.gpu
def test_a_gpu_repeats_it(cuda: torch.device, face: Pixels, caplog: pytest.LogCaptureFixture) -> None:
    """In one graph for each size, to the last bit; also where another size was between."""
    frames = pan(face, (640, 360), 4)
    matte = DeviceMatte("cuda")
    first = [matte.measure(frame, index == 0) for index, frame in enumerate(frames)]
    matte.measure(scale(face, (320, 180)), True)
    kept = [one.copy() for one in first]
    again = [matte.measure(frame, index == 0) for index, frame in enumerate(frames)]
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(first, kept)
    assert not caplog.records  # none of them had to do without
