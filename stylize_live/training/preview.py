"""Images that show how a training run is getting on: the same few photos, painted again and again."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
import torch

from stylize_live.errors import SourceError
from stylize_live.files import make_folder
from stylize_live.frame import Pixels
from stylize_live.media.image.io import Still, on_paper, read_image, resize, write_image
from stylize_live.nets.transformer import ResidualTransformer
from stylize_live.system.replacing import remove
from stylize_live.training.dataset import to_tensor

log = logging.getLogger(__name__)

SIDE = 320  # pixels
MOST = 4  # photos
_PHOTOS = "photos.jpg"
_STEP = re.compile(r"step-[0-9]{6}\.jpg")


class Previews:
    """A folder of rows: ``photos.jpg``, and one painted row for each preview.

    Args:
        folder: made if it is not there.
        photos: files; the first four that can be read are shown, their middle as a square.
        side: of these squares in pixels.

    Raises:
        SinkError: the folder cannot be made.
    """

    def __init__(self, folder: Path, photos: list[Path], side: int = SIDE) -> None:
        self.folder = folder
        make_folder(folder)
        self._squares = _squares(photos, side)

    @property
    def columns(self) -> int:
        """Photos in each row."""
        return len(self._squares)

    def clear(self) -> None:
        """Remove the rows of an earlier run."""
        for path in rows_in(self.folder):
            remove(path)

    def write_photos(self) -> None:
        """Write the row of originals."""
        self._write(_PHOTOS, self._squares)

    @torch.inference_mode()
    def write(self, name: str, network: ResidualTransformer, device: torch.device) -> None:
        """Paint the photos and write the row.

        Args:
            name: of the file, ending in .jpg.
            network: in evaluation mode.
            device: where the network is.
        """
        rows = (network(to_tensor(square).to(device))[0] for square in self._squares)
        painted = [row.permute(1, 2, 0).mul(255).round().byte().cpu().numpy() for row in rows]
        self._write(name, painted)

    def _write(self, name: str, row: list[Pixels]) -> None:
        if row:
            write_image(self.folder / name, Still(np.ascontiguousarray(np.concatenate(row, axis=1))))


def rows_in(folder: Path) -> list[Path]:
    """The rows in a folder, sorted; files of other names, however similar, are not ours."""
    if not folder.is_dir():
        return []
    named = (path for path in folder.iterdir() if path.name == _PHOTOS or _STEP.fullmatch(path.name))
    return sorted(path for path in named if path.is_file())


def _squares(photos: list[Path], side: int) -> list[Pixels]:
    found: list[Pixels] = []
    for path in photos:
        if len(found) == MOST:
            break
        try:
            found.append(_square(on_paper(read_image(path, least_side=side)), side))
        except SourceError as error:
            log.info("no preview of a photo: %s", error)
    return found


def _square(pixels: Pixels, side: int) -> Pixels:
    """The middle of an image, so many pixels high and wide."""
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    top, left = (height - shorter) // 2, (width - shorter) // 2
    return resize(np.ascontiguousarray(pixels[top : top + shorter, left : left + shorter]), side)
