"""The folder beside a target in which its pieces wait until the film is whole.

    .NAME.stylize-parts/    (a short form of a long NAME)
        lock            held by the run that works here
        journal         lines of JSON: what the pieces depend on, then one line for each finished piece
        000000.packets  a piece, see `stylize_live.media.packets`
        000000.state    memory of the painter behind the newest piece, if it has any

A piece counts once its line stands in the journal, which is written when all else is on the disk. So the
folder is right at any moment, whenever the run may be killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

from stylize_live.closing import Closing
from stylize_live.errors import SinkError
from stylize_live.files import linked, lock, short_name, sync
from stylize_live.media.packets import PacketFile
from stylize_live.pipeline.identity import Identity
from stylize_live.pipeline.pieces import Border, Fingerprint

_NO_LOCKS = "this folder knows no locks: a second run for the same file would not notice this one"
_NO_SYNC = (
    "this folder does not say when the disk has what was written: after a power cut, pieces may be lost"
)


@dataclass(frozen=True, slots=True)
class Finished:
    """What the journal knows about a finished piece. Times are exact, as "a/b" seconds.

    Attributes:
        frames: of the film up to the piece's end.
        ticks: time of its last frame on the target's clock.
        size: of its packets' file in bytes.
        last: whether the film ends with it.
        tail: times and fingerprints of the last frames.
        damaged, retimed, missing: see `stylize_live.pipeline.pieces.Border`.
        notes: what the reader, of all the film so far, and its encoder had to say.
    """

    frames: int
    ticks: int
    size: int
    last: bool
    tail: list[tuple[str, int]]
    damaged: int
    retimed: int
    missing: str
    notes: list[str]

    @property
    def fingerprints(self) -> list[Fingerprint]:
        """`tail` with its times as numbers."""
        return [(Fraction(when), checksum) for when, checksum in self.tail]

    @classmethod
    def at(cls, border: Border, frames: int, ticks: int, size: int, notes: list[str]) -> Finished:
        """A piece that ends at a border."""
        tail = [(str(when), checksum) for when, checksum in border.tail]
        last = border.next_pts is None
        missing = str(border.missing)
        return cls(frames, ticks, size, last, tail, border.damaged, border.retimed, missing, notes)


class Parts(Closing):
    """The pieces of one target. Closing removes the folder unless it holds finished pieces.

    Attributes:
        folder: where they are.
        finished: pieces in order.
        discarded: frames of earlier pieces that were of no use, because they depend on something else.
        notes: what the folder's file system cannot do, in words.

    Args:
        target: the film that is made.
        identity: what its pieces depend on.
        restart: discard what is there.

    Raises:
        SinkError: the folder cannot be written, or another run works on the same target.
    """

    def __init__(self, target: Path, identity: Identity, *, restart: bool = False) -> None:
        self.finished: list[Finished] = []
        self.discarded = 0
        self.notes: list[str] = []
        self._target = target
        self._identity = identity
        self._done = False
        self.folder = folder_of(target)
        with self.explained():
            self._lock = self._claim()
        try:
            with self.explained():
                self._read_journal(restart)
        except SinkError:
            self.close()
            raise

    def _claim(self) -> IO[bytes]:
        """Make the folder, and keep other runs out of it."""
        try:
            self.folder.mkdir()
            is_new = True
        except FileExistsError:
            is_new = False
        with contextlib.ExitStack() as on_error:
            if is_new:
                on_error.callback(self._remove)
            file = on_error.enter_context((self.folder / "lock").open("ab"))
            ours = lock(file)
            on_error.pop_all()
        if ours is False:
            file.close()
            raise SinkError(f"{self._target}: another run is writing it, wait for that or stop it")
        if ours is None:
            self.notes.append(_NO_LOCKS)
        return file

    def _sync(self, path: Path) -> None:
        if not sync(path) and _NO_SYNC not in self.notes:
            self.notes.append(_NO_SYNC)

    def _read_journal(self, restart: bool) -> None:
        lines = _journal_lines(self.folder)
        if not restart and lines and lines[0] == self._identity:
            self.finished = list(_usable(self.folder, lines[1:]))
        else:
            self.discarded = lines[-1].get("frames", 0) if lines[1:] and not restart else 0
        self._rewrite()

    def _rewrite(self) -> None:
        """Bring folder and journal to what is finished; a line cut in the middle goes."""
        kept = {"lock", *(self.packets(n).name for n in range(len(self.finished)))}
        if self.finished:
            kept.add(self._state_file(len(self.finished) - 1).name)
        lines = [self._identity, *map(asdict, self.finished)]
        new = self.folder / "journal.new"
        new.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        self._sync(new)
        os.replace(new, self.folder / "journal")
        for path in self.folder.iterdir():
            if path.name not in kept | {"journal"}:
                with contextlib.suppress(OSError):  # what a server of files keeps in every folder
                    path.unlink()
        self._sync(self.folder)

    def discard(self) -> None:
        """Begin anew. Raises `SinkError`."""
        self.finished = []
        with self.explained():
            self._rewrite()

    def begin(self) -> PacketFile:
        """The file for the next piece. Raises `OSError`."""
        return PacketFile(self.packets(len(self.finished)))

    def packets(self, number: int) -> Path:
        """Where the packets of a piece are."""
        return self.folder / f"{number:06d}.packets"

    def _state_file(self, number: int) -> Path:
        return self.folder / f"{number:06d}.state"

    def commit(self, piece: Finished, state: bytes | None) -> None:
        """Count the piece begun last as finished; its file must be closed. Raises `OSError`."""
        number = len(self.finished)
        if state is not None:
            self._state_file(number).write_bytes(state)
            self._sync(self._state_file(number))
        self._sync(self.packets(number))
        self._sync(self.folder)
        journal = self.folder / "journal"
        with journal.open("ab") as file:
            file.write(json.dumps(asdict(piece)).encode() + b"\n")
        self._sync(journal)
        self.finished.append(piece)
        self._state_file(number - 1).unlink(missing_ok=True)

    @property
    def state(self) -> bytes | None:
        """Memory of the painter behind the newest finished piece. Raises `SinkError`."""
        file = self._state_file(len(self.finished) - 1)
        with self.explained():
            return file.read_bytes() if self.finished and file.exists() else None

    @property
    def frames(self) -> int:
        """How many frames the finished pieces hold."""
        return self.finished[-1].frames if self.finished else 0

    @property
    def whole(self) -> bool:
        """Whether the last piece is there."""
        return bool(self.finished) and self.finished[-1].last

    @property
    def finished_files(self) -> list[Path]:
        """Files with the packets of the finished pieces, in order."""
        return [self.packets(number) for number in range(len(self.finished))]

    def publish(self, film: Path) -> None:
        """Move the joined film from the folder to its place; the pieces are not needed any more.

        Raises:
            OSError: the target cannot be replaced.
        """
        self._sync(film)
        place = linked(self._target)
        os.replace(film, place)
        self._sync(place.parent)
        self._done = True

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
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
        if self._done or not self.finished:
            self._lock.close()
            self._remove()
        else:
            self.packets(len(self.finished)).unlink(missing_ok=True)  # begun, not finished
            self._lock.close()

    def _remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def folder_of(target: Path) -> Path:
    """Where the pieces of a target are kept: on the disk on which it will be."""
    place = linked(target)
    return place.with_name(short_name(f".{place.name}", ".stylize-parts"))


def clear_abandoned(target: Path) -> None:
    """Remove what a run left that died, unless it finished pieces or another run is at work there."""
    folder = folder_of(target)
    with contextlib.suppress(OSError), (folder / "lock").open("ab") as file:
        if lock(file) is not False and not kept_frames(target):
            shutil.rmtree(folder, ignore_errors=True)


def clear_published(target: Path) -> None:
    """Remove the pieces of a target that is in its place: a run was killed between its last two steps."""
    folder = folder_of(target)
    lines = _journal_lines(folder)
    with contextlib.suppress(OSError):
        newer = target.stat().st_mtime_ns > (folder / "journal").stat().st_mtime_ns
        if newer and lines[1:] and lines[-1].get("last"):
            shutil.rmtree(folder, ignore_errors=True)


def kept_frames(target: Path) -> int:
    """How many frames of a target an interrupted run has finished, as far as the journal knows."""
    lines = _journal_lines(folder_of(target))
    return int(lines[-1]["frames"]) if lines[1:] else 0


def earlier_identity(target: Path) -> Identity:
    """What the pieces of an earlier run depend on; nothing, if there are none."""
    lines = _journal_lines(folder_of(target))
    return lines[0] if lines else {}


def _journal_lines(folder: Path) -> list[dict[str, Any]]:
    """The journal's whole lines; none if there is no journal."""
    lines: list[dict[str, Any]] = []
    with contextlib.suppress(OSError, ValueError):
        for line in (folder / "journal").read_text(encoding="utf-8").splitlines(keepends=True):
            value = json.loads(line)
            if not isinstance(value, dict) or not line.endswith("\n"):
                break
            lines.append(value)
    return lines


def _usable(folder: Path, lines: list[dict[str, Any]]) -> Iterator[Finished]:
    """Pieces whose files are there, up to the first gap."""
    for number, line in enumerate(lines):
        try:
            piece = Finished(**{**line, "tail": [(when, checksum) for when, checksum in line["tail"]]})
            if (folder / f"{number:06d}.packets").stat().st_size != piece.size:
                return
        except (OSError, TypeError, KeyError, ValueError):
            return
        yield piece
