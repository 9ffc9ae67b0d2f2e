"""The microphones that pages can choose for recordings begun from now on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from stylize_live.errors import UsageError, describe_error
from stylize_live.media.sources.microphone import list_microphones

log = logging.getLogger(__name__)

NONE = ""  # key of no microphone
_USUAL = "auto"
_NOT_INSTALLED = "the extra “microphone” is not installed"


class Microphones:
    """Microphones by key; the list is made in a thread of its own, as some systems take a second.

    Args:
        given: the microphone that the program was started with, or None.

    Attributes:
        names: names for people by key: none, the system's choice, each one, and what was given.
        missing: why there are no microphones to choose from, or "".
    """

    def __init__(self, given: str | None) -> None:
        self._given = {} if given in (None, _USUAL) else {str(given): str(given)}
        self._refreshing = threading.Lock()
        self.names: dict[str, str] = {NONE: "No sound", **self._given}
        if given == _USUAL:
            self.names[_USUAL] = "The system's choice"
        self.missing = ""

    def refresh(self, tell: Callable[[], None]) -> None:
        """List the connected microphones anew, then call `tell`."""
        thread = threading.Thread(
            target=self._refresh, args=(tell,), name="stylize-studio-microphones", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:  # no more threads
            log.warning("could not list the microphones: %s", error)

    def _refresh(self, tell: Callable[[], None]) -> None:
        if not self._refreshing.acquire(blocking=False):
            return  # another thread does it already, and tells everyone
        try:
            found = list_microphones()
            self.missing = "" if found else "no microphone is connected"
        except UsageError:  # which names commands and folders that are not for every page to read
            found, self.missing = {}, _NOT_INSTALLED
        except Exception as error:  # no file handle: all else goes on
            found, self.missing = {}, describe_error(error)
        finally:
            self._refreshing.release()
        usual = {_USUAL: "The system's choice"} if found else {}
        self.names = {NONE: "No sound", **usual, **self._given, **found}
        tell()
