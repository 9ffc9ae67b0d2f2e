"""The network that finds people under OpenVINO on a CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.engine.cpu.openvino_library import ops, ov
from stylize_live.engine.matting.network import compute
from stylize_live.engine.matting.weights import load_weights
from stylize_live.engine.operations.openvino_operations import RUNTIME as RUNTIME
from stylize_live.engine.operations.openvino_operations import OpenVinoOperations, compile_model, constant
from stylize_live.engine.operations.records import Weights
from stylize_live.frame import Pixels


class OpenVinoNetwork:
    """See `PersonNetwork`.

    Args:
        size: (width, height) of its images.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        # On one thread: layers are so small that several would mostly wait for each other.
        self._request = compile_model(_make_model(load_weights(), size), threads=1)

    def __call__(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        """See `PersonNetwork`."""
        found = self._request.infer({0: np.ascontiguousarray(pixels)[None]}, share_inputs=True)
        likelihood: npt.NDArray[np.float32] = found[0][0, 0]
        return likelihood


def _make_model(weights: Weights, size: tuple[int, int]) -> Any:
    width, height = size
    pixels = ops.parameter([1, height, width, 3], np.uint8)
    values = ops.multiply(ops.convert(pixels, "f32"), constant(np.float32(1 / 255)))
    x = ops.transpose(values, constant([0, 3, 1, 2]))
    return ov.Model([compute(x, OpenVinoOperations(weights))], [pixels], "PersonNetwork")
