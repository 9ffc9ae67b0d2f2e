"""Video files as frames."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from stylize_live.config import SourceSettings
from stylize_live.errors import SourceError
from stylize_live.frame import Frame
from stylize_live.lifecycle import Closeable, Turn
from stylize_live.media.decode.alpha_decoder import has_alpha_layer
from stylize_live.media.decode.container import (
    INTERLACED,
    clock_origin,
    has_loose_clock,
    is_constant_rate,
    open_container,
    pick_video_stream,
    usual_step,
    video_duration,
    video_rate,
)
from stylize_live.media.decode.deinterlace import deinterlace
from stylize_live.media.decode.demux import Demuxer, from_key_frame
from stylize_live.media.decode.extent import Extent
from stylize_live.media.decode.frame_converter import FrameConverter
from stylize_live.media.decode.trim import TimedFrame, Trim, resample_frames
from stylize_live.media.decode.video_decoder import open_decoder
from stylize_live.media.formats.image_sequence import any_transparent, is_sequence
from stylize_live.media.formats.limits import threads_for
from stylize_live.media.formats.stereo_marks import STEREO_TAG, is_sphere, stereo_mode
from stylize_live.media.formats.timecode import shift_timecode_tags
from stylize_live.media.hw.surface import in_memory
from stylize_live.media.libraries import av
from stylize_live.system.clock import monotonic
from stylize_live.units import parse_rate, parse_seconds

log = logging.getLogger(__name__)

_COMPLAINTS = 5  # a damaged hour must not fill a log
_USUAL_RATE = Fraction(30)
_WHOLE = SourceSettings()


class VideoReader(Closeable):
    """A video file as a `Source`: upright RGB frames in order of time. Can be iterated once.

    Opening decodes the first frame, so that what cannot be played is refused at once.

    Attributes:
        size: (width, height) of the upright frames in pixels; later frames of another size are scaled.
        rate: nominal frames per second, or None when unknown or variable.
        average_rate: frames per second over the whole file, a guess where it is unknown.
        is_live: False; frames wait until they are taken.
        frames: estimated number of frames, or None.
        duration: estimated length in seconds, or None.
        time_base: seconds between two ticks of the frames' clock, which is the file's unless a rate
            was asked for; every pts is a multiple, where the file starts at 0.
        origin: what was subtracted from the file's own times in seconds; not 0 only for formats
            whose clock starts anywhere, such as MPEG-TS, and where the first frame is before 0.
        sample_aspect: width of an upright pixel over its height, or None when unknown.
        damaged: packets and frames met so far that could not be used.
        retimed: frames met so far without a time or with one that went back; they follow the
            one before by the usual step.
        last_duration: how long the last frame is shown, in seconds, once it was read.
        has_alpha: whether the frames have transparency.
        is_stereo: whether each frame holds one for each eye.
        is_sphere: whether the frames go all around the viewer.
        frame_kind: what the frames are, if `surfaces` were asked for.
        notes: what is not carried over from this file or was put right, in words; may grow while
            it is read.
        trim: the part of the file that is read; times count from its start.
        metadata: tags of the whole file, as they are true of the part and the rate that are read.
        video_index: number of the video among the file's streams.
        video_metadata: the same of the video's stream, such as language and title.

    Args:
        path: the file.
        settings: which part of it, how large, at which rate.
        bits: of each colour; more than 8 gives frames of uint16.
        square_pixels: stretch frames whose pixels are not square until they are.
        surfaces: leave upright frames of 8 bits as the planes that they were decoded into, on the GPU that
            did it or in the machine's memory, see `Surface`.

    Raises:
        SourceError: missing, a folder, empty, not a video, without frames.
    """

    is_live: bool = False

    def __init__(
        self,
        path: Path | str,
        settings: SourceSettings = _WHOLE,
        *,
        bits: int = 8,
        square_pixels: bool = False,
        surfaces: bool = False,
    ) -> None:
        self.path = path = Path(path)
        self.damaged = 0
        self.retimed = 0
        self.notes: list[str] = []
        self.last_duration = Fraction(0)
        self._turn = Turn(str(path), lambda: self._container.close())
        self._closed = False
        self._bits = bits
        self._square_pixels, self._surfaces = square_pixels, surfaces
        self._settings = settings
        self._new_rate = parse_rate(settings.fps) if settings.fps else None
        self._container = open_container(path, self._new_rate, settings.decoder, surfaces=surfaces)
        try:
            self._stream = pick_video_stream(self._container, path)
            self._describe_stream()
            decoded = self._decode()
            first = next(decoded, None)
            if first is None:
                raise SourceError(f"{path}: no frame could be decoded, the file is empty or damaged")
            self._describe_frames(first)
            decoded = self._seek_to_start(itertools.chain([first], decoded))
            self._frames_to_come = self._require_frame(self._read(decoded))
        except BaseException:
            self._container.close()
            raise

    def _describe_stream(self) -> None:
        stream = self._stream
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads_for(stream)
        self._decoder = open_decoder(stream, self._complain)
        # Copied here, because PyAV reads freed memory when a stream outlives its container.
        self.video_index = stream.index
        self.video_metadata = dict(stream.metadata)
        self.time_base = self._file_clock = stream.time_base or Fraction(1, 90_000)
        self.metadata = dict(self._container.metadata)
        self.origin = clock_origin(self._container)
        self._has_loose_clock = has_loose_clock(self._container)
        self._demuxer = Demuxer(self._container, self._complain)
        average = video_rate(stream)
        self.average_rate = average or _USUAL_RATE
        self._usual_step = usual_step(stream)
        self._step = 1 / self.average_rate
        self.rate = average if average and is_constant_rate(average, stream.base_rate) else None
        self._extent = Extent(self._container, stream)
        self.duration = video_duration(self._container, stream)
        self.frames = stream.frames or None
        if self.frames is None and self.duration is not None and average:
            self.frames = round(self.duration * average)
        self._choose_part()

    def _choose_part(self) -> None:
        """Apply the settings to what the file says of itself."""
        wanted = self._settings
        # On a tick, so that all times stay exact.
        start = round(parse_seconds(wanted.start or "0") / self.time_base) * self.time_base
        self.trim = Trim(start, parse_seconds(wanted.end) if wanted.end else None)
        self.metadata = shift_timecode_tags(self.metadata, self.average_rate, start, self._new_rate)
        self.video_metadata = shift_timecode_tags(
            self.video_metadata, self.average_rate, start, self._new_rate
        )
        if self.trim != Trim():
            share = self.trim.length(self.duration)
            if self.duration and share is not None:
                if not share and not self._has_loose_clock:
                    raise self._too_short()
                self.frames = round(self.frames * share / self.duration) if self.frames and share else None
            self.duration = share or None
        if self._new_rate is not None:
            self.rate = self.average_rate = self._new_rate
            self.frames = round(self.duration * self._new_rate) if self.duration else None
            self.time_base = Fraction(1, self._new_rate.numerator)

    def _too_short(self) -> SourceError:
        return SourceError(f"{self.path}: ends before the start, {self._settings.start}")

    def _require_frame(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        first = next(frames, None)
        if first is None:
            raise self._too_short()
        yield first
        yield from frames

    def _seek_to_start(self, decoded: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The frames of the chosen part and some before it; all there are where the file cannot seek."""
        if not self.trim.start or self._has_loose_clock or not self._seek(self.trim.start):
            return decoded
        decoded = self._decode()
        first = next(decoded, None)
        if first is not None and self._time(first, None) <= self.trim.start:
            return itertools.chain([first], decoded)
        self._seek(Fraction(0))
        return self._decode()

    def _seek(self, when: Fraction) -> bool:
        """Go to the key frame before a time; False where the file cannot."""
        try:
            ticks = round((when + self.origin) / self._file_clock)
            self._container.seek(ticks, stream=self._stream)
        except av.FFmpegError:
            return False
        self._decoder.forget()
        self._demuxer.forget()
        return True

    def _describe_frames(self, first: av.VideoFrame) -> None:
        if first.pts is not None and first.time_base:  # formats cut off what is before 0
            self.origin = min(self.origin, first.pts * first.time_base)
        converter = self._converter = FrameConverter(
            first,
            self._stream.sample_aspect_ratio,
            bits=self._bits,
            codec=self._stream.codec_context.name,
            square_pixels=self._square_pixels,
            wanted_size=self._settings.size,
            surfaces=self._surfaces,
            transparent=has_alpha_layer(self._stream) or self._shows_transparent_photos(),
            note=self._note,
        )
        self.size, self.sample_aspect = converter.size, converter.sample_aspect
        self.has_alpha, self.frame_kind = converter.has_alpha, converter.frame_kind
        mode, self.is_sphere = stereo_mode(first), is_sphere(first)
        self.is_stereo = mode is not None
        if mode:
            self.video_metadata.setdefault(STEREO_TAG, mode)

    def _shows_transparent_photos(self) -> bool:
        return is_sequence(self.path) and any_transparent(self.path)

    def __iter__(self) -> Iterator[Frame]:
        """Frames not read yet.

        Raises:
            SourceError: the reader was closed.
        """
        while (frame := self._next_frame()) is not None:
            yield frame

    def _next_frame(self) -> Frame | None:
        with self._turn:  # `close` from another thread waits until the decoder rests
            if self._closed:
                raise SourceError(f"{self.path}: was closed while it was read")
            return next(self._frames_to_come, None)

    def seek(self, when: Fraction) -> bool:
        """Go on with the frames from a key frame at or before a time, as the file's index knows it.

        Their indices begin at 0 again. Where an index is wrong, frames later than asked may come.

        Args:
            when: in seconds, as frames carry it.

        Returns:
            False for a file that cannot be sought, or whose clock was seen to jump.

        Raises:
            SourceError: the reader was closed.
        """
        with self._turn:
            if self._closed:
                raise SourceError(f"{self.path}: was closed while it was read")
            if self._demuxer.jumps or not self._seek(max(Fraction(0), when + self.trim.start)):
                return False
            self._frames_to_come = self._read(self._decode())
            return True

    def _read(self, decoded: Iterator[av.VideoFrame]) -> Iterator[Frame]:
        """Decoded frames into the frames that the settings ask for."""
        return self._convert(self._select(self._time_frames(self._deinterlace(decoded))))

    def _deinterlace(self, decoded: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Frames without combing; videos may become interlaced somewhere in the middle."""
        for frame in decoded:
            if frame.interlaced_frame:
                self._note(INTERLACED)
                yield from deinterlace(map(in_memory, itertools.chain([frame], decoded)))
            else:
                yield frame

    def _time_frames(self, decoded: Iterable[av.VideoFrame]) -> Iterator[TimedFrame]:
        """The frames with their times; each is shown until the next, the last as long as it says."""
        before: TimedFrame | None = None
        for frame in decoded:
            when = self._time(frame, before)
            if before is not None:
                self._step = when - before.when
                yield TimedFrame(before.frame, before.when, self._step)
            length = frame.duration * self._clock_of(frame) or self._usual_step or self._step
            before = TimedFrame(frame, when, length)
        if before is not None:
            yield before

    def _select(self, video: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
        """The part and the rate that the settings ask for."""
        video = self.trim.select(video)
        return video if self._new_rate is None else resample_frames(video, self._new_rate)

    def _convert(self, video: Iterable[TimedFrame]) -> Iterator[Frame]:
        converted: av.VideoFrame | None = None
        aspect = self.sample_aspect or Fraction(1)
        for index, shown in enumerate(video):
            self.last_duration = shown.duration
            if shown.frame is not converted:  # repeated for a higher rate
                made, alpha = self._converter(shown.frame)
                converted = shown.frame
            yield Frame(made, shown.when, monotonic(), index, alpha, pixel_aspect=aspect)

    def _time(self, frame: av.VideoFrame, before: TimedFrame | None) -> Fraction:
        if frame.pts is not None:
            when = frame.pts * self._clock_of(frame) - self.origin
            if before is None or when > before.when:
                return when
        self.retimed += 1
        return Fraction(0) if before is None else before.when + before.duration

    def _clock_of(self, frame: av.VideoFrame) -> Fraction:
        """Seconds between two ticks: the file's, unless a filter has its own."""
        return frame.time_base or self._file_clock

    def _note(self, what: str) -> None:
        if what not in self.notes:
            self.notes.append(what)

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Frames the decoder gives, with their best times as pts; broken ones are counted."""
        packets = self._packets()
        if self._has_loose_clock and self.trim.start:  # a time may be anywhere, so nothing is sought
            packets = from_key_frame(packets, self.trim.start + self.origin)
        return self._decoder.frames(packets)

    def _packets(self) -> Iterator[av.Packet[Any] | None]:
        """Packets of the video, then None to drain the decoder. A damaged one waits until another comes:
        if it is the last, cut off in the middle, the decoder would answer with an error and lose the
        frames it still holds."""
        damaged: av.Packet[Any] | None = None
        for packet in self._demuxer:
            self._extent.see(packet)
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
            self._note(f"the clock of the source jumps ({jumps}x): frames and sound go on without a gap")
        if self._demuxer.late_streams:
            self._note("left out: sound or subtitles that appear only later in the source")
        yield None

    def _complain(self, what: str) -> None:
        self.damaged += 1
        if self.damaged <= _COMPLAINTS:
            log.info("%s: %s", self.path, what)

    @property
    def missing(self) -> Fraction:
        """Seconds the file promised and did not hold, once all was read; 0 for a whole file."""
        if self.trim.end is not None:  # not read that far
            return Fraction(0)
        short = self._extent.missing
        # Headers round, and some writers count the last frame's duration differently.
        return short if short > max(Fraction(1, 4), 3 / self.average_rate, 3 * self._step) else Fraction(0)

    def close(self) -> None:
        """Release the file. May be called twice; waits a moment while another thread decodes a frame."""
        with self._turn.to_close() as came:
            if came and not self._closed:
                self._container.close()
            self._closed = True
