"""What is shown, offered to the local network as NDI."""

from __future__ import annotations

import logging
import threading
from fractions import Fraction

from stylize_live.errors import SinkError, UsageError, describe_error
from stylize_live.frame import Frame, Pixels, to_eight_bits
from stylize_live.lifecycle import Closeable, Turn
from stylize_live.media.color.letterbox import letterbox
from stylize_live.media.ndi.sender import NdiSender
from stylize_live.system.clock import monotonic

log = logging.getLogger(__name__)

USUAL_NAME = "stylize-live"
_LONGEST_NAME = 200
_LOOK_SECONDS = 0.1  # between two looks whether anybody receives
_REPEAT_SECONDS = 0.2  # without a new frame, after which the last one is sent again
_CLOSE_SECONDS = 1.0


class NdiSink(Closeable):
    """A `LiveSink` that any program of the network can receive. Where nobody does, nothing is sent.

    A frame that does not change is sent again and again: who connects meanwhile has to see it.

    Args:
        name: "auto", or the name for others, behind the machine's.
        size: (width, height) of our frames in pixels; an odd side grows by one.
        rate: nominal frames a second.

    Raises:
        UsageError: cyndilib is not installed, or it is no name.
        SinkError: the library does not offer it.
    """

    name = "NDI"

    def __init__(self, name: str, size: tuple[int, int], rate: Fraction = Fraction(30)) -> None:
        name = USUAL_NAME if name == "auto" else name.strip()
        if not name or len(name) > _LONGEST_NAME:
            raise UsageError(f"{name[:60]!r} cannot be a name in NDI")
        self._size = size[0] + size[0] % 2, size[1] + size[1] % 2
        try:
            self._sender = NdiSender(name, self._size, rate)
        except UsageError:
            raise
        except Exception as error:  # the library's own
            raise SinkError(f"NDI cannot offer {name!r}: {describe_error(error)}") from None
        self.device = self._sender.name
        self.watched = False
        self._turn = Turn("NDI", self._sender.close)
        self._newest: Pixels | None = None
        self._sent_at = 0.0
        self._closed = False
        self._failure: str | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="stylize-ndi", daemon=True)
        self._thread.start()

    def write(self, frame: Frame) -> None:
        """Send a frame, if anybody receives. Raises `SinkError` when the library takes no more."""
        if self._failure is not None:
            raise SinkError(self._failure)
        self._newest = to_eight_bits(letterbox(frame.pixels, self._size))
        if self.watched:
            self._send()

    def _send(self, after: float = 0.0) -> None:
        """Send the newest frame, if none was sent for so many seconds."""
        with self._turn:
            # Looked up when it is our turn: another thread may have sent a newer one while we waited.
            if self._closed or self._newest is None or monotonic() - self._sent_at < after:
                return
            self._sent_at = monotonic()
            try:
                self._sender.send(self._newest)
            except (MemoryError, OSError):
                raise
            except Exception as error:  # the library's own
                raise SinkError(f"NDI takes no more frames: {describe_error(error)}") from None

    def _repeat(self) -> None:
        while not self._ending.wait(_LOOK_SECONDS):
            try:
                with self._turn:
                    self.watched = not self._closed and self._sender.receivers > 0
                if self.watched:
                    self._send(after=_REPEAT_SECONDS)
            except Exception as error:
                self._failure = describe_error(error)
                return

    def close(self) -> None:
        """Offer nothing more. May be called twice."""
        self._ending.set()
        with self._turn.to_close() as came:
            if came and not self._closed:
                self._closed = True
                self._sender.close()
        self._thread.join(_CLOSE_SECONDS)
