"""Parts of videos, other rates and other sizes: exact times, sound and words in step."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np
import pytest
from clips import CFR, CLOCK, VFR, Video, content, numbered

from stylize_live.config import ConvertSettings, SourceSettings
from stylize_live.errors import SourceError
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.decode.trim import TimedFrame, Trim, resample_frames
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.libraries import av
from stylize_live.media.tracks.passthrough import PassthroughStreams
from stylize_live.units import fit_size, parse_rate, parse_seconds

LONG = tuple(1001 * i for i in range(90))
THIRTY = Fraction(30_000, 1001)


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.5", Fraction(25, 2)), ("0", Fraction(0)), ("1:02:03.5", Fraction(7447, 2)), ("90", Fraction(90))],
)
def test_times(text: str, value: Fraction) -> None:
    assert parse_seconds(text) == value


@pytest.mark.parametrize("text", ["", "abc", "-1", "1:60", "1:2:3:4", "1.5:00", "1::2", "+3"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid time"):
        parse_seconds(text)


def test_rates() -> None:
    assert parse_rate("25") == 25
    assert parse_rate("29.97") == parse_rate("30000/1001") == THIRTY
    assert parse_rate("12.5") == Fraction(25, 2)
    for text in ("fast", "0", "-1", "1/0", "2000"):
        with pytest.raises(ValueError, match="frame rate"):
            parse_rate(text)


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("1280x720", (1920, 1080), (1280, 720)),
        ("1280x720", (1080, 1920), (404, 720)),
        ("720p", (1920, 1080), (1280, 720)),
        ("720p", (1080, 1920), (720, 1280)),
        ("480", (640, 360), (854, 480)),
    ],
)
def test_sizes(text: str, size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fit_size(text, size) == expected


@pytest.mark.parametrize("text", ["big", "0x5", "99999p", "640x"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"size|side"):
        fit_size(text, (640, 360))


@pytest.mark.parametrize(
    "values", [{"size": "big"}, {"fps": "x"}, {"start": "x"}, {"start": "5", "end": "5"}]
)
def test_settings_are_checked_at_once(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"size|frame rate|time|after"):
        ConvertSettings(**values)  # type: ignore[arg-type]


def video(*times: int) -> list[TimedFrame]:
    """Frames at these tenths of seconds; the last is shown for one."""
    ends = [*times[1:], times[-1] + 1]
    return [
        TimedFrame(av.VideoFrame(2, 2, "gray"), Fraction(t, 10), Fraction(e - t, 10))
        for t, e in zip(times, ends, strict=True)
    ]


def tenths(shown: list[TimedFrame]) -> list[tuple[float, float]]:
    return [(float(s.when * 10), float(s.duration * 10)) for s in shown]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, None, [(0, 1), (1, 4), (5, 1)]),
        (3, None, [(0, 2), (2, 1)]),  # the frame on screen at 3 is shown from there
        (1, 3, [(0, 2)]),
        (5, 6, [(0, 1)]),
        (7, None, []),
    ],
)
def test_cut(start: int, end: int | None, expected: list[tuple[float, float]]) -> None:
    cut = Trim(Fraction(start, 10), None if end is None else Fraction(end, 10))
    assert tenths(list(cut.select(video(0, 1, 5)))) == expected


def test_constant_rate() -> None:
    source = video(0, 1, 5, 6)
    doubled = list(resample_frames(source, Fraction(20)))
    assert [s.when for s in doubled] == [Fraction(i, 20) for i in range(14)]
    numbers = [[x.frame for x in source].index(s.frame) for s in doubled]
    assert numbers == [0] * 2 + [1] * 8 + [2] * 2 + [3] * 2
    halved = list(resample_frames(video(*range(8)), Fraction(5)))
    assert [s.when for s in halved] == [Fraction(i, 5) for i in range(4)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize(("start", "end"), [("1", "2.5"), ("2.5", None), (None, "0.5")])
def test_a_part_is_read(tmp_path: Path, suffix: str, start: str | None, end: str | None) -> None:
    source = Video(LONG).write(tmp_path / f"in{suffix}")
    with VideoReader(source) as whole:
        everything = list(whole)
    with VideoReader(source, SourceSettings(start=start, end=end)) as reader:
        part = list(reader)
        first, last = reader.trim.start, parse_seconds(end) if end else Fraction(10)
        assert (reader.missing, reader.damaged, reader.retimed) == (0, 0, 0)
    inside = [f for f in everything if first < f.pts < last]
    assert [f.pts for f in part[-len(inside) :]] == [f.pts - first for f in inside]
    assert part[0].pts == 0
    assert len(part) in (len(inside), len(inside) + 1)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(part[-len(inside) :], inside, strict=True))


def test_a_part_after_the_end_is_refused(tmp_path: Path) -> None:
    source = Video(CFR).write(tmp_path / "in.mp4")
    with pytest.raises(SourceError, match="ends before the start, 50"):
        VideoReader(source, SourceSettings(start="50"))


def test_sound_and_chapters_are_cut_in_step(tmp_path: Path) -> None:
    source = Video(LONG[:30], sound="aac", sound_seconds=1.0, chapters=True).write(tmp_path / "in.mp4")
    settings = SourceSettings(start="0.3", end="0.8")
    target = tmp_path / "out.mp4"
    with VideoReader(source, settings) as reader, VideoWriter(target, reader.size, like=reader) as writer:
        for frame in reader:
            writer.write(frame)
    before, after = content(source), content(target)
    [whole], [part] = before.sounds.values(), after.sounds.values()
    at = ceil((Fraction(3, 10) - before.sound_starts[0]) / Fraction(1024, 48_000))
    assert part == whole[at : at + len(part)]
    # A packet of AAC is 1024 samples; the first one inside the cut is the first one kept.
    packet = Fraction(1024, 48_000)
    assert abs(before.sound_starts[0] + at * packet - Fraction(3, 10) - after.sound_starts[0]) < Fraction(
        1, 1000
    )
    assert len(part) == pytest.approx(0.5 / packet, abs=1)
    with av.open(str(target)) as container:
        chapters = [(c["start"] * c["time_base"], c["end"] * c["time_base"]) for c in container.chapters()]
    assert chapters == [(Fraction(0), Fraction(1, 5))]  # of two; it began before the cut


def test_words_on_screen_at_the_start_stay(tmp_path: Path) -> None:
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as output:
        clip = Video(LONG)
        stream = clip.video_stream(output)
        words = output.add_mux_stream("subrip", time_base=Fraction(1, 1000))
        for text, start, duration in ((b"gone", 0, 500), (b"here", 600, 1400), (b"later", 2500, 300)):
            packet = av.Packet(text)
            packet.stream, packet.time_base = words, Fraction(1, 1000)
            packet.pts, packet.dts, packet.duration = start, start, duration
            output.mux_one(packet)
        clip.mux_video(output, stream)
    with VideoReader(source, SourceSettings(start="1", end="2.6")) as reader:
        passthrough = PassthroughStreams(reader)
        passthrough.choose(passthrough.streams)
        found = [(bytes(p), p.pts, p.duration) for p in passthrough.packets(None)]
        passthrough.close()
    assert found == [(b"here", 0, 1000), (b"later", 1500, 300)]


def test_another_rate_and_size(tmp_path: Path) -> None:
    source = Video(VFR, rotation=90).write(tmp_path / "in.mp4")
    with VideoReader(source, SourceSettings(fps="24", size="32p")) as reader:
        frames = list(reader)
        assert (reader.rate, reader.average_rate) == (24, 24)
        assert reader.size == (32, 42)
    assert [f.pts for f in frames] == [Fraction(i, 24) for i in range(len(frames))]
    assert len(frames) == pytest.approx(float(VFR[-1] * CLOCK * 24), abs=2)
    assert frames[0].size == (32, 42)


def test_exact_rate_in_the_file(tmp_path: Path) -> None:
    source = Video(CFR).write(tmp_path / "in.mp4")
    target = tmp_path / "out.mp4"
    with (
        VideoReader(source, SourceSettings(fps="23.976")) as reader,
        VideoWriter(target, reader.size, rate=reader.average_rate, like=reader) as writer,
    ):
        for frame in reader:
            writer.write(frame)
    assert content(target).times == [Fraction(1001 * i, 24_000) for i in range(len(content(target).times))]
    assert np.abs(content(target).images[0].astype(int) - numbered(0)).mean() < 6
