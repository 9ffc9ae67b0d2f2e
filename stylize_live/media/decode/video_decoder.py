"""A video's packets become frames; what is damaged is left out and reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from stylize_live.media.decode.alpha_decoder import AlphaDecoder, has_alpha_layer
from stylize_live.media.decode.frame_times import FrameTimes
from stylize_live.media.decode.photo_decoder import PHOTOS, PhotoDecoder
from stylize_live.media.formats.limits import limit_decoder
from stylize_live.media.libraries import av


class VideoDecoder(Protocol):
    """Decodes one video."""

    def frames(self, packets: Iterable[av.Packet[Any] | None]) -> Iterator[av.VideoFrame]:
        """Frames that are whole, as far as FFmpeg can tell, with their best times as pts.

        Args:
            packets: of the video, in the file's order; None or an empty one, at the end, drains the decoder.
        """

    def forget(self) -> None:
        """To be called after seeking."""


def open_decoder(video: av.VideoStream, complain: Callable[[str], None]) -> VideoDecoder:
    """What decodes a video.

    Args:
        video: not decoded yet; its threads are set.
        complain: told in words of each packet or frame that could not be used.
    """
    limit_decoder(video.codec_context)
    if video.codec_context.name in PHOTOS:
        return PhotoDecoder(video, complain)
    alpha = has_alpha_layer(video)
    decoder = AlphaDecoder(video.codec_context.name, complain) if alpha else video.codec_context
    return _VideoDecoder(decoder, complain)


class _VideoDecoder:
    def __init__(self, decoder: AlphaDecoder | av.VideoCodecContext, complain: Callable[[str], None]) -> None:
        self._decoder, self._complain = decoder, complain

    def frames(self, packets: Iterable[av.Packet[Any] | None]) -> Iterator[av.VideoFrame]:
        times = FrameTimes()
        for packet in packets:
            drained = packet is None or not packet.size
            try:
                frames = self._decoder.decode(packet)
            except EOFError:  # the decoder was already drained
                return
            except av.FFmpegError as error:
                self._complain(f"a packet cannot be decoded: {error.strerror}")
                continue
            for frame in frames:
                frame.pts = times.best(frame, drained=drained)
                if frame.is_corrupt:
                    self._complain("a frame is damaged")
                else:
                    yield frame

    def forget(self) -> None:
        if isinstance(self._decoder, AlphaDecoder) or self._decoder.is_open:
            self._decoder.flush_buffers()
