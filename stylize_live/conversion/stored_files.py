"""Sources and targets on shared storage, as files of this machine for as long as they are worked on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stylize_live.conversion.progress import ConvertProgress
from stylize_live.conversion.segment_store import remove_work_folder
from stylize_live.errors import StylizeError
from stylize_live.files import make_folder
from stylize_live.storage.fetching import fetched
from stylize_live.storage.places import Place, StorageUrl, local_path
from stylize_live.storage.uploading import check_bucket, upload
from stylize_live.system.clock import monotonic
from stylize_live.system.replacing import remove


@contextmanager
def source_at_hand(
    source: Place, on_progress: Callable[[ConvertProgress], None] | None = None, *, keep: bool = False
) -> Iterator[Path]:
    """A path of a source: itself, or that of a copy, whose errors name the URL. See `fetched`."""
    if not isinstance(source, StorageUrl):
        yield source
        return
    began = monotonic()

    def tell(done: int, size: int) -> None:
        if on_progress is not None:
            on_progress(ConvertProgress(0, None, monotonic() - began, fetched=done / size))

    with fetched(source, tell, keep=keep) as copy, _naming(copy, source):
        yield copy


@contextmanager
def target_at_hand(target: Place) -> Iterator[Path]:
    """Where a target is made: in its place, or in a work folder, about which errors name the URL.

    Raises:
        SinkError: there is no such bucket, or the work folder cannot be made.
    """
    made = local_path(target)
    if not isinstance(target, StorageUrl):
        yield made
        return
    check_bucket(target)
    make_folder(made.parent)
    try:
        with _naming(made, target):
            yield made
    finally:
        remove_work_folder(target)


@contextmanager
def target_elsewhere(target: Place) -> Iterator[Path]:
    """What stands for a target where it is not made; errors name the URL."""
    made = local_path(target)
    if not isinstance(target, StorageUrl):
        yield made
        return
    with _naming(made, target):
        yield made


@contextmanager
def uploading(target: Place) -> Iterator[None]:
    """Put what was made in one go in its place, once it is whole. Raises `SinkError`."""
    yield
    if isinstance(target, StorageUrl):
        made = local_path(target)
        try:
            upload(made, target)
        finally:
            remove(made)


@contextmanager
def _naming(path: Path, url: StorageUrl) -> Iterator[None]:
    """Errors name a URL instead of the file that stands for it here."""
    try:
        yield
    except StylizeError as error:
        said = str(error)
        if str(path) not in said:
            raise
        raise type(error)(said.replace(str(path), str(url))) from error
