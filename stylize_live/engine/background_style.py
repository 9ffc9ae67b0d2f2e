"""A style of the background's own: a second network beside a stylizer's, made when it first paints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from stylize_live.config import Runtime
from stylize_live.engine.continuity import Continuity, TemporalOptions
from stylize_live.engine.core.protocols import Backend
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.lazy_backend import LazyBackend
from stylize_live.engine.saved_state import pack_network, unpack_network
from stylize_live.engine.shown_style import ShownStyle
from stylize_live.engine.style_set import StyleSet
from stylize_live.engine.timeline import Mix
from stylize_live.frame import Frame, Pixels
from stylize_live.lifecycle import Closeable

# The styles and their mix: the same image is painted alike as long as the first are the same object, and the
# second is equal.
Look = tuple[StyleSet, Mix]


class BackgroundStyle(Closeable):
    """Paints backgrounds. For one thread at a time.

    Args:
        styles: to begin with.
        like: the stylizer's way to compute, which is its own, too.
    """

    def __init__(self, styles: StyleSet, like: LazyBackend) -> None:
        self._chosen = LazyBackend(like.device_name, like.precision, cast("Runtime", like.runtime))
        self._shown = ShownStyle(styles, self._chosen)
        self._continuity = Continuity()

    @property
    def backend(self) -> Backend:
        """Made when first needed."""
        return self._shown.backend

    @property
    def look(self) -> Look:
        """See `Look`."""
        return self._shown.styles, self._shown.mix

    def use(self, styles: StyleSet) -> None:
        """Paint in other styles, or in the same ones at another boldness, from the next frame on."""
        if styles is not self._shown.styles:
            self._shown.change(styles)
            self.reset()

    def follow(self, frame: Frame) -> None:
        """Take the style that a timeline has at a frame's time."""
        if self._shown.follow(frame.pts):
            self.reset()

    def paint(self, frame: Frame, options: RenderOptions, temporal: TemporalOptions) -> Pixels:
        """Paint the next frame of a video: (H, W, 3), a new array."""
        if not options.strength:
            temporal = replace(temporal, steadiness=0.0)
        return self.backend.run(frame.pixels, options, self._continuity.follow(frame, temporal))

    def paint_still(self, pixels: Pixels, options: RenderOptions) -> Pixels:
        """Paint an image by itself: (H, W, 3), a new array."""
        self.reset()
        return self.backend.run(pixels, options)

    def reset(self) -> None:
        """Take the next frame as the first of a video."""
        self._continuity.reset()

    @property
    def memory(self) -> Mapping[str, npt.NDArray[Any]]:
        """What the next frame depends on, by name; may be set, also to more than that."""
        return pack_network(self._shown, self._continuity)

    @memory.setter
    def memory(self, arrays: Mapping[str, npt.NDArray[np.float32]]) -> None:
        unpack_network(arrays, self._shown, self._continuity)

    def close(self) -> None:
        """Release device memory. May be called twice."""
        self._chosen.close()
