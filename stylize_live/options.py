"""The painting options, once: all that a session can change of how it paints while it runs.

From here come the flags and TOML keys of every command that paints (`config.py`), what `Stylizer` takes and
refuses, what backends are told (`engine/core/render_options.py`), what pages and the control API may change
(`studio/messages.py`), what presets hold, and the page's sliders and switches (`studio/page.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError

from stylize_live.errors import UsageError
from stylize_live.validation import Settings, describe_validation_error, describe_value

DEFAULT_BOLDNESS = 0.7
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


class ImageOptions(Settings):
    """How an image is painted."""

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


class PaintingOptions(ImageOptions):
    """How videos are painted."""

    steadiness: Annotated[float, Slider("Steadiness", step=0.01, zero="off")] = Field(
        default=0.8,
        ge=0,
        le=1,
        description="How firmly paint sticks to what it shows: 0 paints every frame anew and flickers.",
    )


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


def control_of(name: str) -> Slider | Switch:
    """How a page shows an option."""
    found = PaintingOptions.model_fields[name].metadata
    return next(item for item in found if isinstance(item, Slider | Switch))


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
