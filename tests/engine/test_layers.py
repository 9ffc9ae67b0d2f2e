"""People and what is behind them: which is painted, what stands there, and what that costs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import Video, numbered
from exact import exact
from mattes import EllipseMatte, ellipse, mattes
from PIL import Image
from tiny import make_checkpoint, random_pixels

from stylize_live.engine import Stylizer
from stylize_live.engine.core.economy import Economy
from stylize_live.engine.cpu.base import CpuBackend
from stylize_live.errors import SourceError, StyleError, UsageError
from stylize_live.frame import Frame, Pixels
from stylize_live.media.decode import backgrounds
from stylize_live.media.decode.backgrounds import BackgroundVideo
from stylize_live.media.image.io import Still, write_image
from stylize_live.nets.checkpoint import save_checkpoint

__all__ = ["mattes"]
pytestmark = pytest.mark.usefixtures("mattes", "few_graphs")

SIZE = (96, 64)
PIXELS = random_pixels(*SIZE)
MATTE = ellipse(SIZE)
INSIDE, OUTSIDE = MATTE == 255, MATTE == 0


@pytest.fixture
def other_style(tmp_path: Path) -> str:
    path = tmp_path / "other.safetensors"
    save_checkpoint(path, make_checkpoint("other", seed=5))
    return str(path)


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "behind.png"
    write_image(path, Still(random_pixels(*SIZE, seed=3)))
    return str(path)


@pytest.fixture
def video(tmp_path: Path) -> str:
    images = [numbered(index, SIZE) for index in range(6)]
    return str(
        Video(ticks=tuple(3000 * i for i in range(6)), size=SIZE, rate=Fraction(10)).write(
            tmp_path / "v.mkv", images
        )
    )


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[CpuBackend]:
    """The backends that painted, one after the other."""
    found: list[CpuBackend] = []
    plain = CpuBackend.run

    def run(self: CpuBackend, *arguments: object) -> Pixels:
        found.append(self)
        return plain(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(CpuBackend, "run", run)
    return found


def stream(count: int, size: tuple[int, int] = SIZE) -> Iterator[Frame]:
    for index in range(count):
        pixels = np.roll(random_pixels(*size), index, axis=1)
        yield Frame(pixels, Fraction(index, 10), 50 + index / 10, index, starts_shot=index == 0)


def test_the_layers_are_apart(tiny_style: Path) -> None:
    whole = exact(tiny_style)(PIXELS)
    with exact(tiny_style, paint="person") as person, exact(tiny_style, paint="background") as background:
        for painted, mine, others in (
            (person(PIXELS), INSIDE, OUTSIDE),
            (background(PIXELS), OUTSIDE, INSIDE),
        ):
            assert (painted[mine] == whole[mine]).all()
            assert (painted[others] == PIXELS[others]).all()
            edge = ~(mine | others)
            low, high = np.minimum(whole, PIXELS)[edge], np.maximum(whole, PIXELS)[edge]
            assert (np.clip(painted[edge], low, high).astype(int) - painted[edge]).max() <= 1


def test_all_off_is_as_without_layers(tiny_style: Path, mattes: list[EllipseMatte]) -> None:
    with exact(tiny_style, steadiness=0.8) as plain, exact(tiny_style, steadiness=0.8) as toggled:
        assert "paint" not in plain.fingerprint
        toggled.paint = "person"
        toggled(next(stream(1)))
        toggled.paint = "both"
        toggled.reset()
        for one, two in zip(plain.stream(stream(4)), toggled.stream(stream(4)), strict=True):
            assert (one.pixels == two.pixels).all()
        assert toggled.fingerprint == plain.fingerprint
        toggled(PIXELS)
        assert [matte.closed for matte in mattes] == [True]  # nothing is held for what is off


def test_a_style_of_the_backgrounds_own(tiny_style: Path, other_style: str, runs: list[CpuBackend]) -> None:
    with exact(tiny_style, background_style=other_style) as stylizer:
        painted = stylizer(PIXELS)
        assert len(set(map(id, runs))) == len(runs) == 2
        stylizer.background_style = ""
        stylizer(PIXELS)
        assert len(runs) == 3
    first, second = exact(tiny_style)(PIXELS), exact(other_style)(PIXELS)
    assert (painted[INSIDE] == first[INSIDE]).all()
    assert (painted[OUTSIDE] == second[OUTSIDE]).all()


def test_only_networks_that_are_seen_run(
    tiny_style: Path, other_style: str, image: str, runs: list[CpuBackend]
) -> None:
    wanted = {("person", other_style, ""): 1, ("background", other_style, ""): 1, ("background", "", ""): 1}
    wanted |= {("both", "", image): 1, ("both", "", "blur"): 1, ("background", "", "navy"): 0}
    wanted |= {("both", other_style, "transparent"): 1, ("person", "", image): 1}
    for (paint, style, background), count in wanted.items():
        with exact(tiny_style, paint=paint, background_style=style, background=background) as stylizer:
            runs.clear()
            stylizer(PIXELS)
        assert len(runs) == count, (paint, background)


def test_a_color_is_never_painted(tiny_style: Path) -> None:
    for paint in ("both", "person", "background"):
        with exact(tiny_style, paint=paint, background="#12ab34") as stylizer:
            assert (stylizer(PIXELS)[OUTSIDE] == (0x12, 0xAB, 0x34)).all()
            deep = stylizer(PIXELS.astype(np.uint16) * 257)
            assert (deep[OUTSIDE] == np.array((0x12, 0xAB, 0x34)) * 257).all()


def test_a_file_is_painted_together_with_people(tiny_style: Path, image: str) -> None:
    behind = random_pixels(*SIZE, seed=3)
    with exact(tiny_style, background=image) as stylizer, exact(tiny_style) as plain:
        shares = MATTE[..., None] / 255
        together = np.rint(PIXELS * shares + behind * (1 - shares)).astype(np.uint8)
        assert np.abs(stylizer(PIXELS).astype(int) - plain(together)).mean() < 1
    with exact(tiny_style, background=image, paint="person") as stylizer:
        assert (stylizer(PIXELS)[OUTSIDE] == behind[OUTSIDE]).all()


def test_a_still_background_is_painted_once(tiny_style: Path, image: str, runs: list[CpuBackend]) -> None:
    behind = random_pixels(*SIZE, seed=3)
    with exact(tiny_style, paint="background", background=image) as stylizer:
        first, again = stylizer(PIXELS), stylizer(PIXELS)
        assert len(runs) == 1
        assert (first == again).all()
        assert (first[OUTSIDE] == exact(tiny_style)(behind)[OUTSIDE]).all()
        runs.clear()
        stylizer.strength = 0.5
        assert (stylizer(PIXELS)[OUTSIDE] != first[OUTSIDE]).any()
        stylizer.boldness = 0.2  # the style has one end only, and the weights are others all the same
        stylizer(PIXELS)
        assert len(runs) == 2


@pytest.mark.parametrize("paint", ["both", "background"])
def test_a_still_background_follows_the_timeline_of_its_style(
    tiny_style: Path, other_style: str, image: str, paint: Any
) -> None:
    timeline = f"0:{tiny_style},2:{other_style}"
    with exact(tiny_style, background=image, background_style=timeline, paint=paint) as stylizer:
        for when, style in ((0, tiny_style), (3, other_style), (1, tiny_style)):
            painted = stylizer(Frame(PIXELS, Fraction(when), 0.0, 0, starts_shot=True)).pixels
            with exact(style) as alone:
                wanted = alone(random_pixels(*SIZE, seed=3))
            assert np.abs(painted[OUTSIDE].astype(int) - wanted[OUTSIDE]).max() <= 1


def test_transparent_around_people(tiny_style: Path) -> None:
    whole = exact(tiny_style)(PIXELS)
    with exact(tiny_style, background="transparent") as stylizer:
        assert stylizer.adds_alpha
        array = stylizer(PIXELS)
        assert array.shape == (*PIXELS.shape[:2], 4)
        assert (array[..., 3] == MATTE).all()
        assert (array[MATTE > 0, :3] == whole[MATTE > 0]).all()
        assert not array[OUTSIDE].any()  # nothing of the room is left
        shown = stylizer(Image.fromarray(PIXELS))
        assert shown.mode == "RGBA"
        frame = stylizer(Frame(PIXELS, Fraction(0), 0.0, 0, np.full(MATTE.shape, 100, np.uint8), True))
        assert frame.alpha is not None
        assert (frame.alpha == np.minimum(MATTE, 100)).all()
        deep = stylizer(Frame(PIXELS.astype(np.uint16) * 257, Fraction(0), 0.0, 0, None, True))
        assert deep.alpha is not None
        assert (deep.alpha == MATTE.astype(np.uint16) * 257).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_stands_behind_people_is_seen_where_an_image_is_transparent(
    tiny_style: Path, image: str, dtype: type[np.uint8 | np.uint16]
) -> None:
    """Behind somebody who was cut out before, a color or a beach is asked for to be seen."""
    full = np.iinfo(dtype).max
    pixels = PIXELS.astype(dtype) * (full // 255)
    alpha = np.full(MATTE.shape, full, dtype)
    alpha[:, : SIZE[0] // 2] = 0
    frame = Frame(pixels, Fraction(0), 0.0, 0, alpha, True)
    for behind in ("#00ff00", image):
        with exact(tiny_style, background=behind, paint="person") as stylizer:
            painted = stylizer(frame)
            assert painted.alpha is not None
            assert (painted.alpha == full).all()
            whole = stylizer(replace(frame, alpha=None)).pixels
        outside = np.abs(painted.pixels.astype(int) - whole)[OUTSIDE]
        assert not outside.any()  # the same as behind an image without transparency
        cut = painted.pixels[INSIDE & (alpha == 0)]
        assert not (cut == whole[INSIDE & (alpha == 0)]).all()
        assert (painted.pixels[INSIDE & (alpha > 0)] == whole[INSIDE & (alpha > 0)]).all()
    with exact(tiny_style, background="blur") as stylizer:
        assert (stylizer(frame).alpha == alpha).all()


def test_half_transparent_in_sixteen_bits_is_half_transparent(tiny_style: Path) -> None:
    half = np.full(MATTE.shape, 128, np.uint8)
    images = [(PIXELS, half), (PIXELS.astype(np.uint16) * 257, half.astype(np.uint16) * 257)]
    with exact(tiny_style, background="#00ff00", paint="person", strength=0.0) as stylizer:
        eight, sixteen = (
            stylizer(Frame(pixels, Fraction(0), 0.0, 0, alpha, True)).pixels for pixels, alpha in images
        )
    np.testing.assert_allclose(sixteen / 257, eight, atol=1)


def test_a_video_follows_the_time_and_begins_again(tiny_style: Path, video: str) -> None:
    with exact(tiny_style, paint="person", background=video) as stylizer:

        def behind(when: Fraction) -> Pixels:
            return stylizer(Frame(PIXELS, when, 0.0, 0, None, True)).pixels[OUTSIDE]

        seen = [behind(Fraction(index, 10)) for index in range(6)]
        assert all((one != two).any() for one, two in itertools.pairwise(seen))
        for round_, index in itertools.product((1, 7, 2), range(6)):
            assert (behind(Fraction(6 * round_ + index, 10)) == seen[index]).all()
        assert (behind(Fraction(1, 10) + Fraction(1, 25)) == seen[1]).all()  # its own rate


def test_smoothing_goes_on_within_each_layer(tiny_style: Path, other_style: str) -> None:
    """Each network remembers what it painted itself."""
    with (
        exact(tiny_style, background_style=other_style, steadiness=0.8) as both,
        exact(tiny_style, steadiness=0.8) as first,
        exact(other_style, steadiness=0.8) as second,
    ):
        frames = zip(*(stylizer.stream(stream(5)) for stylizer in (both, first, second)), strict=True)
        for index, (one, over, under) in enumerate(frames):
            matte = ellipse(SIZE, index)
            assert (one.pixels[matte == 255] == over.pixels[matte == 255]).all()
            assert (one.pixels[matte == 0] == under.pixels[matte == 0]).all()


def test_shots_and_images_begin_anew(tiny_style: Path, mattes: list[EllipseMatte]) -> None:
    with exact(tiny_style, paint="person", steadiness=0.8) as stylizer:
        list(stylizer.stream(stream(3)))
        list(stylizer.stream(stream(2)))
        assert mattes[0].begun == [True, False, False, True, False]
        stylizer.steadiness = 0.0
        stylizer(PIXELS), stylizer(PIXELS)
        assert mattes[0].begun[5:] == [True, True]  # images have nothing to do with each other


@pytest.mark.parametrize("steadiness", [0.0, 0.8])
@pytest.mark.parametrize("paint", ["both", "person", "background"])
def test_a_restored_stylizer_goes_on_to_the_bit(
    tiny_style: Path, other_style: str, video: str, steadiness: float, paint: str
) -> None:
    def make() -> Stylizer:
        return exact(
            tiny_style, background_style=other_style, background=video, steadiness=steadiness, paint=paint
        )

    frames = list(stream(16))
    with make() as one, make() as other:
        whole = list(one.stream(frames))
        list(other.stream(frames[:9]))
        state = other.save_state()
    with make() as resumed:
        resumed.restore_state(state)
        rest = list(resumed.stream(frames[9:]))
        assert all((a.pixels == b.pixels).all() for a, b in zip(whole[9:], rest, strict=True))
        with pytest.raises(ValueError, match="not a saved state"):
            resumed.restore_state(b"nonsense")


def test_the_fingerprint_names_all_that_is_seen(tiny_style: Path, other_style: str, image: str) -> None:
    def fingerprint(**options: str) -> str:
        with exact(tiny_style, **options) as stylizer:
            return stylizer.fingerprint

    options = [{"paint": "person"}, {"paint": "background"}, {"background": "blur"}, {"background": "red"}]
    options += [{"background_style": other_style}, {"background": image}]
    found = [fingerprint(), *(fingerprint(**one) for one in options)]
    assert len(set(found)) == len(found)
    assert "an ellipse" in found[1]
    write_image(Path(image), Still(random_pixels(*SIZE, seed=4)))
    assert fingerprint(background=image) != found[-1]


def test_skipped_frames_are_carried_in_all_networks(tiny_style: Path, other_style: str) -> None:
    with exact(tiny_style, background_style=other_style) as stylizer:
        stylizer.economy = Economy(every=2)
        carried = []
        for frame in stream(6):
            stylizer(frame)
            carried.append(stylizer.carried)
        assert carried == [False, True] * 3
        stylizer.background = "navy"
        stylizer.paint = "background"
        stylizer(next(stream(1)))
        assert not stylizer.carried  # nothing was painted at all


def test_what_the_ladder_makes_ready_includes_the_second_network(tiny_style: Path, other_style: str) -> None:
    with exact(tiny_style, background_style=other_style) as stylizer:
        stylizer(PIXELS)
        stylizer.make_ready(32)
        assert stylizer.is_ready(32)
        assert len(stylizer._backends) == 2


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("background", "nowhere.jpg", SourceError),
        ("background", "blurr", UsageError),
        ("background", "#12345", UsageError),
        ("background_style", "no-such-style", StyleError),
        ("paint", "me", UsageError),
    ],
)
def test_what_cannot_be_read_changes_nothing(
    tiny_style: Path, option: str, value: str, error: type[Exception]
) -> None:
    with exact(tiny_style, paint="person", background="navy") as stylizer:
        before = stylizer(PIXELS)
        with pytest.raises(error):
            setattr(stylizer, option, value)
        assert (stylizer(PIXELS) == before).all()
        assert (stylizer.paint, stylizer.background_style, stylizer.background) == ("person", "", "navy")
    with pytest.raises(error):
        exact(tiny_style, **{option: value})


def test_an_unknown_style_is_named_with_its_option(tiny_style: Path) -> None:
    with exact(tiny_style) as stylizer, pytest.raises(StyleError, match=r"^background_style: .*such-style"):
        stylizer.background_style = "no-such-style"


@contextmanager
def broken() -> Iterator[None]:
    """Files behind people cannot be read meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((BackgroundVideo, "_find"), (backgrounds, "open_background")):
            patch.setattr(owner, name, _fail)
        yield


def _fail(*_: object) -> None:
    raise SourceError("v.mkv: cannot be read")


def test_a_file_that_breaks_is_an_error(tiny_style: Path, video: str) -> None:
    with exact(tiny_style, background=video) as stylizer:
        stylizer(PIXELS)
        with broken(), pytest.raises(SourceError, match="cannot be read"):
            stylizer(PIXELS)
        assert stylizer.background_trouble == ""


def frame_at(when: int) -> Frame:
    return Frame(PIXELS, Fraction(when, 10), 0.0, 0, None, True)


def test_in_a_show_a_file_that_breaks_is_shown_as_it_was_last(
    tiny_style: Path, video: str, caplog: pytest.LogCaptureFixture
) -> None:
    with exact(tiny_style, paint="person", background=video) as stylizer:
        stylizer.keeps_background = True
        stylizer(frame_at(0))
        good = stylizer(frame_at(1)).pixels[OUTSIDE]
        with broken():
            for when in (2, 3, 4):
                assert (stylizer(frame_at(when)).pixels[OUTSIDE] == good).all()
            with pytest.raises(SourceError):
                stylizer.background = video  # still broken: nothing changes
        assert (stylizer(frame_at(2)).pixels[OUTSIDE] == good).all()
        assert stylizer.background_trouble.startswith("v.mkv broke: what was seen of it last stays")
        assert [record.message for record in caplog.records if "broke" in record.message] == [
            f"the background {stylizer.background_trouble}: v.mkv: cannot be read"
        ]
        small = Frame(PIXELS[::2, ::2].copy(), Fraction(0), 0.0, 0, None, True)
        assert not (stylizer(small).pixels[:4, :4] == small.pixels[:4, :4]).all()
        stylizer.background = video  # chosen anew
        assert (stylizer(frame_at(2)).pixels[OUTSIDE] != good).any()
        assert stylizer.background_trouble == ""


@pytest.mark.parametrize("paint", ["both", "person", "background"])
def test_in_a_show_a_file_that_never_opens_is_dark(tiny_style: Path, video: str, paint: str) -> None:
    with exact(tiny_style, paint=paint, strength=0.0, background=video) as stylizer:
        stylizer.keeps_background = True
        with broken():
            first = stylizer(frame_at(0)).pixels
            assert (first[OUTSIDE] == (24, 24, 28)).all()
            assert (first[INSIDE] == PIXELS[INSIDE]).all()
        assert (stylizer(frame_at(1)).pixels[OUTSIDE] == (24, 24, 28)).all()
        assert "a dark colour stands there" in stylizer.background_trouble
        stylizer.background = "navy"
        stylizer(frame_at(2))
        assert stylizer.background_trouble == ""


def test_a_file_that_is_no_image_is_refused(tiny_style: Path, tmp_path: Path) -> None:
    for name in ("a.jpg", "a.mp4"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(SourceError, match=name):
            exact(tiny_style, background=str(tmp_path / name))


def test_surfaces_are_for_whole_frames(tiny_style: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with exact(tiny_style) as stylizer:
        monkeypatch.setattr(stylizer._chosen, "device", "cuda")
        assert stylizer.takes_surfaces
        stylizer.background = "blur"
        assert not stylizer.takes_surfaces


def test_a_large_image_is_painted_in_layers_too(tiny_style: Path) -> None:
    class Canvas:
        size = SIZE
        pixels = PIXELS.copy()

        def rows(self, top: int, bottom: int) -> Pixels:
            return self.pixels[top:bottom].copy()

        def put(self, top: int, pixels: Pixels) -> None:
            self.pixels[top : top + len(pixels)] = pixels

    canvas = Canvas()
    with exact(tiny_style, paint="person") as stylizer:
        stylizer.paint_in_place(canvas)
        assert (canvas.pixels == stylizer(PIXELS)).all()
