"""Where and how a stylizer computes: chosen at once, loaded when it is first needed."""

from __future__ import annotations

import threading

from stylize_live.config import DeviceName, Precision, Runtime
from stylize_live.engine.core.protocols import Backend
from stylize_live.engine.runtimes import make_backend
from stylize_live.engine.select import ComputeChoice, choose, choose_device_name, possible
from stylize_live.engine.speed_trials import Way
from stylize_live.nets.checkpoint import Checkpoint


class ChosenBackend:
    """Makes a backend, once. Any thread may ask for it.

    Attributes:
        device: "cpu" or "cuda".
        runtime: "torch" or "openvino".
        precision: "float32", "bfloat16", "float16" or "int8".

    Args:
        device, precision, runtime: as `Stylizer` takes them.

    Raises:
        DeviceError: the device, precision or runtime is not available.
    """

    def __init__(self, device: DeviceName, precision: Precision, runtime: Runtime) -> None:
        self.device = choose_device_name(device)
        self._asked: tuple[Runtime, Precision] = runtime, precision
        self._chosen: Way | ComputeChoice = choose(runtime, precision, self.device)
        self.runtime, self.precision = self._chosen.runtime, self._chosen.precision
        self._making = threading.Lock()
        self._made: Backend | None = None

    def made(self, checkpoint: Checkpoint) -> Backend:
        """The backend; one that is made now, which takes longer than all the rest, with these weights."""
        with self._making:
            if self._made is None:
                self._made = make_backend(self.runtime, self.device, self.precision, checkpoint)
            return self._made

    @property
    def arithmetic(self) -> str:
        """Runtime and precision in short: "openvino int8"."""
        return f"{self.runtime} {self.precision}"

    def use_arithmetic(self, arithmetic: str) -> bool:
        """Compute as another one did, see `LiveStylizer.paint_as`; whether a new backend has to be made."""
        ways = {str(way): way for way in possible(*self._asked, self.device)}
        way = ways.get(arithmetic, self._chosen)
        if (way.runtime, way.precision) == (self.runtime, self.precision):
            return False
        with self._making:
            self.runtime, self.precision = way.runtime, way.precision
            made, self._made = self._made, None
        if made is not None:
            made.close()
        return True

    def close(self) -> None:
        """Release device memory. May be called twice."""
        if self._made is not None:
            self._made.close()
