"""A real OBS on a virtual screen with software graphics, its remote control switched on.

    apt-get install obs-studio xvfb libgl1-mesa-dri
    pip install obsws-python

For `obs.py` here, and for the tests that try a real one.
"""

from __future__ import annotations

import base64
import logging
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import obsws_python
from latency import free_port

from stylize_live.frame import Pixels
from stylize_live.system.clock import monotonic

SCENE = "stage"
_STARTING_SECONDS = 60.0


@dataclass(frozen=True)
class RealObs:
    """A running OBS.

    Attributes:
        client: a line to its remote control.
        port, password: of that.
        settings: the folder that would be ~/.config.
    """

    client: obsws_python.ReqClient
    port: int
    password: str
    settings: Path


@contextmanager
def running_obs(folder: Path, size: tuple[int, int], fps: int) -> Iterator[RealObs]:
    """OBS with a canvas of this size, and an empty scene, `SCENE`, on air."""
    port, password = free_port(), secrets.token_hex()
    _write_settings(folder / "obs-studio", port, password)
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
            with _connected(port, password, obs) as client:
                width, height = size
                client.set_video_settings(fps, 1, width, height, width, height)
                client.create_scene(SCENE)
                client.set_current_program_scene(SCENE)
                yield RealObs(client, port, password, folder)
        except BaseException:
            print((folder / "obs.log").read_text(errors="replace")[-2000:], file=sys.stderr)
            raise
        finally:
            obs.terminate()
            with suppress(subprocess.TimeoutExpired):
                obs.wait(10)
            obs.kill()
            obs.wait()


def _write_settings(home: Path, port: int, password: str) -> None:
    """Its command line cannot switch the remote control on."""
    home.mkdir()
    (home / "global.ini").write_text(
        "[General]\nFirstRun=true\nInfoIncrement=1\nEnableAutoUpdates=false\n"
        "[BasicWindow]\nPreviewEnabled=false\n"
        f"[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\nServerPort={port}\n"
        f"AlertsEnabled=false\nAuthRequired=true\nServerPassword={password}\n"
    )


def _connected(port: int, password: str, obs: subprocess.Popen[bytes]) -> obsws_python.ReqClient:
    # The client writes whole tracebacks while OBS is not ready.
    logging.getLogger("obsws_python").setLevel(logging.CRITICAL)
    deadline = monotonic() + _STARTING_SECONDS
    while not _listens(port):
        if obs.poll() is not None or monotonic() > deadline:
            raise RuntimeError("OBS did not start")
        time.sleep(0.1)
    return obsws_python.ReqClient(host="127.0.0.1", port=port, password=password, timeout=20)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


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
    asked = monotonic()
    answer = client.get_source_screenshot(name, "bmp", size[0], size[1], -1)
    answered = monotonic()
    coded = np.frombuffer(base64.b64decode(answer.image_data.partition(",")[2]), np.uint8)
    bgr = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return Shot(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), asked, answered)
