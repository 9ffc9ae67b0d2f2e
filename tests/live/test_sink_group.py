"""Sinks beside the window: none disturbs the window or another, whatever it does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from live_fakes import SIZE, FakeDisplay, FakeSink, FakeSource, FakeStylizer, WakeableSource, fail, keys
from waiting import eventually

from stylize_live.errors import SinkError
from stylize_live.frame import Frame
from stylize_live.live.pipeline import run_live
from stylize_live.live.session import LiveSession
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.sinks.null_display import NullDisplay


def in_step(*takers: FakeSink | FakeDisplay) -> Callable[[int], None]:
    """For a source: give no frame before everybody has the one before."""

    def wait(index: int) -> None:
        if index:
            eventually(
                lambda: all(index - 1 in taker.indices for taker in takers), f"frame {index - 1} arrives"
            )

    return wait


def test_all_sinks_get_what_the_window_shows() -> None:
    display, first, second = FakeDisplay(), FakeSink("first"), FakeSink("second")
    source = FakeSource(6, in_step(display, first, second))
    report = run_live(source, FakeStylizer(), display, sinks=[first, second], mirror=True)
    assert first.indices == second.indices == display.indices == list(range(6))
    for frame, shown in zip(first.frames, display.frames, strict=False):
        assert np.array_equal(frame.pixels, shown.pixels)
    assert report.outputs["first"].written == 6
    assert report.outputs["first"].dropped == 0
    assert report.outputs["second"].latency_ms.p50 is not None


def test_window_page_and_sinks_show_one_frame() -> None:
    class Page:
        watched = shows = True
        shown: Frame | None = None

        def attend(self, session: LiveSession) -> None:
            self.shown = session.shown

    page, sink = Page(), FakeSink()

    def end(display: FakeDisplay) -> str | None:
        arrived = sink.frames and page.shown is not None and page.shown.index == 0
        return "q" if arrived else None

    display = FakeDisplay(end)
    run_live(WakeableSource(1), FakeStylizer(), display, sinks=[sink], remote=page, mirror=True, split=True)
    assert page.shown is not None
    assert page.shown.pixels is sink.frames[0].pixels
    assert page.shown.pixels is display.frames[-1].pixels


def test_a_hanging_sink_disturbs_nobody() -> None:
    release, hung = threading.Event(), []
    hanging = FakeSink("hanging", before=lambda frame: hung.append(release.wait(30)))
    display, well = FakeDisplay(), FakeSink("well")
    source = FakeSource(12, in_step(display, well))
    report = run_live(source, FakeStylizer(), display, sinks=[hanging, well])
    assert hung == []  # it still does
    assert display.indices == well.indices == list(range(12))
    assert report.outputs["hanging"].dropped >= 9
    assert hanging.frames == []
    release.set()


def test_a_slow_sink_gets_the_newest_and_the_last() -> None:
    display = FakeDisplay()

    def take_long(frame: Frame) -> None:
        eventually(lambda: display.indices[-1:] >= [min(39, frame.index + 5)], "the show goes on")

    slow = FakeSink("slow", before=take_long)
    run_live(FakeSource(40, gap=0.001), FakeStylizer(), display, sinks=[slow])
    assert slow.indices == sorted(set(slow.indices))
    assert len(slow.indices) < 10
    assert slow.indices[-1] == 39


def test_a_sink_that_fails_is_said_and_the_show_goes_on() -> None:
    broken, well = FakeSink("recording", before=fail), FakeSink("stream")
    display = FakeDisplay()
    source = FakeSource(8, in_step(display, well))
    report = run_live(source, FakeStylizer(), display, sinks=[broken, well])
    assert report.outputs["recording"].error == "recording: the disk is full"
    assert report.outputs["stream"].error is None
    assert well.indices == display.indices == list(range(8))
    assert display.captions[-1].note == "recording: the disk is full"


def test_where_nothing_else_is_left_the_error_ends_the_run() -> None:
    sinks = [FakeSink("one", before=fail), FakeSink("two", before=fail)]
    with pytest.raises(SinkError, match="one: the disk is full"):
        run_live(WakeableSource(3), FakeStylizer(), NullDisplay(watched=False), sinks=sinks, duration=5)


class Knobs:
    """Controls a session, and shows nothing; or a page that nobody looks at yet."""

    watched = False

    def __init__(self, *, shows: bool) -> None:
        self.shows = shows

    def attend(self, session: LiveSession) -> None:
        """Turns nothing."""


def test_knobs_alone_keep_no_session_up() -> None:
    sink = FakeSink("one", before=fail)
    display, knobs = NullDisplay(watched=False), Knobs(shows=False)
    with pytest.raises(SinkError, match="one: the disk is full"):
        run_live(WakeableSource(3), FakeStylizer(), display, sinks=[sink], remote=knobs, duration=5)


def test_a_page_does() -> None:
    class Page(Knobs):
        attended = 0

        def attend(self, session: LiveSession) -> None:
            self.attended += "full" in session.trouble

    class Display(NullDisplay):
        def poll(self) -> str | None:
            return "q" if page.attended > 3 else None

    page, sinks = Page(shows=True), [FakeSink("one", before=fail)]
    report = run_live(WakeableSource(3), FakeStylizer(), Display(watched=False), sinks=sinks, remote=page)
    assert report.outputs["one"].error == "one: the disk is full"


def test_an_error_that_is_a_mistake_of_ours_stops_all() -> None:
    def boom(frame: Frame) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_live(WakeableSource(), FakeStylizer(), FakeDisplay(), sinks=[FakeSink(before=boom)])


def test_nothing_is_painted_while_nobody_watches() -> None:
    sink, stylizer = FakeSink(watched=False), FakeStylizer()

    def somebody_comes(index: int) -> None:
        sink.watched = index >= 10
        if index > 10:
            in_step(sink)(index)

    display = NullDisplay(watched=False)
    report = run_live(FakeSource(16, somebody_comes, gap=0.03), stylizer, display, sinks=[sink])
    assert [index for index, _ in stylizer.painted] == list(range(10, 16))
    assert sink.indices == list(range(10, 16))
    assert report.idle == 10
    assert report.captured == report.shown + report.dropped + report.idle


def test_a_frozen_frame_that_is_mirrored_reaches_the_sinks() -> None:
    sink = FakeSink()
    run_live(WakeableSource(1), FakeStylizer(), FakeDisplay(keys("space", "m", *[None] * 9)), sinks=[sink])
    assert sink.frames[0].pixels[0, 0, 0] == 0
    assert sink.frames[-1].pixels[0, -1, 0] == 0
    assert sink.frames[-1].pixels[0, 0, 0] == 255


def test_a_key_begins_and_ends_a_recording(tmp_path: Path) -> None:
    # r, so many frames, r: once each for two videos
    display = FakeDisplay(keys("r", *[None] * 25, "r", *[None] * 10, "r", *[None] * 25, "r", *[None] * 10))
    report = run_live(FakeSource(10_000, gap=0.01), FakeStylizer(), display, snapshots=tmp_path)
    videos = sorted(tmp_path.glob("first-*.mp4"))
    assert len(videos) == 2
    for video, output in zip(videos, report.outputs.values(), strict=True):
        with VideoReader(video) as reader:
            assert reader.size == SIZE
            assert sum(1 for _ in reader) == output.written > 3
    assert list(report.outputs) == ["recording", "recording 2"]
    notes = list(dict.fromkeys(caption.note for caption in display.captions))
    assert notes[:3] == ["", f"recording {videos[0].name}", f"saved {videos[0].name}"]


def test_a_recording_that_cannot_be_is_said(tmp_path: Path) -> None:
    display = FakeDisplay(keys("r", *[None] * 10))
    run_live(FakeSource(10_000), FakeStylizer(), display, snapshots=tmp_path / "missing")
    assert "missing" in display.captions[-1].note
