"""Changes that take a while, each kind in a thread of its own: neither painting nor the window waits."""

from __future__ import annotations

from contextlib import suppress

from stylize_live.concurrency.channel import Closed, Latest
from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.concurrency.workers import WorkerGroup
from stylize_live.errors import StyleError, describe_error
from stylize_live.live.adaptive_resolution import AdaptiveResolution
from stylize_live.live.view import LiveStylizer, View


class SlowChanges:
    """Applies what was asked for last; what was asked for before that, and not begun, is left out.

    Args:
        stylizer: is changed.
        resolution: gets ready for other lines; None where these are fixed.

    Attributes:
        changing_boldness: runs while the boldness is being changed.
    """

    def __init__(self, stylizer: LiveStylizer, resolution: AdaptiveResolution | None) -> None:
        self._stylizer, self._resolution = stylizer, resolution
        self._boldness: Latest[float] = Latest()
        self._lines: Latest[int] = Latest()
        self._unseen: Latest[str] = Latest()  # styles whose paintings were not looked at yet
        self._seen = ""  # the last one that was, for the main thread
        self.changing_boldness = Stopwatch()

    def start(self, workers: WorkerGroup, view: View) -> None:
        """Start the threads; the view is told of what they did."""
        workers.start("boldness", lambda: self._set_boldness(view))
        workers.start("lines", self._make_lines_ready)
        workers.start("looking", lambda: self._look_at_paintings(view))

    def close(self) -> None:
        """Wake the threads: the session ends."""
        for channel in (self._boldness, self._lines, self._unseen):
            channel.close()

    def request_boldness(self, boldness: float) -> None:
        """Set the stylizer's boldness soon; nothing where the session is ending."""
        with suppress(Closed):
            self._boldness.put(boldness)

    def request_lines(self, lines: int) -> None:
        """Get ready for painting so many lines. Raises `Closed` where the session is ending."""
        self._lines.put(lines)

    def request_look(self, style: str) -> None:
        """Look at the painting of a style; nothing where the session is ending."""
        with suppress(Closed):
            self._unseen.put(style)

    def use_seen(self, view: View) -> None:
        """Paint in a style that was awaited, unless another one was chosen meanwhile. On the main thread."""
        if view.awaited and view.awaited == self._seen:
            view.use_style(self._seen)

    def _set_boldness(self, view: View) -> None:
        for boldness in self._boldness:
            with self.changing_boldness:
                self._stylizer.boldness = boldness
            view.repaint = True

    def _make_lines_ready(self) -> None:
        for lines in self._lines:
            if self._resolution is not None:
                self._resolution.make_ready(lines)

    def _look_at_paintings(self, view: View) -> None:
        for style in self._unseen:
            try:
                self._stylizer.look_at(style)
            except (StyleError, OSError) as error:
                self._seen = ""
                view.say(describe_error(error))
            else:
                self._seen = style
