"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside the target; rename it over the target if the block succeeds.

    The temporary name keeps the suffix (writers choose their format by it) and is removed when
    the block raises, so that the target is either the old file or the whole new one.

    Raises:
        OSError: the folder does not exist or cannot be written, or the rename failed.
    """
    temporary = target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
