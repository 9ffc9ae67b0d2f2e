"""What others offer in the network."""

from __future__ import annotations

import threading

from stylize_live.media.ndi.library import load_library
from stylize_live.system.clock import monotonic


def list_sources(seconds: float = 1.0) -> list[str]:
    """Names of what is offered in the network, sorted: "MACHINE (name)".

    Args:
        seconds: how long to listen; more are heard of with time.

    Raises:
        UsageError: cyndilib is not installed.
    """
    finder = load_library().finder.Finder()
    finder.open()
    try:
        ending = threading.Event()
        end = monotonic() + seconds
        while monotonic() < end:
            ending.wait(0.1)
        return sorted(set(finder.get_source_names()))
    finally:
        finder.close()
