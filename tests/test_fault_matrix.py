"""Every stage x every fault: within two seconds a clear error or the documented recovery, and nothing left.

What is expected stands in `fault_table.py`.
"""

from __future__ import annotations

import ast
import gc
import multiprocessing
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from clips import CFR
from fault_shows import Stage as Place
from fault_shows import short_video, to_images, to_mp4
from fault_table import CONVERT, LIVE, ROOMS, THREADS, WORKERS, Fails, GoesOn, NoSense, Stage
from faults import FAULTS, LONGEST_HANG, Injected
from live_fakes import FakeStylizer

import stylize_live
from stylize_live.concurrency import workers as concurrency_workers
from stylize_live.conversion import pipeline
from stylize_live.conversion.segment_store import folder_of
from stylize_live.media.decode.reader import VideoReader

pytestmark = pytest.mark.linux

MOST_SECONDS = 2.0


def cells(table: dict[str, Stage]) -> list[object]:
    return [
        pytest.param(stage, fault, id=f"{name}-{fault}")
        for name, stage in table.items()
        for fault in FAULTS
        if not isinstance(stage.answers[fault], NoSense)
    ]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return short_video(tmp_path_factory.mktemp("video"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, video: Path) -> Iterator[Place]:
    """Short limits, and a look at what is left."""
    monkeypatch.setattr(concurrency_workers, "_JOIN_SECONDS", 0.1)
    monkeypatch.setattr(pipeline, "_SECONDS_BETWEEN_REPORTS", 0.01)
    folder = tmp_path / "work"
    folder.mkdir()
    before = handles()
    yield Place(folder, monkeypatch, video)
    gone_threads()
    assert not multiprocessing.active_children()
    if handles() > before:
        gc.collect()
    assert handles() <= before


def handles() -> int:
    """Files and sockets that this process has open."""
    return psutil.Process().num_fds()


def gone_threads() -> None:
    """Wait for those that hung and were let go."""
    for thread in threading.enumerate():
        if thread.name.startswith("stylize-"):
            thread.join(5)


def strike(place: Place, stage: Stage, fault: str) -> None:
    """Run it with a fault, and see that it ends soon."""
    place.injected = Injected(stage.seam, fault, place.patch)
    try:
        if stage in CONVERT.values():
            stage.run(place)
        else:  # ended when the words were said; where an error is due, by that
            answer = stage.answers[fault]
            stage.run(place, answer.words if isinstance(answer, GoesOn) else None)
    finally:
        seconds = time.monotonic() - place.injected.struck_at
        place.injected.release()
        gone_threads()
        assert place.injected.struck_at, "the fault did not come"
        assert seconds < MOST_SECONDS


@pytest.mark.parametrize(("stage", "fault"), cells(CONVERT))
def test_conversion(place: Place, stage: Stage, fault: str) -> None:
    answer = stage.answers[fault]
    if isinstance(answer, GoesOn):
        strike(place, stage, fault)
    else:
        assert isinstance(answer, Fails)
        with pytest.raises(answer.error, match=answer.words or None) as caught:
            strike(place, stage, fault)
        assert "\n" not in str(caught.value)
    late = stage is CONVERT["target"] and fault == "signal"  # it is in its place by then
    keeps = stage.keeps or (stage is CONVERT["journal"] and fault == "signal")  # it finishes its line
    check_left(place, stage, whole=late or isinstance(answer, GoesOn), keeps=keeps)


def check_left(place: Place, stage: Stage, *, whole: bool, keeps: bool) -> None:
    """Only the video, or only finished segments, with which the same command goes on."""
    left = {path.name for path in place.folder.iterdir()}
    if stage.run is to_images:  # those written stay, see `SequenceWriter`
        assert left == {f"{number + 1:03d}.png" for number in range(len(left))}
    elif whole:
        assert len(left) == 1
        with VideoReader(place.folder / left.pop()) as reader:
            assert sum(1 for _ in reader) == len(CFR)
    elif keeps:
        kept = folder_of(place.folder / "out.mp4")
        assert left == {kept.name}
        assert {path.name for path in kept.iterdir()} == {"lock", "journal", "000000.packets"}
        target = to_mp4(place)
        assert [path.name for path in place.folder.iterdir()] == [target.name]
    else:
        assert not left


@pytest.mark.parametrize(("stage", "fault"), cells(LIVE))
def test_show(place: Place, stage: Stage, fault: str) -> None:
    answer = stage.answers[fault]
    if isinstance(answer, GoesOn):
        strike(place, stage, fault)
        assert any(answer.words in note for note in ["", *place.notes])
    else:
        assert isinstance(answer, Fails)
        with pytest.raises(answer.error, match=answer.words or None) as caught:
            strike(place, stage, fault)
        assert "\n" not in str(caught.value)


def test_a_stream_that_goes_before_anything_is_painted(place: Place) -> None:
    def load_until_it_is_gone(*_: object) -> None:
        assert place.injected is not None
        place.injected.happened.wait(LONGEST_HANG)

    place.patch.setattr(FakeStylizer, "warm_up", load_until_it_is_gone)
    strike(place, LIVE["stream"], "device gone")
    assert any("is gone, waiting for it" in note for note in place.notes)


# Names of methods by which frames, packets and files are handed on.
HANDING_ON = {
    *(
        "write",
        "encode",
        "commit",
        "publish",
        "packets",
        "frames",
        "demux",
        "stream",
        "take",
        "send",
        "add",
        "put",
    ),
    *("close", "abort", "finish", "end_segment", "poll", "attend", "__iter__"),
}
STARTING = ("workers.start", "stages.start", "threading.Thread", ".Process")
PACKAGE = Path(stylize_live.__file__).parent


def modules() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            yield (
                ".".join(path.relative_to(PACKAGE).with_suffix("").parts),
                ast.parse(path.read_text("utf-8")),
            )


def workers() -> set[str]:
    """Classes of these rooms that hand something on, but for protocols."""
    found = set()
    for module, tree in modules():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not any("Protocol" in ast.unparse(b) for b in node.bases):
                methods = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
                methods |= {one.name for one in node.body if isinstance(one, ast.AsyncFunctionDef)}
                if methods & HANDING_ON:
                    found.add(f"{module}:{node.name}")
    return found


def threads() -> set[str]:
    """What is run in threads and processes of these rooms."""
    found = set()
    for module, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(STARTING):
                named = {keyword.arg: keyword.value for keyword in node.keywords}
                found.add(f"{module}:{ast.unparse(named.get('target') or node.args[1])}")
    return found


def test_no_stage_is_forgotten() -> None:
    """A new class or thread that hands something on belongs into the table, or gets a reason why not."""
    assert workers() == set(WORKERS)
    assert threads() == set(THREADS)
    named = {name for row in (*WORKERS.values(), *THREADS.values()) if isinstance(row, tuple) for name in row}
    assert named <= set(CONVERT) | set(LIVE)


@pytest.mark.parametrize("table", [CONVERT, LIVE], ids=["convert", "live"])
def test_every_stage_answers_every_fault(table: dict[str, Stage]) -> None:
    for name, stage in table.items():
        assert set(stage.answers) == set(FAULTS), name
        for fault, answer in stage.answers.items():
            assert not isinstance(answer, NoSense) or answer.reason, (name, fault)
