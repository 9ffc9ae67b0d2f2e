"""What an evaluation found out, as plain figures: for the page, the table and JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from stylize_live.training.evaluation import Errors
from stylize_live.training.optimisation import worth

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Optimised:
    """A photo that was painted without a network.

    Attributes:
        errors: iteration -> errors; 0 is the untouched photo.
        pictures: iteration -> file, relative to the report.
    """

    errors: dict[int, Errors]
    pictures: dict[int, PurePosixPath]


@dataclass(slots=True)
class PhotoFindings:
    """One photo in one style. Files are relative to the report.

    Attributes:
        name: of the photo.
        original: the photo as it was painted, scaled.
        painted: the result.
        rmse: see `engine.similarity`, as the next three.
        psnr: in decibels.
        ssim: up to 1.
        strokes: stroke energy, 1 for as much fine detail as the photo has.
        errors: style and content, None where there is no painting to compare with.
        optimised: what optimisation makes of it, None if that was not tried.
    """

    name: str
    original: PurePosixPath
    painted: PurePosixPath
    rmse: float
    psnr: float
    ssim: float
    strokes: float
    errors: Errors | None = None
    optimised: Optimised | None = None


@dataclass(slots=True)
class StyleFindings:
    """One style on all photos.

    Attributes:
        name: of the style.
        about: painter, painting, year, as far as the style file says.
        milliseconds: time for one picture, see `Findings.timed`.
        painting: picture of the painting relative to the report, or None.
        photos: figures of each photo.
    """

    name: str
    about: str
    milliseconds: float
    painting: PurePosixPath | None = None
    photos: list[PhotoFindings] = field(default_factory=list)

    def mean(self, figure: Callable[[PhotoFindings], float]) -> float:
        """Mean of a figure over the photos for which it is a number; NaN if there is none."""
        return _mean(figure(photo) for photo in self.photos)

    @property
    def style_error(self) -> float:
        """Mean over the photos; NaN without a painting."""
        return self.mean(lambda p: p.errors.style if p.errors else math.nan)

    @property
    def content_error(self) -> float:
        """Mean over the photos; NaN without a painting."""
        return self.mean(lambda p: p.errors.content if p.errors else math.nan)

    @property
    def compared(self) -> list[tuple[PhotoFindings, Errors, Optimised]]:
        """The photos that were optimised too, with what is known of both."""
        return [(p, p.errors, p.optimised) for p in self.photos if p.errors and p.optimised]

    def curve(self) -> dict[int, float]:
        """Iteration -> style error plus half the content error, mean over the photos optimised so far."""
        runs = [optimised.errors for _, _, optimised in self.compared]
        common = set.intersection(*(set(run) for run in runs)) if runs else set()
        return {at: _mean(run[at].total for run in runs) for at in sorted(common)}

    @property
    def total(self) -> float:
        """The same figure of the network, on the same photos; NaN if none was optimised."""
        return _mean(errors.total for _, errors, _ in self.compared)

    @property
    def worth(self) -> float | None:
        """How many iterations of optimisation the network's pictures are worth.

        NaN if no photo was optimised, None if optimisation never got there: more than it was given.
        """
        curve = self.curve()
        return worth(curve, self.total) if curve else math.nan


@dataclass(slots=True)
class Findings:
    """All styles.

    Attributes:
        size: short side of the photos in pixels.
        timed: what `milliseconds` is the time of, in words.
        features: what the errors were measured with, in words; "" if they were not.
        iterations: how far optimisation went, 0 for not at all.
        skipped: photos that could not be read.
        styles: in the order they were asked for.
    """

    size: int
    timed: str
    features: str
    iterations: int
    skipped: int = 0
    styles: list[StyleFindings] = field(default_factory=list)

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


def _style_dict(style: StyleFindings) -> dict[str, object]:
    curve = style.curve()
    reached = style.worth is not None
    return {
        "name": style.name,
        "style_error": _known(style.style_error),
        "content_error": _known(style.content_error),
        "worth_iterations": _known(style.worth if style.worth is not None else max(curve)),
        "worth_more": not reached,  # than that: optimisation did not get as far
        **_likeness(style.mean),
        "milliseconds": _known(style.milliseconds),
        "optimised": {str(at): _known(total) for at, total in curve.items()},
        "photos": [_photo_dict(photo) for photo in style.photos],
    }


def _photo_dict(photo: PhotoFindings) -> dict[str, object]:
    return {
        "name": photo.name,
        "style_error": _known(photo.errors.style if photo.errors else math.nan),
        "content_error": _known(photo.errors.content if photo.errors else math.nan),
        **_likeness(lambda figure: figure(photo)),
    }


def _likeness(of: Callable[[Callable[[PhotoFindings], float]], float]) -> dict[str, float | None]:
    return {
        "rmse": _known(of(lambda p: p.rmse)),
        "psnr": _known(of(lambda p: p.psnr)),
        "ssim": _known(of(lambda p: p.ssim)),
        "stroke_energy": _known(of(lambda p: p.strokes)),
    }


def _known(value: float) -> float | None:
    return round(value, _DIGITS) if math.isfinite(value) else None


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
