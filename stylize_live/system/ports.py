"""Ports that this program listens on."""

from __future__ import annotations

import errno
import socket
from typing import Any

from stylize_live.system.addresses import LOOPBACK
from stylize_live.wording import option

_FIRST_FREE, _LAST = 1024, 65535  # ports below belong to the system


def open_listener(family: int, address: tuple[Any, ...], *, waiting: int | None = None) -> socket.socket:
    """A socket that listens, and that no other program can listen on beside it.

    Args:
        family: AF_INET or AF_INET6; of the latter, addresses of the former are not taken as well.
        address: as `socket.bind` takes it; port 0 is any free one.
        waiting: connections that may wait to be accepted; None for the usual number.

    Raises:
        OSError: the address or port cannot be had.
    """
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6 and socket.has_dualstack_ipv6():
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.SOL_SOCKET, _sole_use(), 1)
        listener.bind(address)
        listener.listen(*([] if waiting is None else [waiting]))
    except BaseException:
        listener.close()
        raise
    return listener


def open_datagrams(host: str, port: int) -> socket.socket:
    """A socket for UDP that no other program can listen on beside it; port 0 is any free one.

    Raises:
        OSError: the address or port cannot be had.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    found = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # of UDP, elsewhere nothing is shared unless asked for
            found.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        found.bind(address)
    except BaseException:
        found.close()
        raise
    return found


def advise(error: OSError, port: int, setting: str, usual_port: int) -> str:
    """What to try where an address cannot be had, in words behind its error.

    Args:
        error: why not.
        port: that was asked for.
        setting: that named it.
        usual_port: of this setting.
    """
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"name an address of this machine, as in {option(setting, f'{LOOPBACK}:{port}')}"
    other = port + 1 if _FIRST_FREE <= port < _LAST else usual_port
    return f"try another port, as in {option(setting, str(other))}"


def _sole_use() -> int:
    """SO_REUSEADDR, which lets a program have its port again at once, means on Windows that any other may
    take it away."""
    return int(getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR))
