"""Motion measured ahead in threads: the same pictures as if it were measured when its turn comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from conftest import make_checkpoint
from test_smoothing import noisy, texture

from stylize_live.engine import Stylizer, ahead
from stylize_live.engine.cuda import CudaBackend
from stylize_live.engine.flow import FlowEstimator, Plane
from stylize_live.engine.host import HostBackend
from stylize_live.frame import Frame, Pixels
from stylize_live.nets.checkpoint import Checkpoint, save_checkpoint

_WORKERS = 3
_EARLY = _WORKERS + ahead._SPARE
_BEHIND = _EARLY + 3  # frames: more than are known of at once

Use = Callable[[Stylizer], list[Pixels]]


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several of them, however few cores there are."""
    monkeypatch.setattr(ahead, "_workers", lambda: _WORKERS)


@pytest.fixture
def no_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every search has a glance, in order, too: the one thing that differs is taken away."""
    never = property(lambda self: False, lambda self, value: None)
    monkeypatch.setattr(FlowEstimator, "everywhere", never, raising=False)


@pytest.fixture
def two_styles(tmp_path: Path) -> tuple[str, str]:
    paths = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    for seed, path in enumerate(paths):
        save_checkpoint(path, make_checkpoint(path.stem, seed))
    return str(paths[0]), str(paths[1])


class Tinting(HostBackend):
    """In place of a network: three weights of a style are shares of the colours, which takes no time."""

    runtime = "tint"

    def __init__(self, checkpoint: Checkpoint, looks_ahead: bool) -> None:
        super().__init__()
        self.looks_ahead = looks_ahead
        self.load(checkpoint)

    def load(self, checkpoint: Checkpoint) -> None:
        """See `Backend.load`."""
        self.blend(checkpoint, checkpoint, 0.0)

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """See `Backend.blend`."""
        self._tint = (1 - share) * tint(first) + share * tint(second)

    def painted(self, pixels: Pixels) -> Plane:
        """See `HostBackend.painted`."""
        return pixels * self._tint


def tint(checkpoint: Checkpoint) -> np.ndarray:
    """(3,) float32, 0.1 to 1."""
    weights = max(checkpoint.weights.values(), key=np.size)
    return 0.1 + 0.9 * np.abs(np.tanh(10 * weights.ravel()[:3].astype(np.float32)))


class Tinter(Stylizer):
    """A stylizer with such a backend."""

    looks_ahead = False

    def _make_backend(self, checkpoint: Checkpoint) -> Tinting:
        return Tinting(checkpoint, self.looks_ahead)


class EarlyTinter(Tinter):
    """One that looks ahead."""

    looks_ahead = True


def stylizer(
    style: str | Path, *, looks_ahead: bool, crossfade: float = 0, steadiness: float = 0.8
) -> Stylizer:
    kind = EarlyTinter if looks_ahead else Tinter
    return kind(style, device="cpu", runtime="torch", crossfade=crossfade, steadiness=steadiness)


def frames(pictures: Iterable[Pixels]) -> list[Frame]:
    """Four a second."""
    return [Frame(pixels, Fraction(index, 4), 0.0, index) for index, pixels in enumerate(pictures)]


def still(count: int, seed: int = 0, size: tuple[int, int] = (96, 128)) -> list[Pixels]:
    """Of a noisy camera, before which a small thing moves; size is (H, W)."""
    scene, thing = texture(*size, seed, 5), texture(24, 24, seed + 100, 3)
    views = []
    for index in range(count):
        view = scene.copy()
        view[30:54, 8 + 3 * index % 90 : 32 + 3 * index % 90] = thing
        views.append(noisy(view, index, 3))
    return views


def pan(count: int, seed: int = 1) -> list[Pixels]:
    """All of it moves."""
    scene = texture(96, 128 + 5 * count, seed, 4)
    return [noisy(scene[:, 5 * index : 5 * index + 128], index, 2) for index in range(count)]


def dark(pictures: list[Pixels]) -> list[Pixels]:
    return [pixels // 4 for pixels in pictures]


def light(pictures: list[Pixels]) -> list[Pixels]:
    return [255 - pixels // 4 for pixels in pictures]


def motion_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("stylize-motion")]


def painted(stream: Iterable[Frame]) -> list[Pixels]:
    return [frame.pixels for frame in stream]


def assert_alike(found: list[Pixels], wanted: list[Pixels]) -> None:
    assert len(found) == len(wanted)
    different = [i for i, (a, b) in enumerate(zip(found, wanted, strict=True)) if not np.array_equal(a, b)]
    assert not different


def assert_same(use: Use, style: str | Path, **options: float) -> None:
    """The same pictures with and without looking ahead, whatever is done."""
    with stylizer(style, looks_ahead=False, **options) as one:
        wanted = use(one)
    with stylizer(style, looks_ahead=True, **options) as other:
        found = use(other)
    assert not motion_threads()
    assert_alike(found, wanted)


def test_only_a_gpu_leaves_cores_for_it() -> None:
    assert CudaBackend.looks_ahead
    assert not HostBackend.looks_ahead


@pytest.mark.usefixtures("no_hint")
def test_same_pictures_through_motion_cuts_and_sizes(tiny_style: Path) -> None:
    film = frames(dark(pan(9)) + light(still(_BEHIND)) + still(3, 5, (200, 240)) + pan(4))
    assert_same(lambda painter: painted(painter.stream(film)), tiny_style)


def test_same_pictures_where_little_moves(tiny_style: Path) -> None:
    film = frames(still(20, size=(270, 480)))
    assert_same(lambda painter: painted(painter.stream(film)), tiny_style)


def test_threads_measure_as_one_does() -> None:
    """Pans, at full length, where searches in several threads use all of OpenCV's own at once."""
    film = frames(pan(24))
    in_order = ahead.MotionWatcher()
    wanted = []
    for frame in film:
        in_order._estimate.everywhere = False
        wanted.append(in_order.follow(frame))
    with ahead.Lookahead(film, ahead.MotionWatcher()) as lookahead:
        while (frame := lookahead.take(early=True)) is not None:
            found, expected = lookahead.motion_of(frame)(), wanted[frame.index]
            assert (found is None) == (expected is None)
            if found is not None and expected is not None:
                assert np.array_equal(found.flow, expected.flow)
                assert np.array_equal(found.mismatch, expected.mismatch)
        assert motion_threads()


@pytest.mark.usefixtures("no_hint")
@pytest.mark.parametrize("crossfade", [0.0, 1.0])
def test_styles_change_with_the_frame_that_is_painted(two_styles: tuple[str, str], crossfade: float) -> None:
    a, b = two_styles
    # The jumps hide the cuts right behind them from the detector, which begins anew.
    film = frames(dark(pan(5)) + light(still(7)) + dark(still(6)) + light(pan(4)))
    times = f"0:{a},1:{b},3:{a}"
    assert_same(lambda painter: painted(painter.stream(film)), times, crossfade=crossfade)


def test_a_jump_is_painted_anew(two_styles: tuple[str, str]) -> None:
    a, b = two_styles
    film = frames(still(8))
    with stylizer(f"0:{a},1:{b}", looks_ahead=True) as painter, stylizer(b, looks_ahead=True) as plain:
        plain.steadiness = 0
        assert np.array_equal(painted(painter.stream(film))[4], plain(film[4]).pixels)


@pytest.mark.usefixtures("no_hint")
def test_a_style_set_in_mid_stream(two_styles: tuple[str, str]) -> None:
    a, b = two_styles

    def use(painter: Stylizer) -> list[Pixels]:
        stream = painter.stream(frames(still(4) + pan(_BEHIND)))
        first = painted(islice(stream, 3))
        painter.style = b
        return first + painted(stream)

    assert_same(use, a)


@pytest.mark.usefixtures("no_hint")
def test_steadiness_strength_and_reset_in_mid_stream(tiny_style: Path) -> None:
    def use(painter: Stylizer) -> list[Pixels]:
        stream = painter.stream(frames(still(6) + pan(3 * _BEHIND)))
        shown = painted(islice(stream, 3))
        painter.steadiness = 0.0
        shown += painted(islice(stream, 2))
        painter.steadiness = 0.6
        shown += painted(islice(stream, 4))
        painter.reset()
        shown += painted(islice(stream, 4))
        painter.strength = 0.0
        shown += painted(islice(stream, 1))
        painter.strength = 1.0
        return shown + painted(stream)

    assert_same(use, tiny_style)


def counted(film: Iterable[Frame], taken: list[int]) -> Iterator[Frame]:
    for frame in film:
        taken.append(frame.index)
        yield frame


def test_some_frames_are_taken_early_and_no_more(tiny_style: Path) -> None:
    taken: list[int] = []
    with stylizer(tiny_style, looks_ahead=True) as painter:
        stream = painter.stream(counted(frames(still(20)), taken))
        assert not taken
        for index, _ in enumerate(stream):
            assert len(taken) == min(20, index + 1 + _EARLY)
        painter.steadiness = 0.0
        taken.clear()
        for index, _ in enumerate(painter.stream(counted(frames(still(5)), taken))):
            assert len(taken) == index + 1
            assert not motion_threads()


@pytest.mark.usefixtures("no_hint")
def test_closed_early_it_goes_on_behind_what_was_painted(tiny_style: Path) -> None:
    film = frames(dark(pan(6)) + light(pan(12)))

    def use(painter: Stylizer) -> list[Pixels]:
        stream = painter.stream(film)
        shown = painted(islice(stream, 4))
        stream.close()  # type: ignore[attr-defined]
        assert not motion_threads()
        shown += painted(painter.stream(film[4:9]))
        return shown + [painter(frame).pixels for frame in film[9:]]

    assert_same(use, tiny_style)


def test_closed_before_it_begins(tiny_style: Path) -> None:
    with stylizer(tiny_style, looks_ahead=True) as painter:
        painter.stream(frames(still(3))).close()  # type: ignore[attr-defined]
        assert not painted(painter.stream([]))


class BadSourceError(Exception):
    """On purpose."""


@pytest.mark.usefixtures("no_hint")
def test_a_source_that_raises_does_so_behind_its_frames(tiny_style: Path) -> None:
    film = frames(pan(12))

    def broken() -> Iterator[Frame]:
        yield from film[:7]
        raise BadSourceError

    def use(painter: Stylizer) -> list[Pixels]:
        shown: list[Pixels] = []
        with pytest.raises(BadSourceError):
            shown.extend(frame.pixels for frame in painter.stream(broken()))
        assert not motion_threads()
        assert len(shown) == 7
        return shown + painted(painter.stream(film[7:]))

    assert_same(use, tiny_style)


def test_ctrl_c_in_a_source_is_heard_at_once(tiny_style: Path) -> None:
    def stopped() -> Iterator[Frame]:
        yield from frames(still(2))
        raise KeyboardInterrupt

    with stylizer(tiny_style, looks_ahead=True) as painter, pytest.raises(KeyboardInterrupt):
        next(painter.stream(stopped()))
    assert not motion_threads()


@pytest.mark.parametrize("where", ["search", "backend"])
def test_what_fails_on_the_way_leaves_no_thread(
    where: str, tiny_style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("on purpose")

    with stylizer(tiny_style, looks_ahead=True) as painter:
        stream = painter.stream(frames(still(20)))
        next(stream)
        target = (FlowEstimator, "_part") if where == "search" else (painter._backend, "painted")
        monkeypatch.setattr(*target, fail)
        with pytest.raises(MemoryError, match="on purpose") as failure:
            list(stream)
        assert failure.traceback  # which holds on to whatever was at work
        assert not motion_threads()


@pytest.mark.parametrize("parts", [[9], [1, 8], [6, 7, 20]])
def test_a_saved_state_goes_on_exactly(tiny_style: Path, parts: list[int]) -> None:
    """Through pans, too: nothing hangs on a hint."""
    film = frames(pan(9) + still(6) + dark(pan(6)))
    with stylizer(tiny_style, looks_ahead=True) as whole:
        wanted = painted(whole.stream(film))
        last = whole.save_state()
    found: list[Pixels] = []
    state: bytes | None = None
    for begin, end in zip([0, *parts], [*parts, len(film)], strict=True):
        with stylizer(tiny_style, looks_ahead=True) as painter:
            painter.restore_state(state)
            found += painted(painter.stream(film[begin:end]))
            state = painter.save_state()
    assert_alike(found, wanted)
    assert state == last


@pytest.mark.usefixtures("no_hint")
def test_a_state_is_that_of_what_was_painted(tiny_style: Path) -> None:
    """In the middle of a stream, and of one that was closed, nothing is known of frames taken early."""
    film = frames(dark(pan(5)) + light(pan(9)))
    states = []
    for looks_ahead in (False, True):
        with stylizer(tiny_style, looks_ahead=looks_ahead) as painter:
            stream = painter.stream(film)
            painted(islice(stream, 4))
            states.append(painter.save_state())
            stream.close()  # type: ignore[attr-defined]
            assert painter.save_state() == states[-1]
    assert states[0] == states[1]


def test_a_state_with_a_hint_is_taken_without(tiny_style: Path) -> None:
    """From one that measured in order: `everywhere` says something there, and nothing here."""
    film = frames(pan(14))
    with stylizer(tiny_style, looks_ahead=False) as painter:
        painted(painter.stream(film[:6]))
        assert painter._watcher.memory["everywhere"]
        state = painter.save_state()
    with stylizer(tiny_style, looks_ahead=True) as painter:
        painter.restore_state(state)
        painted(painter.stream(film[6:]))
        assert not painter._watcher.memory["everywhere"]
