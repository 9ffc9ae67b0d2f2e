"""The MIDI devices that are connected: opened as they come, closed as they go."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Protocol

from stylize_live.errors import SourceError, UsageError
from stylize_live.install_hints import install_command
from stylize_live.lifecycle import Closeable
from stylize_live.rate_limited_log import RateLimitedLog

log = logging.getLogger(__name__)
seldom = RateLimitedLog(log)

_LOOK_SECONDS = 2.0
_CLOSE_SECONDS = 1.0
_MOST_AT_ONCE = 256  # messages of one device between two frames
_NOT_A_DEVICE = "midi through"  # which gives Linux programs what others send there
_ANY = "auto"
_NUMBERS = re.compile(r" \d+:\d+$")


class MidiPort(Protocol):
    """An open input, as mido has them."""

    closed: bool

    def iter_pending(self) -> Iterator[Any]:
        """The messages that came."""

    def close(self) -> None:
        """Release it. May be called twice."""


class MidiSystem(Protocol):
    """What lists and opens inputs, as mido's backends do. Both raise `OSError`."""

    def get_input_names(self) -> list[str]: ...

    def open_input(self, name: str) -> MidiPort: ...


def midi_system() -> MidiSystem:
    """The machine's own.

    Raises:
        UsageError: mido or python-rtmidi is missing.
    """
    try:
        import mido

        system: Any = mido.Backend(load=True)  # python-rtmidi, unless the environment says otherwise
    except ImportError:
        raise UsageError(f"--midi needs mido: {install_command('mido', 'python-rtmidi')}") from None
    return system  # type: ignore[no-any-return]


class MidiPorts(Closeable):
    """The inputs that are wanted, looked for in a thread of its own: a driver may take its time.

    Args:
        system: lists and opens them.
        wanted: part of their names, in letters of any size, or "auto" for all.

    Attributes:
        opened: how many were opened so far.

    Raises:
        SourceError: the system has no MIDI, or no device has this name.
    """

    def __init__(self, system: MidiSystem, wanted: str) -> None:
        self._system, self._wanted = system, wanted.strip()
        self._open: dict[str, MidiPort] = {}
        self._gone: set[str] = set()
        self.opened = 0
        self._ending = threading.Event()
        try:
            names = self._list_wanted()
            if not names and self._wanted != _ANY:
                there = ", ".join(_fitting(system.get_input_names(), _ANY)) or "none"
                raise SourceError(f"no MIDI device is called {self._wanted!r}; connected: {there}")
        except OSError as error:
            raise SourceError(f"MIDI does not work on this machine: {error}") from None
        self._update(names)
        self._thread = threading.Thread(target=self._look, name="stylize-midi", daemon=True)
        self._thread.start()

    def _list_wanted(self) -> list[str]:
        return _fitting(self._system.get_input_names(), self._wanted)

    def _look(self) -> None:
        while not self._ending.wait(_LOOK_SECONDS):
            try:
                self._update(self._list_wanted())
            except Exception as error:  # whatever a driver has: what is open stays open
                seldom.warning("the MIDI devices could not be listed: %s", error, error=error)

    def _update(self, names: Iterable[str]) -> None:
        now = set(names)
        for name, port in list(self._open.items()):
            if name not in now or port.closed:
                self._close(name)
        for name in sorted(now - set(self._open)):
            self._try_to_open(name)

    def _try_to_open(self, name: str) -> None:
        try:
            port = self._system.open_input(name)
        except Exception as error:  # another program has it, or it went in this moment
            seldom.warning("the MIDI device %s cannot be opened: %s", name, error)
            return
        self._open = {**self._open, name: port}
        self.opened += 1
        if _title(name) in self._gone:
            self._gone.discard(_title(name))
            log.warning("the MIDI device %s is back", _title(name))

    def _close(self, name: str) -> None:
        port = self._open[name]
        self._open = {other: one for other, one in self._open.items() if other != name}
        self._gone.add(_title(name))
        log.warning("the MIDI device %s is gone; it is taken again when it comes back", _title(name))
        port.close()

    @property
    def names(self) -> list[str]:
        """Of the devices that are open. Any thread may ask."""
        return [_title(name) for name in self._open]

    def messages(self) -> Iterator[Any]:
        """What came since, as mido's messages; never waits."""
        for name, port in self._open.items():
            try:
                yield from islice(port.iter_pending(), _MOST_AT_ONCE)
            except (OSError, ValueError) as error:  # closed in this moment, or its cable was pulled
                log.debug("the MIDI device %s: %s", name, error)

    def close(self) -> None:
        """Give all devices back. May be called twice."""
        self._ending.set()
        self._thread.join(_CLOSE_SECONDS)
        if self._thread.is_alive():
            log.warning("the MIDI system does not answer and was not released")
            return
        ports, self._open = self._open, {}
        for port in ports.values():
            port.close()


def _title(name: str) -> str:
    """A name without the numbers that Linux gives a device anew whenever it comes."""
    return _NUMBERS.sub("", name)


def _fitting(names: Iterable[str], wanted: str) -> list[str]:
    """Each name once: a second device of the same name cannot be told from the first."""
    names = dict.fromkeys(names)
    if wanted == _ANY:
        return [name for name in names if not name.lower().startswith(_NOT_A_DEVICE)]
    return [name for name in names if wanted.lower() in name.lower()]
