"""What is said before a painting is learnt."""

from __future__ import annotations

from stylize_live.naming import clock_time

MEMORY = "1.4 GB"  # of the process that learns, on a CPU; measured, see docs/training.md


def describe_cost(seconds: float) -> str:
    """How long so many seconds of practice take, and how much memory."""
    return f"{clock_time(seconds)} of practice, with about {MEMORY} of memory"


def describe_learning(style: str, seconds: float, when: str) -> str:
    """How long it takes, and how much memory.

    Args:
        style: the painting, as it was asked for.
        seconds: of practice.
        when: "beside the show", say.
    """
    return f"learning {style}: {clock_time(seconds)} of practice {when}, with about {MEMORY} of memory"
