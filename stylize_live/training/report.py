"""A page about a training run: painting, results, how they came about, figures, settings.

One file without references to others, so that it can be sent and kept. While the run goes on the page
reloads itself, and notices when it is not written any more.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stylize_live.media.image.io import Still, encode_image, on_paper, read_image, resize
from stylize_live.reports import page
from stylize_live.reports.charts import learning_curve, running_mean
from stylize_live.reports.svg import Chart
from stylize_live.training.dataset import which_photos
from stylize_live.training.settings import TrainSettings
from stylize_live.training.style_metrics import StyleFigures
from stylize_live.training.trainer import Progress

_PAINTING_SIDE = 480  # pixels, the short one
_RELOAD = 15  # seconds
_GOES_ON = "the same command goes on from there"
_INTERRUPTED = f"trained, then interrupted; {_GOES_ON}"
SILENCE = 300.0  # seconds without a sign of life, after which a run has ended
_TERMS = {
    "style": "Relative error of the painting's texture, at full and at half size. 0 is the painting itself.",
    "content": "How much of the subject was lost, the photo being in the painting's colours; 0 is nothing.",
    "color": "How far light, dark and colours are from where they should be.",
    "steady": "Disagreement of two views of one photo: what flickers in a video.",
}


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What is known about a run beside its progress.

    Attributes:
        title: of the style.
        by: artist and year, may be empty.
        paintings: files.
        columns: photos in each row of previews.
        facts: further lines for the table of settings: name and value.
        settings: of the run.
        use: a command that uses the style.
        kept_out: whether the photos that are shown and measured were kept out of training.
        figures: errors on these photos, once they are measured.
        interrupted: whether the run was ended before, and could go on.
        silence: seconds without an update after which the page says that the run has ended.
    """

    title: str
    by: str
    paintings: list[Path]
    columns: int
    facts: list[tuple[str, str]]
    settings: TrainSettings
    use: str
    kept_out: bool = True
    figures: StyleFigures | None = None
    interrupted: bool = False
    silence: float = SILENCE

    @property
    def under_way(self) -> bool:
        """Whether there is more to come."""
        return self.figures is None and not self.interrupted


def write_training_report(path: Path, report: TrainingReport, progress: Progress, previews: Path) -> None:
    """Write the page as far as the run has come.

    Args:
        path: .html file.
        report: see `TrainingReport`.
        progress: steps, losses, and which previews there are.
        previews: folder of the rows, see `Previews`.

    Raises:
        SourceError: a painting cannot be read any more.
        SinkError: the page cannot be written.
    """
    rows = _rows(progress, previews)
    now, figures = datetime.now(), report.figures
    stands = f"trained at {now:%H:%M}"
    text = page.render(
        "training.html",
        title=report.title,
        report=report,
        columns=report.columns,
        rows=rows,
        previews=[row for row in rows if row.name != "photos"],
        data=_data,
        painting=_painting,
        under_way=report.under_way,
        reload=_RELOAD,
        limit=round(now.timestamp() + report.silence),
        ended=f"{stands}, and no sign of life since: the run was ended. {_GOES_ON.capitalize()}",
        share=_share(progress),
        tiles=_figures(report, figures, progress) if figures else _so_far(report, progress, stands),
        which=which_photos(report.columns, kept_out=report.kept_out),
        losses=[loss for name, meaning in _TERMS.items() if (loss := _loss(name, meaning, progress))],
        settings=_settings(report.settings),
    )
    page.write_text_file(path, text)


class _Row(NamedTuple):
    """A row of previews: its class on the page, what is said of it, and the JPEG."""

    name: str
    caption: str
    jpeg: bytes


class _Loss(NamedTuple):
    """A loss over the steps, and its mean in the end."""

    name: str
    meaning: str
    mean: str
    chart: Chart


class _Setting(NamedTuple):
    """A line of the table of settings."""

    name: str
    value: object
    meaning: str
    changed: bool


def _rows(progress: Progress, previews: Path) -> list[_Row]:
    """The photos, then every preview; without those that somebody has removed."""
    files = [("photos", "the photos", previews / "photos.jpg")]
    for step in progress.preview_steps:
        caption = f"step {step}" if step else "before"
        files.append((f"step{step}", caption, previews / f"step-{step:06d}.jpg"))
    return [_Row(name, caption, path.read_bytes()) for name, caption, path in files if path.is_file()]


def _data(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


@lru_cache(maxsize=16)
def _painting(path: Path) -> str:
    pixels = on_paper(read_image(path, least_side=_PAINTING_SIDE))
    longest = 4 * min(pixels.shape[:2])  # of a strip, a part is enough
    pixels = pixels[:longest, :longest]
    if min(pixels.shape[:2]) > _PAINTING_SIDE:
        pixels = resize(pixels, _PAINTING_SIDE)
    return _data(encode_image(Still(np.ascontiguousarray(pixels)), "JPEG"))


def _share(progress: Progress) -> str:
    return f"{100 * min(progress.done, 1):.0f}"


def _so_far(report: TrainingReport, progress: Progress, stands: str) -> list[tuple[str, str]]:
    """Tiles of a run that is not over: a value and its meaning each."""
    said = f"{stands}; the page reloads itself" if report.under_way else _INTERRUPTED
    return [(f"{_share(progress)} %", said), (str(progress.step), "steps")]


def _figures(report: TrainingReport, figures: StyleFigures, progress: Progress) -> list[tuple[str, str]]:
    """Tiles of a run that is over."""
    measured = which_photos(figures.photos, kept_out=report.kept_out)
    return [
        (f"{figures.style:.2f}", "style error; the painting itself has 0, an untouched photo about 4"),
        (f"{figures.content:.2f}", "content error, colours included; the photo itself has 0"),
        (f"{progress.seconds / 60:.1f} min", f"of training, {progress.step} steps"),
        (str(figures.photos), f"{measured}; the errors were measured there"),
    ]


def _loss(name: str, meaning: str, progress: Progress) -> _Loss | None:
    """One loss over the steps; None, if it was looked at less than twice."""
    points = [(step, terms[name]) for step, terms in progress.history if name in terms]
    if len(points) < 2:
        return None
    steps, values = zip(*points, strict=True)
    return _Loss(name, meaning, f"{running_mean(values)[-1]:.3g}", learning_curve(steps, values))


def _settings(settings: TrainSettings) -> list[_Setting]:
    found = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        shown = "-" if value is None else value
        changed = value != field.default
        found.append(_Setting(name.replace("_", " "), shown, field.description or "", changed))
    return found
