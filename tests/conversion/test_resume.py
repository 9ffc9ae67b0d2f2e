"""A run that ends too early goes on where it stopped, and nobody can tell afterwards."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import pytest
from clips import CLOCK, Video, content, numbered
from interrupted import (
    FRAMES,
    SETTINGS,
    WILD,
    Smoother,
    StopError,
    Stopping,
    StoppingInverter,
    run,
    stopped,
    write_source,
)
from pydantic import BaseModel

from stylize_live.config import ConvertSettings
from stylize_live.conversion import convert as convert_module
from stylize_live.conversion import segments
from stylize_live.conversion.convert import convert
from stylize_live.conversion.journal import FinishedSegment, read_journal
from stylize_live.conversion.progress import ConvertProgress
from stylize_live.conversion.segment_store import SegmentStore, count_kept_frames, folder_of
from stylize_live.conversion.segments import split_at_cuts
from stylize_live.engine import device_selection
from stylize_live.engine.cpu import features
from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.file_locks import hold_lock
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.encoder import VideoEncoder
from stylize_live.media.encode.muxer import Muxer
from stylize_live.media.encode.packet_files import join_packets, read_packets
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.formats.containers import video_clock

pytestmark = pytest.mark.usefixtures("short_segments")


@pytest.mark.parametrize("kind", [StoppingInverter, Smoother])
def test_resumed_video_is_the_same(
    source: Path, tmp_path: Path, kind: Callable[..., StoppingInverter]
) -> None:
    run(source, tmp_path / "whole.mp4", kind())
    whole = (tmp_path / "whole.mp4").read_bytes()
    assert content(tmp_path / "whole.mp4").times == [tick * CLOCK for tick in WILD]
    for stops in ([12], [40, 41], [5, 20, FRAMES - 1]):
        target = tmp_path / f"{stops}.mp4"
        for stop in stops:
            stopped(source, target, kind(stop))
        kept = count_kept_frames(target)
        last = kind()
        report = run(source, target, last)
        assert target.read_bytes() == whole
        assert last.painted == list(range(kept, FRAMES))
        assert (report.frames, report.resumed, report.complete) == (FRAMES, kept, True)
    assert kept > 0
    assert not list(tmp_path.glob(".*"))


class Marks(StoppingInverter):
    """Notes which frames begin a shot, as it is told."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__(stop_at)
        self.firsts: list[int] = []

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in super().stream(frames):
            assert frame.starts_shot is not None
            self.firsts += [frame.index] * frame.starts_shot
            yield frame


@pytest.mark.parametrize("behind", [0, 1, 2, 4])
def test_shots_are_found_behind_a_boundary_as_in_one_go(tmp_path: Path, behind: int) -> None:
    """Also where one begins right behind the place at which the first run stopped, which was no cut."""
    boundary = segments.MOST_FRAMES
    source = Video(WILD).write(
        tmp_path / "in.mp4",
        (255 - numbered(i) if boundary + behind <= i < 40 else numbered(i) for i in range(FRAMES)),
    )
    whole, again = Marks(), Marks()
    run(source, tmp_path / "whole.mp4", whole)
    assert whole.firsts == [0, boundary + behind, 40]
    stopped(source, tmp_path / "out.mp4", Marks(boundary + behind + 1))
    assert run(source, tmp_path / "out.mp4", again).resumed == boundary
    assert again.firsts == [boundary + behind, 40]
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


@pytest.mark.usefixtures("no_history")
def test_a_journal_that_knows_no_history_is_read(source: Path, tmp_path: Path) -> None:
    run(source, tmp_path / "whole.mp4", StoppingInverter())
    stopped(source, tmp_path / "out.mp4", StoppingInverter(50))
    assert run(source, tmp_path / "out.mp4", StoppingInverter()).resumed > 0
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


@pytest.fixture
def no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals as they were before shots were marked."""

    def dump(self: FinishedSegment) -> str:
        return BaseModel.model_dump_json(self, exclude={"history"})

    monkeypatch.setattr(FinishedSegment, "model_dump_json", dump)


def test_real_paint_goes_on_from_its_memory(source: Path, tmp_path: Path, tiny_style: Path) -> None:
    def stylizer() -> Stopping:
        return Stopping(tiny_style, steadiness=0.8, device="cpu")

    with stylizer() as whole, stylizer() as first, stylizer() as second:
        run(source, tmp_path / "whole.mp4", whole)
        first.stop_at = 30
        stopped(source, tmp_path / "out.mp4", first)
        assert run(source, tmp_path / "out.mp4", second).resumed == 27  # no cut
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_a_video_is_painted_in_one_arithmetic(
    source: Path, tmp_path: Path, tiny_style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was measured in between, because a cache was lost, say, changes nothing; a new video takes it."""
    monkeypatch.setattr(features, "multiplies_bfloat16", lambda: True)

    def stylizer(fastest: str) -> Stopping:
        figures = {"float32": 5.0, "bfloat16": 3.0 if fastest == "bfloat16" else 9.0}
        monkeypatch.setattr(
            device_selection, "measure_ways", lambda ways: {w: figures[w.precision] for w in ways}
        )
        return Stopping(tiny_style, device="cpu", runtime="torch")

    whole, target = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    with stylizer("bfloat16") as first:
        run(source, whole, first)
        first.stop_at = 30
        stopped(source, target, first)
    with stylizer("float32") as second:
        assert second.precision == "float32"
        assert run(source, target, second).resumed > 0
        assert second.precision == "bfloat16"
        assert target.read_bytes() == whole.read_bytes()
        run(source, tmp_path / "new.mp4", second)
        assert second.precision == "float32"


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".avi", ".mov"])
def test_resumed_from_other_containers(tmp_path: Path, suffix: str) -> None:
    ticks = tuple(1001 * i for i in range(FRAMES))
    sound = None if suffix == ".avi" else "aac"
    source = Video(ticks, sound=sound, sound_seconds=2).write(tmp_path / f"in{suffix}")
    run(source, tmp_path / "whole.mkv", StoppingInverter())
    target = tmp_path / "out.mkv"
    stopped(source, target, StoppingInverter(50))
    report = run(source, target, StoppingInverter())
    assert report.resumed > 30
    before, after = content(tmp_path / "whole.mkv"), content(target)
    assert after.times == before.times
    assert after.sounds == before.sounds
    assert all(map(np.array_equal, after.images, before.images))


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("hevc", ".mp4"), ("av1", ".mp4"), ("vp9", ".webm"), ("prores", ".mov"), ("ffv1", ".mkv")],
)
def test_every_codec_can_be_joined(source: Path, tmp_path: Path, codec: str, suffix: str) -> None:
    settings = ConvertSettings.model_validate({"codec": codec, "preset": "ultrafast"})
    whole, target = tmp_path / f"whole{suffix}", tmp_path / f"out{suffix}"
    convert(source, whole, StoppingInverter(), settings)
    with pytest.raises(StopError):
        convert(source, target, StoppingInverter(30), settings)
    assert convert(source, target, StoppingInverter(), settings).resumed > 10
    before, after = content(whole), content(target)
    assert len(after.times) == FRAMES
    assert after.times == before.times
    assert after.sounds == before.sounds
    assert all(map(np.array_equal, after.images, before.images))


def test_transparency_of_vp9_outlives_the_segments(tmp_path: Path) -> None:
    """It travels beside the packets, not in them."""
    source, alpha = tmp_path / "in.mkv", np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
    with VideoWriter(source, (64, 48), ConvertSettings(codec="ffv1"), alpha=True) as writer:
        for index in range(30):
            writer.write(Frame(numbered(index), Fraction(index, 25), 0.0, index, alpha))
    target = tmp_path / "out.webm"
    stopped(source, target, StoppingInverter(20))
    assert run(source, target, StoppingInverter()).resumed == 11
    with VideoReader(target) as reader:
        opacities = [frame.alpha for frame in reader]
    assert len(opacities) == 30
    assert all(found is not None and np.abs(found.astype(int) - alpha).max() < 12 for found in opacities)


def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VideoReader, "seek", lambda self, when: False)


def wrong_index(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = VideoReader.seek
    monkeypatch.setattr(VideoReader, "seek", lambda self, when: whole(self, when + 5))


def wrong_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a seek to a frame that is not quite a key frame."""
    whole = VideoReader.seek

    def seek(self: VideoReader, when: object) -> bool:
        self._upright = lambda image: (np.zeros((48, 64, 3), np.uint8), None)  # type: ignore[method-assign]
        return whole(self, when)  # type: ignore[arg-type]

    monkeypatch.setattr(VideoReader, "seek", seek)


@pytest.mark.parametrize("broken", [no_index, wrong_index, wrong_images])
def test_an_index_is_not_trusted(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Callable[..., None]
) -> None:
    run(source, tmp_path / "whole.mp4", StoppingInverter())
    target = tmp_path / "out.mp4"
    stopped(source, target, StoppingInverter(50))
    broken(monkeypatch)
    assert run(source, target, StoppingInverter()).resumed > 30
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_a_file_that_decodes_differently_begins_anew(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.mp4"
    stopped(source, target, StoppingInverter(50))
    monkeypatch.setattr("stylize_live.conversion.resume.fingerprint", lambda pixels: -1)
    assert run(source, target, StoppingInverter()).resumed == 0
    assert len(content(target).times) == FRAMES


def test_what_stops_a_run_on_its_way_to_its_place_leaves_no_file_open(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped(source, tmp_path / "out.mp4", StoppingInverter(40))
    readers: list[VideoReader] = []

    def stop(reader: VideoReader, when: Fraction) -> bool:
        readers.append(reader)
        raise StopError

    monkeypatch.setattr(VideoReader, "seek", stop)
    stopped(source, tmp_path / "out.mp4", StoppingInverter())
    (reader,) = readers
    with pytest.raises(SourceError, match="was closed"):
        next(iter(reader))


def test_restart_discards(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    stopped(source, target, StoppingInverter(50))
    report = run(source, target, StoppingInverter(), restart=True)
    assert (report.resumed, report.notes) == (0, [])


def test_other_settings_need_other_segments(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    stopped(source, target, StoppingInverter(50))
    kept = count_kept_frames(target)
    report = convert(source, target, StoppingInverter(), ConvertSettings(crf=30))
    assert report.resumed == 0
    assert report.notes[0].startswith(f"{kept} frames of an earlier run were discarded")


def test_changed_source_needs_other_segments(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    stopped(source, target, StoppingInverter(50))
    write_source(source)
    assert run(source, target, StoppingInverter()).resumed == 0


@pytest.mark.parametrize(
    "harm", ["torn journal", "no journal", "lost segment", "short segment", "lost state"]
)
def test_harmed_folder(source: Path, tmp_path: Path, harm: str) -> None:
    run(source, tmp_path / "whole.mp4", Smoother())
    target = tmp_path / "out.mp4"
    stopped(source, target, Smoother(50))
    folder = folder_of(target)
    journal, (*_, newest) = folder / "journal", sorted(folder.glob("*.packets"))
    if harm == "torn journal":
        journal.write_bytes(journal.read_bytes()[:-20])
    elif harm == "short segment":
        newest.write_bytes(newest.read_bytes()[:-1])
    else:
        {"no journal": journal, "lost segment": newest, "lost state": next(folder.glob("*.state"))}[
            harm
        ].unlink()
    run(source, target, Smoother())
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_all_but_the_joining_was_done(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(source, tmp_path / "whole.mp4", StoppingInverter())
    target = tmp_path / "out.mp4"
    with monkeypatch.context() as broken:

        def full(self: Muxer, until: object) -> None:
            raise OSError(28, "No space left on device")

        broken.setattr(Muxer, "_write_passthrough", full)
        with pytest.raises(SinkError, match=r"out\.mp4: cannot write: No space left"):
            run(source, target, StoppingInverter())
    assert [path.name for path in folder_of(target).glob("*video*")] == []
    last = StoppingInverter()
    report = run(source, target, last)
    assert last.painted == []
    assert (report.frames, report.resumed, report.pair) == (FRAMES, FRAMES, None)
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_interrupted_with_a_finished_segment_keeps_it(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"

    class Patient(StoppingInverter):
        def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
            for frame in super().stream(frames):
                while frame.index > 20 and not interrupted:
                    pass
                yield frame

    interrupted: list[bool] = []

    def interrupt(progress: ConvertProgress) -> None:
        if progress.frames > 12:
            interrupted.append(True)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(source, target, Patient(), on_progress=interrupt)
    assert not target.exists()
    assert 0 < count_kept_frames(target) <= 20
    assert sorted(p.suffix for p in folder_of(target).iterdir()) == ["", "", ".packets", ".packets"]


def test_source_that_vanishes_is_no_short_video(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(source, tmp_path / "whole.mp4", StoppingInverter())
    target = tmp_path / "out.mp4"
    answers = chain([convert_module.source_identity(source)], repeat("something else"))
    with monkeypatch.context() as pulled_out:
        pulled_out.setattr(VideoReader, "missing", 1)
        pulled_out.setattr(convert_module, "source_identity", lambda path: next(answers))
        with pytest.raises(SourceError, match="vanished"):
            run(source, target, StoppingInverter())
    assert not target.exists()
    assert run(source, target, StoppingInverter()).resumed > 0
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_a_disk_that_is_full_from_the_start_stays_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stylize_live.conversion.segment_store.sync", full)
    with pytest.raises(SinkError, match="free some space"):
        SegmentStore(tmp_path / "out.mp4", {})
    assert list(tmp_path.iterdir()) == []


def test_two_runs_do_not_write_one_target(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with SegmentStore(target, {}):
        with pytest.raises(SinkError, match="another run"):
            run(source, target, StoppingInverter())
        assert folder_of(target).is_dir()
    run(source, target, StoppingInverter())


def test_lock_ends_with_its_file(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("ab") as first, (tmp_path / "lock").open("ab") as second:
        assert hold_lock(first)
        assert not hold_lock(second)
        first.close()
        assert hold_lock(second)


def test_killed_behind_the_last_step_but_one(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.mp4"
    old = Video(WILD[:3]).write(tmp_path / "old.mp4").rename(target)
    with monkeypatch.context() as killed:
        killed.setattr(SegmentStore, "publish", fail)
        with pytest.raises(StopError):
            run(source, target, StoppingInverter(), overwrite=True)
    with pytest.raises(UsageError, match="exists"):
        run(source, old, StoppingInverter())
    assert count_kept_frames(target) == FRAMES  # the target is the old one: all but the last step is done
    with monkeypatch.context() as killed:
        killed.setattr("stylize_live.conversion.segment_store.shutil.rmtree", lambda *_, **__: None)
        run(source, target, StoppingInverter(), overwrite=True)
    assert folder_of(target).exists()
    with pytest.raises(UsageError, match="exists"):
        run(source, target, StoppingInverter())
    assert not folder_of(target).exists()


def fail(*_: object) -> None:
    raise StopError


def test_journal_is_readable(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    stopped(source, target, StoppingInverter(50))
    lines = (folder_of(target) / "journal").read_text().splitlines()
    identity, *finished = (json.loads(line.partition(" ")[2]) for line in lines)
    assert set(identity) == {"program", "source", "settings", "painter", "arithmetic"}
    assert [segment["frames"] for segment in finished] == sorted({segment["frames"] for segment in finished})
    assert finished[-1]["frames"] == count_kept_frames(target)


def test_a_long_video_keeps_one_tail_in_memory(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a resumed video is found by; the journal on the disk keeps all."""
    kept: list[list[int]] = []
    commit = SegmentStore.commit

    def spied(self: SegmentStore, segment: FinishedSegment, state: bytes | None) -> None:
        commit(self, segment, state)
        kept.append([len(finished.tail) for finished in self.finished])

    monkeypatch.setattr(SegmentStore, "commit", spied)
    target = tmp_path / "out.mp4"
    stopped(source, target, StoppingInverter(50))
    assert len(kept) > 1
    assert all(tails == [0] * (len(tails) - 1) + tails[-1:] for tails in kept)
    assert all(segment.tail for segment in read_journal(folder_of(target) / "journal").finished)


def test_segments_made_alone_in_any_order_are_the_same(source: Path, tmp_path: Path) -> None:
    """As several machines would make them."""
    target = tmp_path / "out.mp4"
    spans = list(split_at_cuts(source))
    assert len(spans) > 4
    with VideoReader(source) as reader:
        frames = [frame.with_image(255 - frame.pixels) for frame in reader]
        clock, rate, last_duration = (
            video_clock(target, reader.time_base),
            reader.average_rate,
            reader.last_duration,
        )
    made = {}
    for span in reversed(spans):
        with VideoEncoder((64, 48), "h264", SETTINGS, clock=clock, rate=rate) as encoder:
            packets = [p for f in frames[span.start : span.start + span.frames] for p in encoder.encode(f)]
            last = frames[span.start + span.frames - 1]
            shown = span.end - last.pts if span is not spans[-1] else last_duration
            packets += encoder.finish(shown)
            made[span.start] = [(p.pts, p.dts, p.duration, bytes(p)) for p in packets]
    stopped(source, target, StoppingInverter(FRAMES - 1))
    files = sorted(folder_of(target).glob("*.packets"))
    assert len(files) == len(spans) - 1
    for span, file in zip(spans, files, strict=False):
        found = [(p.pts, p.dts, p.duration, bytes(p)) for p in read_packets(file, clock)]
        assert found == made[span.start]


def test_decoding_times_grow_over_the_joins(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    stopped(source, target, StoppingInverter(FRAMES - 1))
    files = sorted(folder_of(target).glob("*.packets"))
    packets = list(join_packets(p for file in files for p in read_packets(file, CLOCK)))
    times = [packet.dts for packet in packets]
    assert all(a is not None and b is not None and a < b for a, b in itertools.pairwise(times))
    assert all(p.pts is not None and p.dts is not None and p.dts <= p.pts for p in packets)


def test_what_an_earlier_run_noted_is_reported(tmp_path: Path) -> None:
    """Frames of another size in the middle, which the resumed run never sees."""
    source = tmp_path / "in.ts"
    parts = []
    for number, size in enumerate([(64, 48), (96, 48), (64, 48)]):
        ticks = [1001 * (20 * number + i) for i in range(20)]
        parts.append(Video(ticks, size).write(tmp_path / f"{number}.ts").read_bytes())
    source.write_bytes(b"".join(parts))
    whole = run(source, tmp_path / "whole.mp4", StoppingInverter())
    stopped(source, tmp_path / "out.mp4", StoppingInverter(59))
    report = run(source, tmp_path / "out.mp4", StoppingInverter())
    assert report.resumed > 40
    assert any("size changes" in note for note in report.notes)
    assert report.notes == whole.notes
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_a_damaged_segment_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "segment").write_bytes(b"123")
    with pytest.raises(SinkError, match="the same command again"):
        list(read_packets(tmp_path / "segment", CLOCK))
