"""The two ends of a style's boldness: where a run begins between them, and what it makes of them."""

from __future__ import annotations

import torch
from torch import Tensor

from stylize_live.nets.checkpoint import Checkpoint, Weights, weights_of
from stylize_live.nets.ends import move_ends, usual_end
from stylize_live.nets.transformer import ResidualTransformer
from stylize_live.options import DEFAULT_BOLDNESS
from stylize_live.training.trainer import Trainer


class RunEnds:
    """What a run goes on with, and what it leaves.

    A run that goes on with a style that has two ends, and is not taught by keyframes, begins at the usual
    boldness and moves both of them, as `move_ends` does. Any other leaves what it has learnt, and what it had
    learnt early on.

    Args:
        start: the style that is gone on with, or None for a new network.
        bold_only: leave one end: what a painted frame has taught early on is only a worse style.
    """

    def __init__(self, start: Checkpoint | None, *, bold_only: bool) -> None:
        self._start, self._bold_only = start, bold_only
        self._moved = start if start is not None and start.faithful is not None and not bold_only else None

    def network(self) -> ResidualTransformer | None:
        """The network to train, of the style that is gone on with."""
        begun = self._start if self._moved is None else usual_end(self._moved)
        return None if begun is None else begun.network().requires_grad_(True)

    def of(self, trainer: Trainer) -> list[dict[str, Tensor]]:
        """Weights of the bold end, and of the faithful one where there are two, on the trainer's device.

        Where one was to be moved by what is no number, it is left as it is: training says what is wrong.
        """
        learnt = trainer.weights
        if self._moved is None or not all(bool(weight.isfinite().all()) for weight in learnt.values()):
            return [end for end in (learnt, {} if self._bold_only else trainer.faithful) if end]
        moved = move_ends(self._moved, weights_of(learnt))
        return [_on_device(end, trainer) for end in (moved.weights, moved.faithful) if end is not None]

    def practised(self, ends: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Of the ends, what practice has come to: the bold one, or what is between two that were moved."""
        return ends[0] if self._moved is None or len(ends) == 1 else usual_of(ends)


def usual_of(ends: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """What is between two ends at the usual boldness; of one, itself."""
    bold, faithful = ends[0], ends[-1]
    return {name: torch.lerp(faithful[name], weight, DEFAULT_BOLDNESS) for name, weight in bold.items()}


def _on_device(weights: Weights, trainer: Trainer) -> dict[str, Tensor]:
    return {name: torch.from_numpy(weights[name]).to(like) for name, like in trainer.weights.items()}
