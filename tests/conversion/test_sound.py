"""Conversions that follow the sound: the same to the bit, wherever they stopped and whatever part it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import Video, content
from interrupted import StopError, Stopping, StoppingInverter
from synthetic_sound import make_band, make_noise
from tiny import make_checkpoint

from stylize_live.cli.app import main
from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import convert
from stylize_live.conversion.dry_run import dry_run
from stylize_live.conversion.progress import ConvertReport
from stylize_live.engine import Stylizer
from stylize_live.engine.following import FrameFollower
from stylize_live.errors import StyleError, UsageError
from stylize_live.frame import Frame
from stylize_live.media.decode.sound import RATE, has_sound, read_sound
from stylize_live.nets.checkpoint import save_checkpoint
from stylize_live.sound.follower import Movement
from stylize_live.sound.track import TrackFollower
from stylize_live.sound_rules import SoundRules

pytestmark = pytest.mark.usefixtures("short_segments")

SECONDS, FPS = 9, 10
TICKS = tuple(3000 * number for number in range(SECONDS * FPS))
ALL = "level:boldness:0.5,bass:strength:-0.5,onset:stroke:0.4,beat:style:4"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of nine seconds with a band at 120 beats a minute, which is loud in the middle."""
    samples = make_band(120, SECONDS, 48_000)[0]
    samples[4 * 48_000 : 6 * 48_000] *= 3
    path = tmp_path_factory.mktemp("sound") / "band.mp4"
    return Video(TICKS, sound="aac", samples=samples, rate=Fraction(FPS)).write(path)


class Recorder(StoppingInverter):
    """Notes the movement of each frame by its time."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__(stop_at)
        self._follower: FrameFollower | None = None
        self.movements: dict[Fraction, Movement] = {}

    def follow(self, follower: FrameFollower | None, styles: Sequence[str] = ()) -> None:
        self._follower = follower

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in super().stream(frames):
            if self._follower is not None:
                self.movements[frame.pts] = self._follower.at(frame.pts)
            yield frame


def record(source: Path, target: Path, **settings: object) -> tuple[Recorder, ConvertReport]:
    recorder = Recorder()
    wanted = ConvertSettings.model_validate({"follow_sound": ALL, **settings})
    return recorder, convert(source, target, recorder, wanted)


def test_every_frame_moves_by_its_time(source: Path, tmp_path: Path) -> None:
    found = record(source, tmp_path / "out.mp4")[0].movements
    assert len(found) == len(TICKS)
    before, loud = found[Fraction(35, 10)].offsets, found[Fraction(48, 10)].offsets
    assert loud["boldness"] > before["boldness"] + 0.1
    assert loud["strength"] < before["strength"] - 0.1
    assert found[Fraction(89, 10)].changes > found[Fraction(0)].changes == 0


def test_any_part_moves_as_the_whole(source: Path, tmp_path: Path) -> None:
    whole = record(source, tmp_path / "whole.mp4")[0].movements
    part = record(source, tmp_path / "part.mp4", start="4.5", end="6")[0].movements
    assert {pts + Fraction(45, 10): moved for pts, moved in part.items()}.items() <= whole.items()
    middle = record(source, tmp_path / "preview.mp4", preview=2.0)[0].movements
    assert middle.items() <= whole.items()
    slow = record(source, tmp_path / "slow.mp4", fps="5")[0].movements
    assert slow.items() <= whole.items()


@pytest.fixture
def styles(tmp_path: Path) -> list[str]:
    for seed, name in enumerate("ab"):
        faithful = make_checkpoint(seed=2 * seed + 1).weights
        style = replace(make_checkpoint(name, 2 * seed), faithful=faithful)
        save_checkpoint(tmp_path / f"{name}.safetensors", style)
    return [str(tmp_path / f"{name}.safetensors") for name in "ab"]


@pytest.mark.parametrize("runtime", ["torch", "openvino"])
def test_a_resumed_conversion_is_the_same_to_the_bit(
    source: Path, tmp_path: Path, styles: list[str], runtime: str
) -> None:
    if runtime == "openvino":
        pytest.importorskip("openvino")
    how_it_moves = {"follow_sound": ALL, "sound_styles": ",".join(styles), "steadiness": 0.8}
    settings = ConvertSettings.model_validate({**how_it_moves, "crf": 1, "end": "6"})

    def run(target: str, stop_at: int | None = None) -> ConvertReport:
        how = {"device": "cpu", "runtime": runtime, "precision": "float32"}
        with Stopping(styles[0], steadiness=0.8, **how) as stylizer:  # type: ignore[arg-type]
            stylizer.stop_at = stop_at
            return convert(source, tmp_path / target, stylizer, settings)

    run("whole.mp4")
    for stop in (20, 47):
        with pytest.raises(StopError):
            run("out.mp4", stop)
    assert 30 < run("out.mp4").resumed <= 47
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    with Stopping(styles[0], steadiness=0.8, device="cpu", runtime="torch") as stylizer:
        convert(source, tmp_path / "still.mp4", stylizer, settings.model_copy(update={"follow_sound": "off"}))
    still, moved = (content(tmp_path / name).images[55].astype(int) for name in ("still.mp4", "whole.mp4"))
    assert np.abs(still - moved).mean() > 3


def test_other_rules_are_another_conversion(source: Path, tmp_path: Path) -> None:
    settings = ConvertSettings(follow_sound="boldness")
    with pytest.raises(StopError):
        convert(source, tmp_path / "out.mp4", Recorder(60), settings)
    again = settings.model_copy(update={"sound_amount": 0.5})
    assert convert(source, tmp_path / "out.mp4", Recorder(), again).resumed == 0


def test_a_stylizer_follows_nothing_behind_its_conversion(source: Path, tmp_path: Path) -> None:
    recorder = record(source, tmp_path / "out.mp4", end="1")[0]
    assert recorder._follower is None


@pytest.mark.parametrize("target", ["out.mp4", "out.gif"])
def test_without_sound_it_is_painted_as_without(tmp_path: Path, target: str) -> None:
    silent = Video().write(tmp_path / "in.mp4")
    plain = convert(silent, tmp_path / f"plain-{target}", StoppingInverter())
    recorder, report = record(silent, tmp_path / target)
    note = "there is no sound to follow: painted as without"
    assert sorted(report.notes) == sorted([*plain.notes, note])
    assert recorder.movements == {}
    assert (tmp_path / target).read_bytes() == (tmp_path / f"plain-{target}").read_bytes()
    assert note in dry_run(silent, tmp_path / "dry.mp4", ConvertSettings(follow_sound="auto")).notes


def test_what_cannot_be_followed_is_refused(source: Path, tmp_path: Path, styles: list[str]) -> None:
    settings = ConvertSettings(follow_sound="boldness,beat:style")
    with pytest.raises(UsageError, match="cannot follow"):
        convert(source, tmp_path / "out.mp4", StoppingInverter(), settings)
    timeline = f"0:{styles[0]},3:{styles[1]}"
    with (
        Stylizer(timeline, device="cpu", runtime="torch") as stylizer,
        pytest.raises(UsageError, match="a timeline changes styles itself"),
    ):
        convert(source, tmp_path / "out.mp4", stylizer, settings)
    assert not list(tmp_path.glob("*out*"))


def test_a_style_that_is_unknown_is_told_by_its_option(
    source: Path, tmp_path: Path, styles: list[str]
) -> None:
    settings = ConvertSettings(follow_sound="beat:style", sound_styles=f"{styles[0]},nothing")
    with (
        Stylizer(styles[0], device="cpu", runtime="torch") as stylizer,
        pytest.raises(StyleError, match=r"^sound_styles: unknown style 'nothing'"),
    ):
        convert(source, tmp_path / "out.mp4", stylizer, settings)


def test_words_that_mean_nothing_are_refused_in_one_line(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out.mp4")
    assert main(["convert", str(source), out, "--follow-sound", "bas:stroke"]) == UsageError.exit_code
    (line,) = capsys.readouterr().err.splitlines()
    assert "did you mean 'bass'" in line
    assert "--follow-sound" in line


# ------------------------------------------------------------------ the sound itself


def whole_sound(path: Path) -> np.ndarray:
    return np.concatenate(list(read_sound(path)))


def test_samples_lie_where_the_video_has_them(tmp_path: Path) -> None:
    late = Video(sound="aac", sound_start=Fraction(1, 2), sound_seconds=1).write(tmp_path / "late.mp4")
    heard = np.abs(whole_sound(late))
    tone = np.flatnonzero(heard > 0.3) / RATE
    assert tone.min() == pytest.approx(0.7, abs=0.02)
    assert tone.max() == pytest.approx(0.8, abs=0.02)


def test_any_format_gives_mono_at_one_rate(tmp_path: Path) -> None:
    for name, codec in (("a.mkv", "flac"), ("b.mov", "pcm_s16le"), ("c.ts", "mp2")):
        path = Video(sound=codec, sound_seconds=1).write(tmp_path / name)
        assert has_sound(path)
        heard = whole_sound(path)
        assert heard.ndim == 1
        assert heard.dtype == np.float32
        assert len(heard) == pytest.approx(RATE, abs=RATE / 10)


def test_sound_that_becomes_stereo_is_heard_to_its_end(tmp_path: Path) -> None:
    """As broadcasts do, between a film and what comes before it."""
    path, parts = tmp_path / "in.aac", []
    for layout, channels in (("mono", 1), ("stereo", 2), ("mono", 1)):
        part = tmp_path / "part.aac"
        with av.open(str(part), "w", format="adts") as container:
            stream = container.add_stream("aac", rate=48_000, layout=layout)
            noise = np.tile(make_noise(1, 0.2, 48_000), (channels, 1))
            frame = av.AudioFrame.from_ndarray(noise, "fltp", layout)
            frame.sample_rate = 48_000
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        parts.append(part.read_bytes())
    path.write_bytes(b"".join(parts))
    heard = np.concatenate(list(read_sound(path)))
    assert len(heard) == pytest.approx(3 * RATE, abs=RATE / 4)
    assert all(part.std() > 0.1 for part in np.split(heard[: len(heard) // 6 * 6], 6))


def test_damaged_sound_is_heard_around_its_holes(tmp_path: Path) -> None:
    noise = make_noise(3, 0.2, 48_000)
    path = Video(sound="aac", samples=noise).write(tmp_path / "in.mp4")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes([0xA5]) * 200
    path.write_bytes(bytes(data))
    assert len(whole_sound(path)) == pytest.approx(3 * RATE, abs=RATE / 4)


def test_a_track_answers_by_time_alone() -> None:
    samples = make_band(120, 6, RATE)[0]
    chunks = [samples[place : place + 1000] for place in range(0, len(samples), 1000)]

    def follower() -> TrackFollower:
        from stylize_live.sound.follower import SoundFollower

        rules = SoundRules.parse(ALL)
        return TrackFollower(lambda: chunks, RATE, lambda: SoundFollower(rules))

    times = [Fraction(number, 7) for number in range(70)]  # to behind its end
    wanted = [follower().at(time) for time in times]
    forth = follower()
    assert [forth.at(time) for time in times] == wanted
    assert [forth.at(time) for time in times[::-5]] == wanted[::-5]
    assert forth.at(Fraction(600)).offsets["boldness"] == 0
