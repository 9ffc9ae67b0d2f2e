"""Videos whose frames a chip of this machine decodes: NVDEC and its like."""

from __future__ import annotations

from typing import Any

from stylize_live.media.hw.surface import CHIP, chip_to_decode
from stylize_live.media.libraries import av

# FFmpeg's names of the makers' interfaces, the most specific first.
_INTERFACES = ("cuda", "qsv", "videotoolbox", "d3d11va", "vaapi")


def open_on_gpu(name: str, *, surfaces: bool = False, **options: Any) -> av.container.InputContainer | None:
    """Open a video so that a chip decodes it and gives its frames back in the machine's memory.

    Args:
        name: of the file, as FFmpeg takes it.
        surfaces: leave the frames on the chip if it is one that frames can stay on, see `surface.py`.
        options: of `av.open`.

    Returns:
        None where no chip that PyAV can talk to decodes such a video, or where it cannot be opened at all.
    """
    for interface in _INTERFACES:
        if interface not in av.codec.hwaccel.hwdevices_available():
            continue
        try:
            chip = _chip(interface, surfaces=surfaces)
            video: av.container.InputContainer = av.open(name, "r", hwaccel=chip, **options)
        except (OSError, RuntimeError, NotImplementedError, av.FFmpegError):
            continue  # no such chip, or it does not know this codec
        return video
    return None


def _chip(interface: str, *, surfaces: bool) -> av.codec.hwaccel.HWAccel:
    if surfaces and interface == CHIP:
        return chip_to_decode()
    return av.codec.hwaccel.HWAccel(interface, allow_software_fallback=False)
