"""Whatever a disk does to the segments of an unfinished video, the video is right in the end."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from clips import CLOCK
from interrupted import (
    FRAMES,
    SETTINGS,
    Smoother,
    StoppingInverter,
    run,
    stopped,
)

from stylize_live.config import ConvertSettings
from stylize_live.conversion import journal as journal_module
from stylize_live.conversion import segment_store as store_module
from stylize_live.conversion.convert import convert
from stylize_live.conversion.journal import FinishedSegment, journal_lines, read_journal
from stylize_live.conversion.segment_store import (
    SegmentStore,
    count_kept_frames,
    folder_of,
    remove_abandoned,
    remove_published,
)
from stylize_live.errors import SinkError
from stylize_live.media.encode.packet_files import PacketFile, is_intact, read_packets

pytestmark = pytest.mark.usefixtures("short_segments")
HARMED = "were damaged on the disk"


@pytest.fixture
def whole(source: Path, tmp_path: Path) -> Callable[[type[StoppingInverter]], bytes]:
    """The video as it should be, by kind of stylizer."""

    def make(kind: type[StoppingInverter]) -> bytes:
        path = tmp_path / f"{kind.__name__}.mp4"
        run(source, path, kind())
        return path.read_bytes()

    return make


def flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


@pytest.mark.parametrize("kind", [StoppingInverter, Smoother])
def test_flipped_bits_are_found_wherever_they_are(
    source: Path,
    tmp_path: Path,
    whole: Callable[[type[StoppingInverter]], bytes],
    kind: type[StoppingInverter],
) -> None:
    right, rng = whole(kind), random.Random(21)
    target = tmp_path / "out.mp4"
    stopped(source, target, kind(50))
    files = {path: path.read_bytes() for path in folder_of(target).iterdir() if path.name != "lock"}
    kept = count_kept_frames(target)
    for harmed in sorted(files):
        folder_of(target).mkdir(exist_ok=True)
        for path, content in files.items():
            path.write_bytes(content)
        flip(harmed, rng)
        stylizer = kind()
        report = run(source, target, stylizer, overwrite=True)
        assert target.read_bytes() == right, harmed.name
        if harmed.suffix == ".state" and harmed != max(p for p in files if p.suffix == ".state"):
            continue  # the older memory is only needed where the newer one is damaged
        assert any(HARMED in note for note in report.notes), harmed.name
        assert len(stylizer.painted) > FRAMES - kept


@pytest.mark.parametrize("kind", [StoppingInverter, Smoother])
def test_a_damaged_newest_segment_costs_one_segment(
    source: Path,
    tmp_path: Path,
    kind: type[StoppingInverter],
) -> None:
    target = tmp_path / "out.mp4"
    stopped(source, target, kind(50))
    *_, before, _ = read_journal(folder_of(target) / "journal").finished
    flip(max(folder_of(target).glob("*.packets")), random.Random(1))
    assert run(source, target, kind()).resumed == before.frames


def test_a_damaged_newest_memory_costs_one_segment(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    stopped(source, target, Smoother(50))
    *_, before, _ = read_journal(folder_of(target) / "journal").finished
    flip(max(folder_of(target).glob("*.state")), random.Random(1))
    assert run(source, target, Smoother()).resumed == before.frames


def test_damage_far_back_costs_what_follows_the_memory_before(
    source: Path,
    tmp_path: Path,
    whole: Callable[[type[StoppingInverter]], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store_module, "_STATES_APART", 2)
    right, target = whole(Smoother), tmp_path / "out.mp4"
    stopped(source, target, Smoother(63))
    folder = folder_of(target)
    segments = read_journal(folder / "journal").finished
    assert len(segments) >= 5
    kept = [1, 3, *range(5, len(segments), 2)]
    assert {int(path.stem) for path in folder.glob("*.state")} == {
        *kept,
        len(segments) - 1,
        len(segments) - 2,
    }
    flip(folder / "000002.packets", random.Random(3))
    assert run(source, target, Smoother()).resumed == segments[1].frames
    assert target.read_bytes() == right


def test_a_segment_that_breaks_while_it_is_joined_makes_no_video(
    source: Path,
    tmp_path: Path,
    whole: Callable[[type[StoppingInverter]], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right, target = whole(StoppingInverter), tmp_path / "out.mp4"
    really = SegmentStore.commit

    def commit(self: SegmentStore, segment: FinishedSegment, state: bytes | None) -> None:
        really(self, segment, state)
        if len(self.finished) == 2:
            path = self.packets(0)
            content = bytearray(path.read_bytes())
            content[-1] ^= 1
            path.write_bytes(content)

    with monkeypatch.context() as patched:
        patched.setattr(SegmentStore, "commit", commit)
        with pytest.raises(
            SinkError, match=r"000000\.packets: a finished segment cannot be read \(it was changed\)"
        ):
            run(source, target, StoppingInverter())
    assert not target.exists()
    run(source, target, StoppingInverter())
    assert target.read_bytes() == right


@pytest.mark.parametrize(
    "harm",
    [
        lambda lines: [],
        lambda lines: [b""],
        lambda lines: [b"\xff\xfe\x00"],
        lambda lines: [lines[0][:20]],
        lambda lines: [b"[" * 100_000, *lines[1:]],
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [lines[0], lines[1], lines[1]],
        lambda lines: [lines[1], *lines[1:]],
        lambda lines: [*lines[:2], b"{}" * 50_000],
    ],
)
def test_a_journal_that_cannot_be_believed(
    source: Path,
    tmp_path: Path,
    whole: Callable[[type[StoppingInverter]], bytes],
    harm: Callable[[list[bytes]], list[bytes]],
) -> None:
    right, target = whole(StoppingInverter), tmp_path / "out.mp4"
    stopped(source, target, StoppingInverter(50))
    journal = folder_of(target) / "journal"
    lines = journal.read_bytes().splitlines()
    journal.write_bytes(b"".join(line + b"\n" for line in harm(lines)))
    assert count_kept_frames(target) < FRAMES
    remove_published(target)
    run(source, target, StoppingInverter())
    assert target.read_bytes() == right
    remove_abandoned(target)


ENDLESS = "a number of 5,000 digits"
GOOD = {
    "frames": 5,
    "ticks": 7,
    "size": 9,
    "digest": "0" * 32,
    "state": None,
    "last": False,
    "tail": [["1/3", 5]],
    "damaged": 0,
    "retimed": 0,
    "missing": "0",
    "notes": [],
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": 0},
        {"frames": True},
        {"frames": "5"},
        {"frames": ENDLESS},
        {"ticks": 2**70},
        {"ticks": 1.5},
        {"size": -1},
        {"digest": "../../x"},
        {"last": 1},
        {"tail": []},
        {"tail": [["1e100000000", 5]]},
        {"tail": [["1/0", 5]]},
        {"tail": [["nan", 5]]},
        {"tail": [["1", -1]]},
        {"tail": [["1"]]},
        {"missing": "9" * 5000},
        {"missing": None},
        {"notes": [1]},
        {"unheard": 1},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_a_line_of_wrong_values_is_none(tmp_path: Path, wrong: dict[str, object]) -> None:
    """Also where its checksum is right."""
    path, good = tmp_path / "journal", json.dumps(GOOD)
    text = json.dumps(GOOD | wrong).replace(f'"{ENDLESS}"', "9" * 5000)
    for line, right in ((good, True), (text, False), ("{" * 100_000, False), ('{"a":' * 100_000, False)):
        path.write_bytes(journal_lines({"program": "x"}, []) + journal_module._line(line.encode(), 1))
        journal = read_journal(path)
        assert (journal.identity, len(journal.finished)) == ({"program": "x"}, int(right))
        assert journal.harmed is not right


def test_a_segment_that_claims_too_much_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(bytes(26) + b"\xff\xff\xff\xff" + b"few")  # a packet of four gigabytes
    with pytest.raises(SinkError, match="it ends too early"):
        list(read_packets(path, CLOCK))


def test_digests(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    with PacketFile(path) as file:
        file._put(b"abc")
    assert is_intact(path, 3, file.digest)
    assert not is_intact(path, 4, file.digest)
    assert not is_intact(tmp_path / "none", 3, file.digest)
    path.write_bytes(b"abd")
    assert not is_intact(path, 3, file.digest)


def test_settings_that_changed_are_said_before_damage(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    stopped(source, target, StoppingInverter(50))
    report = convert(source, target, StoppingInverter(), ConvertSettings(crf=30, preset=SETTINGS.preset))
    assert not any(HARMED in note for note in report.notes)
