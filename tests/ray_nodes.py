"""A Ray cluster of several nodes on this machine."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from places import ROOT

from stylize_live.engine.cpu.features import cores


@contextmanager
def two_nodes() -> Iterator[Any]:
    """Two nodes, whose processes have the environment of this one, which is not part of the cluster."""
    from ray.cluster_utils import Cluster

    logging.getLogger("ray").setLevel(logging.CRITICAL)
    # Not pytest's own folder, whose name is too long for a socket's.
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="ray-") as folder:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (ROOT, ROOT / "tests"))))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        # What serves metrics takes longer to load than Ray waits for it where others are at work, too.
        patch.setattr("ray._private.utils.get_dashboard_dependency_error", lambda: ImportError("not wanted"))
        # It would lie in /tmp/ray, which only a cluster with the usual folder makes.
        patch.setattr("ray._private.utils.write_ray_address", lambda *_: None)
        head = {"num_cpus": cores(), "include_dashboard": False, "temp_dir": folder}
        made = Cluster(initialize_head=True, head_node_args=head)
        made.add_node(num_cpus=cores())
        before = {process.pid for process in psutil.Process().children(recursive=True)}
        assert before
        yield made
        made.shutdown()
    assert not [process for process in psutil.Process().children(recursive=True) if "ray" in process.name()]
