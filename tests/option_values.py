"""Values of the painting options for tests: some that are taken, some that are not."""

from __future__ import annotations

from stylize_live.options import Choice, PaintingOptions, Picker, Slider, control_of, limits_of

# Texts that are taken; the first style is one of the package's.
_TEXTS = {"background_style": "great-wave", "background": "blur"}


def is_number(name: str) -> bool:
    """Whether an option is a number."""
    return isinstance(control_of(name), Slider)


def is_text(name: str) -> bool:
    """Whether an option is one of some words, or any text; the others are numbers and switches."""
    return isinstance(control_of(name), Choice | Picker)


def another(name: str) -> float | bool | str:
    """A value that is not the default."""
    default, control = PaintingOptions.model_fields[name].default, control_of(name)
    if isinstance(control, Choice):
        return next(word for word, _ in control.words if word != default)
    if is_text(name):
        return _TEXTS[name]
    if not is_number(name):
        return not default
    limits = limits_of(name)
    return limits.low if default == limits.high else limits.high


def as_words(name: str) -> tuple[str, float | bool | str]:
    """The same as the command line has it, without the flag; and the value."""
    value = another(name)
    return (f"{value:g}" if is_number(name) else str(value) if is_text(name) else ""), value


def refused(name: str) -> list[object]:
    """Values that no option of this kind takes."""
    if name == "background_style":
        return []  # which names are known is found out where styles are loaded
    if not is_number(name):
        return ["perhaps", 7]
    limits = limits_of(name)
    return [limits.low - 0.01, limits.high + 0.01, float("nan"), "much"]
