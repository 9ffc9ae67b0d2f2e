"""What an evaluation found out, as plain figures: for the page, the table and JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from stylize_live.training.style_metrics import ImageErrors

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class OptimizationResult:
    """A photo that was painted without a network.

    Attributes:
        errors: of the image.
        image: file, relative to the report.
    """

    errors: ImageErrors
    image: PurePosixPath


@dataclass(slots=True)
class PhotoResults:
    """One photo in one style. Files are relative to the report.

    Attributes:
        name: of the photo.
        original: the photo as it was painted, scaled.
        painted: the result.
        rmse: see `engine.image_metrics`, as the next three.
        psnr: in decibels.
        ssim: up to 1.
        strokes: stroke energy, 1 for as much fine detail as the photo has.
        errors: style and content, None where there is no painting to compare with.
        wasserstein: style as sliced Wasserstein distance; NaN without a painting.
        lpips: how different from the photo it looks; NaN where that was not measured.
        optimised: what optimisation makes of it, None if that was not tried.
    """

    name: str
    original: PurePosixPath
    painted: PurePosixPath
    rmse: float
    psnr: float
    ssim: float
    strokes: float
    errors: ImageErrors | None = None
    wasserstein: float = math.nan
    lpips: float = math.nan
    optimised: OptimizationResult | None = None


@dataclass(slots=True)
class StyleResults:
    """One style on all photos.

    Attributes:
        name: of the style.
        about: artist, painting, year, as far as the style file says.
        milliseconds: time for one image, see `EvaluationResults.timed`.
        painting: image of the painting relative to the report, or None.
        photos: figures of each photo.
    """

    name: str
    about: str
    milliseconds: float
    painting: PurePosixPath | None = None
    photos: list[PhotoResults] = field(default_factory=list)

    def mean(self, figure: Callable[[PhotoResults], float]) -> float:
        """Mean of a figure over the photos for which it is a number; NaN if there is none."""
        return _mean(figure(photo) for photo in self.photos)

    @property
    def style_error(self) -> float:
        """Mean over the photos; NaN without a painting."""
        return self.mean(_style_error)

    @property
    def content_error(self) -> float:
        """Mean over the photos; NaN without a painting."""
        return self.mean(_content_error)


@dataclass(slots=True)
class EvaluationResults:
    """All styles.

    Attributes:
        size: short side of the photos in pixels.
        timed: what `milliseconds` is the time of, in words.
        features: what the errors were measured with, in words; "" if they were not.
        lpips: whether that was measured.
        iterations: how far optimisation went, 0 for not at all.
        skipped: photos that could not be read.
        styles: in the order they were asked for.
    """

    size: int
    timed: str
    features: str
    lpips: bool
    iterations: int
    skipped: int = 0
    styles: list[StyleResults] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        """For JSON: what is not known is null."""
        return {
            "size": self.size,
            "timed": self.timed,
            "features": self.features or None,
            "iterations": self.iterations,
            "photos_skipped": self.skipped,
            "styles": [_style_dict(style) for style in self.styles],
        }


def _style_dict(style: StyleResults) -> dict[str, object]:
    return {
        "name": style.name,
        **_figures(style.mean),
        "milliseconds": _known(style.milliseconds),
        "photos": [_photo_dict(photo) for photo in style.photos],
    }


def _photo_dict(photo: PhotoResults) -> dict[str, object]:
    optimised = None
    if photo.optimised is not None:
        errors = photo.optimised.errors
        optimised = {"style_error": _known(errors.style), "content_error": _known(errors.content)}
    return {"name": photo.name, **_figures(lambda figure: figure(photo)), "optimised": optimised}


def _figures(of: Callable[[Callable[[PhotoResults], float]], float]) -> dict[str, float | None]:
    return {
        "style_error": _known(of(_style_error)),
        "style_wasserstein": _known(of(lambda p: p.wasserstein)),
        "content_error": _known(of(_content_error)),
        "lpips": _known(of(lambda p: p.lpips)),
        "rmse": _known(of(lambda p: p.rmse)),
        "psnr": _known(of(lambda p: p.psnr)),
        "ssim": _known(of(lambda p: p.ssim)),
        "stroke_energy": _known(of(lambda p: p.strokes)),
    }


def _style_error(photo: PhotoResults) -> float:
    return photo.errors.style if photo.errors else math.nan


def _content_error(photo: PhotoResults) -> float:
    return photo.errors.content if photo.errors else math.nan


def _known(value: float) -> float | None:
    return round(value, _DIGITS) if math.isfinite(value) else None


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
