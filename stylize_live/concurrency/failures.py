"""Errors of the machine, such as a full disk, as errors with a clear message."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from stylize_live.errors import DeviceError, MachineError, StylizeError
from stylize_live.frame import Frame, check_pixels
from stylize_live.wording import option

_NO_MEMORY_OF_OPENCV = -4  # cv::Error::StsNoMem


def explain_failure(error: BaseException, stage: str) -> BaseException:
    """Turn an error of the machine into a `StylizeError` with a clear message; bugs stay as they are.

    Args:
        error: what a stage raised.
        stage: its name.
    """
    if isinstance(error, StylizeError):
        return error
    if _is_out_of_memory(error):
        return MachineError(f"{stage}: out of memory, close other programs or use smaller frames")
    if isinstance(error, RuntimeError) and "CUDA error" in str(error):
        why = str(error).splitlines()[0]
        return DeviceError(f"{stage}: the GPU failed ({why}), try {option('device', 'cpu')}")
    if isinstance(error, OSError):
        hint = ", free some space or choose another disk" if error.errno == errno.ENOSPC else ""
        return MachineError(f"{stage}: {error.strerror or error}{hint}")
    return error


@contextmanager
def explain_failures(stage: str) -> Iterator[None]:
    """Raise what goes wrong in the block as `explain_failure` puts it."""
    try:
        yield
    except Exception as error:
        told = explain_failure(error, stage)
        if told is error:
            raise
        raise told from error


def _is_out_of_memory(error: BaseException) -> bool:
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or type(error).__name__ == "OutOfMemoryError"  # torch's, which is not imported for this
        or getattr(error, "code", None) == _NO_MEMORY_OF_OPENCV
    )


def check_frame(frame: object, who: str, size: tuple[int, int] | None = None) -> Frame:
    """Refuse what is not a valid frame where it is still known who gave it.

    Args:
        frame: what was given.
        who: gave it.
        size: (width, height) that it must have, or None for any.

    Raises:
        TypeError: it is no `Frame`, or its image is not RGB.
        ValueError: it has another size.
    """
    if not isinstance(frame, Frame):
        raise TypeError(f"{who} gave {type(frame).__name__}, expected a Frame")
    if hasattr(frame.image, "dtype"):
        try:
            check_pixels(frame.image)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{who}: {error}") from None
    if size is not None and frame.size != size:
        raise ValueError(f"{who} gave a frame of {frame.size}, expected {size}")
    return frame
