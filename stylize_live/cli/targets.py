"""Files that commands are asked to write: what several commands ask of them."""

from __future__ import annotations

from pathlib import Path

from stylize_live.backgrounds import parse_background
from stylize_live.errors import UsageError
from stylize_live.system.names import identity


def refuse_existing(targets: list[Path]) -> None:
    """To be asked where there is no --overwrite, before anything is begun.

    Raises:
        UsageError: one of them exists.
    """
    existing = [target for target in targets if target.exists()]
    if existing:
        more = f" (and {len(existing) - 1} more)" if len(existing) > 1 else ""
        raise UsageError(f"{existing[0]}: already exists{more}, use --overwrite to replace it")


def refuse_background(targets: list[Path], background: str) -> None:
    """What stands behind people is no target, with --overwrite neither: it is read until the end.

    Raises:
        UsageError: one of them is the background's file.
    """
    chosen = parse_background(background)
    if chosen.kind != "file":
        return
    for target in targets:
        if identity(target) == identity(chosen.path):
            raise UsageError(f"{target}: stands behind people, choose another name for the result")
