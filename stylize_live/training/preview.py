"""Pictures that show how a training run is getting on."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch

from stylize_live.errors import SourceError
from stylize_live.frame import Pixels
from stylize_live.media.still import Still, read_still, resized, write_still
from stylize_live.nets.transformer import ResidualTransformer
from stylize_live.training.photos import to_tensor

log = logging.getLogger(__name__)

_HEIGHT = 320  # pixels


@torch.inference_mode()
def write_preview(target: Path, network: ResidualTransformer, photos: list[Path]) -> None:
    """Write one picture: a column for each photo, the original above, the painted one below.

    Args:
        target: .jpg or .png; its folder is made.
        network: in evaluation mode, on the CPU.
        photos: files; unreadable ones are left out.
    """
    columns = []
    for path in photos:
        try:
            photo = _square(resized(read_still(path).pixels, _HEIGHT))
        except SourceError as error:
            log.warning("no preview of a photo: %s", error)
            continue
        painted = network(to_tensor(photo))[0].permute(1, 2, 0).mul(255).round().byte().numpy()
        columns.append(np.concatenate([photo, painted], axis=0))
    if columns:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_still(target, Still(np.ascontiguousarray(np.concatenate(columns, axis=1))))


def _square(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])
