"""What our Triton kernels have in common: how they are built, and what happens where they cannot be."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from stylize_live.install_hints import install_command
from stylize_live.system.gpus import triton_package

log = logging.getLogger(__name__)

# Arguments that change from video to video, and need no kernel of their own for being odd or even.
SIZES = ["height", "width", "count", "rows", "columns", "down", "right", "apart", "parity"]
LAUNCH = {"enable_fp_fusion": True}  # or Triton warns that its default will change

_Made = TypeVar("_Made")


def build_or_fallback(make: Callable[[], _Made], *, instead: str, ours: str) -> _Made | None:
    """What is made with our kernels; None, and a warning in the log, where they cannot be built.

    Args:
        make: imports what needs Triton, and launches each kernel once.
        instead: what is done without them, for the log.
        ours: what our kernels are called in the log.
    """
    try:
        return make()
    except ImportError:
        log.info("%s, which takes longer: there is no Triton here", instead)
        _name_triton()
    except Exception as error:  # whatever Triton, its compiler or the system's may raise
        why = next(iter(str(error).splitlines()), type(error).__name__)
        log.warning("%s, which takes longer: Triton cannot build %s: %s", instead, ours, why)
    return None


@cache
def _name_triton() -> None:
    """Once, whatever is made without it."""
    log.warning(
        "without Triton, painting takes two to four times as long and the processor measures motion: %s",
        install_command(triton_package()),
    )
