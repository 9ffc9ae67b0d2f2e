"""A file whose errors FFmpeg does not see."""

from __future__ import annotations

from pathlib import Path

from stylize_live.files import resolve_link
from stylize_live.lifecycle import Closeable


class GrowingFile(Closeable):
    """What was written stays as it is once a write failed: all later ones are taken and forgotten.

    FFmpeg, told of a full disk, would still turn the parts of a recording into an index that has no room.

    Attributes:
        error: the first failure, or None.

    Args:
        path: must not exist.

    Raises:
        OSError: it exists, or cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._file = resolve_link(path).open("xb", buffering=0)
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write all of it; gives the whole length even where it failed."""
        rest = memoryview(data)
        while rest and self.error is None:
            try:
                rest = rest[self._file.write(rest) or 0 :]
            except OSError as error:
                self.error = error
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """As files do."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As files do."""
        return self._file.tell()

    def close(self) -> None:
        """Release the file. May be called twice."""
        self._file.close()
