"""What is damaged: small files of every kind, the same bytes each time."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from clips import Ticks, Video, numbered
from PIL import Image
from tiny import make_checkpoint, random_pixels

from stylize_live.cli.app import main
from stylize_live.conversion.segment_store import folder_of
from stylize_live.media.encode.muxer import Muxer
from stylize_live.nets.checkpoint import save_checkpoint

_TICKS: Ticks = tuple(1001 * i for i in range(16))
_EVEN = Fraction(1001, 30_000)  # the clock that old codecs insist on
_SAME = {"fflags": "+bitexact"}
_LONG: Ticks = tuple(1001 * i for i in range(150))  # three pieces
_SHOT = 62  # images
_WHEN = 1_700_000_000  # seconds: of the long video's last change, by which pieces know it


@dataclass(frozen=True)
class Materials:
    """Files to begin with.

    Attributes:
        folder: where they are.
        clips: videos of many formats.
        stills: images of many formats.
        style: a tiny one.
        photo: an image that is whole.
        video: one that is whole and takes three pieces.
        pieces: what an interrupted conversion of that video has left, without the target.
    """

    folder: Path
    clips: list[Path]
    stills: list[Path]
    style: Path
    photo: Path
    video: Path
    pieces: Path


def painting(style: Path) -> list[str]:
    """Words that make a command paint quickly."""
    return ["--style", str(style), "--device", "cpu", "--runtime", "torch", "--precision", "float32"]


def make(folder: Path) -> Materials:
    """Write them all; takes about two seconds."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    style = folder / "tiny.safetensors"
    save_checkpoint(style, make_checkpoint())
    photo = folder / "photo.png"
    Image.fromarray(random_pixels(60, 40)).save(photo)
    clips = [_clip(folder / name, video) for name, video in _videos().items()]
    stills = [_still(folder / name, image) for name, image in _images().items()]
    video = _long_video(folder / "long.mp4")
    return Materials(folder, clips, stills, style, photo, video, _pieces(folder, video, style))


def _videos() -> dict[str, Video]:
    plain: dict[str, Any] = {"ticks": _TICKS, "container_options": _SAME}
    return {
        "h264.mp4": Video(**plain, sound="aac", chapters=True),
        "index-first.mp4": Video(_TICKS, container_options={**_SAME, "movflags": "faststart"}),
        "turned.mp4": Video(**plain, rotation=90),
        "parts.mp4": Video(_TICKS, sound="aac", container_options={**_SAME, "movflags": "frag_keyframe"}),
        "hevc.mkv": Video(**plain, codec="libx265", sound="flac"),
        "lossless.mkv": Video(**plain, codec="ffv1", sound="flac"),
        "deep.mov": Video(**plain, codec="prores_ks", pixel_format="yuv422p10le"),
        "broadcast.ts": Video(**plain, codec="mpeg2video", sound="mp2", clock=_EVEN),
        "woven.ts": Video(**plain, sound="aac", interlaced=True),
        "old.avi": Video(**plain, codec="mpeg4", sound="mp2"),
        "motion-jpeg.avi": Video(**plain, codec="mjpeg", pixel_format="yuvj420p"),
        "vp8.webm": Video(**plain, codec="libvpx"),
        "see-through.webm": Video(**plain, codec="libvpx-vp9", pixel_format="yuva420p"),
        "flash.flv": Video(**plain, codec="flv"),
        "asf.wmv": Video(**plain, codec="wmv2"),
        "program.mpg": Video(**plain, codec="mpeg1video", sound="mp2", clock=_EVEN),
    }


def _clip(path: Path, video: Video) -> Path:
    return video.write(path)


def _images() -> dict[str, Callable[[io.BytesIO], None]]:
    rgb = Image.fromarray(random_pixels(60, 40))
    deep = Image.fromarray((np.arange(2400, dtype=np.uint16) * 27).reshape(40, 60))
    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        "photo.jpg": lambda file: rgb.save(file, "JPEG", exif=exif),
        "progressive.jpg": lambda file: rgb.save(file, "JPEG", progressive=True),
        "ink.jpg": lambda file: rgb.convert("CMYK").save(file, "JPEG"),
        "plain.png": lambda file: rgb.save(file, "PNG"),
        "palette.png": lambda file: rgb.convert("P").save(file, "PNG", transparency=3),
        "see-through.png": lambda file: rgb.convert("RGBA").save(file, "PNG"),
        "deep.png": lambda file: deep.save(file, "PNG"),
        "photo.webp": lambda file: rgb.save(file, "WEBP"),
        "plain.bmp": lambda file: rgb.save(file, "BMP"),
        "deep.tif": lambda file: deep.save(file, "TIFF"),
        "packed.tif": lambda file: rgb.save(file, "TIFF", compression="tiff_lzw"),
        "moving.gif": lambda file: rgb.save(file, "GIF", save_all=True, append_images=[rgb.rotate(90)]),
    }


def _still(path: Path, save: Callable[[io.BytesIO], None]) -> Path:
    data = io.BytesIO()
    save(data)
    path.write_bytes(data.getvalue())
    return path


def _long_video(path: Path) -> Path:
    images = (255 - numbered(index) if index // _SHOT % 2 else numbered(index) for index in range(len(_LONG)))
    Video(_LONG, sound="aac", sound_seconds=5, container_options=_SAME).write(path, images)
    os.utime(path, (_WHEN, _WHEN))
    return path


def _pieces(folder: Path, video: Path, style: Path) -> Path:
    """Convert until all pieces are finished, and stop before they are joined."""
    target = folder / "stopped" / "out.mp4"
    target.parent.mkdir()
    original = Muxer.write

    def stop(*_: object) -> None:
        raise RuntimeError("stopped on purpose")

    Muxer.write = stop  # type: ignore[method-assign, assignment]
    try:
        main(["convert", str(video), str(target), *painting(style)])
    finally:
        Muxer.write = original  # type: ignore[method-assign]
    left = folder_of(target)
    return left.rename(folder / "pieces")


def lay_out(materials: Materials, target: Path) -> Path:
    """Put the pieces where a conversion to this target looks for them."""
    place = folder_of(target)
    shutil.copytree(materials.pieces, place)
    return place


def files_of(folder: Path) -> Iterator[Path]:
    """Files in a folder, in order."""
    return iter(sorted(path for path in folder.iterdir() if path.is_file()))
