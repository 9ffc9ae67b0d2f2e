"""Segments that are painted apart: found, painted, kept."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from cluster_parts import SETTINGS, ShotSmoother, opens
from interrupted import FRAMES

from stylize_live.cluster.worker import Worker
from stylize_live.conversion import unit as unit_module
from stylize_live.conversion.identity import source_identity
from stylize_live.conversion.plan import PlannedSegment, plan_segments
from stylize_live.conversion.progress import ConvertProgress
from stylize_live.conversion.segment_store import SegmentStore, folder_of
from stylize_live.conversion.segments import split_at_cuts
from stylize_live.conversion.unit import PaintedSegment, Unit, UnitEnd, paint_unit
from stylize_live.errors import SinkError, SourceError

pytestmark = pytest.mark.usefixtures("short_segments")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out.mp4"


@pytest.fixture
def plan(source: Path, target: Path) -> list[PlannedSegment]:
    return list(plan_segments(source, target, SETTINGS))


def unit_of(source: Path, target: Path, plan: list[PlannedSegment], number: int) -> Unit:
    behind = plan[number - 1].end if number else None
    end = plan[number].end
    until = None if end.last else end.frames
    which = source_identity(source)
    return Unit(source, target, SETTINGS, 0, "", which, number, behind, None, until)  # type: ignore[arg-type]


def painted(unit: Unit, folder: Path) -> list[PaintedSegment]:
    return [step for step in paint_unit(unit, ShotSmoother(), folder) if isinstance(step, PaintedSegment)]


def test_a_plan_has_the_segments_of_the_video(source: Path, plan: list[PlannedSegment]) -> None:
    segments = list(split_at_cuts(source, SETTINGS))
    assert [segment.number for segment in plan] == list(range(len(segments)))
    assert [one.end.frames for one in plan] == [one.start + one.frames for one in segments]
    assert [one.at_cut for one in plan[:-1]] == [one.at_cut for one in segments[1:]]
    assert plan[-1].end.last
    assert plan[-1].end.frames == FRAMES


@pytest.mark.parametrize("number", [1, 3])
def test_a_plan_goes_on_behind_a_segment(
    source: Path, target: Path, plan: list[PlannedSegment], number: int
) -> None:
    behind = plan[number - 1].end
    rest = list(plan_segments(source, target, SETTINGS, number=number, behind=behind))
    assert [one.end.frames for one in rest] == [one.end.frames for one in plan[number:]]
    assert [one.end.ticks for one in rest] == [one.end.ticks for one in plan[number:]]


def test_no_plan_behind_frames_that_are_not_there(
    source: Path, target: Path, plan: list[PlannedSegment]
) -> None:
    behind = plan[1].end.model_copy(update={"tail": [(when, 1) for when, _ in plan[1].end.tail]})
    assert list(plan_segments(source, target, SETTINGS, number=2, behind=behind)) == []


def test_a_unit_ends_where_it_should(
    source: Path, target: Path, plan: list[PlannedSegment], tmp_path: Path
) -> None:
    number = next(one.number for one in plan if one.at_cut) + 1
    (segment,) = painted(unit_of(source, target, plan, number), tmp_path)
    assert segment.number == number
    assert segment.segment.frames == plan[number].end.frames
    assert segment.segment.ticks == plan[number].end.ticks
    assert segment.state is None or segment.state == b"" or not plan[number].at_cut
    assert not list(tmp_path.glob("*.packets"))


def test_a_worker_says_little_and_stops_when_it_is_told(
    source: Path, target: Path, plan: list[PlannedSegment]
) -> None:
    unit = unit_of(source, target, plan, 0)
    with Worker(opens(ShotSmoother), SETTINGS, {}) as worker:
        told = list(worker.paint(unit, apart=1e6))
        assert sum(isinstance(step, ConvertProgress) for step in told) == 1
        assert isinstance(told[-1], UnitEnd)
        assert list(worker.paint(unit, is_stopping=lambda: True)) == []
        assert len(list(worker.paint(unit))) >= len(told)


def test_a_full_scratch_folder_is_said(
    source: Path, target: Path, plan: list[PlannedSegment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(unit_module, "PacketFile", full)
    with pytest.raises(SinkError, match="No space left"):
        painted(unit_of(source, target, plan, 0), tmp_path)


def test_another_source_is_refused(
    source: Path, target: Path, plan: list[PlannedSegment], tmp_path: Path
) -> None:
    unit = unit_of(source, target, plan, 0)
    source.write_bytes(source.read_bytes() + b"more")
    with pytest.raises(SourceError, match="another file"):
        painted(unit, tmp_path)


@pytest.fixture
def segments(source: Path, target: Path, plan: list[PlannedSegment], tmp_path: Path) -> list[PaintedSegment]:
    """All of them, painted as one unit."""
    return painted(Unit(source, target, SETTINGS, 0, "", source_identity(source)), tmp_path)  # type: ignore[arg-type]


def add(store: SegmentStore, one: PaintedSegment) -> None:
    store.add(one.number, one.segment, one.packets, one.state)


def test_segments_ahead_wait_for_those_in_front(target: Path, segments: list[PaintedSegment]) -> None:
    with SegmentStore(target, {"is": "it"}, any_order=True) as store:
        for number in (2, 1, 4):
            add(store, segments[number])
        assert (store.frames, sorted(store.ahead)) == (0, [1, 2, 4])
        add(store, segments[0])
        assert (len(store.finished), sorted(store.ahead)) == (3, [4])
        add(store, segments[0])  # again, from a worker that was taken for dead
        assert len(store.finished) == 3
    with SegmentStore(target, {"is": "it"}, any_order=True) as store:
        assert (len(store.finished), sorted(store.ahead)) == (3, [4])
        add(store, segments[3])
        assert (len(store.finished), store.ahead) == (5, {})
        assert not list(store.folder.glob("*.ahead"))


def test_one_machine_drops_what_is_ahead(target: Path, segments: list[PaintedSegment]) -> None:
    with SegmentStore(target, {}, any_order=True) as store:
        add(store, segments[0])
        add(store, segments[2])
    with SegmentStore(target, {}) as store:
        assert (len(store.finished), store.ahead) == (1, {})
        assert not list(store.folder.glob("000002*"))


def test_only_segments_ahead_are_kept_too(target: Path, segments: list[PaintedSegment]) -> None:
    with SegmentStore(target, {}, any_order=True) as store:
        add(store, segments[2])
    with SegmentStore(target, {}, any_order=True) as store:
        assert list(store.ahead) == [2]
    with SegmentStore(target, {"other": "settings"}, any_order=True) as store:
        assert store.ahead == {}
    assert not folder_of(target).exists()


def test_what_was_damaged_on_its_way_is_not_taken(target: Path, segments: list[PaintedSegment]) -> None:
    with SegmentStore(target, {}, any_order=True) as store:
        with pytest.raises(SinkError, match="on its way"):
            store.add(0, segments[0].segment, segments[0].packets[:-1], None)
        assert store.finished == []


def test_parts_become_a_segment(target: Path, segments: list[PaintedSegment]) -> None:
    """Unless their rest does not come, or is another one."""
    content = segments[0].packets
    with SegmentStore(target, {}, any_order=True) as store:
        store.add_part(0, b"of a worker that was lost")
        store.drop_part(0)
        store.add_part(0, content[:100])
        store.add_part(0, content[100:200])
        store.add(0, segments[0].segment, content[200:], segments[0].state)
        store.add_part(0, b"from one that was taken for dead")
        assert store.packets(0).read_bytes() == content
        store.add_part(1, b"wrong")
        with pytest.raises(SinkError, match="on its way"):
            add(store, segments[1])
        add(store, segments[1])
        store.add_part(2, b"begun")
    assert len(list(store.folder.glob("*.packets"))) == len(store.finished) == 2
    assert not list(store.folder.glob("*.part"))


def test_segments_without_their_state_are_painted_again(target: Path, segments: list[PaintedSegment]) -> None:
    number = next(one.number for one in segments[1:] if one.segment.needs_state)
    with SegmentStore(target, {}, any_order=True) as store:
        add(store, segments[number])
        folder = store.folder
    (folder / f"{number:06d}.state").write_bytes(b"harmed")
    with SegmentStore(target, {}, any_order=True) as store:
        assert store.ahead == {}
