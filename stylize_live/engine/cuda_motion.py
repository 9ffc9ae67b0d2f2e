"""What measures motion for a GPU that paints: itself, where our kernels can be built, else the processor."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from stylize_live.engine.cuda_graphs import Graphed
from stylize_live.engine.flow import FlowEstimator
from stylize_live.engine.motion_torch import TensorMotion, fitted
from stylize_live.frame import Pixels

log = logging.getLogger(__name__)

# Measures how the second of two small grey pictures follows from the first, see `flow.reduced`: (h, w) uint8
# each. The next call may write over the result, in the order of the stream.
MotionMeter = Callable[[Pixels, Pixels], TensorMotion]

_TRIED = (2, 16, 16)


def quickest_meter(device: torch.device) -> MotionMeter:
    """The fastest there is for this GPU; the first time, kernels are built.

    Args:
        device: the GPU, the current stream being the one that motion will be used on.
    """
    try:
        from stylize_live.engine.gpu_flow import compared, flow_between

        def measured(given: Tensor) -> TensorMotion:
            pictures = given.float()
            flow = flow_between(pictures)
            return fitted(pictures, flow, compared(pictures, flow)[1])

        with torch.inference_mode():
            measured(torch.zeros(_TRIED, dtype=torch.uint8, device=device))
    except ImportError:
        log.info("motion is measured by the processor, which takes longer: there is no Triton here")
        return HostMeter(device)
    except Exception as error:  # whatever Triton, its compiler or the system's may raise
        why = next(iter(str(error).splitlines()), type(error).__name__)
        log.warning("motion is measured by the processor, which takes longer: %s", why)
        return HostMeter(device)
    return GpuMeter(measured, device)


class GpuMeter:
    """Has a GPU measure.

    Args:
        measured: does it: (2, h, w) uint8, the pictures before and now, on the device.
        device: the GPU.
    """

    def __init__(self, measured: Callable[[Tensor], TensorMotion], device: torch.device) -> None:
        self._measured, self._device = Graphed(measured), device

    def __call__(self, before: Pixels, now: Pixels) -> TensorMotion:
        """See `MotionMeter`."""
        # Torch keeps page-locked memory until the device has read it.
        pair = torch.empty((2, *now.shape), dtype=torch.uint8, pin_memory=self._device.type == "cuda")
        pair.numpy()[:] = before, now
        return self._measured(pair.to(self._device, non_blocking=True))


class HostMeter:
    """Has the processor measure.

    Args:
        device: where the result is wanted.
    """

    def __init__(self, device: torch.device) -> None:
        self._estimate, self._device = FlowEstimator(), device

    def __call__(self, before: Pixels, now: Pixels) -> TensorMotion:
        """See `MotionMeter`."""
        # Always with a glance: so a picture depends on nothing but the two.
        self._estimate.everywhere = False
        return TensorMotion.of(self._estimate(before, now), self._device)
