"""How a show is watched and run from elsewhere than its window, such as from a web page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stylize_live.frame import Frame
from stylize_live.live.latency import Percentiles
from stylize_live.live.sink_switches import SinkSwitches
from stylize_live.live.view import LiveStylizer, View


@dataclass(frozen=True, slots=True)
class Figures:
    """How a show runs at a moment.

    Attributes:
        captured, shown, dropped: frames since the start.
        fps: frames shown a second, of the last two seconds.
        latency_ms: ages of the last 120 shown frames by stage, as in `LiveReport`.
        painting: how much is painted, and why not more, in words; "" where that is fixed.
    """

    captured: int
    shown: int
    dropped: int
    fps: float
    latency_ms: Mapping[str, Percentiles]
    painting: str = ""


class LiveSession(Protocol):
    """A live run as a remote sees it. For the thread in which `Remote.attend` is called.

    Attributes:
        view: what can be changed.
        stylizer: what it is set to.
        shown: the frame as it was shown last, without overlay: a new object whenever it changed.
            None before the first one.
        switches: of sinks that can be switched on and off.
    """

    view: View
    stylizer: LiveStylizer
    shown: Frame | None
    switches: SinkSwitches

    @property
    def lines(self) -> int | None:
        """Lines that were asked for, or None for as many as fit; may be set, if `can_resize`."""

    @lines.setter
    def lines(self, wanted: int | None) -> None: ...

    @property
    def can_resize(self) -> bool:
        """Whether the lines can be changed."""

    @property
    def microphone(self) -> str | None:
        """Whose sound recordings have that are begun from now on: a name or number, or None; may be set."""

    @microphone.setter
    def microphone(self, wanted: str | None) -> None: ...

    @property
    def original(self) -> Frame | None:
        """The frame of the source that is shown painted."""

    @property
    def recorded(self) -> float | None:
        """Seconds since a recording began, or None while there is none."""

    @property
    def video(self) -> Path | None:
        """The recording that is being made, or None."""

    @property
    def saved(self) -> int:
        """How many snapshots and recordings were made so far."""

    @property
    def on_record(self) -> float | None:
        """The same, of a recording that lasts as long as the show, too."""

    @property
    def trouble(self) -> str:
        """What the source waits for, or ""."""

    def figures(self, now: float) -> Figures:
        """How it runs at the moment `now`, in monotonic seconds."""


class Remote(Protocol):
    """Whoever watches and runs a show beside its display.

    Attributes:
        watched: whether anybody may be looking. Any thread may ask.
    """

    @property
    def watched(self) -> bool: ...

    def attend(self, show: LiveSession) -> None:
        """Take the frame, obey what was asked. Called by the main thread a hundred times a second."""
