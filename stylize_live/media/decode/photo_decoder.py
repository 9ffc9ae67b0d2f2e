"""Videos of photos, such as motion JPEG and numbered images: each packet is a frame of its own."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from stylize_live.media.decode.frame_times import FrameTimes
from stylize_live.media.formats.limits import limit_decoder
from stylize_live.media.libraries import av

# FFmpeg's names of their codecs.
PHOTOS = frozenset({"bmp", "jpegls", "mjpeg", "png", "tiff", "webp"})
# Some of FFmpeg's decoders fill up with grey or green what is missing, and say nothing unless told to.
_CHECKS = {"mjpeg": "explode", "jpegls": "explode", "png": "crccheck"}
_LENIENT_AFTER = 8  # frames
_KEEP_NUMBERS = av.codec.context.Flags.copy_opaque  # of packets, so that frames have them


class PhotoDecoder:
    """A `VideoDecoder` that knows which packet each frame comes from: packets without one are damaged.

    Some cameras send every JPEG a little short: where not one of the first is whole, all are taken as
    they are.
    """

    def __init__(self, video: av.VideoStream, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._decoder = video.codec_context
        name = self._decoder.name
        limit_decoder(self._decoder, **({"err_detect": _CHECKS[name]} if name in _CHECKS else {}))
        self._decoder.flags |= _KEEP_NUMBERS
        self._sent: deque[av.Packet[Any]] = deque()
        self._count = itertools.count()
        self._failures_left = _LENIENT_AFTER if name == "mjpeg" else None
        self._times = FrameTimes()

    def frames(self, packets: Iterable[av.Packet[Any] | None]) -> Iterator[av.VideoFrame]:
        """See `VideoDecoder`."""
        self._times = FrameTimes()
        for packet in packets:
            if packet is None or not packet.size:
                break
            packet.opaque = next(self._count)
            yield from self._keep_whole(self._decode([packet]))
            if self._failures_left == 0:
                self._be_lenient()
                yield from self._keep_whole(self._decode(self._take_back()))
        yield from self._keep_whole(self._decode([None]), drained=True)
        while self._sent:  # PyAV stops draining at the first that is damaged
            self._give_up(self._sent.popleft())
            yield from self._keep_whole(self._decode([*self._take_back(), None]), drained=True)

    def forget(self) -> None:
        """See `VideoDecoder`."""
        self._sent.clear()
        if self._decoder.is_open:
            self._decoder.flush_buffers()

    def _take_back(self) -> list[av.Packet[Any]]:
        packets = list(self._sent)
        self.forget()
        return packets

    def _decode(self, packets: Iterable[av.Packet[Any] | None]) -> Iterator[av.VideoFrame]:
        """What is ready. Errors only say that there is damage; in which packet, `_keep_whole` finds out."""
        for packet in packets:
            if packet is not None:
                self._sent.append(packet)
            try:
                yield from self._decoder.decode(packet)
            except av.FFmpegError:
                if self._failures_left:
                    self._failures_left -= 1

    def _keep_whole(
        self, frames: Iterable[av.VideoFrame], *, drained: bool = False
    ) -> Iterator[av.VideoFrame]:
        """Frames that are whole; packets sent before theirs that gave none are given up."""
        for frame in frames:
            while self._sent and (sent := self._sent.popleft()).opaque != frame.opaque:
                self._give_up(sent)
            self._failures_left = None
            frame.pts = self._times.best(frame, drained=drained)
            if frame.is_corrupt:
                self._complain("a frame is damaged")
            else:
                yield frame

    def _give_up(self, packet: av.Packet[Any]) -> None:
        self._complain(f"a frame is damaged, of {packet.size} bytes")

    def _be_lenient(self) -> None:
        decoder = av.CodecContext.create(self._decoder.name, "r")
        assert isinstance(decoder, av.VideoCodecContext)
        limit_decoder(decoder)
        decoder.extradata = self._decoder.extradata
        decoder.flags |= _KEEP_NUMBERS
        self._decoder, self._failures_left = decoder, None
