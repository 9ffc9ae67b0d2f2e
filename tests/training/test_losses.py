"""What losses leave out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from small_features import SmallFeatures

from stylize_live.training import losses
from stylize_live.training.features import load_features
from stylize_live.training.losses import inner, strength, style_errors
from stylize_live.training.painting import PaintingTarget

BEYOND = 16  # pixels, whole places of every layer


def test_inner_places_do_not_see_what_lies_beyond_the_image() -> None:
    features = load_features("small", device=torch.device("cpu"), dtype=torch.float32)
    image = torch.rand(1, 3, 160, 160, generator=torch.Generator().manual_seed(3))
    last = features.style_layers[-1]
    with torch.no_grad():
        alone = features(image, last=last)
        framed = features(F.pad(image, (BEYOND,) * 4, value=1.0), last=last)
    for layer, found in alone.items():
        cut = (framed[layer].shape[2] - found.shape[2]) // 2
        framed[layer] = framed[layer][:, :, cut:-cut, cut:-cut]
        assert not torch.allclose(found, framed[layer], atol=1e-2), layer
    found, wanted = inner(alone), inner(framed)
    for layer in features.style_layers:
        torch.testing.assert_close(found[layer], wanted[layer], atol=1e-3, rtol=1e-3)
    assert found["relu4_1"].shape[2:] == (12, 12)


def test_errors_are_relative_to_what_has_more_texture() -> None:
    hazy, lively = torch.eye(3)[None] * 0.01, torch.eye(3)[None]
    assert float(strength(lively)) == 3

    def error(found: torch.Tensor, wanted: torch.Tensor, scale: float | None = None) -> float:
        scales = None if scale is None else {"a": torch.tensor(scale)}
        return float(style_errors({"a": found}, {"a": wanted}, scales)["a"])

    assert error(lively, hazy) == pytest.approx(99**2)
    assert error(lively, hazy, 3.0) == pytest.approx(0.99**2)
    assert error(hazy, lively) == error(hazy, lively, 0.5) == pytest.approx(0.99**2)


def test_a_photo_has_an_error_of_about_one_also_beside_a_hazy_painting() -> None:
    features = SmallFeatures()
    generator = torch.Generator().manual_seed(1)
    photo = torch.rand(1, 3, 64, 64, generator=generator)
    hazy = 0.5 + 0.01 * torch.rand(1, 3, 64, 64, generator=generator)
    options = {"pooled": 0.0, "fine_weight": 1.0, "deep_weight": 1.0}
    target = PaintingTarget(features, hazy, [photo], **options)  # type: ignore[arg-type]
    grams = losses.grams(features(photo), features.style_layers)
    alone = sum(float(error) for error in style_errors(grams, target._fine).values())
    found = float(target.fine_error(grams))
    assert 0.1 * len(grams) < found < 1.5 * len(grams)
    assert alone > 3 * found
