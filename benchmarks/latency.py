"""How old a frame is when another program reads it from a sink: measured from end to end.

    python benchmarks/latency.py                       # 640x360, 30 frames a second, 20 seconds
    python benchmarks/latency.py --style desert --seconds 60 --json

A stamped frame is served over TCP, the real command `stylize-live live --stream` reads it, paints its
right half and serves it on, and this program reads that like any player and compares the stamp with the
clock. In the way are two JPEGs and two sockets more than in `live`'s own figure, which is printed beside
it. Also: how long after the start of the command the first painted frame arrived.
"""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from stamps import age, in_words, patch_errors, stamped_options, stamped_stream

from stylize_live.errors import SourceError
from stylize_live.media.sources.network import StreamSource
from stylize_live.system.clock import monotonic

_STARTING_SECONDS = 60.0


@dataclass(frozen=True)
class Show:
    """A running `live`.

    Attributes:
        url: of its stream.
        started: monotonic seconds at which the command was given.
        process: prints its report as JSON when it ends.
    """

    url: str
    started: float
    process: subprocess.Popen[str]

    def report(self) -> dict[str, object]:
        """Wait for the end. Raises `RuntimeError` when it fails."""
        said, _ = self.process.communicate(timeout=60)
        if self.process.returncode:
            raise RuntimeError(f"live ended with {self.process.returncode}")
        return dict(json.loads(said.splitlines()[-1]))


@contextmanager
def live_show(source: str, size: tuple[int, int], seconds: float, *words: str) -> Iterator[Show]:
    """Run the command as a user does, with a stream and without a window."""
    port = free_port()
    command = [
        sys.executable, "-m", "stylize_live.cli.app", "live", "--source", source, "--split", "--no-window",
        "--width", str(size[0]), "--height", str(size[1]), "--stream", str(port), "--duration", str(seconds),
        "--json", *words,
    ]  # fmt: skip
    started = monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield Show(f"tcp://127.0.0.1:{port}", started, process)
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """One that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(show: Show) -> StreamSource:
    """A reader of the stream, as soon as there is one."""
    while True:
        with suppress(SourceError):
            return StreamSource(show.url)
        if show.process.poll() is not None or monotonic() - show.started > _STARTING_SECONDS:
            raise RuntimeError("live did not start")
        time.sleep(0.05)


def read(show: Show, seconds: float) -> tuple[float, list[float], np.ndarray]:
    """Seconds until the first frame, ages of all, and the last frame."""
    with wait_for(show) as source:
        frames = iter(source)
        first = next(frames)
        arrived = monotonic()
        ages: list[float] = []
        for frame in itertools.chain([first], frames):
            if (old := age(frame.pixels, monotonic())) is not None:
                ages.append(old)
            if monotonic() - arrived > seconds:
                break
    return arrived - show.started, ages[len(ages) // 10 :], frame.pixels


def main() -> int:
    """Measure and print; 1 where colours are more than 8 levels off."""
    parser = stamped_options(__doc__, seconds=20)
    parser.add_argument("--image", type=Path, help="PNG to write the last frame to")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    words = ("--style", options.style)
    with (
        stamped_stream((width, height), options.fps) as stamps,
        live_show(stamps.url, (width, height), options.seconds + 30, *words) as show,
    ):
        start_up, ages, last = read(show, options.seconds)
        show.process.send_signal(2)  # as Ctrl-C, which ends it in peace
        report = show.report()
    if options.image:
        from stylize_live.media.image.io import Still, write_image

        write_image(options.image, Still(last))
    errors = patch_errors(last)
    figures = {
        "start_up_s": round(start_up, 2),
        "read_fps": round(len(ages) / (0.9 * options.seconds), 1),
        "end_to_end_ms": {
            f"p{share}": round(float(np.percentile(ages, share)) * 1000, 1) for share in (50, 95, 99)
        },
        "colour_error_levels": max(errors.values()),
        "live": report,
    }
    if options.json:
        print(json.dumps(figures))
    else:
        print(f"start-up    {start_up:.1f} s from the command to the first frame read")
        print(f"end to end  {in_words(ages)}, {figures['read_fps']} frames a second")
        print(
            f"colours     at most {max(errors.values())} levels off ({max(errors, key=errors.__getitem__)})"
        )
        print(f"live says   {report['latency_ms']}")
    return int(max(errors.values()) > 8)


if __name__ == "__main__":
    sys.exit(main())
