"""The network under OpenVINO on the CPU: the same function as under torch, a quarter to a third faster.

Needs the extra `fast`. The graph is written down here, operation by operation, because that takes
milliseconds; having OpenVINO trace torch's takes a second, and whoever changes the style waits for it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import openvino
from openvino import opset13 as ops

from stylize_live.engine.flow import Plane
from stylize_live.engine.host import HostBackend
from stylize_live.frame import Pixels
from stylize_live.nets.architecture import LUMA, NORM_EPSILON, SPLIT, STRIDE
from stylize_live.nets.checkpoint import Checkpoint

if TYPE_CHECKING:
    from stylize_live.engine.backend import CpuBackend

_SIZES = 8  # graphs kept, one for each size of pictures
# The two names of arithmetic that a CPU has.
_PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}

_Node = Any  # OpenVINO's own types are not known to mypy
_Array = npt.NDArray[Any]


class OpenVinoBackend(HostBackend):
    """Paints with OpenVINO, and with torch while weights change from picture to picture.

    Torch takes as long to load as all the rest of a start, so it is loaded when there is a crossfade.

    Args:
        checkpoint: weights to start with.
        precision: "float32" or "bfloat16".
    """

    # Torch paints crossfades.
    runtime = f"openvino {openvino.__version__}, torch {version('torch')}"

    def __init__(self, checkpoint: Checkpoint, precision: str) -> None:
        super().__init__()
        self._precision = precision
        self._blended: CpuBackend | None = None
        self.load(checkpoint)

    def load(self, checkpoint: Checkpoint) -> None:
        """See `Backend.load`."""
        self._use(checkpoint)

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """See `Backend.blend`. A graph takes as long as some pictures, so torch paints what lies between."""
        if share in (0, 1):
            self._use(second if share else first)
            return
        if self._blended is None:
            from stylize_live.engine.backend import CpuBackend

            self._blended = CpuBackend(first, self._precision)
        self._blended.blend(first, second, share)
        self._use(None)

    def _use(self, checkpoint: Checkpoint | None) -> None:
        self._graphed = checkpoint
        self._graphs: OrderedDict[tuple[int, ...], Callable[[Pixels], Plane]] = OrderedDict()

    def painted(self, pixels: Pixels) -> Plane:
        """See `HostBackend.painted`."""
        if self._graphed is None:
            assert self._blended is not None
            return self._blended.painted(pixels)
        key = (*pixels.shape, pixels.itemsize)
        if key not in self._graphs:
            self._graphs[key] = _compiled(self._graphed, pixels, _PRECISIONS[self._precision])
            if len(self._graphs) > _SIZES:
                self._graphs.popitem(last=False)
        return self._graphs[key](pixels)


@cache
def _core() -> Any:
    return openvino.Core()


def _compiled(checkpoint: Checkpoint, like: Pixels, precision: str) -> Callable[[Pixels], Plane]:
    # Threads are not tied to cores, which they share with decoding, smoothing and other programs.
    how = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        "ENABLE_CPU_PINNING": False,
    }
    request = _core().compile_model(Graph(checkpoint).model(like), "CPU", how).create_infer_request()

    def paint(pixels: Pixels) -> Plane:
        # The result is copied: smoothing keeps it, and the request writes over its own.
        found = request.infer({0: np.ascontiguousarray(pixels)[None]}, share_inputs=True)
        picture: Plane = found[0][0]
        return picture

    return paint


class Graph:
    """`ResidualTransformer` in OpenVINO's operations; its texts say why it is as it is."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._weights = checkpoint.weights
        self._architecture = checkpoint.architecture

    def model(self, like: Pixels) -> Any:
        """(1, H, W, 3) of the size and dtype of a picture -> (1, H, W, 3) float32 in 0..255."""
        height, width = like.shape[:2]
        most = np.iinfo(like.dtype).max
        pixels = ops.parameter([1, height, width, 3], like.dtype)
        picture = ops.multiply(ops.convert(pixels, "f32"), _constant(np.float32(1 / most)))
        picture = ops.transpose(picture, _constant([0, 3, 1, 2]))
        picture = _edged(picture, (0, 0), (-height % STRIDE, -width % STRIDE))
        painted = ops.multiply(self._painted(picture), _constant(np.float32(255)))
        painted = ops.transpose(painted, _constant([0, 2, 3, 1]))
        whole = [_constant(value) for value in ([0, 0], [height, width], [1, 1], [1, 2])]
        return openvino.Model([ops.slice(painted, *whole)], [pixels], "ResidualTransformer")

    def _painted(self, x: _Node) -> _Node:
        a = self._architecture
        h = ops.space_to_depth(ops.subtract(x, _constant(np.float32(0.5))), "depth_first", 4)
        h = ops.relu(self._conv_norm(h, "stem"))
        for i in range(a.blocks_in):
            h = self._block(h, f"body_in.{i}")
        if a.deep_width:
            h = ops.add(h, self._deep(h))
        for i in range(a.blocks_out):
            h = self._block(h, f"body_out.{i}")
        h = ops.relu(self._norm(self._upsampled(h, "to_half"), "to_half_norm"))
        h = ops.relu(self._conv_norm(h, "refine"))
        luma = _constant(np.array(LUMA, np.float32).reshape(1, 3, 1, 1))
        brightness = ops.reduce_sum(ops.multiply(x, luma), _constant([1]), True)
        shift = ops.multiply(ops.subtract(brightness, _constant(np.float32(0.5))), _constant(np.float32(2)))
        return ops.sigmoid(ops.add(self._upsampled(h, "to_full"), shift))

    def _deep(self, x: _Node) -> _Node:
        h = ops.relu(self._conv_norm(x, "deep.down", stride=2))
        for i in range(self._architecture.blocks_deep):
            h = self._block(h, f"deep.blocks.{i}")
        h = _convolved(h, self._weights["deep.up.weight"])
        twice, axes = _constant(np.array([2, 2], np.float32)), _constant([2, 3])
        how = {"coordinate_transformation_mode": "half_pixel", "axes": axes}
        return ops.interpolate(h, twice, "linear_onnx", "scales", **how)

    def _block(self, x: _Node, name: str) -> _Node:
        h = ops.relu(self._conv_norm(x, f"{name}.first"))
        return ops.add(x, self._conv_norm(h, f"{name}.second"))

    def _conv_norm(self, x: _Node, name: str, stride: int = 1) -> _Node:
        h = _convolved(_edged(x, (1, 1), (1, 1)), self._weights[f"{name}.0.weight"], stride)
        return self._norm(h, f"{name}.1")

    def _norm(self, x: _Node, name: str) -> _Node:
        h = ops.mvn(x, _constant([2, 3]), True, NORM_EPSILON, "inside_sqrt")
        scale, shift = (
            _constant(self._weights[f"{name}.{part}"].reshape(1, -1, 1, 1)) for part in ("weight", "bias")
        )
        return ops.add(ops.multiply(h, scale), shift)

    def _upsampled(self, x: _Node, name: str) -> _Node:
        h = _convolved(_edged(x, (1, 1), (1, 1)), _folded(self._weights[f"{name}.weight"]))
        bias = self._weights.get(f"{name}.bias")
        if bias is not None:
            h = ops.add(h, _constant(bias.repeat(4).reshape(1, -1, 1, 1)))
        return ops.depth_to_space(h, "depth_first", 2)


def _folded(weight: _Array) -> _Array:
    """See `fold_upsampling` in `nets/transformer.py`."""
    split = np.array(SPLIT, np.float32)
    folded: _Array = np.einsum("arp,bsq,oipq->oabirs", split, split, weight, optimize=True)
    return folded.reshape(4 * weight.shape[0], *weight.shape[1:])


def _constant(value: object) -> _Node:
    return ops.constant(np.asarray(value))


def _edged(x: _Node, before: tuple[int, int], after: tuple[int, int]) -> _Node:
    """Repeat the edge by so many (rows, columns)."""
    begin, end = (np.array([0, 0, *sides], np.int64) for sides in (before, after))
    return ops.pad(x, begin, end, "edge")


def _convolved(x: _Node, weight: _Array, stride: int = 1) -> _Node:
    return ops.convolution(x, _constant(weight), [stride, stride], [0, 0], [0, 0], [1, 1])
