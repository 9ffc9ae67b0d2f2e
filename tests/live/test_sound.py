"""A show that follows the sound: a fake microphone, a real file, and what becomes of either's end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import Video
from fake_sounddevice import NAME, RATE, FakeSystem
from live_fakes import SIZE, FakeDisplay, FakeSource, FakeStylizer
from synthetic_sound import make_band, make_noise
from waiting import eventually

from stylize_live.cli.app import main
from stylize_live.config import LiveSettings
from stylize_live.engine.following import FrameFollower
from stylize_live.errors import StyleError, UsageError
from stylize_live.frame import Frame
from stylize_live.install_hints import install_command
from stylize_live.live.pipeline import run_live
from stylize_live.live.report import LiveReport
from stylize_live.live.sound import (
    FROM_SOURCE,
    LiveSound,
    SoundChoice,
    _FileEar,
    check_sound,
    choose_sound,
)
from stylize_live.media.decode import sound as sound_reader
from stylize_live.media.sinks.recorder import open_recorder
from stylize_live.media.sources.live_source import PlayedSound
from stylize_live.media.sources.microphone import Microphone
from stylize_live.media.sources.realtime_file import open_file
from stylize_live.sound.follower import STILL, Movement


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> FakeSystem:
    return FakeSystem(monkeypatch)


class Follower(FakeStylizer):
    """Remembers what it follows, and the movement of the newest frame."""

    def __init__(self) -> None:
        super().__init__()
        self.followed: list[tuple[FrameFollower | None, Sequence[str]]] = []
        self.movement = STILL
        self.most = 0.0

    followed_style = ""

    def follow(self, follower: FrameFollower | None, styles: Sequence[str] = ()) -> None:
        self.followed.append((follower, styles))

    def make_movement_ready(self) -> bool:
        return False

    def __call__(self, frame: Frame, /) -> Frame:
        follower = self.followed[-1][0] if self.followed else None
        self.movement = STILL if follower is None else follower.at(frame.pts)
        self.most = max(self.most, *map(abs, [0.0, *self.movement.offsets.values()]))
        return super().__call__(frame)


class Show:
    """A show in a thread of its own, for as long as the block lasts."""

    def __init__(self, sound: LiveSound) -> None:
        self.sound, self.stylizer = sound, Follower()
        self.notes: list[str] = []
        self.report: LiveReport | None = None


@contextmanager
def showing(sound: LiveSound, source: Any = None) -> Iterator[Show]:
    show, ended = Show(sound), threading.Event()

    def poll(display: FakeDisplay) -> str | None:
        show.notes += [caption.note for caption in display.captions if caption.note]
        display.captions.clear()
        return "q" if ended.is_set() else None

    def run() -> None:
        with source or FakeSource(10**6) as opened:
            show.report = run_live(opened, show.stylizer, FakeDisplay(poll), sound=sound)

    thread = threading.Thread(target=run, name="stylize-test-show")
    thread.start()
    try:
        yield show
    finally:
        ended.set()
        thread.join(10)


def listening(**choice: Any) -> LiveSound:
    return LiveSound(SoundChoice(**{"follow": "level:strength:-0.5:0.05:0.3", **choice}))


def quiet_then_loud() -> np.ndarray:
    return np.concatenate([make_noise(3, 0.01, RATE), make_noise(1, 0.2, RATE)])


def test_a_microphone_moves_what_is_painted(system: FakeSystem) -> None:
    with showing(listening()) as show:
        eventually(lambda: system.streams and show.sound.figures.place == NAME)
        system.hear(quiet_then_loud())
        eventually(lambda: show.sound.figures.seconds > 3.9)
        eventually(lambda: show.stylizer.movement.offsets.get("strength", 0) < -0.3)
        assert show.stylizer.followed == [(show.sound, ())]
        assert system.streams[0].closed == 0
    assert show.stylizer.followed[-1][0] is None
    assert [stream.closed for stream in system.streams] == [1]
    assert show.report is not None
    assert show.report.sound is not None
    assert show.report.sound.place == NAME
    assert show.report.sound.seconds == pytest.approx(4, abs=0.1)
    assert show.report.as_dict()["sound"]["loudness"] == pytest.approx(-40, abs=3)  # type: ignore[index]


def test_beats_and_tempo_are_told(system: FakeSystem) -> None:
    with showing(listening(follow="beat:style:4", styles="starry-night,great-wave")) as show:
        eventually(lambda: bool(system.streams))
        system.hear(make_band(120, 9, RATE)[0])
        eventually(lambda: show.sound.figures.seconds > 8.9)
        eventually(lambda: show.stylizer.movement.changes >= 1)
        assert show.stylizer.followed == [(show.sound, ["starry-night", "great-wave"])]
    assert show.report is not None
    assert show.report.sound is not None
    assert show.report.sound.tempo == pytest.approx(120, abs=2)
    assert show.report.sound.beats > 8


def test_a_microphone_that_vanishes_ends_nothing(
    system: FakeSystem, caplog: pytest.LogCaptureFixture
) -> None:
    with showing(listening()) as show:
        eventually(lambda: bool(system.streams))
        system.hear(quiet_then_loud())
        eventually(lambda: show.stylizer.most > 0.2)
        system.unplug()
        eventually(lambda: show.sound.figures.trouble == f"{NAME} is gone")
        assert show.stylizer.followed[-1] == (None, ())
        before = len(show.stylizer.painted)
        eventually(lambda: len(show.stylizer.painted) > before + 3)
        assert show.stylizer.movement == STILL
        eventually(lambda: f"{NAME} is gone" in show.notes)
        show.sound.change(amount=0.5)  # whoever changes something tries again
        eventually(lambda: len(system.streams) == 2 and show.sound.figures.trouble == "")
        system.unplug()
        eventually(lambda: show.sound.figures.trouble == f"{NAME} is gone")
    assert show.report is not None
    assert show.report.sound is not None
    assert show.report.sound.place == NAME  # where it was heard, though nothing is any more
    gone = f"{NAME} is gone; painting goes on without sound"
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [gone] * 2


def test_one_that_cannot_be_opened_is_a_note(system: FakeSystem) -> None:
    system.busy = True
    with showing(listening()) as show:
        eventually(lambda: "Device unavailable" in show.sound.figures.trouble)
        eventually(lambda: show.stylizer.painted)
    assert show.report is not None
    assert show.report.sound is None


def test_rules_change_without_a_new_device_or_a_jump(system: FakeSystem) -> None:
    with showing(listening()) as show:
        eventually(lambda: bool(system.streams))
        system.hear(quiet_then_loud())
        eventually(lambda: show.sound.figures.seconds > 3.9)
        moved = show.sound.at(Fraction(0)).offsets["strength"]
        show.sound.change(follow="level:strength:-0.5:0.05:0.3,bass:stroke")
        system.hear(make_noise(0.05, 0.2, RATE))
        eventually(lambda: "stroke" in show.sound.at(Fraction(0)).offsets)
        assert show.sound.at(Fraction(0)).offsets["strength"] == pytest.approx(moved, abs=0.1)
        show.sound.change(amount=0.0)
        system.hear(make_noise(0.05, 0.2, RATE))
        eventually(lambda: set(show.sound.at(Fraction(0)).offsets.values()) == {0.0})
        assert len(system.streams) == len(show.stylizer.followed) == 1
        show.sound.change(follow="off")
        eventually(lambda: system.streams[0].closed == 1)
        eventually(lambda: show.stylizer.followed[-1] == (None, ()))
        show.sound.change(follow="bass:strength")
        eventually(lambda: len(system.streams) == 2)


def test_what_is_off_opens_nothing(system: FakeSystem) -> None:
    with showing(listening(follow="off")) as show:
        eventually(lambda: len(show.stylizer.painted) > 3)
    assert not system.streams
    assert show.report is not None
    assert show.report.sound is None


def test_a_stylizer_that_follows_nothing_is_left_alone(system: FakeSystem) -> None:
    report = run_live(FakeSource(3), FakeStylizer(), FakeDisplay(), sound=listening())
    assert (report.sound, system.streams) == (None, [])


def test_the_pattern_has_no_sound_of_its_own(system: FakeSystem) -> None:
    with showing(listening(origin=FROM_SOURCE)) as show:
        eventually(lambda: "no file" in show.sound.figures.trouble)
    assert not system.streams


# ------------------------------------------------------------------ one device for all


def test_a_device_is_opened_once_for_all_who_listen(system: FakeSystem) -> None:
    with Microphone("auto") as first:
        with Microphone("0") as second:
            system.hear(make_noise(0.02, 0.1, RATE))
            heard = [np.concatenate([chunk.samples for chunk in one.take()]) for one in (first, second)]
            np.testing.assert_array_equal(*heard)
            assert len(heard[0]) == 0.02 * RATE
        assert first.working
        system.hear(make_noise(0.01, 0.1, RATE))
        assert len(first.take()) == 1
        second.close()  # a second time
        assert first.working
    assert [stream.closed for stream in system.streams] == [1]


def test_one_that_is_back_is_opened_again_while_the_old_one_is_held(system: FakeSystem) -> None:
    with Microphone("auto") as first:
        system.unplug()
        with Microphone("auto") as second:
            assert (first.working, second.working) == (False, True)
            first.close()
            assert second.working
    assert all(stream.closed for stream in system.streams)


def test_recording_and_following_share_it(system: FakeSystem, tmp_path: Path) -> None:
    recorder = open_recorder(tmp_path / "a.mkv", SIZE, Fraction(30), "auto")
    with recorder, showing(listening()) as show:
        eventually(lambda: show.sound.figures.place == NAME)
        system.hear(quiet_then_loud())
        eventually(lambda: show.sound.figures.seconds > 3.9)
        assert len(system.streams) == 1


# ------------------------------------------------------------------ the sound of a file


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ticks = tuple(1000 * number for number in range(60))
    path = tmp_path_factory.mktemp("sound") / "loud.mp4"
    samples = np.concatenate([make_noise(1, 0.01, RATE), make_noise(1, 0.3, RATE)])
    return Video(ticks, sound="aac", samples=samples, rate=Fraction(30)).write(path)


def test_a_file_is_heard_as_it_is_shown(video: Path, system: FakeSystem) -> None:
    with showing(listening(), open_file(video)) as show:
        eventually(lambda: show.report is not None)
    assert show.report is not None
    assert show.report.sound is not None
    assert show.report.sound.place == f"sound of {video.name}"
    assert 1.0 < show.report.sound.seconds < 2.2
    assert not system.streams


class Played:
    """A source that plays a file; `begin` is when it began this time."""

    def __init__(self, path: Path) -> None:
        self.path, self.begin = path, Fraction(0)

    @property
    def played_sound(self) -> PlayedSound | None:
        return PlayedSound(self.path, self.begin, Fraction(0))


def test_a_file_is_heard_up_to_its_newest_frame_and_again_when_it_begins_anew(video: Path) -> None:
    whole = np.concatenate(list(sound_reader.read_sound(video)))
    source = Played(video)
    ear = _FileEar(source, video)
    assert len(ear.take(None)) == 0
    parts = [ear.take(when) for when in (0.0, 0.1, 0.1, 0.7, 0.65, 1.5)]
    heard = np.concatenate(parts)
    np.testing.assert_array_equal(heard, whole[: round(1.5 * sound_reader.RATE)])
    rest = np.concatenate([ear.take(3.4), ear.take(4.0)])
    assert len(rest) == 2.5 * sound_reader.RATE
    assert not rest[-sound_reader.RATE :].any()
    source.begin = Fraction(2)
    np.testing.assert_array_equal(ear.take(2.1), whole[: round(0.1 * sound_reader.RATE)])
    source.begin = Fraction(21, 10)  # a loop of a tenth of a second
    np.testing.assert_array_equal(ear.take(2.15), whole[: round(0.05 * sound_reader.RATE)])
    ear.close()


def test_whoever_listens_in_the_middle_of_a_file_hears_nothing_of_before(
    monkeypatch: pytest.MonkeyPatch, video: Path
) -> None:
    """The music of an hour, ten times as fast, would have painting flicker until it is heard."""
    track = np.arange(60 * sound_reader.RATE, dtype=np.float32)
    monkeypatch.setattr(sound_reader, "read_sound", lambda path, origin: iter(np.split(track, 240)))
    ear = _FileEar(Played(video), video)
    heard = [ear.take(when) for when in (50.0, *[50 + number / 100 for number in range(20)])]
    assert max(map(len, heard)) <= 2 * sound_reader.RATE
    samples = np.concatenate(heard)
    assert 1 < len(samples) / sound_reader.RATE <= 2
    assert (np.diff(samples) == 1).all()
    assert samples[-1] == pytest.approx(50.19 * sound_reader.RATE, abs=20)
    ear.close()


def test_a_looped_file_says_when_it_begins(video: Path) -> None:
    with open_file(video, loop=True) as source:
        begins = set()
        for frame in source._inner:  # type: ignore[attr-defined]
            assert source.played_sound is not None
            begins.add(source.played_sound.begin)
            if frame.index == 61:
                break
    assert begins == {Fraction(0), Fraction(2)}


def test_a_silent_file_is_a_note(tmp_path: Path) -> None:
    silent = Video().write(tmp_path / "silent.mp4")
    with showing(listening(), open_file(silent, loop=True)) as show:
        eventually(lambda: show.sound.figures.trouble == "silent.mp4 has no sound to follow")


def test_another_source_is_tried_anew(tmp_path: Path, system: FakeSystem) -> None:
    silent = Video().write(tmp_path / "silent.mp4")

    class Changing(FakeSource):
        played_sound: PlayedSound | None = PlayedSound(silent, Fraction(0), Fraction(0))

    source = Changing(10**6)
    with showing(listening(), source) as show:
        eventually(lambda: "no sound to follow" in show.sound.figures.trouble)
        source.played_sound = None
        eventually(lambda: show.sound.figures.place == NAME)


# ------------------------------------------------------------------ what is said before anything is opened


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        (
            {"sound_from": "headset"},
            UsageError,
            "^follow_sound listens to a microphone here: 'headset' does not name one microphone",
        ),
        ({"sound_styles": "starry-night,nothing"}, StyleError, "^sound_styles: unknown style"),
        (
            {"follow_sound": "beat:style", "style": "0:starry-night,5:great-wave"},
            UsageError,
            "a timeline changes styles itself",
        ),
    ],
)
def test_what_cannot_be_followed(
    system: FakeSystem,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    error: type[Exception],
    words: str,
) -> None:
    def only_by_number(which: Any = None, kind: Any = None) -> Any:
        if which == "headset":
            raise ValueError(which)
        return devices(which, kind)

    import sounddevice

    devices: Callable[..., Any] = sounddevice.query_devices
    monkeypatch.setattr(sounddevice, "query_devices", only_by_number)
    with pytest.raises(error, match=words):
        check_sound(LiveSettings.model_validate({"follow_sound": "auto", **settings}))
    assert not system.streams


def test_nothing_listens_unless_it_is_asked_for() -> None:
    assert choose_sound(LiveSettings()) is None
    sound = choose_sound(LiveSettings(), changeable=True)
    assert sound is not None
    assert sound.choice == SoundChoice()


def test_without_sounddevice(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", None)
    code = main(["live", "--source", "test", "--no-window", "--follow-sound", "--duration", "1"])
    assert code == UsageError.exit_code
    (line,) = capsys.readouterr().err.splitlines()
    assert install_command("sounddevice") in line


def test_a_movement_of_nothing_is_a_movement() -> None:
    assert LiveSound(SoundChoice()).at(Fraction(1)) == Movement()
