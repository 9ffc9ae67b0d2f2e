"""From the painting of an image to what is shown, on the CPU: enlarged, mixed, in whole levels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.engine.core.render_options import (
    LEAST_CONTRAST,
    SHARPEN_SIGMA,
    SHARPEN_WIDTH,
    RenderOptions,
    contrast_step,
    sharpening,
)
from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2
from stylize_live.strips import strips


def shrink_to(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """An image at the (width, height) to paint it at; the same array if it has that size."""
    if pixels.shape[1::-1] == size:
        return pixels
    how = cv2.INTER_AREA if size[0] < pixels.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=how), pixels.dtype)


def attenuate_low_contrast(painted: Plane, small: Pixels) -> Plane:
    """Take back what the network makes of next to nothing: a black frame would get a mesh.

    Its norms bring any contrast to the same level, be it that of noise. So the painting of an image with
    less than `LEAST_CONTRAST` gets as much less itself, down to a single colour.

    Args:
        painted: (h, w, 3) float32.
        small: (h, w, 3), the image it was painted from.

    Returns:
        (h, w, 3) float32, mostly `painted` itself.
    """
    step = contrast_step(*small.shape[:2])
    _, deviations = cv2.meanStdDev(np.ascontiguousarray(small[::step, ::step]))
    share = float(deviations.max()) * 255 / np.iinfo(small.dtype).max / LEAST_CONTRAST
    if share >= 1:
        return painted
    mean = np.asarray(cv2.mean(painted)[:3], np.float32)
    return mean + np.float32(share) * (painted - mean)


def composite(painted: Plane, pixels: Pixels, options: RenderOptions) -> Plane:
    """Lay a painting over its image.

    Args:
        painted: (h, w, 3) float32 in 0..255.
        pixels: (H, W, 3), the image; uint8 or uint16.
        options: strength and colours.

    Returns:
        (H, W, 3) float32, about 0..255: not clipped yet, perhaps `painted` itself.
    """
    crisp = _crisp(painted, (pixels.shape[0], pixels.shape[1]), options)
    return _blend(_enlarge(crisp, pixels), pixels, options)


def composite_in_strips(
    painted: Plane,
    size: tuple[int, int],
    options: RenderOptions,
    read: Callable[[int, int], Pixels],
    write: Callable[[int, Pixels], None],
) -> None:
    """What `composite` and `quantize` do, a strip at a time: the floats of a whole image take gigabytes.

    Strips meet without a seam: each is computed from all of the painting that shows in it.

    Args:
        painted: (h, w, 3) float32 in 0..255.
        size: (width, height) of the image.
        options: strength and colours.
        read: gives rows of the image, (bottom - top, width, 3), from the first and the one behind the last.
        write: takes what they become, with the first row. They are not read again.
    """
    crisp = _crisp(painted, (size[1], size[0]), options)
    for top, bottom in strips(size):
        pixels = read(top, bottom)
        shown = _blend(enlarge_rows(crisp, size, top, bottom), pixels, options)
        write(top, quantize(shown, pixels.dtype))


def enlarge_rows(plane: Plane, size: tuple[int, int], top: int, bottom: int) -> Plane:
    """Some rows of what cv2.resize makes of a plane by INTER_CUBIC, without the others.

    Args:
        plane: (h, w) or (h, w, 3) float32.
        size: (width, height) of the whole.
        top: the first row.
        bottom: the one behind the last.
    """
    height = plane.shape[0]
    places = (np.arange(top, bottom) + 0.5) * (height / size[1]) - 0.5
    whole = np.floor(places).astype(int)
    taps = np.clip(whole[:, None] + np.arange(-1, 3), 0, height - 1)
    first, last = int(taps.min()), int(taps.max()) + 1
    weights = np.zeros((bottom - top, last - first), np.float32)
    np.add.at(weights, (np.arange(bottom - top)[:, None], taps - first), _cubic(places - whole))
    wide = np.asarray(
        cv2.resize(plane[first:last], (size[0], last - first), interpolation=cv2.INTER_CUBIC), np.float32
    )
    rows: Plane = weights @ wide.reshape(last - first, -1)
    return rows.reshape(bottom - top, *wide.shape[1:])


def _cubic(t: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Shares of the four rows around places between the middle two, (n, 4): Keys' kernel as OpenCV has it."""
    a, far, near = -0.75, t + 1, 1 - t
    shares = [
        ((a * far - 5 * a) * far + 8 * a) * far - 4 * a,
        ((a + 2) * t - (a + 3)) * t * t + 1,
        ((a + 2) * near - (a + 3)) * near * near + 1,
    ]
    return np.stack([*shares, 1 - sum(shares)], axis=1).astype(np.float32)


def shrink_by_strips(
    size: tuple[int, int], small: tuple[int, int], read: Callable[[int, int], Pixels]
) -> npt.NDArray[np.uint8]:
    """What `shrink_to` makes of an image that is larger in both directions: its areas' averages.

    Args:
        size: (width, height) of the image.
        small: of the result.
        read: see `composite_in_strips`.

    Returns:
        (h, w, 3) uint8.
    """
    width, height = small
    total = np.zeros((height, width, 3), np.float32)
    share = size[1] / height  # rows that become one
    for top, bottom in strips(size):
        strip = read(top, bottom).astype(np.float32)
        rows = np.asarray(cv2.resize(strip, (width, bottom - top), interpolation=cv2.INTER_AREA))
        first, last = int(top / share), min(height, math.ceil(bottom / share))
        edges, starts = np.arange(first, last)[:, None] * share, np.arange(top, bottom)[None]
        overlap = np.minimum(edges + share, starts + 1) - np.maximum(edges, starts)
        weights = (np.clip(overlap, 0, 1) / share).astype(np.float32)
        total[first:last] += (weights @ rows.reshape(bottom - top, -1)).reshape(last - first, width, 3)
    return np.clip(np.rint(total), 0, 255).astype(np.uint8)


def _crisp(painted: Plane, shown: tuple[int, int], options: RenderOptions) -> Plane:
    """What of a painting is enlarged to (height, width): itself, sharpened, or its light, (h, w)."""
    sharp = sharpen(painted, sharpening(painted.shape[:2], shown))
    return np.asarray(cv2.cvtColor(sharp, cv2.COLOR_RGB2GRAY), np.float32) if options.keep_colors else sharp


def _blend(shown: npt.NDArray[Any], pixels: Pixels, options: RenderOptions) -> Plane:
    """An enlarged painting, or its light, and the image below it."""
    if options.keep_colors:
        # Light of the painting instead of the image's own; what is coloured in it stays.
        change = cv2.subtract(shown, _light(pixels))
        shown = cv2.add(_levels(pixels), cv2.cvtColor(change, cv2.COLOR_GRAY2RGB))
    if options.strength < 1:
        shown = cv2.addWeighted(shown, options.strength, _levels(pixels), 1 - options.strength, 0)
    return np.asarray(shown, np.float32)


def shrink_fast(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """As `shrink_to`, a little softer: what is far too large is halved first, which is far faster."""
    while pixels.shape[1] >= 2 * size[0] and pixels.shape[0] >= 2 * size[1]:
        half = pixels.shape[1] // 2, pixels.shape[0] // 2
        pixels = np.asarray(cv2.resize(pixels, half, interpolation=cv2.INTER_AREA), pixels.dtype)
    return shrink_to(pixels, size)


def composite_fast(painted: Plane, pixels: Pixels, options: RenderOptions) -> Pixels:
    """As `composite`, in eight bits from the small painting on: within a few levels, in half the time.

    Args:
        painted: (h, w, 3) float32 in 0..255.
        pixels: (H, W, 3) uint8, the image.
        options: strength and colours.

    Returns:
        (H, W, 3) uint8, a new array.
    """
    small = cv2.addWeighted(painted, 1, painted, 0, 0, dtype=cv2.CV_8U)
    sharp = sharpen(small, sharpening(painted.shape[:2], pixels.shape[:2]))
    if options.keep_colors:
        parts = list(cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)))
        parts[0] = _enlarge(cv2.cvtColor(sharp, cv2.COLOR_RGB2GRAY), pixels)
        shown = cv2.cvtColor(cv2.merge(parts), cv2.COLOR_YCrCb2RGB)
    else:
        shown = _enlarge(sharp, pixels)
    if options.strength < 1:
        shown = cv2.addWeighted(shown, options.strength, pixels, 1 - options.strength, 0)
    return np.asarray(shown, np.uint8)


def sharpen(painted: npt.NDArray[Any], amount: float) -> npt.NDArray[Any]:
    """Unsharp masking: (h, w, 3) float32 or uint8 to the same, itself for an amount of 0."""
    if not amount:
        return painted
    soft = cv2.GaussianBlur(painted, (SHARPEN_WIDTH, SHARPEN_WIDTH), SHARPEN_SIGMA)
    return np.asarray(cv2.addWeighted(painted, 1 + amount, soft, -amount, 0), painted.dtype)


def _enlarge(plane: npt.NDArray[Any], like: Pixels) -> npt.NDArray[Any]:
    size = like.shape[1], like.shape[0]
    how = cv2.INTER_AREA if size[0] < plane.shape[1] else cv2.INTER_CUBIC
    return plane if plane.shape[1::-1] == size else np.asarray(cv2.resize(plane, size, interpolation=how))


def _levels(pixels: Pixels) -> Plane:
    return np.multiply(pixels, np.float32(255 / np.iinfo(pixels.dtype).max), dtype=np.float32)


def _light(pixels: Pixels) -> Plane:
    return _levels(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), pixels.dtype))


def quantize(image: Plane, dtype: np.dtype[Any]) -> Pixels:
    """Turn a painted image into pixels.

    Args:
        image: (H, W, 3) float32, 0..255; what is outside is clipped.
        dtype: uint8 or uint16.

    Returns:
        (H, W, 3) of that dtype, a new array.
    """
    # One pass, in C: 0.1 ms for 640x360. Its results are rounded and stay within the range of the type.
    factor = np.iinfo(dtype).max / 255
    depth = cv2.CV_8U if dtype == np.uint8 else cv2.CV_16U
    return np.asarray(cv2.addWeighted(image, factor, image, 0, 0, dtype=depth), dtype)
