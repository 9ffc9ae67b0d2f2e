"""Video files as frames, and the packets of their other streams.

The pictures and the packets are read through two containers over the same file: FFmpeg's are not
thread-safe, and this way each thread reads at its own pace and nothing piles up between them.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import numpy as np

from stylize_live.errors import SourceError
from stylize_live.frame import Frame, Pixels
from stylize_live.media.colour import ToRgb
from stylize_live.media.libraries import av, cv2

log = logging.getLogger(__name__)

Disposition = av.stream.Disposition

_COMPLAINTS = 5  # a damaged hour must not fill a log
_READ_ATTEMPTS = 20
_NOT_FILM = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
_USUAL_RATE = Fraction(30)


class VideoReader:
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
            whose clock starts anywhere, such as MPEG-TS.
        sample_aspect: width of an upright pixel over its height, or None when unknown.
        damaged: packets and pictures met so far that could not be used.
        retimed: pictures met so far without a time or with one that went back; they follow the
            one before by the usual step.
        last_duration: how long the last picture is shown, in seconds, once it was read.
        notes: what is not carried over from this file, in words.
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
        self.last_duration = Fraction(0)
        self._seen_end = self._seen_end_of_video = Fraction(0)
        self._lock = threading.Lock()
        self._closed = False
        self._convert = ToRgb()
        self._container = open_container(path)
        try:
            self._stream = _pick_film(self._container, path)
            self._describe_stream()
            pictures: Iterator[av.VideoFrame] = self._decode()
            first = next(pictures, None)
            if first is None:
                raise SourceError(f"{path}: no picture could be decoded, the file is empty or damaged")
            self._describe_picture(first)
            pictures = itertools.chain([first], pictures)
            if first.interlaced_frame:
                pictures = _deinterlaced(pictures)
            self._frames_to_come = self._read_frames(pictures)
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
        self.origin = _origin(self._container)
        average = stream.average_rate or stream.guessed_rate
        self.average_rate = average or _USUAL_RATE
        self.rate = average if average and _is_constant(average, stream.base_rate) else None
        self._promised_end_of_video = _end(stream.start_time, stream.duration, stream.time_base)
        self._promised_end = _end(
            self._container.start_time, self._container.duration, Fraction(1, av.time_base)
        )
        self.duration = _duration(self._container, stream)
        self.frames = stream.frames or None
        if self.frames is None and self.duration is not None and average:
            self.frames = round(self.duration * average)

    def _describe_picture(self, picture: av.VideoFrame) -> None:
        # Once: PyAV ties a picture and its side data into a cycle, so reading this from every picture
        # would keep hundreds of them until the garbage collector comes by.
        turn = self._turn = Orientation.of(picture)
        aspect = self._stream.sample_aspect_ratio
        self.size = (picture.height, picture.width) if turn.transpose else (picture.width, picture.height)
        self.sample_aspect = 1 / aspect if aspect and turn.transpose else aspect or None
        self.notes = _losses(picture)

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

    def _upright(self, picture: av.VideoFrame) -> Pixels:
        size = self.size[::-1] if self._turn.transpose else self.size
        return self._turn.apply(self._convert(picture, size))

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
        """Packets of the film, then None to drain the decoder."""
        for _ in range(_READ_ATTEMPTS):
            try:
                yield from self._demux()
                break
            except av.FFmpegError as error:
                self._complain(f"cannot be read further: {error.strerror}")
        yield None

    def _demux(self) -> Iterator[av.Packet[Any]]:
        """Packets of the film. A damaged one waits until another comes: if it is the last, cut off in
        the middle, the decoder would answer with an error and lose the pictures it still holds."""
        damaged: av.Packet[Any] | None = None
        for packet in self._container.demux():
            if packet.size == 0:  # an empty packet would drain the decoder before its time
                continue
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Companions:
    """The streams beside the film, as packets to be copied.

    Attributes:
        streams: sound, subtitle, data and attachment streams, and further films, as PyAV streams.
        metadata: tags of the whole file.
        chapters: as PyAV gives and takes them.
        damaged: packets met so far that could not be used.

    Raises:
        SourceError: the file cannot be opened.
    """

    def __init__(self, reader: VideoReader) -> None:
        self.damaged = 0
        self._path = reader.path
        self._container = open_container(reader.path)
        self._container.streams[reader.video_index].discard = av.stream.Discard.all
        self._origin = reader.origin
        self._held: av.Packet[Any] | None = None
        self._coming: Iterator[av.Packet[Any]] = iter(())
        self.streams = [s for s in self._container.streams if s.index != reader.video_index]
        self.metadata = dict(self._container.metadata)
        self.chapters = self._container.chapters()

    def choose(self, wanted: list[av.stream.Stream]) -> None:
        """Read only these streams; to be called once, before `packets`."""
        for stream in self.streams:
            if stream not in wanted:
                stream.discard = av.stream.Discard.all
        if wanted:
            self._coming = self._demux(wanted)

    def _demux(self, wanted: list[av.stream.Stream]) -> Iterator[av.Packet[Any]]:
        try:
            for packet in self._container.demux(*wanted):
                if packet.size and self._shift(packet):
                    yield packet
        except av.FFmpegError as error:
            self.damaged += 1
            log.info("%s: sound cannot be read further: %s", self._path, error.strerror)

    def _shift(self, packet: av.Packet[Any]) -> bool:
        """Count the packet's time from the origin; False for one without any time."""
        offset = round(self._origin / packet.time_base)
        if packet.dts is None:
            is_cover = packet.stream.disposition & Disposition.attached_pic
            packet.dts = offset if is_cover else packet.pts
        if packet.dts is None:
            self.damaged += 1
            return False
        packet.dts -= offset
        if packet.pts is not None:
            packet.pts -= offset
        return True

    def packets(self, until: Fraction | None) -> Iterator[av.Packet[Any]]:
        """Packets not given yet, up to a time in seconds; None gives all that are left."""
        while True:
            packet, self._held = self._held or next(self._coming, None), None
            if packet is None:
                return
            if until is not None and packet.dts is not None and packet.dts * packet.time_base > until:
                self._held = packet
                return
            yield packet

    def close(self) -> None:
        """Release the file, whose streams must not be used any more. May be called twice."""
        self.streams = []
        self._coming, self._held = iter(()), None
        self._container.close()


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a stored picture becomes upright: swap the axes, then mirror."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @staticmethod
    def of(picture: av.VideoFrame) -> Orientation:
        """Read the display matrix; angles between right angles are taken as the nearest one."""
        data = picture.side_data.get("DISPLAYMATRIX")
        if data is None:
            return Orientation()
        matrix = np.frombuffer(cast("bytes", data), np.int32)
        a, b, _, c, d = (int(value) for value in matrix[:5])
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return Orientation(False, a < 0, d < 0)
        return Orientation(True, c < 0, b < 0)

    def apply(self, pixels: Pixels) -> Pixels:
        """Turn a picture, (H, W, 3) uint8; the result is C-contiguous."""
        turned: Any = cv2.transpose(pixels) if self.transpose else pixels
        if self.mirror_x or self.mirror_y:
            turned = cv2.flip(turned, -1 if self.mirror_x and self.mirror_y else int(self.mirror_x))
        return cast("Pixels", turned)


def open_container(path: Path) -> av.container.InputContainer:
    """Open a media file for reading.

    Raises:
        SourceError: it is missing, a folder, empty, or nothing that holds a video.
    """
    if path.is_dir():
        raise SourceError(f"{path}: is a folder, expected a video file")
    try:
        if path.stat().st_size == 0:
            raise SourceError(f"{path}: the file is empty (0 bytes)")
        # "file:" keeps FFmpeg from reading a colon in the name as a protocol.
        container = av.open(f"file:{path}", "r", metadata_errors="replace")
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except PermissionError:
        raise SourceError(f"{path}: no permission to read this file") from None
    except (OSError, av.FFmpegError) as error:
        raise SourceError(f"{path}: not a video that can be read ({error.strerror})") from None
    kind = container.format.name
    if kind.endswith("_pipe") or kind in ("image2", "tty"):
        container.close()
        what = "text" if kind == "tty" else "a still picture, use the image command"
        raise SourceError(f"{path}: not a video but {what}")
    return container


def _pick_film(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    """The default film, or the first: cover pictures and thumbnails are no films."""
    films = [stream for stream in container.streams.video if not stream.disposition & _NOT_FILM]
    if not films:
        what = "only sound" if container.streams.audio else "no video stream"
        raise SourceError(f"{path}: no video in this file, {what}")
    # PyAV leaves out the codec context where FFmpeg has no decoder.
    films = [film for film in films if getattr(film, "codec_context", None) is not None]
    if not films:
        raise SourceError(f"{path}: no decoder for the video in this file, convert it to H.264 first")
    return next((film for film in films if film.disposition & Disposition.default), films[0])


def _origin(container: av.container.InputContainer) -> Fraction:
    if not av.format.Flags.ts_discont & av.format.Flags(container.format.flags):
        return Fraction(0)
    streams: list[av.stream.Stream] = [*container.streams.video, *container.streams.audio]
    starts = [s.start_time * s.time_base for s in streams if s.start_time is not None and s.time_base]
    return min(starts, default=Fraction(0))


def _duration(container: av.container.InputContainer, stream: av.VideoStream) -> Fraction | None:
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    return Fraction(container.duration, av.time_base) if container.duration else None


def _end(start: int | None, duration: int | None, clock: Fraction | None) -> Fraction | None:
    return None if duration is None or clock is None else ((start or 0) + duration) * clock


def _deinterlaced(pictures: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Weave-free pictures at the same times; a network would paint the combing as brush strokes."""
    kind = None
    graph: av.filter.Graph | None = None
    for picture in pictures:
        if kind != (picture.format.name, picture.width, picture.height):
            if graph is not None:
                graph.push(None)
                yield from _pulled(graph)
            kind = (picture.format.name, picture.width, picture.height)
            graph = _deinterlacer(picture)
        assert graph is not None
        graph.push(picture)
        yield from _pulled(graph)
    if graph is not None:
        graph.push(None)
        yield from _pulled(graph)


def _deinterlacer(picture: av.VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=picture.time_base
    )
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink"))
    graph.configure()
    return graph


def _pulled(graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (BlockingIOError, EOFError):
            return


def _is_constant(average: Fraction, base: Fraction | None) -> bool:
    """Whether the average rate is the rate of (nearly) all pictures."""
    return base is None or abs(average / base - 1) < Fraction(1, 100)


def _losses(picture: av.VideoFrame) -> list[str]:
    """What of this kind of picture 8-bit RGB frames do not carry, in words."""
    notes = []
    components = picture.format.components
    bits = max(component.bits for component in components)
    if picture.color_trc in _HDR_TRANSFERS:
        name = _HDR_TRANSFERS[picture.color_trc]
        notes.append(f"HDR ({name}) was not tone-mapped: colours look flatter than on an HDR screen")
    if bits > 8:
        notes.append(f"{bits}-bit colours were reduced to 8 bits")
    if any(component.is_alpha for component in components):
        notes.append("transparency was dropped")
    if picture.interlaced_frame:
        notes.append("interlaced video was deinterlaced, one picture for every two fields")
    return notes
