"""Sound of any number of channels, in any order, is brought to an encoder: each speaker keeps its own."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import Video
from rich_clips import RichVideo, Sound, codecs, copy_video, noise

from stylize_live.media.libraries import av
from stylize_live.media.tracks.channel_layout import ChannelLayout, Mixer, encoder_layout


def channels(path: Path) -> tuple[str, np.ndarray]:
    """The layout of the first sound, and its samples, (channels, N) float32 from time 0."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", None, 48_000)
        parts, layout = [], ""
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                assert part.pts is not None
                layout = part.layout.name
                parts.append(part.to_ndarray().reshape(-1, part.layout.nb_channels))
    return layout, np.concatenate(parts).T


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """How much two sounds agree, 1 for the same; they begin within 50 ms of each other."""
    size = 1 << (one.size + other.size).bit_length()
    product = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size)), size)
    return float(product.max() / (np.linalg.norm(one) * np.linalg.norm(other)))


@pytest.mark.parametrize(
    ("codec", "suffix", "expected"),
    [("pcm_s16le", ".mp4", "aac"), ("flac", ".mov", "aac"), ("pcm_f32le", ".webm", "opus")],
)
def test_eight_channels_stay_eight(tmp_path: Path, codec: str, suffix: str, expected: str) -> None:
    source = RichVideo([Sound(codec, layout="7.1")]).write(tmp_path / "in.mkv")
    target = tmp_path / f"out{suffix}"
    copy_video(source, target)
    assert codecs(target)[1:] == [f"audio {expected}"]
    layout, found = channels(target)
    assert layout == "7.1"
    for number, wanted in enumerate(noise(0.6, 8)):
        if number != 3:  # the subwoofer's own is cut above 120 Hz
            alike = [likeness(wanted, other) for other in found]
            assert int(np.argmax(alike)) == number
            assert alike[number] > 0.7


@pytest.mark.parametrize(("count", "left"), [(9, 5), (16, 8), (40, 20)])
def test_many_channels_become_two(tmp_path: Path, count: int, left: int) -> None:
    source = silent_but_for(tmp_path / "in.mkv", count, loud=4)
    notes = copy_video(source, tmp_path / "out.mp4")
    assert any(f"{count - 2} of its channels were mixed into the others" in note for note in notes)
    layout, (one, other) = channels(tmp_path / "out.mp4")
    assert layout == "stereo"
    assert np.abs(one).max() == pytest.approx(0.5 / left, rel=0.3)
    assert np.abs(other).max() < 0.01


def test_more_channels_than_can_be_mixed(tmp_path: Path) -> None:
    source = silent_but_for(tmp_path / "in.mkv", 100, loud=4)
    notes = copy_video(source, tmp_path / "out.mp4")
    assert any("more channels than can be mixed" in note for note in notes)
    assert codecs(tmp_path / "out.mp4") == ["video h264"]
    copy_video(source, tmp_path / "out.mov")
    assert codecs(tmp_path / "out.mov")[1] == "audio pcm_s16le"


def silent_but_for(path: Path, count: int, loud: int) -> Path:
    """A video with so many channels of PCM, in one of which there is a tone."""
    samples = np.zeros((24_000, count), np.int16)
    samples[:, loud] = 16_384 * np.sin(np.arange(24_000) / 10)
    with av.open(str(path), "w") as output:
        video = Video()
        stream = video.video_stream(output)
        sound = output.add_stream("pcm_s16le", rate=48_000)
        assert isinstance(sound, av.AudioStream)
        sound.codec_context.layout = f"{count}C"
        video.mux_video(output, stream)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", f"{count}C")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return path


def test_speakers_in_the_files_own_order(tmp_path: Path) -> None:
    """The order of 5.1 that videos have in cinemas: centre, left, right, at the sides, subwoofer."""
    source = RichVideo([Sound("pcm_s16le", layout="5.1(side)")]).write(tmp_path / "in.mov")
    data = bytearray(source.read_bytes())
    at = data.index(b"chan") + 8
    data[at : at + 8] = (124 << 16 | 6).to_bytes(4, "big") + bytes(4)
    source.write_bytes(bytes(data))
    copy_video(source, tmp_path / "out.mp4")
    layout, found = channels(tmp_path / "out.mp4")
    assert layout == "5.1"
    centre, left, right, *_ = noise(0.6, 6)
    assert all(
        likeness(wanted, other) > 0.7 for wanted, other in zip((left, right, centre), found, strict=False)
    )


@pytest.mark.parametrize("layout", ["5.1(side)", "4.1", "6.1(back)", "7.1(wide)", "mono"])
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_players_know_the_speakers(tmp_path: Path, layout: str, suffix: str) -> None:
    source = RichVideo([Sound("pcm_s16le", layout=layout, seconds=0.1)]).write(tmp_path / "in.mov")
    copy_video(source, tmp_path / f"out{suffix}")
    expected = {"5.1(side)": "5.1", "4.1": "5.1", "mono": "mono"}.get(layout, "7.1")
    if (layout, suffix) == ("6.1(back)", ".webm"):
        expected = "6.1"
    assert channels(tmp_path / f"out{suffix}")[0] == expected


def test_a_cinema_of_24_speakers_becomes_eight() -> None:
    assert encoder_layout("aac", "22.2") == encoder_layout("libopus", "hexadecagonal") == "7.1"
    frame = av.AudioFrame.from_ndarray(np.full((1, 480 * 24), 0.1, np.float32), "flt", "22.2")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    [(when, samples)] = Mixer(ChannelLayout("22.2", 24), "7.1", 48_000).mix(frame)
    assert (when, samples.shape) == (0, (480, 8))
    assert samples[:, :6].min() > 0


@pytest.mark.parametrize(
    ("name", "count", "plain"),
    [
        ("5.1", 6, "5.1"),
        ("8 channels", 8, "7.1"),
        ("2 channels (FR+FL)", 2, "stereo"),
        ("2 channels (FL+FL)", 2, "stereo"),
        ("ambisonic 1", 4, "stereo"),
        ("ambisonic 1+stereo", 6, "stereo"),
        ("9 channels", 9, "stereo"),
    ],
)
def test_names_of_speakers(name: str, count: int, plain: str) -> None:
    speakers = ChannelLayout(name, count)
    assert speakers.plain == plain
    if speakers.matrix is not None:
        assert speakers.matrix.shape == (av.AudioLayout(plain).nb_channels, count)
    if "FR+FL" in name:
        assert speakers.matrix is not None
        assert speakers.matrix.tolist() == [[0, 1], [1, 0]]


def test_sound_that_changes_its_speakers() -> None:
    mixer = Mixer(ChannelLayout("stereo", 2), "stereo", 48_000)
    found = []
    for layout, count, value in (("stereo", 2, 0.1), ("6C", 6, 0.2), ("mono", 1, 0.3), ("stereo", 2, 0.4)):
        frame = av.AudioFrame.from_ndarray(np.full((1, 480 * count), value, np.float32), "flt", layout)
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 480 * len(found), Fraction(1, 48_000)
        found += list(mixer.mix(frame))
    found += list(mixer.flush())
    assert sum(len(samples) for _, samples in found) == 4 * 480
    assert [when for when, _ in found] == [Fraction(i, 100) for i in range(4)]
    levels = [samples.mean(axis=0) for _, samples in found]
    assert np.allclose(levels[0], 0.1)
    assert np.allclose(levels[3], 0.4)
    assert all(np.allclose(left, right) for left, right in levels)
