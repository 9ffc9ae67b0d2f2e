"""Where what was learnt of a painting is kept, so that the same painting goes on from there.

In the user's cache folder, a folder for each painting, named by the digest of its file's bytes:

    state.safetensors    all that the trainer needs to go on; only the process that learns writes it
    learnt.safetensors   the style that was learnt, to be shown at once
    after-60s.safetensors   what a command that learns first had after so many seconds, to have it again
    lock                 held by whoever learns

The newest few stay; see `prune`. Frames of a show are in none of them.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from platformdirs import user_cache_path

from stylize_live.errors import SinkError, SourceError, StyleError
from stylize_live.file_locks import hold_lock
from stylize_live.files import make_folder
from stylize_live.frame import Pixels
from stylize_live.nets.checkpoint import Checkpoint, load_checkpoint

log = logging.getLogger(__name__)

STATE, LEARNT, _LOCK = "state.safetensors", "learnt.safetensors", "lock"
_MOST = 12  # paintings, about 8 MB each
_ROOM = 12 * 2**20  # bytes that a painting takes at most, while a file is replaced
_VERSION = "2"  # of what is learnt and how; another one begins anew


def folder_of(painting: Path, frames: Sequence[Pixels] = ()) -> Path:
    """The folder of a painting, and of frames to practise on, if there are any; it may not exist.

    Raises:
        SourceError: the painting cannot be read.
    """
    try:
        with painting.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    except OSError as error:
        raise SourceError(f"{painting}: cannot read the painting: {error.strerror}") from None
    for frame in frames:
        digest.update(frame.tobytes())
    root = user_cache_path("stylize-live", appauthor=False) / "learnt"
    return root / f"{_VERSION}-{digest.hexdigest()[:32]}"


@contextmanager
def claimed(folder: Path) -> Iterator[bool]:
    """Hold a painting's folder, made if need be; False where another process learns the same painting.

    Raises:
        SinkError: the folder cannot be made.
    """
    make_folder(folder)
    try:
        file = (folder / _LOCK).open("ab")
    except OSError as error:
        raise SinkError(f"{folder}: cannot be written: {error.strerror}") from None
    with file:
        yield hold_lock(file) is not False


def check_room(folder: Path) -> None:
    """See that what is learnt can be kept in a folder, before minutes are spent. Raises `SinkError`."""
    make_folder(folder)
    try:
        # Buffered: a bare file writes what fits, and is content.
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_ROOM))
            file.flush()
    except OSError as error:
        raise SinkError(f"{folder}: what is learnt cannot be kept there: {error.strerror}") from None


def load_learnt(folder: Path) -> Checkpoint | None:
    """What was learnt, if anything."""
    path = folder / LEARNT
    if not path.is_file():
        return None
    try:
        return load_checkpoint(path)
    except StyleError as error:
        log.info("%s", error)
        return None


def prune(keep: Path) -> None:
    """Remove what is left of the paintings that were learnt longest ago, but not a folder that is held."""
    with suppress(OSError):
        folders = [path for path in keep.parent.iterdir() if path.is_dir() and path != keep]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for folder in folders[_MOST - 1 :]:
            _remove(folder)


def _remove(folder: Path) -> None:
    with suppress(OSError), (folder / _LOCK).open("ab") as file:
        if hold_lock(file) is False:
            return
    shutil.rmtree(folder, ignore_errors=True)
