"""Films of photos, such as motion JPEG and numbered pictures: each packet is a picture of its own."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from stylize_live.media.libraries import av
from stylize_live.media.limits import bound
from stylize_live.media.picture_times import PictureTimes

# FFmpeg's names of their codecs.
PHOTOS = frozenset({"bmp", "jpegls", "mjpeg", "png", "tiff", "webp"})
# Some of FFmpeg's decoders fill up with grey or green what is missing, and say nothing unless told to.
_CHECKS = {"mjpeg": "explode", "jpegls": "explode", "png": "crccheck"}
_LENIENT_AFTER = 8  # pictures
_KEEP_NUMBERS = av.codec.context.Flags.copy_opaque  # of packets, so that pictures have them


class PhotoDecoder:
    """A `FilmDecoder` that knows which packet each picture comes from: packets without one are damaged.

    Some cameras send every JPEG a little short: where not one of the first is whole, all are taken as
    they are.
    """

    def __init__(self, film: av.VideoStream, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._decoder = film.codec_context
        name = self._decoder.name
        bound(self._decoder, **({"err_detect": _CHECKS[name]} if name in _CHECKS else {}))
        self._decoder.flags |= _KEEP_NUMBERS
        self._sent: deque[av.Packet[Any]] = deque()
        self._count = itertools.count()
        self._failures_left = _LENIENT_AFTER if name == "mjpeg" else None
        self._times = PictureTimes()

    def pictures(self, packets: Iterable[av.Packet[Any] | None]) -> Iterator[av.VideoFrame]:
        """See `FilmDecoder`."""
        self._times = PictureTimes()
        for packet in packets:
            if packet is None or not packet.size:
                break
            packet.opaque = next(self._count)
            yield from self._whole(self._decode([packet]))
            if self._failures_left == 0:
                self._be_lenient()
                yield from self._whole(self._decode(self._taken_back()))
        yield from self._whole(self._decode([None]), drained=True)
        while self._sent:  # PyAV stops draining at the first that is damaged
            self._give_up(self._sent.popleft())
            yield from self._whole(self._decode([*self._taken_back(), None]), drained=True)

    def forget(self) -> None:
        """See `FilmDecoder`."""
        self._sent.clear()
        if self._decoder.is_open:
            self._decoder.flush_buffers()

    def _taken_back(self) -> list[av.Packet[Any]]:
        packets = list(self._sent)
        self.forget()
        return packets

    def _decode(self, packets: Iterable[av.Packet[Any] | None]) -> Iterator[av.VideoFrame]:
        """What is ready. Errors only say that there is damage; in which packet, `_whole` finds out."""
        for packet in packets:
            if packet is not None:
                self._sent.append(packet)
            try:
                yield from self._decoder.decode(packet)
            except av.FFmpegError:
                if self._failures_left:
                    self._failures_left -= 1

    def _whole(self, pictures: Iterable[av.VideoFrame], *, drained: bool = False) -> Iterator[av.VideoFrame]:
        """Pictures that are whole; packets sent before theirs that gave none are given up."""
        for picture in pictures:
            while self._sent and (sent := self._sent.popleft()).opaque != picture.opaque:
                self._give_up(sent)
            self._failures_left = None
            picture.pts = self._times.best(picture, drained=drained)
            if picture.is_corrupt:
                self._complain("a picture is damaged")
            else:
                yield picture

    def _give_up(self, packet: av.Packet[Any]) -> None:
        self._complain(f"a picture is damaged, of {packet.size} bytes")

    def _be_lenient(self) -> None:
        decoder = av.CodecContext.create(self._decoder.name, "r")
        assert isinstance(decoder, av.VideoCodecContext)
        bound(decoder)
        decoder.extradata = self._decoder.extradata
        decoder.flags |= _KEEP_NUMBERS
        self._decoder, self._failures_left = decoder, None
