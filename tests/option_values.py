"""Values of the painting options for tests: some that are taken, some that are not."""

from __future__ import annotations

from stylize_live.options import PaintingOptions, Slider, control_of, limits_of


def is_number(name: str) -> bool:
    """Whether an option is a number; the others are switches."""
    return isinstance(control_of(name), Slider)


def another(name: str) -> float | bool:
    """A value that is not the default."""
    default = PaintingOptions.model_fields[name].default
    if not is_number(name):
        return not default
    limits = limits_of(name)
    return limits.low if default == limits.high else limits.high


def as_words(name: str) -> tuple[str, float | bool]:
    """The same as the command line has it, without the flag; and the value."""
    value = another(name)
    return (f"{value:g}" if is_number(name) else ""), value


def refused(name: str) -> list[object]:
    """Values that no option of this kind takes."""
    if not is_number(name):
        return ["perhaps", 7]
    limits = limits_of(name)
    return [limits.low - 0.01, limits.high + 0.01, float("nan"), "much"]
