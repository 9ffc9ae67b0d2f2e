"""Style transfer without a network: the picture itself is optimised (Gatys et al., CVPR 2016).

Slow and good, so it is what a network is measured by: how many iterations is it worth?
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from stylize_live.engine.backend import quantised
from stylize_live.frame import Pixels
from stylize_live.training.evaluation import CONTENT_SHARE, Errors, Yardstick

SHOWN = (10, 25, 50, 100, 200)  # iterations after which the picture is kept
# The errors are measured more often where they fall fast.
_MEASURED = (1, 2, 3, 5, 7, *range(10, 50, 5), *range(50, 100, 10), *range(100, 1001, 20))
_HISTORY = 20  # pairs of steps and gradients that L-BFGS remembers
_SCALE = 1e3  # of the loss; gradients of single pixels would else be near the optimiser's fixed thresholds


@dataclass(slots=True)
class Descent:
    """What optimisation made of a photo.

    Attributes:
        errors: iteration -> errors of the picture after it; 0 is the photo.
        pictures: iteration -> (H, W, 3) uint8, for those of `SHOWN` that were reached, and the last one.
    """

    errors: dict[int, Errors] = field(default_factory=dict)
    pictures: dict[int, Pixels] = field(default_factory=dict)


def milestones(iterations: int) -> list[int]:
    """When the picture is looked at on the way to an iteration, which is the last of them."""
    wanted = {at for at in (*_MEASURED, *SHOWN) if at < iterations}
    return sorted(wanted | {iterations})


def optimise(
    yardstick: Yardstick, photo: Tensor, iterations: int, *, on_iteration: Callable[[int], None]
) -> Descent:
    """Change a photo by L-BFGS until its style error plus half its content error is small.

    Args:
        yardstick: the errors, with a painting in it.
        photo: (1, 3, h, w) in [0, 1] on the features' device; where the descent starts.
        iterations: of L-BFGS with a strong Wolfe line search: each takes one or a few gradients.
        on_iteration: called with the number of the iteration under way, at every gradient.
    """
    content = yardstick.content_of(photo)
    picture = photo.clone().contiguous().requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [picture],
        history_size=_HISTORY,
        tolerance_grad=0,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        on_iteration(int(optimizer.state[picture].get("n_iter", 0)))
        optimizer.zero_grad()
        style, kept = yardstick.tensors(picture, content)
        loss = _SCALE * (style + CONTENT_SHARE * kept)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    descent, done = Descent({0: yardstick(photo, content)}), 0
    for stop in milestones(iterations):
        optimizer.param_groups[0].update(max_iter=stop - done, max_eval=1_000_000)
        optimizer.step(closure)  # type: ignore[no-untyped-call]
        done = stop
        shown = picture.detach().clamp(0, 1)
        descent.errors[stop] = yardstick(shown, content)
        if stop in SHOWN or stop == iterations:
            descent.pictures[stop] = quantised(shown.cpu() * 255, torch.uint8).numpy()
    return descent


def worth(curve: dict[int, float], wanted: float) -> float | None:
    """After how many iterations a falling curve reaches a value, linear between its points.

    Args:
        curve: iteration -> error, beginning with 0.
        wanted: the error of a network's picture.

    Returns:
        0 for a value that the untouched photo has already, None for one that is not reached.
    """
    before_at, before = 0, curve[0]
    if before <= wanted:
        return 0.0
    for at, error in sorted(curve.items()):
        if error <= wanted:
            return before_at + (at - before_at) * (before - wanted) / (before - error)
        before_at, before = at, error
    return None
