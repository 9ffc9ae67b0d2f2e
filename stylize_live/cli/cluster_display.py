"""What `convert --cluster` shows while it works: videos painted at the same time, and by how many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stylize_live.cli.console import print_beside
from stylize_live.cli.convert_display import SECONDS_BETWEEN_LINES, ConvertDisplay, count_frames
from stylize_live.cli.convert_output import describe_seconds
from stylize_live.system.clock import monotonic

if TYPE_CHECKING:
    from stylize_live.cluster.progress import ClusterProgress
    from stylize_live.conversion.queue import ConversionOutcome

_MOST_BARS = 4  # of videos at work; there may be hundreds


class ClusterDisplay(ConvertDisplay):
    """See `ConvertDisplay`; several videos are at work at once."""

    def await_workers(self) -> None:
        """Nothing can be painted yet."""
        self._bar.below = "waiting for workers"

    def show(self, progress: ClusterProgress) -> None:
        """All has come so far."""
        self._totals |= {job.target: video.total for job, video in progress.videos}
        if self._bar.disable:
            self._say(progress)
        else:
            self._bar.below = describe_crew(progress)
            self._draw_videos(progress)

    def _draw_videos(self, progress: ClusterProgress) -> None:
        bars = self._bars
        shown = {job.target for job, _ in progress.videos[:_MOST_BARS]}
        for target in bars.keys() - shown:
            self._bar.remove_task(bars.pop(target))
        weight = float(self._weight_finished)
        for number, (job, video) in enumerate(progress.videos):
            if video.total:
                weight += min(1.0, video.frames / video.total) * self._weights.get(job.target, 0)
            if number < _MOST_BARS:
                count = f"{video.frames}/{'?' if video.total is None else video.total}"
                if job.target not in bars:
                    bars[job.target] = self._bar.add_task(
                        job.source.name, total=video.total, completed=video.resumed, count=count
                    )
                self._bar.update(bars[job.target], completed=video.frames, total=video.total, count=count)
        if self._all is not None:
            self._bar.update(self._all, completed=weight)

    def _say(self, progress: ClusterProgress) -> None:
        now = monotonic()
        if now - self._said_at < SECONDS_BETWEEN_LINES:
            return
        self._said_at = now
        place = "" if self._single else f"{self._finished} of {len(self._jobs)} videos done, "
        totals = [video.total for _, video in progress.videos]
        done = sum(video.frames for _, video in progress.videos)
        known = [total for total in totals if total is not None]
        whole = sum(known) if totals and len(known) == len(totals) else None
        left = ""
        if whole is not None and progress.fps and self._single:
            left = f", {describe_seconds(max(0, whole - done) / progress.fps)} left"
        print_beside(f"{place}{count_frames(done, whole)} at work, {describe_crew(progress)}{left}")

    def finish(self, outcome: ConversionOutcome) -> None:
        """A video ended with this outcome."""
        bar = self._bars.pop(outcome.job.target, None)
        if bar is not None:
            self._bar.remove_task(bar)
        super().finish(outcome)


def describe_crew(progress: ClusterProgress) -> str:
    """Who works, and how fast: "2 machines, 8 workers, 34 segments, 123.4 frames per second"."""
    parts = [
        _count(progress.machines, "machine"),
        _count(progress.workers, "worker"),
        _count(progress.segments, "segment"),
        f"{progress.fps:.1f} frames per second",
    ]
    return ", ".join(parts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
