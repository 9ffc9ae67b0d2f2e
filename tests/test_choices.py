"""Which device, precision and runtime are taken, asked without torch where that can be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stylize_live.engine import choices
from stylize_live.engine.choices import choose_device_name, choose_precision, fast_bfloat16
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
    ("listing", "fast"),
    [
        ("processor: 0\nflags\t\t: fpu avx512f avx512_bf16 sse\n", True),
        ("flags : fpu amx_bf16\n", True),
        ("Features\t: fp asimd bf16 i8mm\n", True),
        ("flags : fpu avx512f\n", False),
        ("Features : fp asimd\n", False),
        ("", False),
    ],
)
def test_the_system_tells_what_multiplies_bfloat16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listing: str, fast: bool
) -> None:
    cpu_info = tmp_path / "cpuinfo"
    cpu_info.write_text(listing)
    monkeypatch.setattr(choices, "_CPU_INFO", cpu_info)
    assert fast_bfloat16() is fast
    assert choose_precision("auto", "cpu") == ("bfloat16" if fast else "float32")
    assert choose_precision("auto", "cuda") == "float16"


def test_where_the_system_does_not_tell_torch_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "_CPU_INFO", tmp_path / "none")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    assert fast_bfloat16()
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_f": True}, raising=False)
    assert not fast_bfloat16()
