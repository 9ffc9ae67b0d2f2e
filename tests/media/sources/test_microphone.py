"""The microphone in recordings: a fake system, a real encoder, and sound found where its frame is."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from live_fakes import FakeDisplay, FakeSource, FakeStylizer, keys

from stylize_live.cli.app import main
from stylize_live.errors import SourceError, UsageError
from stylize_live.frame import Frame
from stylize_live.install_hints import install_command
from stylize_live.live.pipeline import run_live
from stylize_live.media.encode.audio_encoder import SoundEncoder
from stylize_live.media.libraries import av
from stylize_live.media.sinks.recorder import Recorder, open_recorder
from stylize_live.media.sources.microphone import Microphone

SIZE = (64, 48)
RATE = 48_000
BUILT_IN = {
    "index": 0,
    "name": "Built-in Microphone",
    "max_input_channels": 2,
    "default_samplerate": 48000.0,
    "hostapi": 0,
}
HEADSET = {
    "index": 3,
    "name": "USB Headset",
    "max_input_channels": 1,
    "default_samplerate": 44100.0,
    "hostapi": 0,
}
SPEAKER = {
    "index": 4,
    "name": "Speaker",
    "max_input_channels": 0,
    "default_samplerate": 48000.0,
    "hostapi": 0,
}


class PortAudioError(Exception):
    """As sounddevice's."""


class FakeStream:
    """What sounddevice calls an InputStream; `hear` is the system."""

    opened: ClassVar[list[FakeStream]] = []
    busy = False

    def __init__(
        self,
        *,
        device: int,
        samplerate: int,
        channels: int,
        dtype: str,
        callback: Any,
        extra_settings: object = None,
    ) -> None:
        if FakeStream.busy:
            raise PortAudioError("Device unavailable")
        self.asked = (device, samplerate, channels, dtype)
        self.extra_settings = extra_settings
        self._callback = callback
        self.active = False
        self.closed = 0
        FakeStream.opened.append(self)

    def start(self) -> None:
        self.active = True

    def close(self) -> None:
        self.active = False
        self.closed += 1

    def hear(self, samples: np.ndarray, age: float = 0.0) -> None:
        self._callback(samples, len(samples), SimpleNamespace(currentTime=age, inputBufferAdcTime=0.0), None)


def query_devices(which: int | str | None = None, kind: str | None = None) -> Any:
    devices = [BUILT_IN, HEADSET, SPEAKER]
    if kind is None:
        return devices
    if which is None:
        return BUILT_IN
    for device in devices:
        if which == device["index"] or (
            isinstance(which, str) and which.lower() in str(device["name"]).lower()
        ):
            return device
    raise ValueError(f"No input device matching {which!r}")


@pytest.fixture(autouse=True)
def system(monkeypatch: pytest.MonkeyPatch) -> type[FakeStream]:
    """A system with two microphones."""
    module = ModuleType("sounddevice")
    vars(module).update(InputStream=FakeStream, query_devices=query_devices, PortAudioError=PortAudioError)
    vars(module).update(query_hostapis=lambda: ({"name": "ALSA", "default_input_device": 0},))
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr(FakeStream, "opened", [])
    return FakeStream


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        ("auto", (0, 48000, 2, "float32")),
        ("headset", (3, 44100, 1, "float32")),
        ("3", (3, 44100, 1, "float32")),
    ],
)
def test_by_name_number_or_the_systems_choice(
    wanted: str, asked: tuple[Any, ...], system: type[FakeStream]
) -> None:
    with Microphone(wanted) as microphone:
        assert microphone.working
        assert system.opened[0].asked == asked
    assert system.opened[0].closed == 1


def test_chunks_carry_the_moment_of_their_first_sample(
    system: type[FakeStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stylize_live.media.sources.microphone.monotonic", lambda: 50.0)
    with Microphone("auto") as microphone:
        buffer = np.ones((480, 2), np.float32)
        system.opened[0].hear(buffer, age=0.03)
        system.opened[0].hear(buffer, age=0.0)  # the system does not tell: it took as long as it lasts
        buffer[:] = 0  # the system uses its memory again
        first, second = microphone.take()
        assert microphone.take() == []
    assert (first.moment, second.moment) == pytest.approx((49.97, 49.99))
    assert first.samples.min() == 1


def test_an_unknown_one_is_named_with_those_that_are_there() -> None:
    with pytest.raises(
        UsageError, match=r"'studio' does not name one microphone; available: 0: Built-in.*; 3: USB Headset$"
    ):
        Microphone("studio")


class Windows:
    """PortAudio there: every device under each interface, found by words of "name, interface" in order."""

    APIS = ("MME", "Windows DirectSound", "Windows WASAPI", "Windows WDM-KS")
    NAMES = ("Headset Microphone (USB Audio Device)", "Headset", "Array (Realtek)")

    def __init__(self, wasapi_default: int = 6) -> None:
        self.devices = [
            {
                "index": 3 * api + number,
                "name": name[:31] if api == 0 else name,
                "hostapi": api,
                "max_input_channels": 2,
                "default_samplerate": 48000.0 if api == 2 else 44100.0,
            }
            for api in range(4)
            for number, name in enumerate(self.NAMES)
        ]
        self._wasapi_default = wasapi_default

    def query_hostapis(self) -> tuple[dict[str, Any], ...]:
        defaults = (0, 3, self._wasapi_default, -1)
        return tuple(
            {"name": name, "default_input_device": default}
            for name, default in zip(self.APIS, defaults, strict=True)
        )

    def query_devices(self, which: int | str | None = None, kind: str | None = None) -> Any:
        if kind is None:
            return self.devices
        if not isinstance(which, str):
            return self.devices[which or 0]
        wanted = which.lower()
        fitting = [device for device in self.devices if self._has(wanted.split(), self._full(device))]
        exact = [d for d in fitting if wanted in (str(d["name"]).lower(), self._full(d))]
        if len(fitting) > 1 and len(exact) == 1:
            fitting = exact
        if len(fitting) != 1:
            raise ValueError(f"{len(fitting)} input devices found for {which!r}")
        return fitting[0]

    def _full(self, device: dict[str, Any]) -> str:
        return f"{device['name']}, {self.APIS[device['hostapi']]}".lower()

    @staticmethod
    def _has(words: list[str], text: str) -> bool:
        place = 0
        for word in words:
            found = text.find(word, place)
            if found < 0:
                return False
            place = found + len(word)
        return True


class TestWindows:
    @pytest.fixture(autouse=True)
    def windows(self, system: type[FakeStream]) -> Windows:
        windows = Windows()
        self.module = sys.modules["sounddevice"]
        vars(self.module).update(
            query_devices=windows.query_devices,
            query_hostapis=windows.query_hostapis,
            WasapiSettings=lambda *, auto_convert: ("WASAPI", auto_convert),
        )
        return windows

    @pytest.mark.parametrize(
        ("wanted", "index"),
        [
            ("auto", 6),
            ("usb", 6),
            ("Headset Microphone (USB Audio Device)", 6),
            ("headset", 7),  # a whole name comes before a part
            ("realtek", 8),
            ("realtek MME", 2),
            ("Array (Realtek), MME", 2),
            ("array directsound", 5),
            ("10", 10),
        ],
    )
    def test_a_name_means_one(self, wanted: str, index: int, system: type[FakeStream]) -> None:
        with Microphone(wanted):
            device, rate, *_ = system.opened[0].asked
            assert device == index
            assert rate == (48000 if 6 <= index <= 8 else 44100)

    def test_wasapi_has_to_be_told_to_convert(self, system: type[FakeStream]) -> None:
        for wanted in ("auto", "realtek MME"):
            Microphone(wanted).close()
        assert [stream.extra_settings for stream in system.opened] == [("WASAPI", True), None]

    def test_without_a_choice_of_wasapis_the_systems_is_taken(self, system: type[FakeStream]) -> None:
        vars(self.module).update(query_hostapis=Windows(wasapi_default=-1).query_hostapis)
        Microphone("auto").close()
        assert system.opened[0].asked[0] == 0

    def test_the_list_says_which_interface(self) -> None:
        with pytest.raises(
            UsageError, match=r"'studio' does not name one .* 2: Array \(Realtek\), MME; .*, Windows WASAPI"
        ):
            Microphone("studio")


@pytest.mark.parametrize("right", ["refused", "asking", "granted"])
def test_what_macos_does_not_allow_is_said(
    right: str, system: type[FakeStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would record silence."""
    monkeypatch.setattr("stylize_live.media.sources.microphone.ask_for_microphone", lambda: right)
    if right == "refused":
        with pytest.raises(
            SourceError, match=r"Built-in Microphone is not allowed: allow the terminal in .* Microphone,"
        ):
            Microphone("auto")
        assert system.opened == []
    else:
        Microphone("auto").close()
        assert len(system.opened) == 1


def test_one_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeStream, "busy", True)
    with pytest.raises(SourceError, match="microphone Built-in Microphone: Device unavailable"):
        Microphone("auto")


def test_without_sounddevice(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    words = "live --source test --width 48 --height 32 --no-window --record show.mp4 --microphone"
    assert main(words.split()) == UsageError.exit_code
    assert install_command("sounddevice") in capsys.readouterr().err
    assert not Path("show.mp4").exists()


def test_without_portaudio(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Which Linux's packages of sounddevice do not bring: installing sounddevice again would not help."""

    class Finder:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice")
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    words = "live --source test --width 48 --height 32 --no-window --microphone"
    assert main(words.split()) == UsageError.exit_code
    said = capsys.readouterr().err
    assert "needs PortAudio (Debian and Ubuntu: sudo apt install libportaudio2)" in said
    assert "pip" not in said


def test_one_that_is_not_there_is_said_before_it_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    words = "live --source test --width 48 --height 32 --no-window --microphone studio"
    assert main(words.split()) == UsageError.exit_code
    assert "'studio' does not name one microphone" in capsys.readouterr().err


def test_a_video_that_cannot_begin_gives_the_microphone_back(
    tmp_path: Path, system: type[FakeStream]
) -> None:
    path = tmp_path / "show.mp4"
    path.touch()
    with pytest.raises(UsageError, match="already exists"):
        open_recorder(path, SIZE, Fraction(30), "auto")
    assert [stream.active for stream in system.opened] == [False]


def test_videos_begun_by_key_have_sound(tmp_path: Path, system: type[FakeStream]) -> None:
    """Each video opens the microphone for itself, and lets go of it."""
    said: list[str] = []
    # Pressed once there are so many videos, and were for some frames.
    script = [("r", 0), ("r", 1), ("r", 1), ("r", 2), ("q", 2)]
    since: list[int] = []

    def press(display: FakeDisplay) -> str | None:
        for stream in system.opened:
            if stream.active:
                stream.hear(tone(0.01), age=0.01)
        said.append(display.captions[-1].note if display.captions else "")
        if len(list(tmp_path.glob("*.mp4"))) < script[0][1]:
            return None
        since.append(len(display.frames))
        if since[-1] - since[0] < 20:
            return None
        since.clear()
        return script.pop(0)[0]

    source = FakeSource(10_000, gap=0.01)
    with source:
        display = FakeDisplay(press)
        run_live(source, FakeStylizer(), display, snapshots=tmp_path, microphone="auto")
    assert [stream.closed > 0 for stream in system.opened] == [True, True]
    videos = sorted(tmp_path.glob("first-*.mp4"))
    assert f"recording {videos[0].name} with sound" in said
    assert len(videos) == 2
    for video in videos:
        with av.open(str(video)) as container:
            assert len(list(container.decode(video=0))) > 1
        assert np.abs(heard(video)).max() > 0.3


def test_a_microphone_that_is_taken_is_named_and_no_video_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeStream, "busy", True)
    display = FakeDisplay(keys("r", *[None] * 60))
    with FakeSource(10_000) as source:
        run_live(source, FakeStylizer(), display, snapshots=tmp_path, microphone="auto")
    assert any("Built-in Microphone: Device unavailable" in caption.note for caption in display.captions)
    assert list(tmp_path.iterdir()) == []


def tone(seconds: float, channels: int = 2) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(round(seconds * RATE)) / RATE)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def heard(path: Path) -> np.ndarray:
    """A file's sound by its times, (samples,)."""
    with av.open(str(path)) as container:
        sound = np.zeros(20 * RATE, np.float32)
        end = 0
        for frame in container.decode(audio=0):
            at = round(float(frame.pts * frame.time_base) * RATE)
            part = frame.to_ndarray()[0]
            sound[max(0, at) : at + part.size] = part[max(0, -at) :]
            end = at + part.size
    return sound[:end]


def onsets(sound: np.ndarray) -> list[float]:
    """Seconds at which it becomes loud after at least 50 ms of silence."""
    loud = np.flatnonzero(np.abs(sound) > 0.1)
    starts = loud[np.diff(loud, prepend=-RATE) > RATE // 20]
    return [float(start / RATE) for start in starts]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_a_clap_is_heard_when_it_is_seen(
    tmp_path: Path, suffix: str, system: type[FakeStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sound begins before the first frame, loses a buffer, and claps at 1.0 and 2.5 seconds."""
    path, now = tmp_path / f"show{suffix}", [0.0]
    monkeypatch.setattr("stylize_live.media.sources.microphone.monotonic", lambda: now[0])
    sound = np.zeros((4 * RATE, 2), np.float32)
    for clap in (1.0, 2.5):
        at = round((clap + 0.5) * RATE)  # the microphone is half a second ahead of the camera
        sound[at : at + RATE // 10] = tone(0.1)
    alpha = suffix == ".webm"  # which nothing else is recorded to
    with (
        Microphone("auto") as microphone,
        Recorder(path, SIZE, microphone=microphone, alpha=alpha) as recorder,
    ):
        for index in range(105):
            now[0] = 99.5 + (index + 1) / 30
            if not 60 <= index < 66:  # lost: 0.2 seconds of silence
                system.opened[0].hear(sound[index * 1600 : (index + 1) * 1600], age=1 / 30)
            if index >= 15:
                pixels = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
                recorder.write(Frame(pixels, Fraction(0), 100 + (index - 15) / 30, index))
    times = onsets(heard(path))
    assert times == pytest.approx([1.0, 2.5], abs=0.004)
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.name == ("opus" if alpha else "aac")
        images = [float(frame.time) for frame in container.decode(video=0)]
    assert images == pytest.approx([index / 30 for index in range(90)], abs=6e-4)


def test_a_microphone_that_dies_does_not_end_the_video(
    tmp_path: Path, system: type[FakeStream], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "show.mp4"
    with Microphone("auto") as microphone, Recorder(path, SIZE, microphone=microphone) as recorder:
        for index in range(60):
            if index == 10:
                system.opened[0].active = False
            recorder.write(Frame(np.zeros((48, 64, 3), np.uint8), Fraction(0), index / 30, index))
    assert caplog.text.count("Built-in Microphone is gone") == 1
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 60


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_opus_at_any_rate(rate: int) -> None:
    """Its packets are of 20 ms, and end within one where the sound does."""
    with SoundEncoder(rate, 1, "libopus") as encoder:
        packets = []
        for step in range(10):
            packets += encoder.encode(np.full((rate // 10, 1), 0.1, np.float32), Fraction(step, 10))
        packets += encoder.finish()
        times = [float(packet.pts * packet.time_base) for packet in packets]
    assert times[0] >= 0
    assert np.diff(times) == pytest.approx(0.02, abs=0.001)
    assert times[-1] == pytest.approx(1, abs=0.04)


def test_what_a_mad_driver_sends_ends_nothing() -> None:
    with SoundEncoder(RATE, 1) as encoder:
        mad = np.array([np.nan, np.inf, -np.inf, 1e9] * 600, np.float32)[:, None]
        assert len(encoder.encode(mad, Fraction(1)) + encoder.finish()) > RATE // 1024


def test_small_slips_of_the_clock_leave_no_holes() -> None:
    """A sound card that runs 0.1 % fast: chunks overlap by little, and are cut once it is 50 ms."""
    with SoundEncoder(RATE, 1) as encoder:
        chunks = 300
        for index in range(chunks):
            encoder.encode(tone(0.5, 1), Fraction(index) * Fraction(1, 2) * Fraction(999, 1000))
        end = encoder._next + encoder._queue.shape[1]
    assert abs(end / RATE - chunks * 0.4995) <= 0.06
