"""LPIPS, how different two images look: Zhang et al., CVPR 2018, the variant with VGG16."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torchvision.models.vgg import cfgs, make_layers

from stylize_live.errors import TrainingError
from stylize_live.training.features import FeatureNetwork, fit_input, read_weights

# Layer -> one past its place in torchvision's VGG16.
_ENDS = {"relu1_2": 4, "relu2_2": 9, "relu3_3": 16, "relu4_3": 23, "relu5_3": 30}


class Lpips(FeatureNetwork):
    """Compares images by their features in VGG16, each channel weighted by what people saw.

    Args:
        weights: ``features.N.weight`` and ``features.N.bias`` of the thirteen convolutions in torchvision's
            layout, and ``lpips.0`` to ``lpips.4``, the weights of the channels of the five layers.

    Raises:
        TrainingError: tensors are missing or have the wrong shape.
    """

    def __init__(self, weights: dict[str, Tensor]) -> None:
        with torch.device("meta"):
            layers = make_layers(cfgs["D"], batch_norm=False)[:30]
        prefix = "features."
        fit_input(layers, {k.removeprefix(prefix): v for k, v in weights.items()}, torch.float32, "VGG16")
        begins = (0, *_ENDS.values())
        stages: dict[str, nn.Module] = {
            name: layers[begin:end] for begin, (name, end) in zip(begins, _ENDS.items(), strict=False)
        }
        super().__init__(stages, torch.float32)
        for index, (name, end) in enumerate(_ENDS.items()):
            self.register_buffer(name, _channel_weights(weights, index, layers[end - 2].out_channels))

    @torch.no_grad()
    def distance(self, one: Tensor, other: Tensor) -> float:
        """Equation 1: squared differences of features of unit length, weighted, mean over places, summed.

        Args:
            one: (1, 3, h, w) in [0, 1] on the weights' device, 16 pixels or more either way.
            other: of the same shape.

        Returns:
            0 for equal images; hardly ever more than 1.
        """
        parts = []
        for (name, first), second in zip(self(one).items(), self(other).values(), strict=True):
            apart = (normalize(first, eps=1e-10) - normalize(second, eps=1e-10)).square()
            parts.append((apart * self.get_buffer(name)).sum(1).mean())
        return float(torch.stack(parts).sum())


def _channel_weights(weights: dict[str, Tensor], index: int, channels: int) -> Tensor:
    found = weights.get(f"lpips.{index}")
    if found is None:
        raise TrainingError(f"weights do not fit LPIPS: lpips.{index} is missing")
    if found.numel() != channels:
        raise TrainingError(f"weights do not fit LPIPS: lpips.{index} does not have {channels} values")
    return found.float().reshape(1, channels, 1, 1)


def load_lpips(path: Path, *, device: torch.device) -> Lpips:
    """Load LPIPS from a file of weights, safetensors or .pth; see `Lpips`.

    Raises:
        TrainingError: the file is unreadable, or has not all that is needed.
    """
    if not path.expanduser().is_file():
        raise TrainingError(f"{path}: no such file of LPIPS weights")
    weights = read_weights(path.expanduser())
    try:
        network: Lpips = Lpips(weights).to(device)
    except TrainingError as error:
        raise TrainingError(f"{path}: {error}") from None
    return network
