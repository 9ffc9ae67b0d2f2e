"""What container formats need when they are written: clocks, options, codec tags, a folder."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

from stylize_live.errors import SinkError
from stylize_live.files import resolve_link
from stylize_live.media.formats.codecs import video_format
from stylize_live.media.formats.pipes import PIPE, check_stdout
from stylize_live.media.formats.tags import wants_phone_tags
from stylize_live.media.libraries import av
from stylize_live.system.names import explain_unfit

_USUAL_TICKS = 90_000  # per second
_MOST_TICKS = 2**24
_TICKS_FOR_SOUND = 48_000  # per second, at least
QUICKTIME = ("mp4", "mov")  # their index stands at the end unless it is moved; their clock is free
_CLOCKS = {"gif": Fraction(1, 100)}
_MILLISECOND = Fraction(1, 1000)
IMAGES_ONLY = ("gif", "webp")


def container_options(format_name: str, clock: Fraction, tags: dict[str, str]) -> dict[str, str]:
    """Options of a format, by FFmpeg's names; of animated images, see `loop_options`."""
    if format_name not in QUICKTIME:
        # Sound that an encoder began before 0 would move all frames to later times.
        return {"avoid_negative_ts": "disabled"}
    flags = "+faststart" + ("+use_metadata_tags" if wants_phone_tags(tags, format_name) else "")
    # Counts when each stream begins, rounded down: whole for the video, and fine enough for sound.
    ticks = clock.denominator * -(-_TICKS_FOR_SOUND // clock.denominator)
    return {"movflags": flags, "movie_timescale": str(ticks)}


def growing_options(format_name: str) -> dict[str, str]:
    """What keeps a file playable while it grows: a part of one second after another."""
    # A microphone that falls silent for good holds no frame back for longer than a second.
    always = {"flush_packets": "1", "max_interleave_delta": "1000000"}
    if format_name not in QUICKTIME:
        return always | {"cluster_time_limit": "1000"}
    # "hybrid": a file that is finished in peace gets the usual index and no longer needs its parts'.
    flags = "hybrid_fragmented+negative_cts_offsets"
    return always | {"movflags": flags, "frag_duration": "1000000"}


def quicktime_tag(video: av.VideoStream) -> str:
    """What .mp4 and .mov call a codec, where the muxer's own choice is not the best; else nothing."""
    match video.codec_context.codec.canonical_name:
        case "hevc":
            return "hvc1"  # Apple's players know no other
        case "prores":
            return "ap4h" if "444" in (video.codec_context.pix_fmt or "") else "apch"
    return "\0\0\0\0"


def video_clock(path: Path, like: Fraction | None = None) -> Fraction:
    """The finest clock that a target keeps: the source's, as one tick per 1/n second, where it can.

    Args:
        path: target, with a known suffix.
        like: seconds between two ticks of the source's clock, if there is a source.
    """
    if video_format(path) not in QUICKTIME:
        return _CLOCKS.get(video_format(path), _MILLISECOND)
    ticks = like.denominator if like else _USUAL_TICKS
    return Fraction(1, ticks if ticks < _MOST_TICKS else _USUAL_TICKS)


def check_target(path: Path) -> None:
    """Refuse a target that cannot be written, before any work.

    Raises:
        UsageError: the suffix names no known format.
        SinkError: no file can have that name, its folder is missing or closed to us, or it is a folder
            itself.
    """
    video_format(path)
    if path == PIPE:
        check_stdout()
        return
    if why := explain_unfit(resolve_link(path)):
        raise SinkError(f"{path}: {why}")
    folder = resolve_link(path).parent
    if not folder.is_dir():
        raise SinkError(f"{path}: the folder {folder} does not exist; make it first")
    if path.is_dir():
        raise SinkError(f"{path}: is a folder, expected a file name")
    if not os.access(folder, os.W_OK):
        raise SinkError(f"{path}: no permission to write into {folder}")
