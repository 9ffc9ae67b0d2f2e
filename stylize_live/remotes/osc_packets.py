"""OSC 1.0 packets, as bytes and as messages; python-osc reads and writes their values.

Its own reader of whole packets is not used: it follows bundles in bundles without end, and writes what it
does not know into the log of the whole program, which strangers could fill.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

from stylize_live.errors import UsageError
from stylize_live.install_hints import install_command

try:
    from pythonosc import osc_message_builder
    from pythonosc.parsing import osc_types
except ImportError:
    raise UsageError(f"--osc needs python-osc: {install_command('python-osc')}") from None

MOST_BYTES = 8192  # of a packet; a bundle of all settings has a few hundred
_MOST_MESSAGES = 100  # in a bundle
_BUNDLE = b"#bundle\0"
_TIME_BYTES = 8  # of when a bundle is due

Arguments = list[object]
_Reader = Callable[[bytes, int], tuple[Any, int]]
_READERS: dict[str, _Reader] = {
    "i": osc_types.get_int,
    "h": osc_types.get_int64,
    "f": osc_types.get_float,
    "d": osc_types.get_double,
    "s": osc_types.get_string,
    "S": osc_types.get_string,
}
_CONSTANTS = {"T": True, "F": False}
_NOTHING = "NI"  # nil, and the impulse of a button


def read_packet(packet: bytes) -> list[tuple[str, Arguments]]:
    """The messages of a packet: addresses with their arguments, which are numbers, texts, True and False.

    A bundle is done at once, whenever it is due.

    Raises:
        UsageError: it is not OSC, or has arguments of another type.
    """
    try:
        parts = list(_parts(packet)) if packet.startswith(_BUNDLE) else [packet]
        return [_read_message(part) for part in parts]
    except (osc_types.ParseError, struct.error, ValueError, IndexError) as error:
        raise UsageError(f"a packet that is not OSC: {error}") from None


def _parts(bundle: bytes) -> Iterator[bytes]:
    at, found = len(_BUNDLE) + _TIME_BYTES, 0
    while at < len(bundle):
        found += 1
        if found > _MOST_MESSAGES:
            raise UsageError(f"a bundle of more than {_MOST_MESSAGES} messages")
        length, at = osc_types.get_int(bundle, at)
        if length <= 0 or at + length > len(bundle):
            raise UsageError("a bundle whose parts have no right length")
        yield bundle[at : at + length]
        at += length


def _read_message(message: bytes) -> tuple[str, Arguments]:
    if not message.startswith(b"/"):
        raise UsageError("neither a message nor a bundle of messages")
    address, at = osc_types.get_string(message, 0)
    if at >= len(message):  # old senders leave the list of types out
        return address, []
    types, at = osc_types.get_string(message, at)
    if not types.startswith(","):
        raise UsageError("a message without a list of types")
    arguments: Arguments = []
    for kind in types[1:]:
        if kind in _READERS:
            value, at = _READERS[kind](message, at)
            arguments.append(value)
        elif kind in _CONSTANTS:
            arguments.append(_CONSTANTS[kind])
        elif kind not in _NOTHING:
            raise UsageError(f"{address[:60]} takes no argument of type {kind!r}")
    if at > len(message):  # python-osc takes what is missing for zeros
        raise UsageError(f"{address[:60]} came without the end of its arguments")
    return address, arguments


def make_message(address: str, *arguments: float | int | str) -> bytes:
    """A message as a packet; integers have 32 bits, other numbers are floats of 32 bits."""
    message = osc_message_builder.OscMessageBuilder(address)
    for argument in arguments:
        message.add_arg(argument)
    return bytes(message.build().dgram)
