"""What each codec can: where it fits, how it stores frames, what its settings are called.

The scale of `preset` is x264's for all codecs; this is where it becomes each encoder's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stylize_live.config import Preset, VideoSettings
from stylize_live.errors import UsageError
from stylize_live.media.color.palette import PALETTE_FORMAT
from stylize_live.media.formats.pipes import PIPE
from stylize_live.media.formats.x264 import deterministic_options
from stylize_live.wording import option

# By name, because FFmpeg would take .m4v for a bare MPEG-4 stream.
FORMATS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".gif": "gif",
    ".webp": "webp",
}
# What `--codec auto` means.
_USUAL_CODECS = {".webm": "vp9", ".gif": "gif", ".webp": "webp"}

# The same for transparent videos, where it is another one.
_USUAL_ALPHA_CODECS = {".mov": "prores", ".mkv": "ffv1"}


@dataclass(frozen=True, slots=True)
class Codec:
    """A way to compress video.

    Attributes:
        software: FFmpeg's encoders that run on any processor, the best first.
        suffixes: files that can hold it.
        crf: the usual quality, or None where there is nothing to choose.
        worst_crf: end of the scale.
        formats: FFmpeg's names of pixel formats by (bits, alpha); where one is missing, it cannot.
    """

    software: tuple[str, ...]
    suffixes: tuple[str, ...]
    crf: int | None
    worst_crf: int
    formats: dict[tuple[int, bool], str]


_PLAIN = {(8, False): "yuv420p", (10, False): "yuv420p10le"}
CODECS = {
    "h264": Codec(("libx264",), (".mp4", ".m4v", ".mov", ".mkv"), 18, 51, _PLAIN),
    "hevc": Codec(("libx265",), (".mp4", ".m4v", ".mov", ".mkv"), 20, 51, _PLAIN),
    "av1": Codec(("libsvtav1", "libaom-av1"), (".mp4", ".m4v", ".mkv", ".webm"), 26, 63, _PLAIN),
    "vp9": Codec(
        ("libvpx-vp9",),
        (".webm", ".mp4", ".m4v", ".mkv"),
        26,
        63,
        _PLAIN | {(8, True): "yuva420p"},
    ),
    # ProRes has 10 bits whatever comes in.
    "prores": Codec(
        ("prores_ks",),
        (".mov", ".mkv"),
        None,
        0,
        {
            (bits, alpha): "yuva444p10le" if alpha else "yuv422p10le"
            for bits in (8, 10)
            for alpha in (False, True)
        },
    ),
    # RGB, so that nothing at all is lost.
    "ffv1": Codec(
        ("ffv1",),
        (".mkv",),
        None,
        0,
        {(8, False): "bgr0", (8, True): "bgra", (10, False): "gbrp10le", (10, True): "gbrap10le"},
    ),
}
# For short clips, each in files of its own; WebP does the way to YUV by itself.
CODECS["gif"] = Codec(("gif",), (".gif",), None, 0, {(8, False): PALETTE_FORMAT, (8, True): PALETTE_FORMAT})
CODECS["webp"] = Codec(("libwebp_anim",), (".webp",), None, 0, {(8, False): "bgra", (8, True): "bgra"})
_HARDWARE_FORMATS = {(8, False): "nv12", (10, False): "p010le"}

_PRESETS: tuple[Preset, ...] = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)
# The same nine steps on other scales.
_SVT = (9, 9, 8, 8, 7, 6, 4, 3, 2)  # above 9 its makers warn of visible faults
_AOM = (10, 9, 8, 7, 6, 5, 4, 3, 2)
_VPX = (8, 7, 6, 5, 4, 3, 2, 1, 0)
_NVENC = (1, 1, 2, 3, 4, 4, 5, 6, 7)
_QSV = ("veryfast", "veryfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_AMF = ("speed",) * 4 + ("balanced",) * 2 + ("quality",) * 3


def codec_for(path: Path, settings: VideoSettings) -> str:
    """The codec that a target is written with.

    Raises:
        UsageError: the suffix names no known format, its files cannot hold the codec, or the codec
            has no such quality.
    """
    suffix = _suffix(path)
    video_format(path)
    name = settings.codec if settings.codec != "auto" else _USUAL_CODECS.get(suffix, "h264")
    codec = CODECS[name]
    if suffix not in codec.suffixes:
        raise UsageError(f"{path}: {suffix} files cannot hold {name}; use {_join_or(codec.suffixes)}")
    if settings.crf is not None:
        check_crf(name, settings.crf)
    return name


def check_crf(codec: str, crf: int) -> None:
    """Raise `UsageError` where a codec has no such quality."""
    if CODECS[codec].crf is None:
        why = "loses nothing" if codec == "ffv1" else "has one quality"
        raise UsageError(f"{codec} {why}: leave out {option('crf')}")
    if crf > CODECS[codec].worst_crf:
        raise UsageError(f"crf of {codec} goes from 0 to {CODECS[codec].worst_crf}, got {crf}")


def video_format(path: Path) -> str:
    """FFmpeg's name of the format that a path's suffix asks for.

    Raises:
        UsageError: the suffix names no known format.
    """
    try:
        return FORMATS[_suffix(path)]
    except KeyError:
        known = ", ".join(sorted(FORMATS))
        raise UsageError(f"{path}: cannot write this kind of video; use one of {known}") from None


def pixel_format(encoder: str, codec: str, bits: int, alpha: bool) -> str | None:
    """FFmpeg's name of the pixel format, or None where this codec cannot store such frames."""
    formats = CODECS[codec].formats if encoder in CODECS[codec].software else _HARDWARE_FORMATS
    return formats.get((bits, alpha))


def stores_planes(path: Path, settings: VideoSettings) -> bool:
    """Whether a target's frames are 8 bits of 4:2:0, whoever encodes them. Raises as `codec_for` does."""
    planes = CODECS[codec_for(path, settings)].formats.get((8, False)) == "yuv420p"
    return planes and settings.bits == 8


def keeps_alpha(path: Path, codec: str) -> bool:
    """Whether a target can be transparent; of VP9, only WebM's own relatives hold the second layer."""
    suffixes = (".webm", ".mkv") if codec == "vp9" else CODECS[codec].suffixes
    return (8, True) in CODECS[codec].formats and _suffix(path) in suffixes


def alpha_codec(path: Path, settings: VideoSettings) -> str:
    """The codec that a transparent target is written with, as `codec_for`; one that can where it may choose.

    Raises:
        UsageError: as `codec_for` does, or what is asked for cannot be transparent.
    """
    name = codec_for(path, settings)
    if settings.codec == "auto":
        name = _USUAL_ALPHA_CODECS.get(_suffix(path), name)
    if not keeps_alpha(path, name):
        usual = _USUAL_ALPHA_CODECS.get(_suffix(path), codec_for(path, VideoSettings()))
        if keeps_alpha(path, usual):
            other = option("codec", usual)
            raise UsageError(f"{path}: {name} cannot be transparent; use {other}, or write {_ALPHA_KINDS}")
        raise UsageError(f"{path}: {NO_ALPHA}")
    return name


def keeps_pixel_shape(path: Path, codec: str) -> bool:
    """Whether a target's players learn how wide its pixels are; Matroska's only from the codec itself."""
    return codec in ("h264", "hevc") or FORMATS[_suffix(path)] in ("mp4", "mov")


_ALPHA_KINDS = ".webm, .mov (ProRes 4444), .mkv (FFV1), .webp, .gif or numbered images, frames/%05d.png"
NO_ALPHA = f"this kind of video cannot be transparent; use {_ALPHA_KINDS}"
ALPHA_DROPPED = "transparency was dropped; vp9 in .webm, prores in .mov and ffv1 in .mkv keep it"


def encoder_options(encoder: str, codec: str, settings: VideoSettings, alpha: bool) -> dict[str, str]:
    """An encoder's own names and values for the settings."""
    crf = settings.crf if settings.crf is not None else CODECS[codec].crf
    step = _PRESETS.index(settings.preset)
    maker = encoder.rpartition("_")[2]
    if maker == "nvenc":
        return {"preset": f"p{_NVENC[step]}", "rc": "vbr", "cq": str(crf), "b": "0"}
    if maker == "qsv":
        return {"preset": _QSV[step], "global_quality": str(crf)}
    if maker == "amf":
        return {"quality": _AMF[step], "rc": "cqp", "qp_i": str(crf), "qp_p": str(crf)}
    if maker == "videotoolbox":  # counts from 1 to 100, better is higher, in units of 118
        quality = max(1, 100 - 2 * (crf or 0))
        return {"flags": "+qscale", "global_quality": str(118 * quality)}
    if maker == "mf":  # the same numbers; without the first, Windows' software would do
        quality = max(1, 100 - 2 * (crf or 0))
        return {"hw_encoding": "1", "rate_control": "quality", "quality": str(quality)}
    return _software_options(encoder, crf, step, alpha)


def _software_options(encoder: str, crf: int | None, step: int, alpha: bool) -> dict[str, str]:
    match encoder:
        case "libx264":
            return {"crf": str(crf), "preset": _PRESETS[step], **deterministic_options()}
        case "libx265":
            return {"crf": str(crf), "preset": _PRESETS[step], "x265-params": "log-level=none"}
        case "libsvtav1":
            return {"crf": str(max(1, crf or 0)), "preset": str(_SVT[step])}
        case "libaom-av1":
            return {"crf": str(crf), "b": "0", "cpu-used": str(_AOM[step]), "row-mt": "1"}
        case "libvpx-vp9":
            # Up to 5 counts for "good", above for "realtime".
            speed = _VPX[step]
            options = {"crf": str(crf), "b": "0", "cpu-used": str(speed), "row-mt": "1"}
            options["deadline"] = "realtime" if speed > 5 else "good"
            return options | ({"auto-alt-ref": "0"} if alpha else {})
        case "prores_ks":
            return {"profile": "4444" if alpha else "hq", "vendor": "apl0"}
        case "gif":
            return {}
        case "libwebp_anim":
            return {"quality": "85"}
        case "ffv1":
            return {"level": "3", "slicecrc": "1", "g": "1"}
    raise ValueError(f"no options are known for {encoder}")


def _suffix(path: Path) -> str:
    # Of what a pipe can carry, Matroska holds the most.
    return ".mkv" if path == PIPE else path.suffix.lower()


def _join_or(names: tuple[str, ...]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
