"""A stylizer that computes alike on every machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stylize_live.engine import Stylizer


def exact(style: Path | str, **options: Any) -> Stylizer:
    return Stylizer(style, device="cpu", precision="float32", **options)
