"""Every setting, once: its name in TOML files, its command-line flag, default, range and help text.

Painting options, which a session can change while it runs, come from `options.py`.
A flag wins over a file, a file over the default.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from stylize_live.errors import ConfigError, UsageError
from stylize_live.options import ImageOptions, LayerOptions, PaintingOptions, VideoOptions
from stylize_live.sound_rules import OFF, rules_of
from stylize_live.units import MOST_SECONDS, fit_size, parse_rate, parse_seconds
from stylize_live.validation import Settings, describe_validation_error
from stylize_live.wording import option

_MOST_BYTES = 1 << 16  # of a configuration file; a long one has a few thousand
# Python's reader takes minutes for a key of many parts, which no setting has; numbers have a dot each.
_MOST_DOTS = 100  # on a line, not counting texts in quotes
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')

SIZE = r"^(auto|\d{2,4}p?)$"  # of live frames: lines
DEFAULT_STYLE = "starry-night"
DeviceName = str
"""One of `DEVICES`, or GPUs by their numbers, as in "cuda:1" and "cuda:0,2"."""
DEVICES = ("auto", "cpu", "cuda", "cuda:all")
_GPUS = re.compile(r"cuda:(\d{1,3}(?:,\d{1,3})*)")
APPLES_GPU = "mps"  # as torch calls it
NO_APPLE_GPU = "mps, Apple's GPU, is not used by this program: leave it to auto, or use cpu"
Precision = Literal["auto", "float32", "bfloat16", "float16", "int8"]
Runtime = Literal["auto", "torch", "openvino"]
Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
AudioChoice = Literal["copy", "aac", "none"]
CodecKind = Literal["software", "hardware", "auto"]


def explain_device(name: object) -> str:
    """Why something is no `DeviceName`, for people; "" if it is one."""
    if isinstance(name, str):
        if name in DEVICES or len(set(numbers := gpu_numbers(name))) == len(numbers) > 0:
            return ""
        if name.lower() == APPLES_GPU:
            return NO_APPLE_GPU
        if numbers:
            return f"device: {name} names a GPU twice"
    *others, last = map(repr, DEVICES)
    return (
        f"device: expected {', '.join(others)}, {last} or GPUs such as 'cuda:1' and 'cuda:0,1', got {name!r}"
    )


def gpu_numbers(name: str) -> list[int]:
    """The GPUs that a device's name numbers, from 0; none where it numbers none."""
    found = _GPUS.fullmatch(name)
    return [int(number) for number in found[1].split(",")] if found else []


def names_several(name: str) -> bool:
    """Whether a device's name means several GPUs, or may."""
    return name == "cuda:all" or len(gpu_numbers(name)) > 1


class StyleSettings(Settings):
    """Which style is painted in."""

    style: str = Field(
        default=DEFAULT_STYLE,
        description="Name of a style, path of a .safetensors style file or of any painting (.jpg, .png), "
        "a blend like starry-night:0.6,great-wave:0.4, or of videos a timeline like "
        "0:starry-night,12.5:great-wave; great-wave@0.5 there has a boldness of its own.",
    )


class EngineSettings(ImageOptions, StyleSettings):
    """What every command that paints can be told."""

    device: DeviceName = Field(
        default="auto",
        description="Where the network runs: auto takes a GPU if there is one; cpu; cuda, or cuda:1 for the "
        "second GPU; for convert also several, cuda:0,1, or cuda:all.",
    )
    precision: Precision = Field(
        default="auto", description="Arithmetic of the network; auto takes the fastest that looks the same."
    )
    runtime: Runtime = Field(
        default="auto",
        description="What computes the network on a CPU; auto takes the faster one of those installed.",
    )

    @field_validator("device", mode="before")
    @classmethod
    def _check_device(cls, device: object) -> object:
        if why := explain_device(device):
            raise ValueError(why if why.startswith("device") else f"device: {why}")
        return device


@dataclass(frozen=True, slots=True)
class Heading:
    """Under which heading the live commands' `--help` shows a setting, in the order of the fields."""

    text: str


@dataclass(frozen=True, slots=True)
class _NotInPresets:
    """Marks what belongs to one session or to the page, so that presets do not keep it."""


NOT_IN_PRESETS = _NotInPresets()


class LearningSettings(Settings):
    """How long a style that is a painting is learnt."""

    learn: Annotated[str | None, Heading("Look"), NOT_IN_PRESETS] = Field(
        default=None,
        description="Where --style is a painting, practise for so long beside the show or before anything is "
        "painted: seconds, or 10:00. The flag alone means ten minutes beside a show, one before. What was "
        "learnt is kept, and gone on from.",
    )

    @field_validator("learn", mode="before")
    @classmethod
    def _check_learn(cls, value: object) -> object:
        if value is None or value == "auto":
            return value
        text = str(value)
        try:
            seconds = parse_seconds(text)
        except ValueError as error:
            raise ValueError(f"{option('learn')}: {error}") from None
        if not 0 < seconds <= MOST_SECONDS:
            raise ValueError(f"{option('learn')}: expected more than 0 seconds, got {text}")
        return text

    def learn_seconds(self, usual: float) -> float | None:
        """Seconds of practice, `usual` where none are named; None for none."""
        if self.learn is None:
            return None
        return usual if self.learn == "auto" else float(parse_seconds(self.learn))


class ImageSettings(LayerOptions, LearningSettings, EngineSettings):
    """What `image` can be told."""


class SourceSettings(Settings):
    """Which part of a video is taken, and how large."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    size: str | None = Field(
        default=None,
        description="Scale the frames before they are painted: 1280x720 is a box to fit into, 720p the "
        "shorter side. The shape is kept.",
    )
    fps: str | None = Field(
        default=None,
        description="Constant frame rate: frames are repeated or left out. For numbered images, their rate.",
    )
    start: str | None = Field(default=None, description="Begin here: seconds, or 1:02:03.5.")
    end: str | None = Field(default=None, description="Stop here: seconds, or 1:02:03.5.")
    decoder: CodecKind = Field(
        default="software",
        description="What decodes the video: hardware leaves the processor to the network, auto takes it "
        "where it works.",
    )

    @field_validator("size", "fps", "start", "end")
    @classmethod
    def _check_readable(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is not None:
            try:
                _READ[str(info.field_name)](text)
            except ValueError as error:
                raise ValueError(f"{info.field_name}: {error}") from None
        return text

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.end is not None and parse_seconds(self.end) <= parse_seconds(self.start or "0"):
            raise ValueError(f"end: {self.end} must come after the start, {self.start or 0}")
        return self


_READ: dict[str, Callable[[str], object]] = {
    "size": lambda text: fit_size(text, (16, 9)),
    "fps": parse_rate,
    "start": parse_seconds,
    "end": parse_seconds,
}


class VideoSettings(Settings):
    """How a video is written: its frames and its sound."""

    codec: Literal["auto", "h264", "hevc", "av1", "vp9", "prores", "ffv1"] = Field(
        default="auto", description="How video is compressed; auto takes vp9 for .webm and h264 for the rest."
    )
    crf: int | None = Field(
        default=None,
        ge=0,
        le=63,
        description="Quality of the video: lower is better and larger; each codec has its own usual value.",
    )
    preset: Preset = Field(
        default="veryfast", description="Speed of the encoder: slower is smaller. The same scale for all."
    )
    encoder: CodecKind = Field(
        default="software",
        description="What encodes the video: software is smaller, hardware leaves the processor to the "
        "network, auto takes hardware where it works.",
    )
    bits: Literal[8, 10] = Field(
        default=8, description="Bits for each colour; 10 keeps skies smooth, but plays in fewer programs."
    )
    audio: AudioChoice = Field(
        default="copy",
        description="Sound: copy it (encoded again only where players of the target's format refuse it), "
        "aac (encode all that is not AAC yet), or none.",
    )

    @field_validator("bits", mode="before")
    @classmethod
    def _parse_bits(cls, value: object) -> object:
        """The command line gives "10", which pydantic would not take for the number."""
        return int(value) if isinstance(value, str) and value.isdecimal() else value


class SoundSettings(Settings):
    """What of the painting follows the sound, and how far."""

    follow_sound: Annotated[str, Heading("Sound")] = Field(
        default=OFF,
        description="What follows the sound: boldness, strength, stroke, steadiness or, on the beat, style; "
        "as in bass:strength:0.3,beat:style:16. Signals are level, bass, mid, treble, onset and beat. The "
        "flag alone means level:boldness,bass:strength.",
    )
    sound_amount: Annotated[float, Heading("Sound")] = Field(
        default=1.0, ge=0, le=2, description="How far all of it moves: 0 stands still, 2 is twice as far."
    )
    sound_styles: Annotated[str | None, Heading("Sound")] = Field(
        default=None,
        description="Styles that follow each other on the beat, parted by commas; without it, all there are.",
    )

    @field_validator("follow_sound")
    @classmethod
    def _check_rules(cls, text: str) -> str:
        try:
            rules_of(text)
        except ValueError as error:
            raise ValueError(f"{option('follow_sound')}: {error}") from None
        return text

    @field_validator("sound_styles")
    @classmethod
    def _name_some(cls, text: str | None) -> str | None:
        """A text without names, such as that of an empty variable, is none: beats would change nothing."""
        return text if text and text.strip(" ,") else None


class ConvertSettings(
    VideoSettings, SourceSettings, PaintingOptions, SoundSettings, LearningSettings, EngineSettings
):
    """What `convert` can be told."""

    crossfade: float = Field(
        default=1.0,
        ge=0,
        le=MOST_SECONDS,
        description="Seconds that each change of a style takes, of a timeline or on the beat.",
    )
    preview: float | None = Field(
        default=None,
        gt=0,
        le=MOST_SECONDS,
        description="Convert only so many seconds from the middle, the original beside the result.",
    )
    side_by_side: bool = Field(default=False, description="Put the original to the left of the result.")


class LiveSettings(PaintingOptions, SoundSettings, LearningSettings, EngineSettings):
    """How live frames are captured, shown and served."""

    source: Annotated[str, Heading("Source")] = Field(
        default="0",
        description="Camera number or name, a video file, 'screen', a URL, 'ndi:NAME', 'test' for a pattern, "
        "or in the studio 'browser' for a page's own camera.",
    )
    loop: Annotated[bool, Heading("Source")] = Field(
        default=False, description="Play a video file again and again."
    )
    width: Annotated[int, Heading("Source")] = Field(
        default=640,
        ge=16,
        le=7680,
        description="Width asked of camera or test pattern; the screen is scaled to fit.",
    )
    height: Annotated[int, Heading("Source")] = Field(
        default=360,
        ge=16,
        le=4320,
        description="Height asked of camera or test pattern; the screen is scaled to fit.",
    )
    fps: Annotated[int, Heading("Source")] = Field(
        default=30, ge=1, le=240, description="Frame rate asked of the camera, screen or test pattern."
    )
    size: Annotated[str, Heading("Look")] = Field(
        default="auto",
        pattern=SIZE,
        description="Lines at which larger frames are painted, before they are enlarged again, sharpened: "
        "360p, say, or auto for as many as the rate allows, up to 480.",
    )
    mirror: Annotated[bool, Heading("Source")] = Field(default=False, description="Mirror the image.")
    split: Annotated[bool, Heading("Source")] = Field(
        default=False, description="Show the original in the left half."
    )
    sound_from: Annotated[str, Heading("Sound")] = Field(
        default="auto",
        description="Which sound is followed: source, the video's own; microphone, the system's choice; or a "
        "microphone's name or number. auto is source where that is a file, else the one of --microphone.",
    )
    record: Annotated[Path | None, Heading("Outputs"), NOT_IN_PRESETS] = Field(
        default=None,
        description="Record what is shown into this .mp4, .mov or .mkv; with a transparent background, "
        "transparent into a .mov (ProRes 4444) or .webm.",
    )
    microphone: Annotated[str | None, Heading("Outputs"), NOT_IN_PRESETS] = Field(
        default=None,
        description="Record a microphone's sound too: its name or number, or auto, the system's choice, "
        "which the flag alone means too.",
    )
    stream: Annotated[str | None, Heading("Outputs")] = Field(
        default=None,
        description="Serve a stream for OBS's Media Source: a port or host:port; auto, which the flag "
        "alone means too, is port 9710 for this machine only.",
    )
    obs: Annotated[bool, Heading("Outputs")] = Field(
        default=False,
        description="Have a running OBS show the stream, as the command obs does; it implies --stream.",
    )
    virtual_camera: Annotated[str | None, Heading("Outputs")] = Field(
        default=None,
        description="Feed a virtual camera that other programs can choose: its name or number, or auto, "
        "which the flag alone means too.",
    )
    osc: Annotated[str | None, Heading("OSC and MIDI"), NOT_IN_PRESETS] = Field(
        default=None,
        description="Take OSC messages: a port or host:port; auto, which the flag alone means too, is port "
        "9730 for this machine only.",
    )
    midi: Annotated[str | None, Heading("OSC and MIDI"), NOT_IN_PRESETS] = Field(
        default=None,
        description="Take the knobs and keys of MIDI devices: part of a device's name, or auto, which the "
        "flag alone means too, for all of them.",
    )
    ndi: Annotated[str | None, Heading("Outputs")] = Field(
        default=None,
        description="Offer what is shown to the local network as NDI, under a name; auto, which the flag "
        "alone means too, is stylize-live.",
    )
    window: Annotated[bool, Heading("Outputs"), NOT_IN_PRESETS] = Field(
        default=True, description="Show a window."
    )
    duration: Annotated[float | None, Heading("Source"), NOT_IN_PRESETS] = Field(
        default=None, gt=0, le=MOST_SECONDS, description="Stop after so many seconds."
    )
    host: Annotated[str, Heading("Page"), NOT_IN_PRESETS] = Field(
        default="127.0.0.1",
        description="Address to serve the page on: 0.0.0.0 lets phones in your network in; they need the "
        "link with its token.",
    )
    port: Annotated[int, Heading("Page"), NOT_IN_PRESETS] = Field(
        default=9720, ge=0, le=65535, description="Port of the studio's page; 0 takes any free one."
    )
    token: Annotated[str | None, Heading("Page"), NOT_IN_PRESETS] = Field(
        default=None,
        min_length=8,
        description="Secret in the link to the page; without it, other addresses than this machine's own "
        "get a new one.",
    )
    open: Annotated[bool, Heading("Page"), NOT_IN_PRESETS] = Field(
        default=False, description="Open the page in a browser of this machine."
    )


class WindowSettings(LiveSettings):
    """What `live` can be told."""

    studio: bool = Field(default=False, description="Serve the studio's web page, too.")


class StudioSettings(LiveSettings):
    """What `studio` can be told."""

    window: bool = Field(default=False, description="Show a window, too.")


class BenchSettings(VideoOptions, EngineSettings):
    """What `bench` can be told."""

    size: str = Field(default="640x360", description="Size of the frames to measure with, or 720p.")
    seconds: float = Field(
        default=90.0,
        ge=1,
        le=MOST_SECONDS,
        description="About how long the whole may take; longer is more exact.",
    )

    @field_validator("size")
    @classmethod
    def _check_readable(cls, text: str) -> str:
        try:
            fit_size(text, (16, 9))
        except ValueError as error:
            raise ValueError(f"size: {error}") from None
        return text


SettingsT = TypeVar("SettingsT", bound=Settings)


def merge_config(flags: SettingsT, file: Path | None) -> SettingsT:
    """Lay the flags that were really given over a configuration file.

    Args:
        flags: settings from the command line; fields that were not given keep their defaults.
        file: TOML file of flat keys, or None.

    Raises:
        ConfigError: the file is unreadable, has an unknown key, or a value of a wrong type or range.
    """
    if file is None:
        return flags
    values = _read_toml(file)
    known = type(flags).model_fields
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known))}"
            raise ConfigError(f"{file}: unknown key {key!r}, {hint}")
    values |= flags.model_dump(include=flags.model_fields_set)
    try:
        return type(flags)(**values)
    except ValidationError as error:
        raise ConfigError(f"{file}: {describe_validation_error(error)}") from None


def from_options(function: str, kind: type[SettingsT], options: dict[str, Any]) -> SettingsT:
    """Settings from what a function of the package was given by name.

    Args:
        function: its name.
        kind: of settings.
        options: values by name.

    Raises:
        TypeError: there is no such option, in Python's words.
        UsageError: a value of a wrong type or range.
    """
    for name in options:
        if name not in kind.model_fields:
            near = difflib.get_close_matches(name, kind.model_fields, 1)
            hint = f". Did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}{hint}")
    try:
        return kind(**options)
    except ValidationError as error:
        raise UsageError(describe_validation_error(error)) from None


def _read_toml(file: Path) -> dict[str, object]:
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ConfigError(f"{file}: not a configuration file: it has more than {_MOST_BYTES} bytes")
        text = content.decode("utf-8-sig")  # Windows' own editor writes a mark before the first letter
        if any(_QUOTED.sub("", line).count(".") > _MOST_DOTS for line in text.splitlines()):
            raise ConfigError(f"{file}: not valid TOML: nested too deeply")
        return tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{file}: cannot read the configuration: {error.strerror}") from None
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise ConfigError(f"{file}: not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{file}: not valid TOML: nested too deeply") from None
