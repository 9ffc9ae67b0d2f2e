"""What all live sources share: their pace, and how they are made to stop."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, repeat
from typing import TYPE_CHECKING

from stylize_live.errors import SourceError
from stylize_live.frame import Frame
from stylize_live.lifecycle import Closeable
from stylize_live.system.clock import monotonic

if TYPE_CHECKING:
    from pathlib import Path

    from stylize_live.media.sources.devices import Camera

log = logging.getLogger(__name__)

_RELEASE_SECONDS = 0.5
_BACK_OFF = (0.25, 0.5, 1.0, 2.0)  # the last one again and again
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class PlayedSound:
    """Where the sound of a file that is played lies.

    Attributes:
        path: of the file.
        begin: time of its frames, in seconds, at which it began this time.
        origin: seconds of the file's own clock at that time.
    """

    path: Path
    begin: Fraction
    origin: Fraction


class LiveSource(Closeable, ABC):
    """A `Source` that can be asked to stop from any thread, even while it waits.

    Subclasses touch their device only while they hold `_device_lock`, and wait only with `_wait`.

    Attributes:
        size: (width, height) of frames in pixels.
        rate: nominal frames per second, or None when unknown.
        is_live: True; frames come at their own pace.
        flows: whether frames are lost if nobody takes them; those of a file wait.
        camera: the one that frames come from, or None.
        trouble: what the source is waiting for, to be shown to the user; None while all is well.
    """

    is_live = True
    flows = True
    camera: Camera | None = None

    def __init__(self, size: tuple[int, int], rate: Fraction | None) -> None:
        self.size = size
        self.rate = rate
        self.trouble: str | None = None
        self._ending = threading.Event()
        self._device_lock = threading.Lock()
        self._released = False

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Frames until the input ends or `interrupt` is called. Raises `SourceError` when it breaks."""

    @abstractmethod
    def _release(self) -> None:
        """Give the device back. Called once, with the lock held."""

    def _wait(self, seconds: float) -> bool:
        """Wait; False when asked to stop."""
        return not self._ending.wait(max(0.0, seconds))

    def _reconnect(self, who: str, reopen: Callable[[], bool]) -> None:
        """Wait until a source that broke off is back or we are asked to stop; `trouble` says so meanwhile.

        Args:
            who: what to call it.
            reopen: tries once; whether that worked.

        Raises:
            SourceError: it did not come back for a minute.
        """
        self.trouble = f"{who} is gone, waiting for it"
        give_up = monotonic() + _PATIENCE_SECONDS
        for delay in chain(_BACK_OFF, repeat(_BACK_OFF[-1])):
            if not self._wait(delay) or reopen():
                self.trouble = None
                return
            if monotonic() > give_up:
                raise SourceError(f"{who} vanished and did not come back")

    @property
    def played_sound(self) -> PlayedSound | None:
        """The sound of the file that is played, or None for all that is no file."""
        return None

    @property
    def in_device(self) -> bool:
        """Whether a thread is inside the device now, from where it may not come back."""
        return self._device_lock.locked()

    def interrupt(self) -> None:
        """Ask the iteration to end soon. Any thread may call this at any time."""
        self._ending.set()

    def close(self) -> None:
        """End the iteration and release the device. Any thread may call this, more than once.

        A device that hangs in its driver is left to the operating system: releasing it while
        another thread is inside would crash the process.
        """
        self._ending.set()
        if not self._device_lock.acquire(timeout=_RELEASE_SECONDS):
            log.warning("%s does not answer and was not released", type(self).__name__)
            return
        try:
            if not self._released:
                self._released = True
                self._release()
        finally:
            self._device_lock.release()


class Metronome:
    """Evenly spaced moments that keep their phase: a late tick does not shift those after it.

    Args:
        fps: ticks per second.
        ending: when set, the iteration ends.
    """

    def __init__(self, fps: int, ending: threading.Event) -> None:
        self._fps = fps
        self._ending = ending

    def __iter__(self) -> Iterator[int]:
        """Numbers of ticks, each at its time; those that were missed are left out."""
        start = monotonic()
        tick = 0
        while not self._ending.wait(max(0.0, start + tick / self._fps - monotonic())):
            yield tick
            tick = max(tick + 1, int((monotonic() - start) * self._fps))
