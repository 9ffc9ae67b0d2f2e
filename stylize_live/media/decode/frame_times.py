"""When decoded frames are shown."""

from __future__ import annotations

from stylize_live.media.libraries import av


class FrameTimes:
    """FFmpeg's `best_effort_timestamp`, which PyAV does not hand out.

    A frame's own time is believed until such times went back more often than those of decoding. Then, and
    where there is none, as in AVI, the time counts at which the decoder got the packet that made it give the
    frame away: with frames stored in another order than they are shown, that is when each is due.

    Wants the frames of one decoder in the order in which it gives them.
    """

    def __init__(self) -> None:
        self._last_own: int | None = None
        self._last_decoding: int | None = None
        self._faults_of_own = self._faults_of_decoding = 0
        self._before: int | None = None
        self._step = 0

    def best(self, frame: av.VideoFrame, *, drained: bool = False) -> int | None:
        """The time of a frame.

        Args:
            frame: see the class.
            drained: whether no packet is left: then no packet tells when, and frames go on at the
                pace of those before.

        Returns:
            Ticks of the frame's own clock; None if there is nothing to go by.
        """
        own, decoding = frame.pts, frame.dts
        self._count_faults(own, decoding)
        if self._faults_of_own > self._faults_of_decoding:
            own = None if decoding is not None or drained else own
        best = decoding if own is None else own
        if best is None and drained and self._before is not None:
            best = self._before + (self._step or frame.duration)
        if best is not None and self._before is not None:
            self._step = best - self._before
        self._before = self._before if best is None else best
        return best

    def _count_faults(self, own: int | None, decoding: int | None) -> None:
        if decoding is not None:
            self._faults_of_decoding += self._last_decoding is not None and decoding <= self._last_decoding
        if own is not None:
            self._faults_of_own += self._last_own is not None and own <= self._last_own
        if own is not None or decoding is not None:
            self._last_own = decoding if own is None else own
            self._last_decoding = own if decoding is None else decoding
