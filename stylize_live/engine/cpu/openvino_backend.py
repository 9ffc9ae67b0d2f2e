"""The network under OpenVINO on the CPU: the function it is under torch, and far faster.

Needs the extra `fast`. The graph is written down here, operation by operation, because that takes
milliseconds; having OpenVINO trace torch's takes a second, and whoever changes the style waits for it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from stylize_live.engine.cpu.base import CpuBackend
from stylize_live.engine.cpu.features import emulates_bfloat16, floating_precision
from stylize_live.engine.cpu.int8 import Range, input_ranges, quantize_weight
from stylize_live.engine.cpu.openvino_library import ops, ov
from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.frame import Pixels
from stylize_live.nets.architecture import LUMA, NORM_EPSILON, SPLIT, STRIDE
from stylize_live.nets.checkpoint import Checkpoint
from stylize_live.nets.layers import ConvNorm, Layer, PointwiseUpsample, Residual, UpsampleNorm, no_kernel

if TYPE_CHECKING:
    from stylize_live.engine.cpu.torch_backend import TorchCpuBackend

_SIZES = 8  # graphs kept, one for each size of images
_HELD = 16  # sets of weights whose graphs are kept: about 15 MB each at 360p
_PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}  # as OpenVINO calls them
_LEVELS = 256  # that eight bits have

_Node = Any  # OpenVINO's own types are not known to mypy
_Array = npt.NDArray[Any]
_Graphs = OrderedDict[tuple[int, ...], Callable[[Pixels], Plane]]


class OpenVinoBackend(CpuBackend):
    """Paints with OpenVINO, and with torch while weights change from image to image.

    Torch takes as long to load as all the rest of a start, so it is loaded when there is a crossfade.

    Args:
        checkpoint: weights to start with.
        precision: "float32", "bfloat16", or "int8": eight bits for most of the convolutions of images
            that have no more themselves, and what the CPU does best for all else.
    """

    # Torch paints crossfades.
    runtime = f"openvino {ov.__version__}, torch {version('torch')}"

    def __init__(self, checkpoint: Checkpoint, precision: str) -> None:
        super().__init__()
        self._int8 = precision == "int8"
        self._precision = floating_precision() if self._int8 else precision
        # Where AVX2 is all there is, OpenVINO would say nothing and do the same, or fail if it is held back.
        self._floating = self._precision if emulates_bfloat16() else "float32"
        self._blended: TorchCpuBackend | None = None
        self._graphed: Checkpoint | None = None
        self._like: Pixels | None = None  # what was painted last
        self._prepared: tuple[Checkpoint, _Graphs] | None = None
        self._held: OrderedDict[int, tuple[Checkpoint, _Graphs]] = OrderedDict()  # by id, which lives on
        self._holding = threading.Lock()
        self.load(checkpoint)

    def load(self, checkpoint: Checkpoint) -> None:
        """See `Backend.load`."""
        self._use(checkpoint)

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """See `Backend.blend`. A graph takes as long as some images, so torch paints what lies between."""
        if share in (0, 1):
            self._use(second if share else first)
            return
        if self._blended is None:
            from stylize_live.engine.cpu.torch_backend import TorchCpuBackend

            self._blended = TorchCpuBackend(first, self._precision)
        self._blended.blend(first, second, share)
        self._use(None)

    def prepare(self, checkpoint: Checkpoint) -> None:
        """See `Backend.prepare`: the graph for images like the one that was painted last."""
        like = self._like
        if like is not None and checkpoint is not self._graphed:
            self._prepared = checkpoint, OrderedDict({_kind(like): self._graph(checkpoint, like)})

    def hold(self, checkpoint: Checkpoint, size: tuple[int, int], itemsize: int) -> None:
        """See `CpuBackend.hold`."""
        if self.holds(checkpoint, size, itemsize):
            return
        like = np.zeros((size[1], size[0], 3), f"u{itemsize}")
        graph = self._graph(checkpoint, like)
        with self._holding:
            graphs = self._held.setdefault(id(checkpoint), (checkpoint, OrderedDict()))[1]
            graphs[_kind(like)] = graph
            if len(self._held) > _HELD:
                self._held.popitem(last=False)

    def holds(self, checkpoint: Checkpoint, size: tuple[int, int], itemsize: int) -> bool:
        """See `CpuBackend.holds`."""
        with self._holding:
            held = self._held.get(id(checkpoint))
            return held is not None and (size[1], size[0], 3, itemsize) in held[1]

    def release(self) -> None:
        """See `CpuBackend.release`."""
        with self._holding:
            self._held.clear()

    def is_ready(self, size: tuple[int, int]) -> bool:
        """See `CpuBackend.is_ready`: whether there is a graph for such 8-bit images."""
        return self._graphed is None or (size[1], size[0], 3, 1) in self._graphs

    def make_ready(self, size: tuple[int, int]) -> None:
        """See `CpuBackend.make_ready`."""
        checkpoint, graphs = self._graphed, self._graphs
        like = np.zeros((size[1], size[0], 3), np.uint8)
        if checkpoint is not None and _kind(like) not in graphs:
            graphs[_kind(like)] = self._graph(checkpoint, like)

    def _use(self, checkpoint: Checkpoint | None) -> None:
        if checkpoint is not None and checkpoint is self._graphed:
            return
        prepared, self._graphed = self._prepared, checkpoint
        self._graphs: _Graphs = OrderedDict()
        if prepared is not None and prepared[0] is checkpoint:
            self._graphs = prepared[1]
        with self._holding:
            if id(checkpoint) in self._held:
                self._graphs = self._held[id(checkpoint)][1]
                self._held.move_to_end(id(checkpoint))

    def run_network(self, pixels: Pixels) -> Plane:
        """See `CpuBackend.run_network`."""
        if self._graphed is None:
            assert self._blended is not None
            return self._blended.run_network(pixels)
        self._like, key = pixels, _kind(pixels)
        if key not in self._graphs:
            self._graphs[key] = self._graph(self._graphed, pixels)
            if len(self._graphs) > _SIZES:
                self._graphs.popitem(last=False)
        return self._graphs[key](pixels)

    def _graph(self, checkpoint: Checkpoint, like: Pixels) -> Callable[[Pixels], Plane]:
        int8 = self._int8 and like.dtype == np.uint8
        graph = Graph(checkpoint, input_ranges(checkpoint) if int8 else {})
        return _compile(graph, like, _PRECISIONS[self._floating])


def _kind(pixels: Pixels) -> tuple[int, ...]:
    """What a graph is made for."""
    return (*pixels.shape, pixels.itemsize)


@cache
def _core() -> Any:
    return ov.Core()


def _compile(graph: Graph, like: Pixels, precision: str) -> Callable[[Pixels], Plane]:
    # Threads are not tied to cores, which they share with decoding, smoothing and other programs.
    how = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        "ENABLE_CPU_PINNING": False,
    }
    request = _core().compile_model(graph.model(like), "CPU", how).create_infer_request()

    def paint(pixels: Pixels) -> Plane:
        found = request.infer({0: np.ascontiguousarray(pixels)[None]}, share_inputs=True, share_outputs=True)
        image: Plane = found[0][0]
        return image

    return paint


class Graph:
    """`ResidualTransformer` in OpenVINO's operations; see there why it is as it is.

    Both ends differ from it in how they are computed, not in what: pixels stay as they lie in memory, three
    values of a place side by side, and the first and last weights are put in that order instead. That is a
    fifth faster in all than turning images into planes and back.

    Args:
        checkpoint: weights.
        ranges: convolutions to compute in eight bits, see `input_ranges`.
    """

    def __init__(self, checkpoint: Checkpoint, ranges: Mapping[str, Range] | None = None) -> None:
        self._weights, self._ranges = checkpoint.weights, ranges or {}
        self._layout = checkpoint.architecture.layout()

    def model(self, like: Pixels) -> Any:
        """(1, H, W, 3) of the size and dtype of an image -> (1, H, W, 3) float32 in 0..255.

        Raises:
            StyleError: the network has a kind of layer that is not written down here.
        """
        height, width = like.shape[:2]
        pixels = ops.parameter([1, height, width, 3], like.dtype)
        more = (-height % STRIDE, -width % STRIDE)
        x = _pad(pixels, (0, 0, 0, 0), (0, *more, 0)) if any(more) else pixels
        size = height + more[0], width + more[1]
        if like.dtype != np.uint8:
            # At once, while they are exact.
            x = ops.multiply(ops.convert(x, "f32"), _constant(np.float32(255 / np.iinfo(like.dtype).max)))
        h = self._compute_all(self._layout.body, self._stem(x, size))
        painted = self._head(h, size)
        brightness = float(self._weights[self._layout.head.brightness][0])
        shown = ops.sigmoid(ops.add(painted, _shift(x, brightness)) if brightness else painted)
        shown = ops.multiply(shown, _constant(np.float32(255)))
        if any(more):
            shown = ops.slice(shown, *(_constant(v) for v in ([0, 0], [height, width], [1, 1], [1, 2])))
        return ov.Model([shown], [pixels], "ResidualTransformer")

    def _stem(self, x: _Node, size: tuple[int, int]) -> _Node:
        """Pixels in blocks of 4x4, (1, 48, H/4, W/4), and the first convolution."""
        rows, columns = size[0] // 4, size[1] // 4
        h = ops.reshape(x, _constant([1, rows, 4, columns, 12]), False)
        h = ops.reshape(
            ops.transpose(h, _constant([0, 1, 3, 2, 4])), _constant([1, rows, columns, 48]), False
        )
        # Whole numbers around 0 are exact in bfloat16. The network takes 127.5 off, not 128: the norm that
        # follows does not see the difference.
        h = ops.subtract(ops.convert(h, "f32"), _constant(np.float32(128)))
        # Edges before the order of axes: so that is a matter of names, and nothing is moved for it.
        h = ops.transpose(_pad(h, (0, 1, 1, 0), (0, 1, 1, 0)), _constant([0, 3, 1, 2]))
        weight = self._weights[self._layout.stem.kernel] / np.float32(255)
        weight = weight.reshape(-1, 3, 4, 4, 3, 3).transpose(0, 2, 3, 1, 4, 5).reshape(weight.shape)
        return ops.relu(self._norm(_convolve(h, _constant(weight)), self._layout.stem.norm))

    def _compute_all(self, layers: Iterable[Layer], x: _Node) -> _Node:
        """What layers give, one after the other: (1, C, H, W) each."""
        for layer in layers:
            x = self._compute(layer, x)
        return x

    def _compute(self, layer: Layer, x: _Node) -> _Node:
        match layer:
            case ConvNorm():
                h = self._convolve_named(x, layer.kernel, self._weights[layer.kernel], layer.stride)
                h = self._norm(h, layer.norm)
                return ops.relu(h) if layer.relu else h
            case UpsampleNorm():
                h = ops.depth_to_space(self._upsample(x, layer.kernel), "blocks_first", 2)
                return ops.relu(self._norm(h, layer.norm))
            case PointwiseUpsample():
                return self._upsample_pointwise(layer, x)
            case Residual():
                return ops.add(x, self._compute_all(layer.body, x))
        raise no_kernel(layer, "OpenVINO")

    def _head(self, h: _Node, size: tuple[int, int]) -> _Node:
        """The last convolution, whose 2x2x3 outputs become pixels."""
        (height, width), head = size, self._layout.head
        h = self._upsample(h, head.kernel)
        h = ops.add(h, _constant(np.tile(self._weights[head.bias], 4).reshape(1, 12, 1, 1)))
        h = ops.transpose(h, _constant([0, 2, 3, 1]))
        h = ops.reshape(h, _constant([1, height // 2, width // 2, 2, 6]), False)
        h = ops.transpose(h, _constant([0, 1, 3, 2, 4]))
        return ops.reshape(h, _constant([1, height, width, 3]), False)

    def _upsample_pointwise(self, layer: PointwiseUpsample, x: _Node) -> _Node:
        h = self._convolve_named(x, layer.kernel, self._weights[layer.kernel], edged=False)
        twice, axes = _constant(np.array([2, 2], np.float32)), _constant([2, 3])
        how = {"coordinate_transformation_mode": "half_pixel", "axes": axes}
        return ops.interpolate(h, twice, "linear_onnx", "scales", **how)

    def _norm(self, x: _Node, name: str) -> _Node:
        h = ops.mvn(x, _constant([2, 3]), True, NORM_EPSILON, "inside_sqrt")
        scale, shift = (
            _constant(self._weights[f"{name}.{part}"].reshape(1, -1, 1, 1)) for part in ("weight", "bias")
        )
        return ops.add(ops.multiply(h, scale), shift)

    def _upsample(self, x: _Node, name: str) -> _Node:
        """Enlarged to four outputs for each: all channels of the first place, then of the next."""
        return self._convolve_named(x, name, _fold_norm(self._weights[name]))

    def _convolve_named(
        self, x: _Node, name: str, weight: _Array, stride: int = 1, *, edged: bool = True
    ) -> _Node:
        """A convolution, in int8 if its weight has a range; edges repeated, if wanted."""
        kernel = _constant(weight)
        if name in self._ranges:
            x = _quantize_steps(x, self._ranges[name])
            steps, size = quantize_weight(weight)
            kernel = ops.multiply(ops.convert(_constant(steps), "f32"), _constant(size))
        return _convolve(_pad_edges(x) if edged else x, kernel, stride)


def _shift(x: _Node, factor: float) -> _Node:
    """The brightness of pixels, factor * (brightness - 0.5), thrice: (1, H, W, 3) to the same.

    Thrice because adding one value to three neighbours takes longer than all else at this end.
    """
    luma = np.array(LUMA, np.float32) * np.float32(factor / 255)
    values = ops.convert(x, "f32")
    if x.get_element_type() == ov.Type.u8:
        thrice = ops.matmul(values, _constant(luma.reshape(3, 1).repeat(3, 1)), False, False)
    else:
        # A product may be computed in bfloat16, which holds whole numbers up to 256 and no more.
        light = ops.multiply(values, _constant(luma.reshape(1, 1, 1, 3)))
        thrice = ops.tile(ops.reduce_sum(light, _constant([3]), True), _constant([1, 1, 1, 3]))
    return ops.subtract(thrice, _constant(np.float32(factor / 2)))


def _fold_norm(weight: _Array) -> _Array:
    """See `fold_upsampling` in `nets/transformer.py`; here, channels of one place are side by side."""
    split = np.array(SPLIT, np.float32)
    folded: _Array = np.einsum("arp,bsq,oipq->aboirs", split, split, weight, optimize=True)
    return folded.reshape(4 * weight.shape[0], *weight.shape[1:])


def _constant(value: object) -> _Node:
    return ops.constant(np.asarray(value))


def _pad_edges(x: _Node) -> _Node:
    """Repeat the edge of (1, C, H, W) by a row and a column at each side."""
    return _pad(x, (0, 0, 1, 1), (0, 0, 1, 1))


def _pad(x: _Node, before: tuple[int, ...], after: tuple[int, ...]) -> _Node:
    """Repeat what is outermost so many times along each axis."""
    return ops.pad(x, np.array(before, np.int64), np.array(after, np.int64), "edge")


def _quantize_steps(x: _Node, reach: Range) -> _Node:
    """Rounded to `_LEVELS` values within a range: what OpenVINO may count in eight bits."""
    low, high = (_constant(np.full((1, 1, 1, 1), value, np.float32)) for value in reach)
    return ops.fake_quantize(x, low, high, low, high, _LEVELS)


def _convolve(x: _Node, kernel: _Node, stride: int = 1) -> _Node:
    return ops.convolution(x, kernel, [stride, stride], [0, 0], [0, 0], [1, 1])
