"""Video files as frames."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from stylize_live.closing import Closing
from stylize_live.errors import SourceError
from stylize_live.frame import Frame, Pixels
from stylize_live.media.colour import ToRgb
from stylize_live.media.container import (
    INTERLACED,
    clock_origin,
    film_duration,
    is_constant_rate,
    open_container,
    pick_film,
    picture_losses,
    stream_end,
)
from stylize_live.media.deinterlace import deinterlaced
from stylize_live.media.demux import Demuxer
from stylize_live.media.fitting import fitting, framed
from stylize_live.media.libraries import av
from stylize_live.media.orientation import Orientation

log = logging.getLogger(__name__)

_COMPLAINTS = 5  # a damaged hour must not fill a log
_USUAL_RATE = Fraction(30)


class VideoReader(Closing):
    """A video file as a `Source`: upright RGB frames in order of time. Can be iterated once.

    Opening decodes the first picture, so that what cannot be played is refused at once.

    Attributes:
        size: (width, height) of the upright frames in pixels; later frames of another size are scaled.
        rate: nominal frames per second, or None when unknown or variable.
        average_rate: frames per second over the whole file, a guess where it is unknown.
        is_live: False; frames wait until they are taken.
        frames: estimated number of frames, or None.
        duration: estimated length in seconds, or None.
        time_base: seconds between two ticks of the file's clock; every pts is a multiple, where the
            file starts at 0.
        origin: what was subtracted from the file's own times in seconds; not 0 only for formats
            whose clock starts anywhere, such as MPEG-TS, and where the first picture is before 0.
        sample_aspect: width of an upright pixel over its height, or None when unknown.
        damaged: packets and pictures met so far that could not be used.
        retimed: pictures met so far without a time or with one that went back; they follow the
            one before by the usual step.
        last_duration: how long the last picture is shown, in seconds, once it was read.
        notes: what is not carried over from this file or was put right, in words; may grow while
            it is read.
        metadata: tags of the whole file.
        video_index: number of the film among the file's streams.
        video_metadata: tags of the film's stream, such as language and title.

    Raises:
        SourceError: missing, a folder, empty, not a video, without pictures.
    """

    is_live: bool = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self.retimed = 0
        self.notes: list[str] = []
        self.last_duration = Fraction(0)
        self._seen_end = self._seen_end_of_video = Fraction(0)
        self._lock = threading.Lock()
        self._closed = False
        self._convert = ToRgb()
        self._container = open_container(path)
        try:
            self._stream = pick_film(self._container, path)
            self._describe_stream()
            pictures: Iterator[av.VideoFrame] = self._decode()
            first = next(pictures, None)
            if first is None:
                raise SourceError(f"{path}: no picture could be decoded, the file is empty or damaged")
            self._describe_picture(first)
            self._frames_to_come = self._read_frames(self._woven_apart(itertools.chain([first], pictures)))
        except BaseException:
            self._container.close()
            raise

    def _describe_stream(self) -> None:
        stream = self._stream
        stream.thread_type = "AUTO"
        # Copied here, because PyAV reads freed memory when a stream outlives its container.
        self.video_index = stream.index
        self.video_metadata = dict(stream.metadata)
        self.time_base = stream.time_base or Fraction(1, 90_000)
        self.metadata = dict(self._container.metadata)
        self.origin = clock_origin(self._container)
        self._demuxer = Demuxer(self._container, self._complain)
        average = stream.average_rate or stream.guessed_rate
        self.average_rate = average or _USUAL_RATE
        self.rate = average if average and is_constant_rate(average, stream.base_rate) else None
        self._promised_end_of_video = stream_end(stream.start_time, stream.duration, stream.time_base)
        self._promised_end = stream_end(
            self._container.start_time, self._container.duration, Fraction(1, av.time_base)
        )
        self.duration = film_duration(self._container, stream)
        self.frames = stream.frames or None
        if self.frames is None and self.duration is not None and average:
            self.frames = round(self.duration * average)

    def _describe_picture(self, picture: av.VideoFrame) -> None:
        if picture.pts is not None and picture.time_base:  # formats cut off what is before 0
            self.origin = min(self.origin, picture.pts * picture.time_base)
        # Once: PyAV ties a picture and its side data into a cycle, so reading this from every picture
        # would keep hundreds of them until the garbage collector comes by.
        turn = self._turn = Orientation.of(picture)
        aspect = self._stream.sample_aspect_ratio
        self.size = (picture.height, picture.width) if turn.transpose else (picture.width, picture.height)
        self.sample_aspect = 1 / aspect if aspect and turn.transpose else aspect or None
        self._stored_size = picture.width, picture.height
        self.notes += picture_losses(picture)

    def __iter__(self) -> Iterator[Frame]:
        """Frames not read yet.

        Raises:
            SourceError: the reader was closed.
        """
        while (frame := self._next_frame()) is not None:
            yield frame

    def _next_frame(self) -> Frame | None:
        with self._lock:  # `close` from another thread waits until the decoder rests
            if self._closed:
                raise SourceError(f"{self.path}: was closed while it was read")
            return next(self._frames_to_come, None)

    def _read_frames(self, pictures: Iterable[av.VideoFrame]) -> Iterator[Frame]:
        time_before: Fraction | None = None
        for index, picture in enumerate(pictures):
            when = self._time(picture, time_before)
            step = Fraction(picture.duration or 0) * (picture.time_base or 0)
            self.last_duration = step or 1 / self.average_rate
            time_before = when
            yield Frame(self._upright(picture), when, time.monotonic(), index)

    def _time(self, picture: av.VideoFrame, before: Fraction | None) -> Fraction:
        ticks = picture.pts if picture.pts is not None else picture.dts
        if ticks is not None:
            when = ticks * (picture.time_base or self.time_base) - self.origin
            if before is None or when > before:
                return when
        self.retimed += 1
        return Fraction(0) if before is None else before + self.last_duration

    def _woven_apart(self, pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Pictures without combing; films may become interlaced somewhere in the middle."""
        for picture in pictures:
            if picture.interlaced_frame:
                self._note(INTERLACED)
                yield from deinterlaced(itertools.chain([picture], pictures))
            else:
                yield picture

    def _upright(self, picture: av.VideoFrame) -> Pixels:
        size = picture.width, picture.height
        if size == self._stored_size:
            return self._turn.apply(self._convert(picture))
        first = "x".join(map(str, self._stored_size))
        self._note(f"the size changes in the film: all pictures were fitted into the first one's {first}")
        inner = fitting(size, self._stored_size)
        return self._turn.apply(framed(self._convert(picture, inner), self._stored_size))

    def _note(self, what: str) -> None:
        if what not in self.notes:
            self.notes.append(what)

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Pictures the decoder gives; broken ones are counted."""
        for packet in self._packets():
            try:
                pictures = self._stream.decode(packet)
            except EOFError:  # the decoder was already drained
                return
            except av.FFmpegError as error:
                self._complain(f"a packet cannot be decoded: {error.strerror}")
                continue
            for picture in pictures:
                if picture.is_corrupt:
                    self._complain("a picture is damaged")
                else:
                    yield picture

    def _packets(self) -> Iterator[av.Packet[Any] | None]:
        """Packets of the film, then None to drain the decoder. A damaged one waits until another comes:
        if it is the last, cut off in the middle, the decoder would answer with an error and lose the
        pictures it still holds."""
        damaged: av.Packet[Any] | None = None
        for packet in self._demuxer:
            self._note_end(packet)
            if packet.stream_index != self.video_index:
                continue
            if damaged is not None:
                yield damaged
                damaged = None
            if packet.is_corrupt:
                self._complain("a packet is damaged")
                damaged = packet
            else:
                yield packet
        if jumps := self._demuxer.jumps:
            self._note(f"the clock of the source jumps ({jumps}x): pictures and sound go on without a gap")
        if self._demuxer.late_streams:
            self._note("left out: sound or subtitles that appear only later in the source")
        yield None

    def _note_end(self, packet: av.Packet[Any]) -> None:
        ticks = packet.pts if packet.pts is not None else packet.dts
        if ticks is None:
            return
        end = (ticks + (packet.duration or 0)) * packet.time_base
        self._seen_end = max(self._seen_end, end)
        if packet.stream_index == self.video_index:
            self._seen_end_of_video = max(self._seen_end_of_video, end)

    def _complain(self, what: str) -> None:
        self.damaged += 1
        if self.damaged <= _COMPLAINTS:
            log.info("%s: %s", self.path, what)

    @property
    def missing(self) -> Fraction:
        """Seconds the file promised and did not hold, once all was read; 0 for a whole file."""
        short = Fraction(0)
        if self._promised_end_of_video is not None:
            short = self._promised_end_of_video - self._seen_end_of_video
        elif self._promised_end is not None:
            short = self._promised_end - self._seen_end
        # Headers round, and some writers count the last picture's duration differently.
        return short if short > max(Fraction(1, 4), 3 / self.average_rate) else Fraction(0)

    def close(self) -> None:
        """Release the file. May be called twice; waits while another thread decodes a picture."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._container.close()
