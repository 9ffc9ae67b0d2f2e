"""The one place that imports OpenVINO, whose telemetry is shut out before."""

from __future__ import annotations

from typing import Any

from stylize_live.privacy import shut_out_telemetry

shut_out_telemetry()

import openvino  # noqa: E402
from openvino import opset13  # noqa: E402

# Its types are not known to mypy.
ov: Any = openvino
ops: Any = opset13

__all__ = ["ops", "ov"]
