"""How busy the GPU is."""

from __future__ import annotations

import logging
import sys
from typing import Any

log = logging.getLogger(__name__)


class GpuLoad:
    """How busy torch's GPU is, with all programs together. Not known without nvidia-ml-py."""

    def __init__(self) -> None:
        self._known = True

    def __call__(self) -> float | None:
        """Share of the last moments in which it worked, 0 to 1; None where none is used, or unknown."""
        # Torch is not loaded for this: what was not loaded uses no GPU. While another thread loads it, it has
        # no such parts yet.
        cuda: Any = getattr(sys.modules.get("torch"), "cuda", None)
        is_initialized = getattr(cuda, "is_initialized", None)
        if not self._known or is_initialized is None or not is_initialized():
            return None
        try:
            return float(cuda.utilization()) / 100
        except Exception as error:  # the driver's own exceptions, and a library that is not there
            log.info("the GPU's load is not known: %s", error)
            self._known = False
            return None
