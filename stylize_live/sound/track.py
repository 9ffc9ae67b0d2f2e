"""Movements along a sound that is there from its beginning, such as a video's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from stylize_live.sound.analysis import HOPS, Samples, SoundAnalyzer, SoundFeatures
from stylize_live.sound.follower import Movement, SoundFollower


class TrackFollower:
    """Gives each moment of a track its movement: a function of the time alone, whatever was asked before.

    All is heard from the beginning on, as it is needed, and nothing is kept of it. Going on costs what is
    heard in between, about a hundredth of its length; going back begins anew.

    Args:
        open_sound: gives the samples from time 0 on, mono, in chunks; called whenever it begins anew.
        rate: samples a second.
        make_follower: makes what follows them.
        begin: time of the track at which `at` has its 0, in seconds.
        fingerprint: names all that movements depend on beside the sound.

    Attributes:
        waits: True: the same moment always moves the same.
        heard: what was heard last, or None before the first moment.
    """

    waits = True

    def __init__(
        self,
        open_sound: Callable[[], Iterable[Samples]],
        rate: int,
        make_follower: Callable[[], SoundFollower],
        begin: Fraction = Fraction(0),
        fingerprint: str = "",
    ) -> None:
        self._open, self._rate, self._make = open_sound, rate, make_follower
        self._begin = begin
        self.fingerprint = f"{fingerprint} from {begin}"
        self.heard: SoundFeatures | None = None
        self._features: Iterator[SoundFeatures] = iter(())
        self._next: SoundFeatures | None = None
        self._end = 0.0  # of what was heard, once all was
        self._time = -1.0
        self._follower = make_follower()

    def at(self, when: Fraction) -> Movement:
        """The movement at a time in seconds. Raises what `open_sound` and its samples raise."""
        time = float(when + self._begin)
        if self._time < 0 or time < self._time:
            self._start()
        self._time = max(0.0, time)
        while self._next is not None and self._next.time <= time:
            self._follower(self._next)
            self.heard, self._end = self._next, self._next.time
            self._next = next(self._features, None)
        if self._next is None:
            self._rest(time)
        return self._follower.movement

    def _start(self) -> None:
        analyzer = SoundAnalyzer(self._rate)
        self._features = (one for chunk in self._open() for one in analyzer.feed(chunk))
        self._next = next(self._features, None)
        self._follower, self.heard, self._end = self._make(), None, 0.0

    def _rest(self, time: float) -> None:
        """Behind the end of the sound, everything goes back to where it was."""
        while self._end + 1 / HOPS <= time and not self._follower.rests:
            self._follower.rest()
            self._end += 1 / HOPS
