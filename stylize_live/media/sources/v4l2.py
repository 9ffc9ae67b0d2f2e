"""What a Linux video device says about itself, asked through the kernel without starting it."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CAPTURE = 0x1
_CAPTURE_PLANES = 0x1000
_OUTPUT = 0x2
_DEVICE_CAPS = 0x80000000

# Structures of linux/videodev2.h; the ioctl numbers hold their sizes.
_CAPABILITY = struct.Struct("16s32s32sIII12x")
_FORMAT = struct.Struct("III32sI16x")  # index, type, flags, description, fourcc
_SIZE = struct.Struct("III6I8x")  # index, fourcc, type, then width and height or ranges
_QUERY_CAPABILITY = 0x80685600
_ENUM_FORMAT = 0xC0405602
_ENUM_SIZE = 0xC02C564A
_VIDEO_CAPTURE = 1
_DISCRETE = 1
_ENDIAN_MASK = 0x7FFFFFFF  # the top bit of a fourcc says big-endian and is no letter


@dataclass(frozen=True, slots=True)
class Mode:
    """A frame size that a camera offers.

    Attributes:
        fourcc: how it codes frames, such as "MJPG" or "YUYV".
        width: in pixels; the largest where the camera offers a range.
        height: in pixels.
    """

    fourcc: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Device:
    """A video node of the kernel.

    Attributes:
        name: what the driver calls the device, such as "HD Webcam C920".
        driver: such as "uvcvideo" or "v4l2 loopback"; "" when it could not be asked.
        captures: whether frames can be read from it now; True when it could not be asked.
        takes: whether frames can be written to it, as to a loopback device.
        modes: what it offers, largest first.
    """

    name: str
    driver: str
    captures: bool
    takes: bool
    modes: tuple[Mode, ...]


def query(path: Path, name: str) -> Device:
    """Ask a node such as /dev/video0; never raises.

    Args:
        path: the node.
        name: what to call it when it does not answer.
    """
    try:
        node = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # type: ignore[attr-defined, unused-ignore]
    except OSError:
        return Device(name, "", captures=True, takes=False, modes=())
    try:
        return _query(node, name)
    except OSError:
        return Device(name, "", captures=False, takes=False, modes=())
    finally:
        os.close(node)


def _query(node: int, name: str) -> Device:
    answer = _ioctl(node, _QUERY_CAPABILITY, bytes(_CAPABILITY.size))
    driver, card, _, _, whole, this = _CAPABILITY.unpack(answer)
    can = this if whole & _DEVICE_CAPS else whole
    captures = bool(can & (_CAPTURE | _CAPTURE_PLANES))
    modes = sorted(set(_modes(node)), key=lambda mode: (-mode.width * mode.height, mode.fourcc))
    return Device(_text(card) or name, _text(driver), captures, bool(can & _OUTPUT), tuple(modes))


def _modes(node: int) -> Iterator[Mode]:
    for answer in _enumerate(node, _ENUM_FORMAT, _FORMAT, lambda index: (index, _VIDEO_CAPTURE, 0, b"", 0)):
        fourcc: int = answer[4]
        name = (fourcc & _ENDIAN_MASK).to_bytes(4, "little").decode("ascii", "replace").strip()
        for width, height in _sizes(node, fourcc):
            yield Mode(name, width, height)


def _sizes(node: int, fourcc: int) -> Iterator[tuple[int, int]]:
    for answer in _enumerate(node, _ENUM_SIZE, _SIZE, lambda index: (index, fourcc, 0, *[0] * 6)):
        if answer[2] == _DISCRETE:
            yield answer[3], answer[4]
        else:  # a range: least width, largest width, step, least height, largest height, step
            yield answer[4], answer[7]
            return


def _enumerate(
    node: int, number: int, layout: struct.Struct, question: Callable[[int], tuple[Any, ...]]
) -> Iterator[tuple[Any, ...]]:
    """Ask with index 0, 1, ... until the driver has no more; 64 answers are enough of anything."""
    for index in range(64):
        try:
            yield layout.unpack(_ioctl(node, number, layout.pack(*question(index))))
        except OSError:
            return


def _ioctl(node: int, number: int, question: bytes) -> bytes:
    answer: bytes = fcntl.ioctl(node, number, question)  # type: ignore[attr-defined, unused-ignore]
    return answer


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace").strip()
