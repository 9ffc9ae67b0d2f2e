"""What tests of the engine share: networks that many stylizers paint with."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest

CompileModel = Callable[[Any, str, dict[str, object]], Any]


@pytest.fixture(scope="module")
def compile_once(tmp_path_factory: pytest.TempPathFactory) -> CompileModel:
    """OpenVINO's `compile_model`, which compiles what is alike once."""
    ov = pytest.importorskip("openvino")
    core, place = ov.Core(), tmp_path_factory.mktemp("graph") / "model.xml"
    compiled: dict[tuple[object, ...], Any] = {}

    def compile_model(model: Any, device: str, how: dict[str, object]) -> Any:
        ov.serialize(model, place)
        # Names are numbered over all models.
        written = re.sub(rb'names?="[^"]*"', b"", place.read_bytes()) + place.with_suffix(".bin").read_bytes()
        key = hashlib.sha256(written).digest(), device, repr(sorted(how.items()))
        if key not in compiled:
            compiled[key] = core.compile_model(model, device, how)
        return compiled[key]

    return compile_model


@pytest.fixture
def few_graphs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a module of tests each network is compiled once, which takes far longer than to paint.

    That a network compiled anew paints the same is for tests of conversions, which do without this.
    """
    try:
        from stylize_live.engine.cpu import openvino_backend
    except ImportError:
        return
    compile_model: CompileModel = request.getfixturevalue("compile_once")

    class Core:
        def compile_model(self, model: Any, device: str, how: dict[str, object]) -> Any:
            return compile_model(model, device, how)

    monkeypatch.setattr(openvino_backend, "_core", Core)
