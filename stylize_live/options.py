"""The painting options, once: all that a session can change of how it paints while it runs.

From here come the flags and TOML keys of every command that paints (`config.py`), what `Stylizer` takes and
refuses, what backends are told (`engine/core/render_options.py`), what pages and the control API may change
(`studio/messages.py`), what presets hold, and the page's controls for them (`studio/page.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from stylize_live.backgrounds import BLUR, TRANSPARENT, parse_background
from stylize_live.errors import UsageError
from stylize_live.validation import Settings, describe_validation_error, describe_value

DEFAULT_BOLDNESS = 0.7
PaintedPart = Literal["both", "person", "background"]
BOLDNESS_STEP = 0.05  # each boldness has a graph of its own under OpenVINO, so they are few


@dataclass(frozen=True, slots=True)
class Slider:
    """How a page shows a number.

    Attributes:
        label: its name for people.
        step: of the slider.
        scale: what the slider moves in: the value, or its doublings, of which `step` is a part then.
        unit: what the value is told in: percent, or times what is natural.
        zero: said instead of 0, if anything.
    """

    label: str
    step: float
    scale: Literal["linear", "doublings"] = "linear"
    unit: Literal["percent", "times"] = "percent"
    zero: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """How a page shows what is on or off: its name for people."""

    label: str


@dataclass(frozen=True, slots=True)
class Choice:
    """How a page shows one of a few words: its name for people, and the words with theirs."""

    label: str
    words: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Picker:
    """How a page shows a text: its name for people, and what of a show is offered for it."""

    label: str
    offers: Literal["styles", "backgrounds"]


class ImageOptions(Settings):
    """How an image is painted; what backends are told."""

    strength: Annotated[float, Slider("Strength", step=0.01)] = Field(
        default=1.0, ge=0, le=1, description="0 is the original, 1 the full style."
    )
    boldness: Annotated[float, Slider("Boldness", step=BOLDNESS_STEP)] = Field(
        default=DEFAULT_BOLDNESS,
        ge=0,
        le=1,
        description="How freely the style paints: 0 keeps close to the image, 1 is bold. Styles that know "
        "one way only always paint alike.",
    )
    keep_colors: Annotated[bool, Switch("Keep the image’s colours")] = Field(  # noqa: RUF001
        default=False, description="Keep the image's own colours; only strokes come from the style."
    )
    stroke: Annotated[float, Slider("Strokes", step=0.05, scale="doublings", unit="times")] = Field(
        default=1.0,
        ge=0.25,
        le=4,
        description="Size of strokes: 2 is twice as large. Smaller ones take longer to paint.",
    )


class LayerOptions(Settings):
    """What of an image is painted, people or what is behind them, and what stands there instead."""

    paint: Annotated[
        PaintedPart,
        Choice("Painted", (("both", "Both"), ("person", "Me"), ("background", "Background"))),
    ] = Field(
        default="both",
        description="What is painted; the rest stays as it was captured. Whoever is seen is the person.",
    )
    background_style: Annotated[str, Picker("Style of the background", "styles")] = Field(
        default="", description="Paint the background in another style: a name, a file or a blend."
    )
    background: Annotated[str, Picker("Behind you", "backgrounds")] = Field(
        default="",
        description="What stands in place of the background: blur, transparent, a colour such as #00ff00 or "
        "navy, or an image or video file, which is painted where backgrounds are, and plays again and again.",
    )

    @field_validator("background")
    @classmethod
    def _check_background(cls, text: str) -> str:
        try:
            kind = parse_background(text).kind
        except ValueError as error:
            raise PydanticCustomError("background", "{expected}", {"expected": str(error)}) from None
        if kind == "kept":
            return ""
        return kind if kind in (BLUR, TRANSPARENT) else text.strip()


class VideoOptions(ImageOptions):
    """How videos are painted, all of each frame."""

    steadiness: Annotated[float, Slider("Steadiness", step=0.01, zero="off")] = Field(
        default=0.8,
        ge=0,
        le=1,
        description="How firmly paint sticks to what it shows: 0 paints every frame anew and flickers.",
    )


class PaintingOptions(VideoOptions, LayerOptions):
    """All that a session can change of its painting."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What numbers an option takes, the ends included."""

    low: float
    high: float

    def nearest(self, value: float) -> float:
        """The value, or the end that it lies behind."""
        return min(self.high, max(self.low, value))


def limits_of(name: str) -> Limits:
    """The range of an option that is a number."""
    low, high = _bound(PaintingOptions, name, "ge"), _bound(PaintingOptions, name, "le")
    assert low is not None, f"{name} has no lower end"
    assert high is not None, f"{name} has no upper end"
    return Limits(low, high)


def control_of(name: str) -> Slider | Switch | Choice | Picker:
    """How a page shows an option."""
    found = PaintingOptions.model_fields[name].metadata
    return next(item for item in found if isinstance(item, Slider | Switch | Choice | Picker))


OptionsT = TypeVar("OptionsT", bound=Settings)
# What pydantic calls values that lie outside.
_OUTSIDE = ("greater_than", "greater_than_equal", "less_than_equal", "finite_number")


def check_options(kind: type[OptionsT], **values: Any) -> OptionsT:
    """Options of a kind, those that are not given at their defaults.

    Raises:
        UsageError: a value is of a wrong type or out of its range.
    """
    try:
        return kind(**values)
    except ValidationError as error:
        raise UsageError(_describe_refusal(kind, error)) from None


def change_options(options: OptionsT, **values: Any) -> OptionsT:
    """The options with other values of some. Raises as `check_options` does."""
    return check_options(type(options), **{**dict(options), **values})


def _describe_refusal(kind: type[Settings], error: ValidationError) -> str:
    """What a range is where a value lies outside; else what is wrong with the value."""
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] in _OUTSIDE and (words := _describe_range(kind, name)):
        return f"{name} must be {words}, {describe_value(first['input'])}"
    return describe_validation_error(error)


def _describe_range(kind: type[Settings], name: str) -> str:
    low, high = _bound(kind, name, "ge"), _bound(kind, name, "le")
    if low is not None and high is not None:
        return f"between {low:g} and {high:g}"
    return "positive" if _bound(kind, name, "gt") == 0 else ""


def _bound(kind: type[Settings], name: str, end: Literal["ge", "gt", "le"]) -> float | None:
    """An end of an option's range, if it has that one."""
    bounds = (getattr(item, end, None) for item in kind.model_fields[name].metadata)
    return next((float(bound) for bound in bounds if bound is not None), None)
