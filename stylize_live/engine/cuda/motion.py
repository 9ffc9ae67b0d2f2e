"""How a GPU makes images follow from each other; where our kernels cannot be built, the processor helps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from stylize_live.engine.cpu.optical_flow import FlowEstimator
from stylize_live.engine.cpu.smoothing import Tuning
from stylize_live.engine.cuda.graphs import Graphed
from stylize_live.engine.cuda.motion_tensors import TensorMotion, fit_motion
from stylize_live.engine.cuda.smoothing import Smoother, smooth
from stylize_live.engine.cuda.triton.build import build_or_fallback

# How the second of two small grey images, (2, h, w) float32 in 0..255, follows from the first.
MeasureMotion = Callable[[Tensor], TensorMotion]


def select_motion(device: torch.device) -> Smoother:
    """The fastest way for this GPU; the first time, kernels are built.

    Args:
        device: the GPU, the current stream being the one that it will paint on.
    """
    measure = build_or_fallback(
        partial(make_gpu_measure, device), instead="the processor measures motion", ours="our kernels"
    )
    return make_smoother(make_cpu_measure(device)) if measure is None else Graphed(make_smoother(measure))


def make_smoother(measure: MeasureMotion) -> Smoother:
    """A function that smooths by the motion that `measure` finds."""

    def follow(previous: Tensor, fresh: Tensor, inputs: Tensor, share: Tensor) -> Tensor:
        return smooth(previous, fresh, measure(inputs), share, Tuning())

    return follow


def make_gpu_measure(device: torch.device) -> MeasureMotion:
    """Measuring motion on the GPU, with kernels that are built here.

    Raises:
        ImportError: there is no Triton.
        Exception: whatever Triton, its compiler or the system's may raise.
    """
    from stylize_live.engine.cuda.optical_flow import compare_patches, flow_between

    def measure(inputs: Tensor) -> TensorMotion:
        flow = flow_between(inputs)
        return fit_motion(inputs, flow, compare_patches(inputs, flow)[1])

    with torch.inference_mode():
        measure(torch.zeros((2, 32, 32), device=device))  # in two sizes: all kernels are built
    return measure


def make_cpu_measure(device: torch.device) -> MeasureMotion:
    """Measuring motion on the processor, for which the device is waited for.

    Args:
        device: where the result is wanted.
    """
    estimate = FlowEstimator()

    def measure(inputs: Tensor) -> TensorMotion:
        before, now = (inputs + 0.5).byte().cpu().numpy()
        # Always with a glance: so an image depends on nothing but the two.
        estimate.everywhere = False
        return TensorMotion.of(estimate(before, now), device)

    return measure
