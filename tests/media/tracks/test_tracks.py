"""What is beside the video arrives: copied untouched, rewritten in step, or named as left out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import CLOCK
from rich_clips import (
    FONT,
    WORDS,
    RichVideo,
    Sound,
    Subtitles,
    codecs,
    copy_video,
    cover_bytes,
    delay,
    heard,
    packet_hashes,
    read_frame_times,
    spoken,
)

from stylize_live.media.libraries import av

RECODED = {
    ("vorbis", ".mp4"),
    ("vorbis", ".mov"),
    ("libopus", ".mov"),
    ("flac", ".mov"),
    ("pcm_s16le", ".mp4"),
    ("mp2", ".mp4"),
    ("mp2", ".mov"),
}


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("codec", ["aac", "vorbis", "libopus", "flac", "pcm_s16le", "mp2"])
def test_sound_is_copied_where_players_take_it(tmp_path: Path, codec: str, suffix: str) -> None:
    layout = "stereo" if codec == "vorbis" else "mono"  # FFmpeg's own encoder knows no other
    source = RichVideo([Sound(codec, layout=layout)]).write(tmp_path / "in.mkv")
    target = tmp_path / f"out{suffix}"
    notes = copy_video(source, target)
    again = [note for note in notes if note.startswith("encoded again as AAC: sound in stream 1")]
    if (codec, suffix) in RECODED:
        assert "audio aac" in codecs(target)
        assert len(again) == 1
        assert ".mkv would keep it" in again[0]
    else:
        assert packet_hashes(target, "audio") == packet_hashes(source, "audio")
        assert again == []
    assert abs(delay(heard(source), heard(target))) <= 24  # half a millisecond: Matroska's rounding


@pytest.mark.parametrize("start", [0.0, 0.25])
@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_sound_encoded_again_is_not_late_by_a_sample(tmp_path: Path, start: float, layout: str) -> None:
    source = RichVideo([Sound("pcm_s16le", layout=layout, start=start)]).write(tmp_path / "in.mov")
    for suffix in (".mov", ".mkv", ".mp4"):
        target = tmp_path / f"out{suffix}"
        copy_video(source, target, audio="aac")
        assert "audio aac" in codecs(target)
        assert abs(delay(heard(source), heard(target))) <= (24 if suffix == ".mkv" else 0)
        with av.open(str(target)) as container:
            assert container.streams.audio[0].codec_context.layout.name == layout


def test_sound_on_request(tmp_path: Path) -> None:
    source = RichVideo([Sound("aac"), Sound("libopus", seed=1)]).write(tmp_path / "in.mkv")
    notes = copy_video(source, tmp_path / "aac.mkv", audio="aac")
    assert codecs(tmp_path / "aac.mkv")[1:] == ["audio aac", "audio aac"]
    assert packet_hashes(tmp_path / "aac.mkv", "audio", 0) == packet_hashes(source, "audio", 0)
    assert [note for note in notes if "again" in note] == ["encoded again as AAC: sound in stream 2 (opus)"]
    assert not any("again" in note for note in copy_video(source, tmp_path / "none.mkv", audio="none"))
    assert codecs(tmp_path / "none.mkv") == ["video h264"]


def test_a_hole_in_the_sound_becomes_silence(tmp_path: Path) -> None:
    sound = Sound("flac", hole=(0.2, 0.4))
    source = RichVideo([sound]).write(tmp_path / "in.mkv")
    copy_video(source, tmp_path / "out.mov")
    before, after = heard(source), heard(tmp_path / "out.mov")
    late = slice(int(0.42 * 48_000), int(0.6 * 48_000))
    assert delay(before[late], after[late]) == 0
    hole = slice(int(0.3 * 48_000), int(0.37 * 48_000))
    assert np.abs(after[hole]).max() < 0.05 < np.abs(after[late]).max()
    with av.open(str(tmp_path / "out.mov")) as container:
        times = [p.pts for p in container.demux(audio=0) if p.size]
    assert set(np.diff(times)) == {1024}


def test_frames_do_not_wait_for_an_encoders_lead_in(tmp_path: Path) -> None:
    """Sound starts before 0 by what AAC needs to get going; that must not move the frames."""
    source = RichVideo([Sound("aac")]).write(tmp_path / "in.mp4")
    for suffix in (".mkv", ".mp4", ".mov"):
        copy_video(source, tmp_path / f"out{suffix}")
        assert read_frame_times(tmp_path / f"out{suffix}")[0] == 0
        assert abs(delay(heard(source), heard(tmp_path / f"out{suffix}"))) <= 24


def test_sound_from_matroska_is_counted_in_samples(tmp_path: Path) -> None:
    source = RichVideo([Sound("aac")]).write(tmp_path / "in.mkv")
    copy_video(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        times = [packet.pts for packet in container.demux(audio=0) if packet.size]
        assert container.streams.audio[0].time_base == Fraction(1, 48_000)
    assert set(np.diff(times)) == {1024}


SUBTITLES = [
    ("subrip", ".mkv", ".mp4", "mov_text"),
    ("ass", ".mkv", ".mov", "mov_text"),
    ("webvtt", ".mkv", ".mp4", "mov_text"),
    ("mov_text", ".mp4", ".mkv", "subrip"),
    ("subrip", ".mkv", ".mkv", "subrip"),
    ("ass", ".mkv", ".mkv", "ass"),
    ("mov_text", ".mov", ".mp4", "mov_text"),
]


@pytest.mark.parametrize(("codec", "source_suffix", "suffix", "expected"), SUBTITLES)
def test_subtitles(tmp_path: Path, codec: str, source_suffix: str, suffix: str, expected: str) -> None:
    source = RichVideo(subtitles=[Subtitles(codec)]).write(tmp_path / f"in{source_suffix}")
    target = tmp_path / f"out{suffix}"
    notes = copy_video(source, target)
    assert codecs(target)[1] == f"subtitle {expected}"
    assert spoken(target) == spoken(source) == list(WORDS)
    if codec == expected:
        assert packet_hashes(target, "subtitle") == packet_hashes(source, "subtitle")
    assert any(note.startswith(f"rewritten as {expected}") for note in notes) == (codec != expected)
    with av.open(str(target)) as container:
        assert container.streams.subtitles[0].language == "fra"


def test_texts_that_overlap_become_one_in_mp4(tmp_path: Path) -> None:
    words = ((0, 400, "long"), (100, 100, "short"), (300, 200, "last"), (500, 50, "after"))
    source = RichVideo(subtitles=[Subtitles("subrip", words)]).write(tmp_path / "in.mkv")
    copy_video(source, tmp_path / "out.mp4")
    assert spoken(tmp_path / "out.mp4") == [
        (0, 100, "long"),
        (100, 100, "long\nshort"),
        (200, 100, "long"),
        (300, 100, "long\nlast"),
        (400, 100, "last"),
        (500, 50, "after"),
    ]


def test_everything_at_once_in_matroska(tmp_path: Path) -> None:
    video = RichVideo(
        [Sound(), Sound("libopus", seed=1, language="eng", disposition="comment")],
        [Subtitles("ass", disposition="forced")],
        cover=True,
        font=True,
        chapters=True,
        tags={"title": "a rich video", "CUSTOM": "kept"},
    )
    source = video.write(tmp_path / "in.mkv")
    assert copy_video(source, tmp_path / "out.mkv") == []
    with av.open(str(source)) as before, av.open(str(tmp_path / "out.mkv")) as after:
        assert after.chapters() == before.chapters()
        assert {k: v for k, v in after.metadata.items() if k != "ENCODER"} == {
            "title": "a rich video",
            "CUSTOM": "kept",
        }
        assert [s.type for s in after.streams] == [s.type for s in before.streams]
        assert [s.language for s in after.streams][1:4] == ["deu", "eng", "fra"]
        assert [s.disposition for s in after.streams][1:] == [s.disposition for s in before.streams][1:]
        font = next(s for s in after.streams if s.type == "attachment")
        assert (font.name, font.mimetype) == ("letters.ttf", "application/x-truetype-font")
        assert bytes(font.data) == FONT
        cover = next(s for s in after.streams.video if s.disposition & av.stream.Disposition.attached_pic)
        assert next(bytes(p) for p in after.demux(cover) if p.size) == cover_bytes()


def test_what_mp4_cannot_hold_is_named(tmp_path: Path) -> None:
    video = RichVideo([Sound()], cover=True, font=True, chapters=True, tags={"title": "x", "CUSTOM": "lost"})
    notes = copy_video(video.write(tmp_path / "in.mkv"), tmp_path / "out.mp4")
    assert len(notes) == 2
    assert "left out: tags that .mp4 has no place for (CUSTOM); .mkv would keep them" in notes
    assert any("(letters.ttf), which .mp4 cannot hold; .mkv would keep it" in note for note in notes)
    assert codecs(tmp_path / "out.mp4") == ["video h264", "audio aac", "video png"]
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["from 0", "from 250"]
        assert container.metadata["title"] == "x"
    # And back: chapters live in a track of their own, which is no loss to name.
    assert copy_video(tmp_path / "out.mp4", tmp_path / "back.mp4") == []
    assert codecs(tmp_path / "back.mp4") == ["video h264", "audio aac", "video png"]
    copy_video(tmp_path / "out.mp4", tmp_path / "back.mkv")
    assert packet_hashes(tmp_path / "back.mkv", "video", 1) == packet_hashes(tmp_path / "out.mp4", "video", 1)


def test_marks_and_languages_in_mov(tmp_path: Path) -> None:
    video = RichVideo([Sound(), Sound(seed=1, language="eng", disposition="comment")])
    notes = copy_video(video.write(tmp_path / "in.mkv"), tmp_path / "out.mov")
    assert notes == [".mov cannot mark sound in stream 2 (aac) as: comment"]
    with av.open(str(tmp_path / "out.mov")) as container:
        assert [s.language for s in container.streams.audio] == ["ger", "eng"]  # QuickTime's word for deu


def test_a_telephones_tags_are_kept(tmp_path: Path) -> None:
    tags = {"com.android.version": "12", "location": "+48.1000+011.5000/", "model": "phone"}
    video = RichVideo(tags=tags)
    source = video.write(tmp_path / "in.mkv")
    for suffix in (".mp4", ".mov"):
        assert not any("tags" in note for note in copy_video(source, tmp_path / f"out{suffix}"))
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            found = {key.lower(): value for key, value in container.metadata.items()}
        assert found["com.android.version"] == "12"
        assert found["model"] == "phone"


def test_times_of_frames_and_words_from_a_late_start(tmp_path: Path) -> None:
    ticks = tuple(30_000 + 1001 * i for i in range(12))
    video = RichVideo([Sound(start=1.0)], [Subtitles(words=((1100, 100, "late"),))], ticks=ticks)
    source = video.write(tmp_path / "in.mkv")
    copy_video(source, tmp_path / "out.mp4")
    times = read_frame_times(tmp_path / "out.mp4")
    assert [round(t * 1000) for t in times] == [round(tick * CLOCK * 1000) for tick in ticks]
    assert spoken(tmp_path / "out.mp4") == [(1100, 100, "late")]
    assert abs(delay(heard(source), heard(tmp_path / "out.mp4"))) <= 24


@pytest.mark.parametrize("layout", ["mono", "5.1(side)"])
def test_webm_gets_opus_and_webvtt(tmp_path: Path, layout: str) -> None:
    sound = Sound("flac", layout=layout)
    source = RichVideo([sound], [Subtitles("subrip")]).write(tmp_path / "in.mkv")
    target = tmp_path / "out.webm"
    notes = copy_video(source, target)
    assert codecs(target) == ["video vp9", "audio opus", "subtitle webvtt"]
    assert spoken(target) == list(WORDS)
    assert abs(delay(heard(source), heard(target))) <= 48
    assert read_frame_times(target)[0] == 0
    assert [note.split(":")[0] for note in notes if "stream" in note] == [
        "encoded again as Opus",
        "rewritten as webvtt",
    ]
