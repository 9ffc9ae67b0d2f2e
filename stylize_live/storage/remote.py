"""Questions to shared storage, and what its errors mean. Nothing is remembered: others write there, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stylize_live.concurrency.channel import Closed
from stylize_live.errors import SinkError, SourceError, StylizeError
from stylize_live.install_hints import install_command
from stylize_live.storage.places import Place, StorageUrl, mask_secrets

# What fsspec needs for a protocol, as a package index knows it.
_PACKAGES = {
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "abfs", "abfss"), "adlfs"),
    **dict.fromkeys(("http", "https"), "aiohttp"),
    **dict.fromkeys(("sftp", "ssh"), "paramiko"),
    "smb": "smbprotocol",
}
# By the names of errors, because the libraries that have them need not be there.
_SILENT = ("Timeout", "Connect", "ServerDisconnected", "Endpoint", "ClientPayload", "IncompleteRead")
# What libraries know of a file that changes with it, as each calls it.
_MARKS = (
    *("ETag", "etag", "md5Hash", "content_md5", "Content-MD5", "Digest"),
    *("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "modify", "modificationTime"),
    "last_write_time",
)

Info = dict[str, Any]
"""What fsspec knows of a file: "size", "type" and what the storage adds."""


@contextmanager
def explain_storage_errors(url: StorageUrl, kind: type[StylizeError]) -> Iterator[None]:
    """Turn whatever a storage library raises into one of our errors, without secrets."""
    try:
        yield
    except (StylizeError, MemoryError, Closed):
        raise
    except Exception as error:
        raise kind(f"{url}: {_explain(error, url)}") from None


def _explain(error: Exception, url: StorageUrl) -> str:
    kinds = [kind.__name__ for kind in type(error).__mro__]
    said = mask_secrets(f"{type(error).__name__}: {error}".replace(url.text, str(url)).splitlines()[0])
    if isinstance(error, FileNotFoundError):
        return "no such bucket or folder"
    if isinstance(error, PermissionError):
        return f"access denied: the storage refuses this machine's credentials or rights ({said})"
    if "NoCredentialsError" in kinds:
        return "no credentials for this storage: set them in the environment, or give the machine a role"
    if any(word in kind for kind in kinds for word in _SILENT):
        return f"the storage does not answer ({said}); once it does, the same command goes on"
    return said


def open_storage(url: StorageUrl, kind: type[StylizeError]) -> tuple[Any, str]:
    """The file system of a URL, which remembers nothing of earlier questions, and the path there.

    Raises:
        StylizeError: of the `kind`: no package reads such URLs, or the storage cannot be reached.
    """
    try:
        import fsspec
    except ImportError:
        raise _lack(url, kind, "fsspec", *_package(url)) from None
    with explain_storage_errors(url, kind):
        try:
            # Not by `url_to_fs`, to which "::" in a name is the end of a URL.
            kind_of_storage = fsspec.get_filesystem_class(url.protocol)
            file_system = kind_of_storage(**kind_of_storage._get_kwargs_from_urls(url.text))
            path = kind_of_storage._strip_protocol(url.text)
        except ImportError as error:
            needed = _package(url)
            raise _lack(url, kind, *needed) if needed else kind(f"{url}: {error}") from None
        except ValueError:
            if url.protocol in fsspec.available_protocols():
                raise
            raise kind(f"{url}: {url.protocol}:// is no storage that is known here") from None
        file_system.invalidate_cache()
        return file_system, path


def _package(url: StorageUrl) -> list[str]:
    return [_PACKAGES[url.protocol]] if url.protocol in _PACKAGES else []


def _lack(url: StorageUrl, kind: type[StylizeError], *packages: str) -> StylizeError:
    return kind(f"{url}: {url.protocol}:// needs {' and '.join(packages)}: {install_command(*packages)}")


def describe_file(url: StorageUrl, kind: type[StylizeError]) -> Info | None:
    """What the storage knows of a file or folder; None if there is none. Raises one of the `kind`."""
    file_system, path = open_storage(url, kind)
    with explain_storage_errors(url, kind):
        try:
            info: Info = file_system.info(path)
        except FileNotFoundError:
            return None
        return info


def exists(place: Place) -> bool:
    """Whether a file is there. Raises `SinkError` where the storage does not tell."""
    if not isinstance(place, StorageUrl):
        return place.exists()
    info = describe_file(place, SinkError)
    return info is not None and info["type"] != "directory"


def is_folder(place: Place) -> bool:
    """Whether a folder, or a prefix with something below, is there. Raises `SourceError`."""
    if not isinstance(place, StorageUrl):
        return place.is_dir()
    info = describe_file(place, SourceError)
    return info is not None and info["type"] == "directory"


def list_files(folder: StorageUrl) -> list[StorageUrl]:
    """All files below a folder, by name. Raises `SourceError`."""
    file_system, path = open_storage(folder, SourceError)
    with explain_storage_errors(folder, SourceError):
        return [_below(folder, path, name) for name in sorted(file_system.find(path))]


def match_files(pattern: StorageUrl) -> list[StorageUrl]:
    """The files that a pattern with * and ? means, by name. Raises `SourceError`: there are none."""
    fixed = pattern
    while any(sign in fixed.text for sign in "*?"):
        fixed = fixed.parent
    file_system, path = open_storage(pattern, SourceError)
    root = file_system._strip_protocol(fixed.text)
    with explain_storage_errors(pattern, SourceError):
        found = sorted(file_system.glob(path))
    if not found:
        raise SourceError(f"{pattern}: no such files")
    return [_below(fixed, root, name) for name in found]


def _below(folder: StorageUrl, root: str, name: str) -> StorageUrl:
    """A file below a folder, by what the storage calls both; as text, since a//b.mp4 is not a/b.mp4 there."""
    return StorageUrl(f"{folder.text}/{name.removeprefix(root).removeprefix('/')}", folder.work_folder)


def change_of(place: Place) -> int:
    """When a file was changed, in nanoseconds since 1970. Raises `OSError`, `SinkError`."""
    if not isinstance(place, StorageUrl):
        return place.stat().st_mtime_ns
    file_system, path = open_storage(place, SinkError)
    with explain_storage_errors(place, SinkError):
        return int(seconds_of_change(file_system, path) * 1e9)


def seconds_of_change(file_system: Any, path: str) -> float:
    """When a file was changed, since 1970; 0 where the storage does not know."""
    try:
        return float(file_system.modified(path).timestamp())
    except (NotImplementedError, AttributeError, KeyError):
        return 0.0


def version_of(info: Info) -> str:
    """A text that changes with the file, as far as the storage tells."""
    return repr([(name, str(info[name])) for name in ("size", *_MARKS) if info.get(name) is not None])
