"""Marks of videos that are not looked at flat: one image for each eye, or all around."""

from __future__ import annotations

import struct

from stylize_live.media.color.side_data import side_data_of
from stylize_live.media.libraries import av

# By FFmpeg's number of how the two images lie; with the left eye's first, and with the right's.
_MODES = {1: ("left_right", "right_left"), 2: ("top_bottom", "bottom_top")}
_RIGHT_FIRST = 1
STEREO_TAG = "stereo_mode"  # what FFmpeg's Matroska files call it
STEREO_LOST = "left out: the mark of a stereo video; both eyes' images are seen until the player is told"
SPHERE_LOST = "left out: the mark of a 360-degree video; it is seen flat until the player is told"


def stereo_mode(frame: av.VideoFrame) -> str | None:
    """How the images for two eyes lie in a frame, in Matroska's words; "" where it has no word for that.

    None for a frame without such a mark.
    """
    data = side_data_of(frame).get("STEREO3D")
    if data is None or len(bytes(data)) < 8:
        return None
    kind, flags = struct.unpack_from("=ii", bytes(data))
    if not kind:
        return None
    return _MODES[kind][flags & _RIGHT_FIRST] if kind in _MODES else ""


def is_sphere(frame: av.VideoFrame) -> bool:
    """Whether a frame is meant to be seen from its inside."""
    return side_data_of(frame).get("SPHERICAL") is not None


def view_losses(tags: dict[str, str], stereo: bool, sphere: bool, format_name: str) -> list[str]:
    """What of these marks a new file does not carry, in words.

    Args:
        tags: of the video.
        stereo, sphere: what the source is.
        format_name: FFmpeg's name of the target's format.
    """
    kept = bool(tags.get(STEREO_TAG)) and format_name in ("matroska", "webm")
    return [STEREO_LOST] * (stereo and not kept) + [SPHERE_LOST] * sphere
