"""Where everything in an image was a moment ago: optical flow of the *input*, reduced.

A glance at a quarter of the small image finds where anything moves; that part is then searched as
carefully as a fixed number of pixels allows. So a hand before a wall is followed at the small image's
full size, and a moving camera, which everything follows, at a smaller one, in about the same time.

Both are dense inverse search (Kroeger et al., ECCV 2016) down to single pixels, with variational
refinement. Blurring the flow, or refining it by least squares, makes it worse (figures in
docs/research/steadiness.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.frame import Pixels, to_eight_bits
from stylize_live.media.libraries import cv2

Plane = npt.NDArray[np.float32]
_Box = tuple[slice, slice]  # rows and columns of an image

_REDUCTION = 2.0
_MOST_PIXELS = 480 * 270  # of the small image: larger inputs are reduced further, to bound the time
_LEAST_SIDE = 16  # pixels of whatever is searched: less cannot be
_GLANCE_REDUCTION = 4  # of the small image
_CAREFUL_PIXELS = 44_000  # of what moves, searched carefully; more is reduced to that and searched quickly
_LEAST_MOVING = np.ones((7, 7), np.uint8)  # pixels of the small image; what is thinner counts as noise
_MARGIN = 14  # pixels of the small image around what moves that are searched with it
_LEAST_BOX = 64  # pixels of the small image: smaller parts are widened, to have something to find
_NEARLY_ALL = 0.95  # of the image
WINDOW = (7, 7)  # pixels of the small image over which mismatches are averaged
# Grey levels by which real motion has to explain an image better than standing still does: flow in
# still places is nothing but noise, and would make them tremble.
STILL_MARGIN = 0.45
STILL_PIXELS = 2.1  # of the small image: what moved farther than this did move
_NO_MAP: Any = None  # the stubs do not know that one map may be all


@dataclass(frozen=True, slots=True)
class Motion:
    """How one input image follows from the one before.

    Attributes:
        flow: (h, w, 2) float32: a point now at (x, y) was at (x, y) + flow, in pixels of the small
            image; exactly 0 where nothing moved.
        mismatch: (h, w) float32, grey levels by which the moved old image differs, averaged over
            a few pixels.
        texture: (h, w) float32, grey levels: standard deviation over the same few pixels.
        light: grey levels by which the whole image got lighter or darker.
    """

    flow: Plane
    mismatch: Plane
    texture: Plane
    light: float


class FlowEstimator:
    """Follows a stream of images. Use one from one thread at a time.

    Attributes:
        everywhere: whether something moved nearly everywhere in the last frame; may be set. Then the next
            is searched as a whole, without a glance, which would not save anything.
    """

    def __init__(self) -> None:
        self.everywhere = False
        self._glance = _search(patch_distance=5, refinements=0)
        self._quickly = _search(patch_distance=5, refinements=1)
        self._carefully = _search(patch_distance=4, refinements=2)

    def __call__(self, before: Pixels, now: Pixels) -> Motion:
        """Compare two small grey images of one size, see `shrink`."""
        unmoved = _box_mean(cv2.absdiff(now, before))
        flow = (
            self._search_part(before, now) if self.everywhere else self._search_moving(before, now, unmoved)
        )
        fit = _Fit.of(before, now, flow, unmoved)
        self.everywhere = _is_all(_box(fit.moving), now.shape)
        # Along the motion: otherwise a camera that turns to a lighter place would look like a fade.
        light = abs(cv2.mean(now)[0] - cv2.mean(fit.followed)[0])
        mismatch = _where(fit.moving, fit.moved, unmoved)
        return Motion(_where(fit.moving, flow, np.zeros_like(flow)), mismatch, _deviation(now), light)

    def _search_moving(self, before: Pixels, now: Pixels, unmoved: Plane) -> Plane:
        glance = _search_patches(self._glance, before, now, _GLANCE_REDUCTION)
        box = _box(_Fit.of(before, now, glance, unmoved).moving)
        flow = np.zeros((*now.shape, 2), np.float32)
        if box is not None:
            flow[box] = self._search_part(before[box], now[box])
        return flow

    def _search_part(self, before: Pixels, now: Pixels) -> Plane:
        if now.size <= _CAREFUL_PIXELS:
            return _search_patches(self._carefully, before, now, 1.0)
        return _search_patches(self._quickly, before, now, (now.size / _CAREFUL_PIXELS) ** 0.5)


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well a flow explains an image by the one before.

    Attributes:
        followed: (h, w) uint8, the old image moved along the flow.
        moved: (h, w) float32, grey levels by which the new image differs from it, averaged over a
            few pixels.
        moving: (h, w) uint8, a mask: not 0 where standing still does not explain it as well.
    """

    followed: Pixels
    moved: Plane
    moving: Pixels

    @classmethod
    def of(cls, before: Pixels, now: Pixels, flow: Plane, unmoved: Plane) -> _Fit:
        """Try a flow; unmoved is as `moved`, for standing still."""
        followed = warp(before, flow)
        moved = _box_mean(cv2.absdiff(now, followed))
        moving = went_far(flow) | (cv2.subtract(unmoved, moved) > STILL_MARGIN)
        return cls(followed, moved, moving.view(np.uint8))


def went_far(flow: Plane) -> npt.NDArray[np.bool_]:
    """Which motion is of `STILL_PIXELS` or more: (h, w, 2) float32 -> (h, w)."""
    # Not by `cv2.magnitude`, whose last digit depends on where in memory a plane lies: the same frames are to
    # give the same result in every run.
    across, down = flow[..., 0], flow[..., 1]
    return np.asarray(across * across + down * down >= np.float32(STILL_PIXELS**2))


def _search(*, patch_distance: int, refinements: int) -> Any:
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    search.setFinestScale(0)
    search.setPatchStride(patch_distance)
    search.setVariationalRefinementIterations(refinements)
    return search


def _search_patches(search: Any, before: Pixels, now: Pixels, reduction: float) -> Plane:
    """The flow between two images, (h, w, 2) in their pixels, searched in reduced ones."""
    size = now.shape[1::-1]
    less = _shrunk_size(size, reduction)
    return rescale_flow(search.calc(_scale(now, less), _scale(before, less), None), size)


def _box(moving: Pixels) -> _Box | None:
    """The part of an image in which a mask says that anything moves, with a margin; None without any."""
    firmly = cv2.erode(moving, _LEAST_MOVING)
    left, top, width, height = cv2.boundingRect(firmly)
    if not width:
        return None
    return _stretch(top, height, moving.shape[0]), _stretch(left, width, moving.shape[1])


def _is_all(box: _Box | None, shape: tuple[int, ...]) -> bool:
    """Whether a part is (nearly) all of an image, (h, w)."""
    if box is None:
        return False
    rows, columns = box
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    return bool(area >= _NEARLY_ALL * shape[0] * shape[1])


def _stretch(first: int, length: int, limit: int) -> slice:
    """A stretch with a margin, at least `_LEAST_BOX` long, within 0 to the limit."""
    half = max(length // 2 + _MARGIN, _LEAST_BOX // 2)
    middle = first + length // 2
    return slice(max(0, middle - half), min(limit, middle + half))


def shrink(pixels: Pixels, size: tuple[int, int] | None = None) -> Pixels:
    """The small grey image that motion is measured on.

    Args:
        pixels: (H, W, 3) uint8 or uint16 RGB.
        size: its (width, height); None is what `shrunk_size` says.

    Returns:
        (h, w) uint8.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)  # first: reducing one channel is faster than three
    return to_eight_bits(_scale(np.asarray(grey, pixels.dtype), size or shrunk_size(pixels.shape[1::-1])))


def shrunk_size(size: tuple[int, int], reduction: float = _REDUCTION) -> tuple[int, int]:
    """The (width, height) at which the motion of images of another is measured.

    Args:
        size: of the images.
        reduction: of their sides, at least.
    """
    return _shrunk_size(size, max(reduction, (size[0] * size[1] / _MOST_PIXELS) ** 0.5))


def _shrunk_size(size: tuple[int, int], factor: float) -> tuple[int, int]:
    """A (width, height) divided by a factor, but not below what can be searched."""
    width, height = (max(_LEAST_SIDE, round(side / factor)) for side in size)
    return width, height


def _scale(plane: Pixels, size: tuple[int, int]) -> Pixels:
    if plane.shape[1::-1] == size:
        return np.ascontiguousarray(plane)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), plane.dtype)


def rescale_flow(flow: Plane, size: tuple[int, int]) -> Plane:
    """A flow for an image of another (width, height), in its pixels: (h, w, 2) -> (height, width, 2)."""
    height, width = flow.shape[:2]
    if (width, height) == size:
        return flow
    # Four numbers are a scalar to OpenCV, one for each channel: a fifth of numpy's time for two.
    pixels = cv2.multiply(flow, np.array([size[0] / width, size[1] / height, 0, 0]))
    return np.asarray(cv2.resize(pixels, size), np.float32)


def warp(image: npt.NDArray[Any], flow: Plane) -> npt.NDArray[Any]:
    """An image moved along a flow that tells where each of its pixels was: bilinear, edges repeated.

    Args:
        image: (H, W) or (H, W, C), uint8, uint16 or float32.
        flow: (H, W, 2), in pixels.
    """
    how = cv2.INTER_LINEAR | cv2.WARP_RELATIVE_MAP
    return np.asarray(cv2.remap(image, flow, _NO_MAP, how, borderMode=cv2.BORDER_REPLICATE))


def _where(mask: Pixels, yes: Plane, no: Plane) -> Plane:
    """One plane where a mask is not 0, elsewhere the other, which may be changed: faster than numpy's."""
    return np.asarray(cv2.copyTo(yes, mask, no), np.float32)


def _box_mean(plane: npt.NDArray[Any]) -> Plane:
    return np.asarray(cv2.boxFilter(plane, cv2.CV_32F, WINDOW), np.float32)


def _deviation(plane: Pixels) -> Plane:
    mean = _box_mean(plane)
    square = cv2.sqrBoxFilter(plane, cv2.CV_32F, WINDOW)
    variance = cv2.subtract(square, cv2.multiply(mean, mean))
    return np.asarray(cv2.sqrt(np.maximum(variance, 0)), np.float32)
