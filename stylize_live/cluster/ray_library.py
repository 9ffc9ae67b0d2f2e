"""The one place that imports Ray, which needs the extra `cluster`; its reports to its makers are off."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from stylize_live.errors import UsageError
from stylize_live.install_hints import install_command
from stylize_live.privacy import disable_telemetry

disable_telemetry()
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # work without a GPU of its own may see one

# It warns of what nobody asked about. Its errors come as exceptions.
logging.getLogger("ray").setLevel(logging.CRITICAL)

try:
    import ray
    from ray import exceptions
    from ray._private.state import available_resources_per_node
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as OnNode
except ImportError:
    raise UsageError(f"several workers need Ray: {install_command('ray')}") from None

log = logging.getLogger(__name__)


def _log_instead(data: dict[str, Any], ignore_prefix: bool) -> None:
    log.debug("Ray: %s", " ".join(map(str, data.get("lines", ()))))


# It prints what its machines complain of on standard output, which is for results.
ray._private.worker.print_to_stdstream = _log_instead


@contextmanager
def without_page() -> Iterator[None]:
    """A Ray that starts meanwhile does without what serves its page and metrics, even if that is installed:
    it takes seconds to load, and where others are at work, too, longer than Ray waits for it."""
    name = "get_dashboard_dependency_error"
    found = getattr(ray._private.utils, name)
    setattr(ray._private.utils, name, lambda: ImportError("not wanted"))
    try:
        yield
    finally:
        setattr(ray._private.utils, name, found)


list_nodes: Callable[[], list[dict[str, Any]]] = ray.nodes
list_free: Callable[[], dict[str, dict[str, float]]] = available_resources_per_node  # of what it has, by node

__all__ = ["OnNode", "exceptions", "list_free", "list_nodes", "ray", "without_page"]
