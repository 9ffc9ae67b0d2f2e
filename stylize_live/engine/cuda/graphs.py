"""CUDA graphs: some fifty kernels of a network, or two hundred of motion and smoothing, as one.

At small sizes, launching them one by one takes longer than they do (NVIDIA, CUDA C++ Programming Guide,
"CUDA Graphs").
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

log = logging.getLogger(__name__)

_SIZES = 8  # graphs kept, one for each size of images used last; each holds the memory of one run
_WARM_UP = 3  # runs in which libraries choose their kernels, as they may not while one is recorded


Result = TypeVar("Result")  # a tensor or several


@dataclass(frozen=True, slots=True)
class _Recorded(Generic[Result]):
    graph: torch.cuda.CUDAGraph
    given: tuple[Tensor, ...]
    result: Result


class Graphed(Generic[Result]):
    """A function of tensors as a CUDA graph, recorded once for each shape of its arguments.

    All else that it reads must stay at its address; so weights may be changed in place.

    Args:
        function: works on a GPU, on the current stream, without waiting for it.
    """

    def __init__(self, function: Callable[..., Result]) -> None:
        self._function = function
        self._recorded: OrderedDict[tuple[torch.Size, ...], _Recorded[Result] | None] = OrderedDict()

    def __call__(self, *given: Tensor) -> Result:
        """The function's result. The next call writes over it, in the order of the stream."""
        sizes = tuple(tensor.shape for tensor in given)
        if sizes not in self._recorded:
            self._recorded[sizes] = self._record(given)
            if len(self._recorded) > _SIZES:
                self._recorded.popitem(last=False)
        self._recorded.move_to_end(sizes)
        recorded = self._recorded[sizes]
        if recorded is None:
            return self._function(*given)
        for there, tensor in zip(recorded.given, given, strict=True):
            there.copy_(tensor)
        recorded.graph.replay()
        return recorded.result

    def _record(self, given: tuple[Tensor, ...]) -> _Recorded[Result] | None:
        given = tuple(tensor.clone() for tensor in given)
        try:
            graph = torch.cuda.CUDAGraph()
            for _ in range(_WARM_UP):
                self._function(*given)
            # Not on the stream that paints: results that another thread lets go of are noted there. Others
            # may go on with the same GPU meanwhile.
            stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                result = self._function(*given)
        except RuntimeError as error:
            log.warning("launching kernel by kernel, as a CUDA graph could not be recorded: %s", error)
            return None
        return _Recorded(graph, given, result)
