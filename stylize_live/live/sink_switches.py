"""Sinks that are switched on and off while the session runs: the stream, the virtual camera."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stylize_live.concurrency.failures import explain_failure
from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.concurrency.watchdog import Patience, Watchdog
from stylize_live.concurrency.workers import WorkerGroup
from stylize_live.errors import describe_error
from stylize_live.live.sink_group import SinkGroup
from stylize_live.media.protocols import LiveSink

log = logging.getLogger(__name__)

Openers = Mapping[str, Callable[[], LiveSink]]

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class SinkState:
    """The state of a switch.

    Attributes:
        on: whether the sink gets frames.
        opening: whether it is being opened.
        error: why it is off although it was switched on, or "".
        place: its address for others, such as tcp://127.0.0.1:9710; "" while it is off.
    """

    on: bool
    opening: bool
    error: str
    place: str


class SinkSwitches:
    """One switch for each kind of sink. For the main thread, apart from `close`.

    Sinks are opened in a thread of their own: a driver may take long, or hang. Then it is named and given up
    like everything that hangs.

    Args:
        group: feeds what is switched on.
        openers: by the name of the sink; each opens one, or raises.
        sinks: those open from the beginning; the last of each name can be switched off.
        place: returns the address of a sink for others.
        say: shows a message.
    """

    def __init__(
        self,
        group: SinkGroup,
        openers: Openers,
        sinks: Sequence[LiveSink],
        place: Callable[[LiveSink], str],
        say: Callable[[str], None],
    ) -> None:
        self._group, self._place, self._say = group, place, say
        self._switches = {name: _Switch(name, open_one) for name, open_one in openers.items()}
        for sink in sinks:
            if sink.name in self._switches:
                self._switches[sink.name].sink = sink
        self._workers: WorkerGroup | None = None
        self._watchdog = Watchdog()
        self._stall = ""

    def start(self, workers: WorkerGroup) -> None:
        """Open sinks in threads of this group from now on."""
        self._workers = workers

    @property
    def names(self) -> list[str]:
        """Of all switches."""
        return list(self._switches)

    def state(self, name: str) -> SinkState:
        """The state of a switch."""
        switch = self._switches[name]
        error = switch.error
        if switch.sink is not None:
            error = self._group.error_of(switch.sink) or ""
        on = switch.sink is not None and not error
        place = self._place(switch.sink) if on and switch.sink is not None else ""
        return SinkState(on, switch.attempt is not None, error, place)

    def sink(self, name: str) -> LiveSink | None:
        """What gets frames now, or None."""
        return self._switches[name].sink if self.state(name).on else None

    def turn(self, name: str, on: bool) -> None:
        """Switch on or off; unknown names are ignored."""
        if name not in self._switches:
            return
        switch, state = self._switches[name], self.state(name)
        if on and not (state.on or state.opening):
            self._take_out(switch)
            self._open(switch)
        elif not on:
            self._give_up(switch, "")
            self._take_out(switch)
            if state.on:
                self._say(f"{name} off")

    def _take_out(self, switch: _Switch) -> None:
        if switch.sink is not None:
            switch.closed = self._group.remove(switch.sink)
        switch.sink, switch.error = None, ""

    def _open(self, switch: _Switch) -> None:
        assert self._workers is not None
        what = f"opening the {switch.name}"
        attempt = _Attempt(what, switch.open, switch.closed)
        self._watchdog.watch(what, attempt.work)
        try:
            self._workers.start(what.replace(" ", "-"), attempt.run)
        except RuntimeError as error:  # no more threads
            self._fail(switch, str(error))
            return
        switch.attempt = attempt

    def _fail(self, switch: _Switch, why: str) -> None:
        switch.error = why
        self._say(why)

    def _give_up(self, switch: _Switch, why: str) -> None:
        attempt, switch.attempt = switch.attempt, None
        if attempt is not None:
            attempt.give_up()
        switch.error = why

    def update(self, patience: Patience) -> bool:
        """Take what was opened, and give up what hangs; to be called often. Whether there is a new sink."""
        added = [self._collect(switch) for switch in self._switches.values()]
        self._stall = ""
        for stall in self._watchdog.stalls(patience):
            self._stall = str(stall)
            switch = self._switches[stall.stage.removeprefix("opening the ")]
            if stall.seconds > patience.end and switch.attempt is not None:
                self._give_up(switch, str(stall))
                self._say(str(stall))
            elif stall.is_new:
                log.warning("%s", stall)
        return any(added)

    def _collect(self, switch: _Switch) -> bool:
        attempt = switch.attempt
        if attempt is None or not attempt.ended.is_set():
            return False
        switch.attempt = None
        sink = attempt.take()
        if sink is None:
            if attempt.error:  # and not given up in this very moment, as all ends
                log.warning("%s", attempt.error)
                self._fail(switch, attempt.error)
            return False
        try:
            self._group.add(sink)
        except RuntimeError as error:  # no more threads
            sink.close()
            self._fail(switch, f"no {switch.name}: {error}")
            return False
        switch.sink = sink
        place = self._place(sink)
        self._say(f"{switch.name} on" + (f": {place}" if place else ""))
        return True

    @property
    def trouble(self) -> str:
        """What hangs, or ""."""
        waits = any(switch.attempt is not None for switch in self._switches.values())
        return self._stall if waits else ""

    def close(self) -> None:
        """Open nothing more; what was opened and is fed already is closed by whoever feeds it."""
        for switch in self._switches.values():
            attempt = switch.attempt
            if attempt is not None:
                attempt.give_up()


@dataclass(slots=True)
class _Switch:
    name: str
    open: Callable[[], LiveSink]
    sink: LiveSink | None = None
    attempt: _Attempt | None = None
    error: str = ""
    closed: threading.Event | None = None  # set once the sink before is closed, and its port or device free


class _Attempt:
    """Opens a sink in a thread. What comes after it was given up is closed at once."""

    def __init__(self, what: str, open_one: Callable[[], LiveSink], before: threading.Event | None) -> None:
        self._what, self._open, self._before = what, open_one, before
        self._lock = threading.Lock()
        self._given_up = False
        self.work = Stopwatch()
        self.ended = threading.Event()
        self._sink: LiveSink | None = None
        self.error = ""

    def run(self) -> None:
        with self.work:
            sink: LiveSink | None = None
            error = ""
            try:
                if self._wait_for_the_one_before():
                    sink = self._open()
            except Exception as problem:  # whatever it is, the session goes on
                log.debug("a sink was not opened", exc_info=True)
                error = describe_error(explain_failure(problem, self._what))
        with self._lock:
            late = self._given_up
            self._sink, self.error = (None, error) if late else (sink, error)
            self.ended.set()
        if late and sink is not None:
            sink.close()

    def _wait_for_the_one_before(self) -> bool:
        """Whether it is closed; False once nobody wants another one."""
        while self._before is not None and not self._before.wait(_POLL_SECONDS):
            if self._given_up:
                return False
        return not self._given_up

    def take(self) -> LiveSink | None:
        """What was opened: whoever takes it has to close it. None if it could not be, or was given up."""
        with self._lock:
            sink, self._sink = self._sink, None
            return sink

    def give_up(self) -> None:
        """Close what was opened, now or later. May be called twice, from any thread."""
        with self._lock:
            self._given_up = True
        sink = self.take()
        if sink is not None:
            sink.close()
