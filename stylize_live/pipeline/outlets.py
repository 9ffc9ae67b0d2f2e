"""The sinks beside the window: each in a thread of its own, so that none disturbs the picture or another."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from stylize_live.errors import SinkError
from stylize_live.frame import Frame
from stylize_live.media.contracts import LiveSink
from stylize_live.pipeline.channel import Latest
from stylize_live.pipeline.clock import Durations, Percentiles
from stylize_live.pipeline.stages import Stages

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OutletReport:
    """What became of a sink.

    Attributes:
        written: pictures that it took.
        dropped: pictures that were replaced by newer ones before it had time for them.
        latency_ms: ages of pictures when it had taken them, counted from `Frame.captured_at`.
        error: why it ended early, or None.
    """

    written: int
    dropped: int
    latency_ms: Percentiles
    error: str | None


class Outlets:
    """Any number of sinks, fed newest-picture-wins. One that fails ends; the others go on.

    Args:
        sinks: stay open; whoever opened them closes them.
    """

    def __init__(self, sinks: Sequence[LiveSink]) -> None:
        self._outlets = [_Outlet(sink) for sink in sinks]

    def __bool__(self) -> bool:
        return bool(self._outlets)

    def start(self, stages: Stages) -> None:
        """Run every sink in a thread of this group."""
        for outlet in self._outlets:
            stages.start(outlet.name.replace(" ", "-"), outlet.run)

    def put(self, frame: Frame) -> None:
        """Leave a picture for every sink; never waits. Raises `Closed` after `close`."""
        for outlet in self._outlets:
            outlet.pictures.put(frame)

    def close(self) -> None:
        """Let every sink take what was put last, and end."""
        for outlet in self._outlets:
            outlet.pictures.close()

    @property
    def watched(self) -> bool:
        """Whether anybody may be looking at any sink that works."""
        return any(outlet.watched for outlet in self._outlets)

    @property
    def trouble(self) -> str:
        """Why a sink ended early, to be shown; "" while all is well."""
        return next((outlet.error for outlet in self._outlets if outlet.error), "")

    def check(self) -> None:
        """Raise `SinkError` where there were sinks and none is left."""
        if self._outlets and all(outlet.error for outlet in self._outlets):
            raise SinkError(self.trouble)

    def report(self) -> dict[str, OutletReport]:
        """What became of each sink so far."""
        return {outlet.name: outlet.report() for outlet in self._outlets}


class _Outlet:
    def __init__(self, sink: LiveSink) -> None:
        self.name = sink.name
        self.pictures: Latest[Frame] = Latest()
        self.error: str | None = None
        self._sink = sink
        self._written = 0
        self._ages = Durations()
        self._newest = -1

    @property
    def watched(self) -> bool:
        return self.error is None and self._sink.watched

    def run(self) -> None:
        """Write what comes until the channel is closed or the sink fails."""
        for frame in self.pictures:
            try:
                self._sink.write(frame)
            except SinkError as error:
                self.error = f"{self.name}: {error}"
                log.warning(self.error)
                self._discard()
                return
            self._written += 1
            if frame.index != self._newest:  # a frozen picture that comes again is not late
                self._newest = frame.index
                self._ages.add(time.monotonic() - frame.captured_at)

    def _discard(self) -> None:
        """Hold no picture for a sink that will take none."""
        for _ in self.pictures:
            pass

    def report(self) -> OutletReport:
        return OutletReport(self._written, self.pictures.dropped, self._ages.total(), self.error)
