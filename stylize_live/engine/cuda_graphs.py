"""The network as CUDA graphs: some fifty kernels launched as one.

At small sizes launching them one by one takes longer than they do (NVIDIA, CUDA C++ Programming Guide,
"CUDA Graphs").
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

log = logging.getLogger(__name__)

_SIZES = 4  # graphs kept, one for each size of pictures; each holds the memory of one painting
_WARM_UP = 3  # paintings in which libraries choose their kernels, as they may not while one is recorded


@dataclass(frozen=True, slots=True)
class _Recorded:
    graph: torch.cuda.CUDAGraph
    given: Tensor
    painted: Tensor


class GraphedNetwork:
    """Paints as `backend.paint` does.

    The graphs read the network's weights where they are, so those may be changed in place.

    Args:
        network: paints on a GPU: (1, 3, H, W) float32 in 0..255 -> the same.
    """

    def __init__(self, network: Callable[[Tensor], Tensor]) -> None:
        self._network = network
        self._recorded: OrderedDict[tuple[int, ...], _Recorded | None] = OrderedDict()

    def __call__(self, picture: Tensor) -> Tensor:
        """See `backend.paint`. The next call writes over the result, in the order of the stream."""
        size = tuple(picture.shape)
        if size not in self._recorded:
            self._recorded[size] = self._record(picture)
            if len(self._recorded) > _SIZES:
                self._recorded.popitem(last=False)
        recorded = self._recorded[size]
        if recorded is None:
            return self._network(picture)
        recorded.given.copy_(picture)
        recorded.graph.replay()
        return recorded.painted

    def _record(self, picture: Tensor) -> _Recorded | None:
        given = picture.clone()
        try:
            graph = torch.cuda.CUDAGraph()
            for _ in range(_WARM_UP):
                self._network(given)
            # Not on the stream that paints: results that another thread lets go of are noted there. Others
            # may go on with the same GPU meanwhile.
            stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                painted = self._network(given)
        except RuntimeError as error:
            log.warning("painting kernel by kernel, as a CUDA graph could not be recorded: %s", error)
            return None
        return _Recorded(graph, given, painted)
