"""The sliders and switches of the page, made from the painting options: the page itself names none."""

from __future__ import annotations

import math
from html import escape
from typing import Any

from stylize_live.options import PaintingOptions, Slider, control_of, limits_of

_PLACE = "<!-- painting options -->"


def insert_options(page: str) -> str:
    """Insert a slider for each number and, below them, a switch for each option that is on or off.

    Args:
        page: HTML, with a comment at the place for them.
    """
    sliders, switches = [], []
    for name, field in PaintingOptions.model_fields.items():
        control = control_of(name)
        if isinstance(control, Slider):
            sliders.append(_slider(name, control, field.default))
        else:
            switches.append(_switch(name, control.label, field.default))
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


def _attributes(**values: Any) -> str:
    return " ".join(f'{name.replace("_", "-")}="{escape(str(value))}"' for name, value in values.items())
