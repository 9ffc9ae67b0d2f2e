"""The report of an evaluation: a page with table, plots and images, and the figures as JSON beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from stylize_live.errors import SinkError, UsageError
from stylize_live.evaluation.results import EvaluationResults, PhotoResults, StyleResults
from stylize_live.reports import page
from stylize_live.reports.charts import scatter
from stylize_live.reports.svg import Chart
from stylize_live.training.style_metrics import ImageErrors
from stylize_live.wording import as_json

PAGE, FIGURES = "index.html", "figures.json"
_SHOWN = 4  # photos of each style that are seen without asking

_MEANING = {
    "style error": "How far the image's texture is from the painting's: the squared difference of Gram "
    "matrices relative to the painting's own, summed over four layers of the features. An untouched photo "
    "has 2 or more.",
    "sliced Wasserstein": "The same question asked of whole distributions instead of Gram matrices (Heitz et "
    "al., 2021): features of the same layers along random directions, in order of size, compared with the "
    "painting's.",
    "content error": "How much of the photo is lost: the squared difference of deep features, relative to "
    "the photo's own. An untouched photo has 0.",
    "LPIPS": "How different from the photo the image looks (Zhang et al., 2018, with VGG16): 0 is equal. "
    "More is no fault: images that keep much of the photo are seldom preferred.",
    "RMSE": "Root mean square difference from the original, white being 1.",
    "PSNR": "The same on a logarithmic scale, in decibels: higher is nearer to the original.",
    "SSIM": "Structural similarity to the original (Wang et al., 2004): 1 is equal.",
    "strokes": "Stroke energy: the mean squared difference of neighbouring pixels relative to the "
    "original's. More than 1 means more fine detail than the photo has.",
    "ms": "Median time of one image, network and conversions.",
}

HELPERS = "These figures are helpers, not the judge: how good a style looks is decided by blind pairs."


def check_folder(folder: Path) -> None:
    """Refuse a folder whose page is no report, before minutes of work.

    Raises:
        UsageError: it has an index.html, but no figures beside it.
        SinkError: it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise SinkError(f"{folder}: is a file, a report needs a folder")
    if (folder / PAGE).exists() and not (folder / FIGURES).exists():
        raise UsageError(f"{folder / PAGE}: already exists and is not a report: choose another folder")


def write_evaluation(folder: Path, results: EvaluationResults) -> Path:
    """Write the page and the figures.

    Args:
        folder: where the images are that the results name.
        results: what to report.

    Returns:
        The page.

    Raises:
        SinkError: the folder cannot be written.
    """
    figures = as_json(results.to_dict(), indent=2)
    page.write_text_file(folder / FIGURES, figures)
    page.write_text_file(folder / PAGE, _page(results))
    return folder / PAGE


def columns(results: EvaluationResults) -> list[str]:
    """Which figures are known."""
    errors = ["style error", "sliced Wasserstein", "content error"] if results.features else []
    lpips = ["LPIPS"] if results.lpips else []
    return [*errors, *lpips, "RMSE", "PSNR", "SSIM", "strokes", "ms"]


def row(style: StyleResults, results: EvaluationResults) -> list[str]:
    """The figures of a style in words, see `columns`."""
    words = {
        "style error": _number(style.style_error),
        "sliced Wasserstein": _number(style.mean(lambda p: p.wasserstein)),
        "content error": _number(style.content_error),
        "LPIPS": _number(style.mean(lambda p: p.lpips)),
        "RMSE": _number(style.mean(lambda p: p.rmse)),
        "PSNR": _number(style.mean(lambda p: p.psnr), 1),
        "SSIM": _number(style.mean(lambda p: p.ssim)),
        "strokes": _number(style.mean(lambda p: p.strokes), 2),
        "ms": _number(style.milliseconds, 1),
    }
    return [words[column] for column in columns(results)]


def _number(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def _page(results: EvaluationResults) -> str:
    styles = results.styles
    return page.render(
        "evaluation.html",
        title=f"Evaluation of {styles[0].name if len(styles) == 1 else f'{len(styles)} styles'}",
        helpers=HELPERS,
        about=_about(results),
        columns=columns(results),
        meaning=_MEANING,
        chart=_chart(results),
        styles=styles,
        shown=_SHOWN,
        row=partial(row, results=results),
        caption=_caption,
        more=lambda photos: _count(len(photos), "more photo"),
        beside=partial(_beside, results.iterations),
    )


def _about(results: EvaluationResults) -> str:
    photos = max((len(style.photos) for style in results.styles), default=0)
    words = [f"{_count(photos, 'photo')}, short side {results.size} pixels."]
    if results.skipped:
        words.append(f"{results.skipped} more could not be read.")
    if results.features:
        words.append(f"Errors measured with {results.features}.")
    words.append(f"Time of one image: {results.timed}.")
    return " ".join(words)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _chart(results: EvaluationResults) -> Chart | None:
    points = {style.name: (style.content_error, style.style_error) for style in results.styles}
    known = {name: point for name, point in points.items() if all(map(math.isfinite, point))}
    return scatter(known, "content error", "style error") if len(known) > 1 else None


def _caption(photo: PhotoResults) -> str:
    figures = [
        f"RMSE {_number(photo.rmse)}",
        f"PSNR {_number(photo.psnr, 1)} dB",
        f"SSIM {_number(photo.ssim)}",
        f"strokes {_number(photo.strokes, 2)}",
    ]
    if not math.isnan(photo.lpips):
        figures.insert(0, f"LPIPS {photo.lpips:.3f}")
    if photo.errors:
        style = f"style {photo.errors.style:.3f}, sliced Wasserstein {photo.wasserstein:.3f}"
        figures = [style, f"content {photo.errors.content:.3f}", *figures]
    return ", ".join(figures)


def _beside(iterations: int, style: StyleResults, photo: PhotoResults) -> Iterator[tuple[PurePosixPath, str]]:
    """The network's image and optimisation's, each with a line of words."""
    yield photo.painted, _errors(style.name, photo.errors)
    if photo.optimised:
        yield photo.optimised.image, _errors(f"{iterations} iterations", photo.optimised.errors)


def _errors(name: str, errors: ImageErrors | None) -> str:
    return f"{name}: style {errors.style:.2f}, content {errors.content:.2f}" if errors else name
