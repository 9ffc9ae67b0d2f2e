"""Tiny clips with known content, made through PyAV."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.media.color.colorspace import ToRgb
from stylize_live.media.libraries import av

CLOCK = Fraction(1, 30_000)
SIZE = (64, 48)
PATCHES = ((235, 64, 32), (16, 200, 120), (40, 60, 220), (240, 240, 240), (20, 20, 20), (128, 128, 128))
Ticks = Sequence[int]
CFR: Ticks = tuple(1001 * i for i in range(12))
VFR: Ticks = (0, 1001, 1500, 7000, 7001, 20_000, 21_001, 60_000)

_encoded: dict[tuple[bytes, str], bytes] = {}


def patches(size: tuple[int, int] = SIZE) -> Pixels:
    """Six vertical bars of known colours, (H, W, 3) uint8 RGB."""
    width, height = size
    columns = np.arange(width) * len(PATCHES) // width
    return np.ascontiguousarray(np.broadcast_to(np.array(PATCHES, np.uint8)[columns], (height, width, 3)))


def patch_colors(pixels: Pixels) -> np.ndarray:
    """The colours in the middle of the bars, (6, 3) int."""
    height, width = pixels.shape[:2]
    columns = [(2 * i + 1) * width // (2 * len(PATCHES)) for i in range(len(PATCHES))]
    return pixels[height // 2, columns].astype(int)


def numbered(index: int, size: tuple[int, int] = SIZE) -> Pixels:
    """An image that differs from frame to frame: a bright bar moves down a grey ramp."""
    width, height = size
    pixels = np.repeat(np.linspace(40, 120, width).astype(np.uint8)[None], height, axis=0)
    pixels = np.repeat(pixels[..., None], 3, axis=2)
    pixels[(index * 4) % height : (index * 4) % height + 4] = 230
    return pixels


@dataclass
class Video:
    """What to put into a clip; `write` makes the file."""

    ticks: Ticks = CFR
    size: tuple[int, int] = SIZE
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    rotation: int = 0
    sample_aspect: Fraction | None = None
    sound: str | None = None
    sound_start: Fraction = Fraction(0)
    sound_seconds: float = 0.5
    samples: np.ndarray | None = None  # (N,) float32 at 48 kHz, instead of a click
    chapters: bool = False
    interlaced: bool = False
    rate: Fraction = Fraction(30_000, 1001)
    clock: Fraction = CLOCK
    container_options: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path, images: Iterable[Pixels] | None = None) -> Path:
        """Encode the video into `path`; the suffix chooses the format."""
        if images is not None:
            return self._encode(path, images)
        # Hundreds of tests begin with the same few.
        key = (pickle.dumps(self), path.suffix)
        if key not in _encoded:
            _encoded[key] = self._encode(path).read_bytes()
        else:
            path.write_bytes(_encoded[key])
        return path

    def _encode(self, path: Path, images: Iterable[Pixels] | None = None) -> Path:
        with av.open(str(path), "w", container_options=self.container_options) as output:
            stream = self.video_stream(output)
            sound = self.add_sound(output)
            if self.chapters:
                output.set_chapters([_chapter(0, 5), _chapter(5, 10)])
            output.metadata["title"] = "a tiny video"
            self.mux_video(output, stream, images)
            if sound is not None:
                self.mux_sound(output, sound)
        return path

    def video_stream(self, output: av.container.OutputContainer) -> av.VideoStream:
        options = {"crf": "10", "g": "6"} if self.codec == "libx264" else {}
        if self.interlaced:
            options["x264-params"] = "tff=1"
        stream = output.add_stream(self.codec, rate=self.rate, options=options)
        stream.width, stream.height = self.size
        stream.pix_fmt = self.pixel_format
        stream.codec_context.time_base = stream.time_base = self.clock
        if self.sample_aspect:
            stream.codec_context.sample_aspect_ratio = self.sample_aspect
        if self.rotation:
            stream.set_display_rotation(self.rotation)
        return stream

    def mux_video(
        self,
        output: av.container.OutputContainer,
        stream: av.VideoStream,
        images: Iterable[Pixels] | None = None,
    ) -> None:
        if images is None:
            images = (numbered(i, self.size) for i in range(len(self.ticks)))
        for pixels, ticks in zip(images, self.ticks, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=self.pixel_format)
            frame.pts, frame.time_base = ticks, CLOCK
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))

    def add_sound(self, output: av.container.OutputContainer) -> av.AudioStream | None:
        if self.sound is None:
            return None
        stream = output.add_stream(self.sound, rate=48_000)
        stream.codec_context.layout = "mono"
        stream.metadata["language"] = "deu"
        return stream

    def _heard(self) -> np.ndarray:
        return click(self.sound_seconds) if self.samples is None else self.samples

    def mux_sound(self, output: av.container.OutputContainer, stream: av.AudioStream) -> None:
        context = stream.codec_context
        resampler = av.AudioResampler(context.format, "mono", 48_000, context.frame_size or 1024)
        whole = av.AudioFrame.from_ndarray(self._heard()[None], "flt", "mono")
        whole.sample_rate, whole.time_base = 48_000, Fraction(1, 48_000)
        whole.pts = int(self.sound_start * 48_000)
        for part in [*resampler.resample(whole), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))


def click(seconds: float) -> np.ndarray:
    """Silence with a loud tone from 0.2 to 0.3 seconds, (N,) float32 at 48 kHz."""
    time = np.arange(int(seconds * 48_000)) / 48_000
    return (0.8 * np.sin(2 * np.pi * 1000 * time) * ((time >= 0.2) & (time < 0.3))).astype(np.float32)


def _chapter(start: int, end: int) -> av.container.core.Chapter:
    name = {"title": f"part {start}"}
    return {"id": start, "start": start, "end": end, "time_base": Fraction(1, 20), "metadata": name}


def sound_only(path: Path) -> Path:
    """A file with sound and no video."""
    with av.open(str(path), "w") as output:
        video = Video(sound="aac")
        sound = video.add_sound(output)
        assert sound is not None
        video.mux_sound(output, sound)
    return path


def without_frames(path: Path) -> Path:
    """A well-formed file whose video stream holds no frame."""
    with av.open(str(path), "w") as output:
        Video().video_stream(output)
        output.start_encoding()
    return path


def cut_off(source: Path, target: Path, share: float) -> Path:
    """The first part of a file."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def damaged_in_the_middle(source: Path, target: Path, packet: int = 5) -> Path:
    """The file with the body of one video packet overwritten."""
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        victim = packets[packet]
        assert victim.pos is not None
        data[victim.pos + 4 : victim.pos + victim.size] = bytes([0xA5]) * (victim.size - 4)
    target.write_bytes(bytes(data))
    return target


@dataclass
class Content:
    """What a finished file holds."""

    times: list[Fraction]
    images: list[Pixels]
    rotation: int
    sounds: dict[str, list[str]]
    sound_starts: list[Fraction]
    tags: tuple[int, int, int, int]
    sample_aspect: Fraction | None


def content(path: Path) -> Content:
    """Decode everything in a file, independently of the reader under test."""
    convert = ToRgb()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        sounds: dict[str, list[str]] = {}
        starts: dict[int, Fraction] = {}
        frames: list[av.VideoFrame] = []
        for packet in container.demux():
            if packet.stream is stream:
                frames += packet.decode()
            elif packet.size:
                key = f"{packet.stream.index} {packet.stream.codec_context.codec.canonical_name}"
                sounds.setdefault(key, []).append(hashlib.sha256(bytes(packet)).hexdigest())
                starts.setdefault(packet.stream.index, packet.pts * packet.time_base)
        context = stream.codec_context
        return Content(
            [frame.pts * frame.time_base for frame in frames],
            [convert(frame) for frame in frames],
            frames[0].rotation,
            sounds,
            [starts[index] for index in sorted(starts)],
            (context.colorspace, context.color_range, context.color_primaries, context.color_trc),
            stream.sample_aspect_ratio,
        )
