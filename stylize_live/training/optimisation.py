"""Style transfer without a network: the picture itself is optimised (Gatys et al., CVPR 2016).

Far too slow for anything live, and good: a picture to hold a network's beside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from stylize_live.engine.backend import quantised
from stylize_live.frame import Pixels
from stylize_live.training.evaluation import Errors, Yardstick

CONTENT_SHARE = 0.5  # of the content error in the sum that is made small
_HISTORY = 20  # pairs of steps and gradients that L-BFGS remembers
_SCALE = 1e3  # of the loss; gradients of single pixels would else be near the optimiser's fixed thresholds


@dataclass(frozen=True, slots=True)
class Descent:
    """What optimisation made of a photo.

    Attributes:
        errors: of the picture.
        picture: (H, W, 3) uint8.
    """

    errors: Errors
    picture: Pixels


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
        max_iter=iterations,
        max_eval=1_000_000,
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

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    shown = picture.detach().clamp(0, 1)
    return Descent(yardstick(shown, content), quantised(shown.cpu() * 255, torch.uint8).numpy())
