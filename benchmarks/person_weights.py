"""Brings the weights of MediaPipe's selfie segmentation into the package, from its model file:

    npm pack @mediapipe/selfie_segmentation@0.1.1675465747 && tar xzf mediapipe-selfie_segmentation-*.tgz
    uv run --with tflite python benchmarks/person_weights.py package/selfie_segmentation.tflite

It needs the package `tflite`, which reads such files and which nothing else here needs. Weights stand in the
file in the order in which they are used, in float16, and stay as they are; only their axes change places.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from stylize_live.engine.matting.network import list_convolutions

TARGET = Path(__file__).parents[1] / "stylize_live" / "engine" / "matting" / "weights" / "person.safetensors"
_ABOUT = {
    "format": "stylize_live.person_matte",
    "licence": "Apache-2.0",
    "credit": "MediaPipe Selfie Segmentation, Copyright Google",
    "source": "npm package @mediapipe/selfie_segmentation 0.1.1675465747",
    "changes": "axes of the weights reordered; the same numbers",
}
_Array = npt.NDArray[np.float16]


def read_model(path: Path) -> dict[str, _Array]:
    """The weights in a model file, by the names that the network has for them."""
    found = list(_weights_in_order(path))
    weights: dict[str, _Array] = {}
    for one, (kernel, bias) in zip(list_convolutions(), found, strict=True):
        if one.name == "end":  # (1, 2, 2, inputs): each of the four places is an output, with the one bias
            kernel, bias = kernel.reshape(4, 1, 1, one.inputs), np.repeat(bias, 4)
        elif one.depthwise:
            kernel = kernel.transpose(3, 1, 2, 0)
        named = {f"{one.name}.weight": kernel.transpose(0, 3, 1, 2), f"{one.name}.bias": bias}
        for name, array in named.items():
            if array.shape != one.shapes()[name]:
                raise SystemExit(f"{path}: {name} has the shape {array.shape}, not {one.shapes()[name]}")
            weights[name] = np.ascontiguousarray(array)
    return weights


def _weights_in_order(path: Path) -> Iterator[tuple[_Array, _Array]]:
    """Kernel and bias of each convolution, as they lie in the file: outputs, height, width, inputs."""
    import tflite

    model = tflite.Model.GetRootAs(path.read_bytes(), 0)
    graph = model.Subgraphs(0)
    halves: dict[int, _Array] = {}  # by the number of the tensor that they become in 32 bits
    for number in range(graph.OperatorsLength()):
        operator = graph.Operators(number)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if kind == tflite.BuiltinOperator.DEQUANTIZE:
            halves[operator.Outputs(0)] = _read_tensor(model, graph.Tensors(operator.Inputs(0)))
        elif operator.InputsLength() == 3:
            yield halves[operator.Inputs(1)], halves[operator.Inputs(2)]


def _read_tensor(model: Any, tensor: Any) -> _Array:
    data = model.Buffers(tensor.Buffer()).DataAsNumpy()
    return data.view(np.float16).reshape(tensor.ShapeAsNumpy())


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path, help="selfie_segmentation.tflite")
    TARGET.write_bytes(save(read_model(parser.parse_args().model), _ABOUT))
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
