"""VP9 and VP8 with transparency, which is a second image in each packet."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from stylize_live.media.formats.limits import limit_decoder
from stylize_live.media.libraries import av

# FFmpeg's own decoders ignore the second image, those of libvpx read both.
_OF_BOTH = {"vp9": "libvpx-vp9", "vp8": "libvpx"}
_VP8_SHOWN = 0x10  # of the first byte
_MOST_REMEMBERED = 1000  # packets


def has_alpha_layer(video: av.VideoStream) -> bool:
    """Whether a video's packets hold a second image with the opacity."""
    # As a header has it, or in capitals where a copy has it as a tag.
    modes = (video.metadata.get("alpha_mode"), video.metadata.get("ALPHA_MODE"))
    return video.codec_context.name in _OF_BOTH and "1" in modes


class AlphaDecoder:
    """Decodes such a video. Where the second image is damaged, the first goes on alone, opaque, up to
    the next key frame.

    Args:
        codec: FFmpeg's name of it.
        complain: told in words of each such damage.
    """

    def __init__(self, codec: str, complain: Callable[[str], None]) -> None:
        self._codec, self._complain = codec, complain
        self._both: av.VideoCodecContext | None = None
        self._colors: av.VideoCodecContext | None = None
        self._since_key_frame: list[av.Packet[Any]] = []

    def decode(self, packet: av.Packet[Any] | None) -> list[av.VideoFrame]:
        """As that of a codec context. Raises `FFmpegError` where the colours are damaged."""
        if packet is not None and packet.size:
            self._remember(packet)
        if self._colors is not None:
            return self._colors.decode(packet)
        try:
            frames = self._open_both().decode(packet)
        except av.InvalidDataError:
            if not self._since_key_frame:
                raise
            return self._decode_colors_alone()
        # A second image that is damaged, or is not one at all, may take the first with it, without a word.
        if not frames and self._since_key_frame and self._is_shown(packet):
            return self._decode_colors_alone()
        return frames

    def flush_buffers(self) -> None:
        """Forget all that came before."""
        self._both = self._colors = None
        self._since_key_frame.clear()

    def _remember(self, packet: av.Packet[Any]) -> None:
        if packet.is_keyframe:
            if self._colors is not None:  # a second image may begin anew here
                self._both = self._colors = None
            self._since_key_frame = [packet]
        elif 0 < len(self._since_key_frame) < _MOST_REMEMBERED:
            self._since_key_frame.append(packet)
        else:
            self._since_key_frame.clear()

    def _is_shown(self, packet: av.Packet[Any] | None) -> bool:
        """Whether a packet holds a frame to be shown; of VP9, all do, of VP8, some only help others."""
        if packet is None or not packet.size:
            return False
        return self._codec == "vp9" or bool(bytes(packet)[0] & _VP8_SHOWN)

    def _open_both(self) -> av.VideoCodecContext:
        if self._both is None:
            self._both = _open(_OF_BOTH[self._codec])
        return self._both

    def _decode_colors_alone(self) -> list[av.VideoFrame]:
        """The last packet's frame, by a decoder that is brought to where the other failed."""
        self._colors = _open(self._codec)
        *before, last = self._since_key_frame
        for packet in before:
            with suppress(av.FFmpegError):  # said when it was its turn
                self._colors.decode(packet)
        frames = self._colors.decode(last)
        self._complain("the transparency of a frame is damaged")
        return frames


def _open(name: str) -> av.VideoCodecContext:
    decoder = av.CodecContext.create(name, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    limit_decoder(decoder)
    return decoder
