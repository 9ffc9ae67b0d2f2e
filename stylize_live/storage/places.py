"""Where a video lies: a path of this machine, or a URL of shared storage.

A URL here is text alone; fsspec is loaded by whoever asks the storage something.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeAlias
from urllib.parse import urlsplit
from urllib.request import url2pathname

from stylize_live.files import shorten_name, slug

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)  # one letter is a drive
_SECRETS = re.compile(r"(?<=://)[^/\s]*@")
# Where signed addresses have their signature; elsewhere, a "?" is part of a name, or of a pattern.
_QUERY = re.compile(r"(https?://[^\s?]+)\?\S+", re.IGNORECASE)
_LONGEST_STEM, _LONGEST_SUFFIX = 60, 20  # bytes; folders' names tell works apart
_WITH_QUERY = ("http", "https")


@dataclass(frozen=True, slots=True)
class StorageUrl:
    """A file or folder on shared storage. `str` gives what may be shown, without passwords and signatures.

    Attributes:
        text: the URL as it was given, its protocol in small letters, without a slash at its end.
        work_folder: where this machine keeps what it reads and makes of it; the user's cache if None.
    """

    text: str = field(repr=False)
    work_folder: Path | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return mask_secrets(self.text)

    @property
    def protocol(self) -> str:
        """Such as "s3", in small letters."""
        return self.text.partition("://")[0].lower()

    @property
    def path(self) -> PurePosixPath:
        """What follows the protocol: bucket or host, and the key."""
        rest = self.text.partition("://")[2]
        return PurePosixPath(rest.partition("?")[0] if self.protocol in _WITH_QUERY else rest)

    @property
    def name(self) -> str:
        """The last part, such as "holiday.mp4"."""
        return self.path.name

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return self.path.stem

    @property
    def suffix(self) -> str:
        """Of the name, with its dot."""
        return self.path.suffix

    @property
    def parent(self) -> StorageUrl:
        """The folder, or prefix, that this is in."""
        return StorageUrl(self.text.rpartition("/")[0], self.work_folder)

    def joined(self, relative: PurePath) -> StorageUrl:
        """What is so far below this one."""
        return StorageUrl(f"{self.text}/{relative.as_posix()}", self.work_folder)

    def relative_to(self, folder: StorageUrl) -> PurePosixPath:
        """The way from a folder to here. Raises `ValueError` if it is not below."""
        return self.path.relative_to(folder.path)

    @property
    def key(self) -> str:
        """A short name that no other URL has, which tells nothing of it."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:20]

    @property
    def local_name(self) -> str:
        """The name as every disk takes it; never that of a folder's lock."""
        stem, suffix = shorten_name(slug(self.stem), _LONGEST_STEM), slug(self.suffix)
        name = (stem or "video") + shorten_name(suffix, _LONGEST_SUFFIX)
        return "video" if name.lower() == "lock" else name


Place: TypeAlias = Path | StorageUrl


def place_of(given: Place | str, work_folder: Path | None = None) -> Place:
    """The path or the URL that somebody wrote; "file:" is a path.

    Args:
        given: text, or what it became already.
        work_folder: see `StorageUrl`.
    """
    if isinstance(given, StorageUrl):
        return given if work_folder is None else replace(given, work_folder=work_folder)
    if isinstance(given, Path):
        return given
    found = _URL.fullmatch(given)
    if found is None:
        return Path(given)
    protocol, rest = found[1].lower(), found[2]
    if protocol == "file":
        return Path(url2pathname(urlsplit(given).path))
    if not (protocol in _WITH_QUERY and "?" in rest):  # a signature may end with one
        rest = rest.rstrip("/")
    return StorageUrl(f"{protocol}://{rest}", work_folder)


def local_path(place: Place) -> Path:
    """Where this machine makes a target; a path itself is that already."""
    if isinstance(place, Path):
        return place
    return work_folder_of(place) / "targets" / place.key / place.local_name


def work_folder_of(url: StorageUrl) -> Path:
    """Where this machine keeps what it reads and makes of a URL."""
    if url.work_folder is not None:
        return url.work_folder
    from platformdirs import user_cache_path

    return user_cache_path("stylize-live", appauthor=False) / "storage"


def mask_secrets(text: str) -> str:
    """A text whose URLs have lost what lets somebody in: users, passwords, signatures."""
    return _QUERY.sub(r"\1?***", _SECRETS.sub("***@", text)) if "://" in text else text
