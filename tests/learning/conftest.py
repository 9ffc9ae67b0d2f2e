"""What tests of learning share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tiny import random_pixels

from stylize_live.media.image.io import Still, write_image


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    """An image that no other test has: what is learnt is kept by its bytes."""
    path = tmp_path / "painting.png"
    write_image(path, Still(random_pixels(128, 96, int.from_bytes(os.urandom(4)))))
    return path
