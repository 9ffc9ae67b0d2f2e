"""Which shipped style suits a painting, and how its colors become the painting's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from stylize_live.engine.first_look.colors import match_colors
from stylize_live.engine.first_look.description import Array, Description
from stylize_live.engine.first_look.packing import LARGE, pack, unpack
from stylize_live.engine.first_look.space import Space

FILE = Path(__file__).parent / "weights" / "nearest.safetensors"


@dataclass(frozen=True, slots=True)
class Recolored:
    """A style in other colors.

    Attributes:
        style: its name.
        matrix, shift: (3, 3) and (3,) float32: what becomes of the last layer's three values.
    """

    style: str
    matrix: Array
    shift: Array


@dataclass(frozen=True, slots=True)
class NearestStyle(Space):
    """Finds the style whose painting is nearest to another one. All arrays float32; n = K + 12.

    Attributes:
        styles: names of those that are asked.
        gallery: (styles, n): where their paintings are.
        painted_mean, painted_covariance: (styles, 3) and (styles, 9) of the logits of what they paint.
    """

    styles: tuple[str, ...]
    gallery: Array
    painted_mean: Array
    painted_covariance: Array

    def __call__(self, description: Description) -> Recolored:
        """The nearest style, in the colors of a painting."""
        number = int(np.square(self.place(description) - self.gallery).sum(1).argmin())
        painted = self.painted_mean[number], self.painted_covariance[number].reshape(3, 3)
        matrix, shift = (part.astype(np.float32) for part in match_colors(description.colors, *painted))
        return Recolored(self.styles[number], matrix, shift)


def load_nearest_style() -> NearestStyle:
    """The shipped one."""
    with safe_open(FILE, framework="numpy") as file:
        styles = tuple(json.loads(file.metadata()["styles"]))
        arrays = unpack({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118 (its handle is no mapping)
    return NearestStyle(styles=styles, **arrays)


def save_nearest_style(path: Path, nearest: NearestStyle, about: Mapping[str, str]) -> None:
    """Write a file, see `pack`.

    Args:
        path: written anew.
        nearest: what is written.
        about: more for its metadata.
    """
    arrays = {one.name: getattr(nearest, one.name) for one in fields(nearest)}
    styles = json.dumps(arrays.pop("styles"))
    path.write_bytes(save(pack(arrays, larger_than=LARGE), {**about, "styles": styles}))
