"""What losses leave out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from stylize_live.training.features import load_features
from stylize_live.training.losses import inner

BEYOND = 32  # pixels, whole places of every layer


@pytest.mark.parametrize("layer", ["relu1_2", "relu2_2", "relu3_3", "relu4_1"])
def test_inner_places_do_not_see_what_lies_beyond_the_image(layer: str) -> None:
    features = load_features("small", device=torch.device("cpu"), dtype=torch.float32)
    image = torch.rand(1, 3, 96, 112, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        alone = features(image, last=layer)[layer]
        framed = features(F.pad(image, (BEYOND,) * 4, value=1.0), last=layer)[layer]
    cut = (framed.shape[2] - alone.shape[2]) // 2
    framed = framed[:, :, cut:-cut, cut:-cut]
    assert not torch.allclose(alone, framed, atol=1e-3)
    found, wanted = inner({layer: alone})[layer], inner({layer: framed})[layer]
    if layer == "relu4_1":  # of 12 places two are left out; larger images lose five
        assert found.shape[2:] == (8, 10)
    else:
        torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
