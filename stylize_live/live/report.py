"""What a live run did."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from stylize_live.live.latency import Percentiles
from stylize_live.live.learning import LearningFigures
from stylize_live.live.sink_group import SinkReport
from stylize_live.live.sound import SoundReport


@dataclass(frozen=True, slots=True)
class Settled:
    """Frames of a part of a run: how many the source gave, how many were dropped."""

    captured: int
    dropped: int


@dataclass(frozen=True, slots=True)
class StepReport:
    """How much was painted from a moment on.

    Attributes:
        lines: shorter side of what was painted, in pixels.
        every: 2 if every second frame was painted and moved along in between, and so on.
        at: seconds since painting began.
    """

    lines: int
    every: int
    at: float


@dataclass(frozen=True, slots=True)
class LiveReport:
    """What a live run did.

    Attributes:
        captured: frames that the source gave.
        shown: different frames that were shown.
        dropped: frames that were replaced by newer ones before they were painted or shown.
        dropped_before: the same by where they waited: for "inference" or for "display".
        frozen: frames that were skipped while the session was paused.
        idle: frames that were skipped because nobody watched, neither here nor at a sink.
        fps: frames shown a second, from the first to the last one.
        settled: frames of the time from two seconds after painting began; None for a shorter run.
        passed: frames that came before anything could be painted.
        seconds: how long was painted: from the moment at which it could begin.
        latency_ms: ages of the shown frames in milliseconds, as percentiles by stage. An age
            counts from `Frame.captured_at` (for a camera: the driver handed the frame over) to
            the moment at which the stage was done with the frame:
            "capture": it was converted and taken by the stylizer, waiting for it included;
            "inference": it was painted;
            "display": it was taken by the main thread, composed and handed to the window;
            "total": the window had painted it. Capture to display, then; what camera and
            screen add is not in it.
        outputs: what became of each sink beside the display, by its name.
        painting: how much was painted at the end, and why not more, in words; "" where that was fixed.
        paint, background_style, background: the options at the end, see `LayerOptions`.
        steps: all of them, one after the other.
        sound: what was followed, or None.
        learning: how far the painting was learnt, or None.
    """

    captured: int
    shown: int
    dropped: int
    dropped_before: dict[str, int]
    frozen: int
    idle: int
    fps: float
    seconds: float
    latency_ms: dict[str, Percentiles]
    outputs: dict[str, SinkReport]
    settled: Settled | None
    passed: int
    painting: str
    paint: str
    background_style: str
    background: str
    steps: list[StepReport]
    sound: SoundReport | None = None
    learning: LearningFigures | None = None

    def as_dict(self) -> dict[str, object]:
        """The report as plain numbers and dictionaries, for JSON."""
        return asdict(self)
