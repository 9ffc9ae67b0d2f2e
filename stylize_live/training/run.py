"""One training run from painting to style file: what `stylize-live train` does."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from stylize_live.engine.core.render_options import NATURAL_SIDE
from stylize_live.engine.cpu.features import floating_precision
from stylize_live.errors import SinkError, StylizeError, TrainingError
from stylize_live.nets.checkpoint import (
    UNFINISHED,
    Checkpoint,
    is_unfinished,
    load_checkpoint,
    save_checkpoint,
    weights_of,
)
from stylize_live.nets.transformer import ResidualTransformer, initialise
from stylize_live.system.clock import monotonic
from stylize_live.system.replacing import remove
from stylize_live.training.callbacks import TrainingCallbacks, build_network
from stylize_live.training.checkpoint import read_plan
from stylize_live.training.color_match import match_colors
from stylize_live.training.color_transfer import PhotoStatistics, vivid
from stylize_live.training.dataset import (
    Crops,
    PhotoBatches,
    photo_word,
    sample_crops,
)
from stylize_live.training.features import FeatureNetwork, load_features
from stylize_live.training.job import TrainingJob, TrainingResult
from stylize_live.training.job_photos import JobPhotos, photos_of
from stylize_live.training.keyframe_dataset import KeyframeBatches, load_keyframe
from stylize_live.training.keyframe_objective import KeyframeObjective
from stylize_live.training.objective import Objective, TrainingObjective
from stylize_live.training.painting import load_painting
from stylize_live.training.plan import (
    Plan,
    feature_precision,
    make_plan,
    patch_side,
    plan_keyframes,
    step_seconds,
)
from stylize_live.training.preview import SIDE, Previews
from stylize_live.training.report import SILENCE, TrainingReport
from stylize_live.training.resident import ResidentBatches
from stylize_live.training.run_ends import RunEnds, usual_of
from stylize_live.training.settings import TrainSettings
from stylize_live.training.style_metrics import StyleFigures, StyleMetrics, measure_style
from stylize_live.training.trainer import Progress, Trainer, minutes_of, steps_budget

log = logging.getLogger(__name__)

_MOST_THREADS = 8  # that read photos for a GPU
_MATCHED = 48  # crops whose colors are matched


def train_style(
    job: TrainingJob,
    device: torch.device,
    *,
    restart: bool = False,
    on_step: Callable[[Progress], None],
    on_note: Callable[[str], None] = lambda note: None,
) -> TrainingResult:
    """Train a style, writing previews, a report and a state file on the way and the style at the end.

    Files that exist are replaced; see `TrainingJob.in_the_way`. Minutes hold everything from the moment
    the features are loaded: preparing, practice and measuring.

    Interrupting (KeyboardInterrupt) keeps the state, also while the result is being measured; the same job
    then goes on from there. A style that can be used is left as well, marked as unfinished, unless that
    would replace a finished one.

    Args:
        job: see `TrainingJob`.
        device: where to train.
        restart: throw an unfinished run's state away.
        on_step: called after each step.
        on_note: told in words what comes next: the plan, and that the result is measured.

    Raises:
        TrainingError: no photos, unreadable features or paintings, or the loss diverged.
        SourceError: a painting cannot be read.
        StyleError: the starting style cannot be read.
        SinkError: the target's folder cannot be written.
    """
    # What a user may have got wrong shows before half a gigabyte of features is fetched.
    _check_target(job.target)
    settings = job.settings
    pairs = [load_keyframe(keyframe).to(device) for keyframe in job.keyframes]
    paintings = [pair.subjects for pair in pairs]
    paintings = paintings or [load_painting(path, settings).to(device) for path in job.paintings]
    photos = photos_of(job)
    start = None if job.start is None else load_checkpoint(job.start)
    run_ends = RunEnds(start, bold_only=bool(job.keyframes))
    network = run_ends.network() or _new_network(job)
    if restart:
        remove(job.state_path)
    plan = _earlier_plan(job, device)
    precision = plan.features if plan else feature_precision(device)
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    features = load_features(job.features, device=device, dtype=dtype)
    begun = monotonic()
    objective = _objective(features, paintings, photos, job, device)
    metrics = StyleMetrics(features, paintings)
    minutes = minutes_of(settings)
    measuring = _seconds_to_measure(network, metrics, photos.measured, device) if minutes else 0.0
    if plan is None:
        seconds = steps_budget(minutes, measuring + monotonic() - begun) if minutes else None
        whole = max(pairs, key=lambda pair: pair.photos.numel(), default=None)
        plan = (plan_keyframes if pairs else make_plan)(
            settings,
            device,
            precision,
            seconds=seconds,
            one_step=lambda: step_seconds(objective, network, whole),
        )
    with _batches(photos.training, pairs, plan, settings, device) as batches:
        trainer = Trainer(
            network,
            objective,
            batches,
            settings,
            device=device,
            state_path=job.state_path,
            task=_task([*paintings, *(pair.photos for pair in pairs)], features, network),
            files=(job.report_path, job.previews, job.target),
            plan=plan,
            prepared=monotonic() - begun,
            measuring=measuring,
        )
        trainer.resume()
        resumed_at = trainer.progress.step
        if not resumed_at:
            on_note(plan.describe(minutes))
        # Frames are shown at the size that they are painted at, because strokes have a size.
        previews = Previews(job.previews, photos.measured, NATURAL_SIDE if pairs else SIDE)
        report = replace(_report(job, photos, previews.columns, plan, device), silence=SILENCE + measuring)
        callbacks = TrainingCallbacks(
            report, job.report_path, previews, trainer, network.architecture, device, on_step
        )
        ends: list[dict[str, Tensor]] = []  # once there are no more steps to come
        try:
            _run_steps(trainer, callbacks)
            ends = run_ends.of(trainer)
            if not pairs:
                _match_colors(trainer, ends, batches, paintings, settings)
            on_note(_measuring(len(photos.measured), measuring))
            learnt = run_ends.practised(ends)
            figures = _measure(trainer, learnt, metrics, photos.measured, device, features.gain)
            callbacks.finish(figures, learnt)
            # The style last: until it is there, the same job goes on from the state.
            _save(job, trainer, ends, _record(job, trainer.progress, plan, device) | _errors(figures))
        except BaseException as error:
            try:
                if isinstance(error, KeyboardInterrupt):
                    _leave_unfinished(job, trainer, ends or run_ends.of(trainer), plan, device)
            finally:
                callbacks.mark_interrupted()
            raise
    trainer.finish()
    unreadable = sorted(photos.unreadable | batches.unreadable)
    return TrainingResult(trainer.progress, figures, photos.are_kept_out, unreadable, resumed_at)


@torch.no_grad()
def _match_colors(
    trainer: Trainer,
    ends: list[dict[str, Tensor]],
    batches: PhotoBatches | ResidentBatches | KeyframeBatches,
    paintings: list[Tensor],
    settings: TrainSettings,
) -> None:
    """Bring the colors of what was learnt to the painting's, in place.

    A base has many paintings. Where the photo's brightness is added, what is painted is no map of the last
    layer alone.
    """
    if not settings.match or len(paintings) > 1 or settings.brightness:
        return
    device = paintings[0].device
    network = build_network(trainer.network.architecture, usual_of(ends), device)
    crops = [batches(step).photos.to(device) for step in range(-(-_MATCHED // batches.size))]
    painted = torch.cat([network(photos) for photos in crops])
    match_colors(ends, painted, vivid(paintings[0], settings.contrast, settings.saturation), settings.match)


def _earlier_plan(job: TrainingJob, device: torch.device) -> Plan | None:
    """The plan of the run that is resumed; None for a fresh one."""
    if not job.state_path.exists():
        return None
    # Before there were plans, a run did what a run without measured figures does.
    precision = "bfloat16" if device.type == "cuda" else floating_precision()
    return read_plan(job.state_path) or make_plan(job.settings, device, precision)


def _seconds_to_measure(
    network: ResidualTransformer, metrics: StyleMetrics, photos: list[Path], device: torch.device
) -> float:
    """What measuring the result will take, going by one photo."""
    started = monotonic()
    measure_style(network, metrics, photos[:1], device)
    return len(photos) * (monotonic() - started)


def _measuring(photos: int, seconds: float) -> str:
    about = f", about {seconds:.0f} seconds" if seconds >= 1 else ""
    return f"measuring the result on {photos} {photo_word(photos)}{about}"


def _measure(
    trainer: Trainer,
    weights: dict[str, Tensor],
    metrics: StyleMetrics,
    photos: list[Path],
    device: torch.device,
    gain: float,
) -> StyleFigures:
    """The errors of weights that were learnt, on the scale of VGG16's; what this takes is counted."""
    started = monotonic()
    trainer.progress.left = 0.0
    final = build_network(trainer.network.architecture, weights, torch.device("cpu"))
    figures = measure_style(final, metrics, photos, device)
    trainer.progress.seconds += monotonic() - started
    return replace(figures, style=figures.style * gain, content=figures.content * gain)


def _save(
    job: TrainingJob, trainer: Trainer, ends: list[dict[str, Tensor]], record: dict[str, object]
) -> None:
    bold, *faithful = (weights_of(end) for end in ends)
    architecture = trainer.network.architecture
    save_checkpoint(job.target, Checkpoint(job.info, architecture, bold, record, *faithful))


def _leave_unfinished(
    job: TrainingJob, trainer: Trainer, ends: list[dict[str, Tensor]], plan: Plan, device: torch.device
) -> None:
    """Write what was learnt as a style that says that it is unfinished; a finished one stays."""
    if trainer.progress.step and (not job.target.exists() or is_unfinished(job.target)):
        share = {UNFINISHED: round(min(1.0, trainer.progress.done), 3)}
        _save(job, trainer, ends, _record(job, trainer.progress, plan, device) | share)


def _objective(
    features: FeatureNetwork,
    paintings: list[Tensor],
    photos: JobPhotos,
    job: TrainingJob,
    device: torch.device,
) -> TrainingObjective:
    if job.keyframes:
        return KeyframeObjective(features, job.settings, patch_side(job.settings, device))
    statistics = PhotoStatistics.of(sample_crops(photos.training))
    return Objective(features, paintings, statistics, job.settings)


def _batches(
    photos: list[Path], pairs: list[Crops], plan: Plan, settings: TrainSettings, device: torch.device
) -> PhotoBatches | ResidentBatches | KeyframeBatches:
    """On a GPU, photos lie in its memory; on a CPU, reading many ahead would take its cores away."""
    if pairs:
        return KeyframeBatches(pairs, batch=plan.batch, seed=settings.seed)
    if device.type != "cuda":
        return PhotoBatches(
            photos, batch=plan.batch, crop=plan.crop, seed=settings.seed, lines=settings.lines
        )
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    return ResidentBatches(
        photos,
        batch=plan.batch,
        crop=plan.crop,
        seed=settings.seed,
        device=device,
        threads=threads,
        lines=settings.lines,
    )


def _run_steps(trainer: Trainer, callbacks: TrainingCallbacks) -> None:
    """Train to the end of the budget; what was learnt is on the disk then, and after a Ctrl-C or an error."""
    # From the first file on, the state tells whose report and previews these are.
    trainer.save()
    callbacks.begin()
    try:
        trainer.run(on_step=callbacks)
    except KeyboardInterrupt:
        trainer.save()
        raise
    except TrainingError:  # weights that are nonsense are not worth it
        raise
    except Exception:
        try:
            trainer.save()
        except StylizeError as error:  # of the two, the first is told
            log.warning("%s", error)
        raise
    # Measuring takes a while, too, and is no time to lose everything in.
    trainer.save()


def _task(paintings: list[Tensor], features: FeatureNetwork, start: ResidualTransformer) -> str:
    """A hash that tells runs with other paintings, other features or another start apart."""
    digest = hashlib.sha256(type(features).__name__.encode())
    weights = (*features.state_dict().values(), *start.state_dict().values())
    for tensor in (*paintings, *weights):
        digest.update(tensor.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()


def _check_target(target: Path) -> None:
    """Fail before hours of work, not after."""
    if target.suffix != ".safetensors":
        raise SinkError(f"{target}: a style file's name ends in .safetensors")
    if not target.parent.is_dir():
        raise SinkError(f"{target.parent}: no such folder for the style file")
    if target.is_dir() or not os.access(target.parent, os.W_OK):
        raise SinkError(f"{target}: cannot write the style file there")


def _new_network(job: TrainingJob) -> ResidualTransformer:
    network = ResidualTransformer()
    initialise(network, job.settings.seed)
    return network


def _record(job: TrainingJob, progress: Progress, plan: Plan, device: torch.device) -> dict[str, object]:
    return {
        "steps": progress.step,
        "minutes": round(progress.seconds / 60, 1),
        "device": device.type,
        "batch": plan.batch,
        "crop": plan.crop,
        "started_from": job.start.stem if job.start else "scratch",
        "features": _features_name(job),
        "settings": job.settings.model_dump(exclude={"steps", "minutes", "batch", "crop"}),
    }


def _errors(figures: StyleFigures) -> dict[str, object]:
    return {
        "photos_measured": figures.photos,
        "style_error": round(figures.style, 3),
        "content_error": round(figures.content, 3),
    }


def _features_name(job: TrainingJob) -> str:
    return Path(job.features).stem if job.features else "vgg16"


def _report(
    job: TrainingJob, photos: JobPhotos, columns: int, plan: Plan, device: torch.device
) -> TrainingReport:
    info = job.info
    of_them = "" if photos.are_kept_out else " of them"
    facts = [
        ("paintings", ", ".join(path.name for path in job.paintings)),
        *(("painted over", pair.frame.name) for pair in job.keyframes),
        ("photos", f"{len(photos.training)} to practise on, {len(photos.measured)}{of_them} to measure on"),
        ("features", _features_name(job)),
        ("started from", job.start.stem if job.start else "scratch"),
        ("device", device.type),
        ("steps", plan.describe(minutes_of(job.settings))),
        ("style file", str(job.target)),
    ]
    by = ", ".join(word for word in (info.artist, info.year) if word)
    return TrainingReport(
        info.title or info.name,
        by,
        [path for pair in job.keyframes for path in (pair.frame, pair.painting)] or job.paintings,
        columns,
        facts,
        job.settings,
        job.use,
        kept_out=photos.are_kept_out,
    )
