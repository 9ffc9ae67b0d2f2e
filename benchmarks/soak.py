"""Does a show stay as it began? Hours of live.

    python benchmarks/soak.py                          # 640x360, 30 frames a second, 20 minutes; Linux
    python benchmarks/soak.py --minutes 60 --sound --plot docs/soak.svg
    python benchmarks/soak.py --minutes 120 --style desert

The real command paints a stamped frame that comes over TCP in real time, and its stream is read all the
time, as OBS would. Every ten seconds a line: frames read a second, memory, threads and open handles of the
program, and how old frames were when they were read. With --sound the show is recorded too, with a
microphone that beeps by the clock of the stamps (a fake, see fake_sound/): in the finished video every beep
must stand where its frame stands. The video is an .mkv: an .mp4 gets a whole index in the end, for which 72
bytes are kept for every packet, 12 MB an hour with sound.

The first minute is for warming up. The rest is parted in three, and the medians of the last part are held
against those of the first. The exit code is 1 where

- the rate is more than 3 % lower,
- memory grows by 1 % an hour or more,
- the 95th percentile of age is more than a quarter and 5 ms higher,
- there are more threads or handles,
- sound drifts by more than 40 ms from the first third to the last, or is once more than 80 ms from its
  frame (what broadcasters still call in step is 45 early to 125 late),
- or the show ends by itself.

Other work on the same machine shows in rate and age, so do nothing else meanwhile; --shared leaves those two
out of the verdict, and of sound all but the drift: frames that come late to the program are late in its
video.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from endurance import WARM_UP, Held, growing, held, plot, thirds
from in_step import slips
from latency import Show, live_show, wait_for
from stamps import age, stamped_options, stamped_stream

from stylize_live.system.clock import monotonic

_PERIOD = 10.0  # seconds of a sample
_LEAST_MINUTES = 3.0
_SAME = 0.002  # seconds between stamps read twice; they are in milliseconds
_LARGEST_DRIFT, _LARGEST_SLIP = 40.0, 80.0  # milliseconds
_FAKE_SOUND = Path(__file__).parent / "fake_sound"


@dataclass(frozen=True)
class Sample(Held):
    """Ten seconds.

    Attributes:
        fps: frames read a second.
        p50, p95: ages in milliseconds.
    """

    fps: float
    p50: float
    p95: float

    def __str__(self) -> str:
        return (
            f"{self.at:5.0f} s  {self.fps:5.2f} fps  {super().__str__()}  {self.p50:4.0f} {self.p95:5.0f} ms"
        )


def samples(show: Show, seconds: float) -> Iterator[Sample]:
    """Read the stream and give a sample every ten seconds."""
    with wait_for(show) as source:
        start = since = monotonic()
        ages: list[float] = []
        made_last = 0.0
        for frame in source:
            now = monotonic()
            old = age(frame.pixels, now)
            # The stream says a frame again where none comes for a while, which makes it no older.
            if old is not None and abs(now - old - made_last) > _SAME:
                made_last = now - old
                ages.append(old * 1000)
            if now - since >= _PERIOD:
                p50, p95 = np.percentile(ages, (50, 95)) if ages else (np.inf, np.inf)
                has = held(show.process.pid, now - start)
                fps = len(ages) / (now - since)
                yield Sample(has.at, has.memory, has.threads, has.handles, fps, float(p50), float(p95))
                since, ages = now, []
            if now - start > seconds or show.process.poll() is not None:
                return


def faults(taken: Sequence[Sample], *, shared: bool) -> list[str]:
    """What has become worse; see the top of this file."""
    settled = [sample for sample in taken if sample.at > WARM_UP]
    found = growing(settled)
    fps, p95 = thirds(settled, "fps"), thirds(settled, "p95")
    for name, (first, last) in {"fps": fps, "p95, ms": p95}.items():
        print(f"{name:8} {first:.1f} at first, {last:.1f} in the end")
    if not shared and fps[1] < fps[0] * 0.97:
        found.append("the rate fell")
    if not shared and p95[1] > p95[0] * 1.25 + 5:
        found.append("frames became older")
    return found


def out_of_step(video: Path, *, shared: bool) -> tuple[list[tuple[float, float]], list[str]]:
    """By how much sound is late at every beep of a video, and what is wrong with that."""
    late = slips(video)
    values = np.array([slip for _, slip in late]) * 1000
    third = max(1, len(values) // 3)
    first, last = float(np.median(values[:third])), float(np.median(values[-third:]))
    print(f"sound    {first:+.0f} ms behind its frames at first, {last:+.0f} in the end")
    print(f"         {values.min():+.0f} to {values.max():+.0f} ms at {len(late)} beeps")
    found = ["sound drifts"] if abs(last - first) > _LARGEST_DRIFT else []
    if not shared and np.abs(values).max() > _LARGEST_SLIP:
        found.append("sound is out of step")
    return late, found


def draw(path: Path, taken: Sequence[Sample], late: Sequence[tuple[float, float]], title: str) -> None:
    """The curves of a run."""
    at = [sample.at for sample in taken]
    names = {
        "memory, MB": "memory",
        "threads": "threads",
        "handles": "handles",
        "fps": "fps",
        "median age, ms": "p50",
    }
    curves: dict[str, tuple[Sequence[float], Sequence[float]]] = {
        name: (at, [getattr(sample, field) for sample in taken]) for name, field in names.items()
    }
    if late:
        curves["sound late, ms"] = ([when for when, _ in late], [1000 * slip for _, slip in late])
    plot(path, curves, title)


def main() -> int:
    """Run, print, judge."""
    parser = stamped_options(__doc__, seconds=0)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--sound", action="store_true", help="record with a microphone, too")
    parser.add_argument("--shared", action="store_true", help="rate and age do not count")
    parser.add_argument("--plot", type=Path, help="page, .html, or image, .svg, to draw the curves into")
    options = parser.parse_args()
    if options.minutes < _LEAST_MINUTES:
        parser.error(f"--minutes: at least {_LEAST_MINUTES:g}, to have something to compare")
    width, height = (int(side) for side in options.size.split("x"))
    words = ["--style", options.style]
    taken: list[Sample] = []
    with ExitStack() as opened:
        video = Path(opened.enter_context(tempfile.TemporaryDirectory())) / "show.mkv"
        if options.sound:
            os.environ["PYTHONPATH"] = f"{_FAKE_SOUND}:{os.environ.get('PYTHONPATH', '')}"
            words += ["--record", str(video), "--microphone"]
        stamps = opened.enter_context(stamped_stream((width, height), options.fps))
        seconds = options.minutes * 60
        show = opened.enter_context(live_show(stamps.url, (width, height), seconds + 60, *words))
        for sample in samples(show, seconds):
            taken.append(sample)
            print(sample, flush=True)
        found = []
        if show.process.poll() is None:
            show.process.send_signal(2)
            show.report()
        else:
            found.append("the show ended by itself")
        found += faults(taken, shared=options.shared)
        late: list[tuple[float, float]] = []
        if options.sound:
            late, wrong = out_of_step(video, shared=options.shared)
            found += wrong
    if options.plot:
        draw(
            options.plot, taken, late, f"{options.size}, {options.fps} a second, {options.minutes:g} minutes"
        )
    print("; ".join(found) if found else "steady")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
