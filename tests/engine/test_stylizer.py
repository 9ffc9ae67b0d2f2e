"""The engine: pixels in, pixels out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from exact import exact
from tiny import make_checkpoint, random_pixels

from stylize_live.engine import Stylizer
from stylize_live.engine.core.economy import Economy
from stylize_live.errors import DeviceError, StyleError, UsageError
from stylize_live.frame import Frame, Pixels
from stylize_live.nets.checkpoint import save_checkpoint

pytestmark = pytest.mark.usefixtures("few_graphs")

PIXELS = random_pixels(70, 41)


def test_paints_an_array(tiny_style: Path) -> None:
    before = PIXELS.copy()
    painted = exact(tiny_style)(PIXELS)
    assert painted.shape == PIXELS.shape
    assert painted.dtype == np.uint8
    assert painted.flags.c_contiguous
    assert (before == PIXELS).all()
    assert (painted != PIXELS).any()


def test_sixteen_bits_stay_sixteen(tiny_style: Path) -> None:
    stylizer = exact(tiny_style)
    deep = PIXELS.astype(np.uint16) * 257
    painted = stylizer(deep)
    assert painted.dtype == np.uint16
    assert np.abs(painted / 257 - stylizer(PIXELS)).max() <= 0.51
    assert (painted % 257 != 0).mean() > 0.9  # levels that 8 bits do not have
    assert (exact(tiny_style, strength=0.0)(deep) == deep).all()


def test_paints_a_frame(tiny_style: Path) -> None:
    stylizer = exact(tiny_style)
    frame = Frame(PIXELS, Fraction(1, 3), 12.5, 7)
    painted = stylizer(frame)
    assert (painted.pts, painted.captured_at, painted.index) == (Fraction(1, 3), 12.5, 7)
    assert (painted.pixels == stylizer(PIXELS)).all()


def test_stream_paints_every_frame_in_order(tiny_style: Path) -> None:
    stylizer = exact(tiny_style)
    frames = [Frame(random_pixels(20 + i % 2, 18, i), Fraction(i), 0.0, i) for i in range(6)]
    painted = list(stylizer.stream(frames))
    assert [f.index for f in painted] == list(range(6))
    assert all((p.pixels == stylizer(f.pixels)).all() for p, f in zip(painted, frames, strict=True))


def test_result_is_the_same_every_time(tiny_style: Path) -> None:
    assert (exact(tiny_style)(PIXELS) == exact(tiny_style)(PIXELS)).all()


def test_strength_zero_is_the_original(tiny_style: Path) -> None:
    assert (exact(tiny_style, strength=0.0)(PIXELS) == PIXELS).all()


def test_strength_half_lies_between(tiny_style: Path) -> None:
    full = exact(tiny_style)(PIXELS).astype(int)
    half = exact(tiny_style, strength=0.5)(PIXELS).astype(int)
    assert np.abs(half - (full + PIXELS) / 2).max() <= 1


def test_strength_out_of_range(tiny_style: Path) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        exact(tiny_style, strength=1.5)


def test_style_changes_between_images(tiny_style: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, make_checkpoint("other", seed=5))
    stylizer = exact(tiny_style)
    first = stylizer(PIXELS)
    stylizer.style = str(other)
    assert (stylizer(PIXELS) == exact(other)(PIXELS)).all()
    assert (stylizer(PIXELS) != first).any()


def test_unknown_style_keeps_the_old_one(tiny_style: Path) -> None:
    stylizer = exact(tiny_style)
    with pytest.raises(StyleError, match="unknown style"):
        stylizer.style = "no-such-style"
    assert stylizer.style == str(tiny_style)


@pytest.mark.parametrize(
    "bad",
    [PIXELS.astype(float), PIXELS[:, :, 0], PIXELS[:, :, :2], [[1]]],
    ids=["float", "grey", "two", "list"],
)
def test_refuses_what_is_not_an_image(tiny_style: Path, bad: object) -> None:
    with pytest.raises(TypeError, match="expected"):
        exact(tiny_style)(bad)  # type: ignore[call-overload]


def test_refuses_an_empty_image(tiny_style: Path) -> None:
    with pytest.raises(ValueError, match="without pixels"):
        exact(tiny_style)(PIXELS[:0])


def test_takes_strided_images(tiny_style: Path) -> None:
    flipped = PIXELS[:, ::-1]
    assert (exact(tiny_style)(flipped) == exact(tiny_style)(flipped.copy())).all()


def test_sixteen_bits_look_the_same(tiny_style: Path) -> None:
    sixteen = Stylizer(tiny_style, device="cpu", precision="bfloat16")(PIXELS).astype(int)
    assert np.abs(sixteen - exact(tiny_style)(PIXELS)).mean() < 1.0


def test_cuda_that_is_not_there(tiny_style: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(DeviceError, match="no CUDA device"):
        Stylizer(tiny_style, device="cuda")
    assert Stylizer(tiny_style).device == "cpu"


def test_float16_on_the_cpu(tiny_style: Path) -> None:
    with pytest.raises(DeviceError, match="needs a GPU"):
        Stylizer(tiny_style, device="cpu", precision="float16")


def test_closes_twice(tiny_style: Path) -> None:
    with exact(tiny_style) as stylizer:
        stylizer.warm_up((16, 16))
    stylizer.close()


def video(count: int) -> list[Frame]:
    """A still scene seen by a noisy camera."""
    scene = random_pixels(96, 72, 3).astype(int)
    scene = np.repeat(np.repeat(scene[::6, ::6], 6, 0), 6, 1)
    rng = np.random.default_rng(0)
    noisy = [np.clip(scene + rng.normal(0, 6, scene.shape), 0, 255).astype(np.uint8) for _ in range(count)]
    return [Frame(pixels, Fraction(i, 30), 0.0, i) for i, pixels in enumerate(noisy)]


def flicker(frames: list[Frame]) -> float:
    images = np.stack([frame.pixels for frame in frames]).astype(float)
    return float(np.sqrt(np.square(np.diff(images, axis=0)).mean()))


def test_steadiness_removes_flicker(tiny_style: Path) -> None:
    with exact(tiny_style, steadiness=0.8) as steady:
        smoothed = list(steady.stream(video(12)))
    plain = list(exact(tiny_style).stream(video(12)))
    assert flicker(smoothed[4:]) < 0.3 * flicker(plain[4:])
    assert (smoothed[0].pixels == plain[0].pixels).all()


def test_each_start_of_a_video_is_painted_anew(tiny_style: Path) -> None:
    frames = video(3)
    with exact(tiny_style, steadiness=0.8) as steady:
        steady.warm_up((72, 96))
        first = steady(frames[0]).pixels
        assert (first == exact(tiny_style)(frames[0]).pixels).all()
        assert (steady(frames[1]).pixels != exact(tiny_style)(frames[1]).pixels).any()
        steady.reset()
        assert (steady(frames[0]).pixels == first).all()
        steady.strength = 0.0
        assert (steady(frames[2]).pixels == frames[2].pixels).all()


def test_a_new_style_shows_at_once(tiny_style: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, make_checkpoint(seed=5))
    frames = video(3)
    with exact(tiny_style, steadiness=0.9) as steady:
        for frame in frames[:2]:
            steady(frame)
        steady.style = str(other)
        assert (steady(frames[2]).pixels == exact(other)(frames[2]).pixels).all()


def test_sixteen_bits_are_smoothed_alike(tiny_style: Path) -> None:
    frames = video(4)
    deep = [frame.with_image(frame.pixels.astype(np.uint16) * 257) for frame in frames]
    with exact(tiny_style, steadiness=0.8) as eight, exact(tiny_style, steadiness=0.8) as sixteen:
        for a, b in zip(eight.stream(frames), sixteen.stream(deep), strict=True):
            assert np.abs(b.pixels / 257 - a.pixels).max() <= 1


def test_a_saved_state_goes_on_exactly(tiny_style: Path) -> None:
    frames = video(8)
    with exact(tiny_style, steadiness=0.8) as whole:
        wanted = list(whole.stream(frames))
    with exact(tiny_style, steadiness=0.8) as first:
        list(first.stream(frames[:5]))
        state = first.save_state()
    with exact(tiny_style, steadiness=0.8) as second:
        second.restore_state(state)
        found = list(second.stream(frames[5:]))
        assert all((a.pixels == b.pixels).all() for a, b in zip(found, wanted[5:], strict=True))
        second.restore_state(None)
        assert (second(frames[0]).pixels == wanted[0].pixels).all()
        with pytest.raises(ValueError, match="not a saved state"):
            second.restore_state(b"nonsense")


def test_an_image_that_failed_does_not_count_as_the_first(
    tiny_style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, pixels: Pixels) -> None:
        raise MemoryError("on purpose")

    with exact(tiny_style, steadiness=0.8) as stylizer:
        wanted = stylizer(PIXELS)
        for _ in range(3):
            stylizer(255 - PIXELS)
        stylizer.reset()
        with monkeypatch.context() as patch:
            patch.setattr(type(stylizer._backend), "run_network", fail)
            with pytest.raises(MemoryError):
                stylizer(PIXELS)
        assert (stylizer(PIXELS) == wanted).all()


def test_nothing_to_save_without_steadiness(tiny_style: Path) -> None:
    stylizer = exact(tiny_style)
    stylizer(PIXELS)
    assert stylizer.save_state() == b""


def test_a_cut_starts_as_if_the_video_began_there(tiny_style: Path) -> None:
    dark = [frame.with_image(frame.pixels // 4) for frame in video(6)]
    light = [frame.with_image(255 - frame.pixels // 4) for frame in video(6)]
    with exact(tiny_style, steadiness=0.8) as through, exact(tiny_style, steadiness=0.8) as from_cut:
        wanted = list(from_cut.stream(light))
        found = list(through.stream(dark + light))[6:]
    assert all((a.pixels == b.pixels).all() for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("steadiness", [-0.1, 1.1])
def test_steadiness_out_of_range(tiny_style: Path, steadiness: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        exact(tiny_style, steadiness=steadiness)


@pytest.mark.parametrize("steadiness", [0.0, 0.8])
def test_with_economy_every_second_image_is_painted(tiny_style: Path, steadiness: float) -> None:
    """And without, as in a conversion, all are; also the first after a pause, and after a change of style."""
    stylizer = exact(tiny_style, steadiness=steadiness)
    times = [10.0, 10.03, 10.06, 10.09, 12.0, 12.03, 12.06]

    def carried(times: list[float]) -> list[bool]:
        found = []
        for number, when in enumerate(times):
            stylizer(Frame(PIXELS, Fraction(number, 30), when, number))
            found.append(stylizer.carried)
        return found

    assert stylizer.economy is None
    assert not any(carried(times))
    stylizer.economy = Economy(2)
    assert stylizer.can_save
    assert carried(times) == [False, True, False, True, False, True, False]
    assert carried([12.09]) == [True]
    stylizer.style = str(tiny_style)
    assert carried([12.12, 12.15]) == [False, True]
    stylizer.economy = None
    assert not any(carried(times))
