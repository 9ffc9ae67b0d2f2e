"""What Windows and macOS tell of their processor, by libraries that answer as theirs do."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from stylize_live.engine import runtimes, speed_trials
from stylize_live.engine.cpu import features as engine
from stylize_live.system import processor
from stylize_live.system.processor import InstructionSet

AMD, INTEL = "AMD64 Family 25 Model 97 Stepping 2, AuthenticAMD", "Intel64 Family 6 Model 167, GenuineIntel"
AVX, AVX2, AVX512F = 39, 40, 41  # of Windows' winnt.h


def on_windows(monkeypatch: pytest.MonkeyPatch, maker: str, *features: int) -> None:
    kernel = SimpleNamespace(IsProcessorFeaturePresent=lambda number: int(number in features))
    monkeypatch.setattr(processor.sys, "platform", "win32")
    monkeypatch.setattr(processor.platform, "processor", lambda: maker)
    monkeypatch.setattr(processor, "load_windows_library", lambda name: {"kernel32": kernel}.get(name))


def on_macos(monkeypatch: pytest.MonkeyPatch, answers: dict[str, bytes]) -> None:
    def sysctlbyname(key: bytes, value: Any, size: Any, new: None, new_size: Any) -> int:
        answer = answers.get(key.decode())
        if answer is None:
            return -1
        assert size._obj.value >= len(answer)
        value.raw, size._obj.value = answer.ljust(len(value.raw), b"?"), len(answer)
        return 0

    monkeypatch.setattr(processor.sys, "platform", "darwin")
    monkeypatch.setattr(processor, "load_library", lambda path: SimpleNamespace(sysctlbyname=sysctlbyname))


@pytest.mark.parametrize(
    ("maker", "features", "told"),
    [
        (INTEL, (AVX, AVX2), InstructionSet(frozenset({"avx", "avx2"}), complete=True)),
        (AMD, (AVX, AVX2), InstructionSet(frozenset({"avx", "avx2"}), complete=True)),
        (INTEL, (AVX, AVX2, AVX512F), InstructionSet(frozenset({"avx", "avx2", "avx512f"}), complete=False)),
        (
            AMD,
            (AVX, AVX2, AVX512F),
            InstructionSet(
                frozenset({"avx", "avx2", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16"}), complete=True
            ),
        ),
    ],
)
def test_windows(
    maker: str, features: tuple[int, ...], told: InstructionSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_windows(monkeypatch, maker, *features)
    assert processor.read_instructions() == told


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (
            {"hw.optional.AdvSIMD": b"\1\0\0\0", "hw.optional.arm.FEAT_BF16": b"\1\0\0\0"},
            InstructionSet(frozenset({"asimd", "bf16"}), complete=True),
        ),
        (
            {"hw.optional.AdvSIMD": b"\1\0\0\0", "hw.optional.arm.FEAT_BF16": b"\0\0\0\0"},
            InstructionSet(frozenset({"asimd"}), complete=True),
        ),
        ({}, None),
    ],
)
def test_macos(
    answers: dict[str, bytes], told: InstructionSet | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_macos(monkeypatch, answers)
    assert processor.read_instructions() == told


def test_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    on_macos(monkeypatch, {"machdep.cpu.brand_string": b"Apple M2\0"})
    assert processor.read_name() == "Apple M2"
    on_macos(monkeypatch, {})
    assert processor.read_name() == ""


def test_its_name_in_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    class Key:
        def __enter__(self) -> str:
            return "the processor"

        def __exit__(self, *_: object) -> None:
            pass

    registry = ModuleType("winreg")
    vars(registry).update(
        HKEY_LOCAL_MACHINE=1,
        OpenKey=lambda root, path: Key(),
        QueryValueEx=lambda key, name: ({"ProcessorNameString": "A Ryzen  "}[name], 1),
    )
    on_windows(monkeypatch, AMD)
    monkeypatch.setitem(sys.modules, "winreg", registry)
    assert processor.read_name() == "A Ryzen"
    monkeypatch.setitem(sys.modules, "winreg", None)
    assert processor.read_name() == ""


def test_systems_that_do_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "load_windows_library", lambda name: None)
    monkeypatch.setattr(processor, "load_library", lambda path: None)
    for system in ("linux", "win32", "darwin", "freebsd14"):
        monkeypatch.setattr(processor.sys, "platform", system)
        assert processor.read_instructions() is None
    assert processor.read_name() == ""


class TestEngine:
    """What is made of it where Linux' list is missing."""

    @pytest.fixture(autouse=True)
    def no_list(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in engine.LIMITS:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(engine, "_CPU_INFO", tmp_path / "none")

    def test_torch_is_not_asked_where_the_system_tells(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: pytest.fail("asked"), raising=False)
        on_windows(monkeypatch, INTEL, AVX, AVX2)
        monkeypatch.setattr(engine.platform, "machine", lambda: "AMD64")
        assert engine.instruction_set() == "AVX2"
        assert engine.floating_precision() == "float32"

    def test_torch_is_asked_for_the_rest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
        on_windows(monkeypatch, INTEL, AVX, AVX2, AVX512F)
        monkeypatch.setattr(engine.platform, "machine", lambda: "AMD64")
        assert engine.instruction_set() == "AVX-512 (bfloat16)"

    def test_apples_bfloat16_is_not_taken_unasked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody has measured it there."""
        on_macos(monkeypatch, {"hw.optional.arm.FEAT_BF16": b"\1\0\0\0"})
        monkeypatch.setattr(engine.platform, "machine", lambda: "arm64")
        monkeypatch.setattr(runtimes, "has_package", lambda name: True)
        assert engine.multiplies_bfloat16()
        assert [str(way) for way in speed_trials.available_ways()] == ["torch float32", "openvino float32"]
