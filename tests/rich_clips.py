"""Files with much beside the video, made through PyAV, and what is found in a finished one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
from clips import Ticks, Video, numbered

from stylize_live.config import AudioChoice, VideoSettings
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.libraries import av, cv2

PAUSE = b"\0\0"  # what MP4 stores between subtitles; the muxer's business
MILLISECOND = Fraction(1, 1000)
FONT = b"\0\1\0\0" + bytes(range(256))
Words = tuple[int, int, str]  # start, duration in milliseconds, text
WORDS: tuple[Words, ...] = ((100, 150, "<i>Hello</i>\nworld"), (300, 80, "Gr\u00fc\u00dfe"))


@cache
def noise(seconds: float, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Sound that agrees with itself at one place only, (channels, N) float32 at 48 kHz; not to be changed."""
    rng = np.random.default_rng(seed)
    rough = rng.standard_normal((channels, int(seconds * 48_000))).astype(np.float32)
    smooth = np.apply_along_axis(lambda row: np.convolve(row, np.ones(12) / 12, "same"), 1, rough)
    found = (0.5 * smooth / np.abs(smooth).max()).astype(np.float32)
    found.flags.writeable = False
    return found


@dataclass
class Sound:
    """A sound stream: codec, samples, start in seconds, tags, disposition."""

    codec: str = "aac"
    seconds: float = 0.6
    layout: str = "mono"
    start: float = 0.0
    seed: int = 0
    language: str = "deu"
    disposition: str = "default"
    hole: tuple[float, float] | None = None

    def add(self, output: av.container.OutputContainer) -> av.AudioStream:
        stream = output.add_stream(self.codec, rate=48_000, options={"strict": "experimental"})
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.layout = self.layout
        stream.metadata["language"] = self.language
        stream.disposition = getattr(av.stream.Disposition, self.disposition)
        return stream

    def mux(self, output: av.container.OutputContainer, stream: av.AudioStream) -> None:
        context = stream.codec_context
        samples = noise(self.seconds, av.AudioLayout(self.layout).nb_channels, self.seed)
        resampler = av.AudioResampler(context.format, self.layout, 48_000, context.frame_size or 1024)
        in_turn = np.ascontiguousarray(samples.T).reshape(1, -1)  # PyAV cannot take eight planes
        whole = av.AudioFrame.from_ndarray(in_turn, "flt", self.layout)
        whole.sample_rate, whole.time_base = 48_000, Fraction(1, 48_000)
        whole.pts = int(self.start * 48_000)
        for part in [*resampler.resample(whole), *resampler.resample(None)]:
            self._mux(output, stream.encode(part))
        self._mux(output, stream.encode(None))

    def _mux(self, output: av.container.OutputContainer, packets: list[av.Packet]) -> None:
        for packet in packets:
            when = float(packet.pts * packet.time_base)
            if self.hole is None or not self.hole[0] <= when < self.hole[1]:
                output.mux(packet)


@dataclass
class Subtitles:
    """A stream of text subtitles: codec as FFmpeg's encoders name it, words, tags."""

    codec: str = "subrip"
    words: tuple[Words, ...] = WORDS
    language: str = "fra"
    disposition: str = "default"

    def add(self, output: av.container.OutputContainer) -> av.subtitles.stream.SubtitleStream:
        stream = output.add_stream(self.codec)
        plain = av.CodecContext.create("subrip", "r")
        plain.open()
        stream.codec_context.subtitle_header = plain.subtitle_header
        stream.codec_context.time_base = stream.time_base = MILLISECOND
        stream.metadata["language"] = self.language
        stream.disposition = getattr(av.stream.Disposition, self.disposition)
        return stream

    def mux(self, output: av.container.OutputContainer, stream: av.subtitles.stream.SubtitleStream) -> None:
        for number, (start, duration, text) in enumerate(self.words):
            marked = text.replace("<i>", "{\\i1}").replace("</i>", "{\\i0}").replace("\n", "\\N")
            line = f"{number},0,Default,,0,0,0,,{marked}".encode()
            words = av.subtitles.subtitle.SubtitleSet.create(line, 0, duration, start * 1000)
            packet = stream.codec_context.encode_subtitle(words)
            packet.stream, packet.time_base = stream, MILLISECOND
            packet.pts = packet.dts = start
            packet.duration = duration
            output.mux_one(packet)


@dataclass
class RichVideo:
    """A video with sounds, subtitles, and on request a cover, a font and chapters."""

    sounds: list[Sound] = field(default_factory=list)
    subtitles: list[Subtitles] = field(default_factory=list)
    cover: bool = False
    font: bool = False
    chapters: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    ticks: Ticks = tuple(1001 * i for i in range(18))

    def write(self, path: Path) -> Path:
        video = Video(self.ticks)
        with av.open(str(path), "w") as output:
            stream = video.video_stream(output)
            sounds = [(sound, sound.add(output)) for sound in self.sounds]
            subtitles = [(words, words.add(output)) for words in self.subtitles]
            if self.cover:
                output.add_attachment("cover.png", "image/png", cover_bytes())
            if self.font:
                output.add_attachment("letters.ttf", "application/x-truetype-font", FONT)
            if self.chapters:
                output.set_chapters([self._chapter(0, 250), self._chapter(250, 600)])
            output.metadata.update(self.tags)
            video.mux_video(output, stream)
            for sound, target in sounds:
                sound.mux(output, target)
            for words, target in subtitles:
                words.mux(output, target)
        return path

    @staticmethod
    def _chapter(start: int, end: int) -> av.container.core.Chapter:
        name = {"title": f"from {start}"}
        return {"id": start, "start": start, "end": end, "time_base": MILLISECOND, "metadata": name}


def cover_bytes() -> bytes:
    done, data = cv2.imencode(".png", numbered(3))
    assert done
    return bytes(data)


def copy_video(source: Path, target: Path, audio: AudioChoice = "copy") -> list[str]:
    """Read and write a video unchanged; all notes."""
    settings = VideoSettings(crf=10, preset="ultrafast", audio=audio)
    with (
        VideoReader(source) as reader,
        VideoWriter(target, reader.size, settings, like=reader) as writer,
    ):
        for frame in reader:
            writer.write(frame)
    return [*reader.notes, *writer.notes]


def read_frame_times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def codecs(path: Path) -> list[str]:
    """Kind and codec of each stream, without the tracks in which MP4 stores chapters."""
    with av.open(str(path)) as container:
        streams = [s for s in container.streams if s.discard != av.stream.Discard.all]
        contexts = [getattr(s, "codec_context", None) for s in streams]
        names = [context.codec.canonical_name if context else "-" for context in contexts]
        return [f"{stream.type} {name}" for stream, name in zip(streams, names, strict=True)]


def packet_hashes(path: Path, kind: str, number: int = 0) -> list[str]:
    with av.open(str(path)) as container:
        stream = [s for s in container.streams if s.type == kind][number]
        packets = [bytes(packet) for packet in container.demux(stream) if packet.size]
        return [hashlib.sha256(data).hexdigest() for data in packets if data != PAUSE]


def heard(path: Path, number: int = 0) -> np.ndarray:
    """A sound stream's first channel on its timeline from 0, (N,) float32 at 48 kHz."""
    timeline = np.zeros(48_000 * 6, np.float32)
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("fltp", "mono", 48_000)
        for frame in container.decode(audio=number):
            for part in resampler.resample(frame):
                at = round(part.pts * part.time_base * 48_000)
                samples = part.to_ndarray()[0][max(0, -at) :]
                timeline[max(0, at) : max(0, at) + samples.size] = samples
    return timeline


def delay(before: np.ndarray, after: np.ndarray) -> int:
    """Samples by which a sound comes later than another; the place where they agree best."""
    size = 1 << (before.size + after.size).bit_length()
    product = np.fft.rfft(after, size) * np.conj(np.fft.rfft(before, size))
    best = int(np.argmax(np.fft.irfft(product, size)))
    return best - size if best > size // 2 else best


def spoken(path: Path, number: int = 0) -> list[Words]:
    """Subtitles as FFmpeg reads them: start and duration in milliseconds, text."""
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[number]
        for packet in container.demux(stream):
            words = stream.codec_context.decode2(packet) if packet.size else None
            for part in words or ():
                text = part.ass.decode().split(",", 8)[-1].replace("{\\i1}", "<i>")
                text = re.sub(r"\{\\(i0|r)\}", "</i>", text)
                start, shown = packet.pts * packet.time_base, packet.duration * packet.time_base
                found.append((round(start * 1000), round(shown * 1000), text.replace("\\N", "\n")))
    return found
