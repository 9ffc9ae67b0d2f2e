"""What a painting is seen with: VGG16 up to relu4_1 (Simonyan & Zisserman, arXiv:1409.1556).

Its convolutions have torchvision's names, `features.N`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stylize_live.engine.operations.records import Convolution, Operations, T, shapes_of

# ImageNet's, as torchvision's weights expect.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
# Between two stages, both sides are halved.
_WIDTHS = {"relu1_2": (3, 64, 64), "relu2_2": (64, 128, 128), "relu3_3": (128, 256, 256, 256)}
_WIDTHS |= {"relu4_1": (256, 512)}


def list_stages() -> dict[str, tuple[Convolution, ...]]:
    """The convolutions of each stage, each with a ReLU behind it."""
    stages, number = {}, 0
    for name, widths in _WIDTHS.items():
        places = range(number, number + 2 * len(widths[1:]), 2)
        pairs = zip(places, widths[:-1], widths[1:], strict=True)
        stages[name] = tuple(
            Convolution(f"features.{at}", inputs, outputs, side=3) for at, inputs, outputs in pairs
        )
        number = places.stop + 1
    return stages


def shapes() -> dict[str, tuple[int, ...]]:
    """Of all weights, by name."""
    return shapes_of(one for stage in list_stages().values() for one in stage)


def channels() -> int:
    """How many channels the ends of all stages have together."""
    return sum(stage[-1].outputs for stage in list_stages().values())


def normalize(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(H, W, 3) RGB in [0, 1] -> (1, 3, H, W), what the network takes."""
    values = (image - np.asarray(MEAN, np.float32)) / np.asarray(STD, np.float32)
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None], np.float32)


def compute(x: T, ops: Operations[T]) -> list[T]:
    """Means and means of squares at the end of each stage: (1, C, 1, 1) each, mean and square in turns.

    Args:
        x: (1, 3, H, W), normalised; both sides at least 8.
        ops: of a runtime, with the weights of `shapes`.
    """
    found: list[T] = []
    for number, stage in enumerate(list_stages().values()):
        x = ops.halve(x) if number else x
        for convolution in stage:
            x = ops.relu(ops.convolve(x, convolution))
        found += [ops.average(x), ops.average(ops.multiply(x, x))]
    return found
