"""The page about a run: complete by itself, true, and well-formed at every moment."""

from __future__ import annotations

import base64
import io
import re
import shutil
import time
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from chromium import Chromium
from PIL import Image
from tiny import random_pixels

from stylize_live.errors import SinkError
from stylize_live.media.image.io import Still, write_image
from stylize_live.nets.checkpoint import StyleInfo
from stylize_live.training import callbacks, run
from stylize_live.training.callbacks import TrainingCallbacks
from stylize_live.training.job import TrainingJob
from stylize_live.training.preview import Previews
from stylize_live.training.report import TrainingReport, write_training_report
from stylize_live.training.run import train_style
from stylize_live.training.settings import TrainSettings
from stylize_live.training.style_metrics import StyleFigures
from stylize_live.training.trainer import Progress

pytestmark = pytest.mark.usefixtures("small_features")
CPU = torch.device("cpu")
VOID = {"meta", "img"}


class Page(HTMLParser):
    """Checks that elements are closed in order, and collects the visible words."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.open: list[str] = []
        self.words = ""
        self.feed(self.source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Of SVG: nothing stays open."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def images(self) -> list[Image.Image]:
        found = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", self.source)
        return [Image.open(io.BytesIO(base64.b64decode(data))) for data in found]


@pytest.fixture
def report(tmp_path: Path) -> TrainingReport:
    write_image(tmp_path / "a & b.png", Still(random_pixels(60, 600)))
    return TrainingReport(
        title="A & <B>",
        by="Somebody, 1912",
        paintings=[tmp_path / "a & b.png"],
        columns=2,
        facts=[("photos", "2 <many>")],
        settings=TrainSettings(steps=40, content_weight=2.5),
        use="stylize-live live --style a",
    )


@pytest.fixture
def previews(tmp_path: Path) -> Path:
    folder = tmp_path / "previews"
    folder.mkdir()
    for name in ("photos", "step-000000", "step-000020", "step-000040"):
        write_image(folder / f"{name}.jpg", Still(random_pixels(128, 64)))
    return folder


def terms(value: float) -> dict[str, float]:
    return dict.fromkeys(("style", "content", "color", "variation", "steady"), value)


def test_page_of_a_run_under_way(report: TrainingReport, previews: Path, tmp_path: Path) -> None:
    progress = Progress(20, 9.0, 0.5, terms(1), [(10, terms(2)), (20, terms(1))], [0, 20])
    write_training_report(tmp_path / "r.html", report, progress, previews)
    page = Page(tmp_path / "r.html")
    assert "50 %" in page.words
    assert 'http-equiv="refresh"' in page.source
    assert "A & <B>" in page.words
    assert len(page.images) == 1 + 3  # the painting, the photos and two previews
    assert page.images[-1].height <= 4 * 60  # of a strip, a part


def test_a_page_that_is_not_written_any_more_tells_it(report: TrainingReport, tmp_path: Path) -> None:
    write_training_report(tmp_path / "r.html", replace(report, silence=600), Progress(20, 9.0, 0.5), tmp_path)
    page = Page(tmp_path / "r.html")
    (limit,) = re.findall(r"Date\.now\(\) / 1000 > (\d+)\)", page.source)
    assert 590 < int(limit) - time.time() < 610
    clock = re.search(r"trained at (\d\d:\d\d); the page reloads itself", page.words)
    assert clock is not None
    assert f'"trained at {clock[1]}, and no sign of life since: the run was ended.' in page.source


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_a_browser_shows_that_a_run_was_killed(
    report: TrainingReport, previews: Path, tmp_path: Path
) -> None:
    page = tmp_path / "r.html"
    said = "document.querySelector('.tile span').textContent"
    with Chromium(Path(shutil.which("chromium") or "")) as browser:
        for silence, words in ((600.0, "the page reloads itself"), (-1.0, "no sign of life since")):
            write_training_report(page, replace(report, silence=silence), Progress(20, 9.0, 0.5), previews)
            browser.open(page.as_uri()).until(f"{said}.includes('{words}')")


def test_page_of_an_interrupted_run(report: TrainingReport, previews: Path, tmp_path: Path) -> None:
    progress = Progress(20, 9.0, 0.5, terms(1), [(10, terms(2)), (20, terms(1))], [0, 20])
    write_training_report(tmp_path / "r.html", replace(report, interrupted=True), progress, previews)
    page = Page(tmp_path / "r.html")
    assert "50 %trained, then interrupted; the same command goes on from there" in page.words
    assert "refresh" not in page.source
    assert "script" not in page.source


def test_page_of_a_finished_run(report: TrainingReport, previews: Path, tmp_path: Path) -> None:
    history = [(step, terms(1 / step)) for step in range(10, 50, 10)]
    progress = Progress(40, 90.0, 1.0, terms(1), history, [0, 20, 40])
    write_training_report(
        tmp_path / "r.html", replace(report, figures=StyleFigures(0.512, 0.547, 12)), progress, previews
    )
    page = Page(tmp_path / "r.html")
    for word in ("0.51", "0.55", "1.5 min", "40 steps", "step 20", "stylize-live live --style a", "2 <many>"):
        assert word in page.words, word
    assert "refresh" not in page.source
    assert page.source.count("<svg") == 4
    assert '<tr class="changed"><td>steps</td><td>40</td>' in page.source
    assert not re.search(r"(src|href)=[\"'](?!data:)", page.source)
    assert not re.search(r"url\((?!data:)", page.source)
    assert re.search(r"https?://", page.source) is None


def test_a_loss_that_was_looked_at_once_has_no_curve(report: TrainingReport, tmp_path: Path) -> None:
    history = [(10, {"style": 1.0}), (20, {"style": 0.5, "color": 0.1})]
    write_training_report(tmp_path / "r.html", report, Progress(20, 9.0, 0.5, {}, history), tmp_path)
    assert Page(tmp_path / "r.html").source.count("<svg") == 1


def test_page_of_a_run_that_has_not_begun(report: TrainingReport, tmp_path: Path) -> None:
    write_training_report(tmp_path / "r.html", report, Progress(), tmp_path)
    page = Page(tmp_path / "r.html")
    assert "0 %" in page.words
    assert "losses" not in page.words


def test_page_that_cannot_be_written(report: TrainingReport, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot write the report"):
        write_training_report(tmp_path / "no" / "r.html", report, Progress(), tmp_path)


def test_a_run_leaves_a_page(job: TrainingJob) -> None:
    train_style(replace(job, info=StyleInfo("mine", "My Garden")), CPU, on_step=lambda progress: None)
    page = Page(job.report_path)
    assert "My Garden" in page.words
    assert "refresh" not in page.source
    written = sorted(path.name for path in job.previews.glob("step-*.jpg"))
    assert written == [
        "step-000000.jpg",
        "step-000001.jpg",
        "step-000002.jpg",
        "step-000003.jpg",
        "step-000004.jpg",
    ]
    assert len(page.images) == 1 + 1 + len(written)


@pytest.mark.parametrize(
    ("count", "fact", "origin"),
    [
        (3, "3 to practise on, 1 of them to measure on", "1 photo it has practised on, too."),
        (10, "9 to practise on, 1 to measure on", "1 photo kept out of training."),
        (20, "18 to practise on, 2 to measure on", "2 photos kept out of training."),
    ],
)
def test_the_page_tells_whether_photos_were_practised_on(
    job: TrainingJob, count: int, fact: str, origin: str
) -> None:
    for i in range(3, count):
        write_image(job.photos / f"{i}.png", Still(random_pixels(90, 80, i)))
    result = train_style(job, CPU, on_step=lambda progress: None)
    assert result.kept_out == (count >= 10)
    words = Page(job.report_path).words
    assert fact in words
    assert origin in words
    assert origin.split(" ", 1)[1].replace(".", "; the errors were measured there") in words


def test_a_resumed_run_keeps_its_early_previews_and_a_new_one_does_not(job: TrainingJob) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.step == 2:
            raise KeyboardInterrupt

    job.previews.mkdir()
    (job.previews / "step-009999.jpg").write_bytes(b"of an earlier run")
    with pytest.raises(KeyboardInterrupt):
        train_style(job, CPU, on_step=interrupt)
    assert not (job.previews / "step-009999.jpg").exists()
    assert "50 %trained, then interrupted" in Page(job.report_path).words
    (job.previews / "step-000000.jpg").unlink()  # whoever removes one loses that one
    pages: list[str] = []
    written = train_style(
        job, CPU, on_step=lambda _: pages.append(Page(job.report_path).words)
    ).progress.preview_steps
    assert "interrupted" not in pages[0]
    assert written[:2] == [0, 1]
    assert written[-1] == 4
    assert "before" not in Page(job.report_path).words


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SinkError("the disk is full"), MemoryError()])
@pytest.mark.parametrize("moment", ["practise", "save"])
def test_whatever_ends_a_run_is_told(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, error: BaseException, moment: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    if moment == "save":  # of the finished style
        monkeypatch.setattr(run, "save_checkpoint", fail)
    with pytest.raises(type(error)):
        train_style(job, CPU, on_step=fail if moment == "practise" else lambda progress: None)
    assert "trained, then interrupted" in Page(job.report_path).words


def test_every_minute_there_is_a_sign_of_life(job: TrainingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    pages: list[str] = []

    def step(progress: Progress) -> None:
        nonlocal now
        pages.append(Page(job.report_path).words)
        now += 40

    monkeypatch.setattr(run, "TrainingCallbacks", partial(TrainingCallbacks, clock=lambda: now))
    monkeypatch.setattr(callbacks, "_PREVIEW_SHARES", ())
    train_style(job, CPU, on_step=step)
    shares = [re.search(r"(\d+) %trained", page) for page in pages]
    assert [share and share[1] for share in shares] == ["0", "0", "50", "50"]


def test_previews_show_four_squares(tmp_path: Path) -> None:
    photos = [tmp_path / f"{i}.png" for i in range(7)]
    for i, path in enumerate(photos):
        write_image(path, Still(random_pixels(90 + 40 * i, 80, i)))
    photos[1].write_bytes(b"?")
    previews = Previews(tmp_path / "deep" / "folder", photos)
    previews.write_photos()
    assert previews.columns == 4
    with Image.open(tmp_path / "deep" / "folder" / "photos.jpg") as row:
        assert row.size == (4 * 320, 320)
