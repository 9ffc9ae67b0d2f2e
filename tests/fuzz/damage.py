"""Ways to damage a file, from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

_EXTREMES = (
    b"\x00" * 4,
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x01",
)
_HEADER = 2000  # bytes in which most of what a format says of itself stands


def damaged(data: bytes, rng: random.Random, other: bytes = b"") -> bytes:
    """The same with some damage, rarely none; `other` may be spliced into it."""
    spoilt = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        if spoilt:
            rng.choice(_WAYS)(spoilt, rng, other)
    return bytes(spoilt)


def _cut(data: bytearray, rng: random.Random, other: bytes) -> None:
    del data[rng.randrange(len(data)) :]


def _cut_out(data: bytearray, rng: random.Random, other: bytes) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.randrange(1, max(2, len(data) // 4))]


def _flip(data: bytearray, rng: random.Random, other: bytes) -> None:
    for _ in range(rng.choice((1, 5, 20))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _flip_header(data: bytearray, rng: random.Random, other: bytes) -> None:
    for _ in range(rng.choice((1, 3, 8))):
        data[rng.randrange(min(len(data), _HEADER))] ^= 1 << rng.randrange(8)


def _extreme(data: bytearray, rng: random.Random, other: bytes) -> None:
    """A number of four bytes becomes one that nobody expects."""
    at = rng.randrange(min(len(data), rng.choice((_HEADER, len(data)))))
    data[at : at + 4] = rng.choice(_EXTREMES)


def _noise(data: bytearray, rng: random.Random, other: bytes) -> None:
    at = rng.randrange(len(data))
    size = rng.choice((8, 100, 1000))
    data[at : at + size] = rng.randbytes(size)


def _repeat(data: bytearray, rng: random.Random, other: bytes) -> None:
    at = rng.randrange(len(data))
    piece = bytes(data[at : at + rng.choice((16, 500, 5000))])
    data[at:at] = piece * rng.choice((1, 2, 20))


def _splice(data: bytearray, rng: random.Random, other: bytes) -> None:
    at = rng.randrange(len(data))
    data[at:] = other[min(at, len(other)) :] if rng.random() < 0.5 else other


def _zeros(data: bytearray, rng: random.Random, other: bytes) -> None:
    at = rng.randrange(len(data))
    data[at : at + 512] = bytes(512)


_WAYS: tuple[Callable[[bytearray, random.Random, bytes], None], ...] = (
    *(_cut, _cut_out, _flip, _flip_header, _flip_header, _extreme, _extreme),
    *(_noise, _repeat, _splice, _zeros),
)
