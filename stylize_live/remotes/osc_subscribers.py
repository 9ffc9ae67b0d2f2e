"""Who is told by OSC how all is set."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stylize_live.rate_limited_log import RateLimitedLog
from stylize_live.remotes.osc_packets import make_message
from stylize_live.studio.controls import ROOT

log = RateLimitedLog(logging.getLogger(__name__))

_MOST = 8
_SECONDS = 3600.0  # without a message, after which nobody is taken to listen any more
_AGAIN_SECONDS = 10.0  # after which all is told once more: packets get lost
_LONGEST_TEXT = 500  # characters of a value

Address = tuple[str, int]
Value = float | int | str


@dataclass(slots=True)
class _Subscriber:
    heard_at: float
    all_told_at: float
    told: dict[str, Value] = field(default_factory=dict)


class Subscribers:
    """Addresses to which news are sent, each only what it was not told yet. Of the main thread."""

    def __init__(self) -> None:
        self._all: dict[Address, _Subscriber] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, address: Address, now: float) -> None:
        """Tell this address everything from now on; one more than eight is left out."""
        if address not in self._all and len(self._all) >= _MOST:
            log.warning("OSC: a subscriber was turned away: %d are there", _MOST)
            return
        self._all[address] = _Subscriber(now, now)

    def remove(self, address: Address) -> None:
        """Tell this address nothing more."""
        self._all.pop(address, None)

    def hear_from(self, host: str, now: float) -> None:
        """A message came from a machine: its subscribers live."""
        for address, subscriber in self._all.items():
            if address[0] == host:
                subscriber.heard_at = now

    def forget_silent(self, now: float) -> None:
        """Leave those out from whose machines nothing came for an hour."""
        self._all = {a: one for a, one in self._all.items() if now - one.heard_at < _SECONDS}

    def on(self, host: str) -> list[Address]:
        """Those on one machine."""
        return [address for address in self._all if address[0] == host]

    def news(self, values: Mapping[str, Value], now: float) -> Iterator[tuple[Address, bytes]]:
        """Packets for each subscriber with what changed, and with everything now and then."""
        packets: dict[tuple[str, Value], bytes] = {}
        for address, subscriber in self._all.items():
            if now - subscriber.all_told_at >= _AGAIN_SECONDS:
                subscriber.all_told_at, subscriber.told = now, {}
            for name, value in values.items():
                if subscriber.told.get(name) == value:
                    continue
                subscriber.told[name] = value
                if (name, value) not in packets:
                    packets[name, value] = message_about(name, value)
                yield address, packets[name, value]


def message_about(name: str, value: Value) -> bytes:
    """The message that tells a value: to the address that would set it."""
    if isinstance(value, str):
        value = value[:_LONGEST_TEXT].encode(errors="replace").decode()  # names of files may be no text
    return make_message(ROOT + name.replace("_", "-"), value)
