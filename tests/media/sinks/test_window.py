"""What a window draws and understands, without opening one."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tiny import random_pixels

from stylize_live.errors import DisplayError
from stylize_live.frame import Frame
from stylize_live.live.hotkeys import hotkey_rows
from stylize_live.media.sinks import display_check
from stylize_live.media.sinks import window as window_module
from stylize_live.media.sinks.display_check import display_problem
from stylize_live.media.sinks.overlay import DARK, Caption, draw_caption
from stylize_live.media.sinks.window import Window, key_name, letterbox_to_window
from stylize_live.system import desktop

CAPTION = Caption("starry-night  90%", ("29.8 fps", "41 ms", "12 dropped"), "strength 90%", "1:05")
WHITE = np.full((360, 640, 3), 255, np.uint8)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0xFF51, "left"),
        (0xFF52, "up"),
        (0x10FF53, "right"),
        (2621440, "down"),
        (63235, "right"),
        (ord("q"), "q"),
        (0x10002B, "+"),
        (0xFFAB, "+"),
        (0x10FFAD, "-"),
        (0x100000 | ord("M"), "m"),
        (ord("["), "["),
        (27, "escape"),
        (32, "space"),
        (0x1003F, "?"),
        (0xFFE1, None),  # Shift alone
        (0, None),
    ],
)
def test_key_names(code: int, name: str | None) -> None:
    assert key_name(code) == name


class TestCaption:
    def test_is_drawn_on_a_copy_and_only_below(self) -> None:
        drawn = draw_caption(WHITE, CAPTION)
        assert (WHITE == 255).all()
        assert (drawn[:250, :540] == 255).all()
        strip = drawn[340:]
        assert strip.min() < 100  # dark enough for the white text on white
        assert strip.max() > 220
        assert (strip[..., 0] == strip[..., 2]).all()

    def test_text_keeps_its_brightness_on_black(self) -> None:
        drawn = draw_caption(np.zeros_like(WHITE), CAPTION)
        assert drawn[340:, :200].max() > 245

    def test_only_a_note(self) -> None:
        drawn = draw_caption(WHITE, Caption(note="frozen"))
        assert (drawn[340:] == 255).all()
        assert drawn[250:340].min() < 100

    def test_what_is_recorded_has_a_red_dot_at_the_top_right(self) -> None:
        drawn = draw_caption(WHITE, Caption(recorded="1:05"))
        assert (drawn[:, :540] == 255).all()
        assert (drawn[40:] == 255).all()
        red = (drawn[..., 0] > 200) & (drawn[..., 1] < 90)
        assert 60 < red.sum() < 160
        assert drawn[8:34, 620:].min() < 100  # dark enough for the white time on white

    @pytest.mark.parametrize("size", [(160, 90), (320, 180), (640, 360), (360, 640), (1920, 1080)])
    def test_a_table_fits(self, size: tuple[int, int]) -> None:
        white = np.full((size[1], size[0], 3), 255, np.uint8)
        drawn = draw_caption(white, Caption(table=hotkey_rows()))
        for edge in (drawn[:2], drawn[-2:], drawn[:, :2], drawn[:, -2:]):
            assert (edge == 255).all()
        dark = (drawn < 120).all(axis=2)
        assert dark.any(axis=0).mean() > 0.2
        assert dark.any(axis=1).mean() > 0.2

    def test_nothing_shines_through_a_table(self) -> None:
        table = Caption(table=hotkey_rows(), recorded=CAPTION.recorded)
        assert (
            draw_caption(WHITE, replace(CAPTION, table=hotkey_rows())) == draw_caption(WHITE, table)
        ).all()

    def test_nothing_to_write(self) -> None:
        assert np.array_equal(draw_caption(WHITE, Caption()), WHITE)

    @pytest.mark.parametrize("size", [(1, 1), (16, 16), (40, 30), (160, 90), (1920, 1080)])
    def test_any_size(self, size: tuple[int, int]) -> None:
        pixels = random_pixels(*size)
        assert draw_caption(pixels, CAPTION).shape == pixels.shape

    def test_narrow_frames_leave_out_what_matters_least(self) -> None:
        narrow = np.full((360, 260, 3), 255, np.uint8)
        all_three = draw_caption(narrow, Caption("style", CAPTION.right))
        two = draw_caption(narrow, Caption("style", CAPTION.right[:2]))
        assert np.array_equal(all_three, two)


@pytest.mark.parametrize(
    ("window", "shape", "place"),
    [
        ((640, 360), (36, 64), (0, 0)),
        ((641, 360), (36, 64), (0, 0)),
        ((800, 300), (36, 96), (0, 16)),
        ((300, 600), (128, 64), (46, 0)),
        ((5000, 2), (36, 256), (0, 96)),  # no frame as wide as that
        ((0, 0), (36, 64), (0, 0)),
        ((-1, -1), (36, 64), (0, 0)),
    ],
)
def test_odd_windows_are_filled_in_the_dark_of_cards(
    window: tuple[int, int], shape: tuple[int, int], place: tuple[int, int]
) -> None:
    image = random_pixels(64, 36)
    seen = letterbox_to_window(image, window)
    assert seen.shape[:2] == shape
    top, left = place
    assert np.array_equal(seen[top : top + 36, left : left + 64], image)
    around = np.ones(shape, bool)
    around[top : top + 36, left : left + 64] = False
    assert (seen[around] == DARK[::-1]).all()


class Toolkit:
    """OpenCV's windows: one, and whether it is there and seen."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
        self.visible: float | None = 1.0  # None is an error
        self.shown = 0
        monkeypatch.setattr(desktop.sys, "platform", system)
        monkeypatch.setattr(window_module, "display_problem", lambda: None)
        toolkit = {
            "getWindowProperty": lambda *_: self._asked(),
            "getWindowImageRect": lambda *_: (0, 0, 64, 36),
            "imshow": lambda *_: self._show(),
            "waitKeyEx": lambda _: -1,
        } | dict.fromkeys(("namedWindow", "resizeWindow", "destroyWindow"), lambda *_: None)
        for name, function in toolkit.items():
            monkeypatch.setattr(window_module.cv2, name, function)

    def _asked(self) -> float:
        if self.visible is None:
            raise window_module.cv2.error("NULL window")
        return self.visible

    def _show(self) -> None:
        self.shown += 1


@pytest.mark.parametrize(
    ("system", "visible", "closed"),
    [
        ("darwin", 0.0, False),  # minimised or hidden
        ("darwin", -1.0, True),
        ("darwin", None, True),
        ("win32", 0.0, True),
        ("win32", None, True),
        ("linux", 0.0, True),
        ("linux", -1.0, True),
    ],
)
def test_minimised_is_not_closed(
    system: str, visible: float | None, closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    toolkit = Toolkit(monkeypatch, system)
    with Window("x", (64, 36)) as display:
        assert display.poll() is None
        toolkit.visible = visible
        assert display.poll() == ("closed" if closed else None)
        display.write(Frame(random_pixels(64, 36), Fraction(0), 0.0, 0))
        assert toolkit.shown == (0 if closed else 1)


def test_a_window_outside_the_main_thread_is_refused() -> None:
    errors: list[Exception] = []

    def open_window() -> None:
        try:
            Window("x", (64, 48))
        except DisplayError as error:
            errors.append(error)

    thread = threading.Thread(target=open_window)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])


@pytest.mark.linux  # only Linux can be without a display
class TestDisplayCheck:
    @pytest.fixture(autouse=True)
    def no_display(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DISPLAY", raising=False)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    def test_not_set(self) -> None:
        assert display_problem() == "DISPLAY is not set"
        with pytest.raises(DisplayError, match=r"no display \(DISPLAY is not set\): use window=False"):
            Window("x", (64, 48))

    def test_wayland_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
        assert "XWayland" in str(display_problem())

    @pytest.mark.parametrize("has_xcb", [True, False])
    @pytest.mark.parametrize("name", [":987", "nonsense", "127.0.0.1:1", "/nowhere/socket:0"])
    def test_unreachable(self, name: str, has_xcb: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DISPLAY", name)
        if not has_xcb:
            monkeypatch.setattr(display_check, "_xcb_refuses", lambda name: None)
        assert f"the X server {name!r} cannot be reached" == display_problem()

    def test_a_socket_that_listens_is_enough_without_xcb(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(display_check, "_xcb_refuses", lambda name: None)
        path = tmp_path / "X"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            server.listen()
            monkeypatch.setenv("DISPLAY", f"{path}:0")
            assert display_problem() is None
