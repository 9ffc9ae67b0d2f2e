"""Style transfer without a network: the image itself is optimised (Gatys et al., CVPR 2016).

Far too slow for anything live, and good: what a network's images are compared with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from stylize_live.engine.cpu.torch_backend import quantize
from stylize_live.frame import Pixels
from stylize_live.training.style_metrics import ImageErrors, StyleMetrics

CONTENT_SHARE = 0.5  # of the content error in the sum that is made small
_HISTORY = 20  # pairs of steps and gradients that L-BFGS remembers
_SCALE = 1e3  # of the loss; gradients of single pixels would else be near the optimiser's fixed thresholds


@dataclass(frozen=True, slots=True)
class OptimizationRun:
    """What optimisation made of a photo.

    Attributes:
        errors: of the image.
        image: (H, W, 3) uint8.
    """

    errors: ImageErrors
    image: Pixels


def optimize_image(
    metrics: StyleMetrics, photo: Tensor, iterations: int, *, on_iteration: Callable[[int], None]
) -> OptimizationRun:
    """Change a photo by L-BFGS until its style error plus half its content error is small.

    Args:
        metrics: the errors, with a painting in it.
        photo: (1, 3, h, w) in [0, 1] on the features' device; where optimisation starts.
        iterations: of L-BFGS with a strong Wolfe line search: each takes one or a few gradients.
        on_iteration: called with the number of the iteration under way, at every gradient.
    """
    content = metrics.content_of(photo)
    image = photo.clone().contiguous().requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [image],
        max_iter=iterations,
        max_eval=1_000_000,
        history_size=_HISTORY,
        tolerance_grad=0,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        on_iteration(int(optimizer.state[image].get("n_iter", 0)))
        optimizer.zero_grad()
        style, kept = metrics.tensors(image, content)
        loss = _SCALE * (style + CONTENT_SHARE * kept)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    shown = image.detach().clamp(0, 1)
    return OptimizationRun(metrics(shown, content), quantize(shown.cpu() * 255, torch.uint8).numpy())
