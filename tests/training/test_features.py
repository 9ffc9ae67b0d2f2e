"""Feature networks: which one a word or file means, and what the losses see of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import load_file, save_file
from torchvision.models import ResNet50_Weights, VGG16_Weights, resnet50, vgg16

from stylize_live.errors import TrainingError
from stylize_live.nets.checkpoint import load_checkpoint
from stylize_live.training import losses
from stylize_live.training.features import FeatureNetwork, SmallVggFeatures, VggFeatures, load_features
from stylize_live.training.job import TrainingJob
from stylize_live.training.resnet import ResnetFeatures, smooth_activations
from stylize_live.training.run import train_style

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def resnet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ResNet50 with random weights, as torchvision's file is; activations as small as trained ones."""
    torch.manual_seed(0)
    network = resnet50()
    for name, parameter in network.named_parameters():
        if name.endswith("bn3.weight"):
            torch.nn.init.constant_(parameter, 0.1)
    path = tmp_path_factory.mktemp("features") / "resnet.pth"
    torch.save(network.state_dict(), path)
    return path


def load(path: Path | str) -> FeatureNetwork:
    return load_features(path, device=CPU, dtype=torch.float32)


def test_kind_is_told_by_the_weights(resnet_file: Path, features_file: Path, tmp_path: Path) -> None:
    assert isinstance(load(resnet_file), ResnetFeatures)
    assert isinstance(load(features_file), VggFeatures)
    torch.save(load_file(features_file), tmp_path / "vgg.pth")
    image = torch.rand(1, 3, 32, 32)
    one, two = load(features_file)(image), load(tmp_path / "vgg.pth")(image)
    assert all(torch.equal(one[name], two[name]) for name in VggFeatures.style_layers)


def test_the_shipped_network_needs_no_download(features_file: Path) -> None:
    found = load("small")
    assert isinstance(found, SmallVggFeatures)
    assert found.measured_layers == found.style_layers == VggFeatures.style_layers
    layers = found(torch.rand(1, 3, 32, 48))
    assert list(layers) == list(VggFeatures.style_layers)
    assert all(torch.isfinite(layer).all() and layer.any() for layer in layers.values())
    assert list(load(features_file)(torch.rand(1, 3, 32, 48)))[:4] == list(layers)


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("features_file", [(64, 64, 96), (128, 32, 48), (256, 16, 24), (512, 8, 12), (512, 8, 12)]),
        ("resnet_file", [(64, 32, 48), (256, 16, 24), (512, 8, 12), (1024, 4, 6)]),
    ],
)
def test_stages(name: str, shapes: list[tuple[int, ...]], request: pytest.FixtureRequest) -> None:
    features = load(request.getfixturevalue(name))
    found = features(torch.rand(2, 3, 64, 96))
    assert [tuple(layer.shape[1:]) for layer in found.values()] == shapes
    assert {*features.style_layers, *features.measured_layers, features.content_layer} == found.keys()
    second = list(found)[1]
    assert list(features(torch.rand(1, 3, 64, 64), last=second)) == list(found)[:2]


def test_vgg_layers_are_torchvisions(features_file: Path) -> None:
    """relu4_1 is the first activation after the third pooling, relu4_3 the third."""
    layers = vgg16().features[:23].eval()
    layers.load_state_dict({k.removeprefix("features."): v for k, v in load_file(features_file).items()})
    features, image = load(features_file), torch.rand(1, 3, 32, 32)
    x = (image - features.mean) / features.std
    found = features(image)
    with torch.no_grad():
        for name, depth in {"relu1_2": 4, "relu2_2": 9, "relu3_3": 16, "relu4_1": 19, "relu4_3": 23}.items():
            torch.testing.assert_close(found[name], layers[:depth](x), atol=1e-5, rtol=1e-4)


def test_resnet_is_torchvisions(resnet_file: Path) -> None:
    """The third stage, unsmoothed, is what torchvision's own ResNet50 computes in evaluation mode."""
    whole = resnet50()
    whole.load_state_dict(torch.load(resnet_file, weights_only=True))
    whole.eval()
    image = torch.rand(1, 3, 64, 64)
    features = load(resnet_file)
    x = (image - features.mean) / features.std
    with torch.no_grad():
        wanted = whole.layer2(whole.layer1(whole.maxpool(torch.relu(whole.bn1(whole.conv1(x))))))
    torch.testing.assert_close(features(image)["layer2"], smooth_activations(wanted), atol=1e-4, rtol=1e-3)


def test_smoothing_is_a_softmax_of_mean_one() -> None:
    x = torch.randn(2, 4, 5, 6) * 3
    y = smooth_activations(x)
    torch.testing.assert_close(y.mean((1, 2, 3)), torch.ones(2))
    torch.testing.assert_close(y[1].log() - y[1].log().mean(), x[1] - x[1].mean(), atol=1e-4, rtol=1e-4)
    assert smooth_activations(x.bfloat16()).dtype == torch.float32


def test_smoothing_raises_the_entropy_of_residual_activations() -> None:
    """The paper's reason for it: small activations count for something, large ones not for everything."""

    def entropy(activations: torch.Tensor) -> float:
        share = activations.flatten() / activations.sum() + 1e-12
        return float(-(share * share.log()).sum())

    x = torch.relu(torch.randn(1, 16, 16, 16)) * 0.4  # as the stages of a trained ResNet50 are
    x[0, 3, 4, 4] = 3.0
    assert entropy(smooth_activations(x)) > entropy(x) + 0.3


def test_grams_of_smoothed_features_do_not_depend_on_size() -> None:
    x = torch.rand(1, 4, 6, 5)
    torch.testing.assert_close(
        losses.gram(smooth_activations(x)), losses.gram(smooth_activations(x.repeat(1, 1, 2, 3)))
    )


def test_images_can_be_drawn_towards_smoothed_features(resnet_file: Path) -> None:
    torch.manual_seed(0)
    features = load(resnet_file)
    wanted = losses.grams(features(torch.rand(1, 3, 48, 48).round()), features.style_layers)
    image = torch.rand(1, 3, 48, 48, requires_grad=True)
    optimizer = torch.optim.Adam([image], lr=0.05)
    errors = []
    for _ in range(12):
        found = losses.grams(features(image), features.style_layers)
        error = torch.stack([e.sum() for e in losses.style_errors(found, wanted).values()]).sum()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        errors.append(float(error.detach()))
    assert errors[-1] < 0.6 * errors[0]


def test_a_run_with_resnet_records_it(job: TrainingJob, resnet_file: Path) -> None:
    result = train_style(
        replace(job, features=resnet_file, settings=job.settings.model_copy(update={"steps": 1})),
        CPU,
        on_step=lambda progress: None,
    )
    assert 0 < result.figures.content < 10
    assert load_checkpoint(job.target).training["features"] == "resnet"


def test_unfinished_run_with_other_features_is_refused(job: TrainingJob, resnet_file: Path) -> None:
    def interrupt(progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_style(job, CPU, on_step=interrupt)
    with pytest.raises(TrainingError, match="other paintings, features or start"):
        train_style(replace(job, features=resnet_file), CPU, on_step=interrupt)


@pytest.mark.parametrize(("name", "kind"), [("vgg16", VGG16_Weights), ("resnet50", ResNet50_Weights)])
def test_offline_download_says_what_to_do(name: str, kind: object, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def offline(url: str, **_: object) -> None:
        asked.append(url)
        raise URLError("name resolution failed")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", offline)
    with pytest.raises(
        TrainingError, match=rf"{name} could not be downloaded \(name resolution failed\).*--features"
    ):
        load(name)
    assert asked == [kind.IMAGENET1K_V1.url]


def test_downloaded_weights_are_used(resnet_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "torchvision.models._api.load_state_dict_from_url",
        lambda url, **_: torch.load(resnet_file, weights_only=True),
    )
    assert isinstance(load("resnet50"), ResnetFeatures)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("resnet51", None, "resnet51: no such file of feature weights (or one of vgg16, resnet50, small)"),
        ("x.safetensors", b"?", "cannot read feature weights"),
        ("x.pth", b"?", "cannot read feature weights"),
        ("x.pth", {"features.0.weight": torch.zeros(1)}, "do not fit VGG16: 0.bias is missing"),
        ("x.pth", {"layer1.0.conv1.weight": torch.zeros(1)}, "do not fit ResNet50: conv1.weight is missing"),
        ("x.pth", [1, 2], "not a table of tensors"),
        ("x.pth", {"epoch": 3}, "not a table of tensors"),
    ],
)
def test_weights_that_are_none(name: str, content: object, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(TrainingError) as caught:
        load(path if content is not None else name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_of_a_wrong_shape(features_file: Path, tmp_path: Path) -> None:
    weights = load_file(features_file)
    weights["features.0.weight"] = torch.zeros(3)
    save_file(weights, tmp_path / "x.safetensors")
    with pytest.raises(TrainingError, match=r"do not fit VGG16.*size mismatch"):
        load(tmp_path / "x.safetensors")
