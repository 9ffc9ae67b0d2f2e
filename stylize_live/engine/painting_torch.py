"""From levels to levels: all that is done to one picture, in torch, on whatever device it lies."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from stylize_live.engine.contract import Steady
from stylize_live.engine.finishing_torch import finished, reduced_to, settled
from stylize_live.engine.look import Look
from stylize_live.engine.motion_torch import TensorMotion
from stylize_live.engine.smoothing import Tuning
from stylize_live.engine.smoothing_torch import smoothed
from stylize_live.frame import Pixels


class TensorPainter:
    """What `HostBackend` does, for tensors.

    Attributes:
        memory: the last smoothed painting, (1, 3, h, w) float32 in 0..255, or None; may be set.
        network: paints, see `backend.paint`; to be set before the first picture. It may write over what it
            gave before.

    Args:
        measure: finds motion, see `cuda_motion.MotionMeter`.
    """

    network: Callable[[Tensor], Tensor]

    def __init__(self, measure: Callable[[Pixels, Pixels], TensorMotion]) -> None:
        self._measure = measure
        self.memory: Tensor | None = None

    def __call__(self, picture: Tensor, look: Look, steady: Steady | None) -> Tensor:
        """Paint one picture.

        Args:
            picture: (1, 3, H, W) float32 in 0..255.
            look: how.
            steady: how it follows from the one before, if it does.

        Returns:
            The same shape; a little may lie outside of 0..255.
        """
        small = reduced_to(picture, look.working_size((picture.shape[3], picture.shape[2])))
        painted = settled(self.network(small), small)
        if steady is not None:
            painted = self._smoothed(painted, steady)
        return finished(painted, small, picture, look)

    def _smoothed(self, fresh: Tensor, steady: Steady) -> Tensor:
        pair = steady.compared()
        if pair is None or self.memory is None or self.memory.shape != fresh.shape:
            self.memory = fresh
        else:
            self.memory = smoothed(self.memory, fresh, self._measure(*pair), steady.share, Tuning())
        return self.memory
