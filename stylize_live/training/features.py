"""Perceptual features: the frozen network whose activations the losses compare.

VGG16 (Simonyan & Zisserman, arXiv:1409.1556) is the usual choice since Gatys et al., CVPR 2016; a residual
network can take its place, see `resnet`.
"""

from __future__ import annotations

import pickle
import sys
from itertools import pairwise
from pathlib import Path
from urllib.error import URLError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import ResNet50_Weights, VGG16_Weights
from torchvision.models.vgg import cfgs, make_layers

from stylize_live.engine.first_look.feature_network import MEAN, STD
from stylize_live.engine.first_look.feature_weights import load_weights
from stylize_live.errors import TrainingError
from stylize_live.files import path_of
from stylize_live.training.conv_relu import fuse

# Not VGG16's IMAGENET1K_FEATURES: those were trained on images that were scaled in another way.
_DOWNLOADS = {"vgg16": VGG16_Weights.IMAGENET1K_V1, "resnet50": ResNet50_Weights.IMAGENET1K_V1}
_SHIPPED = "small"  # comes with the package
# Layers of torchvision's VGG16 that each stage ends with.
_VGG_ENDS = {"relu1_2": 4, "relu2_2": 9, "relu3_3": 16, "relu4_1": 19, "relu4_3": 23}


class FeatureNetwork(nn.Module):
    """A frozen network that sees images as activations at several depths.

    Args:
        stages: layer name -> what turns the layer before it, or normalised images, into it.
        dtype: precision to compute in; bfloat16 halves the time on CPUs that have it.

    Attributes:
        style_layers: what training compares the texture of, from fine to coarse.
        measured_layers: what evaluation compares the texture of.
        content_layer: what the subject is compared at.
        gain: factor that brings relative errors to the scale of VGG16's, so that one set of weights serves.
    """

    style_layers: tuple[str, ...]
    measured_layers: tuple[str, ...]
    content_layer: str
    gain = 1.0
    mean: Tensor
    std: Tensor

    def __init__(self, stages: dict[str, nn.Module], dtype: torch.dtype) -> None:
        super().__init__()
        layers = nn.ModuleDict(stages)
        self.stages = layers.to(memory_format=torch.channels_last).eval().requires_grad_(False)
        self.dtype = dtype
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor, *, last: str = "") -> dict[str, Tensor]:
        """Compute the activations up to a layer.

        Args:
            images: (N, 3, H, W) float RGB in [0, 1].
            last: deepest layer that is needed; all, if none is named.

        Returns:
            layer name -> (N, C, h, w) float.
        """
        x = ((images - self.mean) / self.std).to(self.dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        found = {}
        for name, stage in self.stages.items():
            x = stage(x)
            found[name] = self.postprocess(x)
            if name == last:
                break
        return found

    def postprocess(self, activations: Tensor) -> Tensor:
        """What the losses compare of a stage's activations, (N, C, h, w) -> the same shape."""
        return activations


class VggFeatures(FeatureNetwork):
    """VGG16 up to relu4_3.

    Training looks no deeper than relu4_1: layers below that stamp a painting's motifs (stars, eyes) all over
    a photo, and cost a fifth of the time.

    Args:
        weights: tensors named ``features.N.weight`` and ``features.N.bias`` in torchvision's layout.
        dtype: precision to compute in.

    Raises:
        TrainingError: tensors are missing or have the wrong shape.
    """

    style_layers = ("relu1_2", "relu2_2", "relu3_3", "relu4_1")
    measured_layers = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
    content_layer = "relu3_3"
    _deepest = "relu4_3"

    def __init__(self, weights: dict[str, Tensor], *, dtype: torch.dtype = torch.float32) -> None:
        with torch.device("meta"):
            layers = make_layers(cfgs["D"], batch_norm=False)[: _VGG_ENDS[self._deepest]]
        prefix = "features."
        fit_input(layers, {k.removeprefix(prefix): v for k, v in weights.items()}, dtype, "VGG16")
        places = pairwise([0, *_VGG_ENDS.values()])
        stages: dict[str, nn.Module] = {
            name: fuse(layers[begin:end])
            for name, (begin, end) in zip(_VGG_ENDS, places, strict=True)
            if end <= len(layers)
        }
        super().__init__(stages, dtype)


class SmallVggFeatures(VggFeatures):
    """VGG16 up to relu4_1, which is all that training looks at."""

    measured_layers = VggFeatures.style_layers
    _deepest = "relu4_1"


def fit_input(network: nn.Module, weights: dict[str, Tensor], dtype: torch.dtype, name: str) -> None:
    """Fill a network that was made on the meta device.

    Args:
        network: filled in place.
        weights: tensors by the network's own names; others are ignored.
        dtype: of the network from now on.
        name: of the network, for people.

    Raises:
        TrainingError: tensors are missing or have the wrong shape.
    """
    # The counters of batches that batch norms keep are of no use here, and old files lack them.
    wanted = [key for key in network.state_dict() if not key.endswith("num_batches_tracked")]
    try:
        found = {key: weights[key].to(dtype) for key in wanted}
        network.load_state_dict(found, assign=True, strict=False)
    except KeyError as error:
        raise TrainingError(f"feature weights do not fit {name}: {error.args[0]} is missing") from None
    except RuntimeError as error:
        what = " ".join(str(error).split())
        raise TrainingError(f"feature weights do not fit {name}: {what}") from None


def load_features(source: str | Path | None, *, device: torch.device, dtype: torch.dtype) -> FeatureNetwork:
    """Load a feature network.

    Args:
        source: "vgg16" (or None) or "resnet50" for torchvision's own weights, downloaded once; "small" for
            VGG16 up to relu4_1 in eight bits, which comes with the package; or a file of weights such as
            torchvision's: safetensors, or what torchvision downloads (.pth).
        device: where it computes.
        dtype: precision it computes in.

    Raises:
        TrainingError: the file is unreadable or of neither network, or the download failed.
    """
    from stylize_live.training.resnet import ResnetFeatures

    name = str(source or "vgg16")
    if name == _SHIPPED:
        small = {key: torch.from_numpy(array) for key, array in load_weights().items()}
        return SmallVggFeatures(small, dtype=dtype).to(device)
    weights = _download(name) if name in _DOWNLOADS else read_weights(_existing(path_of(name)))
    kind = ResnetFeatures if "layer1.0.conv1.weight" in weights else VggFeatures
    network: FeatureNetwork = kind(weights, dtype=dtype).to(device)
    return network


def _download(name: str) -> dict[str, Tensor]:
    try:
        # Half a gigabyte for VGG16: whoever watches sees how far it is.
        weights: dict[str, Tensor] = _DOWNLOADS[name].get_state_dict(
            progress=sys.stderr.isatty(), check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:  # RuntimeError: it came with a wrong checksum
        why = error.reason if isinstance(error, URLError) else error
        raise TrainingError(
            f"the weights of {name} could not be downloaded ({why}): "
            "fetch them on another machine and name the file with --features"
        ) from None
    return weights


def _existing(path: Path) -> Path:
    if not path.is_file():
        names = ", ".join([*_DOWNLOADS, _SHIPPED])
        raise TrainingError(f"{path}: no such file of feature weights (or one of {names})")
    return path


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a table of tensors, safetensors or what torchvision downloads (.pth).

    Raises:
        TrainingError: the file cannot be read, or is something else.
    """
    try:
        if path.suffix in (".pth", ".pt"):
            # Tensors only: nothing in the file is run.
            weights = torch.load(path, map_location="cpu", weights_only=True)
        else:
            weights = load_file(path)
    except (OSError, SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TrainingError(f"{path}: cannot read feature weights: {why}") from None
    if not isinstance(weights, dict) or not all(isinstance(v, Tensor) for v in weights.values()):
        raise TrainingError(f"{path}: cannot read feature weights: not a table of tensors")
    return weights
