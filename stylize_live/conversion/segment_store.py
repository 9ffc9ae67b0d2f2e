"""The folder beside a target in which its segments wait until the video is whole.

Of a target on shared storage, it is in the work folder of this machine.

    .NAME.stylize-parts/    (a short form of a long NAME)
        lock            held by the run that works here
        journal         what the segments depend on, one line for each: `stylize_live.conversion.journal`
        000000.packets  a segment, see `stylize_live.media.encode.packet_files`
        000000.state    state of the stylizer behind the newest two segments and every sixteenth
        000007.ahead    a journal of one segment that was painted before those in front of it, on a cluster
        000008.part     a segment of which more is on its way, on a cluster

A segment counts once its line stands in the journal, which is written when all else is on the disk. So the
folder is right at any moment, whenever the run may be killed. Checksums tell what a disk changed since.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

from stylize_live.conversion.identity import Identity
from stylize_live.conversion.journal import (
    FinishedSegment,
    Journal,
    journal_lines,
    read_journal,
    segment_line,
)
from stylize_live.errors import SinkError
from stylize_live.file_locks import hold_lock
from stylize_live.files import name_beside, resolve_link, sync
from stylize_live.lifecycle import Closeable
from stylize_live.media.encode.packet_files import PacketFile, digest_of, is_intact, read_packets
from stylize_live.media.libraries import av
from stylize_live.storage.places import Place, StorageUrl, local_path
from stylize_live.storage.remote import change_of
from stylize_live.storage.uploading import upload
from stylize_live.system import advisory_locks
from stylize_live.system.folders import hide
from stylize_live.system.replacing import replace

_JOURNAL = "journal"
# States that are kept: behind the newest segments, so that damage there costs one segment, and behind every
# sixteenth, so that damage farther back does not cost the video. One is 5 MB where frames are 1280x720.
_NEWEST_STATES, _STATES_APART = 2, 16
_HARMED = "finished segments of an earlier run were damaged on the disk and are painted again"
_NO_LOCKS = "this folder does not support locks: do not run a second conversion to the same file"
_NO_SYNC = "this folder cannot confirm writes to the disk: segments may be lost in a power cut"


class SegmentStore(Closeable):
    """The segments of one target. Closing removes the folder unless it holds finished segments.

    Attributes:
        folder: where they are.
        finished: segments in order; of those that this run made, the last one alone has its `tail`.
        ahead: segments that wait for others in front of them, by number.
        discarded: frames of earlier segments that were of no use, because they depend on something else.
        notes: what the folder's file system cannot do, in words.

    Args:
        target: the video that is made.
        identity: what its segments depend on.
        restart: discard what is there.
        any_order: whether segments come in any order, by `add`; else those that are ahead are discarded.

    Raises:
        SinkError: the folder cannot be written, or another run works on the same target.
    """

    def __init__(
        self, target: Place, identity: Identity, *, restart: bool = False, any_order: bool = False
    ) -> None:
        self.finished: list[FinishedSegment] = []
        self.ahead: dict[int, FinishedSegment] = {}
        self.discarded = 0
        self.notes: list[str] = []
        self._target = target
        self._identity = identity
        self._done = False
        self.folder = folder_of(target)
        with self.explain_errors():
            self._lock = self._claim()
        try:
            with self.explain_errors():
                self._read_journal(restart, any_order)
        except SinkError:
            self.close()
            raise

    def _claim(self) -> IO[bytes]:
        """Make the folder, and keep other runs out of it."""
        try:
            self.folder.mkdir(parents=isinstance(self._target, StorageUrl))
            hide(self.folder)
            is_new = True
        except FileExistsError:
            is_new = False
        with contextlib.ExitStack() as on_error:
            if is_new:
                on_error.callback(self._remove)
            file = on_error.enter_context((self.folder / "lock").open("ab"))
            ours = hold_lock(file)
            on_error.pop_all()
        if ours is False:
            file.close()
            raise SinkError(f"{self._target}: another run is writing it, wait for it or stop it")
        if ours is None:
            self.notes.append(_NO_LOCKS)
        return file

    def _sync(self, path: Path) -> None:
        if not sync(path) and _NO_SYNC not in self.notes:
            self.notes.append(_NO_SYNC)

    def _read_journal(self, restart: bool, any_order: bool) -> None:
        journal = read_journal(self.folder / _JOURNAL)
        if journal.identity == self._identity and not restart:
            self.finished = self._usable(journal.finished)
            self.ahead = self._find_ahead() if any_order else {}
        elif not restart:
            self.discarded = journal.frames
        if not restart and not self.discarded and (journal.harmed or self.frames < journal.frames):
            self.notes.append(_HARMED)
        self._rewrite()
        self._adopt()

    def _usable(self, segments: list[FinishedSegment]) -> list[FinishedSegment]:
        """Segments before the first damaged one, up to the last whose stylizer state is intact."""
        intact = itertools.takewhile(
            lambda numbered: is_intact(self.packets(numbered[0]), numbered[1].size, numbered[1].digest),
            enumerate(segments),
        )
        usable = [segment for _, segment in intact]
        while usable and not usable[-1].last and self._has_lost_state(len(usable) - 1, usable[-1]):
            usable.pop()
        return usable

    def _has_lost_state(self, number: int, segment: FinishedSegment) -> bool:
        if not segment.needs_state:
            return False
        try:
            return digest_of(self._state_file(number).read_bytes()) != segment.state
        except OSError:
            return True

    def _rewrite(self) -> None:
        """Reduce folder and journal to the finished segments; a line that was cut off is dropped."""
        count = len(self.finished)
        kept = {"lock", _JOURNAL, *(self.packets(number).name for number in range(count))}
        kept |= {self._state_file(number).name for number in range(count) if _keeps_state(number, count)}
        for file in (self.packets, self._state_file, self._ahead_file):
            kept |= {file(number).name for number in self.ahead}
        new = self.folder / "journal.new"
        new.write_bytes(journal_lines(self._identity, self.finished))
        self._sync(new)
        replace(new, self.folder / _JOURNAL)
        for path in self.folder.iterdir():
            if path.name not in kept:
                with contextlib.suppress(OSError):  # what a server of files keeps in every folder
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._sync(self.folder)

    def discard(self) -> None:
        """Begin anew. Raises `SinkError`."""
        self.finished, self.ahead = [], {}
        with self.explain_errors():
            self._rewrite()

    def begin(self) -> PacketFile:
        """The file for the next segment. Raises `OSError`."""
        return PacketFile(self.packets(len(self.finished)))

    def packets(self, number: int) -> Path:
        """Where the packets of a segment are."""
        return self.folder / f"{number:06d}.packets"

    def _state_file(self, number: int) -> Path:
        return self.folder / f"{number:06d}.state"

    def _ahead_file(self, number: int) -> Path:
        return self.folder / f"{number:06d}.ahead"

    def _part_file(self, number: int) -> Path:
        return self.folder / f"{number:06d}.part"

    def commit(self, segment: FinishedSegment, state: bytes | None) -> None:
        """Count the segment begun last as finished; its file must be closed. Raises `OSError`."""
        number = len(self.finished)
        self._write_state(number, state)
        self._sync(self.packets(number))
        self._sync(self.folder)
        self._enter(segment)

    def _write_state(self, number: int, state: bytes | None) -> None:
        if state:
            self._state_file(number).write_bytes(state)
            self._sync(self._state_file(number))

    def _enter(self, segment: FinishedSegment) -> None:
        """Write the line of the next segment, all else of which is on the disk."""
        number = len(self.finished)
        journal = self.folder / _JOURNAL
        with journal.open("ab") as file:
            file.write(segment_line(segment, number))
        self._sync(journal)
        if self.finished:
            self.finished[-1] = self.finished[-1].without_tail()
        self.finished.append(segment)
        self._drop_state(number - _NEWEST_STATES, len(self.finished))

    def _drop_state(self, number: int, count: int) -> None:
        if number >= 0 and not _keeps_state(number, count):
            with contextlib.suppress(OSError):  # a virus scanner may be at it; the next run removes it
                self._state_file(number).unlink()

    def add(self, number: int, segment: FinishedSegment, packets: bytes, state: bytes | None) -> None:
        """Take a segment that was made elsewhere, in any order. Does nothing if it is there already.

        Args:
            number: of the segment, from 0.
            segment, state: as for `commit`.
            packets: content of its file, behind what came by `add_part`.

        Raises:
            SinkError: the disk is full, or what came is not what was sent.
        """
        if self._has(number):
            return
        with self.explain_errors():
            self._put_packets(number, segment, packets)
            self._write_state(number, state)
            self._sync(self.packets(number))
            if number > len(self.finished):
                ahead = self._ahead_file(number)
                ahead.write_bytes(journal_lines(self._identity, [segment]))
                self._sync(ahead)
            self._sync(self.folder)
            self.ahead[number] = segment
            if number - 1 in self.ahead:  # else somebody may still have to go on behind what is before it
                self._drop_state(number - _NEWEST_STATES, number + 1)
            self._adopt()

    def _put_packets(self, number: int, segment: FinishedSegment, packets: bytes) -> None:
        part = self._part_file(number)
        in_parts = part.exists()
        if in_parts:
            self.add_part(number, packets)
            is_whole = is_intact(part, segment.size, segment.digest)
        else:
            is_whole = digest_of(packets) == segment.digest
        if not is_whole:
            self.drop_part(number)
            raise SinkError(f"{self._target}: a segment was damaged on its way, run the same command again")
        if in_parts:
            replace(part, self.packets(number))
        else:
            self.packets(number).write_bytes(packets)

    def add_part(self, number: int, packets: bytes) -> None:
        """Take the next bytes of a segment's file; the last ones come by `add`. Raises `SinkError`."""
        if not self._has(number):
            with self.explain_errors(), self._part_file(number).open("ab") as file:
                file.write(packets)

    def drop_part(self, number: int) -> None:
        """The rest of a segment will not come. Raises `SinkError`."""
        with self.explain_errors():
            self._part_file(number).unlink(missing_ok=True)

    def _has(self, number: int) -> bool:
        return number < len(self.finished) or number in self.ahead

    def _adopt(self) -> None:
        """Enter those whose turn has come into the journal."""
        while (segment := self.ahead.pop(len(self.finished), None)) is not None:
            self._enter(segment)
            with contextlib.suppress(OSError):  # the next run removes it
                self._ahead_file(len(self.finished) - 1).unlink(missing_ok=True)

    def _find_ahead(self) -> dict[int, FinishedSegment]:
        """Segments behind the finished ones that are whole, and behind which one can go on."""
        found: dict[int, FinishedSegment] = {}
        for path in self.folder.glob("*.ahead"):
            journal = read_journal(path)
            if path.stem.isdecimal() and journal.identity == self._identity and journal.finished:
                number, segment = int(path.stem), journal.finished[0]
                intact = is_intact(self.packets(number), segment.size, segment.digest)
                if number >= len(self.finished) and intact:
                    found[number] = segment
        for number in sorted(found, reverse=True):
            if number + 1 not in found and self._has_lost_state(number, found[number]):
                del found[number]
        return found

    def state_behind(self, number: int) -> bytes | None:
        """State of the stylizer behind a segment, b"" if it needs none; None if that was not kept."""
        segment = self.ahead.get(number) or self.finished[number]
        if not segment.needs_state:
            return b""
        return None if self._has_lost_state(number, segment) else self._state_file(number).read_bytes()

    @property
    def state(self) -> bytes | None:
        """State of the stylizer behind the newest finished segment, or None. Raises `SinkError`."""
        if not self.finished or self.finished[-1].state is None:
            return None
        if not self.finished[-1].needs_state:
            return b""
        with self.explain_errors():
            return self._state_file(len(self.finished) - 1).read_bytes()

    @property
    def newest(self) -> FinishedSegment | None:
        """The newest finished segment."""
        return self.finished[-1] if self.finished else None

    @property
    def frames(self) -> int:
        """How many frames the finished segments hold."""
        return Journal(finished=self.finished).frames

    @property
    def whole(self) -> bool:
        """Whether the last segment is there."""
        return Journal(finished=self.finished).whole

    def finished_packets(self, clock: Fraction) -> Iterator[av.Packet[Any]]:
        """The packets of all finished segments, in order; see `read_packets`."""
        for number, segment in enumerate(self.finished):
            yield from read_packets(self.packets(number), clock, segment.digest)

    def publish(self, video: Path, is_stopping: Callable[[], bool]) -> None:
        """Move the joined video from the folder to its place; the segments are not needed any more.

        Args:
            video: the file.
            is_stopping: asked while it is on its way to shared storage.

        Raises:
            OSError: the target cannot be replaced.
            SinkError, Closed: see `upload`.
        """
        self._sync(video)
        if isinstance(self._target, StorageUrl):
            upload(video, self._target, is_stopping)
        else:
            place = resolve_link(self._target)
            replace(video, place)
            self._sync(place.parent)
        self._done = True

    @contextlib.contextmanager
    def explain_errors(self) -> Iterator[None]:
        """Turn what the disk says into `SinkError`."""
        try:
            yield
        except OSError as error:
            hint = ", free some space or choose another disk" if error.errno == 28 else ""
            reason = error.strerror or error
            raise SinkError(f"{self._target}: cannot write: {reason}{hint}") from error

    def close(self) -> None:
        """Let other runs in, and clear up. May be called twice."""
        if self._lock.closed:
            return
        if self._done or not (self.finished or self.ahead):
            self._lock.close()
            self._remove()
        else:
            with contextlib.suppress(OSError):  # where it is open, Windows refuses: the next run removes it
                self.packets(len(self.finished)).unlink(missing_ok=True)  # begun, not finished
                for part in self.folder.glob("*.part"):
                    part.unlink()
            self._lock.close()

    def _remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _keeps_state(number: int, count: int) -> bool:
    """Whether the state behind a segment is kept where there are so many segments."""
    return number >= count - _NEWEST_STATES or (number + 1) % _STATES_APART == 0


def folder_of(target: Place) -> Path:
    """Where the segments of a target are kept: on the disk on which it will be, or is made."""
    place = resolve_link(local_path(target))
    return place.with_name(name_beside(f".{place.name}", ".stylize-parts"))


def remove_abandoned(target: Place) -> None:
    """Remove what a run left that died, unless it finished segments or another run is at work there."""
    folder = folder_of(target)
    with contextlib.suppress(OSError), (folder / "lock").open("ab") as file:
        if hold_lock(file) is not False and not count_kept_frames(target):
            if advisory_locks.OPEN_FILES_STAY:
                file.close()
            shutil.rmtree(folder, ignore_errors=True)


def remove_published(target: Place) -> None:
    """Remove the segments of a target that is in its place: a run was killed between its last two steps."""
    folder = folder_of(target)
    with contextlib.suppress(OSError, SinkError):
        if not read_journal(folder / _JOURNAL).whole:
            return
        tick = 10**9 if isinstance(target, StorageUrl) else 0  # storage counts in seconds
        if change_of(target) + tick > (folder / _JOURNAL).stat().st_mtime_ns:
            shutil.rmtree(folder, ignore_errors=True)
            remove_work_folder(target)


def remove_work_folder(target: Place) -> None:
    """Remove the folder in which a target for shared storage was made, unless something is kept there."""
    if isinstance(target, StorageUrl):
        with contextlib.suppress(OSError):
            local_path(target).parent.rmdir()


def count_kept_frames(target: Place) -> int:
    """How many frames of a target an interrupted run has finished, as far as the journal knows."""
    return read_journal(folder_of(target) / _JOURNAL).frames


def read_earlier_identity(target: Place) -> Identity:
    """What the segments of an earlier run depend on; nothing, if there are none."""
    return read_journal(folder_of(target) / _JOURNAL).identity or {}
