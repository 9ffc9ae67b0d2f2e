"""How a session is watched and controlled from outside its window, such as from a web page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stylize_live.frame import Frame
from stylize_live.live.latency import Percentiles
from stylize_live.live.learning import LiveLearning
from stylize_live.live.sink_switches import SinkSwitches
from stylize_live.live.sound import LiveSound
from stylize_live.live.view import LiveStylizer, View


@dataclass(frozen=True, slots=True)
class Figures:
    """How a session runs at a moment.

    Attributes:
        captured, shown, dropped: frames since the start.
        fps: frames shown a second, of the last two seconds.
        latency_ms: ages of the last 120 shown frames by stage, as in `LiveReport`.
        painting: how much is painted, and why not more, in words; "" where that is fixed.
        size: the same in a few words.
    """

    captured: int
    shown: int
    dropped: int
    fps: float
    latency_ms: Mapping[str, Percentiles]
    painting: str = ""
    size: str = ""


class LiveSession(Protocol):
    """A live run as a remote sees it. For the thread in which `Remote.attend` is called.

    Attributes:
        view: what can be changed.
        stylizer: its options as they are set.
        switches: of sinks that can be switched on and off.
        sound: what is followed, or None where nothing can be.
        learning: what learns the painting, or None where nothing can.
    """

    view: View
    stylizer: LiveStylizer
    switches: SinkSwitches
    sound: LiveSound | None
    learning: LiveLearning | None

    @property
    def shown(self) -> Frame | None:
        """The frame as it was shown last, without overlay: a new object whenever it changed; None before
        the first one."""

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
        """Microphone of recordings begun from now on: its name or number, or None; may be set."""

    @microphone.setter
    def microphone(self, wanted: str | None) -> None: ...

    @property
    def original(self) -> Frame | None:
        """The source's frame whose painting is shown."""

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
        """Seconds since the longest recording began, one of the whole session included; None without one."""

    @property
    def trouble(self) -> str:
        """What the source waits for, or ""."""

    def figures(self, now: float) -> Figures:
        """How it runs at the moment `now`, in monotonic seconds."""


class Remote(Protocol):
    """Watches and controls a session beside its display.

    Attributes:
        watched: whether anybody may be looking. Any thread may ask.
        shows: whether it shows frames, to whoever comes; a session goes on for it where all sinks failed.
    """

    shows: bool

    @property
    def watched(self) -> bool: ...

    def attend(self, session: LiveSession) -> None:
        """Take the newest frame and apply what was asked. The main thread calls it 100 times a second."""
