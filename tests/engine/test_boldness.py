"""Styles with two ends: in their files, in between, blended, in timelines, while images are painted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from exact import exact
from safetensors.torch import load_file, save_file
from tiny import GOOD_METADATA, make_checkpoint, random_pixels

from stylize_live.engine import Stylizer
from stylize_live.engine.style_loading import load_style
from stylize_live.errors import StyleError, UsageError
from stylize_live.frame import Frame, Pixels
from stylize_live.nets.checkpoint import Checkpoint, Weights, load_checkpoint, save_checkpoint

pytestmark = pytest.mark.usefixtures("few_graphs")

IMAGE = random_pixels(40, 32)


def two_ends(path: Path, seed: int = 0) -> Path:
    """A style file whose bold end has this seed and whose faithful end the next one."""
    faithful = make_checkpoint(seed=seed + 1).weights
    save_checkpoint(path, replace(make_checkpoint(path.stem, seed), faithful=faithful))
    return path


@pytest.fixture
def style(tmp_path: Path) -> Path:
    return two_ends(tmp_path / "two.safetensors")


def assert_close(found: Weights, wanted: Weights, tolerance: float = 1e-6) -> None:
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, atol=tolerance)


# ------------------------------------------------------------------ files


def test_both_ends_come_back(style: Path, tiny_style: Path) -> None:
    found, bold, faithful = load_checkpoint(style), load_checkpoint(tiny_style), make_checkpoint(seed=1)
    assert found.faithful is not None
    assert found.digest() == bold.digest()
    for name, wanted in faithful.weights.items():
        rows = (wanted - bold.weights[name]).reshape(len(wanted) if wanted.ndim > 1 else 1, -1)
        step = np.abs(rows).max(1) / 127
        off = np.abs(found.faithful[name] - wanted).reshape(rows.shape).max(1)
        assert (off <= 0.55 * step + 5e-6).all(), name  # sizes of steps are float16, too
    assert bold.faithful is None


def test_the_second_end_takes_half_the_room_of_the_first(style: Path) -> None:
    sizes = {False: 0, True: 0}
    for name, tensor in load_file(style).items():
        sizes[name.startswith("faithful")] += tensor.nbytes
    assert sizes[True] < 0.6 * sizes[False]


Tensors = dict[str, torch.Tensor]


def without_a_scale(tensors: Tensors) -> None:
    del tensors["faithful_scale.to_full.bias"]


def without_steps(tensors: Tensors) -> None:
    for name in [name for name in tensors if name.startswith("faithful.")]:
        del tensors[name]


def with_one_scale_for_all(tensors: Tensors) -> None:
    tensors["faithful_scale.stem.0.weight"] = torch.zeros(1).half()


def with_a_stranger(tensors: Tensors) -> None:
    tensors["faithful.stranger"] = torch.zeros(1).char()


def with_steps_of_another_shape(tensors: Tensors) -> None:
    tensors["faithful.to_full.bias"] = torch.zeros(4).char()


def with_steps_in_floats(tensors: Tensors) -> None:
    tensors["faithful.to_full.bias"] = torch.zeros(3).half()


def with_long_scales(tensors: Tensors) -> None:
    tensors["faithful_scale.to_full.bias"] = torch.zeros(1)


def with_endless_steps(tensors: Tensors) -> None:
    tensors["faithful_scale.to_full.bias"] = torch.full((1,), float("inf")).half()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without_a_scale, "do not fit"),
        (without_steps, "do not fit"),
        (with_one_scale_for_all, "do not fit"),
        (with_a_stranger, "do not fit"),
        (with_steps_of_another_shape, "do not fit"),
        (with_steps_in_floats, r"faithful\.to_full\.bias has an unknown type"),
        (with_long_scales, r"faithful_scale\.to_full\.bias has an unknown type"),
        (with_endless_steps, "not finite"),
    ],
)
def test_a_second_end_is_not_believed(style: Path, spoil: Callable[[Tensors], None], message: str) -> None:
    tensors = load_file(style)
    spoil(tensors)
    save_file(tensors, style, GOOD_METADATA)
    with pytest.raises(StyleError, match=message):
        load_checkpoint(style)


def test_ends_that_agree_stay_equal(tmp_path: Path) -> None:
    one = make_checkpoint()
    half = {name: value.astype(np.float16).astype(np.float32) for name, value in one.weights.items()}
    save_checkpoint(tmp_path / "same.safetensors", replace(one, faithful=half))
    found = load_checkpoint(tmp_path / "same.safetensors")
    assert found.faithful is not None
    assert all((found.faithful[name] == value).all() for name, value in found.weights.items())


# ------------------------------------------------------------------ between the ends


def test_between_the_ends(style: Path) -> None:
    found = load_checkpoint(style)
    assert found.faithful is not None
    assert found.at(1) is found
    assert_close(found.at(0).weights, found.faithful, 0)
    middle = {name: 0.3 * value + 0.7 * found.faithful[name] for name, value in found.weights.items()}
    assert_close(found.at(0.3).weights, middle)
    assert found.at(0.3) is found.at(0.3)
    assert len({found.at(boldness).digest() for boldness in (0, 0.3, 0.35, 1)}) == 4


def test_one_end_is_the_same_at_every_boldness(tiny_style: Path) -> None:
    found = load_checkpoint(tiny_style)
    assert found.at(0) is found.at(0.5) is found


@pytest.mark.parametrize("boldness", [-0.1, 1.1, float("nan")])
def test_boldness_out_of_range(style: Path, tiny_style: Path, boldness: float) -> None:
    for path in (style, tiny_style):
        with pytest.raises(UsageError, match="boldness must be between 0 and 1"):
            exact(path, boldness=boldness)
        with exact(path) as stylizer, pytest.raises(UsageError, match="boldness must be between 0 and 1"):
            stylizer.boldness = boldness


def test_blends_are_between_the_ends_of_all_their_parts(
    style: Path, tiny_style: Path, tmp_path: Path
) -> None:
    other = two_ends(tmp_path / "other.safetensors", seed=5)
    for boldness in (0.0, 0.4, 1.0):
        mixed = load_style(f"{style}:0.25,{other}:0.75").at(boldness).weights
        a, b = (load_checkpoint(path).at(boldness).weights for path in (style, other))
        assert_close(mixed, {name: 0.25 * a[name] + 0.75 * b[name] for name in a})
    # One that has one end only is the same at both.
    mixed = load_style(f"{style}:0.5,{tiny_style}:0.5").at(0).weights
    a, b = load_checkpoint(style).at(0).weights, load_checkpoint(tiny_style).weights
    assert_close(mixed, {name: (a[name] + b[name]) / 2 for name in a})
    assert load_style(f"{tiny_style}:0.5,{tiny_style.parent}/./tiny.safetensors:0.5").faithful is None


# ------------------------------------------------------------------ painting


def painted(checkpoint: Checkpoint, tmp_path: Path) -> Pixels:
    """What a style file of these weights paints; they are rounded to 16 bits on the way."""
    save_checkpoint(tmp_path / "alone.safetensors", checkpoint)
    with exact(tmp_path / "alone.safetensors", boldness=1.0) as stylizer:
        return stylizer(IMAGE)


def off(a: Pixels, b: Pixels) -> int:
    return int(np.abs(a.astype(int) - b).max())


@pytest.mark.parametrize("boldness", [0.0, 0.35, 1.0])
def test_paints_at_a_boldness(style: Path, tmp_path: Path, boldness: float) -> None:
    with exact(style, boldness=boldness) as stylizer:
        found = stylizer(IMAGE)
    assert off(found, painted(load_checkpoint(style).at(boldness), tmp_path)) <= 1


def test_a_change_counts_from_the_next_image_on(style: Path) -> None:
    with exact(style, boldness=1.0) as changed:
        bold = changed(IMAGE)
        changed.boldness = 0.2
        assert changed.boldness == 0.2
        again = changed(IMAGE)
        changed.boldness = 1.0
        assert (changed(IMAGE) == bold).all()
    with exact(style, boldness=0.2) as fresh:
        assert (fresh(IMAGE) == again).all()
    assert off(again, bold) > 5


def test_the_next_style_is_as_bold(style: Path, tmp_path: Path) -> None:
    other = two_ends(tmp_path / "other.safetensors", seed=5)
    with exact(style, boldness=0.5) as changed, exact(other, boldness=0.25) as fresh:
        changed.style = str(other)
        changed.boldness = 0.25
        assert (changed(IMAGE) == fresh(IMAGE)).all()
        assert changed.fingerprint == fresh.fingerprint


def test_fingerprint_tells_boldness_apart_where_it_counts(style: Path, tiny_style: Path) -> None:
    def fingerprint(path: Path, boldness: float) -> str:
        return exact(path, boldness=boldness).fingerprint

    assert len({fingerprint(style, boldness) for boldness in (0.0, 0.5, 1.0)}) == 3
    assert fingerprint(style, 0.5) == fingerprint(style, 0.5)
    assert fingerprint(tiny_style, 0.5) == fingerprint(tiny_style, 1.0)


def frames(*times: float) -> list[Frame]:
    return [Frame(IMAGE, Fraction(when), 0.0, index) for index, when in enumerate(times)]


def test_crossfades_at_a_boldness(style: Path, tmp_path: Path) -> None:
    other = two_ends(tmp_path / "other.safetensors", seed=5)
    with exact(f"0:{style},1:{other}", crossfade=1.0, boldness=0.5) as stylizer:
        first, half, last = (frame.pixels for frame in stylizer.stream(frames(0, 1.5, 2)))
    for found, wanted in ((first, style), (half, f"{style}:0.5,{other}:0.5"), (last, other)):
        with exact(wanted, boldness=0.5) as alone:
            assert off(found, alone(IMAGE)) <= 1


def test_a_timeline_grows_bolder(style: Path) -> None:
    """Whatever boldness is set for all else."""
    with exact(f"0:{style}@0,1:{style}@1", crossfade=2.0, boldness=0.7) as stylizer:
        assert not stylizer.has_boldness
        found = [frame.pixels for frame in stylizer.stream(frames(0, 1.5, 2, 3))]
    for pixels, boldness in zip(found, (0, 0.25, 0.5, 1), strict=True):
        with exact(style, boldness=boldness) as alone:
            assert off(pixels, alone(IMAGE)) <= 1


def test_boldness_changes_in_the_middle_of_a_timeline(style: Path, tmp_path: Path) -> None:
    other = two_ends(tmp_path / "other.safetensors", seed=5)
    with exact(f"0:{style},1:{other}") as stylizer:
        list(stylizer.stream(frames(0, 2)))
        stylizer.boldness = 0.0
        (found,) = (frame.pixels for frame in stylizer.stream(frames(3)))
    with exact(other, boldness=0.0) as alone:
        assert (found == alone(IMAGE)).all()


def test_a_style_with_one_end_is_named_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_checkpoint(tmp_path / "single.safetensors", make_checkpoint("the only single"))
    for _ in range(2):
        with exact(tmp_path / "single.safetensors", boldness=0.5) as stylizer:
            assert not stylizer.has_boldness
            stylizer(IMAGE)
    assert [record.getMessage() for record in caplog.records] == [
        "the only single: boldness makes no difference"
    ]
    caplog.clear()
    with exact(two_ends(tmp_path / "two.safetensors"), boldness=0.5) as stylizer:
        assert stylizer.has_boldness
    assert caplog.records == []


def test_a_style_that_is_chosen_while_boldness_is_made_ready_wins(
    style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = two_ends(tmp_path / "other.safetensors", seed=5)
    under_way, go_on = threading.Event(), threading.Event()

    def prepare(self: object, checkpoint: Checkpoint) -> None:
        under_way.set()
        assert go_on.wait(5)

    with exact(style) as stylizer:
        before = stylizer(IMAGE)
        monkeypatch.setattr(type(stylizer._backend), "prepare", prepare)
        setting = threading.Thread(target=setattr, args=(stylizer, "boldness", 0.5))
        setting.start()
        assert under_way.wait(5)
        assert (stylizer(IMAGE) == before).all()  # painting does not wait
        stylizer.style = str(other)
        go_on.set()
        setting.join()
        found = stylizer(IMAGE)
    with exact(other, boldness=0.5) as alone:
        assert (found == alone(IMAGE)).all()


def test_openvino_makes_graphs_beside_painting(style: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = pytest.importorskip("stylize_live.engine.cpu.openvino_backend")
    makers: list[str] = []
    compiled = module._compile

    def note(*arguments: object) -> object:
        makers.append(threading.current_thread().name)
        return compiled(*arguments)

    monkeypatch.setattr(module, "_compile", note)
    with (
        Stylizer(style, device="cpu", runtime="openvino", precision="float32") as ours,
        Stylizer(style, boldness=0.5, device="cpu", runtime="torch", precision="float32") as expected,
    ):
        ours(IMAGE)
        setting = threading.Thread(target=setattr, args=(ours, "boldness", 0.5), name="beside")
        setting.start()
        setting.join()
        assert off(ours(IMAGE), expected(IMAGE)) <= 1
        assert makers == [threading.main_thread().name, "beside"]
        assert ours(random_pixels(24, 16)).shape == (16, 24, 3)  # of another size: made when it comes
        assert len(makers) == 3
