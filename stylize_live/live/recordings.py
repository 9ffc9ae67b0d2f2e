"""Recordings that are started and stopped while the session runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from stylize_live.errors import StylizeError, describe_error
from stylize_live.live.sink_group import SinkGroup
from stylize_live.media.protocols import LiveSink
from stylize_live.media.sinks.recorder import Recorder, open_recorder
from stylize_live.system.clock import monotonic

log = logging.getLogger(__name__)


class Recordings:
    """Records one video at a time, each into a file of its own.

    Args:
        group: feeds the video.
        say: shows a message.
        microphone: see the attribute.
        sinks: of the session; a recorder among them runs from the first frame to the last.

    Attributes:
        microphone: name or number of the one that the next video has its sound from; None for no sound.
        made: how many videos were ended.
        on_black: whether frames are transparent, of which such videos keep nothing; it is said.
    """

    def __init__(
        self,
        group: SinkGroup,
        say: Callable[[str], None],
        microphone: str | None = None,
        sinks: Sequence[LiveSink] = (),
    ) -> None:
        self._group = group
        self._say = say
        self.microphone = microphone
        self._whole = [sink for sink in sinks if isinstance(sink, Recorder)]
        self._sink: LiveSink | None = None
        self._path = Path()
        self._began_at = 0.0
        self.made = 0
        self.on_black = False

    @property
    def seconds(self) -> float | None:
        """How long the video is that is being recorded; None while there is none, or once it failed."""
        if self._sink is None or self._group.error_of(self._sink):
            return None
        return monotonic() - self._began_at

    @property
    def path(self) -> Path | None:
        """File of the video that is being recorded, or None."""
        return None if self._sink is None else self._path

    @property
    def longest(self) -> float | None:
        """Seconds of the longest video, one of the whole session included; None without one."""
        whole = [sink.seconds for sink in self._whole if not self._group.error_of(sink)]
        videos = [seconds for seconds in (*whole, self.seconds) if seconds is not None]
        return max(videos, default=None)

    def toggle(self, path: Path, size: tuple[int, int], rate: Fraction) -> None:
        """End the video, or begin one; a message says what became of it.

        Args:
            path: of a new video, an .mp4 that does not exist yet.
            size: (width, height) of its frames in pixels.
            rate: nominal frames per second.
        """
        if self._sink is not None:
            self._end(self._sink)
            return
        try:
            sink = open_recorder(path, size, rate, self.microphone)
        except StylizeError as error:
            self._say(str(error))
            return
        except Exception as error:  # whatever it is, the session goes on
            log.debug("a recording failed", exc_info=True)
            self._say(f"no recording: {describe_error(error)}")
            return
        try:
            self._group.add(sink)
        except RuntimeError as error:  # no more threads
            sink.close()
            self._say(f"no recording: {error}")
            return
        self._sink, self._path, self._began_at = sink, path, monotonic()
        more = (" with sound" if self.microphone else "") + (" on black" if self.on_black else "")
        self._say(f"recording {path.name}{more}")

    def _end(self, sink: LiveSink) -> None:
        failed = self._group.error_of(sink)
        self._group.remove(sink)
        self._sink = None
        self.made += 1
        self._say(failed or f"saved {self._path.name}")
