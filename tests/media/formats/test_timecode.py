"""What a video says of itself stays true when a part of it is taken, or another rate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from clips import CFR, Ticks, Video
from rich_clips import copy_video

from stylize_live.config import SourceSettings, VideoSettings
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.formats.stereo_marks import SPHERE_LOST
from stylize_live.media.formats.timecode import shift_timecode
from stylize_live.media.libraries import av
from stylize_live.media.tracks.passthrough import PassthroughStreams

THIRTY, SIXTY = Fraction(30_000, 1001), Fraction(60_000, 1001)
AT_25: Ticks = tuple(1200 * i for i in range(50))


@pytest.mark.parametrize(
    ("timecode", "rate", "start", "new_rate", "expected"),
    [
        ("01:00:00:24", 25, 0, None, "01:00:00:24"),
        ("01:00:00:24", 25, 1, None, "01:00:01:24"),
        ("01:00:00:24", 25, Fraction(1, 25), None, "01:00:01:00"),
        ("23:59:59:24", 25, Fraction(2, 25), None, "00:00:00:01"),
        ("01:00:00:24", 25, 0, 12, "01:00:00:11"),
        ("01:00:00:24", 25, 1, 50, "01:00:01:48"),
        ("00:59:59:29", THIRTY, 1 / THIRTY, None, "01:00:00:00"),
        ("00:00:59:29", THIRTY, 1 / THIRTY, None, "00:01:00:00"),
        ("00:00:59;29", THIRTY, 1 / THIRTY, None, "00:01:00;02"),
        ("00:09:59;29", THIRTY, 1 / THIRTY, None, "00:10:00;00"),
        ("00:00:00;00", THIRTY, 600, None, "00:10:00;00"),
        ("00:00:00:00", THIRTY, 600, None, "00:09:59:12"),
        ("00:00:59;59", SIXTY, 1 / SIXTY, None, "00:01:00;04"),
        ("00:01:00;02", THIRTY, 0, SIXTY, "00:01:00;04"),
        ("00:01:00;04", SIXTY, 0, THIRTY, "00:01:00;02"),
        ("00:01:00;02", THIRTY, 0, 25, "00:01:00:01"),
        ("00:01:00:00", 24, 0, THIRTY, "00:01:00:00"),
        ("somewhere", 25, 1, 12, "somewhere"),
    ],
)
def test_timecodes(
    timecode: str, rate: Fraction, start: Fraction, new_rate: Fraction | None, expected: str
) -> None:
    new = None if new_rate is None else Fraction(new_rate)
    assert shift_timecode(timecode, Fraction(rate), Fraction(start), new) == expected


def test_each_label_of_a_day_of_drop_frame_is_met_once() -> None:
    for minute in (0, 1, 9, 10, 11, 59, 60, 1439):
        label = f"{minute // 60:02d}:{minute % 60:02d}:30;00"
        seconds = (minute * 60 + 30) * 1000
        back = shift_timecode("00:00:00;00", THIRTY, Fraction(images_before(minute)) / THIRTY, None)
        assert back == label
        assert abs(images_before(minute) / float(THIRTY) * 1000 - seconds) < 200


def images_before(minute: int) -> int:
    """Of 29.97 frames a second, those before the 30th second of a minute, each dropped number counted."""
    dropped = sum(2 for passed in range(1, minute + 1) if passed % 10)
    return (minute * 60 + 30) * 30 - dropped


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (SourceSettings(), "01:00:00:24"),
        (SourceSettings(start="1"), "01:00:01:24"),
        (SourceSettings(fps="12"), "01:00:00:11"),
    ],
)
def test_timecodes_in_files(tmp_path: Path, suffix: str, part: SourceSettings, expected: str) -> None:
    source = tmp_path / f"in{suffix}"
    with av.open(str(source), "w") as output:
        video = Video(AT_25)
        stream = video.video_stream(output)
        stream.codec_context.framerate = Fraction(25)
        stream.metadata["timecode"] = "01:00:00:24"
        video.mux_video(output, stream)
    target = tmp_path / f"out{suffix}"
    with VideoReader(source, part) as reader:
        rate, size = reader.average_rate, reader.size
        with VideoWriter(target, size, VideoSettings(preset="ultrafast"), rate=rate, like=reader) as writer:
            for frame in reader:
                writer.write(frame)
    with av.open(str(target)) as container:
        tags = container.streams.video[0].metadata
    assert {key.lower(): value for key, value in tags.items()}["timecode"] == expected


def test_chapters_that_count_in_seconds_are_cut_between_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Video(AT_25).write(tmp_path / "in.mp4")
    chapter = {"id": 1, "start": 0, "end": 2, "time_base": Fraction(1), "metadata": {}}
    monkeypatch.setattr(av.container.InputContainer, "chapters", lambda self: [dict(chapter)])
    with VideoReader(source, SourceSettings(start="0.4", end="1.3")) as reader:
        passthrough = PassthroughStreams(reader)
        [found] = passthrough.chapters
        passthrough.close()
    assert found["time_base"] is not None
    assert found["start"] * found["time_base"] == 0
    assert found["end"] * found["time_base"] == Fraction(9, 10)


@pytest.mark.parametrize(("suffix", "kept"), [(".mkv", True), (".webm", True), (".mp4", False)])
def test_a_video_for_two_eyes_says_so_or_is_said_to_be_none(tmp_path: Path, suffix: str, kept: bool) -> None:
    source = tmp_path / "in.mp4"
    with av.open(str(source), "w") as output:
        video = Video(CFR)
        stream = video.video_stream(output)
        stream.codec_context.options = {"x264-params": "frame-packing=3"}
        video.mux_video(output, stream)
    target = tmp_path / f"out{suffix}"
    notes = copy_video(source, target)
    assert any("the mark of a stereo video" in note for note in notes) != kept
    with av.open(str(target)) as container:
        image = next(container.decode(video=0))
        assert (image.side_data.get("STEREO3D") is not None) == kept
        assert (container.streams.video[0].metadata.get("stereo_mode") == "left_right") == kept


def test_a_video_all_around_is_said_to_be_none(tmp_path: Path) -> None:
    source = Video(CFR).write(tmp_path / "in.mp4")
    source.write_bytes(with_sphere(source.read_bytes()))
    notes = copy_video(source, tmp_path / "out.mp4")
    assert [note for note in notes if "360-degree" in note] == [SPHERE_LOST]


def with_sphere(data: bytes) -> bytes:
    """An MP4 file of one track, its index at the end, with the mark that cameras put into it."""
    names = [("Spherical", "true"), ("Stitched", "true"), ("StitchingSoftware", "a camera")]
    names.append(("ProjectionType", "equirectangular"))
    words = "".join(f"<GSpherical:{name}>{value}</GSpherical:{name}>" for name, value in names)
    text = f'<?xml version="1.0"?><rdf:SphericalVideo>{words}</rdf:SphericalVideo>'.encode()
    body = b"uuid" + bytes.fromhex("ffcc8263f8554a938814587a02521fdd") + text
    box = (4 + len(body)).to_bytes(4, "big") + body
    grown = bytearray(data)
    index, track = data.rindex(b"moov") - 4, data.rindex(b"trak") - 4
    end = track + int.from_bytes(data[track : track + 4], "big")
    for at in (index, track):
        grown[at : at + 4] = (int.from_bytes(data[at : at + 4], "big") + len(box)).to_bytes(4, "big")
    return bytes(grown[:end]) + box + bytes(grown[end:])
