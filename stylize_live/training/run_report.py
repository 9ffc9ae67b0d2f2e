"""A page about a training run: painting, results, how they came about, figures, settings.

One file without references to others, so that it can be sent and kept. While the run goes on the page
reloads itself, and notices when it is not written any more.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template

import numpy as np

from stylize_live.errors import SinkError
from stylize_live.files import replacing
from stylize_live.media.still import Still, encoded, on_paper, read_still, resized
from stylize_live.training.curves import curve, running_mean
from stylize_live.training.evaluation import StyleFigures
from stylize_live.training.photos import which_photos
from stylize_live.training.settings import TrainSettings
from stylize_live.training.trainer import Progress

_TEMPLATE = Path(__file__).with_name("run_report.html")
_PAINTING_SIDE = 480  # pixels, the short one
_RELOAD = 15  # seconds
_GOES_ON = "the same command goes on from there"
_INTERRUPTED = f"trained, then interrupted; {_GOES_ON}"
SILENCE = 300.0  # seconds without a sign of life, after which a run has ended
_TERMS = {
    "style": "Relative error of the painting's texture, at full and at half size. 0 is the painting itself.",
    "content": "How much of the subject was lost, the photo being in the painting's colours; 0 is nothing.",
    "color": "How far light, dark and colours are from where they should be.",
    "steady": "Disagreement of two views of one photo: what flickers in a film.",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What is known about a run beside its progress.

    Attributes:
        title: of the style.
        by: painter and year, may be empty.
        paintings: files.
        columns: photos in each row of previews.
        facts: further lines for the table of settings: name and value.
        settings: of the run.
        use: a command that uses the style.
        kept_out: whether the photos that are shown and measured were kept out of training.
        figures: errors on these photos, once they are measured.
        interrupted: whether the run was ended before, and could go on.
        silence: seconds after which a page that is not written again tells that the run has ended.
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


def write_report(path: Path, report: Report, progress: Progress, previews: Path) -> None:
    """Write the page as far as the run has come.

    Args:
        path: .html file.
        report: see `Report`.
        progress: steps, losses, and which previews there are.
        previews: folder of the rows, see `Previews`.

    Raises:
        SourceError: a painting cannot be read any more.
        SinkError: the page cannot be written.
    """
    rows = _rows(progress, previews)
    page = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        reload=f'<meta http-equiv="refresh" content="{_RELOAD}">' if report.under_way else "",
        title=escape(report.title),
        by=escape(report.by),
        spread=100 * report.columns,
        looks=max(1, len(rows) - 1),
        pictures="\n".join(f".{name} {{ background-image: url({_data(data)}); }}" for name, _, data in rows),
        paintings="".join(f'<img src="{_painting(p)}" alt="{escape(p.name)}">' for p in report.paintings),
        state=_state(report, progress),
        body=_results(rows, report)
        + _growth(rows, report.columns)
        + _losses(progress)
        # The settings last: few want to read them.
        + _settings(report),
    )
    try:
        with replacing(path) as temporary:
            temporary.write_text(page, encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: cannot write the report: {error.strerror}") from None


Row = tuple[str, str, bytes]  # class on the page, caption, JPEG


def _rows(progress: Progress, previews: Path) -> list[Row]:
    """The photos, then every look; without those that somebody has removed."""
    files = [("photos", "the photos", previews / "photos.jpg")]
    for step in progress.looks:
        caption = f"step {step}" if step else "before"
        files.append((f"look{step}", caption, previews / f"step-{step:06d}.jpg"))
    return [(name, caption, path.read_bytes()) for name, caption, path in files if path.is_file()]


def _data(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


@lru_cache(maxsize=16)
def _painting(path: Path) -> str:
    pixels = on_paper(read_still(path, least_side=_PAINTING_SIDE))
    longest = 4 * min(pixels.shape[:2])  # of a strip, a part is enough
    pixels = pixels[:longest, :longest]
    if min(pixels.shape[:2]) > _PAINTING_SIDE:
        pixels = resized(pixels, _PAINTING_SIDE)
    return _data(encoded(Still(np.ascontiguousarray(pixels)), "JPEG"))


def _cell(name: str, caption: str, column: int, columns: int) -> str:
    place = 100 * column / max(1, columns - 1)
    return f'<div class="cell {name}" style="--x:{place:.2f}%" role="img" aria-label="{caption}"></div>'


def _state(report: Report, progress: Progress) -> str:
    figures = report.figures
    if figures is None:
        share = f"{100 * min(progress.done, 1):.0f}"
        clock = f"{datetime.now():%H:%M}"
        stands = f"trained at {clock}; the page reloads itself" if report.under_way else _INTERRUPTED
        return (
            f'<div class="tiles">{_tile(f"{share} %", stands)}'
            f"{_tile(str(progress.step), 'steps')}</div>"
            f'<div class="bar"><i style="width:{share}%"></i></div>'
            f"{_notice(report.silence, clock) if report.under_way else ''}"
        )
    measured = which_photos(figures.photos, kept_out=report.kept_out)
    tiles = [
        _tile(f"{figures.style:.2f}", "style error; the painting itself has 0, an untouched photo about 4"),
        _tile(f"{figures.content:.2f}", "content error, colours included; the photo itself has 0"),
        _tile(f"{progress.seconds / 60:.1f} min", f"of training, {progress.step} steps"),
        _tile(str(figures.photos), f"{measured}; the errors were measured there"),
    ]
    return f'<div class="tiles">{"".join(tiles)}</div><code class="use">{escape(report.use)}</code>'


def _notice(silence: float, clock: str) -> str:
    """What tells, in the browser, that a run was killed: it does not write that itself."""
    ended = f"trained at {clock}, and no sign of life since: the run was ended. {_GOES_ON.capitalize()}"
    return (
        f"<script>if (Date.now() / 1000 > {datetime.now().timestamp() + silence:.0f}) "
        f"document.querySelector('.tile span').textContent = '{ended}'</script>"
    )


def _tile(value: str, meaning: str) -> str:
    return f'<div class="tile"><b>{value}</b><span>{meaning}</span></div>'


def _results(rows: list[Row], report: Report) -> str:
    if len(rows) < 2:
        return ""
    columns = report.columns
    pairs = [
        f"<div>{_cell('photos', 'photo', i, columns)}{_cell(rows[-1][0], 'painted', i, columns)}</div>"
        for i in range(columns)
    ]
    return (
        "<h2>What it paints</h2>"
        f'<p class="soft">{columns} {which_photos(columns, kept_out=report.kept_out)}.</p>'
        f'<div class="pairs">{"".join(pairs)}</div>'
    )


def _growth(rows: list[Row], columns: int) -> str:
    looks = [(name, caption) for name, caption, _ in rows if name != "photos"]
    if len(looks) < 2:
        return ""
    captions = "".join(f"<span>{caption}</span>" for _, caption in looks)
    cells = "".join(_cell(name, caption, i, columns) for i in range(columns) for name, caption in looks)
    return (
        '<h2>How it grew</h2><p class="soft">The same photos, from left to right.</p>'
        f'<div class="growth"><div>{captions}{cells}</div></div>'
    )


def _losses(progress: Progress) -> str:
    charts = "".join(_chart(name, meaning, progress) for name, meaning in _TERMS.items())
    if not charts:
        return ""
    return (
        '<h2>The losses</h2><p class="soft">On the crops it practised on; lower is better.</p>'
        f'<div class="curves">{charts}</div>'
    )


def _chart(name: str, meaning: str, progress: Progress) -> str:
    """One loss over the steps; nothing, if it was looked at less than twice."""
    points = [(step, terms[name]) for step, terms in progress.history if name in terms]
    if len(points) < 2:
        return ""
    steps, values = zip(*points, strict=True)
    return (
        f'<figure class="curve"><figcaption><b>{name}</b>'
        f"<span>{running_mean(values)[-1]:.3g}</span></figcaption>"
        f'<p class="soft">{meaning}</p>{curve(steps, values)}</figure>'
    )


def _settings(report: Report) -> str:
    lines = [
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td><td></td></tr>" for name, value in report.facts
    ]
    for name, field in type(report.settings).model_fields.items():
        value = getattr(report.settings, name)
        changed = ' class="changed"' if value != field.default else ""
        lines.append(
            f"<tr{changed}><td>{name.replace('_', ' ')}</td><td>{'-' if value is None else value}</td>"
            f'<td class="soft">{escape(field.description or "")}</td></tr>'
        )
    return f"<details><summary>Settings</summary><table>{''.join(lines)}</table></details>"
