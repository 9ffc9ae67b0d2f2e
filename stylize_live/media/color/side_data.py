"""What decoders attach to frames: display matrix, brightness, captions and so on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from stylize_live.media.libraries import av, sidedata


def _read_unnamed(kind: type[Any], number: int) -> Any:
    made = object.__new__(kind)
    made._name_, made._value_ = f"KIND_{number}", number
    return made


# FFmpeg knows kinds that PyAV has no name for, such as EXIF, and PyAV then lists none of a frame's. This is
# how enums take values that they do not know.
sidedata.Type._missing_ = classmethod(_read_unnamed)  # type: ignore[assignment, method-assign]


def side_data_of(frame: av.VideoFrame) -> Mapping[str, bytes]:
    """All of it, by PyAV's names.

    It is PyAV's own container, but not `frame.side_data`, which ties a frame and its side data into a
    cycle: of a video, hundreds of frames would wait for the garbage collector.
    """
    container: Any = sidedata.SideDataContainer
    return cast("Mapping[str, bytes]", container(frame))
