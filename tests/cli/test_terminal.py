"""What a person sees of `convert` and `image`, in a real pseudo-terminal; and what a file gets instead."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import Video, numbered
from terminal import Screen, run_in_terminal

from stylize_live.cli import convert_display
from stylize_live.cli.console import bars_drawn
from stylize_live.cli.convert_display import ConvertDisplay
from stylize_live.config import ConvertSettings
from stylize_live.conversion.progress import ConvertProgress, ConvertReport
from stylize_live.conversion.queue import ConversionJob, ConversionOutcome
from stylize_live.conversion.segment_store import count_kept_frames
from stylize_live.errors import EXIT_INTERRUPTED, SourceError

LONG = "holiday on the island, second week, with the whole family"
# Two videos done, one failed, with notes and warnings, as the command shows them.
SHOW = f"""
import logging, time
from pathlib import Path
from stylize_live.cli.console import ConsoleHandler
from stylize_live.cli.convert_display import ConvertDisplay
from stylize_live.config import ConvertSettings
from stylize_live.errors import SourceError
from stylize_live.conversion.progress import ConvertProgress, ConvertReport
from stylize_live.conversion.queue import ConversionJob, ConversionOutcome

logging.basicConfig(handlers=[ConsoleHandler()], format="%(message)s")
names = ["one :fire: [1080p]", "{LONG}", "bad"]
jobs = [ConversionJob(Path(f"{{name}}.mp4"), Path(f"out/{{name}}.mp4")) for name in names]
with ConvertDisplay(jobs, False, ConvertSettings(), overwrite=False, restart=False) as display:
    for job in jobs:
        display.start(job)
        display.progress(ConvertProgress(14, 15, 0.5))
        time.sleep(0.15)
        if job is jobs[-1]:
            display.finish(ConversionOutcome(job, "failed", error=SourceError("bad.mp4: not a video")))
            continue
        logging.getLogger("library").warning("a warning of the library")
        report = ConvertReport(15, 0, 0.8, {{}}, 0, True, ["left out: a font"], None)
        display.finish(ConversionOutcome(job, "done", report))
"""


# Between the moment when it is known where a line goes and the one when it is written, bars are drawn.
BUSY = """
import threading
from rich.live import Live
known = Live.process_renderables

def busy(live, renderables):
    found = known(live, renderables)
    if threading.current_thread() is threading.main_thread():
        other = threading.Thread(target=live.refresh)
        other.start()
        other.join(0.1)
    return found

Live.process_renderables = busy
"""


@pytest.mark.parametrize(("columns", "before"), [(60, ""), (80, ""), (200, ""), (80, BUSY)])
def test_results_stand_above_bars_and_bars_go(columns: int, before: str) -> None:
    seen: list[list[str]] = []

    def look(text: str, terminal: int) -> None:
        screen = Screen(columns)
        screen.feed(text)
        seen.append(screen.lines)

    code, lines = run_in_terminal([sys.executable, "-c", before + SHOW], columns, look)
    assert code == 0
    results = [
        *("a warning of the library", "note: out/one :fire: [1080p].mp4: left out: a font"),
        "out/one :fire: [1080p].mp4: 15 frames in 0.8 s, 18.8 frames per second",
        *("a warning of the library", f"note: out/{LONG}.mp4: left out: a font"),
        f"out/{LONG}.mp4: 15 frames in 0.8 s, 18.8 frames per second",
        "failed: bad.mp4: not a video",
    ]
    wrapped = [line[at : at + columns].rstrip() for line in results for at in range(0, len(line), columns)]
    assert [line.rstrip() for line in lines] == [line for line in wrapped if line]
    drawn = [line for screen in seen for line in screen[-2:] if "14/15" in line]
    assert drawn
    assert all(re.search(r"14/15  28\.0 fps [-\d]:[-\d]{2}:[-\d]{2}$", line) for line in drawn)
    # The bar of all is there, too, while the second video is at work.
    assert any(screen[-2:][0].startswith("all ") and "1/3" in screen[-2:][0] for screen in seen if screen)


def test_ctrl_c_says_what_is_kept(tmp_path: Path) -> None:
    size = (320, 180)
    shots = (numbered(i, size) if i < 60 else 255 - numbered(i, size) for i in range(241))
    source = Video(tuple(1001 * i for i in range(241)), size).write(tmp_path / "in.mp4", shots)
    target = tmp_path / "out.mp4"
    pressed = False

    def press(text: str, terminal: int) -> None:
        nonlocal pressed
        if not pressed and count_kept_frames(target):
            pressed = True
            os.write(terminal, b"\x03")

    words = ["convert", str(source), str(target), "--device", "cpu", "--style", "starry-night"]
    code, lines = run_in_terminal([sys.executable, "-m", "stylize_live.cli.app", *words], 60, press)
    assert code == EXIT_INTERRUPTED
    assert count_kept_frames(target) == 60
    said = "".join(lines).replace(" ", "")  # broken anywhere, as the folder's name is long
    assert "60 of 241 frames kept; the same command goes on".replace(" ", "") in said
    assert said.endswith("interrupted")
    assert "fps" not in said


def test_images_are_named_above_their_bar(tmp_path: Path, photos: Path, tiny_style: Path) -> None:
    words = ["image", str(photos), "-o", str(tmp_path / "out"), "--style", str(tiny_style), "--device", "cpu"]
    code, lines = run_in_terminal([sys.executable, "-m", "stylize_live.cli.app", *words], 200)
    assert code == 0
    assert lines == [str(tmp_path / "out" / f"{number}.png") for number in range(3)]


def report(frames: int) -> ConvertReport:
    return ConvertReport(frames, 0, 1.0, {}, 0, True, [], None)


def test_a_report_can_be_printed() -> None:
    pixels = np.zeros((48, 64, 3), np.uint8)
    assert repr(replace(report(15), pair=(pixels, pixels))) == (
        "ConvertReport(frames=15, resumed=0, seconds=1.0, busy={}, damaged=0, complete=True, notes=[])"
    )


def test_a_line_every_30_seconds_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.setattr(convert_display, "monotonic", lambda: now)
    jobs = [ConversionJob(Path("a.mp4"), Path("out/a.mp4")), ConversionJob(Path("b.mp4"), Path("out/b.mp4"))]
    with ConvertDisplay(jobs, False, ConvertSettings(), overwrite=False, restart=False) as display:
        display.start(jobs[0])
        for second in range(0, 70, 5):
            now = 100.0 + second
            display.progress(ConvertProgress(second * 10, 2000, float(second)))
        display.finish(ConversionOutcome(jobs[0], "done", report(2000)))
        display.start(jobs[1])
        now += 30
        display.progress(ConvertProgress(7, None, 30.0))
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "video 1 of 2, a.mp4: 300 of 2000 frames, 10.0 frames per second, 2:50 min left",
        "video 1 of 2, a.mp4: 600 of 2000 frames, 10.0 frames per second, 2:20 min left",
        "video 2 of 2, b.mp4: 7 frames, 0.2 frames per second",
    ]
    assert said.out == "out/a.mp4: 2000 frames in 1.0 s, 2000.0 frames per second\n"
    assert not bars_drawn


@pytest.mark.parametrize("restart", [False, True])
def test_words_of_an_interrupted_queue(
    restart: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = [ConversionJob(Path(f"{name}.mp4"), tmp_path / f"{name}.mp4") for name in "abc"]
    kept = {jobs[1].target: 60}
    monkeypatch.setattr(
        "stylize_live.conversion.segment_store.count_kept_frames", lambda target: kept.get(target, 0)
    )
    with ConvertDisplay(jobs, False, ConvertSettings(), overwrite=False, restart=restart) as display:
        display.start(jobs[0])
        display.finish(ConversionOutcome(jobs[0], "failed", error=SourceError("no")))
        display.start(jobs[1])
        display.progress(ConvertProgress(77, 241, 1.0))
        display.interrupt()
        jobs[1].target.touch()  # there already, and skipped by the same command
        display.interrupt()
        kept.clear()
        display.interrupt()
    goes_on = "the same command" + (" without --restart" if restart else "") + " goes on"
    said = capsys.readouterr().err
    assert said.count("60 of 241") == 1
    assert f"b.mp4: 60 of 241 frames kept; {goes_on} (--restart begins anew)" in said
    assert "b.mp4: nothing kept yet; the same command begins anew" in said
    assert "1 of 3 videos done" in said


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("out.gif", "out.gif: nothing kept yet; the same command begins anew"),
        ("%03d.png", "%03d.png: the images written so far are kept; the same command with --overwrite"),
        ("-", ""),
    ],
)
def test_words_about_what_is_made_in_one_go(
    target: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    job = ConversionJob(Path("in.mp4"), Path(target))
    with ConvertDisplay([job], True, ConvertSettings(), overwrite=False, restart=False) as display:
        display.start(job)
        display.interrupt()
    said = capsys.readouterr().err
    assert words in said
    assert bool(said) == bool(words)
