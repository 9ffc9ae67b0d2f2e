"""One test of many files: one for each would take ten times as long."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path


def of_all(paths: Iterable[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Make one test of a check of a file. It names all the files that fail, each with its error."""
    files = sorted(paths)
    assert files

    def decorate(check: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            failed = []
            for path in files:
                try:
                    check(path)
                except AssertionError as error:
                    failed.append(f"{path.parent.name}/{path.name}: {error}")
            assert not failed, "\n".join(failed)

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return decorate
