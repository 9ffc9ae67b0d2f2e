"""Linear maps of colors, folded into a network's first or last layer, NumPy's or torch's."""

from __future__ import annotations

from typing import Any

from stylize_live.nets.architecture import Architecture


def add_output_map(weights: dict[str, Any], matrix: Any, shift: Any) -> None:
    """Add a map of what is painted to it: the logits x become x + matrix @ x + shift.

    Args:
        weights: of a network, by name; changed.
        matrix: (3, 3).
        shift: (3,).
    """
    head = Architecture().layout().head
    kernel, bias = weights[head.kernel], weights[head.bias]
    weights[head.kernel] = kernel + (matrix @ kernel.reshape(3, -1)).reshape(kernel.shape)
    weights[head.bias] = bias + matrix @ bias + shift


def add_input_map(weights: dict[str, Any], matrix: Any) -> None:
    """Add a map of a photo's colors to them: what the network takes for x becomes x + matrix @ x.

    Args:
        weights: of a network, by name; changed.
        matrix: (3, 3).
    """
    name = Architecture().layout().stem.kernel
    kernel = weights[name]
    # (outputs, colors, the rest): the first layer takes blocks of pixels, all of red before those of green.
    by_color = kernel.reshape(len(kernel), 3, -1)
    weights[name] = kernel + (matrix.T @ by_color).reshape(kernel.shape)
