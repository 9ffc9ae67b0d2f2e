"""How a painting is laid over its image: strength, colours, and the size of strokes."""

from __future__ import annotations

import math

from pydantic import Field

from stylize_live.options import ImageOptions

# Shorter side in pixels at which images are painted: a network's strokes have a size in pixels, and
# this makes them the same share of every larger frame. Painted at full size, 1080p looks hatched.
NATURAL_SIDE = 480
# Pixels at which anything is painted, at most: twice 16:9 with the smallest strokes, and 4K as it is.
MOST_PAINTED = 1 << 23
# Sizes to paint at are multiples of what the network works in, so that nothing is filled up.
_STEP = 8
# An enlarged painting is sharpened first, so that strokes stay crisp: by a Gaussian of so many pixels, over
# so many, and the more the further it is enlarged, up to this. The image's own fine light, which it could
# get back instead, looks like a photograph under the paint.
SHARPEN_SIGMA, SHARPEN_WIDTH = 1.0, 5
_MOST_SHARPENING = 1.0
# Levels of contrast (standard deviation of a colour) below which an image is painted with less of it.
LEAST_CONTRAST = 4.0


def sharpening(small: tuple[int, ...], shown: tuple[int, ...]) -> float:
    """How much of what a blur takes away is added to a painting.

    Args:
        small: its size, in any order of sides.
        shown: the size that it is enlarged to, in the same order.

    Returns:
        0 for a painting that keeps its size or shrinks, 1 from one and a half times its size on.
    """
    zoom = max(shown) / max(small)
    return min(_MOST_SHARPENING, max(0.0, 2 * (zoom - 1)))


def contrast_step(height: int, width: int) -> int:
    """Step from one row or column to the next of those by which the contrast of an image is measured."""
    return max(1, min(height, width) // 64)


class RenderOptions(ImageOptions):
    """What is asked of every painted frame: the options of an image, made anew only when one changes.

    `boldness` is in the weights already. `keep_colors` takes only light and dark from the painting, colours
    from the image (luminance-only transfer: Gatys et al., arXiv:1606.05897, section 3).

    Attributes:
        lines: shorter side in pixels at which larger images are painted. Fewer are faster, and make
            strokes a larger share of the image.
    """

    lines: int = Field(default=NATURAL_SIDE, gt=0)

    def working_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) at which an image of this (width, height) is painted.

        Images of up to `lines` are painted as they are. Strokes change by painting a smaller or larger
        image of the same thing. The area is limited, as the network's memory grows with it: a long strip
        gets larger strokes than were asked for.
        """
        shorter = min(size)
        factor = min(shorter, self.lines) / self.stroke / shorter
        factor = min(factor, math.sqrt(MOST_PAINTED / (size[0] * size[1])))
        if factor == 1:
            return size
        width, height = (max(_STEP, round(side * factor / _STEP) * _STEP) for side in size)
        return width, height
