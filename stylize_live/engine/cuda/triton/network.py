"""Triton kernels for what lies between the network's convolutions: norms, edges, and both ends of it.

Torch has a kernel for each of these steps, most of which want channels apart from each other, where
convolutions on a GPU want them side by side: a copy before and one behind each. Its norm gives every
channel to one multiprocessor, so that most of them have nothing to do. Here every step reads its image
once and writes what the next convolution takes, its edge repeated by one pixel ("edged").

Everything is one image, channels side by side: (height, width, channels) in memory. The sums behind a
norm are added up in an order that does not change, so the same frame gives the same result to the bit.
"""

from __future__ import annotations

import triton
import triton.language as tl

from stylize_live.engine.cuda.triton.build import SIZES


@triton.jit(do_not_specialize=SIZES)
def space_to_depth_padded(
    image, out, height, width, rows, columns, down, right, apart, block: tl.constexpr
):  # fmt: skip
    """Blocks of 4x4 pixels as 48 channels (pixel_unshuffle), in -0.5 to 0.5, edged.

    Args:
        image: float32 in 0..255, the steps between its pixels and colours being `down`, `right`, `apart`.
        out: (rows + 2, columns + 2, 48).
        height, width: of the image; what blocks lack is its last row and column again.
        rows, columns: of blocks.
    """
    at = tl.program_id(0) * block + tl.arange(0, block)
    inside = at < (rows + 2) * (columns + 2)
    channel = tl.arange(0, 64)
    row, column = _within(at, rows, columns)
    y = tl.minimum(4 * row[:, None] + (channel % 16 // 4)[None, :], height - 1)
    x = tl.minimum(4 * column[:, None] + (channel % 4)[None, :], width - 1)
    mask = inside[:, None] & (channel < 48)[None, :]
    levels = tl.load(image + y * down + x * right + (channel // 16)[None, :] * apart, mask=mask, other=0.0)
    values = levels * (1 / 255) - 0.5
    tl.store(out + at[:, None] * 48 + channel[None, :], values.to(out.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=SIZES)
def norm_factors(
    values, weight, bias, sums, ready, factors, count, epsilon,
    channels: tl.constexpr, lanes: tl.constexpr, block: tl.constexpr, programs: tl.constexpr,
):  # fmt: skip
    """What an instance norm multiplies each channel by and adds to it.

    Each of the programs adds up a stretch of the image; the last to be done adds up those.

    Args:
        values: (count, channels).
        weight, bias: (channels,) of the norm.
        sums: (programs, 2, lanes) float32, to work in.
        ready: int32, 0 before and after.
        factors: (2, channels) float32, the result.
        epsilon: added to variances.
        lanes: the next power of two from `channels` on.
    """
    me = tl.program_id(0)
    channel = tl.arange(0, lanes)
    known = channel < channels
    # Around a value of its own, as the differences of large squares would lose the small variances.
    middle = tl.load(values + channel, mask=known, other=0.0).to(tl.float32)
    stretch = tl.cdiv(count, programs)
    first = me * stretch
    end = tl.minimum(first + stretch, count)
    # Added up within threads first, and between them only at the end.
    totals = tl.zeros((block, lanes), tl.float32)
    squares = tl.zeros((block, lanes), tl.float32)
    for start in range(first, end, block):
        at = start + tl.arange(0, block)
        mask = (at < end)[:, None] & known[None, :]
        found = tl.load(values + at[:, None] * channels + channel[None, :], mask=mask, other=0.0)
        off = tl.where(mask, found.to(tl.float32) - middle[None, :], 0.0)
        totals += off
        squares += off * off
    tl.store(sums + me * 2 * lanes + channel, tl.sum(totals, 0))
    tl.store(sums + me * 2 * lanes + lanes + channel, tl.sum(squares, 0))
    tl.debug_barrier()
    if tl.atomic_add(ready, 1, sem="acq_rel") == programs - 1:
        each = tl.arange(0, programs)[:, None] * 2 * lanes + channel[None, :]
        mean = tl.sum(tl.load(sums + each, cache_modifier=".cg"), 0) / count
        square = tl.sum(tl.load(sums + lanes + each, cache_modifier=".cg"), 0) / count
        variance = tl.maximum(square - mean * mean, 0.0)
        scale = tl.load(weight + channel, mask=known, other=0.0).to(tl.float32) / tl.sqrt(variance + epsilon)
        shift = tl.load(bias + channel, mask=known, other=0.0).to(tl.float32) - (middle + mean) * scale
        tl.store(factors + channel, scale, mask=known)
        tl.store(factors + channels + channel, shift, mask=known)
        tl.store(ready, 0)


@triton.jit(do_not_specialize=SIZES)
def normalize_padded(
    values, factors, other, out, height, width,
    channels: tl.constexpr, lanes: tl.constexpr, relu: tl.constexpr, added: tl.constexpr,
    shuffled: tl.constexpr, block: tl.constexpr,
):  # fmt: skip
    """A norm applied, then perhaps a ReLU, perhaps another image added; edged.

    Args:
        values: (height, width, channels); shuffled, (height / 2, width / 2, 2, 2, channels), the four pixels
            of each place lying one behind the other.
        factors: see `norm_factors`.
        other: (height + 2, width + 2, channels), added where `added` is set.
        out: the same shape.
        lanes: the next power of two from `channels` on.
    """
    at = tl.program_id(0) * block + tl.arange(0, block)
    channel = tl.arange(0, lanes)
    known = channel < channels
    mask = (at < (height + 2) * (width + 2))[:, None] & known[None, :]
    row, column = _within(at, height, width)
    if shuffled:
        place = (row // 2) * (width // 2) + column // 2
        source = place * 4 + row % 2 * 2 + column % 2
    else:
        source = row * width + column
    scale = tl.load(factors + channel, mask=known, other=0.0)
    shift = tl.load(factors + channels + channel, mask=known, other=0.0)
    found = tl.load(values + source[:, None] * channels + channel[None, :], mask=mask, other=0.0)
    result = found.to(tl.float32) * scale[None, :] + shift[None, :]
    if relu:
        result = tl.maximum(result, 0.0)
    target = at[:, None] * channels + channel[None, :]
    if added:
        result += tl.load(other + target, mask=mask, other=0.0).to(tl.float32)
    tl.store(out + target, result.to(out.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=SIZES)
def upsample_padded(
    deep, other, out, height, width, channels: tl.constexpr, lanes: tl.constexpr, block: tl.constexpr
):  # fmt: skip
    """An image of twice the size, bilinear, plus another one; edged.

    Args:
        deep: (height / 2 + 2, width / 2 + 2, channels), edged.
        other: (height + 2, width + 2, channels), edged.
        out: the same shape.
    """
    at = tl.program_id(0) * block + tl.arange(0, block)
    channel = tl.arange(0, lanes)
    mask = (at < (height + 2) * (width + 2))[:, None] & (channel < channels)[None, :]
    row, column = _within(at, height, width)
    # Even places lie a quarter before a small pixel's middle, odd ones a quarter behind it. The small
    # image's edge makes that true of the outermost, too.
    above, left = row // 2 + row % 2, column // 2 + column % 2
    down, right = 0.75 - 0.5 * (row % 2), 0.75 - 0.5 * (column % 2)
    step = (width // 2 + 2) * channels
    place = deep + (above * step + left * channels)[:, None] + channel[None, :]
    north = _between(place, channels, right, mask)
    south = _between(place + step, channels, right, mask)
    target = at[:, None] * channels + channel[None, :]
    found = tl.load(other + target, mask=mask, other=0.0).to(tl.float32)
    result = found + north + (south - north) * down[:, None]
    tl.store(out + target, result.to(out.dtype.element_ty), mask=mask)


@triton.jit
def _within(at, height, width):
    """Row and column of a (height, width) image that are shown at places of the edged one."""
    row = tl.minimum(tl.maximum(at // (width + 2) - 1, 0), height - 1)
    column = tl.minimum(tl.maximum(at % (width + 2) - 1, 0), width - 1)
    return row, column


@triton.jit
def _between(place, channels: tl.constexpr, right, mask):
    """Between a pixel and the one to its right."""
    west = tl.load(place, mask=mask, other=0.0).to(tl.float32)
    east = tl.load(place + channels, mask=mask, other=0.0).to(tl.float32)
    return west + (east - west) * right[:, None]


@triton.jit(do_not_specialize=SIZES)
def image_of(
    values, bias, brightness, image, out, height, width, columns, down, right, apart,
    red: tl.constexpr, green: tl.constexpr, blue: tl.constexpr, block: tl.constexpr,
):  # fmt: skip
    """The end of the network: pixels from places of 2x2, the input's brightness added, a sigmoid.

    Args:
        values: (rows, columns, 2, 2, 4), of the last four the first three are colours.
        bias: (3,), added to them.
        brightness: (1,), how much of the input's is added.
        image: the input, see `space_to_depth_padded`.
        out: (height, width, 3) float32 in 0..255.
        red, green, blue: shares in brightness.
    """
    at = tl.program_id(0) * block + tl.arange(0, block)
    inside = at < height * width
    row, column = at // width, at % width
    here = image + row * down + column * right
    light = red * tl.load(here, mask=inside, other=0.0)
    light += green * tl.load(here + apart, mask=inside, other=0.0)
    light += blue * tl.load(here + 2 * apart, mask=inside, other=0.0)
    color = tl.arange(0, 4)
    source = ((row // 2) * columns + column // 2) * 4 + row % 2 * 2 + column % 2
    mask = inside[:, None] & (color < 3)[None, :]
    found = tl.load(values + source[:, None] * 4 + color[None, :], mask=mask, other=0.0).to(tl.float32)
    found += tl.load(bias + color, mask=color < 3, other=0.0).to(tl.float32)[None, :]
    share = tl.load(brightness).to(tl.float32)
    result = 255 / (1 + tl.exp(-(found + (share * (light / 255 - 0.5))[:, None])))
    tl.store(out + at[:, None] * 3 + color[None, :], result, mask=mask)
