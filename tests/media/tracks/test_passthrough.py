"""Packets that are copied: good ones all arrive, bad ones are counted and cost nothing else."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import Video, content
from interrupted import StoppingInverter
from rich_clips import (
    RichVideo,
    Sound,
    Subtitles,
    Words,
    codecs,
    copy_video,
    delay,
    heard,
    noise,
    packet_hashes,
    spoken,
)

from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import convert
from stylize_live.conversion.queue import ConversionJob, convert_all, exit_code
from stylize_live.errors import EXIT_PARTIAL, SinkError
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.muxer import Muxer
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.libraries import av
from stylize_live.media.tracks.adts import AdtsHeader, is_adts
from stylize_live.media.tracks.track import CopiedTrack

SETTINGS = ConvertSettings(preset="ultrafast")
SIX_LINES: tuple[Words, ...] = (
    (100, 50, "first"),
    (200, 50, "one"),
    (200, 60, "two"),
    (200, 70, "three"),
    (201, 20, "after it"),
    (202, 20, "last"),
)


def damaged(source: Path, target: Path) -> int:
    """Write a video unchanged; packets beside it that were not used."""
    with (
        VideoReader(source) as reader,
        VideoWriter(target, reader.size, SETTINGS, like=reader) as writer,
    ):
        for frame in reader:
            writer.write(frame)
        writer.finish()
        return writer.damaged


@pytest.mark.parametrize("codec", ["ass", "subrip", "webvtt"])
def test_lines_that_start_together_are_no_damage(tmp_path: Path, codec: str) -> None:
    source = RichVideo(subtitles=[Subtitles(codec, words=SIX_LINES)]).write(tmp_path / "in.mkv")
    assert damaged(source, tmp_path / "out.mkv") == 0
    assert spoken(tmp_path / "out.mkv") == spoken(source) == list(SIX_LINES)
    assert packet_hashes(tmp_path / "out.mkv", "subtitle") == packet_hashes(source, "subtitle")


def test_lines_that_go_back_are_shown_a_little_later(tmp_path: Path) -> None:
    lines: tuple[Words, ...] = (
        (300, 100, "ahead"),
        (280, 100, "behind"),
        (290, 110, "too"),
        (10, 20, "gone"),
    )
    source = RichVideo(subtitles=[Subtitles("subrip")]).write(tmp_path / "in.mkv")
    with av.open(str(source)) as container, av.open(str(tmp_path / "out.mkv"), "w") as output:
        video = container.streams.video[0], container.streams.subtitles[0]
        track = CopiedTrack(output, video[1])
        output.start_encoding()
        for start, duration, text in lines:
            packet = av.Packet(text.encode())
            packet.time_base, packet.pts, packet.dts, packet.duration = (
                Fraction(1, 1000),
                start,
                start,
                duration,
            )
            for ready in track.take(packet):
                output.mux_one(ready)
        list(track.flush())
        assert track.damaged == 1
    assert spoken(tmp_path / "out.mkv") == [(300, 100, "ahead"), (300, 80, "behind"), (300, 100, "too")]


@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
def test_packets_shorter_than_a_tick_of_the_clock(tmp_path: Path, suffix: str) -> None:
    """Forty samples last 0.83 ms, and Matroska counts milliseconds: TrueHD comes so."""
    samples = np.random.default_rng(0).integers(-9000, 9000, (1, 24_000)).astype(np.int16)
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as output:
        video = Video()
        stream = video.video_stream(output)
        sound = output.add_stream("pcm_s16le", rate=48_000)
        assert isinstance(sound, av.AudioStream)
        sound.codec_context.layout = "mono"
        video.mux_video(output, stream)
        for start in range(0, 24_000, 40):
            frame = av.AudioFrame.from_ndarray(samples[:, start : start + 40], "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
            output.mux(sound.encode(frame))
    with av.open(str(source)) as container:
        times = [packet.dts for packet in container.demux(audio=0) if packet.size]
        assert len(set(times)) < len(times) == 600
    target = tmp_path / f"out{suffix}"
    assert damaged(source, target) == 0
    with av.open(str(target)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
    assert b"".join(map(bytes, packets)) == samples.tobytes()
    if suffix == ".mkv":
        assert [packet.dts for packet in packets] == times
    assert packets[-1].dts * packets[-1].time_base == pytest.approx(0.5, abs=0.05)


@pytest.fixture
def damaged_sound(tmp_path: Path) -> Path:
    """A transport stream in whose middle three packets of sound name a rate that there is not."""
    whole = RichVideo([Sound("aac", layout="stereo")]).write(tmp_path / "whole.ts")
    data = bytearray(whole.read_bytes())
    heads = [at for at in range(len(data) - 7) if data[at : at + 3] == b"\xff\xf1\x4c"]
    assert len(heads) > 25
    for at in heads[9:12]:
        data[at + 2] |= 0x3C
    source = tmp_path / "damaged.ts"
    source.write_bytes(bytes(data))
    return source


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_one_damaged_sound_packet_costs_no_video(damaged_sound: Path, suffix: str) -> None:
    target = damaged_sound.with_name(f"out{suffix}")
    [outcome] = convert_all([ConversionJob(damaged_sound, target)], StoppingInverter(), SETTINGS)
    assert outcome.report is not None
    assert exit_code([outcome]) == EXIT_PARTIAL
    lost = outcome.report.damaged
    assert 0 < lost < 6
    assert f"{lost} damaged packets or frames of the source were skipped" in outcome.report.notes
    assert codecs(target) == ["video h264", "audio aac"]
    assert len(content(target).times) == 18
    assert len(packet_hashes(target, "audio")) > 20


def test_what_the_muxer_refuses_is_known_before_painting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise av.error.InvalidDataError(0, "no such thing")

    source = RichVideo([Sound("aac")]).write(tmp_path / "in.mkv")
    monkeypatch.setattr(Muxer, "_add_passthrough", refuse)
    stylizer = StoppingInverter()
    with pytest.raises(SinkError, match=r"out\.mp4: FFmpeg refuses .*audio='none'"):
        convert(source, tmp_path / "out.mp4", stylizer, SETTINGS)
    assert stylizer.painted == []
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


@pytest.mark.parametrize(
    ("codec", "suffix", "keepers"),
    [
        ("vorbis", ".mkv", [".mkv"]),
        ("pcm_s16le", ".avi", [".mov", ".mkv"]),
        ("mp2", ".mkv", [".mkv"]),
        ("wavpack", ".mkv", [".mkv"]),
        ("adpcm_ima_wav", ".avi", []),
        ("adpcm_ms", ".avi", []),
    ],
)
def test_what_would_keep_sound_keeps_it(tmp_path: Path, codec: str, suffix: str, keepers: list[str]) -> None:
    video = Video(codec="mpeg4") if suffix == ".avi" else Video()
    sound = Sound(codec, layout="stereo")
    source = tmp_path / f"in{suffix}"
    with av.open(str(source), "w") as output:
        stream, heard = video.video_stream(output), sound.add(output)
        video.mux_video(output, stream)
        sound.mux(output, heard)
    notes = " ".join(copy_video(source, tmp_path / "out.mp4"))
    assert f"encoded again as AAC: sound in stream 1 ({codec})" in notes
    assert (" or ".join(keepers) + " would keep it" in notes) == bool(keepers)
    for ending in keepers:
        copy_video(source, tmp_path / f"kept{ending}")
        assert codecs(tmp_path / f"kept{ending}")[1] == codecs(source)[1]
    if not keepers:
        assert "would keep it" not in notes
        said = copy_video(source, tmp_path / "out.mkv")
        assert any("which cannot be put into .mkv here" in note for note in said)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_tags_in_the_alphabet_of_windows(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / "in.avi"
    with av.open(str(source), "w") as output:
        video = Video(codec="mpeg4")
        stream = video.video_stream(output)
        output.metadata.update({"title": "Gr~~e \u2013 caf\u00e9", "artist": "M~ller"})
        video.mux_video(output, stream)
    data = source.read_bytes().replace(b"Gr~~e", b"Gr\xfc\xdfe").replace(b"M~ller", b"M\xfcller")
    source.write_bytes(data)
    copy_video(source, tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    assert (tags["title"], tags["artist"]) == ("Gr\u00fc\u00dfe \u2013 caf\u00e9", "M\u00fcller")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("layouts", [("stereo", "5.1", "stereo"), ("5.1", "stereo")])
def test_sound_that_changes_its_speakers_in_the_middle(
    tmp_path: Path, layouts: tuple[str, ...], suffix: str
) -> None:
    source, target = tmp_path / "in.ts", tmp_path / f"out{suffix}"
    with source.open("wb") as joined:
        for seed, layout in enumerate(layouts):
            part = RichVideo([Sound("aac", layout=layout, seed=seed)]).write(tmp_path / "part.ts")
            joined.write(part.read_bytes())
    notes = copy_video(source, target)
    said = "encoded again in part: sound in stream 1 (aac), which changes in the middle"
    assert notes.count(said) == 1
    with av.open(str(target)) as container:
        frames = list(container.decode(audio=0))
    assert {frame.layout.name for frame in frames} == {layouts[0]}
    assert sum(frame.samples for frame in frames) == pytest.approx(len(layouts) * 30_720, abs=2048)
    sound = heard(target)
    starts = [
        delay(noise(0.6, 6 if name == "5.1" else 2, seed)[0], sound) for seed, name in enumerate(layouts)
    ]
    assert np.diff(starts) == pytest.approx(0.6006 * 48_000, abs=1500)


def test_heads_of_sound_packets(tmp_path: Path) -> None:
    source = RichVideo([Sound("aac", layout="5.1")]).write(tmp_path / "in.ts")
    with av.open(str(source)) as container:
        packet = next(packet for packet in container.demux(audio=0) if packet.size)
        assert is_adts(container.streams.audio[0])
        head = AdtsHeader(packet)
        assert head.is_valid
        assert head.kind == (1, 3, 6)
        again = AdtsHeader(av.Packet(head.wrap(bytes(5000))))
        assert again.kind == head.kind
        data = bytes(packet)
        assert head.wrap(data[7:])[:5] == data[:5]
    assert not AdtsHeader(av.Packet(b"\xff\xf1")).is_valid
