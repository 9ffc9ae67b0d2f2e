"""Every setting, once: its name in TOML files, its command-line flag, default, range and help text.

A flag wins over a file, a file over the default.
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stylize_live.errors import ConfigError

DEFAULT_STYLE = "starry-night"
DeviceName = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]
AudioChoice = Literal["copy", "aac", "none"]


class EngineSettings(BaseModel):
    """What every command that paints can be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    style: str = Field(
        default=DEFAULT_STYLE, description="Name of a style, or path of a .safetensors style file."
    )
    strength: float = Field(default=1.0, ge=0, le=1, description="0 is the original, 1 the full style.")
    device: DeviceName = Field(
        default="auto", description="Where the network runs; auto takes a GPU if there is one."
    )
    precision: Precision = Field(
        default="auto", description="Arithmetic of the network; auto takes the fastest that looks the same."
    )


class ConvertSettings(EngineSettings):
    """How `convert` writes videos."""

    crf: int = Field(default=18, ge=0, le=51, description="Quality of the video: lower is better and larger.")
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"] = Field(
        default="veryfast", description="Speed of the encoder: slower is smaller."
    )
    audio: AudioChoice = Field(
        default="copy",
        description="Sound: copy it (encoded again only where players of the target's format refuse it), "
        "aac (encode all that is not AAC yet), or none.",
    )


class LiveSettings(EngineSettings):
    """How `live` captures and shows."""

    source: str = Field(
        default="0",
        description="Camera number or name, a video file, 'screen', a URL, or 'test' for a pattern.",
    )
    width: int = Field(
        default=640,
        ge=16,
        le=7680,
        description="Width asked of camera or test pattern; the screen is scaled to fit.",
    )
    height: int = Field(
        default=360,
        ge=16,
        le=4320,
        description="Height asked of camera or test pattern; the screen is scaled to fit.",
    )
    fps: int = Field(
        default=30, ge=1, le=240, description="Frame rate asked of the camera, screen or test pattern."
    )
    mirror: bool = Field(default=False, description="Mirror the picture.")
    split: bool = Field(default=False, description="Show the original in the left half.")
    window: bool = Field(default=True, description="Show a window.")
    duration: float | None = Field(default=None, gt=0, description="Stop after so many seconds.")


SettingsT = TypeVar("SettingsT", bound=BaseModel)


def merged(flags: SettingsT, file: Path | None) -> SettingsT:
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
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{file}: {where}: {first['msg']}, got {first['input']!r}") from None


def _read_toml(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot read the configuration: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from None
