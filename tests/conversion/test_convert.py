"""The whole pipeline: what came in goes out, painted; and every way it can end leaves order behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import CFR, CLOCK, VFR, Ticks, Video, content, cut_off, numbered
from inverters import Ahead, Inverter
from waiting import promptly

from stylize_live.cli import convert as command
from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import convert
from stylize_live.conversion.progress import ConvertProgress, ConvertReport
from stylize_live.conversion.segmented_output import SegmentedOutput
from stylize_live.errors import EXIT_PARTIAL, SinkError, SourceError, UsageError
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.muxer import Muxer
from stylize_live.media.image.io import read_image
from stylize_live.media.libraries import av

SETTINGS = ConvertSettings(crf=10, preset="ultrafast")
LONG: Ticks = tuple(1001 * i for i in range(120))


class Slow(Inverter):
    """Takes its time for every frame."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in super().stream(frames):
            time.sleep(0.05)
            yield frame


def run(source: Path, target: Path, stylizer: Inverter | None = None, **options: object) -> ConvertReport:
    return convert(source, target, stylizer or Inverter(), SETTINGS, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("ticks", [CFR, VFR], ids=["constant", "variable"])
@pytest.mark.parametrize("kind", [Inverter, Ahead])
def test_everything_arrives(tmp_path: Path, ticks: Ticks, kind: type[Inverter]) -> None:
    source = Video(ticks, sound="aac").write(tmp_path / "in.mp4")
    stylizer = kind()
    report = run(source, tmp_path / "out.mp4", stylizer)
    before, after = content(source), content(tmp_path / "out.mp4")
    assert after.times == before.times == [tick * CLOCK for tick in ticks]
    assert after.sounds == before.sounds
    assert stylizer.warmed_up == [(64, 48)]
    for index, image in enumerate(after.images):
        assert np.abs(255 - image.astype(int) - numbered(index)).mean() < 6
    assert (report.frames, report.damaged, report.complete) == (len(ticks), 0, True)
    assert report.notes == []


def test_ten_bits_in_and_out(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 1024).astype(np.uint8)
    image = np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (16, 1024, 3)))
    video = Video(CFR[:2], (1024, 16), codec="ffv1", pixel_format="gbrp10le")
    source = video.write(tmp_path / "in.mkv", [image] * 2)
    settings = ConvertSettings(codec="ffv1", bits=10)
    report = convert(source, tmp_path / "out.mkv", Inverter(), settings)
    assert not any("8 bits" in note for note in report.notes)
    assert report.pair[1].dtype == np.uint16
    with VideoReader(source, bits=10) as before, VideoReader(tmp_path / "out.mkv", bits=10) as after:
        for old, new in zip(before, after, strict=True):
            assert np.abs(65_535 - old.pixels.astype(int) - new.pixels).max() <= 65


@pytest.mark.parametrize(("codec", "suffix"), [("vp9", ".webm"), ("prores", ".mov"), ("ffv1", ".mkv")])
def test_transparency_travels(tmp_path: Path, codec: str, suffix: str) -> None:
    video = Video(CFR[:3], codec="ffv1", pixel_format="bgra")
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as output:
        stream = video.video_stream(output)
        for tick in video.ticks:
            rgba = np.dstack((numbered(0), np.full((48, 64), 255, np.uint8)))
            rgba[:, 40:, 3] = 0
            image = av.VideoFrame.from_ndarray(rgba, "rgba").reformat(format="bgra")
            image.pts, image.time_base = tick, CLOCK
            output.mux(stream.encode(image))
        output.mux(stream.encode(None))
    target = tmp_path / f"out{suffix}"
    report = convert(source, target, Inverter(), ConvertSettings(codec=codec))  # type: ignore[arg-type]
    assert not any("transparency" in note for note in report.notes)
    with VideoReader(target) as reader:
        alpha = next(iter(reader)).alpha
    assert alpha is not None
    assert alpha[24, 10] >= 253
    assert alpha[24, 55] <= 2


def test_report_says_where_time_went(tmp_path: Path) -> None:
    report = run(Video().write(tmp_path / "in.mp4"), tmp_path / "out.mp4", Slow())
    assert set(report.busy) == {"decode", "inference", "encode"}
    assert report.busy["inference"] == pytest.approx(0.05 * len(CFR), rel=0.5)
    assert all(0 < seconds <= report.seconds for seconds in report.busy.values())
    assert report.busy["decode"] < report.busy["inference"]
    assert report.fps == pytest.approx(len(CFR) / report.seconds)


def test_before_and_after_belong_together(tmp_path: Path) -> None:
    report = run(Video().write(tmp_path / "in.mp4"), tmp_path / "out.mp4", Ahead())
    assert np.array_equal(report.pair[1], 255 - report.pair[0])
    at_a_third = numbered(len(CFR) // 3)
    assert np.abs(report.pair[0].astype(int) - at_a_third).mean() < 6


def test_progress_is_reported(tmp_path: Path) -> None:
    seen: list[ConvertProgress] = []
    run(Video().write(tmp_path / "in.mp4"), tmp_path / "out.mp4", Slow(), on_progress=seen.append)
    assert len(seen) >= 3
    assert [p.frames for p in seen] == sorted(p.frames for p in seen)
    assert seen[-1].frames == seen[-1].total == len(CFR)
    assert seen[-1].fps > 0


def test_cut_off_source_is_not_complete(tmp_path: Path) -> None:
    whole = Video(LONG, container_options={"movflags": "faststart"}).write(tmp_path / "whole.mp4")
    report = run(cut_off(whole, tmp_path / "cut.mp4", 0.6), tmp_path / "out.mp4")
    assert not report.complete
    assert any("cut off" in note for note in report.notes)
    after = content(tmp_path / "out.mp4")
    assert after.times == [tick * CLOCK for tick in LONG[: report.frames]]
    assert np.array_equal(report.pair[1], 255 - report.pair[0])


def test_existing_target_is_kept(tmp_path: Path) -> None:
    source = Video(CFR[:2]).write(tmp_path / "in.mp4")
    target = tmp_path / "out.mp4"
    target.write_bytes(b"precious")
    with pytest.raises(UsageError, match="overwrite=True"):
        run(source, target)
    assert target.read_bytes() == b"precious"
    run(source, target, overwrite=True)
    assert len(content(target).times) == 2


@pytest.mark.parametrize("overwrite", [False, True])
def test_source_is_never_the_target(tmp_path: Path, overwrite: bool) -> None:
    source = Video(CFR[:2]).write(tmp_path / "in.mp4")
    link = tmp_path / "link.mp4"
    link.hardlink_to(source)
    for target in (source, tmp_path / ".." / tmp_path.name / "in.mp4", link):
        with pytest.raises(UsageError, match="is the source"):
            run(source, target, overwrite=overwrite)


def test_wrong_suffix_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.mkv, \.mov, \.mp4"):
        run(tmp_path / "missing.mp4", tmp_path / "out.avi")


def test_missing_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        run(tmp_path / "missing.mp4", tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


class BoomError(Exception):
    """On purpose.

    Attributes:
        at: when it was raised, by the monotonic clock.
    """

    def __init__(self) -> None:
        super().__init__()
        self.at = time.monotonic()


def fail_after(count: int) -> Callable[..., None]:
    left = [count]

    def body(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise BoomError

    return body


class FailingInverter(Inverter):
    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in super().stream(frames):
            if frame.index == 20:
                raise BoomError
            yield frame


def break_decode(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, fail = VideoReader._next_frame, fail_after(20)

    def broken(self: VideoReader) -> Frame | None:
        fail()
        return whole(self)

    monkeypatch.setattr(VideoReader, "_next_frame", broken)


def break_encode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SegmentedOutput, "write", fail_after(20))


def break_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SegmentedOutput, "finish", fail_after(0))


@pytest.mark.parametrize("stage", ["decode", "inference", "encode", "finish", "progress"])
def test_every_stage_may_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    source = Video(LONG).write(tmp_path / "in.mp4")
    stylizer = FailingInverter() if stage == "inference" else Slow() if stage == "progress" else Inverter()
    breakers = {"decode": break_decode, "encode": break_encode, "finish": break_finish}
    if stage in breakers:
        breakers[stage](monkeypatch)
    with pytest.raises(BoomError) as caught:
        run(
            source, tmp_path / "out.mp4", stylizer, on_progress=fail_after(0) if stage == "progress" else None
        )
    assert time.monotonic() - caught.value.at < 2
    # Only the video whose segments are all there keeps them: the next run has but to join them.
    kept = {".out.mp4.stylize-parts"} if stage == "finish" else set()
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4"} | kept
    assert not [t for t in threading.enumerate() if t.name.startswith("stylize-")]


def test_interrupt_leaves_nothing(tmp_path: Path) -> None:
    source = Video(LONG, sound="aac").write(tmp_path / "in.mp4")
    target = tmp_path / "out.mp4"
    target.write_bytes(b"the old file")

    def interrupt(progress: ConvertProgress) -> None:
        if progress.frames > 3:
            from_now()
            raise KeyboardInterrupt

    with promptly() as from_now, pytest.raises(KeyboardInterrupt):
        run(source, target, Slow(), overwrite=True, on_progress=interrupt)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]
    assert target.read_bytes() == b"the old file"


def test_full_disk_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Muxer, until: Fraction) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Muxer, "_write_passthrough", full)
    with pytest.raises(SinkError, match=r"out\.mp4: cannot write: No space left on device, free some"):
        run(Video(LONG).write(tmp_path / "in.mp4"), tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


@pytest.fixture
def painted_by_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command build the inverter instead of a real stylizer."""

    class Opened(Inverter):
        @classmethod
        def from_settings(cls, settings: object, **_: object) -> Opened:
            return cls()

        def __enter__(self) -> Opened:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("stylize_live.engine.Stylizer", Opened)


@pytest.mark.usefixtures("painted_by_command")
def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = Video().write(tmp_path / "in.mp4")
    pair = tmp_path / "pair.png"
    assert command.convert(source, tmp_path / "out.mkv", before_after=pair, settings=SETTINGS) == 0
    said = capsys.readouterr()
    assert str(tmp_path / "out.mkv") in said.out.splitlines()
    assert "12 frames in" in said.out
    assert "milliseconds" in said.err
    assert read_image(pair).pixels.shape == (48, 128, 3)


@pytest.mark.usefixtures("painted_by_command")
def test_command_tells_of_damage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = Video(LONG, container_options={"movflags": "faststart"}).write(tmp_path / "whole.mp4")
    source = cut_off(whole, tmp_path / "cut.mp4", 0.6)
    assert command.convert(source, tmp_path / "out.mp4", settings=SETTINGS) == EXIT_PARTIAL
    assert "cut off" in capsys.readouterr().err


def test_command_checks_the_image_before_it_works(tmp_path: Path) -> None:
    source = Video(CFR[:2]).write(tmp_path / "in.mp4")
    for name, problem in (("pair.gif", UsageError), ("nowhere/pair.png", SinkError)):
        with pytest.raises(problem):
            command.convert(source, tmp_path / "out.mp4", before_after=tmp_path / name, settings=SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_digital_video_as_cameras_gave_it(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.dv"), "w") as output:
        stream = output.add_stream("dvvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        for _ in range(3):
            output.mux(stream.encode(av.VideoFrame(720, 576, "yuv420p")))
    with VideoReader(tmp_path / "in.dv") as reader:
        assert reader.average_rate == 25
    convert(tmp_path / "in.dv", tmp_path / "out.mp4", Inverter())
    with av.open(str(tmp_path / "out.mp4")) as done:
        assert done.streams.video[0].metadata["timecode"] == "00:00:00:00"
