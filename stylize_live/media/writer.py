"""Frames into an H.264 file, with the sound and subtitles of the original beside them."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from stylize_live.config import AudioChoice
from stylize_live.errors import SinkError, UsageError
from stylize_live.files import replacing
from stylize_live.frame import Frame
from stylize_live.media.colour import ToYuv, even, tag
from stylize_live.media.companions import Companions
from stylize_live.media.container import Disposition
from stylize_live.media.libraries import av
from stylize_live.media.reader import VideoReader
from stylize_live.media.tags import lasting, lost, wants_phone_tags
from stylize_live.media.track_choice import make_track
from stylize_live.media.tracks import Track

# By name, because FFmpeg would take .m4v for a bare MPEG-4 stream.
FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_USUAL_TICKS = 90_000  # per second
_MOST_TICKS = 2**24
_MATROSKA_CLOCK = Fraction(1, 1000)
_ROUNDED = "Matroska stores whole milliseconds: the times of pictures were rounded to them"


class VideoWriter:
    """An H.264 file as a `Sink`. It appears under its name when closed, whole, or not at all.

    Frames keep their exact times; the gap to the next one is how long a frame is shown. Writing,
    finishing and aborting may happen in different threads, one after the other or not.

    Attributes:
        notes: what was lost or changed, in words.
        damaged: packets of copied streams met so far that could not be used.

    Args:
        path: target, ending in .mp4, .m4v, .mov or .mkv.
        size: (width, height) of the frames in pixels; odd sides grow by one repeated pixel.
        rate: nominal frames per second; for the encoder's planning only.
        crf: quality of x264, 0 to 51, lower is better.
        preset: speed of x264.
        audio: what to do with the sound of `like`.
        like: file whose clock, pixel shape, tags, chapters and other streams are taken over.

    Raises:
        UsageError: the suffix names no known format.
        SinkError: the target cannot be written.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        *,
        rate: Fraction = Fraction(30),
        crf: int = 18,
        preset: str = "veryfast",
        audio: AudioChoice = "copy",
        like: VideoReader | None = None,
    ) -> None:
        self.path = path
        self._audio: AudioChoice = audio
        self.notes: list[str] = []
        self._format = video_format(path)
        self._lock = threading.Lock()
        self._finished = self._closed = False
        self._convert = ToYuv()
        self._waiting: Frame | None = None
        self._like = like
        self._companions: Companions | None = None
        self._tracks: dict[int, Track] = {}
        self._resources = ExitStack()
        with self._cleaned_up_on_error():
            self._open()
            self._add_film(size, rate, {"crf": str(crf), "preset": preset})
            if like is not None:
                self._add_companions(like)
            self._output.start_encoding()

    def _open(self) -> None:
        _check_folder(self.path)
        self._temporary = self._resources.enter_context(replacing(self.path))
        options = {"movflags": "+faststart", "movie_timescale": str(self._clock().denominator)}
        if self._like and wants_phone_tags(self._like.metadata, self._format):
            options["movflags"] += "+use_metadata_tags"
        if self._format == "matroska":
            # Sound that an encoder began before 0 would move all pictures to later times.
            options = {"avoid_negative_ts": "disabled"}
        self._output = av.open(
            f"file:{self._temporary}",
            "w",
            format=self._format,
            container_options=options,
            metadata_errors="replace",
        )

    def _add_film(self, size: tuple[int, int], rate: Fraction, options: dict[str, str]) -> None:
        clock = self._clock()
        film = self._output.add_stream("libx264", rate=rate, options=options, time_base=clock)
        assert isinstance(film, av.VideoStream)
        context = film.codec_context
        context.width, context.height = size[0] + size[0] % 2, size[1] + size[1] % 2
        context.pix_fmt = "yuv420p"
        context.time_base = film.time_base = clock
        context.thread_type = "FRAME"  # slices, the default, compress worse and only save delay
        context.flags |= av.codec.context.Flags.frame_duration
        tag(context)
        if self._like and self._like.sample_aspect:
            context.sample_aspect_ratio = self._like.sample_aspect
        film.disposition = Disposition.default
        self._film, self._ticks = film, -(2**63)
        if size != (context.width, context.height):
            self.notes.append(
                f"H.264 needs even sides: {size[0]}x{size[1]} grew to {context.width}x{context.height} "
                "by repeating the last pixels"
            )

    def _clock(self) -> Fraction:
        """The source's clock as one tick per 1/n second, which every container can keep."""
        if self._format == "matroska":
            return _MATROSKA_CLOCK
        ticks = self._like.time_base.denominator if self._like else _USUAL_TICKS
        return Fraction(1, ticks if ticks < _MOST_TICKS else _USUAL_TICKS)

    def _add_companions(self, like: VideoReader) -> None:
        companions = self._companions = Companions(like)
        self._resources.callback(companions.close)
        tags = lasting(companions.metadata)
        self._output.metadata.update(tags)
        if without := lost(tags, self._format):
            self.notes.append(
                f"left out: tags that {self.path.suffix} has no place for ({', '.join(without)}); "
                ".mkv would keep them"
            )
        self._film.metadata.update(lasting(like.video_metadata))
        self._output.set_chapters(companions.chapters)
        wanted = []
        for stream in companions.streams:
            track = self._track(stream)
            if track is not None:
                self._tracks[stream.index] = track
                wanted.append(stream)
        companions.choose(wanted)

    def _track(self, stream: av.stream.Stream) -> Track | None:
        track, notes = make_track(self._output, stream, self.path.suffix, self._audio)
        self.notes += notes
        return track

    @property
    def damaged(self) -> int:
        """Packets of copied streams met so far that could not be used."""
        lost = self._companions.damaged if self._companions else 0
        return lost + sum(track.damaged for track in self._tracks.values())

    def write(self, frame: Frame) -> None:
        """Encode a frame; frames come in order of time.

        Raises:
            SinkError: the disk is full or the target went away.
        """
        with self._working():
            before, self._waiting = self._waiting, frame
            if before is not None:
                self._encode(before, frame.pts - before.pts)

    def _encode(self, frame: Frame, duration: Fraction) -> None:
        self._mux_companions(frame.pts)
        picture = self._convert(even(frame.pixels))
        picture.pts = self._next_ticks(frame.pts)
        picture.time_base = self._film.codec_context.time_base
        picture.duration = max(1, round(duration / picture.time_base))
        self._output.mux(self._film.encode(picture))

    def _next_ticks(self, when: Fraction) -> int:
        """The time as ticks, but later than the frame before, which encoders insist on."""
        exact = when / self._film.codec_context.time_base
        self._ticks = max(round(exact), self._ticks + 1)
        if exact.denominator != 1 and self._format == "matroska" and _ROUNDED not in self.notes:
            self.notes.append(_ROUNDED)
        return self._ticks

    def _mux_companions(self, until: Fraction | None) -> None:
        if self._companions is None:
            return
        for packet in self._companions.packets(until):
            for ready in self._tracks[packet.stream_index].take(packet):
                self._output.mux_one(ready)

    def finish(self) -> None:
        """Write what is still in the encoder, the rest of the sound, and the index. May be called twice.

        Raises:
            SinkError: the disk is full or the target went away.
        """
        with self._working():
            if self._finished:
                return
            if self._waiting is not None:
                self._encode(self._waiting, self._like.last_duration if self._like else Fraction(0))
                self._waiting = None
            self._output.mux(self._film.encode(None))
            self._mux_companions(None)
            for track in self._tracks.values():
                self._output.mux(list(track.flush()))
            self._finished = True
            self._output.close()

    def close(self) -> None:
        """Finish, and put the file in its place. May be called twice.

        Raises:
            SinkError: the disk is full or the target went away; nothing is left behind.
        """
        if self._closed:
            return
        try:
            self.finish()
        except BaseException as error:
            self._leave(error)
            raise
        self._leave(None)

    def abort(self) -> None:
        """Leave nothing behind. May be called after `close`, when it does nothing."""
        with self._lock:
            self._leave(_AbortError())

    def _leave(self, error: BaseException | None) -> None:
        """Close everything once; the temporary file gets its name only without an error."""
        if self._closed:
            return
        self._closed = True
        if error is not None and hasattr(self, "_output"):
            with contextlib.suppress(av.FFmpegError, OSError):
                self._output.close()
        try:
            self._resources.__exit__(type(error) if error else None, error, None)
        except OSError as failure:
            raise _sink_error(self.path, failure) from None

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise SinkError(f"{self.path}: was closed while it was written")
            try:
                yield
            except (av.FFmpegError, OSError) as error:
                raise _sink_error(self.path, error) from error

    @contextlib.contextmanager
    def _cleaned_up_on_error(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            self.abort()
            raise _sink_error(self.path, error) from error
        except BaseException:
            self.abort()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()


class _AbortError(Exception):
    """Tells the temporary file's owner to remove it."""


def video_format(path: Path) -> str:
    """FFmpeg's name of the format that a path's suffix asks for.

    Raises:
        UsageError: the suffix is not .mp4, .m4v, .mov or .mkv.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(sorted(FORMATS))
        raise UsageError(f"{path}: cannot write this kind of video, use one of {known}") from None


def _check_folder(path: Path) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise SinkError(f"{path}: the folder {folder} does not exist, make it first")
    if path.is_dir():
        raise SinkError(f"{path}: is a folder, expected a file name")
    if not os.access(folder, os.W_OK):
        raise SinkError(f"{path}: no permission to write into {folder}")


def _sink_error(path: Path, error: av.FFmpegError | OSError) -> SinkError:
    hint = ", free some space or choose another disk" if error.errno == 28 else ""
    return SinkError(f"{path}: cannot write: {error.strerror or error}{hint}")
