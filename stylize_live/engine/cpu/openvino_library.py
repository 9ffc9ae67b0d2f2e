"""The one place that imports OpenVINO: its telemetry is shut out before, and its model converter left out.

The converter takes as long to load as all the rest and is not needed here. OpenVINO does without where it
cannot be imported; whoever needs it finds it as `openvino.tools.ovc` as ever.
"""

from __future__ import annotations

import sys
from typing import Any, cast

from stylize_live.privacy import disable_telemetry

_CONVERTER = "openvino.tools.ovc"

disable_telemetry()
_blocked = _CONVERTER not in sys.modules
if _blocked:
    cast(dict[str, Any], sys.modules)[_CONVERTER] = None  # Python's way to say that there is none
try:
    import openvino
    from openvino import opset13
finally:
    if _blocked:
        del sys.modules[_CONVERTER]

# Its types are not known to mypy.
ov: Any = openvino
ops: Any = opset13

__all__ = ["ops", "ov"]
