"""One video that several workers paint: which of its segments are to be painted, where finished ones go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from stylize_live.cluster.tasks import VideoFacts
from stylize_live.conversion.convert import fit_stylizer, wants_surfaces
from stylize_live.conversion.dependence import follows_frames, follows_over_cuts
from stylize_live.conversion.identity import identity_of, source_identity
from stylize_live.conversion.journal import FinishedSegment
from stylize_live.conversion.plan import PlannedSegment
from stylize_live.conversion.progress import ConvertProgress, ConvertReport
from stylize_live.conversion.queue import ConversionJob
from stylize_live.conversion.segment_store import SegmentStore
from stylize_live.conversion.segmented_output import describe_discarded
from stylize_live.conversion.stylizers import AbsentStylizer, arithmetic_of
from stylize_live.conversion.unit import PaintedSegment, Unit
from stylize_live.errors import SourceError
from stylize_live.lifecycle import Closeable
from stylize_live.storage.places import local_path
from stylize_live.storage.remote import exists
from stylize_live.system.clock import monotonic

# Frames of a unit: enough that opening a video anew does not count, and towards the end fewer, so that all
# workers end at the same time ("guided self-scheduling", Polychronopoulos and Kuck 1987). The most is what
# benchmarks/library.py finds cheapest; a worker that is lost costs one segment, however long its unit was.
MOST_FRAMES, LEAST_FRAMES = 7500, 120
_UNITS_EACH = 2  # for every worker, of what is left
_LONGEST = 4  # times as many frames until a cut comes, without which units have to wait for each other
_MOST_LOSSES = 3  # of workers that painted the same segment
_AGAIN = "run the same command again"
_NOT_READ = "could not be read to its end, or was changed"


@dataclass(slots=True)
class _UnderWay:
    """A unit that a worker has.

    Attributes:
        left: numbers of planned segments that it has not handed over.
        next: number of the segment that it paints.
        frames: of the video, up to that.
        more: frames that are painted beyond.
        is_rest: whether it goes to the video's end without a plan.
    """

    left: list[int]
    next: int
    frames: int
    more: int
    is_rest: bool


class VideoRun(Closeable):
    """The segments of a video, on their way into its store. Knows nothing of who paints them.

    Attributes:
        job: source and target.
        stylizer: stands for those that paint it.
        store: the segments that are finished.
        plans: whether its segments are to be found before they are painted.

    Args:
        job, stylizer: see above.
        facts: of the source.
        restart: discard what earlier runs have finished.
        divided: whether several workers are to paint it at the same time; for one it is not read twice.

    Raises:
        SourceError: the source cannot be read.
        SinkError: the target's folder cannot be written, or another run works on it.
    """

    def __init__(
        self,
        job: ConversionJob,
        facts: VideoFacts,
        stylizer: AbsentStylizer,
        *,
        restart: bool = False,
        divided: bool = True,
    ) -> None:
        self.job, self.stylizer, self._facts = job, stylizer, facts
        stylizer.followed = facts.sound
        fitted = fit_stylizer(stylizer, facts.settings, facts.later)
        self._surfaces = wants_surfaces(fitted, local_path(job.target), facts.settings)
        self._arithmetic = arithmetic_of(fitted)
        # A path is asked here, where the video will be joined; what is on storage is not copied for that.
        self._source_is = source_identity(job.source) if isinstance(job.source, Path) else facts.source_is
        identity = identity_of(self._source_is, facts.settings, fitted.fingerprint, self._arithmetic)
        self._follows = follows_frames(facts.settings)
        self._over_cuts = follows_over_cuts(facts.settings)
        self.store = SegmentStore(job.target, identity, restart=restart, any_order=True)
        self._divided = divided
        self._began = monotonic()
        self._busy: Counter[str] = Counter()
        self._losses: Counter[int] = Counter()
        self._under_way: dict[int, _UnderWay] = {}  # by the number of the unit's first segment
        self._begin()

    def _begin(self) -> None:
        """Know nothing of what is still to be painted."""
        store, total = self.store, self._facts.frames
        self._resumed = self._painted = store.frames
        self._planned: dict[int, PlannedSegment] = {}
        self._waiting: list[int] = []  # planned segments that are to be painted, in order
        self._rest: int | None = None  # the segment from which on all is to be painted, without a plan
        self._plan_behind = len(store.finished), store.newest
        self.plans = not store.whole
        is_short = total is not None and total - store.frames <= LEAST_FRAMES
        if self.plans and not store.ahead and (is_short or not (self._divided or store.finished)):
            self.plans, self._rest = False, len(store.finished)

    @property
    def plan_arguments(self) -> dict[str, Any]:
        """For `plan_segments`, to find what is behind the segments that are known."""
        number, behind = self._plan_behind
        return {
            "source": self.job.source,
            "target": self.job.target,
            "settings": self._facts.settings,
            "surfaces": self._surfaces,
            "number": number,
            "behind": behind,
        }

    def add_planned(self, segment: PlannedSegment) -> None:
        """Take a segment of the plan; afterwards, `plans` says whether more of it is wanted.

        Behind damage a video is read from its beginning each time, see `open_after`, so what is left there is
        one unit.
        """
        number, end = segment.number, segment.end
        self._planned[number] = segment
        self._plan_behind = number + 1, end
        if self._is_painted(number):
            self._resumed += self._frames_of(number)
            self._painted += self._frames_of(number)
        else:
            self._waiting.append(number)
        if (end.damaged or end.retimed) and not end.last and number >= max(self.store.ahead, default=0):
            self._rest, self.plans = number + 1, False

    def end_plan(self) -> None:
        """The plan came to its end. If the video does not have the frames of the finished segments, all
        begins anew: then `plans` is still true.

        Raises:
            SourceError: it has none at all, or not those of the plan that was begun.
        """
        self.plans = False
        if not self._planned:
            if not self.store.finished:
                raise SourceError(f"{self.job.source}: no frame could be decoded")
            self.store.discard()
            self._begin()
        elif not self._ends_behind(self._plan_behind[0] - 1):
            raise SourceError(f"{self.job.source}: {_NOT_READ}")

    @property
    def backlog(self) -> int:
        """How many segments wait for a worker, as far as is known."""
        return len(self._waiting) + (self._rest is not None)

    def take(self, workers: int) -> list[Unit]:
        """The next unit for one of so many workers; nothing if there is none now.

        Raises:
            SourceError: what earlier runs left was damaged meanwhile.
        """
        start = next((at for at, number in enumerate(self._waiting) if self._can_begin(number)), None)
        if start is not None:
            numbers = list(self._run_from(start, self._frames_wanted(workers)))
            del self._waiting[start : start + len(numbers)]
            last = self._planned[numbers[-1]].end
            return [self._hand_out(numbers[0], numbers, None if last.last else last.frames)]
        rest = self._rest
        if rest is None or not self._can_begin(rest):
            return []
        self._rest = None
        return [self._hand_out(rest, [], None)]

    def _frames_wanted(self, workers: int) -> int:
        total = self._facts.frames
        if total is None:
            return MOST_FRAMES
        left = total - max([self._painted, *(unit.frames for unit in self._under_way.values())])
        return max(LEAST_FRAMES, min(MOST_FRAMES, left // (_UNITS_EACH * workers)))

    def _can_begin(self, number: int) -> bool:
        """Whether a worker may begin with a segment: it needs no state, or that is there."""
        return number == 0 or self._is_painted(number - 1) or self._needs_no_state(number - 1)

    def _needs_no_state(self, number: int) -> bool:
        """Whether what is behind a segment can be painted without what was before."""
        segment = self._planned.get(number)
        at_cut = segment is not None and segment.at_cut
        return not self._follows or (at_cut and not self._over_cuts)

    def _is_painted(self, number: int) -> bool:
        return number < len(self.store.finished) or number in self.store.ahead

    def _run_from(self, start: int, wanted: int) -> Iterator[int]:
        """Numbers of segments that follow one another, so many frames of them, if possible up to a cut."""
        frames = 0
        following = [*self._waiting[start + 1 :], None]
        for number, next_number in zip(self._waiting[start:], following, strict=True):
            yield number
            frames += self._frames_of(number)
            may_end = self._needs_no_state(number) or frames >= _LONGEST * wanted
            if next_number != number + 1 or (frames >= wanted and may_end):
                return

    def _hand_out(self, number: int, planned: list[int], until: int | None) -> Unit:
        behind = self._end_of(number - 1)
        frames = 0 if behind is None else behind.frames
        unit = Unit(
            source=self.job.source,
            target=self.job.target,
            settings=self._facts.settings,
            later=self._facts.later,
            arithmetic=self._arithmetic,
            source_is=self._source_is,
            number=number,
            behind=behind,
            state=self._state_behind(number - 1),
            until=until,
        )
        self._under_way[number] = _UnderWay(list(planned), number, frames, 0, is_rest=not planned)
        return unit

    def _state_behind(self, number: int) -> bytes | None:
        if number < 0 or not self._follows or not self._is_painted(number):
            return None
        state = self.store.state_behind(number)
        if state is None:
            raise SourceError(f"{self.job.source}: finished segments were damaged on the disk, {_AGAIN}")
        return state

    def _end_of(self, number: int) -> FinishedSegment | None:
        """What is known of a segment's end, with its tail; None before the first."""
        if number in self._planned:
            return self._planned[number].end
        return self.store.ahead.get(number) or self.store.newest

    def _frames_of(self, number: int) -> int:
        before = self._end_of(number - 1)
        return self._planned[number].end.frames - (0 if before is None else before.frames)

    def note_progress(self, unit: Unit, frames: int) -> None:
        """A unit's worker has painted the video up to so many frames, not all of them in segments yet."""
        at_work = self._under_way[unit.number]
        at_work.more = max(0, frames - at_work.frames)

    def add_painted(self, unit: Unit, painted: PaintedSegment) -> int:
        """Take a finished segment of a unit.

        Returns:
            How many frames it holds.

        Raises:
            SourceError: it is not the one that was planned.
            SinkError: the disk is full, or it was damaged on its way.
        """
        at_work, number, segment = self._under_way[unit.number], painted.number, painted.segment
        planned = self._planned.setdefault(number, PlannedSegment(number, segment, not segment.needs_state))
        if not _is_same(planned.end, segment):
            raise SourceError(f"{self.job.source}: is not decoded the same each time, or was changed")
        self.store.add(number, segment, painted.packets, painted.state)
        frames = segment.frames - at_work.frames
        self._painted += frames
        at_work.next, at_work.frames, at_work.more = number + 1, segment.frames, max(0, at_work.more - frames)
        at_work.left = [one for one in at_work.left if one != number]
        for one in (number - 1, number):  # nobody goes on behind it any more
            if self._is_painted(one) and one + 1 in self._planned and self._is_painted(one + 1):
                self._planned.pop(one, None)
        return frames

    def end_unit(self, unit: Unit, busy: dict[str, float]) -> None:
        """All of a unit was handed over.

        Args:
            busy: seconds that each stage worked, see `ConvertReport`.

        Raises:
            SourceError: something is missing.
        """
        at_work = self._under_way.pop(unit.number)
        self._busy.update(busy)
        if at_work.left or (at_work.is_rest and not self._ends_behind(at_work.next - 1)):
            raise SourceError(f"{self.job.source}: {_NOT_READ}")

    def _ends_behind(self, number: int) -> bool:
        last = self._end_of(number)
        return last is not None and last.last

    def lose_unit(self, unit: Unit, *, blame: bool) -> bool:
        """A unit's worker is gone; what it has not handed over is to be painted by another one.

        Args:
            blame: whether the video may be the reason.

        Returns:
            False if the video seems to be the reason: it was the third time at the same segment.
        """
        at_work = self._under_way.pop(unit.number, None)
        if at_work is None:  # all was handed over
            return True
        self.store.drop_part(at_work.next)
        self._waiting = sorted([*self._waiting, *at_work.left])
        if at_work.is_rest:
            self._rest = at_work.next
        self._losses[at_work.next] += blame
        return self._losses[at_work.next] < _MOST_LOSSES

    @property
    def frames_under_way(self) -> int:
        """Frames that are painted and not in a finished segment yet."""
        return sum(at_work.more for at_work in self._under_way.values())

    @property
    def progress(self) -> ConvertProgress:
        """How far it is."""
        seconds, frames = monotonic() - self._began, self._painted + self.frames_under_way
        return ConvertProgress(frames, self._facts.frames, seconds, self._resumed)

    @property
    def is_published(self) -> bool:
        """Whether the video is in its place, and its segments are not needed any more."""
        return exists(self.job.target) and not self.store.folder.exists()

    def report(self, joined: ConvertReport | None) -> ConvertReport:
        """What was done in all.

        Args:
            joined: what `convert` says that has found all segments finished; None if it could not say it.
        """
        joined = self._report_of_segments() if joined is None else joined
        discarded = [describe_discarded(self.store.discarded)] if self.store.discarded else []
        return replace(
            joined,
            resumed=self._resumed,
            seconds=monotonic() - self._began,
            busy={
                name: self._busy[name] + joined.busy.get(name, 0.0) for name in {**self._busy, **joined.busy}
            },
            notes=list(dict.fromkeys([*discarded, *self.store.notes, *joined.notes])),
        )

    def _report_of_segments(self) -> ConvertReport:
        segments, last = self.store.finished, self.store.finished[-1]
        return ConvertReport(
            frames=last.frames,
            resumed=0,
            seconds=0.0,
            busy={},
            damaged=last.damaged,
            complete=not last.damaged and not Fraction(last.missing),
            notes=[note for segment in segments for note in segment.notes],
            pair=None,
        )

    def close(self) -> None:
        """Let other runs in; what is finished is kept. May be called twice."""
        self.store.close()


def _is_same(planned: FinishedSegment, made: FinishedSegment) -> bool:
    """Whether a segment ends with the frames that were planned; a unit knows of none before its own."""
    known = min(len(planned.tail), len(made.tail))
    equal = all(getattr(planned, name) == getattr(made, name) for name in ("frames", "ticks", "last"))
    return equal and planned.tail[-known:] == made.tail[-known:]
