"""What a processor can do, by what the system or torch says, and less where libraries are held back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stylize_live.engine.cpu import features

EVERYTHING = "flags : fpu avx2 avx_vnni avx512f avx512bw avx512_vnni avx512_bf16 amx_bf16 amx_int8\n"


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in features.LIMITS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("machine", "listing", "bfloat16", "words"),
    [
        ("x86_64", EVERYTHING, True, "AVX-512 (VNNI, bfloat16, AMX)"),
        ("AMD64", "flags : fpu avx512f\n", False, "AVX-512"),
        ("x86_64", "processor: 0\nflags\t\t: fpu avx2 avx_vnni\n", False, "AVX2 with VNNI"),
        ("x86_64", "flags : fpu avx2\n", False, "AVX2"),
        ("x86_64", "flags : fpu sse4_1\n", False, "less than AVX2"),
        ("x86_64", "", False, "unknown"),
        ("aarch64", "Features\t: fp asimd bf16 i8mm\n", True, "ARM with bfloat16"),
        ("aarch64", "Features : fp asimd\n", False, "aarch64"),
    ],
)
def test_the_system_tells(
    machine: str, listing: str, bfloat16: bool, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(listing)
    monkeypatch.setattr(features, "_CPU_INFO", path)
    monkeypatch.setattr(features.platform, "machine", lambda: machine)
    assert features.multiplies_bfloat16() is bfloat16
    assert features.floating_precision() == ("bfloat16" if bfloat16 and machine != "aarch64" else "float32")
    assert features.instruction_set() == words


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("AVX2", "AVX2"),
        ("avx2_vnni", "AVX2 with VNNI"),
        ("AVX512_CORE", "AVX-512"),
        ("AVX512_CORE_VNNI", "AVX-512 (VNNI)"),
        ("AVX512_CORE_BF16", "AVX-512 (VNNI, bfloat16)"),
        ("AVX512_CORE_AMX", "AVX-512 (VNNI, bfloat16, AMX)"),
        ("DEFAULT", "AVX-512 (VNNI, bfloat16, AMX)"),
    ],
)
def test_a_limit_hides_what_the_processor_has(
    level: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(EVERYTHING)
    monkeypatch.setattr(features, "_CPU_INFO", path)
    monkeypatch.setattr(features.platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", level)
    assert features.instruction_set() == words
    assert features.multiplies_bfloat16() is ("bfloat16" in words)
    assert features.library_limits() == {"ONEDNN_MAX_CPU_ISA": level}


def test_where_the_system_does_not_tell_torch_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_CPU_INFO", tmp_path / "none")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    assert features.multiplies_bfloat16()
    monkeypatch.setattr(features, "_CPU_INFO", tmp_path / "still none")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_f": True}, raising=False)
    assert not features.multiplies_bfloat16()


def test_the_processor_here() -> None:
    assert features.processor_name()
    assert features.cores() >= 1
