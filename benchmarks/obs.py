"""A real OBS shows our stream: colours and latency, read from the screenshots that OBS itself takes.

    apt-get install obs-studio xvfb libgl1-mesa-dri
    pip install obsws-python
    python benchmarks/obs.py                          # some 40 seconds
    python benchmarks/obs.py --size 1280x720 --fps 60 --images /tmp/shots

OBS runs on a virtual screen with software graphics, its own remote control switched on (see real_obs.py), and
gets a Media Source as `stylize-live obs` makes it. Two measurements, each with stamped frames (see
stamps.py):

1. the stream alone: frames go straight into our stream server;
2. the whole way: the real `stylize-live live --split --stream`, whose source is such a stream, paints the
   right half.

The age of a frame is counted from its making until OBS's answer with the screenshot is there, so the time
that OBS takes to make and send the screenshot is in it. It grows with the screenshot: 0.05 s for 320x180, the
size that is timed, 0.15 s for 640x360, with software graphics.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import obsws_python
from latency import live_show, wait_for
from real_obs import SCENE, running_obs, shoot
from stamps import age, in_words, patch_errors, stamped_options, stamped_stream

from stylize_live.frame import Pixels
from stylize_live.media.image.io import Still, write_image
from stylize_live.obs.sources import make_media_source
from stylize_live.system.clock import monotonic

MOST_LEVELS = 8
_SMALL = (320, 180)  # the least that carries stamps
_STARTING_SECONDS = 60.0


@dataclass(frozen=True)
class Seen:
    """What OBS showed in one measurement.

    Attributes:
        ages: of frames in seconds, when the answer was there.
        trips: how long each answer took, in seconds.
        errors: of patches in levels of 255, over all screenshots.
        last: the last screenshot, of the whole scene.
    """

    ages: list[float]
    trips: list[float]
    errors: dict[str, int]
    last: Pixels


def watch(client: obsws_python.ReqClient, url: str, size: tuple[int, int], seconds: float) -> Seen:
    """Let OBS show a stream, and look at it."""
    source = make_media_source(url)
    client.create_input(SCENE, source.name, source.kind, source.settings, True)
    try:
        deadline = monotonic() + _STARTING_SECONDS
        while age((shot := shoot(client, SCENE, size)).pixels, shot.answered) is None:
            if monotonic() > deadline:
                raise RuntimeError("OBS shows no stamped frame")
            time.sleep(0.2)
        time.sleep(2)  # OBS takes a moment to find its pace
        return _watch(client, size, seconds)
    finally:
        client.remove_input(source.name)


def _watch(client: obsws_python.ReqClient, size: tuple[int, int], seconds: float) -> Seen:
    rng = np.random.default_rng(0)
    ages: list[float] = []
    trips: list[float] = []
    errors: dict[str, int] = {}
    end = monotonic() + seconds
    while monotonic() < end:
        shot = shoot(client, SCENE, _SMALL)
        trips.append(shot.answered - shot.asked)
        if (old := age(shot.pixels, shot.answered)) is not None:
            ages.append(old)
        found = patch_errors(shot.pixels)
        errors = {name: max(levels, errors.get(name, 0)) for name, levels in found.items()}
        time.sleep(rng.uniform(0.05, 0.15))  # not in step with the frames
    return Seen(ages, trips, errors, shoot(client, SCENE, size).pixels)


def say(title: str, seen: Seen) -> None:
    """Print a measurement."""
    worst = max(seen.errors, key=seen.errors.__getitem__)
    print(f"{title}: {in_words(seen.ages)}; of this, OBS's answer {in_words(seen.trips)}")
    print(f"  colours at most {seen.errors[worst]} levels off ({worst})")


def main() -> int:
    """Measure and print; 1 where colours are off."""
    parser = stamped_options(__doc__, seconds=12)
    parser.add_argument("--images", type=Path, default=Path(), help="folder for the screenshots")
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    size = width, height
    with (
        tempfile.TemporaryDirectory() as folder,
        stamped_stream(size, options.fps) as stamps,
        running_obs(Path(folder), size, options.fps) as obs,
    ):
        client = obs.client
        print(f"OBS {client.get_version().obs_version}, canvas {width}x{height}, {options.fps} fps")
        print(f"Media Source: {make_media_source(stamps.url).settings}")
        alone = watch(client, stamps.url, size, options.seconds)
        say("the stream alone", alone)
        write_image(options.images / "obs-stream.png", Still(alone.last))
        with live_show(stamps.url, size, 600, "--style", options.style) as show:
            wait_for(show).close()
            whole = watch(client, show.url, size, options.seconds)
            show.process.send_signal(2)  # as Ctrl-C, which ends it in peace
            report = show.report()
    say("live, painting", whole)
    print(f"  live's own figures: {json.dumps(report['latency_ms'])}, {report['fps']} fps")
    write_image(options.images / "obs-live.png", Still(whole.last))
    return int(max(*alone.errors.values(), *whole.errors.values()) > MOST_LEVELS)


if __name__ == "__main__":
    sys.exit(main())
