"""Which device, precision and runtime are taken, asked without torch where that can be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stylize_live.engine import choices
from stylize_live.engine.choices import Device, choose_device_name, choose_precision, fast_bfloat16, fast_int8
from stylize_live.errors import DeviceError


def test_without_a_driver_torch_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(choices.sys.modules, "torch")  # type: ignore[attr-defined]
    monkeypatch.setattr(choices, "_DRIVERS", ("no-such-library.so.7",))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("asked"))
    assert choose_device_name("auto") == "cpu"
    assert choose_device_name("cpu") == "cpu"


def test_with_a_driver_torch_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device_name("auto") == "cuda"
    assert choose_device_name("cuda") == "cuda"
    assert choose_device_name("cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device_name("auto") == "cpu"
    with pytest.raises(DeviceError, match="no CUDA device"):
        choose_device_name("cuda")


@pytest.mark.parametrize(
    ("listing", "floating", "int8"),
    [
        ("processor: 0\nflags\t\t: fpu avx512f avx512_bf16 avx512_vnni sse\n", "bfloat16", True),
        ("flags : fpu amx_bf16 amx_int8\n", "bfloat16", True),
        ("flags : fpu avx2 avx_vnni\n", "float32", True),
        ("Features\t: fp asimd bf16 i8mm\n", "bfloat16", False),
        ("flags : fpu avx512f\n", "float32", False),
        ("Features : fp asimd\n", "float32", False),
        ("", "float32", False),
    ],
)
def test_the_system_tells_what_is_fast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listing: str, floating: str, int8: bool
) -> None:
    cpu_info = tmp_path / "cpuinfo"
    cpu_info.write_text(listing)
    monkeypatch.setattr(choices, "_CPU_INFO", cpu_info)
    assert fast_bfloat16() is (floating == "bfloat16")
    assert fast_int8() is int8
    assert choose_precision("auto", "cpu", "torch") == floating
    assert choose_precision("auto", "cpu", "openvino") == ("int8" if int8 else floating)
    assert choose_precision("auto", "cuda", "torch") == "float16"


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_eight_bits_are_openvinos(device: Device) -> None:
    assert choose_precision("int8", "cpu", "openvino") == "int8"
    with pytest.raises(DeviceError, match="int8 needs OpenVINO"):
        choose_precision("int8", device, "torch")


def test_where_the_system_does_not_tell_torch_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "_CPU_INFO", tmp_path / "none")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    assert fast_bfloat16()
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_f": True}, raising=False)
    assert not fast_bfloat16()
    assert not fast_int8()
