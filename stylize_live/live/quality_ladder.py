"""In which order quality is given up where a machine is too slow to paint live.

Looked at on videos of 720 lines (docs/performance.md, "On a slow machine"): a painting of fewer lines keeps
its look down to 288; below, brushwork goes. One that is painted every second or third time and moved along
in between keeps it, and costs detail only where something moves fast. So the lines go first, then the
frames, then lines again. Coarser motion is no step: it saves a millisecond and leaves ghosts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """How live frames are painted.

    Attributes:
        lines: shorter side in pixels at which frames with more of them are painted.
        every: 2 paints every second frame and moves it along in between, see `engine.core.economy`.
    """

    lines: int
    every: int = 1


# From the best; all lines are multiples of what networks and encoders like.
LADDER = (
    *(Step(lines) for lines in (480, 432, 384, 336, 288)),
    *(Step(288, every) for every in (2, 3, 4)),
    *(Step(lines, 4) for lines in (240, 192, 144)),
)
# Where every frame has to be painted.
LINES_ONLY = tuple(Step(lines) for lines in (480, 432, 384, 336, 288, 240, 192))


def build_ladder(shorter: int, *, can_save: bool) -> list[Step]:
    """The steps for a source with so many lines; the first paints it as well as is useful.

    Args:
        shorter: side of its frames, in pixels.
        can_save: whether frames may be moved along instead of being painted.
    """
    steps = LADDER if can_save else LINES_ONLY
    # What has no more lines is painted with all it has, and as often.
    fitting = [Step(min(step.lines, shorter), step.every) for step in steps]
    return list(dict.fromkeys(fitting))


def describe_step(step: Step, best: Step, shorter: int, device: str) -> str:
    """A step for people, and why it is not the best one.

    >>> describe_step(Step(288, 2), Step(480), 720, "cpu")
    'painted at 288 of 720 lines, every 2nd frame: the processor is full'
    """
    text = f"painted at {min(step.lines, shorter)} of {shorter} lines"
    if step.every > 1:
        text += f", every {ordinal(step.every)} frame"
    if step != best:
        text += f": the {'GPU' if device == 'cuda' else 'processor'} is full"
    return text


def describe_step_briefly(step: Step) -> str:
    """A step in as few words as will do: "288 lines, every 2nd frame"."""
    return f"{step.lines} lines" + (f", every {ordinal(step.every)} frame" if step.every > 1 else "")


def ordinal(number: int) -> str:
    """2 is "2nd"; numbers below ten."""
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")
