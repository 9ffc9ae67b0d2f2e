"""A film's packets become pictures; what is damaged is left out and said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from stylize_live.media.alpha_decoder import AlphaDecoder, has_second_picture
from stylize_live.media.libraries import av
from stylize_live.media.limits import bound
from stylize_live.media.photo_decoder import PHOTOS, PhotoDecoder
from stylize_live.media.picture_times import PictureTimes


class FilmDecoder(Protocol):
    """Decodes one film."""

    def pictures(self, packets: Iterable[av.Packet[Any] | None]) -> Iterator[av.VideoFrame]:
        """Pictures that are whole, as far as FFmpeg can tell, with their best times as pts.

        Args:
            packets: of the film, in the file's order; None or an empty one, at the end, drains the decoder.
        """

    def forget(self) -> None:
        """To be called after seeking."""


def open_decoder(film: av.VideoStream, complain: Callable[[str], None]) -> FilmDecoder:
    """What decodes a film.

    Args:
        film: not decoded yet; its threads are set.
        complain: told in words of each packet or picture that could not be used.
    """
    bound(film.codec_context)
    if film.codec_context.name in PHOTOS:
        return PhotoDecoder(film, complain)
    alpha = has_second_picture(film)
    decoder = AlphaDecoder(film.codec_context.name, complain) if alpha else film.codec_context
    return _VideoDecoder(decoder, complain)


class _VideoDecoder:
    def __init__(self, decoder: AlphaDecoder | av.VideoCodecContext, complain: Callable[[str], None]) -> None:
        self._decoder, self._complain = decoder, complain

    def pictures(self, packets: Iterable[av.Packet[Any] | None]) -> Iterator[av.VideoFrame]:
        times = PictureTimes()
        for packet in packets:
            drained = packet is None or not packet.size
            try:
                pictures = self._decoder.decode(packet)
            except EOFError:  # the decoder was already drained
                return
            except av.FFmpegError as error:
                self._complain(f"a packet cannot be decoded: {error.strerror}")
                continue
            for picture in pictures:
                picture.pts = times.best(picture, drained=drained)
                if picture.is_corrupt:
                    self._complain("a picture is damaged")
                else:
                    yield picture

    def forget(self) -> None:
        if isinstance(self._decoder, AlphaDecoder) or self._decoder.is_open:
            self._decoder.flush_buffers()
