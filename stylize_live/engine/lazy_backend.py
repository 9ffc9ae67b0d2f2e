"""Where and how a stylizer computes: chosen at once, loaded when it is first needed."""

from __future__ import annotations

import threading

from stylize_live.config import DeviceName, Precision, Runtime
from stylize_live.engine.core.protocols import Backend
from stylize_live.engine.device_selection import (
    ComputeChoice,
    choose,
    choose_device_name,
    choose_gpu,
    list_possible_ways,
    on_gpu,
)
from stylize_live.engine.runtimes import make_backend
from stylize_live.engine.speed_trials import Way
from stylize_live.nets.checkpoint import Checkpoint


class LazyBackend:
    """Makes a backend, once. Any thread may ask for it.

    Attributes:
        device: "cpu" or "cuda".
        gpu: its number, where the name had one.
        runtime: "torch" or "openvino".
        precision: "float32", "bfloat16", "float16" or "int8".

    Args:
        device, precision, runtime: as `Stylizer` takes them.

    Raises:
        DeviceError: the device, precision or runtime is not available.
    """

    def __init__(self, device: DeviceName, precision: Precision, runtime: Runtime) -> None:
        self.device = choose_device_name(device)
        self.gpu = choose_gpu(device)
        self._requested: tuple[Runtime, Precision] = runtime, precision
        self._chosen: Way | ComputeChoice = choose(runtime, precision, self.device)
        self.runtime, self.precision = self._chosen.runtime, self._chosen.precision
        self._lock = threading.Lock()
        self._backend: Backend | None = None

    def get(self, checkpoint: Checkpoint) -> Backend:
        """The backend. The first call makes it, with these weights, which takes longest of all at a start."""
        with self._lock:
            if self._backend is None:
                with on_gpu(self.gpu):
                    self._backend = make_backend(self.runtime, self.device, self.precision, checkpoint)
            return self._backend

    @property
    def device_name(self) -> DeviceName:
        """The device with its number, where the name had one: for what is to compute beside it."""
        return self.device if self.gpu is None else f"{self.device}:{self.gpu}"

    @property
    def arithmetic(self) -> str:
        """Runtime and precision in short: "openvino int8"."""
        return f"{self.runtime} {self.precision}"

    def use_arithmetic(self, arithmetic: str) -> bool:
        """Compute as another stylizer did, see `Stylizer.paint_as`; whether a new backend has to be made."""
        ways = {str(way): way for way in list_possible_ways(*self._requested, self.device)}
        way = ways.get(arithmetic, self._chosen)
        if (way.runtime, way.precision) == (self.runtime, self.precision):
            return False
        with self._lock:
            self.runtime, self.precision = way.runtime, way.precision
            backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()
        return True

    def close(self) -> None:
        """Release device memory. May be called twice."""
        if self._backend is not None:
            self._backend.close()
