"""Encoded video packets into a file, with the sound and subtitles of the original beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

from stylize_live.config import AudioChoice
from stylize_live.errors import SinkError
from stylize_live.files import replacing
from stylize_live.lifecycle import Transaction, Turn
from stylize_live.media.decode.container import Disposition
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.growing_file import GrowingFile
from stylize_live.media.formats.codecs import video_format
from stylize_live.media.formats.containers import (
    IMAGES_ONLY,
    QUICKTIME,
    check_target,
    container_options,
    growing_options,
    quicktime_tag,
)
from stylize_live.media.formats.loop_counts import loop_count, loop_options
from stylize_live.media.formats.pipes import PIPE
from stylize_live.media.formats.stereo_marks import view_losses
from stylize_live.media.formats.tags import TAG_ERRORS, lasting_tags, lost_tags
from stylize_live.media.libraries import av
from stylize_live.media.tracks.passthrough import PassthroughStreams
from stylize_live.media.tracks.selection import make_track
from stylize_live.media.tracks.track import Track, describe_stream
from stylize_live.wording import option


class Muxer(Transaction):
    """A video file made of packets. It appears under its name when closed, whole, or not at all.

    It does not care where the video's packets come from: an encoder at work, or a file that one wrote
    earlier. The passthrough streams of `like` are written in step with them. Writing, finishing and aborting
    may happen in different threads, one after the other or not.

    Attributes:
        notes: what was lost or changed, in words.
        damaged: packets of copied streams met so far that could not be used.

    Args:
        path: target; its suffix chooses the format, - is Matroska on standard output.
        video: stream that describes the video's packets: `VideoEncoder.stream`, or a stream of an opened
            file. Needed only until this returns.
        clock: seconds between two ticks of the video in the file, see `video_clock` of `containers.py`.
        rate: nominal frames per second.
        like: file whose tags, chapters and other streams are taken over.
        audio: what to do with its sound.
        sound: stream that describes packets of sound for `write_sound`, or None.
        in_place: write under the file's own name from the start, in parts that can be played even if
            the program is killed; what was written stays whatever happens. The file must not exist.

    Raises:
        UsageError: the suffix names no known format.
        SinkError: the target cannot be written.
    """

    def __init__(
        self,
        path: Path,
        video: av.VideoStream,
        *,
        clock: Fraction,
        rate: Fraction = Fraction(30),
        like: VideoReader | None = None,
        audio: AudioChoice = "copy",
        sound: av.AudioStream | None = None,
        in_place: bool = False,
    ) -> None:
        self.path = path
        self._growing: GrowingFile | None = None
        self._audio: AudioChoice = audio
        self.notes: list[str] = []
        self._format = video_format(path)
        self._turn = Turn(str(path), self._release_late)
        self._finished = self._closed = False
        self._passthrough: PassthroughStreams | None = None
        self._tracks: dict[int, Track] = {}
        self._place, self._resources = ExitStack(), ExitStack()
        with self._cleaned_up_on_error():
            self._open(clock, like, in_place)
            self._add_video(video, clock, rate)
            self._sound = self._output.add_stream_from_template(sound, opaque=True) if sound else None
            if like is not None:
                self._add_passthrough(like)
            self._output.start_encoding()

    def _open(self, clock: Fraction, like: VideoReader | None, in_place: bool) -> None:
        check_target(self.path)
        place: Any = "pipe:1"
        if in_place:
            place = self._growing = self._place.enter_context(GrowingFile(self.path))
        elif self.path != PIPE:
            place = f"file:{self._place.enter_context(replacing(self.path))}"
        self._output = av.open(
            place,
            "w",
            format=self._format,
            container_options=self._options(clock, like)
            | (growing_options(self._format) if in_place else {}),
            metadata_errors=TAG_ERRORS,
        )

    def _options(self, clock: Fraction, like: VideoReader | None) -> dict[str, str]:
        if self._format in IMAGES_ONLY:
            return loop_options(self._format, loop_count(like.path) if like else 0)
        return container_options(self._format, clock, like.metadata if like else {})

    def _add_video(self, template: av.VideoStream, clock: Fraction, rate: Fraction) -> None:
        video = self._output.add_stream_from_template(template, opaque=True)
        video.time_base = clock
        video.codec_context.framerate = rate
        if self._format in QUICKTIME:
            video.codec_context.codec_tag = quicktime_tag(template)
        video.disposition = Disposition.default
        self._video = video

    def _add_passthrough(self, like: VideoReader) -> None:
        passthrough = PassthroughStreams(like)
        self._resources.callback(passthrough.close)
        if self._format in IMAGES_ONLY:
            if passthrough.streams:
                self.notes.append(
                    f"left out: sound and everything else beside the video; {self.path.suffix} has none"
                )
            return
        self._passthrough = passthrough
        tags = lasting_tags(passthrough.metadata)
        self._output.metadata.update(tags)
        if without := lost_tags(tags, self._format):
            self.notes.append(
                f"left out: tags that {self.path.suffix} has no place for ({', '.join(without)}); "
                ".mkv would keep them"
            )
        self._video.metadata.update(lasting_tags(like.video_metadata))
        self.notes += view_losses(like.video_metadata, like.is_stereo, like.is_sphere, self._format)
        self._output.set_chapters(passthrough.chapters)
        self.notes += [
            f"left out: {describe_stream(stream)}, which belongs to another programme"
            for stream in passthrough.foreign
        ]
        wanted = []
        for stream in passthrough.streams:
            track = self._track(stream)
            if track is not None:
                self._tracks[stream.index] = track
                wanted.append(stream)
        passthrough.choose(wanted)

    def _track(self, stream: av.stream.Stream) -> Track | None:
        suffix = self.path.suffix or ".mkv"  # of a pipe
        track, notes = make_track(self._output, stream, suffix, self._audio)
        self.notes += notes
        return track

    @property
    def closed(self) -> bool:
        """Whether the file is in its place, or will never be."""
        return self._closed

    @property
    def damaged(self) -> int:
        """Packets of copied streams met so far that could not be used."""
        lost = self._passthrough.damaged if self._passthrough else 0
        return lost + sum(track.damaged for track in self._tracks.values())

    def write(self, packets: Iterable[av.Packet[Any]]) -> None:
        """Write packets of the video, in order of decoding; the packets are changed.

        Raises:
            SinkError: the disk is full or the target went away.
        """
        with self._guard():
            for packet in packets:
                assert packet.dts is not None
                self._write_passthrough(packet.dts * packet.time_base)
                packet.stream = self._video
                self._output.mux_one(packet)

    def write_sound(self, packets: Iterable[av.Packet[Any]]) -> None:
        """Write packets of the sound that was announced; the packets are changed. Raises as `write` does."""
        with self._guard():
            for packet in packets:
                packet.stream = self._sound
                self._output.mux_one(packet)

    def _write_passthrough(self, until: Fraction | None) -> None:
        if self._passthrough is None:
            return
        for packet in self._passthrough.packets(until):
            for ready in self._tracks[packet.stream_index].take(packet):
                self._output.mux_one(ready)

    def finish(self) -> None:
        """Write the rest of the sound, and the index. May be called twice.

        Raises:
            SinkError: the disk is full or the target went away.
        """
        with self._guard():
            if self._finished:
                return
            self._write_passthrough(None)
            for track in self._tracks.values():
                self._output.mux(list(track.flush()))
                self.notes += track.notes
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
        with self._turn.to_close() as came:
            self._leave(_AbortError(), hangs=not came)

    def _leave(self, error: BaseException | None, *, hangs: bool = False) -> None:
        """Close everything once; the temporary file gets its name only without an error.

        Args:
            error: why it ends early.
            hangs: whether another thread is inside FFmpeg: then only the temporary file is removed.
        """
        if self._closed:
            return
        self._closed = True
        if hangs and self._growing is not None:
            return  # what was written stays, and is closed by whoever writes
        if not hangs:
            self._release(unfinished=error is not None)
        try:
            self._place.__exit__(type(error) if error else None, error, None)
        except OSError as failure:
            raise _sink_error(self.path, failure) from None

    def _release(self, *, unfinished: bool) -> None:
        if unfinished and hasattr(self, "_output"):
            with contextlib.suppress(av.FFmpegError, OSError):
                self._output.close()
        self._resources.close()

    def _release_late(self) -> None:
        self._release(unfinished=True)
        self._place.close()

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        with self._turn:
            if self._closed:
                raise SinkError(f"{self.path}: was closed while it was written")
            try:
                yield
                if self._growing is not None and self._growing.error is not None:
                    raise self._growing.error
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


class _AbortError(Exception):
    """Tells the temporary file's owner to remove it."""


def _sink_error(path: Path, error: av.FFmpegError | OSError) -> SinkError:
    if not isinstance(error, OSError):  # the disk has no part in it
        what = f"FFmpeg refuses to put this into {path.suffix or 'a pipe'} ({error.strerror or error})"
        return SinkError(f"{path}: {what}, {option('audio', 'none')} or another suffix may help")
    hint = ", free some space or choose another disk" if error.errno == 28 else ""
    return SinkError(f"{path}: cannot write: {error.strerror or error}{hint}")
