"""Where paintings are among others: what is predicted for them is predicted from that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylize_live.engine.first_look.description import Array, Description

MOST_DEVIATIONS = 4.0  # from the usual painting: beyond, nothing was learnt


@dataclass(frozen=True, slots=True)
class Space:
    """Where paintings are among others. All arrays float32; D is 1920, K the directions.

    Attributes:
        mean, axes: (D,) and (D, K): what is taken from features, and the directions they are seen along.
        color_mean, color_scale: (12,), likewise of colors.
    """

    mean: Array
    axes: Array
    color_mean: Array
    color_scale: Array

    def place(self, description: Description) -> Array:
        """(K + 12,): where a painting is, about -1 to 1 along each axis."""
        texture = (description.features - self.mean) @ self.axes
        colors = (description.colors - self.color_mean) / self.color_scale
        at = np.concatenate([texture, colors])
        return np.asarray(at.clip(-MOST_DEVIATIONS, MOST_DEVIATIONS), np.float32)
