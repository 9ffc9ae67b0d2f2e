"""What a show and the process that learns beside it say to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from stylize_live.frame import Pixels
from stylize_live.nets.checkpoint import Checkpoint, Weights


@dataclass(frozen=True, slots=True)
class LearningJob:
    """What is to be learnt.

    Attributes:
        painting: image file to learn from.
        start: the style to begin with.
        folder: where the state is kept, see `store`.
        seconds: of practice, those of earlier runs included; on a CPU of processor time, see `Refinement`.
        threads: for the processor's part of the work.
        device: "cpu" or "cuda", or "cuda:1".
        features: as `load_features` takes it.
        every: seconds of practice between two looks whether it is better.
        settings: others than the recipe's, by name.
        frames: to practise on, too: (H, W, 3) uint8 each.
    """

    painting: Path
    start: Checkpoint
    folder: Path
    seconds: float
    threads: int = 1
    device: str = "cpu"
    features: str = "small"
    every: float = 5.0
    settings: dict[str, object] = field(default_factory=dict)
    frames: tuple[Pixels, ...] = ()


# What the show says.


@dataclass(frozen=True, slots=True)
class Rest:
    """How the other process is to go on.

    Attributes:
        seconds: of rest after each second of practice; None stops until another word comes.
    """

    seconds: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Practise:
    """A frame to practise on, too: (H, W, 3) uint8. It stays in memory."""

    frame: Pixels


@dataclass(frozen=True, slots=True)
class Report:
    """Write the page about a style that was kept, beside its file."""

    style: Path


@dataclass(frozen=True, slots=True)
class Stop:
    """Keep the state and end."""


# What the process that learns says.


@dataclass(frozen=True, slots=True)
class Advance:
    """How far it is.

    Attributes:
        steps: so far, those of earlier runs included.
        seconds: of practice, likewise.
        share: of all the practice, 0 to 1.
        left: seconds to the end, as it went so far, rests included.
    """

    steps: int
    seconds: float
    share: float
    left: float


@dataclass(frozen=True, slots=True)
class Improved:
    """Weights that are better than those before, for the usual boldness; see `Better` in training."""

    weights: Weights
    steps: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Note:
    """Something for people."""

    text: str


@dataclass(frozen=True, slots=True)
class Reported:
    """A page was written, or why not, for people."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """All the practice is done; the state is kept."""
