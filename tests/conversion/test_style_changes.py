"""Styles that change in the middle of a video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from exact import exact
from tiny import TINY, make_checkpoint, random_pixels

from stylize_live.engine import Stylizer
from stylize_live.engine.timeline import Mix, Timeline
from stylize_live.errors import StyleError
from stylize_live.frame import Frame, Pixels
from stylize_live.nets.checkpoint import Checkpoint, save_checkpoint, weights_of
from stylize_live.nets.transformer import Architecture, ResidualTransformer

IMAGE = random_pixels(40, 32)


@pytest.fixture
def two_styles(tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    for seed, path in enumerate(paths):
        save_checkpoint(path, make_checkpoint(path.stem, seed))
    return paths


def frames(*times: float) -> list[Frame]:
    return [Frame(IMAGE, Fraction(when), 0.0, index) for index, when in enumerate(times)]


def painted(style: str) -> Pixels:
    with exact(style) as stylizer:
        return stylizer(IMAGE)


@pytest.mark.parametrize(
    ("when", "mix"),
    [
        (0, Mix(0, 0, 0.0)),
        (9.5, Mix(0, 0, 0.0)),
        (10, Mix(0, 1, 0.0)),
        (10.5, Mix(0, 1, 0.25)),
        (12, Mix(1, 1, 0.0)),
        (13, Mix(1, 2, 0.0)),
        (13.25, Mix(1, 2, 0.125)),
        (1000, Mix(2, 2, 0.0)),
    ],
)
def test_mix_is_a_function_of_time(when: float, mix: Mix) -> None:
    assert Timeline.parse("0:a,10:b,0:13:c", 2).at(Fraction(when)) == mix


def test_a_fade_ends_where_the_next_begins() -> None:
    timeline = Timeline.parse("0:a,10:b,11:c", 4)
    assert timeline.at(Fraction(21, 2)) == Mix(0, 1, 0.5)
    assert timeline.at(Fraction(11)) == Mix(1, 2, 0.0)


def test_without_crossfade_styles_change_at_once() -> None:
    timeline = Timeline.parse("5:a,1:00:00.5:b")
    assert timeline.at(Fraction(0)) == timeline.at(Fraction(3600)) == Mix(0, 0, 0.0)
    assert timeline.at(Fraction(7201, 2)) == Mix(1, 1, 0.0)


@pytest.mark.parametrize("text", ["starry-night", "a:0.5,b:0.5", "folder/1.safetensors"])
def test_other_texts_are_one_style(text: str) -> None:
    assert Timeline.parse(text, 1).styles == (text,)


@pytest.mark.parametrize("text", ["0:a,b", "0:a,5", "3:a,2:b", "0:a,0:b"])
def test_wrong_timelines(text: str) -> None:
    with pytest.raises(StyleError, match="timeline"):
        Timeline.parse(text)


def test_a_style_may_have_a_boldness_of_its_own() -> None:
    timeline = Timeline.parse("0:a@0,10:a@1,20:some@where/b.safetensors @ 0.25,30:c@d", 2)
    assert timeline.styles == ("a", "a", "some@where/b.safetensors", "c@d")
    assert timeline.boldness == (0.0, 1.0, 0.25, None)
    with pytest.raises(StyleError, match="boldness of 0 to 1"):
        Timeline.parse("0:a@1.5")


def test_stream_follows_the_timeline(two_styles: tuple[Path, Path]) -> None:
    a, b = map(str, two_styles)
    stylizer = Stylizer(f"0:{a},1:{b}", crossfade=1, device="cpu", precision="float32")
    with stylizer:
        first, half, second, again = (f.pixels for f in stylizer.stream(frames(0, 1.5, 2, 0)))
    assert np.array_equal(first, painted(a))
    assert np.array_equal(second, painted(b))
    assert np.array_equal(again, first)
    mixed = painted(f"{a}:0.5,{b}:0.5")
    assert np.abs(half.astype(int) - mixed).max() <= 1
    assert not np.array_equal(half, first)
    assert not np.array_equal(half, second)


def test_style_set_in_mid_stream_counts_from_the_next_frame(two_styles: tuple[Path, Path]) -> None:
    a, b = map(str, two_styles)
    with Stylizer(a, device="cpu", precision="float32") as stylizer:
        stream = stylizer.stream(frames(0, 1))
        first = next(stream).pixels
        stylizer.style = b
        second = next(stream).pixels
    assert np.array_equal(first, painted(a))
    assert np.array_equal(second, painted(b))


def test_fingerprint_names_all_that_counts(two_styles: tuple[Path, Path]) -> None:
    a, b = map(str, two_styles)

    def fingerprint(style: str, **options: float) -> str:
        return Stylizer(style, device="cpu", precision="float32", **options).fingerprint  # type: ignore[arg-type]

    prints = [fingerprint(a), fingerprint(b), fingerprint(a, strength=0.5)]
    prints += [
        fingerprint(f"0:{a},1:{b}"),
        fingerprint(f"0:{a},2:{b}"),
        fingerprint(f"0:{a},1:{b}", crossfade=1),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint(a) == prints[0]


def test_networks_must_agree(two_styles: tuple[Path, Path], tmp_path: Path) -> None:
    wide = Architecture(**{**TINY.to_dict(), "width": 16})
    weights = weights_of(ResidualTransformer(wide).state_dict())
    other = tmp_path / "wide.safetensors"
    save_checkpoint(other, Checkpoint(make_checkpoint().info, wide, weights))
    with pytest.raises(StyleError, match="networks differ"):
        Stylizer(f"0:{two_styles[0]},1:{other}", device="cpu")


@pytest.mark.parametrize("crossfade", [0.0, 1.0])
@pytest.mark.parametrize("cut", [2, 4, 5, 9])
def test_state_goes_on_in_the_middle_of_a_timeline(
    two_styles: tuple[Path, Path], crossfade: float, cut: int
) -> None:
    """Before a change, at it, within its fade and behind."""
    a, b = map(str, two_styles)
    video = frames(*(i / 4 for i in range(12)))
    with exact(f"0:{a},1:{b}", steadiness=0.8, crossfade=crossfade) as whole:
        wanted = list(whole.stream(video))
    with exact(f"0:{a},1:{b}", steadiness=0.8, crossfade=crossfade) as first:
        list(first.stream(video[:cut]))
        state = first.save_state()
    with exact(f"0:{a},1:{b}", steadiness=0.8, crossfade=crossfade) as second:
        second.restore_state(state)
        for found, frame in zip(second.stream(video[cut:]), wanted[cut:], strict=True):
            assert (found.pixels == frame.pixels).all()


def test_state_of_a_longer_timeline_is_refused(two_styles: tuple[Path, Path]) -> None:
    a, b = map(str, two_styles)
    with exact(f"0:{a},1:{b}", steadiness=0.8) as long, exact(a, steadiness=0.8) as short:
        list(long.stream(frames(0, 2)))
        with pytest.raises(ValueError, match="not a saved state"):
            short.restore_state(long.save_state())
