"""Small networks under OpenVINO on a CPU."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from stylize_live.engine.cpu.openvino_library import ops, ov
from stylize_live.engine.operations.records import Convolution, Weights

RUNTIME = f"openvino {ov.__version__}"

Node = Any  # OpenVINO's own types are not known to mypy


@cache
def _core() -> Any:
    return ov.Core()


def compile_model(model: Any, threads: int) -> Any:
    """What infers with a model, an `InferRequest`, on so many threads; 0 is all there are.

    In float32: what is computed must not differ between machines.
    """
    how = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "ENABLE_CPU_PINNING": False,
    }
    return _core().compile_model(model, "CPU", how).create_infer_request()


def constant(value: object) -> Node:
    """A node of this value."""
    return ops.constant(np.asarray(value))


class OpenVinoOperations:
    """See `Operations`."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def convolve(self, x: Node, convolution: Convolution) -> Node:
        weight, bias = (self._weights[f"{convolution.name}.{part}"] for part in ("weight", "bias"))
        (before, behind), stride = convolution.padding, convolution.stride
        how = [stride, stride], [before, before], [behind, behind], [1, 1]
        if convolution.depthwise:
            h = ops.group_convolution(x, constant(weight[:, None]), *how)
        else:
            h = ops.convolution(x, constant(weight), *how)
        return ops.add(h, constant(bias.reshape(1, -1, 1, 1)))

    def relu(self, x: Node) -> Node:
        return ops.relu(x)

    def hard_swish(self, x: Node) -> Node:
        return ops.hswish(x)

    def sigmoid(self, x: Node) -> Node:
        return ops.sigmoid(x)

    def average(self, x: Node) -> Node:
        return ops.reduce_mean(x, constant([2, 3]), True)

    def add(self, x: Node, y: Node) -> Node:
        return ops.add(x, y)

    def multiply(self, x: Node, y: Node) -> Node:
        return ops.multiply(x, y)

    def enlarge(self, x: Node) -> Node:
        how = {"coordinate_transformation_mode": "half_pixel", "axes": constant([2, 3])}
        return ops.interpolate(x, constant(np.array([2, 2], np.float32)), "linear_onnx", "scales", **how)

    def halve(self, x: Node) -> Node:
        return ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)

    def unfold(self, x: Node) -> Node:
        return ops.depth_to_space(x, "blocks_first", 2)
