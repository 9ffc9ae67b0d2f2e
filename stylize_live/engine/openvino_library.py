"""The one place that imports OpenVINO: without its model converter.

That takes as long to load as all the rest and is not needed here. OpenVINO does without where it cannot be
imported; whoever needs it finds it as `openvino.tools.ovc` as ever.
"""

from __future__ import annotations

import sys
from typing import Any, cast

_CONVERTER = "openvino.tools.ovc"

_blocked = _CONVERTER not in sys.modules
if _blocked:
    cast(dict[str, Any], sys.modules)[_CONVERTER] = None  # Python's way to say that there is none
try:
    import openvino
    from openvino import opset13 as ops
finally:
    if _blocked:
        del sys.modules[_CONVERTER]

__all__ = ["openvino", "ops"]
