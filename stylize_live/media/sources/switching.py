"""A source that turns into another one while the show runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from stylize_live.errors import SourceError
from stylize_live.frame import Frame
from stylize_live.lifecycle import Closeable
from stylize_live.media.sources.devices import Camera
from stylize_live.media.sources.live_source import LiveSource, PlayedSound

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """A source that can be chosen.

    Attributes:
        name: for people.
        open: opens it; raises `StylizeError` where it cannot.
    """

    name: str
    open: Callable[[], LiveSource]


class SwitchingSource(Closeable):
    """A `Source` that can be changed from any thread, and that outlives what it shows.

    A video that ends begins anew. A source that breaks is named in `trouble` until another one is chosen,
    or the same one again. Frames keep counting, whatever they come from; sizes may change.

    Args:
        source: is open, and closed by us.
        choice: what it is; opened again where a video has ended.

    Attributes:
        is_live: True; frames come at their own pace.
    """

    is_live = True

    def __init__(self, source: LiveSource, choice: SourceChoice) -> None:
        self._source = source
        self._choice = choice
        self._requested: SourceChoice | None = None
        self._failure: str | None = None
        self._changed = threading.Condition()
        self._ended = False

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of frames in pixels, for now."""
        return self._source.size

    @property
    def flows(self) -> bool:
        """Whether frames are lost if nobody takes them, for now."""
        return self._source.flows

    @property
    def rate(self) -> Fraction | None:
        """Nominal frames per second, for now, or None when unknown."""
        return self._source.rate

    @property
    def camera(self) -> Camera | None:
        """The camera that frames come from, for now, or None."""
        return self._source.camera

    @property
    def played_sound(self) -> PlayedSound | None:
        """See `LiveSource.played_sound`, for now."""
        return self._source.played_sound

    @property
    def name(self) -> str:
        """What is shown, or is being opened."""
        return (self._requested or self._choice).name

    @property
    def trouble(self) -> str | None:
        """What the source waits for, or why there are no frames, to be shown; None while all is well."""
        requested = self._requested
        return f"opening {requested.name}" if requested else self._failure or self._source.trouble

    @property
    def failed(self) -> bool:
        """Whether what was chosen gives no frames, and nothing else is being opened."""
        return self._failure is not None and self._requested is None

    @property
    def in_device(self) -> bool:
        """Whether a thread is inside the device now, from where it may not come back."""
        return self._source.in_device

    def switch(self, choice: SourceChoice) -> None:
        """Show something else soon. Where that cannot be opened, `trouble` says why."""
        with self._changed:
            self._requested = choice
            self._source.interrupt()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        try:
            while not self._ended:
                shown = False
                for frame in self._frames():
                    shown = True
                    yield replace(frame, index=index)
                    index += 1
                self._go_on(shown)
        finally:
            self._source.close()  # it may have been opened after our own `close`

    def _frames(self) -> Iterator[Frame]:
        try:
            yield from self._source
        except SourceError as error:
            log.warning("%s", error)
            self._failure = str(error)

    def _go_on(self, shown: bool) -> None:
        """Open what was chosen, or the same again where a video ended; wait where there is neither."""
        self._source.close()
        with self._changed:
            if self._requested is None and not shown and self._failure is None:
                self._failure = f"{self._choice.name} gives no frames"
            while self._failure is not None and self._requested is None and not self._ended:
                self._changed.wait()
            requested = self._requested or self._choice
        if not self._ended:
            self._open(requested)

    def _open(self, choice: SourceChoice) -> None:
        source: LiveSource | None = None
        failure: str | None = None
        try:
            source = choice.open()
        except SourceError as error:
            log.warning("%s", error)
            failure = str(error)
        with self._changed:
            if source is not None:
                self._source = source
            self._choice, self._failure = choice, failure
            if self._requested is choice:
                self._requested = None
            if self._requested is not None or self._ended:  # came while this one was opened
                self._source.interrupt()

    def interrupt(self) -> None:
        """Ask the iteration to end soon. Any thread may call this at any time."""
        with self._changed:
            self._ended = True
            self._source.interrupt()
            self._changed.notify_all()

    def close(self) -> None:
        """End the iteration and release the device. Any thread may call this, more than once."""
        self.interrupt()
        self._source.close()
