"""Libraries that would report to their makers do not, in any process of ours.

OpenVINO's package brings one that sends a request with an id of this machine as soon as it is imported. ONNX
Runtime keeps an id, a database and a session for the same purpose, in the cache and the folder for temporary
files, on Linux, too. Ray tells every hour what a cluster is made of. A painting program has no business with
any of that, whatever was agreed to elsewhere.
"""

from __future__ import annotations

import os
import sys


def disable_telemetry() -> None:
    """To be called before these libraries are imported; parts of them that come later find it so, too.

    Processes that this one starts inherit what concerns ONNX Runtime and Ray, and call this themselves for
    OpenVINO, which takes a module that cannot be imported for none.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # that is how one cannot be imported
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
