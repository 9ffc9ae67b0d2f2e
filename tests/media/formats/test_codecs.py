"""Every codec in every file that can hold it, read back; what cannot be is refused in one line."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from clips import CFR, CLOCK, Video, content, patch_colors, patches
from places import ROOT

from stylize_live.config import ConvertSettings, VideoSettings
from stylize_live.conversion.convert import open_reader
from stylize_live.errors import UsageError
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.encoder import VideoEncoder
from stylize_live.media.encode.muxer import Muxer
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.formats import encoders
from stylize_live.media.formats.codecs import (
    CODECS,
    alpha_codec,
    codec_for,
    encoder_options,
    keeps_alpha,
    pixel_format,
)
from stylize_live.media.formats.encoders import choose_encoder, list_encoders
from stylize_live.media.libraries import av

SIZE = (97, 67)  # odd on purpose
CHOICES = [
    codec for codec in CODECS if codec not in ("gif", "webp")
]  # those two: media/encode/test_image_sequence.py
PAIRS = [(codec, suffix) for codec in CHOICES for suffix in CODECS[codec].suffixes]
TEN_BITS = ["h264", "hevc", "av1", "prores", "ffv1"]


def write(path: Path, settings: VideoSettings, *, alpha: bool = False, count: int = 6) -> VideoWriter:
    """A few frames of bars, their right half transparent."""
    opacity = np.full(SIZE[::-1], 255, np.uint8)
    opacity[:, SIZE[0] // 2 :] = 0
    with VideoWriter(path, SIZE, settings, alpha=alpha) as writer:
        for index in range(count):
            pts = Fraction(index * index * 1001, 90_000)  # a rate that varies, on the default clock
            writer.write(Frame(patches(SIZE), pts, 0.0, index, opacity if alpha else None))
    return writer


@pytest.mark.parametrize(("name", "codec", "other"), [("a.mov", "h264", "prores"), ("a.webm", "av1", "vp9")])
def test_a_codec_that_cannot_be_transparent_is_told_from_the_kind_of_file(
    name: str, codec: Literal["h264", "av1"], other: str
) -> None:
    with pytest.raises(UsageError, match=f"{codec} cannot be transparent; use codec='{other}'"):
        alpha_codec(Path(name), VideoSettings(codec=codec))


@pytest.mark.parametrize(("codec", "suffix"), PAIRS, ids=lambda value: value)
def test_every_pair_is_written_and_read_back(tmp_path: Path, codec: str, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    write(path, VideoSettings(codec=codec))  # type: ignore[arg-type]
    after = content(path)
    clock = Fraction(1, 1000) if suffix in (".mkv", ".webm") else Fraction(1, 90_000)
    assert after.times == [round(Fraction(i * i * 1001, 90_000) / clock) * clock for i in range(6)]
    assert np.abs(patch_colors(after.images[2][:67, :97]) - patch_colors(patches(SIZE))).max() <= 3
    assert after.tags == ((0, 2, 1, 1) if codec == "ffv1" else (1, 1, 1, 1))
    height, width = after.images[0].shape[:2]
    expected = {"ffv1": (97, 67), "prores": (98, 67)}
    assert (width, height) == expected.get(codec, (98, 68))


@pytest.mark.parametrize("codec", TEN_BITS)
def test_ten_bits(tmp_path: Path, codec: str) -> None:
    path = tmp_path / f"out{CODECS[codec].suffixes[-1]}"
    write(path, VideoSettings(codec=codec, bits=10))  # type: ignore[arg-type]
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    assert max(component.bits for component in frame.format.components) == 10


def test_no_ten_bits_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylize_live.media.encode.encoder.supports_format", lambda *_: False)
    with pytest.raises(UsageError, match="bits=8"):
        write(tmp_path / "out.webm", VideoSettings(bits=10))
    assert list(tmp_path.iterdir()) == []


def alpha_of(path: Path) -> np.ndarray:
    """(H, W) uint8 opacity of the first frame."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        vp9 = stream.codec_context.name == "vp9"  # FFmpeg's own decoder of it knows no transparency
        decoder = av.CodecContext.create("libvpx-vp9", "r") if vp9 else stream
        for packet in container.demux(stream):
            for frame in decoder.decode(packet):  # type: ignore[attr-defined]
                return np.asarray(frame.reformat(format="rgba").to_ndarray()[..., 3])
    raise AssertionError("no frame")


@pytest.mark.parametrize(
    ("codec", "suffix"), [pair for pair in PAIRS if keeps_alpha(Path(f"x{pair[1]}"), pair[0])]
)
def test_transparency_is_kept_where_it_can_be(tmp_path: Path, codec: str, suffix: str) -> None:
    writer = write(tmp_path / f"out{suffix}", VideoSettings(codec=codec), alpha=True)  # type: ignore[arg-type]
    assert not any("transparency" in note for note in writer.notes)
    alpha = alpha_of(tmp_path / f"out{suffix}")
    assert alpha[30, 20] >= 253
    assert alpha[30, 75] <= 2


@pytest.mark.parametrize(("codec", "suffix"), [("h264", ".mp4"), ("vp9", ".mp4")])
def test_lost_transparency_is_said(tmp_path: Path, codec: str, suffix: str) -> None:
    writer = write(tmp_path / f"out{suffix}", VideoSettings(codec=codec), alpha=True)  # type: ignore[arg-type]
    assert any("transparency was dropped" in note for note in writer.notes)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("out.mp4", {"codec": "prores"}, r"\.mp4 files cannot hold prores; use \.mov or \.mkv"),
        ("out.webm", {"codec": "h264"}, r"use \.mp4, \.m4v, \.mov or \.mkv"),
        ("out.mov", {"codec": "ffv1"}, r"use \.mkv$"),
        ("out.mov", {"codec": "prores", "crf": 20}, "one quality: leave out crf"),
        ("out.mkv", {"codec": "ffv1", "crf": 20}, "loses nothing: leave out crf"),
        ("out.mp4", {"crf": 60}, "crf of h264 goes from 0 to 51"),
        ("out.avi", {}, r"use one of \.gif, \.m4v"),
    ],
)
def test_what_cannot_be_is_refused(name: str, settings: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        codec_for(Path(name), VideoSettings(**settings))  # type: ignore[arg-type]


def test_the_suffix_chooses_the_codec() -> None:
    names = {suffix: codec_for(Path(f"x{suffix}"), VideoSettings()) for suffix in (".mp4", ".mov", ".webm")}
    assert names == {".mp4": "h264", ".mov": "h264", ".webm": "vp9"}


def test_sound_in_webm_becomes_opus(tmp_path: Path) -> None:
    source = Video(CFR[:4], sound="aac").write(tmp_path / "in.mp4")
    with (
        VideoReader(source) as reader,
        VideoWriter(tmp_path / "out.webm", reader.size, like=reader) as writer,
    ):
        for frame in reader:
            writer.write(frame)
    assert [key.split()[1] for key in content(tmp_path / "out.webm").sounds] == ["opus"]
    assert any("Opus" in note for note in writer.notes)


@pytest.mark.parametrize("encoder", ["h264_nvenc", "hevc_qsv", "av1_amf", "h264_videotoolbox", "hevc_mf"])
def test_every_chip_has_options_for_every_preset(encoder: str) -> None:
    codec = encoder.partition("_")[0]
    presets = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
    options = [encoder_options(encoder, codec, VideoSettings(preset=p), False) for p in presets]  # type: ignore[arg-type]
    assert all(options)
    assert all(isinstance(value, str) for chosen in options for value in chosen.values())


def test_hardware_is_tried_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "_opens", lambda name, codec, bits: False)
    assert choose_encoder("h264", "auto") == "libx264"
    with pytest.raises(UsageError, match="no chip of this machine encodes h264; encoder='software' works"):
        choose_encoder("h264", "hardware")
    monkeypatch.setattr(encoders, "_opens", lambda name, codec, bits: name == "h264_nvenc" and bits == 8)
    monkeypatch.setattr(encoders, "_known", lambda name: name in ("h264_nvenc", "libx264"))
    assert choose_encoder("h264", "auto") == choose_encoder("h264", "hardware") == "h264_nvenc"
    assert choose_encoder("h264", "software") == choose_encoder("h264", "auto", bits=10) == "libx264"
    with pytest.raises(UsageError, match=r"no encoder for av1; it has h264$"):
        choose_encoder("av1", "auto")


def test_windows_own_way_to_any_chip_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"h264_mf", "hevc_mf", "h264_amf"}
    monkeypatch.setattr(encoders, "_known", lambda name: name in there)
    monkeypatch.setattr(encoders, "_opens", lambda name, codec, bits: True)
    assert choose_encoder("h264", "hardware") == "h264_amf"
    assert choose_encoder("hevc", "hardware") == "hevc_mf"
    assert pixel_format("h264_mf", "h264", 8, alpha=False) == "nv12"
    options = encoder_options("h264_mf", "h264", VideoSettings(crf=20), alpha=False)
    assert options == {"hw_encoding": "1", "rate_control": "quality", "quality": "60"}


def test_the_trial_tells_apart() -> None:
    assert encoders._opens("libx264", "h264", 8)
    assert encoders._opens("libx265", "hevc", 10)
    assert not encoders._opens("libx264", "prores", 8)  # asked for what it cannot store


def test_the_list_is_of_what_convert_takes() -> None:
    assert {encoder.codec for encoder in list_encoders()} == set(CODECS)


def test_encoders_keep_quiet(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path[:0] = ['tests', 'tests/media/formats']; from pathlib import Path;"
        "from test_codecs import write;"
        "from stylize_live.config import VideoSettings;"
        f"[write(Path({str(tmp_path)!r}) / f'{{c}}.mkv', VideoSettings(codec=c)) for c in ('hevc', 'av1')]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("", "")


def test_packets_may_come_from_a_file(tmp_path: Path) -> None:
    """What an encoder made earlier goes into a target as well as what it makes now."""
    frames = [Frame(patches(), tick * CLOCK, 0.0, index) for index, tick in enumerate(CFR)]
    side, target = tmp_path / "side.mp4", tmp_path / "out.mp4"
    with (
        VideoEncoder((64, 48), "h264", VideoSettings(), clock=CLOCK) as encoder,
        av.open(str(side), "w") as output,
    ):
        stream = output.add_stream_from_template(encoder.stream, opaque=True)
        stream.time_base = CLOCK
        packets = [packet for frame in frames for packet in encoder.encode(frame)] + encoder.finish()
        for packet in packets:
            packet.stream = stream
            output.mux_one(packet)
    with av.open(str(side)) as stored, Muxer(target, stored.streams.video[0], clock=CLOCK) as muxer:
        muxer.write(packet for packet in stored.demux(video=0) if packet.size)
    assert content(target).times == [frame.pts for frame in frames]


@pytest.mark.parametrize(
    ("suffix", "codec", "keeps"),
    [
        (".mp4", "h264", True),
        (".mkv", "h264", True),
        (".mov", "prores", True),
        (".mp4", "vp9", True),
        (".webm", "vp9", False),
        (".webm", "av1", False),
        (".mkv", "ffv1", False),
        (".gif", "auto", False),
    ],
)
def test_the_shape_of_pixels_is_kept_or_made_square(
    tmp_path: Path, suffix: str, codec: str, keeps: bool
) -> None:
    source = Video(CFR[:3], sample_aspect=Fraction(16, 11)).write(tmp_path / "in.mp4")
    target, settings = tmp_path / f"out{suffix}", ConvertSettings(codec=codec)  # type: ignore[arg-type]
    with open_reader(source, target, settings) as reader:
        assert [note for note in reader.notes if "made square" in note] == (
            [] if keeps else ["pixels of 16:11, which this kind of file does not store, were made square"]
        )
        with VideoWriter(target, reader.size, settings, like=reader) as writer:
            for frame in reader:
                writer.write(frame)
    with VideoReader(target) as reader:
        assert reader.size == ((64, 48) if keeps else (94, 48))
        assert reader.sample_aspect in ([Fraction(16, 11)] if keeps else [None, 1])
