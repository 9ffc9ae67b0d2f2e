"""Opens and describes media files: which stream is the video, where its clock starts, what is lost."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Any

from stylize_live.config import CodecKind
from stylize_live.errors import SourceError
from stylize_live.media.color.palette import PALETTE_FORMAT
from stylize_live.media.color.side_data import side_data_of
from stylize_live.media.formats.image_sequence import (
    USUAL_RATE,
    find_numbers,
    first_number,
    is_sequence,
    name_for_ffmpeg,
)
from stylize_live.media.formats.limits import (
    DECODER_OPTIONS,
    FILE_OPTIONS,
    SEQUENCE_OPTIONS,
    check_video_size,
    is_image,
    is_playlist,
    is_text,
)
from stylize_live.media.formats.tags import TAG_ERRORS
from stylize_live.media.hw.decoders import open_on_gpu
from stylize_live.media.image.io import SUFFIXES
from stylize_live.media.libraries import av
from stylize_live.wording import option

Disposition = av.stream.Disposition

_NOT_VIDEO = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
INTERLACED = "interlaced video was deinterlaced, one frame for every two fields"
_MANY_JPEGS = (".mjpeg", ".mjpg")  # one behind the other, as old network cameras saved them
_IMAGE = "not a video but an image; use the image command"
_MOST_BOXES = 1000
# PyAV asks FFmpeg to make up times that a file lacks. What it makes up is in the order of decoding.
AS_STORED = {"fflags": "-genpts"}


def open_container(
    path: Path,
    sequence_rate: Fraction | None = None,
    decoder: CodecKind = "software",
    *,
    surfaces: bool = False,
) -> av.container.InputContainer:
    """Open a media file for reading.

    Args:
        path: a file, or numbered images such as frames/%05d.png.
        sequence_rate: frames per second of numbered images, which only software decodes; the usual rate
            if None.
        decoder: who decodes the video.
        surfaces: leave frames on the chip that decodes them, where that is possible.

    Raises:
        SourceError: it is missing, a folder, empty, or nothing that holds a video.
    """
    if not path.exists() and (is_sequence(path) or find_numbers(path)):
        return _open_sequence(path, sequence_rate or USUAL_RATE)
    if path.is_dir():
        raise SourceError(f"{path}: is a folder, expected a video file")
    try:
        if path.stat().st_size == 0 and path.is_file():
            raise SourceError(f"{path}: the file is empty (0 bytes)")
        # "file:" keeps FFmpeg from reading a colon in the name as a protocol.
        container = _open(f"file:{path}", decoder, surfaces)
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except PermissionError:
        raise SourceError(f"{path}: no permission to read this file") from None
    except (OSError, av.FFmpegError) as error:
        if lacks_index(path):
            raise SourceError(
                f"{path}: its index (moov) is missing, as when a recording was cut off. Copy it from the "
                "camera again, or rebuild it with a repair tool and a good file of the same camera"
            ) from None
        raise SourceError(f"{path}: {_refusal(path, error)}") from None
    kind = container.format.name
    if kind == "jpeg_pipe" and path.suffix.lower() in _MANY_JPEGS:
        return container
    if kind.endswith("_pipe"):
        container.close()
        raise SourceError(f"{path}: {_IMAGE}")
    return container


def _refusal(path: Path, error: OSError | av.FFmpegError) -> str:
    if is_playlist(path):
        return "a playlist, which names other files; name the video itself"
    if is_text(path):
        return "not a video but text"
    if is_image(path):
        return _IMAGE
    return f"not a video that can be read ({error.strerror})"


def _open(name: str, decoder: CodecKind, surfaces: bool) -> av.container.InputContainer:
    how: dict[str, Any] = {
        "metadata_errors": TAG_ERRORS,
        "options": DECODER_OPTIONS,
        "container_options": AS_STORED | FILE_OPTIONS,
    }
    found = None if decoder == "software" else open_on_gpu(name, surfaces=surfaces, **how)
    if found is None:
        found = av.open(name, "r", **how)
        if decoder == "hardware":
            found.close()
            path = name.removeprefix("file:")
            works = option("decoder", "software")
            raise SourceError(f"{path}: no chip of this machine decodes this video; {works} works")
    return found


def _open_sequence(pattern: Path, rate: Fraction) -> av.container.InputContainer:
    if pattern.suffix.lower() not in SUFFIXES:
        known = ", ".join(sorted(SUFFIXES))
        raise SourceError(f"{pattern}: images of this kind are not read; use one of {known}")
    how = {"framerate": str(rate), "start_number": str(first_number(pattern)), "pattern_type": "sequence"}
    try:
        return av.open(
            f"file:{name_for_ffmpeg(pattern)}",
            "r",
            format="image2",
            options=DECODER_OPTIONS,
            container_options=how | SEQUENCE_OPTIONS,
            metadata_errors=TAG_ERRORS,
        )
    except (OSError, av.FFmpegError) as error:
        raise SourceError(f"{pattern}: not images that can be read ({error.strerror})") from None


def lacks_index(path: Path) -> bool:
    """Whether this is an MP4 or MOV file with frames but without the index that tells where they are."""
    kinds = set()
    with contextlib.suppress(OSError), path.open("rb") as file:
        for _ in range(_MOST_BOXES):
            head = file.read(16)
            if len(head) < 8:
                break
            size = int.from_bytes(head[:4], "big")
            if size == 1:
                size = int.from_bytes(head[8:16], "big")
            kinds.add(head[4:8])
            if size < 8:  # 0: to the end of the file
                break
            file.seek(size - len(head), 1)
    return b"mdat" in kinds and b"moov" not in kinds


def pick_video_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    """The default video, or the first: cover images and thumbnails are no videos."""
    videos = [stream for stream in container.streams.video if not stream.disposition & _NOT_VIDEO]
    if not videos:
        what = "only sound" if container.streams.audio else "no video stream"
        raise SourceError(f"{path}: no video in this file, {what}")
    # PyAV leaves out the codec context where FFmpeg has no decoder.
    videos = [video for video in videos if getattr(video, "codec_context", None) is not None]
    if not videos:
        raise SourceError(f"{path}: no decoder for the video in this file; convert it to H.264 first")
    # A file with a still and a moving version, such as AVIF, shows the still where nothing can move.
    videos = [video for video in videos if video.frames != 1] or videos
    chosen = next((video for video in videos if video.disposition & Disposition.default), videos[0])
    check_video_size(chosen, path)
    return chosen


def has_loose_clock(container: av.container.InputContainer) -> bool:
    """Whether the format's clock may start anywhere and jump, as MPEG-TS's does."""
    return bool(av.format.Flags.ts_discont & av.format.Flags(container.format.flags))


def clock_origin(container: av.container.InputContainer) -> Fraction:
    """What to subtract from times in seconds: not 0 only where the format's clock starts anywhere."""
    if not has_loose_clock(container):
        return Fraction(0)
    streams: list[av.stream.Stream] = [*container.streams.video, *container.streams.audio]
    starts = [s.start_time * s.time_base for s in streams if s.start_time is not None and s.time_base]
    return min(starts, default=Fraction(0))


def video_duration(container: av.container.InputContainer, stream: av.VideoStream) -> Fraction | None:
    """Length of a video in seconds, else of its file, or None."""
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    return Fraction(container.duration, av.time_base) if container.duration else None


def video_rate(stream: av.VideoStream) -> Fraction | None:
    """Frames a second, on the whole, or None where nothing is known."""
    average, base = stream.average_rate or stream.guessed_rate, stream.base_rate
    # Of DV, FFmpeg takes the ticks of the clock for frames.
    return base if average and base and average > 2 * base else average


def usual_step(stream: av.VideoStream) -> Fraction | None:
    """Seconds that a frame lasts as far as the header knows, or None where FFmpeg could only guess."""
    known = video_rate(stream) if stream.average_rate else None
    return 1 / known if known else None


def is_constant_rate(average: Fraction, base: Fraction | None) -> bool:
    """Whether the average rate is the rate of (nearly) all frames."""
    return base is None or abs(average / base - 1) < Fraction(1, 100)


def has_alpha(frame: av.VideoFrame) -> bool:
    """Whether frames of this kind can be transparent, or this one's palette is."""
    if frame.format.name == PALETTE_FORMAT:
        opacity = frame.to_ndarray()[1][:, 0]
        return bool(opacity.min() < 255 and opacity.any())  # all 0: nothing was said
    return any(component.is_alpha for component in frame.format.components)


def frame_losses(frame: av.VideoFrame, bits: int) -> list[str]:
    """What is lost of such a frame in a video of so many bits, in words."""
    notes = []
    stored = max(component.bits for component in frame.format.components)
    if stored > 8 and bits == 8:
        notes.append(f"{stored}-bit colours were reduced to 8 bits; {option('bits', 10)} keeps more of them")
    if side_data_of(frame).get("A53_CC") is not None:
        notes.append("closed captions inside the frames were dropped")
    return notes
