"""An opacity as a PNG for browsers."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from stylize_live.media.image.mask import encode_mask

ALPHA = (np.arange(60 * 40).reshape(40, 60) % 256).astype(np.uint8)


def decode(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        return np.array(image.convert("RGBA"))


def test_it_is_black_and_as_opaque() -> None:
    shown = decode(encode_mask(ALPHA))
    assert (shown[..., 3] == ALPHA).all()
    assert not shown[..., :3].any()


def test_it_shrinks_with_the_image_and_takes_sixteen_bits() -> None:
    assert decode(encode_mask(ALPHA, longest=30)).shape == (20, 30, 4)
    assert (decode(encode_mask(ALPHA.astype(np.uint16) * 257))[..., 3] == ALPHA).all()
