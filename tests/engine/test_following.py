"""A stylizer whose options and style follow something from frame to frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import make_checkpoint, random_pixels

from stylize_live.engine import Stylizer
from stylize_live.engine.core.protocols import TemporalContext
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.cuda.painting import TensorStylizer
from stylize_live.engine.following import FADE_STEPS
from stylize_live.errors import StyleError
from stylize_live.frame import Frame, Pixels
from stylize_live.nets.checkpoint import save_checkpoint
from stylize_live.sound.follower import STILL, Movement

pytestmark = pytest.mark.usefixtures("few_graphs")

SIZE = (64, 48)


class Follower:
    """Moves as a function of time says."""

    fingerprint = "test"

    def __init__(self, at: Callable[[float], Movement], *, waits: bool = True) -> None:
        self._at, self.waits = at, waits

    def at(self, when: Fraction) -> Movement:
        return self._at(float(when))


def moved(**offsets: float) -> Movement:
    return Movement(offsets)


def frame(number: int, *, fps: int = 10) -> Frame:
    pixels = np.ascontiguousarray(np.roll(random_pixels(*SIZE), number, 1))
    return Frame(pixels, Fraction(number, fps), number / fps, number, starts_shot=number == 0)


def paint(stylizer: Stylizer, numbers: range) -> list[Pixels]:
    return [done.pixels for done in stylizer.stream(frame(number) for number in numbers)]


@pytest.fixture(params=["torch", "openvino"])
def runtime(request: pytest.FixtureRequest) -> str:
    if request.param == "openvino":
        pytest.importorskip("openvino")
    return str(request.param)


Make = Callable[..., Stylizer]


@pytest.fixture
def make(tmp_path: Path, runtime: str) -> Make:
    """Stylizers of the style "a", which has two ends; "b" and "c" lie beside it."""
    for seed, name in enumerate("abc"):
        faithful = make_checkpoint(seed=2 * seed + 1).weights
        two_ends = replace(make_checkpoint(name, 2 * seed), faithful=faithful)
        save_checkpoint(tmp_path / f"{name}.safetensors", two_ends)

    def make_one(**options: object) -> Stylizer:
        style = options.pop("style", tmp_path / "a.safetensors")
        exact = {"device": "cpu", "runtime": runtime, "precision": "float32"}
        return Stylizer(style, **exact, **options)  # type: ignore[arg-type]

    return make_one


def styles(tmp_path: Path, names: str = "abc") -> list[str]:
    return [str(tmp_path / f"{name}.safetensors") for name in names]


def test_one_that_stands_still_changes_nothing(make: Make) -> None:
    with make(steadiness=0.8) as plain, make(steadiness=0.8) as stylizer:
        stylizer.follow(Follower(lambda when: STILL))
        np.testing.assert_array_equal(paint(stylizer, range(4)), paint(plain, range(4)))


@pytest.mark.parametrize(
    ("offset", "option"),
    [
        ({"strength": -0.4}, {"strength": 0.6}),
        ({"boldness": 0.2}, {"boldness": 0.9}),
        ({"stroke": 1.0}, {"stroke": 2.0}),
        ({"strength": 9.0, "boldness": -9.0}, {"boldness": 0.0}),
    ],
)
def test_options_move_around_what_is_set(
    make: Make, offset: dict[str, float], option: dict[str, float]
) -> None:
    with make(**option) as wanted, make() as stylizer:
        stylizer.follow(Follower(lambda when: moved(**offset)))
        np.testing.assert_array_equal(paint(stylizer, range(2)), paint(wanted, range(2)))
        assert (stylizer.strength, stylizer.boldness, stylizer.stroke) == (1.0, 0.7, 1.0)
        np.testing.assert_array_equal(stylizer(frame(0)).pixels, wanted(frame(0)).pixels)


def test_all_is_again_as_it_is_set_once_nothing_is_followed(make: Make) -> None:
    with make() as plain, make() as stylizer:
        stylizer.follow(Follower(lambda when: moved(boldness=0.2, strength=-0.5, stroke=0.5)))
        stylizer(frame(0))
        stylizer.follow(None)
        np.testing.assert_array_equal(stylizer(frame(1)).pixels, plain(frame(1)).pixels)


def test_no_strength_stays_none_and_some_stays_some(make: Make) -> None:
    with make(strength=0, steadiness=0.5) as none, make(strength=0.2, steadiness=0.5) as some:
        none.follow(Follower(lambda when: moved(strength=0.5)))
        some.follow(Follower(lambda when: moved(strength=-0.5)))
        np.testing.assert_array_equal(none(frame(0)).pixels, frame(0).pixels)
        assert (some(frame(0)).pixels != frame(0).pixels).any()


@pytest.mark.parametrize("option", ["boldness", "stroke", "strength", "steadiness"])
def test_paint_stays_steady_while_it_moves(make: Make, option: str) -> None:
    """A step is taken by the images that follow, not at once."""
    still = [Frame(frame(0).pixels, Fraction(n, 10), n / 10, n, starts_shot=n == 0) for n in range(8)]
    step = {"boldness": 0.05, "stroke": 0.25, "strength": -0.02, "steadiness": -0.1}[option]
    with make(steadiness=0.9) as stylizer, make(steadiness=0.9) as begun:
        stylizer.follow(Follower(lambda when: moved(**{option: step * (when > 0.35)})))
        begun.follow(Follower(lambda when: moved(**{option: step})))
        shown = [done.pixels.astype(float) for done in stylizer.stream(still)]
        target = next(begun.stream(still[:1])).pixels.astype(float)
    whole = np.abs(target - shown[3]).mean()
    first = np.abs(shown[4] - shown[3]).mean()
    assert first <= max(0.6 * whole, 1.5)


def test_a_row_of_styles_fades_from_one_to_the_next(make: Make, tmp_path: Path) -> None:
    row, places = styles(tmp_path), (0, 5, 10, 15, 20, 30)
    with make() as stylizer:
        stylizer.follow(Follower(lambda when: Movement({}, changes=when)), row)
        found = [stylizer(frame(place)).pixels for place in places]
    half = f"{row[0]}:0.5,{row[1]}:0.5", f"{row[1]}:0.5,{row[2]}:0.5"
    for style, place, image in zip(
        [row[0], half[0], row[1], half[1], row[2], row[0]], places, found, strict=True
    ):
        with make(style=style) as wanted:
            difference = np.abs(image.astype(int) - wanted(frame(place)).pixels)
            assert difference.max() <= 1, style


def test_the_chosen_style_comes_first_and_then_those_behind_it(make: Make, tmp_path: Path) -> None:
    with make(style=styles(tmp_path)[1]) as stylizer, make(style=styles(tmp_path)[2]) as wanted:
        stylizer.follow(Follower(lambda when: Movement({}, changes=1.0)), styles(tmp_path))
        np.testing.assert_array_equal(stylizer(frame(0)).pixels, wanted(frame(0)).pixels)


def test_an_unknown_style_of_a_row_is_refused(make: Make) -> None:
    with make() as stylizer, pytest.raises(StyleError, match="unknown style"):
        stylizer.follow(Follower(lambda when: STILL), ["no-such-style"])


def test_a_resumed_video_goes_on_as_if_nothing_had_happened(make: Make, tmp_path: Path) -> None:
    def at(when: float) -> Movement:
        moves = {"boldness": round(when) * 0.05, "strength": -when / 10, "stroke": 0.125 * round(2 * when)}
        return Movement(moves, changes=when)

    with make(steadiness=0.8) as whole, make(steadiness=0.8) as before, make(steadiness=0.8) as after:
        for one in (whole, before, after):
            one.follow(Follower(at), styles(tmp_path))
        wanted = paint(whole, range(24))
        assert whole.fingerprint == before.fingerprint == after.fingerprint
        paint(before, range(13))
        after.warm_up(SIZE)
        after.restore_state(before.save_state())
        np.testing.assert_array_equal(paint(after, range(13, 24)), wanted[13:])


def test_the_fingerprint_names_what_is_followed(make: Make, tmp_path: Path) -> None:
    found = set()
    with make() as stylizer:
        found.add(stylizer.fingerprint)
        for rows in ("ab", "ac"):
            stylizer.follow(Follower(lambda when: moved(boldness=0.2)), styles(tmp_path, rows))
            before = stylizer.fingerprint
            stylizer(frame(0))
            assert stylizer.fingerprint == before
            found.add(before)
        stylizer.boldness = 0.3
        found.add(stylizer.fingerprint)
    assert len(found) == 4


@pytest.mark.parametrize("resizes", [True, False])
def test_tensors_go_on_over_a_change_of_strokes(resizes: bool) -> None:
    """On a GPU, whose arithmetic is tried on the processor here."""
    followed: list[tuple[int, ...]] = []

    def follow(past: torch.Tensor, fresh: torch.Tensor, inputs: torch.Tensor, share: object) -> torch.Tensor:
        assert past.shape == fresh.shape
        followed.append(tuple(fresh.shape[2:]))
        return fresh

    stylizer = TensorStylizer(follow)
    stylizer.network = lambda small: small
    image = torch.rand(1, 3, 48, 64) * 255
    for number, stroke in enumerate((1.0, 2.0, 2.0)):
        context = TemporalContext(begins=number == 0, share=0.1, resizes=resizes)
        stylizer(image, RenderOptions(stroke=stroke), context)
    assert followed == ([(24, 32)] * 2 if resizes else [(24, 32)])


def test_what_was_held_is_released_in_the_end(make: Make, runtime: str) -> None:
    with make() as stylizer:
        stylizer.follow(Follower(lambda when: moved(boldness=0.1 * when)))
        paint(stylizer, range(4))
        held = getattr(stylizer._backend, "_held", {})
        assert (len(held) > 1) == (runtime == "openvino")
        stylizer.follow(None)
        stylizer(frame(5))
        assert not held


# ------------------------------------------------------------------ without waiting, as live


def ready(stylizer: Stylizer) -> None:
    while stylizer.make_movement_ready():
        pass


def test_no_frame_waits_for_a_graph(make: Make, runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if runtime != "openvino":
        pytest.skip("needs no graphs")
    with make() as plain, make(boldness=0.9, stroke=2.0) as wanted, make() as stylizer:
        first, last = plain(frame(0)).pixels, wanted(frame(0)).pixels
        stylizer(frame(0))
        stylizer.follow(Follower(lambda when: moved(boldness=0.2, stroke=1.0), waits=False))
        made = []
        graph = type(stylizer._backend)._graph  # type: ignore[attr-defined]
        monkeypatch.setattr(type(stylizer._backend), "_graph", lambda *given: made.append(1) or graph(*given))
        for _ in range(3):
            np.testing.assert_array_equal(stylizer(frame(0)).pixels, first)
        assert not made
        ready(stylizer)
        assert len(made) == 1
        np.testing.assert_array_equal(stylizer(frame(0)).pixels, last)
        assert len(made) == 1


def test_fades_go_step_by_step(make: Make, tmp_path: Path) -> None:
    changes = [0.0]
    with make() as stylizer, make(style=styles(tmp_path)[1]) as wanted:
        stylizer.follow(Follower(lambda when: Movement({}, changes[0]), waits=False), styles(tmp_path))
        shown = [stylizer(frame(0)).pixels]
        changes[0] = 1.0
        for _ in range(2 * FADE_STEPS + 2):  # asked for with one frame, taken with the next
            shown.append(stylizer(frame(0)).pixels)
            ready(stylizer)
        shown.append(stylizer(frame(0)).pixels)
        np.testing.assert_array_equal(shown[-1], wanted(frame(0)).pixels)
        different = {image.tobytes() for image in shown}
        assert len(different) == FADE_STEPS + 1


def test_a_style_that_is_chosen_meanwhile_comes_first(make: Make, tmp_path: Path) -> None:
    row = styles(tmp_path)
    changes = [0.0]
    with make() as stylizer, make(style=row[2]) as wanted:
        stylizer.follow(Follower(lambda when: Movement({}, changes[0]), waits=False), row)
        stylizer(frame(0))
        changes[0] = 1.5
        for _ in range(3 * FADE_STEPS + 1):
            stylizer(frame(0))
            ready(stylizer)
        assert stylizer.followed_style == row[1]
        stylizer.style = row[2]
        for _ in range(3):
            np.testing.assert_array_equal(stylizer(frame(0)).pixels, wanted(frame(0)).pixels)
            ready(stylizer)
        assert stylizer.followed_style == ""


def test_what_is_set_meanwhile_is_the_new_middle(make: Make) -> None:
    with make(boldness=0.4, strength=0.5) as wanted, make() as stylizer:
        stylizer.follow(Follower(lambda when: moved(boldness=0.1, strength=-0.2), waits=False))
        stylizer(frame(0))
        stylizer.boldness, stylizer.strength = 0.3, 0.7
        for _ in range(2):
            stylizer(frame(0))
            ready(stylizer)
        np.testing.assert_array_equal(stylizer(frame(0)).pixels, wanted(frame(0)).pixels)
