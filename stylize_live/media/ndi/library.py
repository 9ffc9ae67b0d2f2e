"""Where NDI's library is loaded.

NDI carries YUV, by BT.709 at every size. It takes and gives RGB as well, but by an arithmetic of its own:
pure blue comes out as 0, 0, 240. So both ways are computed here, which is exact to one level and takes 2.6 ms
of processor time instead of 1.8 for a frame of 1280x720 that is sent.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from stylize_live.errors import UsageError
from stylize_live.install_hints import install_command
from stylize_live.media.libraries import av

YUV = "uyvy422"  # as FFmpeg calls what NDI carries


def load_library() -> Any:
    """Raises `UsageError` where it is not installed."""
    try:
        import cyndilib.finder
        import cyndilib.receiver
        import cyndilib.sender
        import cyndilib.video_frame
        import cyndilib.wrapper
    except ImportError:
        raise UsageError(
            f"NDI needs cyndilib, which brings NDI's own library under NDI's own licence: "
            f"{install_command('cyndilib')}"
        ) from None
    return cyndilib


def is_installed() -> bool:
    """Whether NDI can be used."""
    try:
        load_library()
    except UsageError:
        return False
    return True


def rows_of(image: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """The rows of an image of packed YUV, without what lies between them."""
    plane = image.planes[0]
    rows = np.asarray(memoryview(cast("Any", plane)), np.uint8).reshape(image.height, plane.line_size)
    return rows[:, : image.width * 2]
