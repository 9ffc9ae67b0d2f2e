"""A real window on a virtual X display, driven by real key presses.

Needs Xvfb, xdotool and libGL: `apt-get install xvfb xdotool libgl1`; the full screen also openbox. Run with

    pytest -m slow tests/media/sinks/test_window_xvfb.py

Screenshots are left in pytest's temporary folder; set SCREENSHOTS to have them elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import TESTS
from studio_show import page
from waiting import eventually

from stylize_live.frame import Pixels
from stylize_live.media.image.io import read_image
from stylize_live.media.sinks.overlay import DARK

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("Xvfb") is None or shutil.which("xdotool") is None, reason="needs Xvfb and xdotool"
    ),
]

# A window with the test pattern, inverted instead of painted; prints the report and a log of keys.
PROGRAM = """
import json, sys
from pathlib import Path
from live_fakes import FakeStylizer
from stylize_live.media.sources.test_pattern import PatternSource
from stylize_live.media.sinks.window import Window
from stylize_live.live.pipeline import run_live

class Logged(Window):
    def poll(self):
        key = super().poll()
        if key is not None:
            print(f"key {key}", flush=True)
        return key

stylizer = FakeStylizer()
with PatternSource((640, 360), 30) as source, Logged("window under test", source.size) as window:
    print("open", flush=True)
    report = run_live(source, stylizer, window, styles=["first", "second", "third"],
                      duration=60, snapshots=Path(sys.argv[1]))
print(json.dumps(report.as_dict() | {"style": stylizer.style, "strength": stylizer.strength}))
"""

# The same, with a painting that is learnt by a script.
LEARNING = (
    PROGRAM.replace(
        "stylizer = FakeStylizer()",
        """
from scripted_learner import scripted
from tiny import make_checkpoint, random_pixels
from stylize_live.learning.messages import Advance, Improved
from stylize_live.live import learning
from stylize_live.media.image.io import Still, write_image

class Refinable(FakeStylizer):
    device = "cpu"
    def refine(self, style, checkpoint):
        return True

painting = Path(sys.argv[1]) / "my wall.png"
write_image(painting, Still(random_pixels(64, 48)))
learning.load_style = lambda style: make_checkpoint()
words = [Advance(40, 252.0, 0.42, 348.0), Improved(make_checkpoint(seed=2).weights, 40, 252.0)]
learning.Learner = scripted(*words)
stylizer = Refinable()
stylizer.style = str(painting)
""",
    )
    .replace('["first", "second", "third"]', '["first", "second", str(painting)]')
    .replace("duration=60,", "duration=60, learning=learning.LiveLearning(),")
)


# xdotool cannot ask a window to close, and there is no window manager: a WM_DELETE_WINDOW message.
CLOSE_BUTTON = """
import ctypes, sys
x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
x.XInternAtom.restype = ctypes.c_ulong
display = ctypes.c_void_p(x.XOpenDisplay(None))
window = ctypes.c_ulong(int(sys.argv[1]))
class Message(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int),
                ("display", ctypes.c_void_p), ("window", ctypes.c_ulong), ("kind", ctypes.c_ulong),
                ("format", ctypes.c_int), ("data", ctypes.c_long * 5), ("rest", ctypes.c_long * 12)]
message = Message(33, 0, 1, display, window, x.XInternAtom(display, b"WM_PROTOCOLS", 0), 32)
message.data[0] = x.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
x.XSendEvent(display, window, 0, ctypes.c_long(0), ctypes.byref(message))
x.XCloseDisplay(display)
"""


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A virtual screen; its name goes into DISPLAY."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x640x24", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(10)


def shoot(display: str, target: Path) -> None:
    """A screenshot of a whole screen."""
    code = (
        "import sys, mss, mss.tools\n"
        "with getattr(mss, 'MSS', None)() as grabber:\n"
        "    shot = grabber.grab(grabber.monitors[1])\n"
        "    mss.tools.to_png(shot.rgb, shot.size, output=sys.argv[1])\n"
    )
    environment = os.environ | {"DISPLAY": display}
    subprocess.run([sys.executable, "-c", code, str(target)], env=environment, check=True, timeout=30)


class Driver:
    """The program in its window, and a hand on its keyboard."""

    def __init__(self, display: str, folder: Path, program: str = PROGRAM) -> None:
        self.folder = folder
        self._environment = os.environ | {"DISPLAY": display}
        self._log = folder / "log.txt"
        with self._log.open("w") as log, (folder / "errors.txt").open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program, str(folder)],
                cwd=TESTS,
                env=self._environment,
                stdout=log,
                stderr=errors,
            )
        self.window = self._do("search", "--sync", "--onlyvisible", "--name", "window under test").split()[0]
        self._do("windowfocus", "--sync", self.window)
        time.sleep(1)

    def _do(self, *words: str) -> str:
        return subprocess.run(
            ["xdotool", *words], env=self._environment, check=True, capture_output=True, text=True, timeout=30
        ).stdout

    def press(self, key: str) -> None:
        """Press a key and wait until the program has seen one more."""
        before = len(self.keys)
        self._do("key", key)
        eventually(lambda: len(self.keys) > before, f"{key} arrives")
        assert len(self.keys) == before + 1

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the window in pixels."""
        lines = self._do("getwindowgeometry", "--shell", self.window).splitlines()
        found = dict(line.split("=") for line in lines)
        return int(found["WIDTH"]), int(found["HEIGHT"])

    @property
    def keys(self) -> list[str]:
        return [line[4:] for line in self._log.read_text().splitlines() if line.startswith("key ")]

    def shoot(self, name: str) -> Path:
        """A screenshot of the whole screen."""
        target = Path(os.environ.get("SCREENSHOTS", self.folder)) / f"{name}.png"
        shoot(self._environment["DISPLAY"], target)
        return target

    def press_close_button(self) -> None:
        """Send what a window manager sends when its close button is pressed."""
        subprocess.run(
            [sys.executable, "-c", CLOSE_BUTTON, self.window], env=self._environment, check=True, timeout=30
        )

    def report(self) -> dict[str, object]:
        assert self.process.wait(15) == 0, (self.folder / "errors.txt").read_text()
        last: dict[str, object] = json.loads(self._log.read_text().splitlines()[-1])
        return last


@pytest.fixture
def driver(display: str, tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(display, tmp_path)
    yield driver
    if driver.process.poll() is None:
        driver.process.kill()
        driver.process.wait()


def test_every_key(driver: Driver) -> None:
    driver.shoot("1-plain")
    pressed = {
        "2": "2",
        "Right": "right",
        "Down": "down",
        "Left": "left",
        "Up": "up",
        "bracketleft": "[",
        "bracketright": "]",
        "m": "m",
        "s": "s",
        "p": "p",
        "h": "h",
        "question": "?",
        "Escape": "escape",
        "space": "space",
    }
    for key in pressed:
        driver.press(key)
        time.sleep(0.4)
        if key in ("2", "bracketleft", "s", "p", "h", "question", "space"):
            driver.shoot(f"2-after-{key}")
    driver.press("h")
    time.sleep(2.5)
    driver.shoot("3-frozen")
    driver.press("space")
    time.sleep(1)
    driver.press("Escape")
    report = driver.report()
    assert driver.keys == [*pressed.values(), "h", "space", "escape"]
    assert (report["style"], report["strength"]) == ("second", 1.0)
    (snapshot,) = driver.folder.glob("second-*.png")
    assert read_image(snapshot).pixels.shape == (360, 640, 3)
    assert int(str(report["shown"])) > 50


@pytest.fixture
def window_manager(display: str) -> Iterator[None]:
    """Only a window manager gives a window the whole screen."""
    program = shutil.which("openbox")
    if program is None:
        pytest.skip("needs openbox")
    with subprocess.Popen([program], env=os.environ | {"DISPLAY": display}) as manager:
        asked = ["xdotool", "get_num_desktops"]
        environment = os.environ | {"DISPLAY": display}
        eventually(
            lambda: subprocess.run(asked, env=environment, capture_output=True, check=False).returncode == 0,
            "the window manager answers",
            every=0.05,
        )
        yield
        manager.terminate()


def test_a_key_fills_the_screen_and_gives_it_back(window_manager: None, driver: Driver) -> None:
    before = driver.size
    assert before[0] < 1024

    def is_full(seen: Pixels) -> bool:
        dark = (seen[:30] == DARK).all() and (seen[-30:] == DARK).all()
        return bool(dark and seen[40:600].std() > 10)

    for wanted, name in (((1024, 640), "full"), (before, "not-full")):
        driver._do("key", "f")
        eventually(lambda wanted=wanted: driver.size == wanted)
        if name == "full":  # 640x360 on 1024x640
            eventually(lambda: is_full(read_image(driver.shoot("full")).pixels))
    driver.press("q")
    driver.report()
    assert driver.keys == ["q"]


def test_a_key_has_the_painting_learnt(display: str, tmp_path: Path) -> None:
    driver = Driver(display, tmp_path, LEARNING)
    try:
        driver.press("l")
        time.sleep(0.5)
        driver.shoot("learning-1-begins")
        time.sleep(3)
        driver.shoot("learning-2-goes-on")
        driver.press("l")
        time.sleep(0.5)
        driver.shoot("learning-3-pauses")
        driver.press("q")
        learnt = driver.report()["learning"]
    finally:
        driver.process.kill()
        driver.process.wait()
    assert isinstance(learnt, dict)
    assert (learnt["state"], learnt["painting"], learnt["steps"]) == ("paused", "my wall.png", 40)


def test_the_frame_is_on_the_screen(driver: Driver) -> None:
    eventually(lambda: read_image(driver.shoot("seen")).pixels.reshape(-1, 3).std(axis=0).min() > 10)
    driver.press("q")
    driver.report()


@pytest.mark.parametrize("frozen", [False, True])
def test_another_shape_is_filled_in_the_dark_also_where_no_frame_comes(driver: Driver, frozen: bool) -> None:
    if frozen:
        driver.press("space")
    driver._do("windowsize", "--sync", driver.window, "300", "600")

    def is_filled() -> bool:
        seen = read_image(driver.shoot(f"narrow-{frozen}")).pixels
        left = next((x for x in range(1024) if seen[300, x].any()), 0)
        top = next((y for y in range(640) if seen[y, left].any()), 0)
        inside = seen[top : top + 600, left : left + 300]
        dark = (inside[:210] == DARK).all() and (inside[-210:] == DARK).all()
        return bool(dark and inside[220:380].std() > 10)

    eventually(is_filled)
    driver.press("q")
    driver.report()


def test_closing_the_window_ends(driver: Driver) -> None:
    driver.press_close_button()
    assert int(str(driver.report()["shown"])) > 0


def test_without_a_display_there_is_an_error_and_no_crash() -> None:
    code = "from stylize_live.media.sinks.window import Window; Window('x', (64, 48))"
    for name in ("", ":987", "nonsense"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"DISPLAY": name},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1
        assert "DisplayError: no display" in done.stderr
        assert "window=False" in done.stderr


def test_window_and_page_are_one_show(display: str, tmp_path: Path, tiny_style: Path) -> None:
    """The real command: a key in the window shows on the page, a change on the page in the window."""
    words = ["--source", "test", "--style", str(tiny_style), "--studio", "--port", "0", "--device", "cpu"]
    command = [sys.executable, "-m", "stylize_live.cli.app", "live", *words]
    environment = os.environ | {"DISPLAY": display}

    def do(*words: str) -> str:
        return subprocess.run(
            ["xdotool", *words], env=environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as live:
        try:
            assert live.stdout is not None
            url = next(line.split()[1] for line in live.stdout if line.startswith("studio:"))
            window = do("search", "--sync", "--onlyvisible", "--name", "stylize-live").split()[0]
            do("windowfocus", "--sync", window)
            with page(int(url.rstrip("/").rsplit(":", 1)[1])) as open_page:
                open_page.until_state(mirror=False)
                do("key", "m")
                open_page.until_state(mirror=True)
                open_page.set(split=True, strength=0.5)
                open_page.until_state(split=True)
                open_page.until(lambda: len(open_page.images) > 30)
                shoot(display, Path(os.environ.get("SCREENSHOTS", tmp_path)) / "live-studio.png")
            do("key", "q")
            assert live.wait(20) == 0
        finally:
            live.kill()
