"""The size at which people are looked for."""

from __future__ import annotations

from stylize_live.engine.matting.network import STRIDE

Size = tuple[int, int]  # (width, height)
_SIDE = 224  # pixels, of square images; it was trained with 256, and sees as well with a quarter less
_MOST_ASPECT = 16  # of one side to the other


def network_size(size: Size) -> Size:
    """The size at which people are looked for in images of another.

    The network takes any. It was trained with images that were squeezed into squares, and knows people best
    halfway between such a square and their own proportions, see docs/people.md.
    """
    aspect = min(_MOST_ASPECT, max(1 / _MOST_ASPECT, size[0] / size[1]))
    width, height = (STRIDE * round(_SIDE * aspect**power / STRIDE) for power in (0.25, -0.25))
    return width, height
