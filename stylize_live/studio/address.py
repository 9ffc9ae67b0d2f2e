"""Where the studio listens, and how others reach it."""

from __future__ import annotations

import socket

from stylize_live.errors import SinkError
from stylize_live.system.ports import open_listener


def listen(host: str, port: int, waiting: int) -> socket.socket:
    """A socket that listens; port 0 takes any free one.

    Args:
        host: address or name of this machine.
        port: 0 to 65535.
        waiting: connections that may wait to be accepted.

    Raises:
        SinkError: the address or port cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SinkError(f"cannot serve the studio on {host}: {error.strerror}") from None
    try:
        return open_listener(family, address, waiting=waiting)
    except OSError as error:
        hint = "use another --port, or 0 for any free one"
        raise SinkError(f"cannot serve the studio on {host} port {port}: {error.strerror}; {hint}") from None


def own_address() -> str:
    """The address at which others in the network reach this machine; no packet is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address kept for documentation
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
