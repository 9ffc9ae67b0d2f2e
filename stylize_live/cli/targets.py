"""Files that commands are asked to write: what several commands ask of them."""

from __future__ import annotations

from pathlib import Path

from stylize_live.errors import UsageError


def refuse_existing(targets: list[Path]) -> None:
    """To be asked where there is no --overwrite, before anything is begun.

    Raises:
        UsageError: one of them exists.
    """
    existing = [target for target in targets if target.exists()]
    if existing:
        more = f" (and {len(existing) - 1} more)" if len(existing) > 1 else ""
        raise UsageError(f"{existing[0]}: already exists{more}, use --overwrite to replace it")
