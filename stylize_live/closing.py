"""`with` for everything that has a `close`."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closing:
    """Gives a class with a `close` method the `with` statement."""

    def close(self) -> None:
        """Release what is held. May be called twice."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
