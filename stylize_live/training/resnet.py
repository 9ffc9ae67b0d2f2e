"""ResNet50 as perceptual features, its activations smoothed.

Plain activations of residual networks make poor styles: few of them are large and most are nearly
nothing, so that Gram matrices hang on single peaks. A softmax over each stage evens them out (Wang, Li,
Vasconcelos: "Rethinking and Improving the Robustness of Image Style Transfer", CVPR 2021, arXiv:2104.05623).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models import resnet50

from stylize_live.training.features import FeatureNetwork, fit_input


class ResnetFeatures(FeatureNetwork):
    """ResNet50 (He et al., arXiv:1512.03385): its stem and the three stages after it, smoothed.

    Args:
        weights: tensors in torchvision's names and shapes; ``layer4`` and ``fc`` are not needed.
        dtype: precision to compute in; smoothing is always computed in float32.

    Raises:
        TrainingError: tensors are missing or have the wrong shape.
    """

    style_layers = measured_layers = ("stem", "layer1", "layer2", "layer3")
    content_layer = "layer2"

    def __init__(self, weights: dict[str, Tensor], *, dtype: torch.dtype = torch.float32) -> None:
        with torch.device("meta"):
            whole = resnet50()
        whole.layer4, whole.fc = nn.Identity(), nn.Identity()
        fit_input(whole, weights, dtype, "ResNet50")
        stem = nn.Sequential(whole.conv1, whole.bn1, whole.relu)
        first = nn.Sequential(whole.maxpool, whole.layer1)
        stages = {"stem": stem, "layer1": first, "layer2": whole.layer2, "layer3": whole.layer3}
        super().__init__(stages, dtype)

    # Smoothed activations are never nothing, so that they differ by less. Measured on a narrower ResNet50
    # with trained weights: painted images and untouched photos then have the errors that VGG16 gives them.
    gain = 8.0

    def postprocess(self, activations: Tensor) -> Tensor:
        """The activations, smoothed, in float32."""
        return smooth_activations(activations)


def smooth_activations(activations: Tensor) -> Tensor:
    """Softmax over all channels and places of each image, scaled to a mean of one.

    The scale makes Gram matrices of images of different sizes comparable.

    Args:
        activations: (N, C, h, w) float.

    Returns:
        (N, C, h, w) float32, positive.
    """
    flat = activations.float().flatten(1)
    return (torch.softmax(flat, 1) * flat.shape[1]).view_as(activations)
