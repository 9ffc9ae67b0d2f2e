"""Which microphone recordings have that are begun from now on: pages choose from this list alone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from stylize_live.errors import UsageError, describe_error
from stylize_live.media.sinks.microphone import list_microphones

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
        self._looking = threading.Lock()
        self.names: dict[str, str] = {NONE: "No sound", **self._given}
        if given == _USUAL:
            self.names[_USUAL] = "The system's choice"
        self.missing = ""

    def look(self, tell: Callable[[], None]) -> None:
        """See again what is connected, and tell."""
        looking = threading.Thread(
            target=self._look, args=(tell,), name="stylize-studio-microphones", daemon=True
        )
        try:
            looking.start()
        except RuntimeError as error:  # no more threads
            log.warning("could not see which microphones there are: %s", error)

    def _look(self, tell: Callable[[], None]) -> None:
        if not self._looking.acquire(blocking=False):
            return  # somebody is at it, and tells everyone
        try:
            found = list_microphones()
            self.missing = "" if found else "no microphone is connected"
        except UsageError:  # which names commands and folders that are not for every page to read
            found, self.missing = {}, _NOT_INSTALLED
        except Exception as error:  # no file handle: all else goes on
            found, self.missing = {}, describe_error(error)
        finally:
            self._looking.release()
        usual = {_USUAL: "The system's choice"} if found else {}
        self.names = {NONE: "No sound", **usual, **self._given, **found}
        tell()
