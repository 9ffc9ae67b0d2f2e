"""A session that follows the sound: who listens, in threads of their own, and what is told of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from stylize_live.concurrency.failures import explain_failure
from stylize_live.concurrency.workers import WorkerGroup
from stylize_live.config import LiveSettings
from stylize_live.engine.following import FrameFollower, row_of_styles
from stylize_live.engine.style_set import check_style, naming_option
from stylize_live.engine.timeline import Timeline
from stylize_live.errors import SourceError, UsageError, describe_error
from stylize_live.media.sources.live_source import PlayedSound
from stylize_live.media.sources.microphone import Microphone, check_microphone
from stylize_live.media.sources.opening import names_file
from stylize_live.sound.analysis import HOPS, Samples, SoundAnalyzer, SoundFeatures
from stylize_live.sound.follower import STILL, Movement, SoundFollower
from stylize_live.sound_rules import OFF, rules_of
from stylize_live.wording import option

log = logging.getLogger(__name__)

AUTO, FROM_SOURCE, FROM_MICROPHONE = "auto", "source", "microphone"
_TICK = 0.01  # seconds between two looks at what was heard
_IDLE = 0.5
_FADE = 1.0  # seconds of each change of style
_JUMP = 1.0  # seconds that a file's time may go back by without being heard anew
_LONGEST = 2.0  # seconds that are listened to at once; what is farther behind is passed over
_MOST_SKIPPED = 10.0  # seconds passed over at once, so that whoever switches off does not wait


@dataclass(frozen=True, slots=True)
class SoundChoice:
    """What a session follows.

    Attributes:
        follow: rules as `SoundRules.parse` reads them.
        amount: times which all of it moves, 0 to 2.
        origin: `AUTO`, `FROM_SOURCE`, `FROM_MICROPHONE`, or a microphone's name or number.
        styles: names that follow each other on the beat, parted by commas; None for all.
    """

    follow: str = OFF
    amount: float = 1.0
    origin: str = AUTO
    styles: str | None = None


@dataclass(frozen=True, slots=True)
class SoundFigures:
    """What is heard at a moment.

    Attributes:
        place: what is listened to, for people; "" while nothing is.
        trouble: why nothing is heard, or "".
        heard: the newest features, or None.
        beats: so far.
        seconds: that were listened to.
    """

    place: str = ""
    trouble: str = ""
    heard: SoundFeatures | None = None
    beats: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SoundReport:
    """What a session heard.

    Attributes:
        place: what it listened to last.
        seconds: for which it listened.
        beats: that it found.
        tempo: beats a minute, the median of the time with a steady beat; None without.
        loudness: decibels of full scale, the median of all but silence; None where all was.
    """

    place: str
    seconds: float
    beats: int
    tempo: float | None
    loudness: float | None


@runtime_checkable
class FollowingStylizer(Protocol):
    """A stylizer whose options can follow something, see `Stylizer`."""

    @property
    def followed_style(self) -> str: ...
    def follow(self, follower: FrameFollower | None, styles: Sequence[str] = ()) -> None: ...
    def make_movement_ready(self) -> bool: ...


@runtime_checkable
class PlaysSound(Protocol):
    """A source that may be a file with sound."""

    @property
    def played_sound(self) -> PlayedSound | None: ...


class _Ear(Protocol):
    """What listens.

    Attributes:
        name: for people.
        rate: samples a second.
    """

    name: str
    rate: int

    def take(self, when: float | None) -> Samples:
        """Mono samples heard since the last call, up to a frame's time. Raises `SourceError` at its end."""

    def close(self) -> None: ...


def check_sound(settings: LiveSettings) -> None:
    """See that what is to be followed can be; nothing is opened.

    Raises:
        StyleError: a style that the sound changes to is unknown.
        UsageError: no such microphone, sounddevice is not installed, or a timeline already changes styles.
    """
    with naming_option("sound_styles"):
        for name in () if settings.sound_styles is None else row_of_styles(settings.sound_styles):
            check_style(name)
    rules = rules_of(settings.follow_sound)
    if rules is None:
        return
    if rules.beats and len(Timeline.parse(settings.style).styles) > 1:
        raise UsageError(f"{settings.style}: a timeline changes styles itself, so the sound must not")
    of_file = settings.sound_from == AUTO and names_file(settings.source.strip())
    if not of_file and settings.sound_from != FROM_SOURCE:
        try:
            check_microphone(_microphone_of(settings.sound_from, settings.microphone))
        except UsageError as error:
            raise UsageError(f"{option('follow_sound')} listens to a microphone here: {error}") from None


def choose_sound(settings: LiveSettings, *, changeable: bool = False) -> LiveSound | None:
    """What listens as settings say; None where nothing is to be followed, nor `changeable` later."""
    if rules_of(settings.follow_sound) is None and not changeable:
        return None
    choice = SoundChoice(
        settings.follow_sound, settings.sound_amount, settings.sound_from, settings.sound_styles
    )
    return LiveSound(choice, settings.microphone)


def _microphone_of(origin: str, usual: str | None) -> str:
    """What `Microphone` is to be asked for."""
    if origin == AUTO:
        return usual or "auto"
    return "auto" if origin == FROM_MICROPHONE else origin


class LiveSound:
    """Listens beside a session; the `FrameFollower` of its stylizer, which never waits.

    Args:
        choice: what to begin with.
        microphone: the one that recordings use, for `AUTO`; None for the system's choice.

    Attributes:
        figures: the newest. Any thread may read them.
    """

    waits = False
    fingerprint = "live sound"

    def __init__(self, choice: SoundChoice, microphone: str | None = None) -> None:
        self.choice = choice
        self.figures = SoundFigures()
        self._microphone = microphone
        self._changed = threading.Event()
        self._movement = STILL
        self._when: Fraction | None = None  # of the newest frame
        self._stylizer: FollowingStylizer | None = None
        self._tempos = _Counts()
        self._loudness = _Counts()
        self._heard_from = ""  # what was listened to last

    def change(self, **values: object) -> None:
        """Follow something else from now on, see `SoundChoice`. Any thread may call this."""
        self.choice = replace(self.choice, **values)  # type: ignore[arg-type]
        self._changed.set()

    def at(self, when: Fraction) -> Movement:
        """See `FrameFollower.at`: what is heard now."""
        self._when = when
        return self._movement

    def start(
        self, workers: WorkerGroup, source: object, stylizer: object, say: Callable[[str], None]
    ) -> None:
        """Listen in threads of this group."""
        if isinstance(stylizer, FollowingStylizer):
            self._stylizer = stylizer
            workers.start("sound", lambda: self._listen(workers.stopping, source, stylizer, say))
            workers.start("sound-looks", lambda: self._make_ready(workers.stopping, stylizer))

    @property
    def style(self) -> str:
        """The style that the sound has changed to; "" while the chosen one is shown."""
        return "" if self._stylizer is None else self._stylizer.followed_style

    def close(self) -> None:
        """Wake the threads, which look whether they are to end."""
        self._changed.set()

    @property
    def report(self) -> SoundReport | None:
        """What was heard; None if nobody listened."""
        figures = self.figures
        if not figures.seconds:
            return None
        tempo, loudness = self._tempos.median, self._loudness.median
        return SoundReport(self._heard_from, round(figures.seconds, 3), figures.beats, tempo, loudness)

    def _make_ready(self, stopping: threading.Event, stylizer: FollowingStylizer) -> None:
        while not stopping.is_set():
            if rules_of(self.choice.follow) is None or not stylizer.make_movement_ready():
                stopping.wait(_TICK * 2 if self.figures.place else _IDLE / 5)

    def _listen(
        self,
        stopping: threading.Event,
        source: object,
        stylizer: FollowingStylizer,
        say: Callable[[str], None],
    ) -> None:
        while not stopping.is_set():
            choice, played = self.choice, _path_of(source)
            self._changed.clear()
            try:
                self._follow(choice, stopping, source, stylizer)
            except Exception as error:  # whatever it is, the session goes on, as it was set
                words = describe_error(explain_failure(error, "the sound"))
                log.warning("%s; painting goes on without sound", words)
                log.debug("the sound failed", exc_info=True)
                say(words)
                self.figures = replace(self.figures, place="", trouble=words, heard=None)
                while (self.choice, _path_of(source)) == (choice, played) and not stopping.is_set():
                    self._changed.wait(_IDLE)
            finally:
                self._movement = STILL

    def _follow(
        self,
        choice: SoundChoice,
        stopping: threading.Event,
        source: object,
        stylizer: FollowingStylizer,
    ) -> None:
        """Follow a choice until another one comes with another sound. Raises what goes wrong."""
        rules = rules_of(choice.follow)
        if rules is None:
            self.figures = replace(self.figures, place="", trouble="", heard=None)
            stylizer.follow(None)
            while self.choice == choice and not stopping.is_set():
                self._changed.wait(_IDLE)
            return
        ear = self._open(choice, source)
        try:
            self.figures, self._heard_from = replace(self.figures, place=ear.name, trouble=""), ear.name
            follower = SoundFollower(rules, choice.amount, _FADE)
            stylizer.follow(self, row_of_styles(choice.styles) if rules.beats else ())
            self._hear(ear, follower, choice, stopping, source)
        except BaseException:
            stylizer.follow(None)
            raise
        finally:
            ear.close()
        if stopping.is_set():
            stylizer.follow(None)  # whose it is may paint on with it

    def _hear(
        self,
        ear: _Ear,
        follower: SoundFollower,
        choice: SoundChoice,
        stopping: threading.Event,
        source: object,
    ) -> None:
        analyzer = SoundAnalyzer(ear.rate)
        played = _path_of(source)
        while not stopping.is_set() and _path_of(source) == played:
            wanted = self.choice
            if wanted != choice:
                rules = rules_of(wanted.follow)
                now = (choice.origin, choice.styles, bool(follower.changes_styles))
                if rules is None or now != (wanted.origin, wanted.styles, bool(rules.beats)):
                    return
                follower, choice = SoundFollower(rules, wanted.amount, _FADE, follower), wanted
            samples = ear.take(None if self._when is None else float(self._when))
            for heard in analyzer.feed(samples):
                self._movement = follower(heard)
                self._note(heard)
            stopping.wait(_TICK)

    def _note(self, heard: SoundFeatures) -> None:
        figures = self.figures
        beats, seconds = figures.beats + heard.beat, figures.seconds + 1 / HOPS
        self.figures = replace(figures, heard=heard, beats=beats, seconds=seconds)
        if heard.tempo:
            self._tempos.add(heard.tempo)
        if heard.loudness > -70:
            self._loudness.add(heard.loudness)

    def _open(self, choice: SoundChoice, source: object) -> _Ear:
        """What listens. Raises `StylizeError` where there is nothing to listen to."""
        played = source.played_sound if isinstance(source, PlaysSound) else None
        if choice.origin == FROM_SOURCE or (choice.origin == AUTO and played is not None):
            if played is None or not isinstance(source, PlaysSound):
                raise SourceError("the source is no file whose sound can be followed; a microphone can")
            return _FileEar(source, played.path)
        return _MicrophoneEar(_microphone_of(choice.origin, self._microphone))


def _path_of(source: object) -> Path | None:
    """The file that a source plays, or None."""
    played = source.played_sound if isinstance(source, PlaysSound) else None
    return None if played is None else played.path


class _MicrophoneEar:
    def __init__(self, wanted: str) -> None:
        self._microphone = Microphone(wanted)
        self.name, self.rate = self._microphone.name, self._microphone.rate

    def take(self, when: float | None) -> Samples:
        """See `_Ear.take`."""
        chunks = self._microphone.take()
        if not chunks and not self._microphone.working:
            raise SourceError(f"{self.name} is gone")
        return np.concatenate([chunk.samples.mean(1) for chunk in chunks] or [np.zeros(0, np.float32)])

    def close(self) -> None:
        """Give the microphone back."""
        self._microphone.close()


class _FileEar:
    """Hears a file as far as its frames are shown."""

    def __init__(self, source: PlaysSound, path: Path) -> None:
        from stylize_live.media.decode.sound import RATE, has_sound

        if not has_sound(path):
            raise SourceError(f"{path.name} has no sound to follow")
        self.name, self.rate = f"sound of {path.name}", RATE
        self._source, self._path = source, path
        self._samples: Iterator[Samples] = iter(())
        self._rest: Samples = np.zeros(0, np.float32)
        self._place: float | None = None  # seconds that were read
        self._begun: Fraction | None = None  # see `PlayedSound.begin`

    def take(self, when: float | None) -> Samples:
        """See `_Ear.take`: silence behind its end, and while nothing is shown."""
        played = self._source.played_sound
        if when is None or played is None or played.path != self._path:
            return self._rest[:0]
        time = max(0.0, when - float(played.begin))
        if self._place is None or self._begun != played.begin or time < self._place - _JUMP:
            self._begin(played)
        assert self._place is not None
        if time - self._place > _LONGEST:  # begun in the middle of a film, or paused: that is past
            self._read(min(time - _JUMP - self._place, _MOST_SKIPPED))
            return self._rest[:0]
        return self._read(time - self._place)

    def _read(self, seconds: float) -> Samples:
        assert self._place is not None
        count = max(0, round(seconds * self.rate))
        parts, missing = [self._rest], count - len(self._rest)
        while missing > 0:
            more = next(self._samples, None)
            parts.append(np.zeros(missing, np.float32) if more is None else more)
            missing -= len(parts[-1])
        samples = np.concatenate(parts)
        self._rest = samples[count:]
        self._place += count / self.rate
        return samples[:count]

    def _begin(self, played: PlayedSound) -> None:
        from stylize_live.media.decode.sound import read_sound

        self.close()
        self._samples, self._begun = read_sound(self._path, played.origin), played.begin
        self._rest, self._place = self._rest[:0], 0.0

    def close(self) -> None:
        """Close the file."""
        closing = getattr(self._samples, "close", None)
        if closing is not None:
            closing()


class _Counts:
    """How often whole numbers came; their median, whatever the length of a session."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, value: float) -> None:
        number = round(value)
        self._counts[number] = self._counts.get(number, 0) + 1

    @property
    def median(self) -> float | None:
        """None before the first."""
        left = sum(self._counts.values()) / 2
        for number, count in sorted(self._counts.copy().items()):
            left -= count
            if left <= 0:
                return float(number)
        return None
