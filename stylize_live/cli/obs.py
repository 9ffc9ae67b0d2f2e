"""`stylize-live obs`: has a running OBS show our stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylize_live.cli.console import print_json, print_line
from stylize_live.cli.obs_words import describe_changes, describe_reached, password_prompt
from stylize_live.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stylize_live.obs.addresses import Served
    from stylize_live.obs.changes import ChangePlan
    from stylize_live.obs.connection import Obs


@dataclass(frozen=True)
class _Result:
    """What was planned or done.

    Attributes:
        changes: by source.
        served: what the source shows; None where sources were taken away.
        running: whether that is there already.
    """

    changes: list[ChangePlan]
    served: Served | None = None
    running: bool = False


def obs(
    *,
    scene: str | None = None,
    stream: str = "auto",
    page: str | None = None,
    undo: bool = False,
    dry_run: bool = False,
    json: bool = False,
    host: str = "127.0.0.1",
    port: int | None = None,
    password: str | None = None,
) -> int:
    """Have OBS show the painted image: adds a source to a running OBS.

    A Media Source that shows the stream of live --stream soonest is added on
    top of the scene that is on air, as large as the canvas allows, in its own
    shape. Called again, it brings that source up to date, wherever you have
    put it since.

    OBS has to run, with Tools > WebSocket Server Settings > Enable WebSocket
    server ticked. live --obs does the same when the show starts.

    Parameters
    ----------
    scene
        Scene to add it to, instead of the one on air.
    stream
        Where the stream is: a port or host:port, as given to live --stream.
    page
        Add a Browser Source with the studio's bare page instead: at a
        port or link, or with the flag alone at the usual port.
    undo
        Take away what was added, unless it was changed since.
    dry_run
        Only print what would be done.
    json
        Print the result as JSON, alone on standard output.
    host
        Machine that OBS runs on.
    port
        Port of OBS's WebSocket server; without it, the one in OBS's own
        settings on this machine, or 4455.
    password
        Of that server. Others may read a command line: the variable
        OBS_WEBSOCKET_PASSWORD hides it. Without either, it is read from OBS's
        own settings on this machine, or asked for.
    """
    if undo and (scene, page, stream) != (None, None, "auto"):
        raise UsageError("--undo takes away all that was added: leave out --scene, --stream and --page")
    if port is not None and not 0 < port < 65536:
        raise UsageError(f"--port: expected a number from 1 to 65535, got {port}")
    _check_addresses(stream, page)
    from stylize_live.obs.access import Access, open_obs

    with open_obs(Access(host, port, password, password_prompt())) as connection:
        result = _undo(connection) if undo else _set_up(connection, scene, stream, page, dry_run=dry_run)
        for changes in [] if dry_run else result.changes:
            changes.make()
        if json:
            print_json(_as_dict(connection, result, dry_run=dry_run))
        else:
            print_line("\n".join(_lines(connection, result, dry_run=dry_run)))
    return 0


def _check_addresses(stream: str, page: str | None) -> None:
    """Complain about what was typed before looking for what is not there."""
    from stylize_live.media.sinks.stream_server import parse_address
    from stylize_live.obs.addresses import check_page

    parse_address(stream)
    if page is not None:
        check_page(page)


def _set_up(connection: Obs, scene: str | None, stream: str, page: str | None, *, dry_run: bool) -> _Result:
    from stylize_live.obs.addresses import find_page, find_stream
    from stylize_live.obs.changes import plan_source
    from stylize_live.obs.sources import make_browser_source, make_media_source
    from stylize_live.obs.stage import read_canvas_size

    if page is None:
        served = find_stream(connection, stream)
        wanted = make_media_source(served.url)
    else:
        served = find_page(connection, page)
        wanted = make_browser_source(served.url, read_canvas_size(connection))
    return _Result([plan_source(connection, wanted, scene)], served, served.is_there())


def _undo(connection: Obs) -> _Result:
    from stylize_live.obs.sources import KINDS
    from stylize_live.obs.undo import plan_undo

    return _Result([changes for kind in KINDS for changes in plan_undo(connection, kind)])


def _lines(connection: Obs, result: _Result, *, dry_run: bool) -> Iterator[str]:
    """For people."""
    yield describe_reached(connection)
    if dry_run:
        yield "dry run, nothing is changed; what would be:"
    for changes in result.changes:
        yield from describe_changes(changes)
    if result.served is not None:
        yield (
            "what it shows is already running" if result.running else f"now start it: {result.served.command}"
        )
        yield "to take the source away again: stylize-live obs --undo"
    elif not result.changes:
        yield "nothing in the open scene collection was made by this command"


def _as_dict(connection: Obs, result: _Result, *, dry_run: bool) -> dict[str, object]:
    served = result.served
    return {
        "obs": connection.version,
        "websocket": connection.protocol,
        "at": connection.place,
        "dry_run": dry_run,
        "sources": [
            {"name": changes.source, "changes": changes.words, "kept": changes.kept}
            for changes in result.changes
        ],
        "shows": served and {"url": served.url, "running": result.running, "command": served.command},
    }
