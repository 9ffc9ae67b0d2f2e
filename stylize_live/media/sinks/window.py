"""A window on the desktop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from stylize_live.errors import DisplayError
from stylize_live.frame import Frame
from stylize_live.lifecycle import Closeable
from stylize_live.media.color.opaque import on_black
from stylize_live.media.libraries import cv2
from stylize_live.media.sinks.display_check import display_problem
from stylize_live.media.sinks.overlay import DARK, Caption, draw_caption
from stylize_live.system.desktop import minimised_is_invisible
from stylize_live.wording import option

# What `waitKeyEx` returns for keys that are no characters: X11 (Qt, GTK), Windows, macOS.
_ARROWS = {
    "left": (0xFF51, 2424832, 63234),
    "up": (0xFF52, 2490368, 63232),
    "right": (0xFF53, 2555904, 63235),
    "down": (0xFF54, 2621440, 63233),
}
_FULL_SCREEN_KEY = "f"
_KEYS = {code: name for name, codes in _ARROWS.items() for code in codes} | {
    27: "escape",
    32: "space",
    # The numbers' own block under X11.
    0xFFAB: "+",
    0xFFAD: "-",
}


class Window(Closeable):
    """Shows frames and reads keys. Open it, use it and close it in the main thread only.

    Args:
        title: of the window, and its identity: two windows need two titles.
        size: (width, height) in pixels at which it opens; the user may resize it.

    Raises:
        DisplayError: there is no display, or this is not the main thread.
    """

    watched = True  # a hidden window cannot be told from a seen one on every system

    def __init__(self, title: str, size: tuple[int, int]) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise DisplayError(f"a window can only be opened by the main thread: {_hint()}")
        if problem := display_problem():
            raise DisplayError(f"no display ({problem}): {_hint()}, or start it on a desktop")
        self._title = title
        self._open = False
        self._full = False
        self._image: npt.NDArray[np.uint8] | None = None  # (H, W, 3) BGR, as it was handed over last
        self._filled = (0, 0)  # the size for which it was
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL)
            self._open = True
            cv2.resizeWindow(title, *size)
        except cv2.error as error:
            raise DisplayError(f"cannot open a window: {error.err}; {_hint()}") from None

    def write(self, frame: Frame, caption: Caption | None = None) -> None:
        """Hand a frame to the window; `poll` paints it. Ignored once the window is closed.

        Raises:
            DisplayError: the toolkit failed.
        """
        # Showing in a closed window would open it again.
        if not self._still_open():
            return
        shown = on_black(frame)
        pixels = shown if caption is None else draw_caption(shown, caption)
        self._image = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)
        self._show()

    def _show(self) -> None:
        """Hand over the frame with bars around it, as toolkits would leave a light grey there."""
        if self._image is not None:
            with _translate_errors():
                self._filled = self._size()
                cv2.imshow(self._title, letterbox_to_window(self._image, self._filled))

    def _size(self) -> tuple[int, int]:
        """(width, height) of the room that the window has for frames, in whatever unit."""
        _, _, width, height = cv2.getWindowImageRect(self._title)
        return width, height

    def poll(self) -> str | None:
        """Paint, let the window react, and tell what happened; takes about a millisecond.

        Returns:
            A character in lower case, "left", "right", "up", "down", "space", "escape", "closed"
            when the window is gone, or None. "f" is not told: the window fills the screen with it.
        """
        if not self._still_open():
            return "closed"
        with _translate_errors():
            code = cv2.waitKeyEx(1)
            if self._still_open() and self._size() != self._filled:
                self._show()  # it was given another shape
        key = key_name(code) if code >= 0 else None
        if key == _FULL_SCREEN_KEY:
            self._toggle_full_screen()
            return None
        return key

    def _toggle_full_screen(self) -> None:
        self._full = not self._full
        with _translate_errors():
            state = cv2.WINDOW_FULLSCREEN if self._full else cv2.WINDOW_NORMAL
            cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, state)

    def _still_open(self) -> bool:
        if self._open:
            try:
                visible = cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE)
                self._open = visible >= (0 if minimised_is_invisible() else 1)
            except cv2.error:  # raised once the last window is gone
                self._open = False
        return self._open

    def close(self) -> None:
        """Close the window. May be called again."""
        if self._still_open():
            cv2.destroyWindow(self._title)
            cv2.waitKeyEx(1)  # the toolkit takes it off the screen only when it gets to work
        self._open = False


def letterbox_to_window(image: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A frame with dark bars, so that it has the shape of its window.

    Args:
        image: (H, W, 3) uint8 BGR; not changed.
        size: (width, height) of the window in any unit; what is not a valid size leaves the frame as it is.

    Returns:
        (H, W, 3) uint8 BGR, at most four times as wide and as high; the same array where no bar is needed.
    """
    height, width = image.shape[:2]
    wide, high = size
    if wide <= 0 or high <= 0:
        return image
    more = (
        min(3 * width, round(height * wide / high) - width),
        min(3 * height, round(width * high / wide) - height),
    )
    across, down = (max(0, pixels) for pixels in more)
    if across < 2 and down < 2:
        return image
    sides = (down // 2, down - down // 2, across // 2, across - across // 2)
    bars = cv2.copyMakeBorder(image, *sides, cv2.BORDER_CONSTANT, value=DARK[::-1])
    return np.asarray(bars, np.uint8)


def _hint() -> str:
    return f"use {option('window', False)}"


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Turn errors of the toolkit into `DisplayError`."""
    try:
        yield
    except cv2.error as error:
        raise DisplayError(f"the window failed: {error.err or error}; {_hint()}") from None


def key_name(code: int) -> str | None:
    """Name of a key from the code that `cv2.waitKeyEx` gave; None for a key without a name."""
    if code in _KEYS:
        return _KEYS[code]
    low = code & 0xFFFF  # X11 puts Shift, Num Lock and their like above
    if low in _KEYS:
        return _KEYS[low]
    return chr(low).lower() if 33 <= low < 127 else None
