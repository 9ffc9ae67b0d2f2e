"""Runs inside the virtual machine of `guest.py`: camera -> live -> virtual camera -> ffmpeg.

The network is a tiny, untrained one: emulated processors are slow, and what is tried is the way of
the frames through the devices.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from stylize_live.system.clock import monotonic

SIZE = (320, 180)
OUT = sys.argv[1]
CAMERA, LOOPBACK = "/dev/video0", "/dev/video10"
# The bars of the camera's test image, from left to right.
BARS = {
    "white": (255, 255, 255), "yellow": (255, 255, 0), "cyan": (0, 255, 255), "green": (0, 255, 0),
    "magenta": (255, 0, 255), "red": (255, 0, 0), "blue": (0, 0, 255), "black": (0, 0, 0),
}  # fmt: skip
MOST_LEVELS = 8
_SET_CONTROL, _QUERY_CONTROL, _NEXT = 0xC008561C, 0xC0445624, 0x80000000
_FULL_BARS = 1
_LIVE = [
    sys.executable,
    "-m",
    "stylize_live.cli.app",
    "live",
    "--no-window",
    "--style",
    f"{OUT}/tiny.safetensors",
]
_SIZE_WORDS = ["--width", str(SIZE[0]), "--height", str(SIZE[1]), "--fps", "15"]


def set_control(wanted: str, value: int) -> None:
    """A control of the camera, by its name."""
    node = os.open(CAMERA, os.O_RDWR)
    number, name = 0, ""
    while name != wanted:
        answer = fcntl.ioctl(node, _QUERY_CONTROL, struct.pack("II60x", number | _NEXT, 0))
        number, _, coded = struct.unpack_from("II32s", answer)
        name = coded.partition(b"\0")[0].decode()
    fcntl.ioctl(node, _SET_CONTROL, struct.pack("Ii", number, value))
    os.close(node)


def image(device: str) -> np.ndarray:
    """What ffmpeg reads from a device: (H, W, 3) uint8 RGB. The first ones may be old."""
    width, height = SIZE
    steps = f"select=gte(n\\,6),scale={width}:{height}"
    taken = ["-f", "v4l2", "-i", device, "-vf", steps, "-frames:v", "1"]
    words = ["ffmpeg", "-v", "error", *taken, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    data = subprocess.run(words, check=True, capture_output=True, timeout=300).stdout
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)


def left_bars(pixels: np.ndarray) -> list[list[int]]:
    """Colours in the middle of the four bars of the left half, below the camera's own text."""
    width, height = SIZE
    centres = [round((bar + 0.5) * width / 8) for bar in range(4)]
    box = [pixels[height * 3 // 4 :, centre - 6 : centre + 6] for centre in centres]
    return [np.median(part.reshape(-1, 3), axis=0).astype(int).tolist() for part in box]


def save(pixels: np.ndarray, path: Path) -> None:
    """A frame for people."""
    from stylize_live.media.image.io import Still, write_image

    write_image(path, Still(np.ascontiguousarray(pixels)))


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """A command to its end."""
    return subprocess.run(words, capture_output=True, text=True, timeout=600)


class Findings:
    """What was found, in lines, and whether all is well."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.good = True

    def add(self, what: str, good: bool) -> None:
        """One finding."""
        self.lines.append(f"{'ok ' if good else 'BAD'} {what}")
        print(f"{monotonic():.0f} s: {self.lines[-1]}", flush=True)
        self.good = self.good and good


def show(out: Path, findings: Findings) -> None:
    """Live from the camera into the virtual camera; read it back."""
    advice = run(*_LIVE, *_SIZE_WORDS, "--source", "0", "--virtual-camera").stderr
    findings.add(f"without a virtual camera: {advice.strip()}", "modprobe v4l2loopback video_nr=10" in advice)
    made = run(
        "insmod", "/media/v4l2loopback.ko", "video_nr=10", "card_label=stylize-live", "exclusive_caps=1"
    )
    findings.add(f"virtual camera made {made.stderr}", made.returncode == 0)
    set_control("Test Pattern", _FULL_BARS)
    words = [
        *_LIVE,
        *_SIZE_WORDS,
        "--source",
        "vivid",
        "--virtual-camera",
        "stylize-live",
        "--split",
        "--json",
    ]
    with (out / "live.log").open("w") as log:
        live = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            _look(live, out, findings)
        finally:
            live.send_signal(signal.SIGINT)
            said, _ = live.communicate(timeout=300)
    report = json.loads(said.splitlines()[-1])
    findings.add(f"live took {report['captured']} frames, {report['outputs']}", live.returncode == 0)


def _look(live: subprocess.Popen[str], out: Path, findings: Findings) -> None:
    deadline = monotonic() + 900
    while monotonic() < deadline:  # until it is fed, the device says that it takes frames only
        try:
            first = image(LOOPBACK)
            break
        except subprocess.CalledProcessError:
            time.sleep(1)
    findings.add("ffmpeg reads the virtual camera", live.poll() is None)
    save(first, out / "bars.png")
    _compare(first, list(BARS)[:4], findings)
    set_control("Horizontal Flip", 1)
    second = image(LOOPBACK)
    while max(left_bars(second)[0]) > 127 and monotonic() < deadline:  # black comes where white was
        second = image(LOOPBACK)
    save(second, out / "bars-flipped.png")
    _compare(second, list(BARS)[:3:-1], findings)
    painted = float(
        np.abs(second[:, SIZE[0] // 2 + 4 :].astype(int) - first[:, : SIZE[0] // 2 - 4, :][:, ::-1]).mean()
    )
    findings.add(f"the right half is painted: {painted:.0f} levels from the camera's", painted > 10)
    again = run(*_LIVE, "--source", "stylize-live", "--virtual-camera", "stylize-live")
    findings.add(f"our own camera as source: {again.stderr.strip()}", "is our source" in again.stderr)


def _compare(pixels: np.ndarray, names: list[str], findings: Findings) -> None:
    for name, found in zip(names, left_bars(pixels), strict=True):
        worst = max(abs(a - b) for a, b in zip(found, BARS[name], strict=True))
        findings.add(f"{name}: read back as {found}, {worst} levels off", worst <= MOST_LEVELS)


def main() -> None:
    """Write result.json into the folder that the first argument names."""
    out, findings = Path(OUT), Findings()
    try:
        show(out, findings)
    except Exception as error:
        findings.add(f"{type(error).__name__}: {error}", False)
    (out / "result.json").write_text(json.dumps({"lines": findings.lines, "good": findings.good}))


if __name__ == "__main__":
    main()
