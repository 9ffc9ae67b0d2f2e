"""A stream that programs such as OBS open over the network: JPEGs in NUT over TCP.

Of all that OBS's Media Source can read this shows frames soonest, because nothing on the way waits for
a second frame. Readers come and go; each has its own thread and always gets the newest frame.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from fractions import Fraction

from stylize_live.errors import SinkError, describe_error
from stylize_live.frame import Frame, Pixels
from stylize_live.lifecycle import Closeable
from stylize_live.media.color.letterbox import letterbox
from stylize_live.media.color.opaque import on_black
from stylize_live.media.image.jpeg import encode_jpeg
from stylize_live.media.sinks.nut_muxer import NutMuxer
from stylize_live.rate_limited_log import RateLimitedLog
from stylize_live.system.addresses import LOOPBACK, is_loopback, parse_endpoint
from stylize_live.system.clock import monotonic
from stylize_live.system.ports import advise, open_listener

log = logging.getLogger(__name__)

USUAL_PORT = 9710
_MOST_READERS = 8
_MOST_OF_ONE = 4  # from one address elsewhere
# A frame that does not change is sent again, so that readers see that we are there, and we, that they are.
# Ten times a second, because those that connect look at a dozen before they show one.
_REPEAT_SECONDS = 0.1
_HANGING_SECONDS = 5.0
_ACCEPT_SECONDS = 0.2
_CLOSE_SECONDS = 1.0
_SEND_BUFFER = 1 << 16  # what lies in there is old before it is read


class StreamServer(Closeable):
    """A `LiveSink` that serves whoever connects.

    Frames are encoded once for all readers, and only where there are any. One that is slow gets
    fewer; one that takes nothing for five seconds is disconnected.

    Args:
        address: "auto", a port, or host:port; without a host, only programs on this machine can connect.
        size: (width, height) of the stream in pixels; frames of another size are scaled into it.
        rate: nominal frames per second.

    Raises:
        UsageError: it is not an address.
        SinkError: the port is taken, or the host is not this machine's.
    """

    name = "stream"

    def __init__(self, address: str, size: tuple[int, int], rate: Fraction = Fraction(30)) -> None:
        host, port = parse_address(address)
        self._size, self._rate = size, rate
        self._newest = _Newest()
        self._ending = threading.Event()
        self._readers: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._log = RateLimitedLog(log)
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._server = open_listener(family, (host, port))
        except OSError as error:
            raise SinkError(
                f"cannot serve a stream at {host}:{port}: {error.strerror or error}; "
                f"{advise(error, port, 'stream', USUAL_PORT)}"
            ) from None
        self._server.settimeout(_ACCEPT_SECONDS)
        self._host, self._port = host, int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, name="stylize-stream-server", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """What a reader on this machine opens."""
        host = LOOPBACK if self._host == "0.0.0.0" else self._host
        return f"tcp://[{host}]:{self._port}" if ":" in host else f"tcp://{host}:{self._port}"

    @property
    def watched(self) -> bool:
        """Whether anybody is connected."""
        return bool(self._readers)

    def write(self, frame: Frame) -> None:
        """Leave the newest frame for all readers; takes microseconds."""
        self._newest.put(letterbox(on_black(frame), self._size))

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                connection, address = self._server.accept()
            except TimeoutError:
                continue
            except OSError as error:
                # Out of file handles, or a reader that left in that moment: neither ends the show.
                self._log.warning("the stream cannot take a reader: %s", describe_error(error))
                self._ending.wait(_ACCEPT_SECONDS)
                continue
            self._welcome(connection, address[0])

    def _welcome(self, connection: socket.socket, address: str) -> None:
        with self._lock:
            of_this_one = sum(_address(reader) == address for reader in self._readers.values())
            most_of_one = _MOST_READERS if is_loopback(address) else _MOST_OF_ONE
            if self._ending.is_set() or len(self._readers) >= _MOST_READERS or of_this_one >= most_of_one:
                self._log.warning("a reader of the stream was turned away: %d are there", len(self._readers))
                connection.close()
                return
            thread = threading.Thread(
                target=self._serve, args=(connection,), name="stylize-stream-reader", daemon=True
            )
            self._readers[thread] = connection
            try:
                thread.start()
            except RuntimeError as error:  # no more threads
                del self._readers[thread]
                connection.close()
                self._log.warning("the stream cannot take a reader: %s", error)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.closing(NutMuxer(self._size, self._rate)) as muxer:
                connection.settimeout(_HANGING_SECONDS)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._send_all(connection, muxer)
        except OSError as error:  # left, or hangs
            log.info("a reader of the stream is gone: %s", error)
        except Exception as error:  # of a library, or no memory: the others go on
            self._log.warning("a reader of the stream was sent away: %s", describe_error(error), error=error)
        finally:
            with self._lock:
                self._readers.pop(threading.current_thread(), None)

    def _send_all(self, connection: socket.socket, muxer: NutMuxer) -> None:
        seen = 0
        while not self._ending.is_set():
            seen, jpeg = self._newest.after(seen, _REPEAT_SECONDS)
            if jpeg:
                connection.sendall(muxer.add(jpeg))

    def close(self) -> None:
        """Disconnect all readers and free the port. May be called twice."""
        self._ending.set()
        self._newest.end()
        self._thread.join(_CLOSE_SECONDS)
        self._server.close()
        with self._lock:
            readers = dict(self._readers)
        for connection in readers.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # wakes a thread that hangs in sending
        deadline = monotonic() + _CLOSE_SECONDS
        for thread in readers:
            thread.join(max(0.0, deadline - monotonic()))


def _address(connection: socket.socket) -> str:
    try:
        return str(connection.getpeername()[0])
    except OSError:  # gone
        return ""


class _Newest:
    """The newest frame, numbered from 1, as a JPEG that is made when the first reader asks."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._encoding = threading.Lock()
        self._pixels: Pixels | None = None
        self._number = 0
        self._jpeg = (0, b"")
        self._ended = False

    def put(self, pixels: Pixels) -> None:
        with self._changed:
            self._pixels = pixels
            self._number += 1
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def after(self, seen: int, timeout: float) -> tuple[int, bytes]:
        """The newest frame and its number; after `timeout` seconds even one that was seen.

        `(0, b"")` as long as there is none.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._number > seen or self._ended, timeout)
            number, pixels = self._number, self._pixels
        if pixels is None:
            return 0, b""
        with self._encoding:
            if self._jpeg[0] < number:
                self._jpeg = number, encode_jpeg(pixels)
            return self._jpeg


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of the stream. Raises `UsageError`, see `parse_endpoint`."""
    return parse_endpoint(text, "stream", USUAL_PORT)
