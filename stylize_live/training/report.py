"""The report of an evaluation: a page with table, plots and pictures, and the figures as JSON beside it."""

from __future__ import annotations

import json
import math
from html import escape
from pathlib import Path, PurePosixPath

from stylize_live.errors import SinkError, UsageError
from stylize_live.files import replacing
from stylize_live.training.evaluation import Errors
from stylize_live.training.findings import Findings, Optimised, PhotoFindings, StyleFindings
from stylize_live.training.page import page, picture, table
from stylize_live.training.plots import scatter

PAGE, FIGURES = "index.html", "figures.json"
_SHOWN = 4  # photos of each style that are seen without asking

_MEANING = {
    "style error": "How far the picture's texture is from the painting's: the squared difference of Gram "
    "matrices relative to the painting's own, summed over four layers of the features. An untouched photo "
    "has 2 or more.",
    "sliced Wasserstein": "The same question asked of whole distributions instead of Gram matrices (Heitz et "
    "al., 2021): features of the same layers along random directions, in order of size, compared with the "
    "painting's.",
    "content error": "How much of the photo is lost: the squared difference of deep features, relative to "
    "the photo's own. An untouched photo has 0.",
    "LPIPS": "How different from the photo the picture looks (Zhang et al., 2018, with VGG16): 0 is equal. "
    "More is no fault: pictures that keep much of the photo are seldom preferred.",
    "RMSE": "Root mean square difference from the original, white being 1.",
    "PSNR": "The same on a logarithmic scale, in decibels: higher is nearer to the original.",
    "SSIM": "Structural similarity to the original (Wang et al., 2004): 1 is equal.",
    "strokes": "Stroke energy: the mean squared difference of neighbouring pixels relative to the "
    "original's. More than 1 means more fine detail than the photo has.",
    "ms": "Median time of one picture, network and conversions.",
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
        raise UsageError(f"{folder / PAGE}: is there already and no report, choose another folder")


def write_report(folder: Path, findings: Findings) -> Path:
    """Write the page and the figures.

    Args:
        folder: where the pictures are that the findings name.
        findings: what to report.

    Returns:
        The page.

    Raises:
        SinkError: the folder cannot be written.
    """
    figures = json.dumps(findings.to_dict(), indent=2, ensure_ascii=False)
    for name, text in ((FIGURES, figures), (PAGE, _page(findings))):
        try:
            with replacing(folder / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
        except OSError as error:
            raise SinkError(f"{folder / name}: cannot write: {error.strerror}") from None
    return folder / PAGE


def columns(findings: Findings) -> list[str]:
    """Which figures are known."""
    errors = ["style error", "sliced Wasserstein", "content error"] if findings.features else []
    lpips = ["LPIPS"] if findings.lpips else []
    return [*errors, *lpips, "RMSE", "PSNR", "SSIM", "strokes", "ms"]


def row(style: StyleFindings, findings: Findings) -> list[str]:
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
    return [words[column] for column in columns(findings)]


def _number(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def _page(findings: Findings) -> str:
    styles = findings.styles
    title = f"Evaluation of {styles[0].name if len(styles) == 1 else f'{len(styles)} styles'}"
    parts = [_intro(findings), _section(_table(findings) + _meaning(findings)), _plot(findings)]
    return page(title, "\n".join([*parts, *(_style(style, findings.iterations) for style in styles)]))


def _intro(findings: Findings) -> str:
    count = max((len(style.photos) for style in findings.styles), default=0)
    words = [f"{count} photo{'s' * (count != 1)}, short side {findings.size} pixels."]
    if findings.skipped:
        words.append(f"{findings.skipped} more could not be read.")
    if findings.features:
        words.append(f"Errors measured with {findings.features}.")
    words.append(f"Time of one picture: {findings.timed}.")
    return f'<p>{HELPERS}</p><p class="soft">{escape(" ".join(words))}</p>'


def _section(inner: str, anchor: str = "") -> str:
    return f'<section id="{escape(anchor)}">{inner}</section>' if anchor else f"<section>{inner}</section>"


def _table(findings: Findings) -> str:
    rows = []
    for style in findings.styles:
        name = f'<a href="#{escape(_anchor(style))}">{escape(style.name)}</a>'
        rows.append([name, *(escape(words) for words in row(style, findings))])
    return table(["style", *columns(findings)], rows)


def _meaning(findings: Findings) -> str:
    lines = "".join(f"<dt>{name}</dt><dd>{_MEANING[name]}</dd>" for name in columns(findings))
    return f"<details><summary>What the figures mean</summary><dl>{lines}</dl></details>"


def _plot(findings: Findings) -> str:
    known = [style for style in findings.styles if not math.isnan(style.style_error)]
    if len(known) < 2:
        return ""
    points = {style.name: (style.content_error, style.style_error) for style in known}
    return _section(scatter(points, "content error", "style error"))


def _style(style: StyleFindings, iterations: int) -> str:
    painting = picture(str(style.painting), f"The painting of {style.name}") if style.painting else ""
    about = f'<p class="soft">{escape(style.about)}</p>' if style.about else ""
    parts = [f'<div class="head">{painting}<div><h2>{escape(style.name)}</h2>{about}</div></div>']
    pairs = [_pair(photo) for photo in style.photos]
    parts.append(f'<h3>Original and result</h3><div class="pairs">{"".join(pairs[:_SHOWN])}</div>')
    if pairs[_SHOWN:]:
        rest = f'<div class="pairs">{"".join(pairs[_SHOWN:])}</div>'
        parts.append(f"<details><summary>{len(pairs) - _SHOWN} more photos</summary>{rest}</details>")
    parts += [_beside(p, p.optimised, style, iterations) for p in style.photos if p.optimised]
    return _section("".join(parts), _anchor(style))


def _pair(photo: PhotoFindings) -> str:
    pictures = picture(str(photo.original), photo.name) + picture(
        str(photo.painted), f"{photo.name}, painted"
    )
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
    words = f"{escape(photo.name)}: {', '.join(figures)}"
    return f'<figure><div class="pair">{pictures}</div><figcaption>{words}</figcaption></figure>'


def _beside(photo: PhotoFindings, optimised: Optimised, style: StyleFindings, iterations: int) -> str:
    """The network's picture and optimisation's."""
    shown = [
        _shown(photo.painted, style.name, photo.errors),
        _shown(optimised.picture, f"{iterations} iterations", optimised.errors),
    ]
    heading = f"<h3>Beside optimisation: {escape(photo.name)}</h3>"
    return f'{heading}<div class="strip">{"".join(shown)}</div>'


def _shown(file: PurePosixPath, name: str, errors: Errors | None) -> str:
    words = f"{name}: style {errors.style:.2f}, content {errors.content:.2f}" if errors else name
    return f"<figure>{picture(str(file), words)}<figcaption>{escape(words)}</figcaption></figure>"


def _anchor(style: StyleFindings) -> str:
    return f"style-{style.name}"
