"""The live pipeline with a fake source, stylizer and display."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from live_fakes import (
    SIZE,
    FakeDisplay,
    FakeSource,
    FakeStylizer,
    WakeableSource,
    keys,
    left_transparent,
    make_frame,
)
from mattes import mattes
from places import TESTS
from waiting import eventually, promptly

from stylize_live.backgrounds import TRANSPARENT
from stylize_live.cli.app import main
from stylize_live.cli.live import live
from stylize_live.cli.show import summarize
from stylize_live.errors import SourceError, StyleError
from stylize_live.frame import Frame, Pixels
from stylize_live.live import painted_frame
from stylize_live.live import warm_up as live_warm_up
from stylize_live.live.hotkeys import KEYS, OF_PAGES, TOGGLES, hotkey_rows
from stylize_live.live.painted_frame import PaintedFrame, ViewOptions, compose_view
from stylize_live.live.pipeline import run_live
from stylize_live.live.view import View
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.image.io import read_image
from stylize_live.media.sinks.null_display import NullDisplay
from stylize_live.media.sinks.overlay import Caption
from stylize_live.media.sinks.recorder import Recorder
from stylize_live.naming import clock_time, snapshot_name
from stylize_live.options import DEFAULT_BOLDNESS

__all__ = ["mattes"]


class BoomError(Exception):
    pass


def test_every_frame_of_a_slow_source_is_shown_once_in_order() -> None:
    display, stylizer = FakeDisplay(), FakeStylizer()

    def wait_for_the_one_before(index: int) -> None:
        eventually(lambda: len(display.indices) >= index, "the one before is shown")

    report = run_live(FakeSource(6, wait_for_the_one_before), stylizer, display)
    assert stylizer.warmed == [SIZE]
    assert [index for index, _ in stylizer.painted] == list(range(6))
    assert display.indices == list(range(6))
    assert display.frames[0].pixels[5, 5, 0] == 255
    assert (report.captured, report.shown, report.dropped, report.frozen) == (6, 6, 0, 0)


def test_the_newest_frame_wins_and_the_last_one_arrives() -> None:
    display = FakeDisplay()
    given: list[int] = []

    def take_long(frame: Frame) -> None:
        eventually(lambda: len(given) >= min(60, frame.index + 6), "the source goes on")

    report = run_live(FakeSource(60, given.append, gap=0.001), FakeStylizer(take_long), display)
    assert display.indices == sorted(display.indices)
    assert display.indices[-1] == 59
    assert report.dropped_before["inference"] > 20
    assert report.captured == 60 == report.shown + report.dropped


def test_a_slow_display_drops_before_itself() -> None:
    stylizer = FakeStylizer()

    def slow(display: FakeDisplay) -> None:
        shown = max(display.indices, default=-1)
        eventually(lambda: len(stylizer.painted) and stylizer.painted[-1][0] >= min(39, shown + 6))

    all_painted = FakeSource(40, lambda index: eventually(lambda: len(stylizer.painted) >= index), gap=0)
    report = run_live(all_painted, stylizer, FakeDisplay(slow))
    assert report.dropped_before["inference"] == 0
    assert report.dropped_before["display"] > 10
    assert report.captured == report.shown + report.dropped


def raise_boom(*_: object) -> None:
    raise BoomError


def at_two(index: int) -> None:
    if index == 2:
        raise BoomError


@pytest.mark.parametrize(
    ("source", "stylizer", "display"),
    [
        (FakeSource(9, at_two), FakeStylizer(), FakeDisplay()),
        (FakeSource(10_000), FakeStylizer(raise_boom), FakeDisplay()),
        (WakeableSource(), FakeStylizer(raise_boom), FakeDisplay()),
        (WakeableSource(), FakeStylizer(), FakeDisplay(raise_boom)),
    ],
    ids=["source", "stylizer", "stylizer, source waits", "display, source waits"],
)
def test_an_error_anywhere_comes_out(
    source: FakeSource, stylizer: FakeStylizer, display: FakeDisplay
) -> None:
    with promptly(), pytest.raises(BoomError):
        run_live(source, stylizer, display)


def test_an_error_of_warming_up_comes_out_before_any_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeStylizer, "warm_up", raise_boom)
    with pytest.raises(BoomError):
        run_live(FakeSource(), FakeStylizer(), FakeDisplay())


def test_an_error_comes_out_although_the_source_hangs() -> None:
    release, hung = threading.Event(), []

    def hang(index: int) -> None:
        if index == 1:
            hung.append(release.wait(30))

    with promptly(), pytest.raises(BoomError):
        run_live(FakeSource(3, hang), FakeStylizer(raise_boom), FakeDisplay())
    assert hung == []  # it still does
    release.set()


class FlowingSource(FakeSource):
    """Frames that pass if nobody takes them, as a camera's do."""

    flows = True


class SlowToStart(FakeStylizer):
    """Is ready when told."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def warm_up(self, size: tuple[int, int], /) -> None:
        assert self.go.wait(10)
        super().warm_up(size)


def test_frames_are_shown_as_they_come_until_the_network_is_ready() -> None:
    stylizer = SlowToStart()

    def poll(display: FakeDisplay) -> None:
        if len(display.indices) >= 3:
            stylizer.go.set()

    display = FakeDisplay(poll)
    report = run_live(FlowingSource(60), stylizer, display)
    raw = next(number for number, frame in enumerate(display.frames) if frame.pixels[5, 5, 0] > 128)
    assert raw >= 3
    assert all(caption == Caption(note="preparing first") for caption in display.captions[:raw])
    assert all(frame.pixels[0, 0, 0] == 255 for frame in display.frames[:raw] if frame.index >= 0)
    assert report.passed >= 3
    assert report.captured == 60 - report.passed == report.shown + report.dropped


def test_what_a_source_waits_for_stays_up_to_date_before_its_first_frame() -> None:
    source = WakeableSource(0)
    source.trouble = "no camera: choose a source"

    def poll(display: FakeDisplay) -> str | None:
        if display.captions and display.captions[-1].note == "opening Test pattern":
            return "q"
        if display.polls == 3:  # the network is ready long since
            source.trouble = "opening Test pattern"
        return None

    display = FakeDisplay(poll)
    run_live(source, FakeStylizer(), display, duration=5)
    assert [caption.note for caption in display.captions] == [
        "no camera: choose a source",
        "opening Test pattern",
    ]


def test_keys_show_what_they_do_before_the_first_frame_too() -> None:
    source = WakeableSource(0)
    source.trouble = "no camera: choose a source"
    display = FakeDisplay(keys("?", "2", None, "escape", None, "escape", *[None] * 50))
    run_live(source, FakeStylizer(), display, styles=["first", "second"], duration=5)
    waits, chosen = source.trouble, "2  second"
    assert [(caption.note, caption.table) for caption in display.captions] == [
        (waits, ()),
        (waits, hotkey_rows()),
        (chosen, hotkey_rows()),
        (chosen, ()),
    ]
    assert display.polls < 40


def test_a_video_waits_behind_a_card_until_the_network_is_ready() -> None:
    stylizer = SlowToStart()
    display = FakeDisplay(lambda display: stylizer.go.set() if display.frames else None)
    report = run_live(FakeSource(4, gap=0.03), stylizer, display)
    assert (display.frames[0].index, display.frames[0].size) == (-1, SIZE)
    assert display.captions[0] == Caption(note="preparing first")
    assert stylizer.painted[0][0] == 0
    assert (report.captured, report.passed) == (4, 0)


def test_who_ends_while_the_network_is_loaded_waits_for_no_frame() -> None:
    stylizer = SlowToStart()

    def poll(display: FakeDisplay) -> str | None:
        stylizer.go.set()
        return "q"

    report = run_live(WakeableSource(), stylizer, FakeDisplay(poll), duration=5)
    assert report.shown == 0
    assert report.seconds < 1


def test_drops_are_also_counted_from_when_the_pace_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_warm_up, "_SETTLING_SECONDS", 0.1)
    stylizer = FakeStylizer(lambda frame: time.sleep(0.02 if frame.index < 30 else 0.0))
    report = run_live(FakeSource(120, gap=0.005), stylizer, FakeDisplay())
    assert report.settled is not None
    assert 0 < report.settled.captured < report.captured
    assert 0 < report.settled.dropped < report.dropped
    assert run_live(FakeSource(3), FakeStylizer(), FakeDisplay()).settled is None


def test_a_waiting_source_is_woken_at_the_end() -> None:
    source = WakeableSource()
    with promptly():
        report = run_live(source, FakeStylizer(), NullDisplay(), duration=0.1)
    assert source.was_woken
    assert 0.1 <= report.seconds < 2


@pytest.mark.parametrize("key", ["q", "escape", "closed"])
def test_keys_that_end(key: str) -> None:
    report = run_live(WakeableSource(), FakeStylizer(), FakeDisplay(keys(key)))
    assert report.shown >= 1


def test_ctrl_c_ends_with_a_report_and_gives_the_handler_back() -> None:
    before = signal.getsignal(signal.SIGINT)

    def interrupt(display: FakeDisplay) -> None:
        if display.frames:
            signal.raise_signal(signal.SIGINT)

    report = run_live(WakeableSource(), FakeStylizer(), FakeDisplay(interrupt))
    assert report.shown >= 1
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.posix
def test_the_second_ctrl_c_kills() -> None:
    code = """
import signal
from live_fakes import FakeDisplay, FakeStylizer, WakeableSource
from stylize_live.live.pipeline import run_live
def twice(display):
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
run_live(WakeableSource(), FakeStylizer(), FakeDisplay(twice))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=TESTS, timeout=30)
    assert done.returncode == -signal.SIGINT


def test_an_empty_source_gives_an_empty_report() -> None:
    report = run_live(FakeSource(0), FakeStylizer(), NullDisplay())
    assert (report.captured, report.shown, report.fps) == (0, 0, 0)
    assert json.loads(json.dumps(report.as_dict()))["latency_ms"]["total"]["p50"] is None
    assert summarize(report).startswith("shown    0 of 0 frames")


def test_ages_grow_from_stage_to_stage() -> None:
    stylizer = FakeStylizer(lambda frame: time.sleep(0.02))
    report = run_live(FakeSource(5, gap=0.03), stylizer, FakeDisplay())
    medians = [report.latency_ms[name].p50 or 0 for name in ("capture", "inference", "display", "total")]
    assert medians == sorted(medians)
    assert medians[1] >= 20
    assert set(report.as_dict()) >= {"captured", "shown", "dropped", "fps", "latency_ms"}
    assert "capture to display" in summarize(report)


def test_style_keys_change_the_style_of_later_frames() -> None:
    stylizer = FakeStylizer()
    display = FakeDisplay(keys("2"))
    run_live(WakeableSource(), stylizer, display, styles=["first", "second"])
    assert stylizer.style == "second"


def test_frozen_frame_stays_and_is_repainted_in_a_new_style() -> None:
    stylizer = FakeStylizer()
    state = {"pressed": 0, "index": -1}

    def drive(display: FakeDisplay) -> str | None:
        if not display.frames:
            return None
        if state["pressed"] == 0:
            state["pressed"], state["index"] = 1, display.frames[-1].index
            return "space"
        if state["pressed"] == 1 and display.polls > 12:
            state["pressed"] = 2
            return "right"
        return "q" if (state["index"], "second") in stylizer.painted and display.polls > 20 else None

    display = FakeDisplay(drive)
    report = run_live(FakeSource(2000, gap=0.002), stylizer, display, styles=["first", "second"])
    assert {frame.index for frame in display.frames} == {state["index"]}
    assert report.shown == 1
    assert report.frozen > 5
    assert report.captured - report.frozen - report.dropped <= 3


def test_a_style_that_was_chosen_just_before_freezing_is_shown() -> None:
    stylizer, pressed = FakeStylizer(), iter(("2", "space"))

    def drive(display: FakeDisplay) -> str | None:
        if not display.frames:
            return None
        seen = (display.frames[0].index, "second") in stylizer.painted
        return next(pressed, "q" if seen or display.polls > 200 else None)

    run_live(WakeableSource(1), stylizer, FakeDisplay(drive), styles=["first", "second"])
    assert [style for _, style in stylizer.painted] == ["first", "second"]


def test_redrawing_is_not_showing() -> None:
    report = run_live(WakeableSource(1), FakeStylizer(), FakeDisplay(keys("m", "m", "s", "h")))
    assert report.shown == 1


def test_mirror_and_split_show_at_once() -> None:
    display = FakeDisplay(keys("m", None, "s", None))
    run_live(WakeableSource(1), FakeStylizer(), display)
    plain, mirrored, split = (display.frames[n].pixels for n in (0, 1, -1))
    assert plain[0, 0, 0] == 0
    assert mirrored[0, -1, 0] == 0
    assert mirrored[0, 0, 0] == 255
    assert split[3, 0, 0] == 0
    assert split[3, -1, 0] == 255


def test_the_caption_tells_style_and_figures_and_can_be_hidden() -> None:
    display, stylizer = FakeDisplay(keys("h", None, None)), FakeStylizer()
    stylizer.boldness = DEFAULT_BOLDNESS
    run_live(WakeableSource(1), stylizer, display)
    assert display.captions[0].left == "first"
    assert "dropped" in display.captions[0].right[-1]
    assert display.captions[-1].left == ""
    assert display.captions[-1].note == "overlay off"


def test_another_boldness_than_the_usual_is_in_the_caption() -> None:
    display, stylizer = FakeDisplay(keys(None)), FakeStylizer()
    run_live(WakeableSource(1), stylizer, display)
    assert display.captions[0].left == "first  100% bold"


def test_the_trouble_of_a_source_is_shown() -> None:
    source = WakeableSource(1)
    source.trouble = "camera is gone"
    display = FakeDisplay(keys(None))
    run_live(source, FakeStylizer(), display)
    assert display.captions[-1].note == "camera is gone"


@pytest.mark.parametrize("overlay", [True, False])
def test_a_recording_is_marked_in_the_window(tmp_path: Path, overlay: bool) -> None:
    script = [*([] if overlay else ["h"]), "r"]
    marks: list[str] = []

    def press(display: FakeDisplay) -> str | None:
        if not display.frames:
            return None
        if script:
            return script.pop(0)
        marks.append(display.captions[-1].recorded)
        return "q" if marks[-1] else None

    display = FakeDisplay(press)
    run_live(FakeSource(2000), FakeStylizer(), display, snapshots=tmp_path)
    assert marks[-1] == "0:00"
    assert (display.captions[-1].left == "") is not overlay
    assert display.captions[0].recorded == ""


def test_a_video_of_the_whole_show_is_marked_too(tmp_path: Path) -> None:
    display = FakeDisplay(lambda display: "q" if display.captions and display.captions[-1].recorded else None)
    with Recorder(tmp_path / "whole.mp4", SIZE) as video:
        run_live(FakeSource(2000), FakeStylizer(), display, sinks=[video])
        assert video.seconds is not None
    assert video.seconds is None
    assert display.captions[-1].recorded == "0:00"


@pytest.mark.parametrize(("seconds", "shown"), [(0.9, "0:00"), (65, "1:05"), (3723.5, "1:02:03")])
def test_lengths_of_time(seconds: float, shown: str) -> None:
    assert clock_time(seconds) == shown


def test_snapshot_is_what_is_seen(tmp_path: Path) -> None:
    display = FakeDisplay(keys("s", "p"))
    run_live(WakeableSource(1), FakeStylizer(), display, snapshots=tmp_path)
    (path,) = tmp_path.glob("first-*.png")
    assert np.array_equal(read_image(path).pixels, display.frames[-1].pixels)


def test_a_transparent_snapshot_stays_so(tmp_path: Path) -> None:
    stylizer = FakeStylizer()
    stylizer.background = TRANSPARENT
    run_live(WakeableSource(1), stylizer, FakeDisplay(keys("p")), snapshots=tmp_path)
    (path,) = tmp_path.glob("first-*.png")
    assert np.array_equal(read_image(path).alpha, left_transparent(SIZE))  # type: ignore[arg-type]


def test_transparency_is_mirrored_and_the_original_beside_it_is_opaque() -> None:
    display, stylizer = FakeDisplay(keys("m", None, "s", None)), FakeStylizer()
    stylizer.background = TRANSPARENT
    run_live(WakeableSource(1), stylizer, display)
    plain, mirrored, split = (display.frames[n].alpha for n in (0, 1, -1))
    assert plain is not None
    assert mirrored is not None
    assert split is not None
    assert np.array_equal(plain, left_transparent(SIZE))
    assert np.array_equal(mirrored, plain[:, ::-1])
    assert (split[:, : SIZE[0] // 2] == 255).all()
    assert (split[:, SIZE[0] // 2 + 1 :] == 0).all()


def test_a_key_goes_through_who_is_painted() -> None:
    display, stylizer = FakeDisplay(keys("b", None, "b", None, "b", None)), FakeStylizer()
    painted: list[str] = []
    press = View.press

    def pressed(view: View, key: str) -> None:
        press(view, key)
        painted.extend([stylizer.paint] * (key == "b"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(View, "press", pressed)
        report = run_live(WakeableSource(1), stylizer, display)
    assert painted == ["person", "background", "both"]
    assert "painted: you alone" in {caption.note for caption in display.captions}
    assert (report.paint, report.background_style, report.background) == ("both", "", "")


def test_a_snapshot_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    display = FakeDisplay(keys("p", *[None] * 8))
    run_live(WakeableSource(1), FakeStylizer(), display, snapshots=tmp_path / "missing")
    assert "cannot write" in display.captions[-1].note


@pytest.mark.parametrize(
    ("style", "name"),
    [
        ("starry-night", "starry-night-20250131-201502-125.png"),
        ("/some/where/my style.safetensors", "my_style-20250131-201502-125.png"),
        ("a:0.6,b:0.4", "a_0.6_b_0.4-20250131-201502-125.png"),
    ],
)
def test_snapshot_names(style: str, name: str) -> None:
    assert snapshot_name(style, datetime(2025, 1, 31, 20, 15, 2, 125_000), ".png") == name


def make_view(styles: list[str]) -> tuple[View, FakeStylizer]:
    stylizer = FakeStylizer()
    embolden = partial(setattr, stylizer, "boldness")
    return View(stylizer, styles, lambda: None, lambda: None, embolden), stylizer


@pytest.mark.parametrize(
    ("pressed", "style"),
    [
        (["right"], "second"),
        (["down", "down"], "third"),
        (["left"], "third"),
        (["up", "right"], "first"),
        (["3"], "third"),
        (["4"], "first"),
        (["0"], "first"),
        (["x"], "first"),
        (["²"], "first"),
    ],
)
def test_keys_choose_styles(pressed: list[str], style: str) -> None:
    view, stylizer = make_view(["first", "second", "third"])
    for key in pressed:
        view.press(key)
    assert stylizer.style == style


@pytest.mark.parametrize(
    ("typed", "style"),
    [
        ("1", 1),
        ("0", 10),
        ("12", 12),
        ("1 2", 2),  # with a pause between
        ("10", 10),
        ("25", 25),
        ("26", 6),  # there is none: the second digit stands for itself
        ("05", 5),
        ("123", 3),
        ("1212", 12),
    ],
)
def test_digits_choose_styles_beyond_nine(typed: str, style: int) -> None:
    now = 0.0
    styles = [f"style-{number}" for number in range(1, 26)]
    stylizer = FakeStylizer()
    view = View(stylizer, styles, lambda: None, lambda: None, lambda boldness: None, lambda: now)
    for character in typed:
        now += 0.3 if character != " " else 2.0
        view.press(character)
    assert stylizer.style == f"style-{style}"
    assert view.note == f"{style}  style-{style}"


def test_a_style_that_is_named_is_no_longer_named_when_another_came_from_elsewhere() -> None:
    view, _ = make_view(["first", "second", "third"])
    view.press("2")
    assert view.use_style("third")
    assert view.note == ""
    view.say("saved a.png")
    assert view.use_style("first")
    assert view.note == "saved a.png"


def test_a_slow_change_of_style_takes_nothing_from_the_time_for_a_second_digit() -> None:
    now = 0.0

    class Slow(FakeStylizer):
        def __setattr__(self, name: str, value: object) -> None:
            nonlocal now
            now += 1.5 if name == "style" else 0.0
            super().__setattr__(name, value)

    styles = [f"style-{number}" for number in range(1, 26)]
    stylizer = Slow()
    view = View(stylizer, styles, lambda: None, lambda: None, lambda boldness: None, lambda: now)
    for digit in "12":
        now += 0.3
        view.press(digit)
    assert stylizer.style == "style-12"


def test_a_number_without_a_style_says_so() -> None:
    view, _ = make_view(["first"])
    view.press("7")
    assert view.note == "there is no style 7"


def test_the_keys_are_shown_on_the_frame_and_escape_hides_them_first() -> None:
    display = FakeDisplay(keys("?", None, "escape", None, "escape", *[None] * 50))
    run_live(WakeableSource(1), FakeStylizer(), display)
    tables = [caption.table for caption in display.captions]
    assert hotkey_rows() in tables
    assert tables[-1] == ()
    assert display.polls < 40


def test_one_table_tells_all_keys() -> None:
    view, _ = make_view([])
    names = [name for key in KEYS for name in key.names]
    assert len(names) == len(set(names))
    assert set(names) == {*view._actions, "f"}  # which is the window's own
    assert set(TOGGLES.values()) <= ViewOptions.model_fields.keys()
    assert not {"q", "escape", "closed"} & OF_PAGES
    for shown, does in hotkey_rows():
        assert f"      {shown:<9}{does}\n" in (live.__doc__ or "")


def test_a_style_that_is_not_in_the_list_leads_into_it() -> None:
    view, stylizer = make_view(["a", "b"])
    view.press("left")
    assert stylizer.style == "b"
    view, stylizer = make_view([])
    view.press("right")
    assert stylizer.style == "first"


def test_steadiness_goes_off_and_comes_back() -> None:
    view, stylizer = make_view([])
    view.press("t")
    assert stylizer.steadiness == 0
    assert view.note == "steadiness off"
    view.press("t")
    assert stylizer.steadiness == 0.8


def test_strength_stays_in_range_and_moves_in_tenths() -> None:
    view, stylizer = make_view([])
    view.press("]")
    assert stylizer.strength == 1
    for expected in (0.9, 0.8, 0.7):
        view.press("[")
        assert stylizer.strength == expected
    for _ in range(9):
        view.press("[")
    assert stylizer.strength == 0
    assert view.note == "strength 0%"


def test_boldness_stays_in_range_and_moves_in_tenths() -> None:
    view, stylizer = make_view([])
    view.press("=")
    assert stylizer.boldness == 1
    for expected in (0.9, 0.8, 0.7):
        view.press("-")
        assert stylizer.boldness == expected
    view.press("+")
    assert (stylizer.boldness, view.note) == (0.8, "boldness 80%")
    for _ in range(9):
        view.press("-")
    assert stylizer.boldness == 0


def test_boldness_takes_few_values() -> None:
    view, stylizer = make_view([])
    seen = set()
    for hundredth in range(101):
        view.use_option("boldness", hundredth / 100)
        seen.add(stylizer.boldness)
    assert seen == {twentieth * 5 / 100 for twentieth in range(21)}


def test_a_style_without_boldness_says_so() -> None:
    view, stylizer = make_view([])
    stylizer.has_boldness = False
    view.press("-")
    assert view.note == "this style has no boldness to change"
    assert stylizer.boldness == 1


def test_painting_goes_on_while_boldness_is_set() -> None:
    """The newest of many values is what comes; the caption tells it at once."""
    painted_meanwhile = threading.Event()

    class Slow(FakeStylizer):
        def __init__(self) -> None:
            super().__init__(before=lambda frame: frame.index > 20 and painted_meanwhile.set())
            self.set: list[float] = []

        def __setattr__(self, name: str, value: object) -> None:
            if name == "boldness" and value != 1.0:
                assert painted_meanwhile.wait(5)
                self.set.append(value)
            super().__setattr__(name, value)

    stylizer = Slow()
    script: list[str | None] = ["-"] * 4

    def press(display: FakeDisplay) -> str | None:
        if display.frames and script:
            return script.pop()
        return "q" if stylizer.boldness == 0.6 else None

    display = FakeDisplay(press)
    run_live(FakeSource(100_000), stylizer, display)
    assert stylizer.set[-1] == 0.6
    assert len(stylizer.set) <= 2
    assert any(caption.left == "first  60% bold" for caption in display.captions)


def test_a_style_that_broke_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(FakeStylizer):
        def __setattr__(self, name: str, value: object) -> None:
            if name == "style" and value == "bad":
                raise StyleError("bad: unreadable")
            super().__setattr__(name, value)

    view = View(Broken(), ["bad"], lambda: None, lambda: None, lambda boldness: None)
    view.press("1")
    assert view.note == "bad: unreadable"


class Gazing(FakeStylizer):
    """Has to look at the styles `unseen` before it can paint in them."""

    def __init__(self, *unseen: str) -> None:
        super().__init__()
        self.unseen = set(unseen)
        self.go = threading.Event()

    def takes_long(self, style: str, /) -> bool:
        return style in self.unseen

    def look_at(self, style: str, /) -> None:
        assert threading.current_thread() is not threading.main_thread()
        assert self.go.wait(10)
        if style == "bad":
            raise StyleError("bad: no image")
        self.unseen.discard(style)


def test_a_painting_is_looked_at_beside_the_show() -> None:
    """The show goes on in the style before, and changes when it is ready."""
    stylizer, pressed = Gazing("painting.jpg"), ["2"]

    def poll(display: FakeDisplay) -> str | None:
        if len(display.indices) > 4 and not pressed:
            stylizer.go.set()
        if stylizer.painted and stylizer.painted[-1][1] == "painting.jpg":
            return "q"
        return pressed.pop() if pressed and display.frames else None

    run_live(FakeSource(100_000, gap=0.002), stylizer, FakeDisplay(poll), styles=["first", "painting.jpg"])
    assert {style for index, style in stylizer.painted[:5]} == {"first"}
    assert stylizer.style == "painting.jpg"


def test_what_is_chosen_meanwhile_stays() -> None:
    looked: list[str] = []
    stylizer = Gazing("painting.jpg")
    view = View(stylizer, ["painting.jpg", "second"], *[lambda *_: None] * 3, look_at=looked.append)
    view.press("1")
    assert (looked, view.awaited, stylizer.style) == (["painting.jpg"], "painting.jpg", "first")
    view.press("right")  # from what is awaited
    assert (view.awaited, stylizer.style) == ("", "second")
    view.press("left")
    stylizer.unseen.clear()
    view.use_style(view.awaited)
    assert (view.awaited, stylizer.style, view.note) == ("", "painting.jpg", "1  painting")


def test_a_painting_that_cannot_be_looked_at_is_a_note() -> None:
    stylizer = Gazing("bad")
    stylizer.go.set()
    pressed = ["1"]

    def poll(display: FakeDisplay) -> str | None:
        if display.captions and display.captions[-1].note == "bad: no image":
            return "q"
        return pressed.pop() if pressed and display.frames else None

    run_live(WakeableSource(), stylizer, FakeDisplay(poll), styles=["bad"])
    assert stylizer.style == "first"


def test_compose_leaves_its_inputs_alone() -> None:
    original = make_frame(10).pixels
    painted = 255 - original
    kept = painted.copy()
    assert compose_view(original, painted, ViewOptions()) is painted
    both = compose_view(original, painted, ViewOptions(mirror=True, split=True))
    assert both.flags.c_contiguous
    assert np.array_equal(both[:, :15], original[:, ::-1][:, :15])
    assert np.array_equal(both[:, 17:], painted[:, ::-1][:, 17:])
    assert (both[:, 15:17] == 255).all()
    assert np.array_equal(painted, kept)


def test_a_frame_is_composed_once_for_all_who_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """In whichever of several threads asks first."""
    made: list[ViewOptions] = []

    def counted(original: Pixels, painted: Pixels, options: ViewOptions) -> Pixels:
        made.append(options)
        return compose_view(original, painted, options)

    monkeypatch.setattr(painted_frame, "compose_view", counted)
    original = make_frame(10)
    both = PaintedFrame(original, original.with_image(255 - original.pixels), 0.0, 0.0)
    together = threading.Barrier(8)

    def ask(_: int) -> Frame:
        together.wait(10)
        return both.compose(ViewOptions(mirror=True, split=True))

    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(ask, range(8)))
    assert len({id(frame) for frame in seen}) == 1
    wanted = compose_view(original.pixels, both.painted.pixels, ViewOptions(mirror=True, split=True))
    assert np.array_equal(seen[0].pixels, wanted)
    assert both.compose(ViewOptions(split=True)) is not seen[0]
    assert both.compose(ViewOptions()).pixels is both.painted.pixels
    assert made == [ViewOptions(mirror=True, split=True), ViewOptions(split=True), ViewOptions()]


@pytest.mark.parametrize("width", [1, 2, 3])
def test_compose_takes_the_smallest_frames(width: int) -> None:
    tiny: Frame = make_frame(1, (width, 1))
    assert compose_view(tiny.pixels, tiny.pixels, ViewOptions(mirror=True, split=True)).shape == (1, width, 3)


def test_the_command_prints_one_json_object_last(
    tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        f"live --source test --width 48 --height 32 --no-window --duration 0.3 --style {tiny_style} --json"
    )
    assert main(words.split()) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["captured"] >= report["shown"] >= 1
    assert set(report["latency_ms"]) == {"capture", "inference", "display", "total"}


def test_the_command_says_what_is_wrong_with_the_source_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "--source", "gone.mp4", "--style", "nothing"]) == SourceError.exit_code
    assert "gone.mp4: no such file" in capsys.readouterr().err


@pytest.mark.usefixtures("mattes")
def test_a_show_with_people_cut_out_is_recorded_so(
    tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "live",
        "--source",
        "test",
        "--width",
        "64",
        "--height",
        "48",
        "--no-window",
        "--duration",
        "0.5",
    ]
    words += ["--style", str(tiny_style), "--background", "transparent", "--json", "--size", "48p"]
    assert main([*words, "--record", str(tmp_path / "a.webm")]) == 0
    first = capsys.readouterr()
    assert "black" not in first.err
    assert json.loads(first.out)["background"] == "transparent"
    with VideoReader(tmp_path / "a.webm") as video:
        assert video.has_alpha
    assert main([*words, "--record", str(tmp_path / "a.mp4"), "--stream", "0"]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "a.mp4: this recording has black around you" in told
    assert "stream and virtual camera show black around you; --background lime can be keyed" in told
