"""Does a show stay as it began? Hours of live are tried in twenty minutes.

    python benchmarks/soak.py                          # 640x360, 30 pictures a second, 20 minutes; Linux
    python benchmarks/soak.py --minutes 120 --style desert

The real command paints a stamped picture that comes over TCP in real time, and its stream is read all the
time, as OBS would. Every ten seconds a line: pictures read a second, memory and threads of the program, and
how old pictures were when they were read.

The first minute is for warming up. The rest is parted in three, and the medians of the last part are held
against those of the first. The exit code is 1 where

- the rate is more than 3 % lower,
- memory is more than 3 % or 30 MB higher, whichever is more,
- the 95th percentile of age is more than a quarter and 5 ms higher,
- there are more threads,
- or the show ends by itself.

Other work on the same machine shows in rate and age, so do nothing else meanwhile.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from latency import Show, live_show, wait_for
from stamps import age, stamped_options, stamped_stream

_PERIOD = 10.0  # seconds of a sample
_WARM_UP = 60.0
_LEAST_MINUTES = 3.0


@dataclass(frozen=True)
class Sample:
    """Ten seconds.

    Attributes:
        at: seconds since the first picture.
        fps: pictures read a second.
        memory: resident, in MB.
        threads: of the program.
        p50, p95: ages in milliseconds.
    """

    at: float
    fps: float
    memory: float
    threads: float
    p50: float
    p95: float

    def __str__(self) -> str:
        figures = f"{self.memory:6.0f} MB  {self.threads:3.0f} threads  {self.p50:4.0f} {self.p95:5.0f} ms"
        return f"{self.at:5.0f} s  {self.fps:5.2f} fps  {figures}"


def samples(show: Show, seconds: float) -> Iterator[Sample]:
    """Read the stream and give a sample every ten seconds."""
    with wait_for(show) as source:
        start = since = time.monotonic()
        ages: list[float] = []
        for frame in source:
            now = time.monotonic()
            if (old := age(frame.pixels, now)) is not None:
                ages.append(old * 1000)
            if now - since >= _PERIOD:
                memory, threads = _process(show.process.pid)
                p50, p95 = np.percentile(ages, (50, 95)) if ages else (np.inf, np.inf)
                yield Sample(now - start, len(ages) / (now - since), memory, threads, p50, p95)
                since, ages = now, []
            if now - start > seconds or show.process.poll() is not None:
                return


def _process(pid: int) -> tuple[float, int]:
    """Resident memory in MB, and threads."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    return int(status["VmRSS"].split()[0]) / 1024, int(status["Threads"])


def faults(taken: list[Sample]) -> list[str]:
    """What has become worse; see the top of this file."""
    settled = [sample for sample in taken if sample.at > _WARM_UP]
    third = len(settled) // 3
    first, last = ({
        name: float(np.median([getattr(sample, name) for sample in part]))
        for name in ("fps", "memory", "threads", "p95")
    } for part in (settled[:third], settled[-third:]))  # fmt: skip
    for name in first:
        print(f"{name:8} {first[name]:8.2f} at first, {last[name]:8.2f} in the end")
    found = {
        "the rate fell": last["fps"] < first["fps"] * 0.97,
        "memory grew": last["memory"] > first["memory"] + max(30.0, first["memory"] * 0.03),
        "pictures became older": last["p95"] > first["p95"] * 1.25 + 5,
        "threads were left": last["threads"] > first["threads"],
    }
    return [what for what, true in found.items() if true]


def main() -> int:
    """Run, print, judge."""
    parser = stamped_options(__doc__, seconds=0)
    parser.add_argument("--minutes", type=float, default=20)
    options = parser.parse_args()
    if options.minutes < _LEAST_MINUTES:
        parser.error(f"--minutes: at least {_LEAST_MINUTES:g}, to have something to compare")
    width, height = (int(side) for side in options.size.split("x"))
    taken: list[Sample] = []
    with (
        stamped_stream((width, height), options.fps) as stamps,
        live_show(stamps.url, (width, height), options.minutes * 60 + 60, "--style", options.style) as show,
    ):
        for sample in samples(show, options.minutes * 60):
            taken.append(sample)
            print(sample, flush=True)
        if ended := show.process.poll() is not None:
            print("the show ended by itself")
        else:
            show.process.send_signal(2)
            show.report()
    found = faults(taken)
    print("; ".join(found) if found else "steady")
    return int(ended or bool(found))


if __name__ == "__main__":
    sys.exit(main())
