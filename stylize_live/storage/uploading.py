"""Files of this machine put on shared storage, where they appear whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from stylize_live.concurrency.channel import Closed
from stylize_live.errors import SinkError, StylizeError
from stylize_live.storage.places import StorageUrl
from stylize_live.storage.remote import explain_storage_errors, open_storage

# Where objects appear with their last request, as a whole. All others get a file of another name first, which
# is then moved.
_WHOLE_OR_NOT = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"})


def upload(file: Path, url: StorageUrl, is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Put a file in its place, also over another one there.

    Args:
        file: whole, and not changed meanwhile.
        url: the place.
        is_stopping: asked between parts; once it says so, the upload ends.

    Raises:
        SinkError: no access, no answer, or the storage has another size of it.
        Closed: see `is_stopping`.
    """
    file_system, path = open_storage(url, SinkError)
    put = _put if url.protocol in _WHOLE_OR_NOT else _put_and_move
    with explain_storage_errors(url, SinkError):
        put(file_system, file, path, is_stopping)
        file_system.invalidate_cache()
        there, sent = file_system.info(path)["size"], file.stat().st_size
    if there != sent:
        raise SinkError(f"{url}: the storage has {there} bytes of {sent}, run the same command again")


def check_bucket(url: StorageUrl, kind: type[StylizeError] = SinkError) -> None:
    """Refuse a place in a bucket that is not there, before any work. Raises one of the `kind`.

    Whether this machine may write there, only writing tells.
    """
    if url.protocol in _WHOLE_OR_NOT:
        file_system, path = open_storage(url, kind)
        with explain_storage_errors(url, kind), suppress(PermissionError):
            file_system.info(path.partition("/")[0])


def _put(file_system: Any, file: Path, path: str, is_stopping: Callable[[], bool]) -> None:
    from fsspec.callbacks import Callback

    class Stopper(Callback):  # type: ignore[misc, unused-ignore]  # fsspec has no types
        """Hears of each part."""

        def call(self, hook_name: str | None = None, **kwargs: Any) -> None:
            if is_stopping():
                raise Closed

    file_system.put_file(str(file), path, callback=Stopper())


def _put_and_move(file_system: Any, file: Path, path: str, is_stopping: Callable[[], bool]) -> None:
    folder, _, name = path.rpartition("/")
    beside = f"{folder}/.{name}.part"
    if folder:
        file_system.makedirs(folder, exist_ok=True)
    try:
        _put(file_system, file, beside, is_stopping)
        file_system.mv(beside, path)
    except BaseException:
        with suppress(Exception):  # of the two errors, people are told the first
            file_system.rm_file(beside)
        raise
