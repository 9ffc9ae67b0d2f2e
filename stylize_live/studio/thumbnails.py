"""Thumbnails of every style, painted from the newest live frame, one after the other."""

from __future__ import annotations

import importlib.resources
import io
import logging
import threading
from collections.abc import Callable, Collection, Sequence

import numpy as np
from PIL import Image

from stylize_live.engine import Stylizer
from stylize_live.errors import StylizeError, describe_error
from stylize_live.frame import Frame, Pixels, to_eight_bits
from stylize_live.lifecycle import Closeable
from stylize_live.media.image.jpeg import encode_jpeg
from stylize_live.rate_limited_log import RateLimitedLog

log = logging.getLogger(__name__)

_SIZE = (360, 240)  # (width, height) of a thumbnail in pixels
_PAUSE = 2.0  # seconds between two: takes a hundredth of the machine
_PATIENCE = 3.0  # seconds to wait for a first frame before a sample is painted
_DARK = 14.0  # levels: a covered camera or a placeholder shows no style

Paint = Callable[[str, Pixels], Pixels]


def make_thumbnail_stylizer(styles: Collection[str]) -> Paint:
    """Make what paints each style with a stylizer of its own, on the CPU: the session's is busy.

    Args:
        styles: that may be asked for; may change. What is no longer among them is forgotten.
    """
    stylizers: dict[str, Stylizer] = {}

    def paint(style: str, pixels: Pixels) -> Pixels:
        for gone in stylizers.keys() - set(styles):
            stylizers.pop(gone).close()
        if style not in stylizers:
            stylizers[style] = Stylizer(style, device="cpu")
        return stylizers[style](pixels)

    return paint


class Thumbnails(Closeable):
    """Paints in a thread of its own, slowly, and only while somebody watches.

    Args:
        styles: names, in the order of their turns; may change, and one that comes has the next turn.
        paint: paints an image in a style.
        wanted: whether somebody watches.
        tell: called with the number of versions of every style whenever one is new.
    """

    def __init__(
        self,
        styles: Sequence[str],
        paint: Paint,
        wanted: Callable[[], bool],
        tell: Callable[[dict[str, int]], None],
    ) -> None:
        self._styles = styles
        self._first = frozenset(styles)  # what comes later goes before
        self._tried: set[str] = set()
        self._unfit: set[str] = set()  # that could not be read
        self._paint = paint
        self._wanted = wanted
        self._tell = tell
        self._frame: Frame | None = None
        self._versions: dict[str, int] = {}
        self._images: dict[str, bytes] = {}
        self._seldom = RateLimitedLog(log)
        self._offered = threading.Event()
        self._ending = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stylize-studio-thumbnails", daemon=True)
        self._thread.start()

    def offer(self, frame: Frame) -> None:
        """The newest frame of the source; kept, not looked at yet."""
        self._frame = frame
        self._offered.set()

    def image(self, style: str) -> bytes | None:
        """The newest JPEG of a style, if there is one."""
        return self._images.get(style)

    def hurry(self) -> None:
        """The styles have changed: what is new is painted at once."""
        self._woken.set()

    def close(self) -> None:
        """End the thread. May be called again."""
        self._ending.set()
        self._offered.set()
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        self._offered.wait(_PATIENCE)
        turn = 0
        while not self._ending.is_set():
            self._forget()
            styles = [style for style in tuple(self._styles) if style not in self._unfit]
            new = [style for style in styles if style not in self._tried]
            if styles and self._wanted():
                self._make(min(new, key=self._first.__contains__) if new else styles[turn % len(styles)])
                turn += 1
            # The first round is quick: a page without frames is waiting.
            self._woken.wait(0.05 if turn and new[1:] else _PAUSE if turn else 0.1)
            self._woken.clear()

    def _forget(self) -> None:
        """Keep nothing of styles that are gone."""
        for gone in self._tried.difference(self._styles):
            self._tried.discard(gone)
            self._images.pop(gone, None)
            self._versions.pop(gone, None)

    def _make(self, style: str) -> None:
        self._tried.add(style)
        try:
            self._images[style] = encode_jpeg(self._paint(style, self._original()), 85)
        except StylizeError as error:
            log.warning("no thumbnail: %s", error)
            self._unfit.add(style)
            return
        except Exception as error:  # no file handle, no memory: it may work in its next turn
            self._seldom.warning("no thumbnail: %s", describe_error(error), error=error)
            return
        self._versions[style] = self._versions.get(style, 0) + 1
        self._tell(dict(self._versions))

    def _original(self) -> Pixels:
        frame = self._frame
        small = None if frame is None else crop_to_shape(frame.pixels)
        return sample_thumbnail() if small is None or small.mean() < _DARK else small


def crop_to_shape(pixels: Pixels) -> Pixels:
    """The middle of a frame at a thumbnail's size: (240, 360, 3) uint8."""
    height, width = pixels.shape[:2]
    wide = min(width, round(height * _SIZE[0] / _SIZE[1]))
    high = min(height, round(width * _SIZE[1] / _SIZE[0]))
    left, top = (width - wide) // 2, (height - high) // 2
    box = (left, top, left + max(1, wide), top + max(1, high))
    image = Image.fromarray(to_eight_bits(pixels)).resize(_SIZE, Image.Resampling.BILINEAR, box, 2.0)
    return np.array(image)


def sample_thumbnail() -> Pixels:
    """A landscape that comes with the program, used while there is no frame."""
    data = (importlib.resources.files(__package__) / "static" / "sample.jpg").read_bytes()
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return crop_to_shape(np.array(image.convert("RGB")))
