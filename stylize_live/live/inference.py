"""The inference thread: the newest frame, painted."""

from __future__ import annotations

from collections.abc import Callable

from stylize_live.concurrency.channel import Latest
from stylize_live.concurrency.failures import check_frame
from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.frame import Frame
from stylize_live.live.adaptive_resolution import AdaptiveResolution
from stylize_live.live.painted_frame import PaintedFrame
from stylize_live.live.quality_ladder import Step
from stylize_live.live.view import LiveStylizer
from stylize_live.live.warm_up import WarmUp
from stylize_live.media.protocols import Source
from stylize_live.system.clock import monotonic


class Inference:
    """Paints frame after frame, and has the lines fit the machine's speed.

    Args:
        stylizer: paints.
        source: of the frames; its size and rate are aimed at.
        resolution: chooses the lines; None where these are fixed.
        request_lines: called with the lines that shall be made ready.

    Attributes:
        loading, painting: run while the network is loaded, and while a frame is painted.
    """

    def __init__(
        self,
        stylizer: LiveStylizer,
        source: Source,
        resolution: AdaptiveResolution | None,
        request_lines: Callable[[int], None],
    ) -> None:
        self._stylizer, self._source = stylizer, source
        self._resolution, self._request_lines = resolution, request_lines
        self._requested: Step | None = None  # whose lines are being made ready
        self.loading, self.painting = Stopwatch(), Stopwatch()

    def load(self, warm_up: WarmUp) -> None:
        """Get ready for the source's frames."""
        with self.loading:
            warm_up.run(self._prepare)

    def _prepare(self) -> None:
        if self._resolution is None:
            self._stylizer.warm_up(self._source.size)
        else:
            self._resolution.start(self._source.size, self._source.rate)

    def paint(self, frame: Frame) -> PaintedFrame:
        """Paint one. Raises what the stylizer raises, and `MachineError` of what is no frame."""
        taken_at = monotonic()
        with self.painting:
            painted = check_frame(self._stylizer(frame), "the stylizer", frame.size)
        return PaintedFrame(frame, painted, taken_at, monotonic())

    def adapt(self, item: PaintedFrame, frames: Latest[Frame]) -> bool:
        """Choose the lines of the next frame by how this one went; whether others were chosen."""
        resolution = self._resolution
        if resolution is None:
            return False
        resolution.resize(item.original.size, self._source.rate)
        changed = resolution.note(item.painted_at - item.taken_at, frames.dropped)
        wanted = resolution.wanted
        if wanted is not None and wanted != self._requested:
            self._request_lines(wanted.lines)
        self._requested = wanted
        return changed
