"""OSC: VJ programs, light desks and phones control a session over UDP. See docs/stage.md."""

from __future__ import annotations

import logging
import selectors
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from stylize_live.errors import SinkError, UsageError, describe_error
from stylize_live.lifecycle import Closeable
from stylize_live.live.session import LiveSession
from stylize_live.rate_limited_log import RateLimitedLog
from stylize_live.remotes.inbox import Inbox
from stylize_live.remotes.osc_packets import MOST_BYTES, Arguments, read_packet
from stylize_live.remotes.osc_subscribers import Address, Subscribers, Value, message_about
from stylize_live.remotes.osc_words import GET, QUERIES, SUBSCRIBE, is_absolute, name_of, translate
from stylize_live.studio.control import Command
from stylize_live.studio.control_desk import ControlDesk
from stylize_live.studio.controls import list_controls, values_of
from stylize_live.system.addresses import is_loopback, parse_endpoint
from stylize_live.system.clock import monotonic
from stylize_live.system.ports import advise, open_datagrams

log = logging.getLogger(__name__)
seldom = RateLimitedLog(log)

USUAL_PORT = 9730
_WAIT_SECONDS = 0.2
_CLOSE_SECONDS = 1.0
# A flood is read at this pace; the system throws away what comes faster.
_PACKETS, _PER_SECONDS = 20, 0.01
_MOST_WAITING = 256
_MOST_AT_ONCE = 16  # between two frames; each takes the main thread a third of a millisecond
_NEWS_SECONDS, _FIGURES_SECONDS = 0.05, 1.0
_ERROR = "error"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A message that came.

    Attributes:
        sender: who sent it.
        name: of the control, one of `QUERIES`, or `_ERROR` for what was refused already.
        arguments: of a query; of an error, what is wrong.
        command: what a control is to do.
    """

    sender: Address
    name: str
    arguments: Arguments
    command: Command | None = None


class OscRemote(Closeable):
    """A `Remote` that takes OSC messages, and tells those who subscribe how all is set.

    A thread reads what comes; all is done in the main thread, a few things between two frames. Of several
    values for one setting that come at once, the last one counts.

    Args:
        desk: does what is asked for.
        address: "auto", a port, or host:port; without a host, only programs on this machine are heard.

    Raises:
        UsageError: it is not an address, or python-osc is missing.
        SinkError: the port is taken, or the host is not this machine's.
    """

    watched = shows = False  # nobody sees a frame here

    def __init__(self, desk: ControlDesk, address: str = "auto") -> None:
        host, port = parse_endpoint(address, "osc", USUAL_PORT)
        self._desk = desk
        try:
            self._socket = open_datagrams(host, port)
        except OSError as error:
            raise SinkError(
                f"cannot take OSC at {host}:{port}: {error.strerror or error}; "
                f"{advise(error, port, 'osc', USUAL_PORT)}"
            ) from None
        self._socket.setblocking(False)  # the main thread, which sends, waits for nothing
        self._host, self._port = host, int(self._socket.getsockname()[1])
        self._inbox: Inbox[_Asked] = Inbox(_MOST_WAITING)
        self._subscribers = Subscribers()
        self._figures: dict[str, Value] = {}
        self._news_at = self._figures_at = 0.0
        self._ending = threading.Event()
        desk.osc = self.address
        self._thread = threading.Thread(target=self._listen, name="stylize-osc", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where messages are sent to: host and port."""
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    @property
    def is_open(self) -> bool:
        """Whether other machines are heard."""
        return not is_loopback(self._host)

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while not self._ending.is_set():
                if selector.select(_WAIT_SECONDS):
                    for _ in range(_PACKETS):
                        if not self._take_packet():
                            break
                    self._ending.wait(_PER_SECONDS)

    def _take_packet(self) -> bool:
        """Take what one packet asks for; whether there was one."""
        try:
            packet, (host, port, *_) = self._socket.recvfrom(MOST_BYTES + 1)
        except OSError:  # nothing more is there; or Windows tells that a subscriber is gone
            return False
        try:
            if len(packet) > MOST_BYTES:
                raise UsageError(f"a packet of more than {MOST_BYTES} bytes")
            messages = read_packet(packet)
        except UsageError as error:
            self._refuse((host, port), error)
            return True
        for address, arguments in messages:
            try:
                self._take_message((host, port), address, arguments)
            except UsageError as error:
                self._refuse((host, port), error)
        return True

    def _refuse(self, sender: Address, error: UsageError) -> None:
        """Log what is wrong, and have the sender's machine told; of many mistakes, the newest one."""
        seldom.warning("OSC: refused: %s", error)
        self._inbox.put(_Asked(sender, _ERROR, [str(error)]), (_ERROR, sender[0]))

    def _take_message(self, sender: Address, address: str, arguments: Arguments) -> None:
        name = name_of(address)
        if name in QUERIES:
            has_room = self._inbox.put(_Asked(sender, name, arguments), (name, sender, str(arguments)))
        else:
            one = list_controls()[name]
            command = translate(one, arguments)
            if command is None:
                return
            key = name if is_absolute(one, arguments) else None
            has_room = self._inbox.put(_Asked(sender, name, arguments, command), key)
        if not has_room:
            raise UsageError(f"more than {_MOST_WAITING} messages are waiting")

    def attend(self, session: LiveSession) -> None:
        """See `Remote.attend`."""
        now = monotonic()
        for asked in self._inbox.take(_MOST_AT_ONCE):
            self._subscribers.hear_from(asked.sender[0], now)
            if asked.command is not None:
                self._carry_out(asked, asked.command, session)
            elif asked.name == _ERROR:
                self._tell_error(asked.sender, str(asked.arguments[0]))
            else:
                self._answer(asked, session, now)
        if len(self._subscribers) and now >= self._news_at:
            self._news_at = now + _NEWS_SECONDS
            self._subscribers.forget_silent(now)
            self._send(self._subscribers.news(self._values(session, now), now))

    def _carry_out(self, asked: _Asked, command: Command, session: LiveSession) -> None:
        error = self._desk.carry_out(command, session)
        if error is not None:
            words = f"{asked.name.replace('_', '-')}: {describe_error(error)}"
            seldom.warning("OSC: refused: %s", words)
            self._tell_error(asked.sender, words)

    def _tell_error(self, sender: Address, words: str) -> None:
        self._send((to, message_about(_ERROR, words)) for to in self._subscribers.on(sender[0]))

    def _answer(self, asked: _Asked, session: LiveSession, now: float) -> None:
        """Answers go to the sender's machine only, so that nobody has us send to others."""
        if asked.name == GET:
            names = [str(name).replace("-", "_") for name in asked.arguments if isinstance(name, str)]
            ports = [value for value in asked.arguments if not isinstance(value, str)]
            if (to := _reply_address(asked.sender, ports)) is not None:
                values = self._values(session, now)
                told = {name: values[name] for name in names or values if name in values}
                self._send((to, message_about(name, value)) for name, value in told.items())
            return
        to = _reply_address(asked.sender, asked.arguments)
        if to is not None and asked.name == SUBSCRIBE:
            self._subscribers.add(to, now)
            self._news_at = now
        elif to is not None:
            self._subscribers.remove(to)

    def _values(self, session: LiveSession, now: float) -> dict[str, Value]:
        if now >= self._figures_at:
            self._figures_at = now + _FIGURES_SECONDS
            figures = session.figures(now)
            age = figures.latency_ms["total"].p50
            self._figures = {"fps": round(figures.fps, 1), "latency": -1.0 if age is None else round(age, 1)}
        state = self._desk.state_of(session)
        return values_of(state) | {"note": str(state["note"])} | self._figures

    def _send(self, packets: Iterable[tuple[Address, bytes]]) -> None:
        for address, packet in packets:
            try:
                self._socket.sendto(packet, address)
            except OSError as error:  # no way there, or no room: the next news come soon
                log.debug("OSC: nothing sent to %s: %s", address, error)

    def close(self) -> None:
        """Hear nothing more and free the port. May be called twice."""
        self._desk.osc = ""
        self._ending.set()
        self._thread.join(_CLOSE_SECONDS)
        self._socket.close()


def _reply_address(sender: Address, arguments: Arguments) -> Address | None:
    """Where to answer: the port that was given, else the sender's own; None where that is no port."""
    if not arguments:
        return sender
    port = arguments[0]
    if len(arguments) > 1 or isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
        seldom.warning("OSC: refused: expected a port to answer at, got %s", str(port)[:60])
        return None
    return sender[0], port
