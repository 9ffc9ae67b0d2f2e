"""Paint pictures, videos and webcams in the style of great painters.

    >>> from stylize_live import Stylizer
    >>> painted = Stylizer("starry-night")(rgb)  # (H, W, 3) uint8 -> (H, W, 3) uint8

Importing this package is cheap; torch, OpenCV and PyAV load when first needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Frame": "stylize_live.frame",
    "StylizeError": "stylize_live.errors",
    "Stylizer": "stylize_live.engine",
    "convert": "stylize_live.pipeline.convert",
    "style_names": "stylize_live.nets.catalogue",
}

__all__ = ["Frame", "StylizeError", "Stylizer", "__version__", "convert", "style_names"]

if TYPE_CHECKING:
    from stylize_live.engine import Stylizer
    from stylize_live.errors import StylizeError
    from stylize_live.frame import Frame
    from stylize_live.nets.catalogue import style_names
    from stylize_live.pipeline.convert import convert


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
