"""The journal of a video's finished segments: what they depend on, then a line for each.

Every line begins with a checksum over its text and its number: a line that was changed, moved or put in from
another journal is not valid. The values in a line are checked before they are used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from stylize_live.conversion.identity import Identity
from stylize_live.conversion.segments import Fingerprint, SegmentBoundary
from stylize_live.media.encode.packet_files import digest_of

_CHECKSUM = 16  # letters before a line
_MOST = 2**62

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Count = Annotated[int, Field(ge=0, le=_MOST)]
Seconds = Annotated[str, Field(pattern=r"^-?[0-9]{1,40}(/[1-9][0-9]{0,39})?$")]
_IDENTITY = TypeAdapter(dict[str, str], config=ConfigDict(strict=True))

EMPTY_STATE = digest_of(b"")


class FinishedSegment(BaseModel):
    """What the journal knows about a finished segment. Times are exact, as "a/b" seconds.

    Attributes:
        frames: of the video up to the segment's end.
        ticks: time of its last frame on the target's clock.
        size: of its packets' file in bytes.
        digest: of that file.
        state: digest of the stylizer's state behind it, None for a stylizer that has none.
        last: whether the video ends with it.
        tail: times and fingerprints of the last frames.
        history: what the next frame was judged by, see `ShotMarker`; nothing in older journals.
        damaged, retimed, missing: see `stylize_live.conversion.segments.SegmentBoundary`.
        notes: what the reader, of all the video so far, and its encoder had to say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    frames: Annotated[int, Field(ge=1, le=_MOST)]
    ticks: Annotated[int, Field(ge=-_MOST, le=_MOST)]
    size: Count
    digest: Digest
    state: Digest | None
    last: bool
    tail: Annotated[list[tuple[Seconds, Annotated[int, Field(ge=0, lt=2**32)]]], Field(min_length=1)]
    history: Annotated[list[Annotated[float, Field(ge=0, le=255)]], Field(max_length=8)] = []
    damaged: Count
    retimed: Count
    missing: Seconds
    notes: list[str]

    @property
    def fingerprints(self) -> list[Fingerprint]:
        """`tail` with its times as numbers."""
        return [(Fraction(when), checksum) for when, checksum in self.tail]

    def without_tail(self) -> FinishedSegment:
        """The same for a run that goes on behind a later segment: hundreds of tails take a megabyte."""
        return self.model_copy(update={"tail": []})

    @property
    def needs_state(self) -> bool:
        """Whether a stylizer needs its saved state to go on behind this segment."""
        return self.state not in (None, EMPTY_STATE)

    @classmethod
    def at(
        cls, boundary: SegmentBoundary, frames: int, ticks: int, size: int, digest: str
    ) -> FinishedSegment:
        """A segment that ends at a boundary."""
        return cls(
            frames=frames,
            ticks=ticks,
            size=size,
            digest=digest,
            state=None if boundary.state is None else digest_of(boundary.state),
            last=boundary.next_pts is None,
            tail=[(str(when), checksum) for when, checksum in boundary.tail],
            history=list(boundary.history),
            damaged=boundary.damaged,
            retimed=boundary.retimed,
            missing=str(boundary.missing),
            notes=list(boundary.notes),
        )


@dataclass(frozen=True, slots=True)
class Journal:
    """What could be read of a journal.

    Attributes:
        identity: what the segments depend on; None where there is no journal, or it is damaged there.
        finished: the segments up to the first line that is not valid.
        harmed: whether a line is not valid; a last line that was cut off by a kill does not count.
    """

    identity: Identity | None = None
    finished: list[FinishedSegment] = field(default_factory=list)
    harmed: bool = False

    @property
    def frames(self) -> int:
        """How many frames the segments hold."""
        return self.finished[-1].frames if self.finished else 0

    @property
    def whole(self) -> bool:
        """Whether the video's last segment is there."""
        return bool(self.finished) and self.finished[-1].last


def read_journal(path: Path) -> Journal:
    """The journal in a file; an empty one if that is not there."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return Journal()
    lines.pop()  # what stands behind the last line's end was cut off
    if not lines:
        return Journal()
    texts = [_verify_line(line, number) for number, line in enumerate(lines)]
    try:
        identity = _IDENTITY.validate_json(texts[0] or b"")
    except (ValidationError, IndexError):
        return Journal(harmed=True)
    finished: list[FinishedSegment] = []
    for text in texts[1:]:
        segment = None if text is None else _parse_segment(text)
        if segment is None or not _follows(segment, finished):
            return Journal(identity, finished, harmed=True)
        finished.append(segment)
    return Journal(identity, finished)


def journal_lines(identity: Identity, finished: Iterable[FinishedSegment]) -> bytes:
    """A whole journal."""
    segments = (segment_line(segment, number) for number, segment in enumerate(finished))
    return _line(_IDENTITY.dump_json(identity), 0) + b"".join(segments)


def segment_line(segment: FinishedSegment, number: int) -> bytes:
    """The line of a segment; segments are numbered from 0."""
    return _line(segment.model_dump_json().encode(), number + 1)


def _line(text: bytes, number: int) -> bytes:
    return _checksum(text, number) + b" " + text + b"\n"


def _verify_line(line: bytes, number: int) -> bytes | None:
    """What stands behind the checksum; None if that is wrong."""
    text = line[_CHECKSUM + 1 :]
    return text if line[: _CHECKSUM + 1] == _checksum(text, number) + b" " else None


def _checksum(text: bytes, number: int) -> bytes:
    return hashlib.blake2b(b"%d %b" % (number, text), digest_size=_CHECKSUM // 2).hexdigest().encode()


def _parse_segment(text: bytes) -> FinishedSegment | None:
    try:
        return FinishedSegment.model_validate_json(text)
    except ValidationError:
        return None


def _follows(segment: FinishedSegment, finished: list[FinishedSegment]) -> bool:
    before = finished[-1] if finished else None
    return before is None or (not before.last and before.frames < segment.frames)
