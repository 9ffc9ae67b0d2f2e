"""The page's controls of the painting options, made from those: the page itself names none."""

from __future__ import annotations

import math
from html import escape
from typing import Any

from stylize_live.options import (
    Choice,
    PaintingOptions,
    Picker,
    Slider,
    Switch,
    control_of,
    limits_of,
)

_PLACE, _LAYERS_PLACE = "<!-- painting options -->", "<!-- layer options -->"


def insert_options(page: str) -> str:
    """Insert a slider for each number and, below them, a switch for each option that is on or off.

    Buttons for each word, and what the page fills with images to pick from, have a place of their own.

    Args:
        page: HTML, with a comment at each of the two places.
    """
    sliders, switches, layers = [], [], []
    for name, field in PaintingOptions.model_fields.items():
        match control_of(name):
            case Slider() as slider:
                sliders.append(_slider(name, slider, field.default))
            case Switch(label):
                switches.append(_switch(name, label, field.default))
            case Choice() as choice:
                layers.append(_choice(name, choice, field.default))
            case Picker() as picker:
                layers.append(_picker(name, picker))
    page = page.replace(_LAYERS_PLACE, "".join(layers).strip())
    return page.replace(_PLACE, "".join(sliders + switches).strip())


def _slider(name: str, slider: Slider, default: float) -> str:
    limits = limits_of(name)
    low, high, start = (
        f"{math.log2(value) if slider.scale == 'doublings' else value:g}"
        for value in (limits.low, limits.high, default)
    )
    place = _attributes(id=name, type="range", min=low, max=high, step=f"{slider.step:g}", value=start)
    shown = _attributes(data_scale=slider.scale, data_unit=slider.unit, data_zero=slider.zero)
    return f"""\
      <div class="slider">
        <label for="{name}"><span>{escape(slider.label)}</span><output id="{name}-out"></output></label>
        <input {place} {shown}>
      </div>
"""


def _switch(name: str, label: str, default: bool) -> str:
    box = _attributes(id=name, type="checkbox", role="switch", data_option="") + " checked" * default
    return f"""\
      <label class="switch"><span>{escape(label)}</span><input {box}></label>
"""


def _choice(name: str, choice: Choice, default: str) -> str:
    buttons = "".join(
        f'<button data-word="{word}" aria-pressed="{str(word == default).lower()}">'
        f'<svg><use href="#i-{word}"/></svg><span>{escape(label)}</span></button>'
        for word, label in choice.words
    )
    place = _attributes(id=name, role="group", aria_label=choice.label, data_choice="")
    return f"""\
      <div class="segments" {place}>{buttons}</div>
"""


def _picker(name: str, picker: Picker) -> str:
    place = _attributes(id=name, role="group", aria_labelledby=f"{name}-title", data_picker=picker.offers)
    return f"""\
      <p class="title" id="{name}-title">{escape(picker.label)}</p>
      <div class="swatches" {place}></div>
"""


def _attributes(**values: Any) -> str:
    return " ".join(f'{name.replace("_", "-")}="{escape(str(value))}"' for name, value in values.items())
