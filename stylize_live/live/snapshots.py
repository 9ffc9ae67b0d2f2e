"""Snapshots: what is shown, as an image file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from stylize_live.concurrency.failures import explain_failure
from stylize_live.concurrency.workers import WorkerGroup
from stylize_live.errors import describe_error
from stylize_live.frame import Frame
from stylize_live.media.image.io import Still, write_image
from stylize_live.naming import snapshot_name

log = logging.getLogger(__name__)


class Snapshots:
    """Writes snapshots, each in a thread: a large PNG takes a good second.

    Args:
        folder: where they go.
        say: shows a message.

    Attributes:
        made: how many were written.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        self.made = 0

    def take(self, workers: WorkerGroup, shown: Frame, style: str) -> None:
        """Write a frame, named after its style; a message says what became of it."""
        still = Still(shown.pixels, shown.alpha)
        path = self._folder / snapshot_name(style, datetime.now(), ".png")
        try:
            workers.start("snapshot", lambda: self._write(path, still))
        except RuntimeError as error:  # no more threads
            self._say(f"no snapshot: {error}")

    def _write(self, path: Path, still: Still) -> None:
        try:
            write_image(path, still)
        except Exception as error:  # whatever it is, the session goes on
            log.debug("a snapshot failed", exc_info=True)
            self._say(f"no snapshot: {describe_error(explain_failure(error, path.name))}")
        else:
            self.made += 1
            self._say(f"saved {path.name}")
