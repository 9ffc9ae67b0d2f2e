"""A real OBS shows our stream: colours and latency, read from the screenshots that OBS itself takes.

    apt-get install obs-studio xvfb libgl1-mesa-dri
    pip install obsws-python
    python benchmarks/obs.py                          # some 40 seconds
    python benchmarks/obs.py --size 1280x720 --fps 60 --pictures /tmp/shots

OBS runs on a virtual screen with software graphics, its own remote control switched on, and gets a Media
Source with the fields that docs/obs.md tells to type: they are read from there. Two measurements, each with
stamped pictures (see stamps.py):

1. the stream alone: pictures go straight into our stream server;
2. the whole way: the real `stylize-live live --split --stream`, whose source is such a stream, paints the
   right half.

The age of a picture is counted from its making until OBS's answer with the screenshot is there, so the time
that OBS takes to make and send the screenshot is in it. It grows with the screenshot: 0.05 s for 320x180, the
size that is timed, 0.15 s for 640x360, with software graphics.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import obsws_python
from latency import free_port, live_show, wait_for
from stamps import age, in_words, patch_errors, stamped_options, stamped_stream

from stylize_live.frame import Pixels
from stylize_live.media.still import Still, write_still

DOCS = Path(__file__).parent.parent / "docs" / "obs.md"
MOST_LEVELS = 8
_SMALL = (320, 180)  # the least that carries stamps
_STARTING_SECONDS = 60.0
_SOURCE = "painted"
# What OBS calls the fields of its dialogue.
_KEYS = {
    "Local File": "is_local_file",
    "Restart playback when source becomes active": "restart_on_activate",
    "Close file when inactive": "close_when_inactive",
    "Network Buffering": "buffering_mb",
    "Reconnect Delay": "reconnect_delay_sec",
    "Input": "input",
    "Input Format": "input_format",
    "Use hardware decoding when available": "hw_decode",
    "Show nothing when playback ends": "clear_on_media_end",
}


def documented_fields() -> dict[str, Any]:
    """The table of docs/obs.md as OBS stores it."""
    rows = dict(re.findall(r"^\| ([A-Z][^|]+?) \| ([^|]+?) \|$", DOCS.read_text("utf-8"), re.MULTILINE))
    return {key: _value(rows[name].strip("`")) for name, key in _KEYS.items()}


def _value(text: str) -> Any:
    if text in ("on", "off"):
        return text == "on"
    number = re.fullmatch(r"(\d+) (MB|s)", text)
    return int(number[1]) if number else text


@contextmanager
def virtual_screen() -> Iterator[str]:
    """An Xvfb; its display's name."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(writing,), stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            yield f":{answer.readline().strip()}"
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def running_obs(folder: Path, size: tuple[int, int], fps: int) -> Iterator[obsws_python.ReqClient]:
    """OBS with a canvas of this size, and a line to its remote control."""
    port, password = free_port(), secrets.token_hex()
    home = folder / "obs-studio"
    home.mkdir()
    # Its command line cannot switch the remote control on.
    (home / "global.ini").write_text(
        "[General]\nFirstRun=true\nInfoIncrement=1\nEnableAutoUpdates=false\n"
        "[BasicWindow]\nPreviewEnabled=false\n"
        f"[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\nServerPort={port}\n"
        f"AlertsEnabled=false\nAuthRequired=true\nServerPassword={password}\n"
    )
    with virtual_screen() as display, (folder / "obs.log").open("w") as log:
        # Without what OpenCV sets: its own Qt is not OBS's.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("QT_")} | {
            "DISPLAY": display,
            "XDG_CONFIG_HOME": str(folder),
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "QT_QPA_PLATFORM": "xcb",
        }
        obs = subprocess.Popen(["obs", "--multi"], env=environment, stdout=log, stderr=log)
        try:
            logging.disable()  # the client writes whole tracebacks while OBS is not ready
            client = _connected(port, password, obs)
            width, height = size
            client.set_video_settings(fps, 1, width, height, width, height)
            client.create_scene("stage")
            client.set_current_program_scene("stage")
            yield client
        except BaseException:
            print((folder / "obs.log").read_text(errors="replace")[-2000:], file=sys.stderr)
            raise
        finally:
            obs.terminate()
            with suppress(subprocess.TimeoutExpired):
                obs.wait(10)
            obs.kill()
            obs.wait()


def _connected(port: int, password: str, obs: subprocess.Popen[bytes]) -> obsws_python.ReqClient:
    deadline = time.monotonic() + _STARTING_SECONDS
    while True:
        try:
            return obsws_python.ReqClient(host="127.0.0.1", port=port, password=password, timeout=20)
        except (OSError, ConnectionError):
            if obs.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("OBS did not start") from None
            time.sleep(0.3)


@dataclass(frozen=True)
class Shot:
    """A screenshot that OBS took.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        asked, answered: monotonic seconds.
    """

    pixels: Pixels
    asked: float
    answered: float


def shoot(client: obsws_python.ReqClient, name: str, size: tuple[int, int]) -> Shot:
    """One screenshot of a source or scene; a bitmap, which takes OBS the least time."""
    asked = time.monotonic()
    answer = client.get_source_screenshot(name, "bmp", size[0], size[1], -1)
    answered = time.monotonic()
    coded = np.frombuffer(base64.b64decode(answer.image_data.partition(",")[2]), np.uint8)
    bgr = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return Shot(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), asked, answered)


@dataclass(frozen=True)
class Seen:
    """What OBS showed in one measurement.

    Attributes:
        ages: of pictures in seconds, when the answer was there.
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
    fields = documented_fields() | {"input": url}
    client.create_input("stage", _SOURCE, "ffmpeg_source", fields, True)
    try:
        deadline = time.monotonic() + _STARTING_SECONDS
        while age((shot := shoot(client, "stage", size)).pixels, shot.answered) is None:
            if time.monotonic() > deadline:
                raise RuntimeError("OBS shows no stamped picture")
            time.sleep(0.2)
        time.sleep(2)  # OBS takes a moment to find its pace
        return _watch(client, size, seconds)
    finally:
        client.remove_input(_SOURCE)


def _watch(client: obsws_python.ReqClient, size: tuple[int, int], seconds: float) -> Seen:
    rng = np.random.default_rng(0)
    ages: list[float] = []
    trips: list[float] = []
    errors: dict[str, int] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        shot = shoot(client, "stage", _SMALL)
        trips.append(shot.answered - shot.asked)
        if (old := age(shot.pixels, shot.answered)) is not None:
            ages.append(old)
        found = patch_errors(shot.pixels)
        errors = {name: max(levels, errors.get(name, 0)) for name, levels in found.items()}
        time.sleep(rng.uniform(0.05, 0.15))  # not in step with the pictures
    return Seen(ages, trips, errors, shoot(client, "stage", size).pixels)


def say(title: str, seen: Seen) -> None:
    """Print a measurement."""
    worst = max(seen.errors, key=seen.errors.__getitem__)
    print(f"{title}: {in_words(seen.ages)}; of this, OBS's answer {in_words(seen.trips)}")
    print(f"  colours at most {seen.errors[worst]} levels off ({worst})")


def main() -> int:
    """Measure and print; 1 where colours are off."""
    parser = stamped_options(__doc__, seconds=12)
    parser.add_argument("--pictures", type=Path, default=Path(), help="folder for the screenshots")
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    size = width, height
    with (
        tempfile.TemporaryDirectory() as folder,
        stamped_stream(size, options.fps) as stamps,
        running_obs(Path(folder), size, options.fps) as client,
    ):
        print(f"OBS {client.get_version().obs_version}, canvas {width}x{height}, {options.fps} fps")
        print(f"Media Source: {documented_fields()}")
        alone = watch(client, stamps.url, size, options.seconds)
        say("the stream alone", alone)
        write_still(options.pictures / "obs-stream.png", Still(alone.last))
        with live_show(stamps.url, size, 600, "--style", options.style) as show:
            wait_for(show).close()
            whole = watch(client, show.url, size, options.seconds)
            show.process.send_signal(2)  # as Ctrl-C, which ends it in peace
            report = show.report()
    say("live, painting", whole)
    print(f"  live's own figures: {json.dumps(report['latency_ms'])}, {report['fps']} fps")
    write_still(options.pictures / "obs-live.png", Still(whole.last))
    return int(max(*alone.errors.values(), *whole.errors.values()) > MOST_LEVELS)


if __name__ == "__main__":
    sys.exit(main())
