"""Hands work to workers: many videos, each opened, planned, painted in units and joined.

This runs in one thread, which never opens a video: whatever a file does to the libraries that read it, it
does to another process. Segments come to this one as bytes, large ones in parts, and are written by it alone,
so that a worker that was taken for dead, and is not, harms nothing.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from stylize_live.cluster.crew import Crew, Ended, Event, Failed, Lost, Work
from stylize_live.cluster.progress import ClusterProgress
from stylize_live.cluster.tasks import VideoFacts, check_job, inspect_video, join_video
from stylize_live.cluster.video import MOST_FRAMES, VideoRun
from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import check_paths
from stylize_live.conversion.identity import arithmetic_in
from stylize_live.conversion.plan import PlannedSegment, plan_segments
from stylize_live.conversion.progress import ConvertProgress, ConvertReport
from stylize_live.conversion.queue import ConversionJob, ConversionOutcome, Status, explain_error
from stylize_live.conversion.segment_store import read_earlier_identity, remove_published
from stylize_live.conversion.stored_files import target_at_hand
from stylize_live.conversion.stylizers import AbsentStylizer
from stylize_live.conversion.unit import PaintedSegment, SegmentPart, Unit, UnitEnd
from stylize_live.errors import CrashError, SinkError, StylizeError, UsageError
from stylize_live.files import make_folder
from stylize_live.media.formats.codecs import codec_for
from stylize_live.media.formats.containers import check_target
from stylize_live.media.formats.pipes import PIPE
from stylize_live.storage.remote import exists
from stylize_live.system.clock import monotonic

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_REPORTS = 0.2
_LEAST_OPENING = 2  # videos, or segments of such that are open, that wait for workers
_MOST_OPEN = 4  # videos for each worker
_BACKLOG = 8  # planned segments for each worker; a plan that is farther ahead waits
_PLENTY = 2  # other videos for each worker: what is opened now is not the last to be finished then
_MOST_JOINS = 2  # at the same time, on one machine
_MOST_LOSSES = 3  # of processes that opened or joined the same video


class _Video:
    """A job that has begun.

    Attributes:
        run: its segments, once the video was opened.
        joins: whether all of them are there and are being joined.
        is_over: whether it has an outcome.
    """

    def __init__(self, job: ConversionJob) -> None:
        self.job = job
        self.run: VideoRun | None = None
        self.joins = self.is_over = False
        self.opened = ExitStack()  # what its target needs meanwhile
        self.losses = 0  # processes that crashed while they opened, planned or joined it

    def close(self) -> None:
        """Let other runs in; what is finished is kept. May be called twice."""
        if self.run is not None:
            self.run.close()
        self.opened.close()

    def lose(self, what: str, lost: Lost) -> None:
        """A process ended that worked on it. Raises `CrashError` if it may be to blame for three."""
        self.losses += lost.blame
        if self.losses >= _MOST_LOSSES:
            crashes = f"{_MOST_LOSSES} processes crashed while they {what} this video"
            raise CrashError(f"{self.job.source}: {crashes} ({lost.why}), please report it")


@dataclass(frozen=True, slots=True)
class _Duty:
    """What a work is for.

    Attributes:
        take: what becomes of its events.
        worker: who does it, if it is painting.
        plans: whether it may wait, see `_BACKLOG`.
    """

    video: _Video
    take: Callable[[Event], None]
    worker: int | None = None
    plans: bool = False


class Scheduler:
    """Converts jobs with a crew.

    Args:
        crew: who works.
        jobs: from `plan_jobs`, those that `settle` leaves.
        settings, overwrite, restart: see `convert`.
        on_start: called before each video that is not skipped.
        on_progress: called in this thread about 5 times a second.
    """

    def __init__(
        self,
        crew: Crew,
        jobs: Sequence[ConversionJob],
        settings: ConvertSettings,
        *,
        overwrite: bool = False,
        restart: bool = False,
        on_start: Callable[[ConversionJob], None] = lambda job: None,
        on_progress: Callable[[ClusterProgress], None] = lambda progress: None,
    ) -> None:
        self._crew, self._settings, self._overwrite, self._restart = crew, settings, overwrite, restart
        self._on_start, self._on_progress = on_start, on_progress
        self._jobs = deque(jobs)
        self._open: list[_Video] = []
        self._duties: dict[Work, _Duty] = {}
        self._outcomes: deque[ConversionOutcome] = deque()
        self._segments = self._frames = 0
        self._began = self._told = monotonic()

    def run(self) -> Iterator[ConversionOutcome]:
        """Convert all; see `convert_all` of `conversion/queue.py`.

        Yields:
            How each video ended, as soon as it did.

        Raises:
            StylizeError: whatever a crew that can do nothing any more says.

        However it ends, also if it is closed, no work goes on.
        """
        self._began = monotonic()
        try:
            while self._jobs or self._open:
                self._open_more()
                self._hand_out()
                for work, event in self._crew.next_events(self._wanted(), _SECONDS_BETWEEN_REPORTS):
                    self._take(work, event)
                self._tell()
                while self._outcomes:
                    yield self._outcomes.popleft()
        finally:
            for work in list(self._duties):
                self._cancel(work)
            for video in self._open:
                video.close()

    def _wanted(self) -> list[Work]:
        """Works whose events have a use now."""
        most = _BACKLOG * max(1, len(self._crew.find_workers()))
        return [work for work, duty in self._duties.items() if not duty.plans or _backlog(duty.video) < most]

    def _take(self, work: Work, event: Event) -> None:
        duty = self._duties.get(work)
        if duty is None:  # cancelled by what came before
            return
        if isinstance(event, Ended | Failed | Lost):
            del self._duties[work]
        if not duty.video.is_over:
            self._try(duty.video, lambda: duty.take(event))

    def _try(self, video: _Video, act: Callable[[], None]) -> None:
        """Do something for a video, which fails if that does."""
        try:
            act()
        except OSError as error:
            self._end(ConversionOutcome(video.job, "failed", error=explain_error(error, video.job)), video)
        except Exception as error:
            if not isinstance(error, StylizeError):
                log.debug("%s: internal error", video.job.source, exc_info=True)
            self._end(ConversionOutcome(video.job, "failed", error=error), video)

    def _end(self, outcome: ConversionOutcome, video: _Video) -> None:
        self._outcomes.append(outcome)
        video.is_over = True
        self._open.remove(video)
        video.close()
        for work in [work for work, duty in self._duties.items() if duty.video is video]:
            if self._duties[work].worker is None:  # workers end their unit
                self._cancel(work)

    def _cancel(self, work: Work) -> None:
        self._crew.cancel(work)
        del self._duties[work]

    # Opening

    def _open_more(self) -> None:
        """Begin with more videos, as many as workers need to have enough to do."""
        workers = max(1, len(self._crew.find_workers()))
        while self._jobs:
            opening = sum(video.run is None for video in self._open)
            backlog = opening + sum(map(_backlog, self._open))
            if backlog >= max(_LEAST_OPENING, 2 * workers) or len(self._open) >= _MOST_OPEN * workers:
                return
            video = _Video(self._jobs.popleft())
            self._open.append(video)
            self._try(video, lambda video=video: self._begin(video))  # type: ignore[misc]

    def _begin(self, video: _Video) -> None:
        job = video.job
        check_job(job.source, job.target)
        self._on_start(job)
        if isinstance(job.target, Path):
            make_folder(job.target.parent)
        check_paths(job.source, job.target, self._overwrite)
        with ExitStack() as opened:
            made = opened.enter_context(target_at_hand(job.target))
            codec_for(made, self._settings)
            check_target(made)
            video.opened = opened.pop_all()
        self._inspect(video)

    def _inspect(self, video: _Video) -> None:
        def take(event: Event) -> None:
            match event:
                case VideoFacts():
                    self._open_run(video, event)
                case Failed():
                    raise event.error
                case Lost():
                    video.lose("opened", event)
                    self._inspect(video)

        job = video.job
        work = self._crew.start(inspect_video, source=job.source, target=job.target, settings=self._settings)
        self._duties[work] = _Duty(video, take)

    def _open_run(self, video: _Video, facts: VideoFacts) -> None:
        stylizer, divided = self._absent_stylizer(video), self._is_worth_dividing(facts)
        video.run = run = VideoRun(video.job, facts, stylizer, restart=self._restart, divided=divided)
        if run.plans:
            self._plan(video, run)

    def _is_worth_dividing(self, facts: VideoFacts) -> bool:
        """Not if there is nobody to share it with, nor a short one while everybody has others to paint."""
        workers = self._crew.size
        is_short = facts.frames is not None and facts.frames <= MOST_FRAMES
        others = len(self._jobs) + sum(video.run is None for video in self._open) - 1
        return workers > 1 and not (is_short and others >= _PLENTY * workers)

    def _absent_stylizer(self, video: _Video) -> AbsentStylizer:
        """The workers' stylizer, in the arithmetic of an earlier run if they can."""
        facts = self._crew.facts
        earlier = "" if self._restart else arithmetic_in(read_earlier_identity(video.job.target))
        arithmetic = earlier if earlier in facts.fingerprints else facts.arithmetic
        return AbsentStylizer(
            facts.fingerprints[arithmetic], arithmetic, facts.takes_surfaces, facts.adds_alpha
        )

    def _plan(self, video: _Video, run: VideoRun) -> None:
        def take(event: Event) -> None:
            match event:
                case PlannedSegment():
                    run.add_planned(event)
                    if not run.plans:
                        self._cancel(work)
                case Ended():
                    run.end_plan()
                    if run.plans:
                        self._plan(video, run)
                case Failed():
                    raise event.error
                case Lost():
                    video.lose("read", event)
                    self._plan(video, run)

        work = self._crew.start(plan_segments, **run.plan_arguments)
        self._duties[work] = _Duty(video, take, plans=True)

    # Painting

    def _hand_out(self) -> None:
        """Give work to workers that have none, and join what is whole."""
        busy = {duty.worker for duty in self._duties.values()}
        workers = self._crew.find_workers()
        # Of each video: while there are as many videos as workers, nobody waits for the end of one.
        share = -(-len(workers) // max(1, len(self._jobs) + len(self._open)))
        for worker in workers:
            if worker not in busy and not self._give_unit(worker, share):
                break
        joining = sum(video.joins for video in self._open)
        for video in list(self._open):
            if video.run is not None and video.run.store.whole and not video.joins and joining < _MOST_JOINS:
                joining += 1
                video.joins = True
                video.run.close()
                self._join(video, video.run)

    def _give_unit(self, worker: int, workers: int) -> bool:
        """Whether there was one."""
        for video in list(self._open):
            taken: list[Unit] = []
            run = video.run
            if run is not None and not video.joins:
                self._try(video, lambda run=run, taken=taken: taken.extend(run.take(workers)))  # type: ignore[misc]
            if run is not None and taken:
                self._paint(video, run, taken[0], worker)
                return True
        return False

    def _paint(self, video: _Video, run: VideoRun, unit: Unit, worker: int) -> None:
        def take(event: Event) -> None:
            match event:
                case ConvertProgress():
                    run.note_progress(unit, event.frames)
                case SegmentPart():
                    run.store.add_part(event.number, event.packets)
                case PaintedSegment():
                    self._frames += run.add_painted(unit, event)
                    self._segments += 1
                case UnitEnd():
                    run.end_unit(unit, event.busy)
                case Failed(UsageError()):
                    raise event.error
                case Failed():  # maybe the worker's own trouble: a full disk, a lost mount, a confused driver
                    self._crew.replace(worker)
                    if not run.lose_unit(unit, blame=True):
                        raise event.error
                case Lost():
                    if not run.lose_unit(unit, blame=event.blame):
                        crashes = "workers crashed at the same part of it, one after the other"
                        raise CrashError(f"{run.job.source}: {crashes} ({event.why}), please report it")

        self._duties[self._crew.paint(worker, unit)] = _Duty(video, take, worker)

    # The end

    def _join(self, video: _Video, run: VideoRun) -> None:
        report: ConvertReport | None = None

        def take(event: Event) -> None:
            nonlocal report
            match event:
                case ConvertReport():
                    report = event
                case Ended():
                    self._finish(video, run.report(report))
                case Failed():
                    raise event.error
                case Lost():
                    video.lose("joined", event)
                    remove_published(video.job.target)
                    if run.is_published:
                        self._finish(video, run.report(report))
                    else:
                        self._join(video, run)

        work = self._crew.start(
            join_video,
            here=True,
            source=video.job.source,
            target=video.job.target,
            settings=self._settings,
            stylizer=run.stylizer,
            overwrite=self._overwrite,
        )
        self._duties[work] = _Duty(video, take)

    def _finish(self, video: _Video, report: ConvertReport) -> None:
        status: Status = "done" if report.complete else "partial"
        self._end(ConversionOutcome(video.job, status, report), video)

    def _tell(self) -> None:
        if monotonic() - self._told < _SECONDS_BETWEEN_REPORTS:
            return
        self._told = monotonic()
        runs = [(video.job, video.run) for video in self._open if video.run is not None]
        workers = self._crew.find_workers()
        self._on_progress(
            ClusterProgress(
                machines=self._crew.machines,
                workers=len(workers),
                segments=self._segments,
                frames=self._frames + sum(run.frames_under_way for _, run in runs),
                seconds=self._told - self._began,
                videos=[(job, run.progress) for job, run in runs],
            )
        )


def settle(job: ConversionJob, *, overwrite: bool) -> ConversionOutcome | None:
    """How a job ends for which nothing has to be painted; None for others."""
    if job.error is not None:
        return ConversionOutcome(job, "failed", error=job.error)
    try:
        if job.target == PIPE or overwrite or not exists(job.target):
            return None
    except SinkError as error:
        return ConversionOutcome(job, "failed", error=error)
    remove_published(job.target)
    return ConversionOutcome(job, "skipped")


def _backlog(video: _Video) -> int:
    return 0 if video.run is None else video.run.backlog
