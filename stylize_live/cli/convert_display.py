"""What `convert` shows while it works: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import TaskID, TimeRemainingColumn

from stylize_live.cli.console import print_beside, warn
from stylize_live.cli.convert_output import describe_seconds, say_outcome
from stylize_live.cli.progress_bars import Bars, NameColumn, bar_column, figures_column
from stylize_live.config import ConvertSettings
from stylize_live.lifecycle import Closeable
from stylize_live.system.clock import monotonic

if TYPE_CHECKING:
    from stylize_live.conversion.progress import ConvertProgress
    from stylize_live.conversion.queue import ConversionJob, ConversionOutcome
    from stylize_live.storage.places import Place

SECONDS_BETWEEN_LINES = 30.0
_EQUAL = 1000  # of which a bar shows shares


class ConvertDisplay(Closeable):
    """Progress of the video at work and, of several videos, of all; lines about those that are finished.

    All of them together count in pixels, so that a large video weighs more than a small one.

    Args:
        jobs: what is to be done.
        single: whether one video was named, whose errors are the command's own.
        settings: which part of each video, how large.
        overwrite: whether targets that exist are made again.
        restart: whether the command discards what is kept.
        json: whether standard output is for a report only.
    """

    def __init__(
        self,
        jobs: Sequence[ConversionJob],
        single: bool,
        settings: ConvertSettings,
        *,
        overwrite: bool,
        restart: bool,
        json: bool = False,
    ) -> None:
        self._jobs, self._single, self._overwrite, self._json = jobs, single, overwrite, json
        self._again = "the same command" + (" without --restart" if restart else "")
        self._bar = Bars(NameColumn(), bar_column(), figures_column("count"), TimeRemainingColumn())
        self._weights = {} if self._single or self._bar.disable else _weights(jobs, settings, overwrite)
        self._all: TaskID | None = None
        if not self._single:
            total = sum(self._weights.values())
            self._all = self._bar.add_task("all", total=total or None, count=f"0/{len(jobs)}")
        self._video: TaskID | None = None
        self._fetching: TaskID | None = None  # the source of the video at work
        self._job: ConversionJob | None = None
        self._totals: dict[Place, int | None] = {}
        self._finished = 0
        self._weight_finished = 0
        self._bars: dict[Place, TaskID] = {}  # of several videos at work
        self._said_at = monotonic()
        self._bar.start()

    def start(self, job: ConversionJob) -> None:
        """A video begins."""
        self._job, self._video = job, None

    def progress(self, progress: ConvertProgress) -> None:
        """The video at work has come so far."""
        if self._job is None:
            return
        self._totals[self._job.target] = progress.total
        if self._bar.disable:
            self._say_line(self._job, progress)
        else:
            self._draw(self._job, progress)

    def _draw(self, job: ConversionJob, progress: ConvertProgress) -> None:
        if progress.fetched is not None:
            self._draw_fetching(job, progress.fetched)
            return
        if self._fetching is not None:
            self._bar.remove_task(self._fetching)
            self._fetching = None
        total = "?" if progress.total is None else str(progress.total)
        count = f"{progress.frames}/{total}  {progress.fps:.1f} fps"
        if self._video is None:
            # What earlier runs did is there from the start, so that the time left is this run's own.
            self._video = self._bar.add_task(
                job.source.name, total=progress.total, completed=progress.resumed, count=count
            )
        self._bar.update(self._video, completed=progress.frames, total=progress.total, count=count)
        if self._all is not None and progress.total:
            share = min(1.0, progress.frames / progress.total)
            weight = self._weight_finished + share * self._weights.get(job.target, 0)
            self._bar.update(self._all, completed=weight)

    def _draw_fetching(self, job: ConversionJob, share: float) -> None:
        if self._fetching is None:
            self._fetching = self._bar.add_task(job.source.name, total=1.0, count="")
        self._bar.update(self._fetching, completed=share, count=f"{share:.0%} read")

    def _say_line(self, job: ConversionJob, progress: ConvertProgress) -> None:
        now = monotonic()
        if now - self._said_at < SECONDS_BETWEEN_LINES:
            return
        self._said_at = now
        place = "" if self._single else f"video {self._finished + 1} of {len(self._jobs)}, "
        if progress.fetched is not None:
            print_beside(f"{place}{job.source.name}: {progress.fetched:.0%} read from storage")
            return
        left = ""
        if progress.total is not None and progress.fps:
            left = f", {describe_seconds(max(0, progress.total - progress.frames) / progress.fps)} left"
        frames = count_frames(progress.frames, progress.total)
        print_beside(f"{place}{job.source.name}: {frames}, {progress.fps:.1f} frames per second{left}")

    def finish(self, outcome: ConversionOutcome) -> None:
        """The video at work ended with this outcome."""
        for task in (self._video, self._fetching):
            if task is not None:
                self._bar.remove_task(task)
        self._video = self._fetching = None
        self._job = None
        self._finished += 1
        self._weight_finished += self._weights.get(outcome.job.target, 0)
        if self._all is not None:
            count = f"{self._finished}/{len(self._jobs)}"
            self._bar.update(self._all, completed=self._weight_finished, count=count)
        say_outcome(outcome, self._single, beside=self._json)
        if outcome.status == "failed":
            self._say_kept(outcome.job.target)

    def interrupt(self) -> None:
        """After Ctrl-C: say what is kept, and what to do."""
        self.close()
        if not self._single:
            print_beside(f"{self._finished} of {len(self._jobs)} videos done")
        kept = [self._say_kept(job.target) for job in self._jobs]
        if self._job is not None and not kept[self._jobs.index(self._job)]:
            _say_lost(self._job.target)

    def _say_kept(self, target: Place) -> bool:
        """What is finished of a video, if anything is."""
        from stylize_live.conversion.segment_store import count_kept_frames

        frames = count_kept_frames(target)
        is_made = isinstance(target, Path) and target.exists()  # what storage has, keeps no segments here
        goes_on = frames > 0 and (self._overwrite or not is_made)
        if goes_on:
            again = f"{self._again} goes on (--restart begins anew)"
            warn(f"{target}: {count_frames(frames, self._totals.get(target))} kept; {again}")
        return goes_on

    def close(self) -> None:
        """Take the bars away. May be called twice."""
        self._bar.stop()


def _say_lost(target: Place) -> None:
    """What becomes of a video of which no segment is finished, or that is made in one go."""
    from stylize_live.media.formats.image_sequence import is_sequence
    from stylize_live.media.formats.pipes import PIPE

    if isinstance(target, Path) and is_sequence(target):
        warn(f"{target}: the images written so far are kept; the same command with --overwrite begins anew")
    elif target != PIPE:
        warn(f"{target}: nothing kept yet; the same command begins anew")


def count_frames(frames: int, total: int | None) -> str:
    """ "12 frames" or "12 of 300 frames"."""
    return f"{frames} frames" if total is None else f"{frames} of {total} frames"


def _weights(jobs: Sequence[ConversionJob], settings: ConvertSettings, overwrite: bool) -> dict[Place, int]:
    """What each target weighs: pixels to paint; none where a video crashes the process that opens it.

    Sources on storage are not opened before their turn, so that all weigh the same beside them.
    """
    from stylize_live.conversion.worker_process import answer_in_subprocess
    from stylize_live.storage.places import StorageUrl

    if any(isinstance(job.source, StorageUrl) for job in jobs):
        return {job.target: _EQUAL for job in jobs}
    return answer_in_subprocess(weigh, jobs, settings, overwrite) or {}


def weigh(jobs: Sequence[ConversionJob], settings: ConvertSettings, overwrite: bool) -> dict[Place, int]:
    """Pixels to paint for each target; a video that cannot be opened, or only once, weighs nothing."""
    from stylize_live.media.decode.reader import VideoReader
    from stylize_live.media.formats.pipes import is_pipe
    from stylize_live.storage.remote import exists

    weights = {}
    for job in jobs:
        try:
            source = job.source
            if job.error is not None or not isinstance(source, Path) or is_pipe(source):
                continue
            if overwrite or not exists(job.target):
                with VideoReader(source, settings) as reader:
                    weights[job.target] = (reader.frames or 0) * reader.size[0] * reader.size[1]
        except Exception:
            continue  # it will say so itself when its turn comes
    return weights
