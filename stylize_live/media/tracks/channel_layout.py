"""Channel layouts: what a source names, and samples mixed for the layouts that an encoder knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from stylize_live.media.libraries import av

_USUAL = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
# Layouts that are known when what was encoded is read: measured. AAC takes more, but describes them in a
# way that hardly anything reads.
_FOUND_AGAIN = {
    "aac": {"mono", "stereo", "2.1", "3.0", "3.0(back)", "4.0", "quad", "5.0", "5.1", "7.1"},
    "libopus": {"mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"},
}
_MOST_CHANNELS = 64  # FFmpeg's resampler takes no more
# FFmpeg's names where the order is not its own: "9 channels", "2 channels (FR+FL)", "ambisonic 1".
_COUNTED = re.compile(r"\d+ channels(?: \((?P<order>.*)\))?|ambisonic .*")
# PyAV frees a list of speakers in an order of their own together with the object that names them, although
# the frame still owns it. Such objects stay here, so that nothing is freed twice.
_kept: list[av.AudioLayout] = []

Samples = npt.NDArray[np.float32]  # (N, channels)


class ChannelLayout:
    """Loudspeakers in the order in which their samples come.

    Attributes:
        name: as FFmpeg writes it.
        channels: names of the speakers; made up where the source has none.
        plain: the layout, in FFmpeg's own order, to which `matrix` brings them.
        matrix: (channels of `plain`, channels) float32, or None where FFmpeg knows the order itself.
    """

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        found = _COUNTED.fullmatch(name)
        order = (found["order"] or "").split("+") if found else []
        self.channels = tuple(order) if len(order) == count else tuple(map(str, range(count)))
        self.matrix: Samples | None = None
        self.plain = name
        if found is not None:
            self.plain, self.matrix = _sort_channels(order, count) or _layout_by_count(name, count)

    @property
    def can_be_mixed(self) -> bool:
        """Whether there are not too many of them; none means that they are not known yet."""
        return len(self.channels) <= _MOST_CHANNELS


def _sort_channels(order: list[str], count: int) -> tuple[str, Samples] | None:
    """Speakers that have names but come in another order; None where two share a name, or one has none."""
    known = [channel.name for channel in av.AudioLayout("22.2").channels]
    if len(order) != count or len(set(order)) < count or not set(order) <= set(known):
        return None
    wanted = sorted(order, key=known.index)
    matrix = np.zeros((count, count), np.float32)
    matrix[range(count), [order.index(name) for name in wanted]] = 1
    return av.AudioLayout("+".join(wanted)).name, matrix


def _layout_by_count(name: str, count: int) -> tuple[str, Samples]:
    """Speakers without names: the usual ones of their number; more are taken for pairs, left and right."""
    if name.startswith("ambisonic") and count >= 4:  # all around, then left minus right
        stereo = np.zeros((2, count), np.float32)
        stereo[:, :2] = (0.5, 0.5), (0.5, -0.5)
        return "stereo", stereo
    if count in _USUAL:
        return _USUAL[count], np.eye(count, dtype=np.float32)
    pairs = np.zeros((2, count), np.float32)
    for side in (0, 1):
        pairs[side, side::2] = 1 / max(1, len(range(side, count, 2)))
    return "stereo", pairs


def source_layout(context: av.AudioCodecContext) -> ChannelLayout:
    """The loudspeakers of a stream that is not decoded yet; to be asked once.

    An order of the file's own is replaced by a mere count in the decoder, because PyAV frees the list of
    such speakers once for each frame.
    """
    layout = context.layout
    speakers = ChannelLayout(layout.name, layout.nb_channels)
    if "(" in speakers.name and speakers.matrix is not None:
        context.layout = av.AudioLayout(f"{layout.nb_channels}C")
    return speakers


def encoder_layout(codec: str, wanted: str) -> str:
    """The layout to encode: the wanted one if players find it again, else one that has room for it.

    Args:
        codec: "aac" or "libopus".
        wanted: layout in FFmpeg's own order.
    """
    count = av.AudioLayout(wanted).nb_channels
    roomy = "stereo" if count < 3 else "5.1" if count <= 6 else "7.1"
    # 5.1(side), as AC-3 has it, is 5.1 with other names for the same two speakers.
    return next(name for name in (wanted, wanted.split("(")[0], roomy) if name in _FOUND_AGAIN[codec])


class Mixer:
    """Frames of sound, whatever they are, as samples for one set of loudspeakers at one rate.

    Samples stay in turn, channel by channel: PyAV reads behind the end of the list of planes where eight or
    more channels have a plane each.

    Args:
        source: what the stream says of its loudspeakers; where frames only count channels, this holds.
        layout: wanted, in FFmpeg's own order.
        rate: wanted samples a second.
    """

    def __init__(self, source: ChannelLayout, layout: str, rate: int) -> None:
        self._source, self._layout, self._rate = source, layout, rate
        self._kind: tuple[str, str, int] | None = None
        self._matrix: Samples | None = None
        self._first = self._second = self._resampler()

    def _resampler(self, layout: str | None = None) -> av.AudioResampler:
        return av.AudioResampler(format="flt", layout=layout, rate=self._rate)

    def mix(self, frame: av.AudioFrame) -> Iterator[tuple[Fraction | None, Samples]]:
        """Times in seconds, or None, and (N, channels) float32 of what is ready after a frame.

        Raises:
            FFmpegError: such sound cannot be mixed.
        """
        layout = frame.layout
        kind = layout.name, frame.format.name, frame.sample_rate
        if _is_listed(kind[0]):
            _kept.append(layout)
            raise av.error.InvalidDataError(0, "speakers in an order of their own")
        if kind != self._kind:
            yield from self.flush()
            self._begin(layout.name, layout.nb_channels)
            self._kind = kind
        yield from self._mix_parts(self._first.resample(frame))

    def _begin(self, name: str, count: int) -> None:
        speakers = ChannelLayout(name, count)
        if speakers.matrix is not None and count == len(self._source.channels):
            speakers = self._source
        self._matrix = speakers.matrix
        self._first = self._resampler(self._layout if speakers.matrix is None else None)
        self._second = self._resampler(self._layout)
        self._plain = speakers.plain

    def _mix_parts(self, parts: list[av.AudioFrame]) -> Iterator[tuple[Fraction | None, Samples]]:
        if self._matrix is not None:
            parts = [whole for part in parts for whole in self._second.resample(self._reorder(part))]
        for part in parts:
            when = None if part.pts is None or not part.time_base else part.pts * part.time_base
            yield when, _samples(part)

    def _reorder(self, part: av.AudioFrame) -> av.AudioFrame:
        assert self._matrix is not None
        mixed = np.ascontiguousarray(_samples(part) @ self._matrix.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(mixed, "flt", self._plain)
        frame.sample_rate, frame.pts = part.sample_rate, part.pts
        if part.time_base:
            frame.time_base = part.time_base
        return frame

    def flush(self) -> Iterator[tuple[Fraction | None, Samples]]:
        """What is still held; only frames of another kind may follow."""
        if self._kind is None:
            return
        self._kind = None
        yield from self._mix_parts(self._first.resample(None))
        if self._matrix is not None:
            self._matrix, rest = None, self._second.resample(None)
            yield from self._mix_parts(rest)


def _is_listed(name: str) -> bool:
    return bool((found := _COUNTED.fullmatch(name)) and found["order"])


def _samples(frame: av.AudioFrame) -> Samples:
    """(N, channels) of a frame whose samples come in turn."""
    return frame.to_ndarray().astype(np.float32, copy=False).reshape(-1, frame.layout.nb_channels)
