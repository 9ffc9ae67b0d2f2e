"""Frames in 256 colours, for GIF."""

from __future__ import annotations

from typing import Any, cast

from stylize_live.frame import Pixels
from stylize_live.media.libraries import av

PALETTE_FORMAT = "pal8"


class ToPalette:
    """Finds the best 256 colours of each frame and dithers with them; make one per thread.

    The dither is a fixed pattern: one that spreads errors would boil from frame to frame.
    """

    def __init__(self) -> None:
        self._kind: tuple[int, ...] = ()

    def __call__(self, pixels: Pixels) -> av.VideoFrame:
        """Convert one frame.

        Args:
            pixels: (H, W, 3) RGB or (H, W, 4) RGBA, uint8, C-contiguous; what is less than half
                opaque becomes fully transparent.
        """
        if pixels.shape != self._kind:
            self._graph, self._kind = _graph(pixels.shape), pixels.shape
        name = "rgba" if pixels.shape[2] == 4 else "rgb24"
        self._graph.push(av.VideoFrame.from_numpy_buffer(cast("Any", pixels), format=name))
        return self._graph.vpull()


def _graph(shape: tuple[int, ...]) -> av.filter.Graph:
    height, width, channels = shape
    graph = av.filter.Graph()
    source = graph.add(
        "buffer",
        video_size=f"{width}x{height}",
        pix_fmt="rgba" if channels == 4 else "rgb24",
        time_base="1/100",
    )
    twice = graph.add("split")
    find = graph.add("palettegen", stats_mode="single", reserve_transparent=str(int(channels == 4)))
    use = graph.add("paletteuse", new="1", dither="bayer", bayer_scale="4")
    source.link_to(twice)
    twice.link_to(find, 0, 0)
    twice.link_to(use, 1, 0)
    find.link_to(use, 0, 1)
    use.link_to(graph.add("buffersink"))
    graph.configure()
    return graph
