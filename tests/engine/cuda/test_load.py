"""How busy the GPU is, asked at moments at which torch is half there."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from stylize_live.engine.cuda.load import GpuLoad


def test_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert GpuLoad()() is None


@pytest.mark.parametrize("parts", [{}, {"cuda": ModuleType("torch.cuda")}], ids=["no cuda", "an empty cuda"])
def test_while_torch_is_loaded_by_another_thread(
    monkeypatch: pytest.MonkeyPatch, parts: dict[str, ModuleType]
) -> None:
    """Without OpenVINO, the studio's page is there first, and ended with an AttributeError."""
    torch = ModuleType("torch")
    torch.__dict__.update(parts)
    monkeypatch.setitem(sys.modules, "torch", torch)
    load = GpuLoad()
    assert load() is None
    torch.__dict__["cuda"] = SimpleNamespace(is_initialized=lambda: True, utilization=lambda: 40)
    assert load() == pytest.approx(0.4)  # it was not given up


def test_a_library_that_is_not_there_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def utilization() -> int:
        asked.append(1)
        raise ModuleNotFoundError("pynvml")

    cuda = SimpleNamespace(is_initialized=lambda: True, utilization=utilization)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))  # type: ignore[arg-type]
    load = GpuLoad()
    assert [load(), load()] == [None, None]
    assert asked == [1]
