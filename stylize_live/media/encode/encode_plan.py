"""How the video of a target is written: decided once, for as many encoders and files as it takes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from stylize_live.config import VideoSettings
from stylize_live.frame import FrameKind
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.encoder import NEVER, VideoEncoder
from stylize_live.media.encode.muxer import Muxer
from stylize_live.media.formats.codecs import ALPHA_DROPPED, codec_for, keeps_alpha
from stylize_live.media.formats.containers import video_clock


class EncodePlan:
    """Makes encoders whose packets fit together, and the file that takes them.

    Attributes:
        clock: seconds between two ticks of the packets.
        notes: what the target cannot keep of the frames, in words.

    Args:
        target: its suffix chooses the format.
        size: (width, height) of the frames in pixels.
        settings: codec, quality and speed of the encoder, and what becomes of sound.
        rate: nominal frames per second; for the encoder's planning only.
        like: file whose clock, pixel shape, tags, chapters and other streams are taken over.
        alpha: whether the frames have transparency that is worth keeping.

    Raises:
        UsageError: the suffix names no known format, or the settings do not fit it.
    """

    def __init__(
        self,
        target: Path,
        size: tuple[int, int],
        settings: VideoSettings,
        *,
        rate: Fraction,
        like: VideoReader | None,
        alpha: bool,
    ) -> None:
        self._size, self._settings, self._rate, self._like = size, settings, rate, like
        self._codec = codec_for(target, settings)
        self._alpha = alpha and keeps_alpha(target, self._codec)
        self.clock = video_clock(target, like.time_base if like else None)
        self.notes = [ALPHA_DROPPED] if alpha and not self._alpha else []

    def encoder(self, after: int = NEVER) -> VideoEncoder:
        """An encoder of the video, or of a segment behind some ticks. Raises as `VideoEncoder` does."""
        return VideoEncoder(
            self._size,
            self._codec,
            self._settings,
            clock=self.clock,
            rate=self._rate,
            sample_aspect=self._like.sample_aspect if self._like else None,
            alpha=self._alpha,
            after=after,
            frames=self._like.frame_kind if self._like else FrameKind.PIXELS,
        )

    def muxer(self, path: Path, encoder: VideoEncoder) -> Muxer:
        """A file for the packets of all its encoders, one of which describes them. Raises as `Muxer` does."""
        return Muxer(
            path,
            encoder.stream,
            clock=self.clock,
            rate=self._rate,
            like=self._like,
            audio=self._settings.audio,
        )
