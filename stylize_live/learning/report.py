"""The page about a style that was kept, as training leaves one; made in the process that learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylize_live.learning.messages import LearningJob
from stylize_live.learning.photos import held_out_photos
from stylize_live.nets.catalogue import style_word
from stylize_live.nets.checkpoint import load_checkpoint
from stylize_live.nets.ends import usual_end
from stylize_live.system.commands import quote

if TYPE_CHECKING:
    from stylize_live.training.refinement import Refinement


def write_report(style: Path, job: LearningJob, refinement: Refinement) -> Path:
    """Paint some photos before and after, and write the page beside a style's file.

    Raises:
        StylizeError: the style or the painting is gone, or the page cannot be written.
    """
    from stylize_live.training.preview import Previews
    from stylize_live.training.report import TrainingReport, write_training_report

    checkpoint = load_checkpoint(style)
    device, progress = refinement.device, refinement.progress
    previews = Previews(style.with_name(f"{style.stem}-previews"), held_out_photos())
    previews.clear()
    previews.write_photos()
    steps = sorted({0, progress.step})
    for step, one in zip((0, progress.step), (job.start, checkpoint), strict=True):
        previews.write(f"step-{step:06d}.jpg", usual_end(one).network().to(device), device)
    facts = [
        ("painting", job.painting.name),
        ("device", device.type),
        ("learnt in", f"{refinement.seconds / 60:.1f} minutes, {progress.step} steps, beside other work"),
        ("style file", str(style)),
    ]
    info = checkpoint.info
    report = TrainingReport(
        info.title or info.name,
        ", ".join(word for word in (info.artist, info.year) if word),
        [job.painting],
        previews.columns,
        facts,
        refinement.settings,
        f"stylize-live live --style {quote(style_word(style))}",
        interrupted=True,
    )
    path = style.with_name(f"{style.stem}-report.html")
    done = min(1.0, refinement.seconds / job.seconds) if job.seconds else 1.0
    so_far = replace(progress, preview_steps=steps, done=done, seconds=refinement.seconds)
    write_training_report(path, report, so_far, previews.folder)
    return path
