"""Which video encoders this machine really has."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from stylize_live.media.libraries import av

_SOFTWARE = {
    "h264": ("libx264", "libopenh264"),
    "hevc": ("libx265",),
    "av1": ("libsvtav1", "libaom-av1", "librav1e"),
}
_HARDWARE = ("nvenc", "qsv", "amf", "vaapi", "videotoolbox", "v4l2m2m", "mf")
_TRIAL_SIZE = (640, 368)


@dataclass(frozen=True, slots=True)
class Encoder:
    """A video encoder.

    Attributes:
        name: FFmpeg's name of it, such as "h264_nvenc".
        codec: "h264", "hevc" or "av1".
        hardware: whether a chip does it.
        usable: whether it could be opened here; software always can.
    """

    name: str
    codec: str
    hardware: bool
    usable: bool


def list_encoders() -> list[Encoder]:
    """The h264, hevc and av1 encoders that PyAV was built with; hardware ones are tried out.

    Trying takes milliseconds where there is no such hardware, some tenths of a second where there is.
    """
    found = []
    for codec, software in _SOFTWARE.items():
        found += [Encoder(name, codec, False, True) for name in software if _known(name)]
        hardware = [f"{codec}_{maker}" for maker in _HARDWARE if _known(f"{codec}_{maker}")]
        found += [Encoder(name, codec, True, _opens(name)) for name in hardware]
    return found


def _known(name: str) -> bool:
    try:
        return bool(av.Codec(name, "w").is_encoder)
    except ValueError:  # PyAV's error for a codec that was not built in is one
        return False


def _opens(name: str) -> bool:
    try:
        context = av.CodecContext.create(name, "w")
        if not isinstance(context, av.VideoCodecContext):
            return False
        context.width, context.height = _TRIAL_SIZE
        context.pix_fmt = "nv12" if "qsv" in name else "yuv420p"
        context.framerate = Fraction(30)
        context.time_base = Fraction(1, 30)
        context.open()
    except (av.FFmpegError, OSError, ValueError):
        return False
    return True
