"""The one place that imports OpenCV and PyAV, in the only order that is safe.

Both wheels carry FFmpeg. Importing av before cv2 can hang `cv2.imshow` on Linux.
"""

from __future__ import annotations

import os

from stylize_live.errors import StylizeError

# SVT-AV1 writes to stderr by itself; 1 lets only its errors through.
os.environ.setdefault("SVT_LOG", "1")

try:
    import cv2
except ImportError as error:
    hint = " (Debian and Ubuntu: sudo apt install libgl1 libglib2.0-0)" if ".so" in str(error) else ""
    raise StylizeError(f"OpenCV cannot be loaded, {error}{hint}") from error

import av  # isort: skip
from av.sidedata import sidedata  # isort: skip

# FFmpeg's log callback would take Python's lock from decoder threads, which can deadlock.
av.logging.set_level(None)
cv2.utils.logging.setLogLevel(0)  # a camera that is not there is our message to give

__all__ = ["av", "codec_versions", "cv2", "sidedata"]


def codec_versions() -> str:
    """Which PyAV and which FFmpeg decode and encode here."""
    parts = (f"{name} {'.'.join(map(str, version))}" for name, version in sorted(av.library_versions.items()))
    return f"PyAV {av.__version__}, {', '.join(parts)}"
