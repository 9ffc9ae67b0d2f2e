"""What is said to people, and asked of them, when OBS is set up."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from stylize_live.cli.console import print_beside
from stylize_live.errors import ObsPasswordError
from stylize_live.wording import plain

if TYPE_CHECKING:
    from stylize_live.media.protocols import LiveSink
    from stylize_live.obs.changes import ChangePlan
    from stylize_live.obs.connection import Obs


def password_prompt() -> Callable[[str], str] | None:
    """Asks for a password where somebody sits at a terminal; None elsewhere."""
    return _ask if sys.stdin is not None and sys.stdin.isatty() else None


def _ask(reason: str) -> str:
    print_beside(reason)
    try:
        return getpass.getpass("Password of OBS: ")
    except EOFError:
        raise ObsPasswordError("no password was given") from None


def describe_reached(obs: Obs) -> str:
    """Which OBS it is, and how we were let in."""
    password = f" (password from {obs.password_from})" if obs.password_from else ""
    return f"OBS {obs.version} at {obs.place}{password}"


def describe_changes(changes: ChangePlan) -> Iterator[str]:
    """Lines about one source."""
    shows = f"{'shows' if changes.words else 'is set up already, shows'} {changes.shows}"
    for words in [*changes.words, *changes.kept, *([shows] if changes.shows else [])]:
        yield plain(f"{changes.source}: {words}")


def show_in_obs(sinks: Sequence[LiveSink]) -> None:
    """Have the OBS of this machine show our stream, and say so.

    Raises:
        UsageError: obsws-python is not installed.
        ObsError: OBS cannot be reached, or does not do it.
    """
    from stylize_live.media.sinks.stream_server import StreamServer
    from stylize_live.obs.access import Access, open_obs
    from stylize_live.obs.changes import plan_source
    from stylize_live.obs.sources import make_media_source

    (url,) = (sink.url for sink in sinks if isinstance(sink, StreamServer))
    with open_obs(Access(prompt=password_prompt())) as obs:
        changes = plan_source(obs, make_media_source(url), None)
        changes.make()
        for line in (describe_reached(obs), *describe_changes(changes)):
            print_beside(line)
