"""What all settings have in common, and messages about values that are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from stylize_live.wording import shorten

_LONGEST_TEXT = 16_384  # characters of one value: a timeline of hundreds of styles, a path four times over
_SHOWN = 80  # characters of a value that cannot be used


class Settings(BaseModel):
    """What all settings have in common: known names only, finite numbers, texts that are none too long and
    that a system call can take."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, str_max_length=_LONGEST_TEXT)

    @model_validator(mode="before")
    @classmethod
    def _without_nul(cls, values: Any) -> Any:
        for name, value in values.items() if isinstance(values, dict) else ():
            if isinstance(value, str | Path) and "\0" in str(value):
                raise ValueError(f"{name}: holds a NUL character, which no name can have")
        return values


def describe_validation_error(
    error: ValidationError,
    *,
    named: Callable[[str], str] = str,
    wanted: Callable[[str], str] = lambda name: "",
    given: Mapping[str, object] | None = None,
) -> str:
    """What is wrong with which value, in one line: "stroke: expected a valid number, got 'x'".

    Args:
        error: what pydantic found; its first finding is told.
        named: how a setting is called where the value came from, by its name.
        wanted: what is expected of a setting, by its name; "" leaves it to pydantic.
        given: values as they were asked for, where those that were checked are made of them.
    """
    first = error.errors()[0]
    if first["type"] == "value_error":  # our own words, complete
        return str(first["msg"]).removeprefix("Value error, ")
    name = str(first["loc"][0]) if first["loc"] else "a value"
    value = (given or {}).get(name, first["input"])
    return f"{named(name)}: {wanted(name) or _expected(first['msg'])}, {describe_value(value)}"


def _expected(message: str) -> str:
    """What pydantic says of a value, shorter: "expected a valid integer"."""
    return message.partition(", unable to")[0].replace("Input should be", "expected", 1)


def describe_value(value: object) -> str:
    """The end of a message about a value: "got" and the value, cut where it is long."""
    try:
        return f"got {shorten(repr(value), _SHOWN)}"
    except ValueError:  # Python writes no more than 4,300 digits
        return "got a number of thousands of digits"
