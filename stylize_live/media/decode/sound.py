"""The sound of a file, as samples on the clock of its video."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stylize_live.errors import SourceError
from stylize_live.media.decode.container import Disposition, clock_origin, open_container
from stylize_live.media.decode.demux import Demuxer
from stylize_live.media.libraries import av

RATE = 24_000  # samples a second: all that is listened to, up to 10 kHz
_SMALL_GAP = Fraction(1, 50)  # seconds; clocks that round leave gaps of a millisecond
_CHUNK = 10 * RATE  # of silence

Samples = npt.NDArray[np.float32]


def has_sound(path: Path) -> bool:
    """Whether a file has sound that can be decoded, and can be read beside its video.

    Raises:
        SourceError: it cannot be opened.
    """
    if not path.is_file():  # numbered images, and pipes, which can be read only once
        return False
    container = open_container(path)
    try:
        return _pick(container) is not None
    finally:
        container.close()


def read_sound(path: Path, origin: Fraction | None = None) -> Iterator[Samples]:
    """The samples of a file's sound from time 0 on, mono, in chunks, `RATE` a second.

    What is damaged is left out; gaps are silence, overlaps are cut, so that a sample's place is its time.

    Args:
        path: a file that `has_sound`.
        origin: seconds of the file's clock at which the video has its time 0, see `VideoReader`; as its clock
            says where None.

    Raises:
        SourceError: the file cannot be opened, or has no sound any more.
    """
    container = open_container(path)
    try:
        stream = _pick(container)
        if stream is None:
            raise SourceError(f"{path}: no sound in this file")
        begin = clock_origin(container) if origin is None else origin
        yield from _align(_decode(container, stream), begin)
    finally:
        container.close()


def _pick(container: av.container.InputContainer) -> av.AudioStream | None:
    """The default sound, or the first that can be decoded."""
    usable = [one for one in container.streams.audio if getattr(one, "codec_context", None) and one.channels]
    return next((one for one in usable if one.disposition & Disposition.default), next(iter(usable), None))


def _decode(
    container: av.container.InputContainer, stream: av.AudioStream
) -> Iterator[tuple[Fraction | None, Samples]]:
    """Samples and the time of their first one in seconds of the file's clock, None where it goes on."""
    resampler, kind = av.AudioResampler("flt", "mono", RATE), None
    for packet in Demuxer(container, lambda what: None):
        if packet.stream_index != stream.index or packet.is_corrupt:
            continue
        frames = []
        with contextlib.suppress(av.FFmpegError):
            frames = list(stream.decode(packet))
        for frame in frames:
            clock = frame.time_base
            when = None if frame.pts is None or clock is None else Fraction(frame.pts * clock)
            before, kind = kind, (frame.format.name, frame.layout.name, frame.sample_rate)
            if kind != before:  # as broadcasts change between stereo and surround
                resampler = av.AudioResampler("flt", "mono", RATE)
            with contextlib.suppress(av.FFmpegError, ValueError):
                for made in resampler.resample(frame):
                    yield when, np.asarray(made.to_ndarray()[0], np.float32)
                    when = None


def _align(parts: Iterator[tuple[Fraction | None, Samples]], begin: Fraction) -> Iterator[Samples]:
    place = 0  # samples that were given
    for when, samples in parts:
        at = place if when is None else round((when - begin) * RATE)
        if abs(at - place) <= _SMALL_GAP * RATE and place:
            at = place
        for _ in range(place, at, _CHUNK):
            yield np.zeros(min(_CHUNK, at - place), np.float32)
            place = min(at, place + _CHUNK)
        rest = samples[max(0, place - at) :]
        place += len(rest)
        if len(rest):
            yield rest
