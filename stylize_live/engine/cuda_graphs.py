"""The network as CUDA graphs: some sixty kernels launched as one.

At small sizes launching them one by one takes longer than they do (NVIDIA, CUDA C++ Programming Guide,
"CUDA Graphs"). Not run on a GPU yet.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor

from stylize_live.engine.backend import paint
from stylize_live.nets.transformer import ResidualTransformer

log = logging.getLogger(__name__)

_SIZES = 4  # graphs kept, one for each size of pictures; each holds the memory of one painting
_WARM_UP = 3  # paintings in which libraries choose their kernels, as they may not while one is recorded


@dataclass(frozen=True, slots=True)
class _Recorded:
    graph: torch.cuda.CUDAGraph
    given: Tensor
    painted: Tensor


class GraphedNetwork:
    """Paints as `paint` does.

    The graphs read the network's weights where they are, so those may be changed in place.

    Args:
        network: on a GPU.
        stream: the one that is current whenever this is called.
    """

    def __init__(self, network: ResidualTransformer, stream: torch.cuda.Stream) -> None:
        self._network, self._stream = network, stream
        self._recorded: OrderedDict[tuple[int, ...], _Recorded | None] = OrderedDict()

    def __call__(self, picture: Tensor) -> Tensor:
        """See `paint`. The next call writes over the result, in the order of the stream."""
        size = tuple(picture.shape)
        if size not in self._recorded:
            self._recorded[size] = self._record(picture)
            if len(self._recorded) > _SIZES:
                self._recorded.popitem(last=False)
        recorded = self._recorded[size]
        if recorded is None:
            return paint(self._network, picture)
        recorded.given.copy_(picture)
        recorded.graph.replay()
        return recorded.painted

    def _record(self, picture: Tensor) -> _Recorded | None:
        given = picture.clone()
        try:
            graph = torch.cuda.CUDAGraph()
            for _ in range(_WARM_UP):
                paint(self._network, given)
            # Other threads may go on with the same GPU meanwhile: the studio's thumbnails do.
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                painted = paint(self._network, given)
        except RuntimeError as error:
            log.warning("painting kernel by kernel, as a CUDA graph could not be recorded: %s", error)
            return None
        return _Recorded(graph, given, painted)
