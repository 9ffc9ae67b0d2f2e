"""The network that finds people under OpenVINO on a CPU."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.engine.cpu.openvino_library import ops, ov
from stylize_live.engine.matting.network import Convolution, compute
from stylize_live.engine.matting.weights import Weights, load_weights
from stylize_live.frame import Pixels

RUNTIME = f"openvino {ov.__version__}"

_Node = Any  # OpenVINO's own types are not known to mypy


class OpenVinoNetwork:
    """See `PersonNetwork`.

    Args:
        size: (width, height) of its images.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._request = _compile(_make_model(load_weights(), size))

    def __call__(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        """See `PersonNetwork`."""
        found = self._request.infer({0: np.ascontiguousarray(pixels)[None]}, share_inputs=True)
        likelihood: npt.NDArray[np.float32] = found[0][0, 0]
        return likelihood


@cache
def _core() -> Any:
    return ov.Core()


def _compile(model: Any) -> Any:
    # In float32, because mattes of one video must not differ between machines. On one thread: layers are so
    # small that several would mostly wait for each other.
    how = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": 1,
        "ENABLE_CPU_PINNING": False,
    }
    return _core().compile_model(model, "CPU", how).create_infer_request()


def _make_model(weights: Weights, size: tuple[int, int]) -> Any:
    width, height = size
    pixels = ops.parameter([1, height, width, 3], np.uint8)
    values = ops.multiply(ops.convert(pixels, "f32"), _constant(np.float32(1 / 255)))
    x = ops.transpose(values, _constant([0, 3, 1, 2]))
    return ov.Model([compute(x, _Operations(weights))], [pixels], "PersonNetwork")


class _Operations:
    """See `Operations`."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def convolve(self, x: _Node, convolution: Convolution) -> _Node:
        weight, bias = (self._weights[f"{convolution.name}.{part}"] for part in ("weight", "bias"))
        (before, behind), stride = convolution.padding, convolution.stride
        how = [stride, stride], [before, before], [behind, behind], [1, 1]
        if convolution.depthwise:
            h = ops.group_convolution(x, _constant(weight[:, None]), *how)
        else:
            h = ops.convolution(x, _constant(weight), *how)
        return ops.add(h, _constant(bias.reshape(1, -1, 1, 1)))

    def relu(self, x: _Node) -> _Node:
        return ops.relu(x)

    def hard_swish(self, x: _Node) -> _Node:
        return ops.hswish(x)

    def sigmoid(self, x: _Node) -> _Node:
        return ops.sigmoid(x)

    def average(self, x: _Node) -> _Node:
        return ops.reduce_mean(x, _constant([2, 3]), True)

    def add(self, x: _Node, y: _Node) -> _Node:
        return ops.add(x, y)

    def multiply(self, x: _Node, y: _Node) -> _Node:
        return ops.multiply(x, y)

    def enlarge(self, x: _Node) -> _Node:
        how = {"coordinate_transformation_mode": "half_pixel", "axes": _constant([2, 3])}
        return ops.interpolate(x, _constant(np.array([2, 2], np.float32)), "linear_onnx", "scales", **how)

    def unfold(self, x: _Node) -> _Node:
        return ops.depth_to_space(x, "blocks_first", 2)


def _constant(value: object) -> _Node:
    return ops.constant(np.asarray(value))
