"""The sinks beside the window: each in a thread of its own, so that none holds up the window or another."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, count

from stylize_live.concurrency.channel import Closed, Latest
from stylize_live.concurrency.failures import explain_failure
from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.concurrency.watchdog import Patience, Watchdog
from stylize_live.concurrency.workers import WorkerGroup
from stylize_live.errors import SinkError, describe_error
from stylize_live.frame import Frame
from stylize_live.live.latency import Durations, Percentiles
from stylize_live.media.protocols import LiveSink
from stylize_live.system.clock import monotonic

log = logging.getLogger(__name__)

# What ends a sink and not the session; all else is a bug. Without file handles, imports fail.
_ITS_OWN = (SinkError, OSError, MemoryError, ImportError)


@dataclass(frozen=True, slots=True)
class SinkReport:
    """What became of a sink.

    Attributes:
        written: frames that it took.
        dropped: frames that were replaced by newer ones before it had time for them.
        latency_ms: ages of frames when it had taken them, counted from `Frame.captured_at`.
        error: why it ended early, or None.
    """

    written: int
    dropped: int
    latency_ms: Percentiles
    error: str | None


class SinkGroup:
    """Any number of sinks, fed newest-frame-wins. One that fails ends; the others go on.

    Args:
        sinks: stay open unless they are removed; whoever opened them closes them.
    """

    def __init__(self, sinks: Sequence[LiveSink]) -> None:
        # Replaced and never changed, as another thread may be going through it.
        self._sink_workers = [_SinkWorker(sink) for sink in sinks]
        self._removed: list[_SinkWorker] = []
        self._closed = False
        self._workers: WorkerGroup | None = None
        self._watchdog = Watchdog()
        for worker in self._sink_workers:
            self._watchdog.watch(worker.name, worker.work)
        self._stalls: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._sink_workers)

    def start(self, workers: WorkerGroup) -> None:
        """Run every sink in a thread of this group."""
        self._workers = workers
        for worker in self._sink_workers:
            workers.start(worker.thread_name, worker.run_and_close)

    def add(self, sink: LiveSink) -> None:
        """Feed one more from now on; it is closed when it is removed or all ends."""
        assert self._workers is not None
        worker = _SinkWorker(sink, self._free_name(sink.name), ours=True)
        self._watchdog.watch(worker.name, worker.work)
        self._workers.start(worker.thread_name, worker.run_and_close)
        self._sink_workers = [*self._sink_workers, worker]
        if self._closed:  # by another thread, meanwhile
            worker.frames.close()

    def _free_name(self, name: str) -> str:
        taken = {worker.name for worker in (*self._sink_workers, *self._removed)}
        names = chain([name], (f"{name} {number}" for number in count(2)))
        return next(free for free in names if free not in taken)

    def remove(self, sink: LiveSink) -> threading.Event:
        """Let a sink take what was put last, and end, and close it; the event is set once that is done."""
        for worker in self._sink_workers:
            if worker.sink is sink:
                self._sink_workers = [other for other in self._sink_workers if other is not worker]
                self._removed.append(worker)
                worker.ours = True
                worker.frames.close()
                return worker.ended
        raise KeyError(sink.name)

    def error_of(self, sink: LiveSink) -> str | None:
        """Why a sink ended early, or None."""
        return next((worker.error for worker in self._sink_workers if worker.sink is sink), None)

    def put(self, frame: Frame) -> None:
        """Leave a frame for every sink that has not ended; never waits."""
        for worker in self._sink_workers:
            with suppress(Closed):  # removed meanwhile
                worker.frames.put(frame)

    def close(self) -> None:
        """Let every sink take what was put last, and end."""
        self._closed = True
        for worker in self._sink_workers:
            worker.frames.close()

    @property
    def watched(self) -> bool:
        """Whether anybody may be looking at any sink that works."""
        return any(worker.watched for worker in self._sink_workers)

    def check_stalls(self, patience: Patience) -> None:
        """Warn of sinks that hang, and give them up in the end. To be called often, by one thread."""
        stalls = {stall.stage: stall for stall in self._watchdog.stalls(patience)}
        present = {worker.name for worker in self._sink_workers}
        self._stalls = {name: str(stall) for name, stall in stalls.items() if name in present}
        for worker in self._sink_workers:
            stall = stalls.get(worker.name)
            if stall is None or worker.error is not None:
                continue
            if stall.seconds > patience.end:
                worker.give_up(str(stall))
            elif stall.is_new:
                log.warning("%s", stall)

    @property
    def trouble(self) -> str:
        """Why a sink ended early, or which one hangs, to be shown; "" while all is well."""
        failed = next((worker.error for worker in self._sink_workers if worker.error), "")
        return failed or next(iter(self._stalls.values()), "")

    def check(self) -> None:
        """Raise `SinkError` where there were sinks and none is left."""
        if self._sink_workers and all(worker.error for worker in self._sink_workers):
            raise SinkError(self.trouble)

    def report(self) -> dict[str, SinkReport]:
        """What became of each sink so far."""
        return {worker.name: worker.report() for worker in (*self._removed, *self._sink_workers)}


class _SinkWorker:
    def __init__(self, sink: LiveSink, name: str | None = None, *, ours: bool = False) -> None:
        self.name = name or sink.name
        self.sink = sink
        self.ours = ours  # to close
        self.ended = threading.Event()  # and closed, if it is ours
        self.frames: Latest[Frame] = Latest()
        self.error: str | None = None
        self.work = Stopwatch()
        self._written = 0
        self._ages = Durations()
        self._newest = -1

    @property
    def thread_name(self) -> str:
        return self.name.replace(" ", "-")

    @property
    def watched(self) -> bool:
        return self.error is None and self.sink.watched

    def run(self) -> None:
        """Write what comes until the channel is closed or the sink fails."""
        for frame in self.frames:
            try:
                with self.work:
                    self.sink.write(frame)
            except _ITS_OWN as error:
                self._fail(error)
            if self.error is not None:  # or it came back after it had been given up
                self._discard()
                return
            self._written += 1
            if frame.index != self._newest:  # a frozen frame that comes again is not late
                self._newest = frame.index
                self._ages.add(monotonic() - frame.captured_at)

    def run_and_close(self) -> None:
        """The same, and close the sink if that is left to us by then."""
        try:
            self.run()
        finally:
            try:
                if self.ours:
                    self.sink.close()
            except _ITS_OWN as error:
                self._fail(error)
            finally:
                self.ended.set()

    def give_up(self, why: str) -> None:
        """It hangs, and is taken for broken."""
        if self.error is None:
            self.error = why
            log.warning("%s", why)

    def _fail(self, error: Exception) -> None:
        self.give_up(f"{self.name}: {describe_error(explain_failure(error, 'stopped'))}")
        if not isinstance(error, SinkError):
            log.debug("where it arose", exc_info=error)

    def _discard(self) -> None:
        """Hold no frame for a sink that will take none."""
        for _ in self.frames:
            pass

    def report(self) -> SinkReport:
        return SinkReport(self._written, self.frames.dropped, self._ages.total(), self.error)
