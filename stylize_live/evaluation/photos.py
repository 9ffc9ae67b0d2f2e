"""What `stylize-live evaluate` does with images: paint, measure, and optimise the same photos beside it."""

from __future__ import annotations

import logging
import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor

from stylize_live.config import EngineSettings
from stylize_live.engine import Stylizer
from stylize_live.engine.image_metrics import psnr, rmse, ssim, stroke_energy
from stylize_live.engine.style_loading import load_style
from stylize_live.engine.torch_device import choose_torch_device
from stylize_live.errors import SourceError
from stylize_live.evaluation.lpips import load_lpips
from stylize_live.evaluation.optimization_cache import OptimizationCache
from stylize_live.evaluation.paintings import find_paintings
from stylize_live.evaluation.results import EvaluationResults, OptimizationResult, PhotoResults, StyleResults
from stylize_live.evaluation.settings import EvaluationSettings
from stylize_live.evaluation.wasserstein import SlicedWasserstein
from stylize_live.files import make_folder, name_beside, shorten_name, slug
from stylize_live.frame import Pixels
from stylize_live.media.image.io import Still, on_paper, read_image, resize, write_image
from stylize_live.naming import display_name
from stylize_live.nets.checkpoint import Checkpoint
from stylize_live.system.clock import monotonic
from stylize_live.training.dataset import find_photos, is_strip, split_photos, to_tensor
from stylize_live.training.features import FeatureNetwork, load_features
from stylize_live.training.painting import load_painting
from stylize_live.training.settings import TrainSettings
from stylize_live.training.style_metrics import ImageErrors, StyleMetrics

log = logging.getLogger(__name__)

_MOST_PHOTOS = 12  # of a folder
_LONGEST_PHOTO = 80  # bytes of a name, beside which a style's has room
_TIMED_SIZE = (640, 360)  # pixels
_TIMED_RUNS = 15


@dataclass(frozen=True, slots=True)
class EvaluationJob:
    """What to judge, and where to report.

    Attributes:
        styles: names, files or blends.
        photos: images and folders of images.
        paintings: see `paintings.find_paintings`.
        features: VGG16 weights as safetensors, or None for those in `lpips` or torchvision's own.
        lpips: weights of LPIPS, see `lpips.load_lpips`; without it that is not measured.
        report: folder for images and optimised photos; made if it is not there.
        settings: size, and how much is optimised.
        engine: how to paint; its style does not count.
    """

    styles: list[str]
    photos: list[Path]
    paintings: list[str]
    features: Path | None
    lpips: Path | None
    report: Path
    settings: EvaluationSettings = EvaluationSettings()  # noqa: RUF009 (frozen)
    engine: EngineSettings = EngineSettings()  # noqa: RUF009 (frozen)


@dataclass(frozen=True, slots=True)
class _Photo:
    """A photo to paint: its name, its pixels at the size of the report, where it stands in the report."""

    name: str
    pixels: Pixels
    file: PurePosixPath


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A style to judge; the painting is (1, 3, H, W) as its training saw it, or None."""

    text: str
    name: str
    file: str
    checkpoint: Checkpoint
    painting_file: Path | None
    painting: Tensor | None


class _Metrics:
    """Measures images against one painting, in one pass through the features."""

    def __init__(self, features: FeatureNetwork, painting: Tensor) -> None:
        self._features = features
        self._metrics = StyleMetrics(features, [painting])
        with torch.no_grad():
            found = features(painting)
        self._wasserstein = SlicedWasserstein({layer: found[layer] for layer in features.measured_layers})

    @torch.no_grad()
    def __call__(self, image: Tensor, photo: Tensor) -> tuple[ImageErrors, float]:
        """Errors, and style as sliced Wasserstein distance; (1, 3, h, w) in [0, 1] both."""
        found = self._features(image)
        errors = self._metrics.compare(found, self._metrics.content_of(photo))
        return errors, self._wasserstein(found)


OnProgress = Callable[[str, float], None]


class PhotoEvaluation:
    """Judges styles on photos.

    Args:
        job: what to judge.

    Attributes:
        results: what is known so far.

    Raises:
        StyleError: a style cannot be read.
        SourceError: a painting, or every one of the photos, cannot be read.
        UsageError: a painting that is not there, or could be any of several.
        TrainingError: weights that cannot be read; a folder without photos.
        SinkError: the report's folder cannot be written.
    """

    def __init__(self, job: EvaluationJob) -> None:
        self._job = job
        checkpoints = {text: load_style(text) for text in dict.fromkeys(job.styles)}
        names = _names(list(checkpoints))
        found = find_paintings(job.paintings, names)
        self._device = choose_torch_device(job.engine.device)
        self._candidates = [
            self._candidate(text, name, checkpoint, found.get(name))
            for name, (text, checkpoint) in zip(names, checkpoints.items(), strict=True)
        ]
        weights = job.features or job.lpips
        self._features = load_features(weights, device=self._device, dtype=torch.float32) if found else None
        self._lpips = load_lpips(job.lpips, device=self._device) if job.lpips else None
        chosen = _choose_photos(job.photos)
        make_folder(job.report / "pictures")
        self._photos, skipped = self._read_photos(chosen)
        self._optimised = OptimizationCache(job.report, self._features) if self._features else None
        self.results = EvaluationResults(
            job.settings.size,
            timed="",
            features=(weights.name if weights else "torchvision's VGG16") if found else "",
            lpips=self._lpips is not None,
            iterations=job.settings.iterations if found and job.settings.optimised else 0,
            skipped=skipped,
        )

    def _candidate(self, text: str, name: str, checkpoint: Checkpoint, painting: Path | None) -> _Candidate:
        image = load_painting(painting, _painting_settings(checkpoint)).to(self._device) if painting else None
        return _Candidate(text, name, name_beside(_safe(name), ""), checkpoint, painting, image)

    @property
    def without_painting(self) -> list[str]:
        """Styles for which no painting was found, so that their errors stay unknown."""
        return [c.name for c in self._candidates if c.painting is None]

    def paint(self, on_progress: OnProgress) -> None:
        """Paint every photo in every style and measure; fills `results`.

        Args:
            on_progress: called with what is being done, and the share that is done.
        """
        steps = len(self._candidates) * len(self._photos)
        for index, candidate in enumerate(self._candidates):
            settings = self._job.engine.model_copy(update={"style": candidate.text})
            with Stylizer.from_settings(settings) as stylizer:
                style = self._begin(candidate, stylizer)
                self.results.styles.append(style)
                metrics = self._make_metrics(candidate)
                for photo in self._photos:
                    done = index * len(self._photos) + len(style.photos)
                    on_progress(f"{style.name}: {photo.name}", done / steps)
                    style.photos.append(self._measure(candidate, photo, stylizer, metrics))
        on_progress("painted", 1.0)

    def optimise(self, on_progress: OnProgress) -> Iterator[None]:
        """Optimise the first photos towards every painting; yields after each, when `results` has grown.

        What is in the report's folder already is taken from there.

        Args:
            on_progress: as for `paint`.
        """
        if self._optimised is None:
            return
        pairs = [
            (number, painting, style)
            for number in range(min(self._job.settings.optimised, len(self._photos)))
            for candidate, style in zip(self._candidates, self.results.styles, strict=True)
            if (painting := candidate.painting) is not None
        ]
        for index, (number, painting, style) in enumerate(pairs):
            tell = _part(on_progress, index, len(pairs))
            style.photos[number].optimised = self._optimise(
                self._optimised, number, painting, style.name, tell
            )
            yield
        on_progress("optimised", 1.0)

    def _optimise(
        self, cache: OptimizationCache, number: int, painting: Tensor, style: str, on_progress: OnProgress
    ) -> OptimizationResult:
        photo, iterations = self._photos[number], self.results.iterations

        def tell(iteration: int) -> None:
            share = iteration / iterations
            on_progress(f"{style}: {photo.name}, iteration {iteration} of {iterations}", share)

        tell(0)
        pixels = to_tensor(photo.pixels).to(self._device)
        return cache.make(painting, pixels, iterations, on_iteration=tell)

    def _read_photos(self, paths: list[Path]) -> tuple[list[_Photo], int]:
        size, photos, skipped = self._job.settings.size, list[_Photo](), 0
        for path in paths:
            try:
                image = _read_photo(path)
            except SourceError as error:
                log.warning("photo skipped: %s", error)
                skipped += 1
                continue
            pixels = np.ascontiguousarray(resize(image, size))
            name = shorten_name(_safe(path.stem), _LONGEST_PHOTO)
            file = PurePosixPath("pictures", f"{len(photos) + 1:02d}-{name}.jpg")
            write_image(self._job.report / file, Still(pixels))
            photos.append(_Photo(path.stem, pixels, file))
        if not photos:
            raise SourceError("none of the photos can be read")
        return photos, skipped

    def _begin(self, candidate: _Candidate, stylizer: Stylizer) -> StyleResults:
        info = candidate.checkpoint.info
        about = ", ".join(part for part in (info.artist, info.title, info.year) if part)
        style = StyleResults(candidate.name, about, _milliseconds(stylizer))
        width, height = _TIMED_SIZE
        self.results.timed = f"{width}x{height}, {stylizer.device}, {stylizer.precision}"
        if candidate.painting_file is not None:
            style.painting = PurePosixPath("pictures", f"{candidate.file}-painting.jpg")
            image = resize(on_paper(read_image(candidate.painting_file, least_side=240)), 240)
            write_image(self._job.report / style.painting, Still(image))
        return style

    def _make_metrics(self, candidate: _Candidate) -> _Metrics | None:
        if self._features is None or candidate.painting is None:
            return None
        return _Metrics(self._features, candidate.painting)

    def _measure(
        self, candidate: _Candidate, photo: _Photo, stylizer: Stylizer, metrics: _Metrics | None
    ) -> PhotoResults:
        painted = stylizer(photo.pixels)
        file = photo.file.with_name(f"{photo.file.stem}-{candidate.file}.jpg")
        write_image(self._job.report / file, Still(painted))
        original, result = (to_tensor(pixels).to(self._device) for pixels in (photo.pixels, painted))
        errors, wasserstein = metrics(result, original) if metrics else (None, math.nan)
        return PhotoResults(
            photo.name,
            photo.file,
            file,
            rmse=rmse(painted, photo.pixels),
            psnr=psnr(painted, photo.pixels),
            ssim=ssim(painted, photo.pixels),
            strokes=stroke_energy(painted, photo.pixels),
            errors=errors,
            wasserstein=wasserstein,
            lpips=self._lpips.distance(original, result) if self._lpips else math.nan,
        )


def _part(on_progress: OnProgress, index: int, count: int) -> OnProgress:
    """Tell of one part of several that follow each other as a share of the whole."""
    return lambda what, share: on_progress(what, (index + share) / count)


def _choose_photos(given: list[Path]) -> list[Path]:
    """Files as they are; of a folder all photos, or of a large one those that training keeps out of it."""
    chosen: list[Path] = []
    for path in given:
        if not path.exists():
            raise SourceError(f"{path}: no such photo or folder of photos")
        found = find_photos(path) if path.is_dir() else [path]
        chosen += found if len(found) <= _MOST_PHOTOS else split_photos(found)[1]
    return chosen


def _read_photo(path: Path) -> Pixels:
    """A photo as it looks on paper.

    Raises:
        SourceError: it cannot be read, or is a long strip, which no report can show.
    """
    pixels = on_paper(read_image(path))
    if is_strip(pixels):
        raise SourceError(f"{path}: too long and narrow to be judged")
    return pixels


def _painting_settings(checkpoint: Checkpoint) -> TrainSettings:
    """How the style's training scaled and softened its painting; styles from before softening say nothing."""
    record = checkpoint.training.get("settings")
    if not isinstance(record, dict):
        return TrainSettings()
    kept = {"painting_size": record.get("painting_size"), "painting_blur": record.get("painting_blur", 0.0)}
    try:
        return TrainSettings.model_validate({k: v for k, v in kept.items() if v is not None})
    except ValidationError:
        return TrainSettings()


def _names(styles: list[str]) -> list[str]:
    """What to call styles: files by their stem, unless two would then be called the same."""
    short = [display_name(text) for text in styles]
    return [name if short.count(name) == 1 else text for name, text in zip(short, styles, strict=True)]


def _milliseconds(stylizer: Stylizer) -> float:
    """Median time of one image of `_TIMED_SIZE`."""
    stylizer.warm_up(_TIMED_SIZE)
    image = np.full((_TIMED_SIZE[1], _TIMED_SIZE[0], 3), 128, np.uint8)
    times = []
    for _ in range(_TIMED_RUNS):
        begun = monotonic()
        stylizer(image)
        times.append(monotonic() - begun)
    return 1000 * statistics.median(times)


def _safe(name: str) -> str:
    """As part of a file's name."""
    return slug(name, gap="-").strip("-.") or "unnamed"
