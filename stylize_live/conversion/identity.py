"""What a painted video depends on. Segments of an earlier run are used only if all of it is the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel

from stylize_live import __version__
from stylize_live.errors import SourceError
from stylize_live.media.libraries import codec_versions

_HEAD = 1 << 20  # bytes of the source that are hashed
_ARITHMETIC = "arithmetic"

Identity = dict[str, str]


def identity_of(source_is: str, settings: BaseModel, fingerprint: str, arithmetic: str) -> Identity:
    """Everything that segments depend on, by name.

    Args:
        source_is: what `source_identity` says of the video.
        settings: all that the conversion was told.
        fingerprint: of the stylizer.
        arithmetic: how the stylizer computes, so that a later run does the same; "" where it has no choice.
    """
    return {
        "program": f"{__version__} {codec_versions()}",
        "source": source_is,
        "settings": settings.model_dump_json(),
        "painter": fingerprint,
        _ARITHMETIC: arithmetic,
    }


def arithmetic_in(identity: Identity) -> str:
    """How the stylizer of an earlier run computed, from that run's identity; "" if it does not say."""
    return str(identity.get(_ARITHMETIC, ""))


def source_identity(source: Path) -> str:
    """Size, time of change and a hash of the first megabyte; a copy from storage is dated as the original.

    Raises:
        SourceError: the source cannot be read.
    """
    try:
        status = source.stat()
        with source.open("rb") as file:
            head = hashlib.sha256(file.read(_HEAD)).hexdigest()
    except OSError as error:
        raise SourceError(f"{source}: cannot be read: {error.strerror or error}") from None
    return f"{status.st_size} bytes, changed at {status.st_mtime_ns} ns, begins with {head}"
