"""Clips for the table of conversions: known colours in every codec, matrix and range, and odd videos.

The colours go into YUV by their definition, in NumPy; nothing of this package is asked about them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from clips import CFR, PATCHES, VFR, Video, patches
from rich_clips import RichVideo, Sound, Subtitles

from stylize_live.config import ConvertSettings
from stylize_live.media.libraries import av

FRAMES = 8
OPACITY = (255, 235, 210, 185, 160, 135)  # of the six bars, where a clip is transparent
_BT2020, _PQ, _HLG = 9, 16, 18  # FFmpeg's numbers of primaries and transfers
# Weights of red and blue in luma, and FFmpeg's number of the matrix.
MATRICES = {
    "bt709": (0.2126, 0.0722, 1),
    "bt601": (0.299, 0.114, 6),
    "fcc": (0.30, 0.11, 4),
    "smpte240m": (0.212, 0.087, 7),
    "bt2020": (0.2627, 0.0593, 9),
}


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip to convert.

    Attributes:
        path: where it is.
        suffixes: formats to convert it into.
        has_patches: whether it shows the six bars of known colours.
        settings: how to convert it.
        has_alpha: whether the result keeps the bars' opacity.
        for_browser: whether browsers know what it is converted into.
    """

    path: Path
    suffixes: tuple[str, ...] = (".mp4",)
    has_patches: bool = False
    settings: ConvertSettings = field(default_factory=ConvertSettings)
    has_alpha: bool = False
    for_browser: bool = True

    @property
    def choices(self) -> str:
        """The settings that are not the usual ones, in a few words."""
        chosen = self.settings.model_dump(exclude_unset=True).items()
        return " ".join(f"{name} {value}" for name, value in chosen)


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of known colours in some codec; `tagged` says matrix and range in the file."""

    name: str
    codec: str
    pixel_format: str = "yuv420p"
    matrix: str = "bt709"
    full: bool = False
    tagged: bool = True
    size: tuple[int, int] = (192, 96)
    transfer: int = 0
    options: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> Clip:
        """Encode a few frames."""
        path = folder / self.name
        container_format = {"mpg": "vob"}.get(path.suffix[1:])
        with av.open(str(path), "w", format=container_format) as output:
            stream = output.add_stream(self.codec, rate=Fraction(25), options=self.options)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = self.size
            stream.pix_fmt = self.pixel_format
            stream.codec_context.bit_rate = 8_000_000
            for index in range(FRAMES):
                frame = self._frame()
                self._tag(frame)
                if index == 0:
                    self._tag(stream.codec_context)
                frame.pts, frame.time_base = index, Fraction(1, 25)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        return Clip(path, has_patches=not self.transfer)

    def _tag(self, target: av.VideoFrame | av.VideoCodecContext) -> None:
        if self.pixel_format.startswith("yuvj") or self.full:
            target.color_range = 2
        if self.tagged and self.pixel_format.startswith("yuv"):
            target.colorspace = MATRICES[self.matrix][2]
            target.color_range = 2 if self.full else 1
        if self.transfer:
            target.color_primaries, target.color_trc = _BT2020, self.transfer

    def _frame(self) -> av.VideoFrame:
        pixels = patches(self.size)
        if not self.pixel_format.startswith("yuv"):
            return av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=self.pixel_format)
        frame = av.VideoFrame(*self.size, self.pixel_format)
        bits = frame.format.components[0].bits
        planes = yuv(pixels, self.matrix, self.full, bits)
        for plane, values in zip(frame.planes, planes, strict=False):
            step = self.size[0] // plane.width, self.size[1] // plane.height
            kind = np.uint16 if bits > 8 else np.uint8
            padded = np.zeros((plane.height, plane.line_size // kind().itemsize), kind)
            padded[:, : plane.width] = values[:: step[1], :: step[0]]
            plane.update(padded.tobytes())
        if len(frame.planes) == 4:
            plane = frame.planes[3]
            row = np.zeros(plane.line_size // 2, np.uint16)
            opacity = np.array(OPACITY)[np.arange(plane.width) * len(OPACITY) // plane.width]
            row[: plane.width] = opacity * (2**bits - 1) // 255
            plane.update(np.tile(row, plane.height).tobytes())
        return frame


def yuv(pixels: np.ndarray, matrix: str, full: bool, bits: int) -> list[np.ndarray]:
    """Luma and both colour differences of (H, W, 3) RGB, as whole numbers of so many bits."""
    red, green, blue = (pixels[..., i].astype(np.float64) / 255 for i in range(3))
    kr, kb, _ = MATRICES[matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    u, v = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    scale = 2 ** (bits - 8)
    if full:
        most = 2**bits - 1
        values = [luma * most, u * most + 128 * scale, v * most + 128 * scale]
    else:
        values = [(16 + 219 * luma) * scale, (128 + 224 * u) * scale, (128 + 224 * v) * scale]
    return [np.clip(np.round(value), 0, 2**bits - 1).astype(np.int64) for value in values]


BARS = [
    Bars("h264-601.mp4", "libx264", matrix="bt601"),
    Bars("h264-709.mp4", "libx264"),
    Bars("h264-709-full.mp4", "libx264", full=True),
    Bars("h264-601-full.mkv", "libx264", matrix="bt601", full=True),
    Bars("h264-fcc.mp4", "libx264", matrix="fcc"),
    Bars("h264-240m.mp4", "libx264", matrix="smpte240m"),
    Bars("h264-2020.mp4", "libx264", matrix="bt2020"),
    Bars("h264-untagged-sd.mp4", "libx264", matrix="bt601", tagged=False),
    Bars("h264-untagged-hd.mp4", "libx264", tagged=False, size=(1152, 720)),
    Bars("h264-422.mkv", "libx264", "yuv422p"),
    Bars("h264-444.mp4", "libx264", "yuv444p"),
    Bars("h264-10bit.mp4", "libx264", "yuv420p10le"),
    Bars("hdr-pq.mp4", "libx265", "yuv420p10le", matrix="bt2020", transfer=_PQ),
    Bars("hdr-hlg.mp4", "libx265", "yuv420p10le", matrix="bt2020", transfer=_HLG),
    Bars("hevc-709.mp4", "libx265"),
    Bars("hevc-601-full.mkv", "libx265", matrix="bt601", full=True),
    Bars("hevc-2020-10bit.mp4", "libx265", "yuv420p10le", matrix="bt2020"),
    Bars("av1-709.mp4", "libsvtav1", options={"preset": "12"}),
    Bars("av1-10bit.webm", "libsvtav1", "yuv420p10le", options={"preset": "12"}),
    Bars("vp9-709.webm", "libvpx-vp9"),
    Bars("vp9-601.mkv", "libvpx-vp9", matrix="bt601"),
    Bars("vp8.webm", "libvpx", matrix="bt601", tagged=False),
    Bars("prores-422.mov", "prores_ks", "yuv422p10le"),
    Bars("prores-4444-alpha.mov", "prores_ks", "yuva444p10le"),
    Bars("dnxhr.mov", "dnxhd", "yuv422p", options={"profile": "dnxhr_hq"}, size=(384, 192)),
    Bars("ffv1-444-601.mkv", "ffv1", "yuv444p", matrix="bt601"),
    Bars("ffv1-rgb.mkv", "ffv1", "bgr0"),
    Bars("ffv1-gbr10.mkv", "ffv1", "gbrp10le"),
    Bars("qtrle-rgb.mov", "qtrle", "rgb24"),
    Bars("mpeg4-untagged.avi", "mpeg4", matrix="bt601", tagged=False),
    Bars("mpeg2-601.ts", "mpeg2video", matrix="bt601"),
    Bars("mpeg2-709.mpg", "mpeg2video"),
    Bars("mjpeg.avi", "mjpeg", "yuvj420p", matrix="bt601", full=True, tagged=False),
    Bars("mjpeg.mov", "mjpeg", "yuvj422p", matrix="bt601", full=True, tagged=False),
]

ALL = (".mp4", ".mov", ".mkv", ".webm")
SECOND = tuple(1001 * index for index in range(30))


def videos() -> Iterator[tuple[str, tuple[str, ...], Callable[[Path], Path]]]:
    """Name, formats to convert into, and maker of the videos with something odd about them."""
    yield "vfr.mp4", ALL, Video(VFR, sound="aac").write
    yield "late-start.mp4", ALL, Video([t + 30_000 for t in SECOND], sound="aac", sound_seconds=1.5).write
    yield "sound-later.mkv", ALL, Video(SECOND, sound="libopus", sound_start=Fraction(1, 3)).write
    yield "edit-list.mp4", ALL, Video([t - 5005 for t in SECOND], sound="aac", sound_seconds=1.0).write
    yield "pause.mkv", (".mp4",), Video([*CFR, *(t + 300_000 for t in CFR)], sound="flac").write
    for angle in (90, 180, 270):
        yield f"turned-{angle}.mp4", (".mp4", ".mkv"), Video(CFR, (96, 64), rotation=angle).write
    yield "odd-size.mkv", (".mp4",), Video(CFR, (95, 61), codec="ffv1", pixel_format="yuv444p").write
    yield "anamorphic.mp4", ALL, Video(CFR, sample_aspect=Fraction(16, 11)).write
    yield "interlaced.ts", (".mp4",), Video(SECOND, interlaced=True, sound="mp2").write
    yield "interlaced.mp4", (".mp4",), Video(SECOND, interlaced=True).write
    yield "one-frame.mp4", ALL, Video(CFR[:1]).write
    for codec in ("aac", "mp3", "ac3", "eac3", "flac", "alac", "libopus", "pcm_s16le", "vorbis"):
        layout = "stereo"
        name = {"mp3": "libmp3lame"}.get(codec, codec)
        clip = RichVideo([Sound(name, layout=layout, seconds=1.0)], ticks=SECOND)
        yield f"sound-{codec}.mkv", ALL, clip.write
    yield "sound-5.1.mov", ALL, RichVideo([Sound("pcm_s24le", layout="5.1")], ticks=SECOND).write
    rich = RichVideo(
        [Sound(), Sound("libopus", seed=1, language="eng", disposition="comment")],
        [Subtitles("subrip"), Subtitles("ass", language="eng", disposition="forced"), Subtitles("webvtt")],
        cover=True,
        font=True,
        chapters=True,
        tags={"title": "a rich video", "artist": "nobody"},
        ticks=SECOND,
    )
    yield "rich.mkv", ALL, rich.write
    rich_mp4 = RichVideo(
        [Sound(), Sound("ac3", seed=1)], [Subtitles("mov_text")], chapters=True, ticks=SECOND
    )
    yield "rich.mp4", ALL, rich_mp4.write


def with_choices(made: dict[str, Clip]) -> Iterator[Clip]:
    """Clips once more, with settings that are not the usual ones."""

    def clip(name: str, suffix: str, for_browser: bool = True, **settings: Any) -> Iterator[Clip]:
        if name in made:
            alpha = "alpha" in name
            chosen = ConvertSettings(**settings)
            yield replace(
                made[name],
                suffixes=(suffix,),
                settings=chosen,
                has_alpha=alpha,
                for_browser=for_browser,
            )

    yield from clip("h264-709.mp4", ".mp4", False, codec="hevc")
    yield from clip("h264-709.mp4", ".mp4", codec="av1")
    yield from clip("h264-709.mp4", ".webm", codec="vp9")
    yield from clip("h264-709.mp4", ".mov", False, codec="prores")
    yield from clip("h264-709.mp4", ".mkv", False, codec="ffv1")
    yield from clip("h264-10bit.mp4", ".mp4", bits=10)
    yield from clip("hevc-2020-10bit.mp4", ".mkv", False, codec="hevc", bits=10)
    yield from clip("av1-10bit.webm", ".webm", codec="av1", bits=10)
    yield from clip("hdr-pq.mp4", ".mp4", bits=10)
    yield from clip("prores-4444-alpha.mov", ".webm", codec="vp9")
    yield from clip("prores-4444-alpha.mov", ".mov", False, codec="prores", bits=10)
    yield from clip("prores-4444-alpha.mov", ".mkv", False, codec="ffv1")
    yield from clip("rich.mkv", ".mkv", audio="aac")
    yield from clip("rich.mkv", ".mp4", audio="aac")


def make_clips(folder: Path) -> list[Clip]:
    """All clips of this module; a codec that this machine's FFmpeg lacks is told and left out."""
    clips = []
    makers: list[tuple[str, Callable[[], Clip]]] = [
        (bars.name, lambda bars=bars: bars.write(folder)) for bars in BARS
    ]
    for name, suffixes, write in videos():
        makers.append((name, lambda n=name, s=suffixes, w=write: Clip(w(folder / n), s)))
    for name, make in makers:
        try:
            clips.append(make())
        except (ValueError, av.FFmpegError) as error:
            print(f"cannot make {name}: {error}", file=sys.stderr)
            (folder / name).unlink(missing_ok=True)
    return clips + list(with_choices({clip.path.name: clip for clip in clips}))


__all__ = ["MATRICES", "OPACITY", "PATCHES", "Clip", "make_clips"]
