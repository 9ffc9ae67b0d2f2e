"""Triton kernels that find where everything was: dense inverse search (Kroeger et al., ECCV 2016).

Patches of 8x8 pixels find their places in another image. On a processor they learn from their neighbours
one after the other; here all of them do at once, several times over.

Images are planes of one size, float32: (height, width) in memory, grey levels of 0..255, at least 2x2.
What lies outside of an image is its edge again. A flow is two planes, across and down, in pixels.
"""

from __future__ import annotations

import triton
import triton.language as tl

from stylize_live.engine.cuda.triton.build import SIZES


@triton.jit
def at_pixel(plane, y, x, height, width, mask):
    """What a plane shows at places of whole numbers."""
    row = tl.minimum(tl.maximum(y, 0), height - 1)
    column = tl.minimum(tl.maximum(x, 0), width - 1)
    return tl.load(plane + row * width + column, mask=mask, other=0.0)


@triton.jit
def between_pixels(plane, y, x, height, width, mask):
    """What a plane shows at any places, bilinear."""
    y = tl.minimum(tl.maximum(y, 0.0), height - 1.0)
    x = tl.minimum(tl.maximum(x, 0.0), width - 1.0)
    row = tl.minimum(y.to(tl.int32), height - 2)
    column = tl.minimum(x.to(tl.int32), width - 2)
    corner = plane + row * width + column
    north_west = tl.load(corner, mask=mask, other=0.0)
    north_east = tl.load(corner + 1, mask=mask, other=0.0)
    south_west = tl.load(corner + width, mask=mask, other=0.0)
    south_east = tl.load(corner + width + 1, mask=mask, other=0.0)
    north = north_west + (north_east - north_west) * (x - column)
    south = south_west + (south_east - south_west) * (x - column)
    return north + (south - north) * (y - row)


@triton.jit(do_not_specialize=SIZES)
def halve(planes, out, height, width, block: tl.constexpr):
    """Two planes at half the size, each pixel the mean of four.

    Args:
        planes: (2, height, width).
        out: (2, height // 2, width // 2).
    """
    at = tl.program_id(0) * block + tl.arange(0, block)
    rows, columns = height // 2, width // 2
    mask = at < 2 * rows * columns
    row, column = at // columns, at % columns
    corner = planes + row // rows * height * width + row % rows * 2 * width + column * 2
    north = tl.load(corner, mask=mask, other=0.0) + tl.load(corner + 1, mask=mask, other=0.0)
    corner += width
    south = tl.load(corner, mask=mask, other=0.0) + tl.load(corner + 1, mask=mask, other=0.0)
    tl.store(out + at, (north + south) * 0.25, mask=mask)


@triton.jit(do_not_specialize=SIZES)
def starts(flow, out, height, width, rows, columns, stride: tl.constexpr, block: tl.constexpr):
    """Where patches begin to search: the flow that was found in their middles at half the size.

    Args:
        flow: (2, height, width), of the image of half the size, in its pixels.
        out: (2, rows, columns), in pixels of twice the size.
        stride: pixels from patch to patch.
    """
    at = tl.program_id(0) * block + tl.arange(0, block)
    mask = at < rows * columns
    y = (at // columns * stride + 4) * 0.5 - 0.5
    x = (at % columns * stride + 4) * 0.5 - 0.5
    for direction in tl.static_range(2):
        found = between_pixels(flow + direction * height * width, y, x, height, width, mask)
        tl.store(out + direction * rows * columns + at, 2 * found, mask=mask)


@triton.jit(do_not_specialize=SIZES)
def search(
    images, start, out, height, width, rows, columns,
    stride: tl.constexpr, steps: tl.constexpr, damping: tl.constexpr, patches: tl.constexpr,
):  # fmt: skip
    """One round: each patch begins where it or one of its neighbours fits best, and goes downhill from there.

    Args:
        images: (2, height, width), the one before and the one now.
        start: (2, rows, columns), about where patches were; their first pixels are `stride` apart.
        out: the same shape; the best that was found.
        steps: of Newton's method, downhill.
        damping: squared levels added to the contrast of each patch, so that one without any stays.
        patches: that a program works on.
    """
    at = tl.program_id(0) * patches + tl.arange(0, patches)
    inside = at < rows * columns
    row, column = at // columns, at % columns
    pixel = tl.arange(0, 64)
    y = row[:, None] * stride + (pixel // 8)[None, :]
    x = column[:, None] * stride + (pixel % 8)[None, :]
    mask = inside[:, None]
    now = images + height * width
    seen = at_pixel(now, y, x, height, width, mask)
    across = at_pixel(now, y, x + 1, height, width, mask) - at_pixel(now, y, x - 1, height, width, mask)
    down = at_pixel(now, y + 1, x, height, width, mask) - at_pixel(now, y - 1, x, height, width, mask)
    across, down = _without_mean(0.5 * across), _without_mean(0.5 * down)
    a, b, c = tl.sum(across * across, 1) + damping, tl.sum(across * down, 1), tl.sum(down * down, 1) + damping
    scale = 1 / (a * c - b * b)

    best_u = tl.load(start + at, mask=inside, other=0.0)
    best_v = tl.load(start + rows * columns + at, mask=inside, other=0.0)
    off = _off(images, seen, y, x, best_u, best_v, height, width, mask)
    least = tl.sum(off * off, 1)
    for neighbour in tl.static_range(4):
        there = _neighbour(neighbour, row, column, rows, columns)
        u = tl.load(start + there, mask=inside, other=0.0)
        v = tl.load(start + rows * columns + there, mask=inside, other=0.0)
        off = _off(images, seen, y, x, u, v, height, width, mask)
        best_u, best_v, least = _better(u, v, tl.sum(off * off, 1), best_u, best_v, least)

    u, v = best_u, best_v
    off = _off(images, seen, y, x, u, v, height, width, mask)
    for _ in range(steps):
        slope_u, slope_v = tl.sum(off * across, 1), tl.sum(off * down, 1)
        u -= (c * slope_u - b * slope_v) * scale
        v -= (a * slope_v - b * slope_u) * scale
        off = _off(images, seen, y, x, u, v, height, width, mask)
        best_u, best_v, least = _better(u, v, tl.sum(off * off, 1), best_u, best_v, least)
    tl.store(out + at, best_u, mask=inside)
    tl.store(out + rows * columns + at, best_v, mask=inside)


@triton.jit
def _neighbour(number: tl.constexpr, row, column, rows, columns):
    """Which patch is to the left, to the right, above or below; at the edge the patch itself."""
    step: tl.constexpr = 2 * (number % 2) - 1
    if number < 2:
        column = tl.minimum(tl.maximum(column + step, 0), columns - 1)
    else:
        row = tl.minimum(tl.maximum(row + step, 0), rows - 1)
    return row * columns + column


@triton.jit
def _off(before, seen, y, x, u, v, height, width, mask):
    """By how much patches differ from where they are said to have been. Not by light, which may change."""
    return _without_mean(between_pixels(before, y + v[:, None], x + u[:, None], height, width, mask) - seen)


@triton.jit
def _without_mean(patches):
    return patches - (tl.sum(patches, 1) / 64)[:, None]


@triton.jit
def _better(u, v, cost, best_u, best_v, least):
    better = cost < least
    return tl.where(better, u, best_u), tl.where(better, v, best_v), tl.where(better, cost, least)


@triton.jit(do_not_specialize=SIZES)
def densify(
    images, found, out, height, width, rows, columns, stride: tl.constexpr, block: tl.constexpr
):  # fmt: skip
    """The flow of every pixel: the mean of the patches over it, those that fit it weighing more.

    Args:
        images: (2, height, width), the one before and the one now.
        found: (2, rows, columns), where patches were; their first pixels are `stride` apart.
        out: (2, height, width).
    """
    at = tl.program_id(0) * block + tl.arange(0, block)
    mask = at < height * width
    y, x = at // width, at % width
    seen = tl.load(images + height * width + at, mask=mask, other=0.0)
    total = tl.zeros((block,), tl.float32)
    flow_u = tl.zeros((block,), tl.float32)
    flow_v = tl.zeros((block,), tl.float32)
    over: tl.constexpr = 8 // stride  # patches over a pixel, in each direction
    for patch in tl.static_range(over * over):
        row = tl.minimum(tl.maximum(y // stride - patch // over, 0), rows - 1)
        column = tl.minimum(tl.maximum(x // stride - patch % over, 0), columns - 1)
        u = tl.load(found + row * columns + column, mask=mask, other=0.0)
        v = tl.load(found + (rows + row) * columns + column, mask=mask, other=0.0)
        off = tl.abs(between_pixels(images, y + v, x + u, height, width, mask) - seen)
        weight = 1 / tl.maximum(off, 1.0)
        total += weight
        flow_u += weight * u
        flow_v += weight * v
    tl.store(out + at, flow_u / total, mask=mask)
    tl.store(out + height * width + at, flow_v / total, mask=mask)
