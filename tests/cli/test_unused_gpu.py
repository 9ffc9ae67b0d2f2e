"""A GPU that torch does not use is named, with the command that mends it."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest
import torch

from stylize_live.cli import devices, unused_gpu
from stylize_live.cli.advice import advise
from stylize_live.cli.app import main
from stylize_live.cli.unused_gpu import Driver, ask_driver
from stylize_live.config import EngineSettings
from stylize_live.install_hints import cuda_torch_commands

GPU = Driver("NVIDIA GeForce RTX 4070", (13, 0))
OLD = Driver("NVIDIA GeForce GTX 1060", (12, 4))
MENDED_BY = ", then ".join(cuda_torch_commands())
NO_CUDA = f"RTX 4070 is not used, torch {torch.__version__} was built without CUDA: {MENDED_BY}"
OLD_DRIVER = (
    "GTX 1060 is not used, its driver knows CUDA 12.4 and torch was built for 13.0: update the driver"
)


class Library:
    """NVIDIA's, as ctypes gives it; each function returns 0 or an error."""

    def __init__(self, failing: str = "") -> None:
        self._failing = failing

    def __getattr__(self, name: str) -> Any:
        if name == "cuDeviceGetName":
            return self._name
        return lambda *arguments: self._tell(name, *arguments)

    def _tell(self, name: str, *arguments: Any) -> int:
        if name == self._failing:
            return 100  # no device
        if name == "cuDriverGetVersion":
            arguments[0]._obj.value = 12040
        return 0

    def _name(self, text: Any, size: int, gpu: ctypes.c_int) -> int:
        text.value = b"NVIDIA GeForce GTX 1060"
        assert ctypes.sizeof(text) == size
        return 0


def put(monkeypatch: pytest.MonkeyPatch, driver: Driver | None, cuda: str | None, *, works: bool) -> None:
    """A machine with this driver, and a torch built for this CUDA."""
    monkeypatch.setattr(unused_gpu, "ask_driver", lambda: driver)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: works)


def test_the_driver_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unused_gpu.ctypes, "CDLL", lambda name: Library())
    assert ask_driver() == OLD


@pytest.mark.parametrize("failing", ["cuInit", "cuDeviceGet", "cuDriverGetVersion"])
def test_a_driver_without_a_gpu(failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unused_gpu.ctypes, "CDLL", lambda name: Library(failing))
    assert ask_driver() is None


def test_a_library_that_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unused_gpu.ctypes, "CDLL", lambda name: object())
    assert ask_driver() is None


def test_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(unused_gpu.ctypes, "CDLL", missing)
    assert ask_driver() is None


@pytest.mark.parametrize(
    ("driver", "cuda", "works", "said"),
    [
        (None, None, False, ""),
        (GPU, "13.0", True, ""),
        (GPU, None, False, NO_CUDA),
        (OLD, "13.0", False, OLD_DRIVER),
        (GPU, "13.2", False, ""),  # hidden from CUDA, or broken otherwise
    ],
)
def test_devices_and_commands_say_so(
    driver: Driver | None,
    cuda: str | None,
    works: bool,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put(monkeypatch, driver, cuda, works=works)
    monkeypatch.setattr(devices, "_gpus", lambda: [GPU.gpu] if works else [])
    assert main(["devices"]) == 0
    advise(EngineSettings(device="cuda", runtime="torch"))
    printed = capsys.readouterr()
    for text in (printed.out, printed.err):
        assert ("is not used" in text) is bool(said)
        assert said in text
        assert (MENDED_BY in text) is bool(said)


@pytest.mark.parametrize("settings", [{"device": "cpu"}, {"runtime": "openvino"}])
def test_who_wants_the_processor_hears_nothing(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(monkeypatch, GPU, None, works=False)
    advise(EngineSettings(precision="float32", **settings))  # type: ignore[arg-type]
    assert "is not used" not in capsys.readouterr().err
