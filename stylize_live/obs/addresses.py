"""What OBS opens: the stream or the page, at the address where OBS's machine reaches it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from stylize_live.config import LiveSettings
from stylize_live.errors import UsageError
from stylize_live.media.sinks.stream_server import parse_address
from stylize_live.obs.connection import Obs
from stylize_live.system.addresses import is_loopback

_EVERYBODY = "0.0.0.0"
_PROBE_SECONDS = 0.5
_PAGE_PORT = int(LiveSettings.model_fields["port"].default)
_BARE = "/bare"


@dataclass(frozen=True)
class Served:
    """Something that OBS can show.

    Attributes:
        url: that OBS opens.
        command: that serves it.
    """

    url: str
    command: str

    def is_there(self) -> bool:
        """Whether it is served at this moment."""
        parts = urlsplit(self.url)
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
        try:
            socket.create_connection((parts.hostname or "", port), _PROBE_SECONDS).close()
        except OSError:
            return False
        return True


def find_stream(obs: Obs, address: str) -> Served:
    """The stream of `live --stream ADDRESS`.

    Raises:
        UsageError: the address is not valid.
    """
    host, port = parse_address(address)
    elsewhere = not is_loopback(obs.own_address)
    if elsewhere and (is_loopback(host) or host == _EVERYBODY):
        host, address = obs.own_address, f"{_EVERYBODY}:{port}"
    elif host == _EVERYBODY:
        host = obs.own_address
    shown = f"[{host}]" if ":" in host else host
    words = "" if address == "auto" else f" {address}"
    # On OBS's machine, --obs also makes OBS open the stream again, which it gives up where none is served.
    option = "--stream" if elsewhere else "--obs --stream" if words else "--obs"
    return Served(f"tcp://{shown}:{port}", f"stylize-live live {option}{words}")


def check_page(page: str) -> None:
    """Raises `UsageError` if it is neither "auto" nor a port nor the address of a page."""
    parts = urlsplit(page)
    is_port = page.isascii() and page.isdecimal() and 0 < int(page[:6]) < 65536
    if page != "auto" and not is_port and not (parts.scheme in ("http", "https") and parts.hostname):
        raise UsageError(
            f"--page: expected a port or the link that the studio prints for OBS, got {page!r}; "
            "the flag alone means the usual port"
        )


def find_page(obs: Obs, page: str) -> Served:
    """The bare page of the studio.

    Args:
        obs: who is to open it.
        page: "auto", a port, or the whole address; see `check_page`.

    Raises:
        UsageError: OBS runs elsewhere, where the page asks for a token, which only the whole address has.
    """
    if not page.isdecimal() and page != "auto":
        return Served(page, "stylize-live studio")
    if not is_loopback(obs.own_address):
        raise UsageError(
            "OBS on another machine needs the link with its token, as studio --host 0.0.0.0 prints it: "
            "--page 'http://.../bare?token=...'"
        )
    port = _PAGE_PORT if page == "auto" else int(page)
    words = "" if port == _PAGE_PORT else f" --port {port}"
    return Served(f"http://{obs.own_address}:{port}{_BARE}", f"stylize-live studio{words}")
