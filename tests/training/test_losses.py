"""What losses leave out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from stylize_live.training.features import load_features
from stylize_live.training.losses import bounded_style_errors, inner, style_errors

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


def test_the_error_of_a_hazy_painting_is_bounded() -> None:
    hazy, lively = torch.eye(3)[None] * 0.01, torch.eye(3)[None]
    much, little = (
        float(bounded_style_errors({"a": g}, {"a": w})["a"]) for g, w in ((lively, hazy), (hazy, lively))
    )
    assert much == pytest.approx(2 * 0.99**2)
    assert little == pytest.approx(0.99**2) == float(style_errors({"a": hazy}, {"a": lively})["a"])
    assert float(bounded_style_errors({"a": hazy}, {"a": hazy})["a"]) == 0
