"""What hangs is noticed, by a clock that the tests turn; and what a stage dies of gets its name."""

from __future__ import annotations

import errno
import threading
from fractions import Fraction

import numpy as np
import pytest
from live_fakes import FakeDisplay, FakeSource, FakeStylizer, make_frame

from stylize_live.cli import app
from stylize_live.concurrency.failures import check_frame, explain_failure
from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.concurrency.watchdog import Patience, Watchdog
from stylize_live.errors import DeviceError, MachineError, SinkError
from stylize_live.frame import Frame
from stylize_live.lifecycle import Turn
from stylize_live.live.pipeline import run_live
from stylize_live.media.libraries import cv2

PATIENCE = Patience(note=2, end=5)


class Clock:
    """Monotonic seconds that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def looks(watchdog: Watchdog, clock: Clock, seconds: float, step: float = 0.5) -> list[str]:
    """What is said of stalls of more than two seconds while time passes."""
    said = []
    for _ in range(round(seconds / step)):
        clock.now += step
        said += [f"{stall}{' (new)' if stall.is_new else ''}" for stall in watchdog.stalls(PATIENCE)]
    return said


def make_watchdog() -> tuple[Watchdog, Clock, Stopwatch]:
    clock, work = Clock(), Stopwatch()
    watchdog = Watchdog(clock)
    watchdog.watch("encode", work)
    return watchdog, clock, work


def test_work_that_does_not_come_back_is_told_once_as_new() -> None:
    watchdog, clock, work = make_watchdog()
    with work:
        assert looks(watchdog, clock, 2.5) == []  # the first look only sees it begin
        assert looks(watchdog, clock, 1) == [
            "encode has not answered for 2.5 seconds (new)",
            "encode has not answered for 3 seconds",
        ]
    assert looks(watchdog, clock, 5) == []


def test_what_takes_long_by_nature_is_told_of_at_the_end_only() -> None:
    watchdog, clock, work = make_watchdog()
    watchdog.watch("encode", work, noted=False)
    with work:
        assert looks(watchdog, clock, 5.5) == []
        assert looks(watchdog, clock, 1) == [
            "encode has not answered for 5.5 seconds (new)",
            "encode has not answered for 6 seconds",
        ]


def test_what_is_excused_is_told_of_once_it_is_not() -> None:
    watchdog, clock, work = make_watchdog()
    excused = True
    watchdog.watch("encode", work, excused=lambda: excused)
    with work:
        assert looks(watchdog, clock, 100) == []
        excused = False
        assert looks(watchdog, clock, 1) == [
            "encode has not answered for 100 seconds (new)",
            "encode has not answered for 100 seconds",
        ]
    with work:  # the next time it is new again
        assert looks(watchdog, clock, 3)[0] == "encode has not answered for 2.5 seconds (new)"


def test_work_that_goes_on_is_no_stall_however_long_all_of_it_takes() -> None:
    watchdog, clock, work = make_watchdog()
    for _ in range(10):
        with work:
            assert looks(watchdog, clock, 1.5) == []


def test_waiting_for_others_is_no_stall() -> None:
    watchdog, clock, work = make_watchdog()

    def items() -> list[str]:
        return looks(watchdog, clock, 10)

    for _ in work.over(work.waiting_for(said for said in [items()])):
        assert looks(watchdog, clock, 10) == []
    with work.at_length():
        assert looks(watchdog, clock, 1000) == []


def test_a_stopped_process_or_a_clock_that_jumps_is_no_stall() -> None:
    """As after Ctrl-Z and fg, or a night in a closed laptop."""
    watchdog, clock, work = make_watchdog()
    with work:
        assert looks(watchdog, clock, 1) == []
        assert looks(watchdog, clock, 36_000, step=36_000) == []
        assert looks(watchdog, clock, -36_000, step=-36_000) == []


def test_seconds_add_up_without_the_waits_of_others() -> None:
    work = Stopwatch()
    assert work.turn is None
    with work:
        first = work.turn
        assert first is not None
    with work:
        assert work.turn not in (None, first)
    assert work.turn is None
    assert work.seconds > 0


@pytest.mark.parametrize(
    ("error", "told", "words"),
    [
        (MemoryError(), MachineError, "paint: out of memory, close other programs"),
        (OSError(errno.ENOMEM, "x"), MachineError, "paint: out of memory"),
        (OSError(errno.ENOSPC, "No space left"), MachineError, "paint: No space left, free some space"),
        (PermissionError(errno.EACCES, "Permission denied"), MachineError, "paint: Permission denied"),
        (
            RuntimeError("CUDA error: an illegal access\nmore"),
            DeviceError,
            "an illegal access), try device='cpu'",
        ),
        (SinkError("full"), SinkError, "full"),
        (RuntimeError("else"), RuntimeError, "else"),
    ],
)
def test_what_the_machine_did_is_told(error: Exception, told: type[Exception], words: str) -> None:
    found = explain_failure(error, "paint")
    assert type(found) is told
    assert words in str(found)
    assert "\n" not in str(found)


def test_opencv_out_of_memory() -> None:
    with pytest.raises(cv2.error) as caught:
        cv2.resize(np.zeros((2, 2, 3), np.uint8), (1 << 20, 1 << 20))
    assert isinstance(explain_failure(caught.value, "scale"), MachineError)


def test_the_command_tells_it_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stylize_live.nets.catalogue.style_names", lambda: bytearray(1 << 60))
    assert app.main(["styles"]) == MachineError.exit_code
    assert "out of memory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("frame", "error", "words"),
    [
        ("a string", TypeError, "the stylizer gave str, expected a Frame"),
        (make_frame(0).with_image(np.zeros((4, 4, 3))), TypeError, "the stylizer: .*float64"),
        (make_frame(0).with_image(np.zeros((0, 4, 3), np.uint8)), ValueError, "without pixels"),
        (make_frame(0, (8, 8)), ValueError, r"the stylizer gave a frame of \(8, 8\), expected \(32, 24\)"),
    ],
)
def test_what_is_no_frame_is_refused_where_it_comes_from(
    frame: object, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        check_frame(frame, "the stylizer", (32, 24))


def test_a_frame_passes() -> None:
    frame = make_frame(0)
    assert check_frame(frame, "the stylizer", frame.size) is frame


class TestTurn:
    def test_who_hangs_is_left_and_releases_late(self, caplog: pytest.LogCaptureFixture) -> None:
        inside, go_on, late = threading.Event(), threading.Event(), threading.Event()
        turn = Turn("video.mp4", late.set)

        def work() -> None:
            with turn:
                inside.set()
                assert go_on.wait(5)

        worker = threading.Thread(target=work)
        worker.start()
        assert inside.wait(5)
        with turn.to_close() as came:
            assert not came
        assert "video.mp4 does not answer and was not released" in caplog.text
        assert not late.is_set()
        go_on.set()
        worker.join(5)
        assert late.is_set()

    def test_who_rests_is_closed_at_once(self) -> None:
        late = threading.Event()
        turn = Turn("video.mp4", late.set)
        with turn:
            pass
        with turn.to_close() as came:
            assert came
        assert not late.is_set()


def test_sinks_go_on_while_the_window_hangs() -> None:
    """It may be dragged, or its toolkit hang: the stylizer feeds the sinks by itself."""
    written, go_on = [], threading.Event()

    class Sink:
        name, watched = "sink", True

        def write(self, frame: Frame) -> None:
            written.append(frame.index)
            if len(written) > 5:
                go_on.set()

        def close(self) -> None:
            pass

    def hang(display: FakeDisplay) -> str:
        assert go_on.wait(5)
        return "q"

    source = FakeSource(10**6, gap=0.002)
    source.rate = Fraction(30)
    run_live(source, FakeStylizer(), FakeDisplay(hang), sinks=[Sink()])
    assert len(written) > 5
