"""Which video encoders this machine really has, and which one is taken."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from stylize_live.config import CodecKind, VideoSettings
from stylize_live.errors import UsageError
from stylize_live.media.formats.codecs import CODECS, encoder_options, pixel_format
from stylize_live.media.hw.surface import NV12
from stylize_live.media.libraries import av
from stylize_live.wording import option

# Media Foundation, Windows' own way to any chip, behind those of the chips' makers.
_HARDWARE = ("nvenc", "qsv", "amf", "videotoolbox", "mf")
_HARDWARE_CODECS = ("h264", "hevc", "av1")
_TRIAL_SIZE = (640, 368)


@dataclass(frozen=True, slots=True)
class Encoder:
    """A video encoder.

    Attributes:
        name: FFmpeg's name of it, such as "h264_nvenc".
        codec: "h264", "hevc" and so on, as `--codec` takes it.
        hardware: whether a chip does it.
        usable: whether it could be opened here; software always can.
    """

    name: str
    codec: str
    hardware: bool
    usable: bool


def list_encoders() -> list[Encoder]:
    """The encoders that PyAV was built with; hardware ones are tried out.

    Trying takes milliseconds where there is no such hardware, some tenths of a second where there is.
    """
    found = []
    for codec, kind in CODECS.items():
        found += [Encoder(name, codec, False, True) for name in kind.software if _known(name)]
        found += [Encoder(name, codec, True, _opens(name, codec, 8)) for name in _hardware(codec)]
    return found


def choose_encoder(codec: str, kind: CodecKind, bits: int = 8) -> str:
    """FFmpeg's name of the encoder to take for a codec.

    Args:
        codec: a key of `CODECS`.
        kind: "auto" takes hardware if it really opens.
        bits: of each colour; hardware must open with them.

    Raises:
        UsageError: there is none of that kind here; the message names what there is.
    """
    software = [name for name in CODECS[codec].software if _known(name)]
    if kind != "software":
        hardware = next((name for name in _hardware(codec) if _opens(name, codec, bits)), None)
        if hardware is not None:
            return hardware
        if kind == "hardware":
            works = f"{option('encoder', 'software')} works"
            there = works if software else "there is no software for it either"
            deep = f" with {bits} bits" if bits > 8 else ""
            raise UsageError(f"no chip of this machine encodes {codec}{deep}; {there}")
    if not software:
        there = ", ".join(name for name, c in CODECS.items() if any(_known(e) for e in c.software))
        raise UsageError(f"this build of PyAV has no encoder for {codec}; it has {there or 'none'}")
    return software[0]


def supports_format(encoder: str, pixel_format: str) -> bool:
    """Whether an encoder was built for a pixel format."""
    formats = av.Codec(encoder, "w").video_formats or ()
    return any(known.name == pixel_format for known in formats)


def encodes_on_chip(encoder: str, pixel_format: str) -> bool:
    """Whether an encoder takes frames that lie on its chip, see `surface.py`."""
    return encoder.endswith("_nvenc") and pixel_format == NV12


def _hardware(codec: str) -> list[str]:
    if codec not in _HARDWARE_CODECS:
        return []
    return [name for maker in _HARDWARE if _known(name := f"{codec}_{maker}")]


def _known(name: str) -> bool:
    try:
        return bool(av.Codec(name, "w").is_encoder)
    except ValueError:  # PyAV's error for a codec that was not built in is one
        return False


def _opens(name: str, codec: str, bits: int) -> bool:
    """Try it as a conversion would use it."""
    try:
        context = av.CodecContext.create(name, "w")
        if not isinstance(context, av.VideoCodecContext):
            return False
        context.width, context.height = _TRIAL_SIZE
        context.pix_fmt = pixel_format(name, codec, bits, alpha=False)
        context.options = encoder_options(name, codec, VideoSettings(), alpha=False)
        context.framerate = Fraction(30)
        context.time_base = Fraction(1, 30)
        context.open()
    except (av.FFmpegError, OSError, ValueError):
        return False
    return True
