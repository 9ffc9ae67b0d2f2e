"""What a painting is seen with, under OpenVINO on a CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stylize_live.engine.cpu.openvino_library import ops, ov
from stylize_live.engine.first_look.feature_network import compute
from stylize_live.engine.first_look.feature_weights import load_weights
from stylize_live.engine.operations.openvino_operations import OpenVinoOperations, compile_model


def measure(image: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    """See `Measure`."""
    x = ops.parameter(list(image.shape), np.float32)
    model = ov.Model(compute(x, OpenVinoOperations(load_weights())), [x], "PaintingFeatures")
    found = compile_model(model, threads=0).infer({0: image})
    return [np.array(found[place][0, :, 0, 0]) for place in range(len(found))]
