"""Learning a painting before anything is painted, as `convert` and `image` do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from stylize_live.frame import Pixels
from stylize_live.learning.learner import Learner, all_threads
from stylize_live.learning.messages import Advance, Done, Improved, LearningJob, Note
from stylize_live.learning.store import check_room, folder_of
from stylize_live.nets.checkpoint import Checkpoint, save_checkpoint
from stylize_live.nets.ends import move_ends

_LOOK = 0.2  # seconds between two looks at what was said, so that Ctrl-C is heard


def learnt_file(painting: Path, seconds: float, frames: Sequence[Pixels]) -> Path:
    """Where the style that was learnt in so many seconds is kept."""
    return folder_of(painting, frames) / f"after-{seconds:g}s.safetensors"


def learn_first(
    painting: Path,
    start: Checkpoint,
    seconds: float,
    *,
    frames: Sequence[Pixels] = (),
    device: str = "cpu",
    features: str = "small",
    settings: dict[str, object] | None = None,
    on_advance: Callable[[Advance], None] = lambda advance: None,
    on_note: Callable[[str], None] = lambda text: None,
) -> Path:
    """Learn a painting, in a process of its own.

    What is learnt depends on how many steps fit into the time; so it is kept, and whoever asks for the same
    again gets the same. A run that ended before its time is gone on with.

    Args:
        painting: image file.
        start: the style to begin with.
        seconds: of practice.
        frames: to practise on, beside photos: (H, W, 3) uint8 each.
        device: where.
        features: as `load_features` takes it.
        settings: others than the recipe's.
        on_advance: told how far it is.
        on_note: told what people should know.

    Returns:
        The style's file.

    Raises:
        SourceError: the painting cannot be read.
        CrashError: the process died; asked again, it goes on.
        TrainingError: the painting cannot be learnt.
        SinkError: the style cannot be written; that is seen before anything is learnt.
    """
    target = learnt_file(painting, seconds, frames)
    if target.is_file():
        return target
    check_room(target.parent)
    job = LearningJob(
        painting,
        start,
        target.parent,
        seconds,
        all_threads(),
        device,
        features,
        settings=settings or {},
        frames=tuple(frames),
    )
    best = start
    with Learner(job) as learner:
        try:
            while True:
                for word in learner.hear(_LOOK):
                    match word:
                        case Advance():
                            on_advance(word)
                        case Improved(weights, steps, practised):
                            best = move_ends(start, weights, {"steps": steps, "seconds": round(practised, 1)})
                        case Note(text):
                            on_note(text)
                        case Done():
                            save_checkpoint(target, best)
                            return target
        except KeyboardInterrupt:
            on_note("ending a step, to keep what was learnt")  # which takes seconds on a slow machine
            raise
