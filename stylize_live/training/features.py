"""Perceptual features: the frozen network whose activations the losses compare.

VGG16 up to relu4_3 (Simonyan & Zisserman, arXiv:1409.1556), the usual choice since Gatys et al., CVPR 2016.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import VGG16_Weights
from torchvision.models.vgg import cfgs, make_layers

from stylize_live.errors import TrainingError

_TAPS = {3: "relu1_2", 8: "relu2_2", 15: "relu3_3", 22: "relu4_3"}
_MEAN = (0.485, 0.456, 0.406)  # ImageNet statistics, as torchvision's weights expect
_STD = (0.229, 0.224, 0.225)

STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
CONTENT_LAYER = "relu3_3"


class VggFeatures(nn.Module):
    """Activations of VGG16 at four depths.

    Args:
        weights: tensors named ``features.N.weight`` and ``features.N.bias`` in torchvision's layout.
        dtype: precision to compute in; bfloat16 halves the time on CPUs that have it.

    Raises:
        TrainingError: tensors are missing or have the wrong shape.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: dict[str, Tensor], *, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        with torch.device("meta"):
            layers = make_layers(cfgs["D"], batch_norm=False)[: max(_TAPS) + 1]
        prefix = "features."
        state = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        wanted = layers.state_dict()
        try:
            layers.load_state_dict({k: state[k].to(dtype) for k in wanted}, assign=True)
        except (KeyError, RuntimeError) as error:
            raise TrainingError(f"feature weights do not fit VGG16: {error}") from None
        self.layers = layers.to(memory_format=torch.channels_last).requires_grad_(False)
        self.dtype = dtype
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, pictures: Tensor, *, last: str = "relu4_3") -> dict[str, Tensor]:
        """Compute the activations up to a layer.

        Args:
            pictures: (N, 3, H, W) float RGB in [0, 1].
            last: deepest layer that is needed.

        Returns:
            layer name -> (N, C, h, w) in the dtype of the extractor.
        """
        x = ((pictures - self.mean) / self.std).to(self.dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        found = {}
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in _TAPS:
                found[_TAPS[index]] = x
                if _TAPS[index] == last:
                    break
        return found


def load_features(path: Path | None, *, device: torch.device, dtype: torch.dtype) -> VggFeatures:
    """Load VGG16 features from a safetensors file, or torchvision's own when no file is given.

    Raises:
        TrainingError: the file is unreadable or not VGG16, or the download failed.
    """
    if path is None:
        try:
            weights = VGG16_Weights.IMAGENET1K_FEATURES.get_state_dict(progress=False)
        except OSError as error:
            raise TrainingError(
                f"VGG16 weights could not be downloaded ({error}): pass a local file with --features"
            ) from None
    else:
        try:
            weights = load_file(path)
        except (OSError, SafetensorError) as error:
            raise TrainingError(f"{path}: cannot read feature weights: {error}") from None
    return VggFeatures(weights, dtype=dtype).to(device)
