"""Triton kernels that make a flow smooth where images allow it: variational refinement.

It minimises the energy of Brox et al. (ECCV 2004): levels and their slopes stay the same along the flow, and
neighbours move alike, all under the robust penalty of total variation; linearised once for each size of the
images, and solved by red-black successive over-relaxation. Planes are as in `flow_search`.
"""

from __future__ import annotations

import triton
import triton.language as tl

from stylize_live.engine.cuda.triton.build import SIZES
from stylize_live.engine.cuda.triton.flow_search import at_pixel, between_pixels


@triton.jit(do_not_specialize=SIZES)
def compare(images, flow, out, height, width, block: tl.constexpr):
    """An image beside the one before, when that is moved along a flow.

    Args:
        images: (2, height, width), the one before and the one now.
        flow: (2, height, width), where each pixel was.
        out: (2, height, width): the mean of both, and the one before less the one now.
    """
    at = tl.program_id(0) * block + tl.arange(0, block)
    mask = at < height * width
    plane = height * width
    y = at // width + tl.load(flow + plane + at, mask=mask, other=0.0)
    x = at % width + tl.load(flow + at, mask=mask, other=0.0)
    before = between_pixels(images, y, x, height, width, mask)
    now = tl.load(images + plane + at, mask=mask, other=0.0)
    tl.store(out + at, 0.5 * (before + now), mask=mask)
    tl.store(out + plane + at, before - now, mask=mask)


@triton.jit(do_not_specialize=SIZES)
def slopes(planes, out, count, height, width, block: tl.constexpr):
    """Central differences across and down.

    Args:
        planes: (count, height, width).
        out: (count, 2, height, width).
    """
    at = tl.program_id(0) * block + tl.arange(0, block)
    plane = height * width
    mask = at < count * plane
    number, place = at // plane, at % plane
    y, x, here = place // width, place % width, planes + number * plane
    across = at_pixel(here, y, x + 1, height, width, mask) - at_pixel(here, y, x - 1, height, width, mask)
    down = at_pixel(here, y + 1, x, height, width, mask) - at_pixel(here, y - 1, x, height, width, mask)
    there = out + number * plane + at
    tl.store(there, 0.5 * across, mask=mask)
    tl.store(there + plane, 0.5 * down, mask=mask)


@triton.jit(do_not_specialize=SIZES)
def equations(
    both, first, second, base, flow, out, height, width,
    levels_weight: tl.constexpr, slopes_weight: tl.constexpr, smoothness: tl.constexpr, block: tl.constexpr,
):  # fmt: skip
    """What the flow of each pixel and its neighbours has to satisfy, the robust weights being as it is now.

    Args:
        both: (2, height, width), see `compare`.
        first: (2, 2, height, width), slopes of those.
        second: (2, 2, height, width), slopes of the mean's slopes.
        base: (2, height, width), the flow that `both` was made with.
        flow: the same, what has become of it.
        out: (7, height, width): the inverse of a 2x2 matrix (upper left, beside it, lower right), the right
            side without neighbours (across, down), and the weights of the neighbours to the right and below.
        levels_weight, slopes_weight, smoothness: weights of the energy's three parts.
    """
    at = tl.program_id(0) * block + tl.arange(0, block)
    plane = height * width
    mask = at < plane
    base_u = tl.load(base + at, mask=mask, other=0.0)
    base_v = tl.load(base + plane + at, mask=mask, other=0.0)
    more_u = tl.load(flow + at, mask=mask, other=0.0) - base_u
    more_v = tl.load(flow + plane + at, mask=mask, other=0.0) - base_v
    off, a, b, c, side_u, side_v = _constant(first, first + plane, both + plane, at, more_u, more_v, mask)
    weight = levels_weight * tl.rsqrt(off + 1e-6)
    off_x, a_x, b_x, c_x, side_ux, side_vx = _constant(
        second, second + plane, first + 2 * plane, at, more_u, more_v, mask
    )
    off_y, a_y, b_y, c_y, side_uy, side_vy = _constant(
        second + 2 * plane, second + 3 * plane, first + 3 * plane, at, more_u, more_v, mask
    )
    slopes_share = slopes_weight * tl.rsqrt(off_x + off_y + 1e-6)
    a = weight * a + slopes_share * (a_x + a_y) + 0.01  # or nothing would hold places without contrast
    b = weight * b + slopes_share * (b_x + b_y)
    c = weight * c + slopes_share * (c_x + c_y) + 0.01
    side_u = a * base_u + b * base_v - weight * side_u - slopes_share * (side_ux + side_uy)
    side_v = b * base_u + c * base_v - weight * side_v - slopes_share * (side_vx + side_vy)
    y, x = at // width, at % width
    here = _stiffness(flow, y, x, height, width, smoothness, mask)
    left = tl.where(x > 0, _stiffness(flow, y, x - 1, height, width, smoothness, mask), 0.0)
    above = tl.where(y > 0, _stiffness(flow, y - 1, x, height, width, smoothness, mask), 0.0)
    right = tl.where(x < width - 1, here, 0.0)
    below = tl.where(y < height - 1, here, 0.0)
    a += left + above + right + below
    c += left + above + right + below
    scale = 1 / (a * c - b * b)
    tl.store(out + at, c * scale, mask=mask)
    tl.store(out + plane + at, -b * scale, mask=mask)
    tl.store(out + 2 * plane + at, a * scale, mask=mask)
    tl.store(out + 3 * plane + at, side_u, mask=mask)
    tl.store(out + 4 * plane + at, side_v, mask=mask)
    tl.store(out + 5 * plane + at, right, mask=mask)
    tl.store(out + 6 * plane + at, below, mask=mask)


@triton.jit
def _constant(across, down, change, at, more_u, more_v, mask):
    """What it means that something stays the same: its squared change, and a 2x2 matrix and a right side.

    All are divided by the squared slope, so that they count pixels and not levels.
    """
    g_u = tl.load(across + at, mask=mask, other=0.0)
    g_v = tl.load(down + at, mask=mask, other=0.0)
    z = tl.load(change + at, mask=mask, other=0.0)
    scale = 1 / (g_u * g_u + g_v * g_v + 0.01)  # never by 0
    off = z + g_u * more_u + g_v * more_v
    return (
        off * off * scale, g_u * g_u * scale, g_u * g_v * scale, g_v * g_v * scale,
        g_u * z * scale, g_v * z * scale,
    )  # fmt: skip


@triton.jit
def _stiffness(flow, y, x, height, width, smoothness: tl.constexpr, mask):
    """Weight of neighbours to the right and below: the less, the more the flow changes towards them."""
    total = tl.zeros_like(x).to(tl.float32) + 1e-6
    for direction in tl.static_range(2):
        plane = flow + direction * height * width
        here = at_pixel(plane, y, x, height, width, mask)
        across = at_pixel(plane, y, x + 1, height, width, mask) - here
        down = at_pixel(plane, y + 1, x, height, width, mask) - here
        total += across * across + down * down
    return smoothness * tl.rsqrt(total)


@triton.jit(do_not_specialize=SIZES)
def relax(flow, system, height, width, parity, omega: tl.constexpr, block: tl.constexpr):
    """Half a step of relaxation, in place: of every other pixel, as on a chessboard.

    Args:
        flow: (2, height, width).
        system: (7, height, width), see `equations`.
        parity: 0 or 1: of the pixels whose row and column add up to an even, or to an odd, number.
        omega: over-relaxation, 1 to 2.
    """
    at = tl.program_id(0) * block + tl.arange(0, block)
    half = (width + 1) // 2
    y = at // half
    x = 2 * (at % half) + (y + parity) % 2
    mask = (y < height) & (x < width)
    plane = height * width
    place = y * width + x
    here = system + place
    right = tl.load(here + 5 * plane, mask=mask, other=0.0)
    below = tl.load(here + 6 * plane, mask=mask, other=0.0)
    left = tl.load(here + 5 * plane - 1, mask=mask & (x > 0), other=0.0)
    above = tl.load(here + 6 * plane - width, mask=mask & (y > 0), other=0.0)
    side_u = tl.load(here + 3 * plane, mask=mask, other=0.0)
    side_v = tl.load(here + 4 * plane, mask=mask, other=0.0)
    side_u += _pull(flow, y, x, height, width, right, below, left, above, mask)
    side_v += _pull(flow + plane, y, x, height, width, right, below, left, above, mask)
    a = tl.load(here, mask=mask, other=0.0)
    b = tl.load(here + plane, mask=mask, other=0.0)
    c = tl.load(here + 2 * plane, mask=mask, other=0.0)
    u = tl.load(flow + place, mask=mask, other=0.0)
    v = tl.load(flow + plane + place, mask=mask, other=0.0)
    tl.store(flow + place, u + omega * (a * side_u + b * side_v - u), mask=mask)
    tl.store(flow + plane + place, v + omega * (b * side_u + c * side_v - v), mask=mask)


@triton.jit
def _pull(plane, y, x, height, width, right, below, left, above, mask):
    """What four neighbours, each with its weight, add up to."""
    total = right * at_pixel(plane, y, x + 1, height, width, mask)
    total += below * at_pixel(plane, y + 1, x, height, width, mask)
    total += left * at_pixel(plane, y, x - 1, height, width, mask)
    total += above * at_pixel(plane, y - 1, x, height, width, mask)
    return total
