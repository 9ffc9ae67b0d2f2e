"""Addresses in a network."""

from __future__ import annotations

import ipaddress
import re

from stylize_live.errors import UsageError
from stylize_live.wording import option

LOOPBACK = "127.0.0.1"
_ADDRESS = re.compile(r"(?:tcp://)?(?:(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]/]+):)?(?P<port>\d{1,5})/?")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server at an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(name: str) -> bool:
    """Whether a name is an address, of version 4 or 6."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def parse_endpoint(text: str, setting: str, usual_port: int) -> tuple[str, int]:
    """Host and port to listen at, of "auto", "9710", "0.0.0.0:9710" or "tcp://[::1]:9710"; without a host,
    this machine alone.

    Raises:
        UsageError: it is not an address.
    """
    if text == "auto":
        return LOOPBACK, usual_port
    found = _ADDRESS.fullmatch(text.strip())
    if found is None or int(found["port"]) > 65535:
        raise UsageError(
            f"{text!r} is not a valid address for {option(setting)}; expected a port or host:port, "
            f"such as {usual_port}"
        )
    return (found["host"] or LOOPBACK).strip("[]"), int(found["port"])
