"""`with` for everything that has a `close`, and for what must not be left half done."""

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


class WholeOrNothing(Closing):
    """`with` for a class whose `close` completes something and whose `abort` leaves nothing of it."""

    def abort(self) -> None:
        """Leave nothing behind. May be called after `close`, when it does nothing."""
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()
