"""What a conversion kept, found by decoding both files without this package's reader."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from convert_clips import MATRICES, OPACITY, PATCHES

from stylize_live.media.libraries import av

LEVELS = 3  # how far a colour may be off
RATE = 48_000
MOST_SOUND = 20 * RATE
LEAD = 2  # seconds of sound looked at before the first frame
_THUMB = (64, 36)


@dataclass
class Contents:
    """What is in a file.

    Attributes:
        times: presentation times of all frames in seconds.
        thumbs: three upright frames of 64x36, (3, 36, 64, 3) RGB.
        size: (width, height), upright.
        rotation: angle that players are told to turn the frames by.
        patches: (6, 3) colours in the middle of six bars of the first frame, by the file's tags.
        packets: hashes of the packets of each stream beside the video, by kind and codec in order.
        sounds: first channel of each sound stream from 2 s before the first frame, at 48 kHz, 20 s
            at most.
        kinds: kind and codec of each stream beside the video.
        tags: matrix, range, primaries, transfer of the video, FFmpeg's numbers.
        aspect: width of an upright pixel over its height.
        chapters: titles and times.
    """

    times: list[Fraction] = field(default_factory=list)
    thumbs: np.ndarray = field(default_factory=lambda: np.zeros((3, *_THUMB[::-1], 3)))
    size: tuple[int, int] = (0, 0)
    rotation: int = 0
    patches: np.ndarray = field(default_factory=lambda: np.zeros((6, 3)))
    packets: list[tuple[str, list[str]]] = field(default_factory=list)
    sounds: list[np.ndarray] = field(default_factory=list)
    tags: tuple[int, ...] = ()
    aspect: Fraction = Fraction(1)
    chapters: list[tuple[str, Fraction]] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        """Kind and codec of each stream beside the video."""
        return [kind for kind, _ in self.packets]


def contents(path: Path) -> Contents:
    """Decode a file whole."""
    found = Contents()
    _look_at_video(path, found)
    _read_packets(path, found)
    with av.open(str(path)) as container:
        sounds = len(container.streams.audio)
        found.chapters = [
            (chapter["metadata"].get("title", ""), chapter["start"] * (chapter["time_base"] or 0))
            for chapter in container.chapters()
        ]
    found.sounds = [_hear(path, number, found.times[0]) for number in range(sounds)]
    return found


def _video(container: av.container.InputContainer) -> av.VideoStream:
    cover = av.stream.Disposition.attached_pic
    return next(stream for stream in container.streams.video if not stream.disposition & cover)


def _look_at_video(path: Path, found: Contents) -> None:
    with av.open(str(path)) as container:
        stream = _video(container)
        stream.thread_type = "AUTO"
        kept: list[np.ndarray] = []
        step = 1
        for number, frame in enumerate(container.decode(stream)):
            if number == 0:
                found.rotation = frame.rotation
                found.patches = patch_colors(frame)
                found.size = (frame.width, frame.height)[:: -1 if frame.rotation % 180 else 1]
                context = stream.codec_context
                found.tags = (frame.colorspace, frame.color_range, context.color_primaries, context.color_trc)
                aspect = stream.sample_aspect_ratio or Fraction(1)
                found.aspect = 1 / aspect if frame.rotation % 180 else aspect
            ticks = frame.pts if frame.pts is not None else frame.dts
            found.times.append((ticks or 0) * frame.time_base)
            if number % step == 0:  # a bounded number of frames, spread over the video
                kept.append(_thumb(frame))
                if len(kept) == 32:
                    kept, step = kept[::2], step * 2
        last = len(kept) - 1
        found.thumbs = np.stack([kept[0], kept[last // 2], kept[last]]).astype(int)


def _thumb(frame: av.VideoFrame) -> np.ndarray:
    """A small upright frame, (36, 64, 3) RGB, by the file's own tags."""
    lying = frame.rotation % 180 != 0
    reformatter = av.video.reformatter
    matrix = frame.colorspace if frame.colorspace in (1, 4, 5, 6, 7, 9) else 1 if frame.height >= 720 else 5
    rgb = frame.format.is_rgb
    small = frame.reformat(
        width=_THUMB[lying],
        height=_THUMB[not lying],
        format="rgb24",
        src_colorspace=None if rgb else 5 if matrix == 6 else matrix,
        src_color_range=None if rgb else 2 if _is_full(frame) else 1,
        interpolation=reformatter.Interpolation.AREA
        | reformatter.Interpolation.ACCURATE_RND
        | reformatter.Interpolation.FULL_CHR_H_INT
        | reformatter.Interpolation.FULL_CHR_H_INP,
    )
    return np.rot90(small.to_ndarray(), frame.rotation // 90)


def _is_full(frame: av.VideoFrame) -> bool:
    return frame.color_range == 2 or frame.format.name.startswith("yuvj")


def patch_colors(frame: av.VideoFrame) -> np.ndarray:
    """(6, 3) RGB in the middle of six bars, by the file's own tags and the matrices' definition."""
    columns = [(2 * i + 1) * frame.width // 12 for i in range(6)]
    if not frame.format.name.startswith("yuv"):
        return frame.to_ndarray(format="rgb24")[frame.height // 2, columns].astype(float)
    bits = frame.format.components[0].bits
    values = []
    for plane in list(frame.planes)[:3]:
        kind = np.uint16 if bits > 8 else np.uint8
        rows = np.frombuffer(plane, kind).reshape(plane.height, -1)
        values.append([int(rows[plane.height // 2, c * plane.width // frame.width]) for c in columns])
    y, u, v = np.array(values, float) / 2 ** (bits - 8)
    numbers = {number: (kr, kb) for kr, kb, number in MATRICES.values()} | {5: MATRICES["bt601"][:2]}
    guess = 1 if frame.height >= 720 else 6
    kr, kb = numbers.get(frame.colorspace, numbers[guess])
    if _is_full(frame):
        luma, u, v = y / 255, (u - 128) / 255, (v - 128) / 255
    else:
        luma, u, v = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    red, blue = luma + (2 - 2 * kr) * v, luma + (2 - 2 * kb) * u
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    return np.clip(np.stack([red, green, blue], axis=1) * 255, 0, 255)


def patch_error(colours: np.ndarray) -> float:
    """Largest difference from the six known colours, in levels of 255."""
    return float(np.abs(np.asarray(colours, float) - np.array(PATCHES)).max())


def opacity_error(path: Path) -> float:
    """Largest difference of the first frame's opacity from the bars', in levels of 255."""
    with av.open(str(path)) as container:
        stream = _video(container)
        decoder: Any = stream.codec_context
        if decoder.codec.canonical_name == "vp9":  # FFmpeg's own decoder does not know of opacity
            decoder = av.CodecContext.create("libvpx-vp9", "r")
        packets = (packet for packet in container.demux(stream))
        image = next(image for packet in packets for image in decoder.decode(packet))
    columns = [(2 * i + 1) * image.width // 12 for i in range(6)]
    rgba = image.to_ndarray(format="rgba64le")[image.height // 2, columns, 3] / 257
    return float(np.abs(rgba - OPACITY).max())


def _read_packets(path: Path, found: Contents) -> None:
    with av.open(str(path)) as container:
        video = _video(container)
        streams = [s for s in container.streams if s is not video and s.discard != av.stream.Discard.all]
        hashes: dict[int, list[str]] = {stream.index: [] for stream in streams}
        for packet in container.demux():
            pause = packet.size == 2 and bytes(packet) == b"\0\0"  # between MP4's subtitles
            if packet.size and packet.stream_index in hashes and not pause:
                hashes[packet.stream_index].append(hashlib.sha256(bytes(packet)).hexdigest())
        for stream in streams:
            context = getattr(stream, "codec_context", None)
            codec = context.codec.canonical_name if context else stream.metadata.get("filename", "")
            cover = stream.disposition & av.stream.Disposition.attached_pic
            kind = "cover" if cover else {"audio": "sound", "subtitle": "subtitles"}.get(stream.type)
            found.packets.append((f"{kind or stream.type} {codec}".strip(), hashes[stream.index]))


def _hear(path: Path, number: int, start: Fraction) -> np.ndarray:
    timeline = np.zeros(MOST_SOUND, np.float32)
    expected = 0
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("fltp", "mono", RATE)
        for frame in container.decode(container.streams.audio[number]):
            for part in resampler.resample(frame):
                at = round((part.pts * part.time_base - start + LEAD) * RATE)
                if abs(at - expected) <= RATE // 500:  # clocks that round; players go on without a gap, too
                    at = expected
                expected = at + part.samples
                samples = part.to_ndarray()[0][max(0, -at) :][: max(0, MOST_SOUND - max(0, at))]
                timeline[max(0, at) : max(0, at) + samples.size] = samples
            if expected > MOST_SOUND:
                break
    return timeline


def delay(before: np.ndarray, after: np.ndarray) -> float | None:
    """Milliseconds by which a sound comes later than another; None where both are silent."""
    if np.abs(before).max() < 1e-3:
        return None
    size = 2 * MOST_SOUND
    product = np.fft.rfft(after, size) * np.conj(np.fft.rfft(before, size))
    best = int(np.argmax(np.fft.irfft(product, size)))
    return 1000 * (best - size if best > size // 2 else best) / RATE


def ffprobe(program: Path, path: Path) -> tuple[list[float], dict[str, object]]:
    """Times of all frames and the video's description, by an independent reader."""
    command = [program, "-v", "error", "-select_streams", "v:0", "-show_streams", "-show_frames"]
    command += ["-show_entries", "frame=pts_time:stream", "-of", "json", path]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    return [float(frame["pts_time"]) for frame in said["frames"]], said["streams"][0]
