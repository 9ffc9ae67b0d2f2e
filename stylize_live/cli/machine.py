"""How the program uses the machine: settings of other libraries, to be made before they are loaded."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

from platformdirs import user_cache_path

from stylize_live.privacy import disable_telemetry

# glibc's malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_KEPT = 256 << 20  # bytes of freed memory that are kept for the next frames
_FRAME = 32 << 20  # bytes: the most that glibc allows
# Rounds in which torch's threads wait for more work before they sleep, about 0.1 ms. Their usual 300,000
# keep a core busy for milliseconds after every frame, while others (smoothing, OBS, a game) want it;
# sleeping at once would make the network a third slower.
_SPINS = "3000"
# The same in milliseconds for the OpenMP that torch has on Windows and macOS; its usual 200 would keep all
# cores busy from one frame to the next.
_BLOCK_MILLISECONDS = "1"
# Of torch and Triton, which would make folders in the home folder and the one for temporary files.
_CACHES = {"TORCHINDUCTOR_CACHE_DIR": "torch", "TRITON_CACHE_DIR": "triton"}


def tune_process() -> None:
    """Make this process quick with frames; the user's own environment variables win.

    To be called before torch is loaded and before threads begin. What is about memory does something
    on Linux with glibc only.
    """
    disable_telemetry()
    os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
    os.environ.setdefault("KMP_BLOCKTIME", _BLOCK_MILLISECONDS)
    for name, folder in _CACHES.items():
        os.environ.setdefault(name, str(user_cache_path("stylize-live", appauthor=False) / folder))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            _tune_heap(ctypes.CDLL(None))


def _tune_heap(libc: ctypes.CDLL) -> None:
    # One heap for all threads: frames are made in one and let go in another, and each would keep what
    # it freed to itself, over 200 MB with a 1080p video.
    libc.mallopt(_M_ARENA_MAX, 1)
    # Frames' memory is not given back to the system only to be asked for again a moment later:
    # getting new pages took longer than the arithmetic of smoothing.
    if "MALLOC_MMAP_THRESHOLD_" not in os.environ:
        libc.mallopt(_M_MMAP_THRESHOLD, _FRAME)
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)
