"""Which device, precision and runtime are taken: by what there is, or by measured figures."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from tiny import make_checkpoint

from stylize_live.cli.app import main
from stylize_live.config import ConvertSettings
from stylize_live.engine import device_selection, lazy_backend, runtimes, speed_trials
from stylize_live.engine.background_style import BackgroundStyle
from stylize_live.engine.cpu import features
from stylize_live.engine.device_selection import (
    choose,
    choose_device_name,
    choose_gpu,
    devices_of,
    list_possible_ways,
    select_fastest,
)
from stylize_live.engine.layers import Layers
from stylize_live.engine.lazy_backend import LazyBackend
from stylize_live.engine.matting import matte
from stylize_live.engine.speed_trials import Way
from stylize_live.engine.style_set import StyleSet
from stylize_live.engine.torch_device import choose_torch_device
from stylize_live.errors import DeviceError, UsageError

AVX2, AMX = (
    "flags : fpu avx2\n",
    "flags : fpu avx2 avx512f avx512bw avx512_vnni avx512_bf16 amx_bf16 amx_int8\n",
)
FLOAT32, BFLOAT16, INT8 = (Way("openvino", p) for p in ("float32", "bfloat16", "int8"))


@pytest.fixture(autouse=True)
def two_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table as far as these tests are about it: others change nothing here."""
    two = {name: runtimes.RUNTIMES[name] for name in ("torch", "openvino")}
    for module in (runtimes, device_selection, speed_trials):
        monkeypatch.setattr(module, "RUNTIMES", two)


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in features.LIMITS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def x86(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features.platform, "machine", lambda: "x86_64")


def list_instructions(listing: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "cpuinfo"
    path.write_text(listing)
    monkeypatch.setattr(features, "_CPU_INFO", path)


def measure(figures: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let trials take so many milliseconds; what is tried is noted."""
    tried: list[str] = []

    def milliseconds(ways: list[Way]) -> dict[Way, float]:
        tried.extend(map(str, ways))
        return {way: figures[str(way)] for way in ways if str(way) in figures}

    monkeypatch.setattr(device_selection, "measure_ways", milliseconds)
    return tried


def install_openvino(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "has_package", lambda name: there or name != "openvino")


def test_without_a_driver_torch_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(device_selection.sys.modules, "torch")  # type: ignore[attr-defined]
    monkeypatch.setattr(device_selection, "DRIVERS", ("no-such-library.so.7",))
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


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """As torch would count them; none is used, so that what they compute is not tested."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("name", "devices"),
    [
        ("auto", ["auto"]),
        ("cpu", ["cpu"]),
        ("cuda", ["cuda"]),
        ("cuda:1", ["cuda:1"]),
        ("cuda:1,0", ["cuda:1", "cuda:0"]),
        ("cuda:all", ["cuda:0", "cuda:1"]),
    ],
)
def test_several_devices(name: str, devices: list[str]) -> None:
    assert ConvertSettings(device=name).device == name
    assert devices_of(name) == devices
    if len(devices) > 1:
        with pytest.raises(DeviceError, match=f"device='{name}': several devices are for convert"):
            choose_torch_device(name)


@pytest.mark.usefixtures("two_gpus")
def test_one_of_two_gpus() -> None:
    assert (choose_device_name("cuda:1"), choose_gpu("cuda:1")) == ("cuda", 1)
    assert choose_torch_device("cuda:1") == torch.device("cuda", 1)
    assert (choose_gpu("cuda"), choose_gpu("auto"), choose_gpu("cpu")) == (None, None, None)
    for name in ("cuda:2", "cuda:0,2"):
        with pytest.raises(DeviceError, match="there is no GPU 2, only cuda:0, cuda:1"):
            choose_device_name(name)


@pytest.mark.usefixtures("two_gpus")
def test_a_backend_is_made_on_its_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(torch.cuda, "device", lambda number: nullcontext(asked.append(number)))
    monkeypatch.setattr(lazy_backend, "make_backend", lambda *_: asked.append("made"))
    LazyBackend("cuda:1", "auto", "torch").get(make_checkpoint())
    assert asked == [1, "made"]


@pytest.mark.usefixtures("two_gpus")
def test_layers_are_computed_on_the_gpu_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    mattes: list[str] = []
    monkeypatch.setattr(matte, "PersonMatte", lambda device, runtime: mattes.append(device))
    chosen = LazyBackend("cuda:1", "auto", "torch")
    Layers(chosen)._make_matte()
    behind = BackgroundStyle(StyleSet.load("starry-night", 0.0), chosen)
    assert (mattes, behind._chosen.gpu) == (["cuda:1"], 1)


def test_numbered_gpus_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    for name in ("cuda:0", "cuda:0,1", "cuda:all"):
        with pytest.raises(DeviceError, match="no CUDA device"):
            choose_device_name(name)


@pytest.mark.parametrize(
    "name", ["cuda:", "cuda:a", "cuda:1,", "cuda:-1", "cuda:1000", "cuda:0, 1", "cpu:0", 0]
)
def test_devices_that_are_none(name: object) -> None:
    with pytest.raises(ValidationError, match="device: expected 'auto', 'cpu', 'cuda'"):
        ConvertSettings(device=name)  # type: ignore[arg-type]


def test_a_gpu_that_is_named_twice() -> None:
    with pytest.raises(ValidationError, match="device: cuda:0,1,0 names a GPU twice"):
        ConvertSettings(device="cuda:0,1,0")


def test_apples_gpu_is_never_taken_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device_name("auto") == "cpu"
    with pytest.raises(DeviceError, match="mps, Apple's GPU, is not used"):
        choose_device_name("mps")
    with pytest.raises(DeviceError, match=r"device: expected 'auto', 'cpu', .* GPUs such as .*, got 'xpu'"):
        choose_device_name("xpu")
    config = tmp_path / "mps.toml"
    config.write_text('device = "mps"')
    for words in (
        ["live", "--source", "test", "--device", "mps"],
        ["live", "--source", "test", "--config", str(config)],
        ["train", "painting.jpg", "--device", "MPS"],
    ):
        assert main(words) == UsageError.exit_code
        assert "Apple's GPU, is not used by this program: leave it to auto" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        # As measured: Zen 3 with AVX2, EPYC with AVX-512 and bfloat16, Xeon with AMX.
        ({"openvino float32": 69, "openvino int8": 45}, "openvino int8"),
        ({"openvino float32": 19.7, "openvino bfloat16": 11.4, "openvino int8": 8.2}, "openvino int8"),
        ({"openvino float32": 20.2, "openvino bfloat16": 4.2, "openvino int8": 3.6}, "openvino int8"),
        # The more exact one where there is nothing to gain.
        ({"openvino float32": 20.0, "openvino int8": 19.5}, "openvino float32"),
        ({"openvino float32": 20.0, "openvino bfloat16": 8.0, "openvino int8": 7.8}, "openvino bfloat16"),
        ({"openvino float32": 20.0, "openvino bfloat16": 380.0, "openvino int8": 30.0}, "openvino float32"),
        # What failed is not there.
        ({"openvino bfloat16": 9.0}, "openvino bfloat16"),
        ({}, "openvino float32"),
    ],
)
@pytest.mark.usefixtures("x86")
def test_the_choice_follows_what_was_measured(
    figures: dict[str, float], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_instructions(AMX, tmp_path, monkeypatch)
    install_openvino(True, monkeypatch)
    tried = measure(figures, monkeypatch)
    found = choose("auto", "auto", "cpu")
    assert f"{found.runtime} {found.precision}" == expected
    assert found.speeds == {name: figures[name] for name in tried if name in figures}
    assert tried == ["openvino float32", "openvino bfloat16", "openvino int8"]


@pytest.mark.usefixtures("x86")
@pytest.mark.parametrize(
    ("listing", "openvino", "tried"),
    [
        (AVX2, True, ["openvino float32", "openvino int8"]),
        (AMX, False, ["torch float32", "torch bfloat16"]),
        (AVX2, False, []),  # nothing to choose from
    ],
)
def test_what_the_processor_lacks_is_not_even_tried(
    listing: str, openvino: bool, tried: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_instructions(listing, tmp_path, monkeypatch)
    install_openvino(openvino, monkeypatch)
    noted = measure(dict.fromkeys(tried, 10.0), monkeypatch)
    found = choose("auto", "auto", "cpu")
    assert noted == tried
    assert found.precision == "float32"
    assert found.why


def test_on_other_processors_torch_is_measured_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list_instructions("Features : fp asimd\n", tmp_path, monkeypatch)
    monkeypatch.setattr(features.platform, "machine", lambda: "aarch64")
    install_openvino(True, monkeypatch)
    measure({"torch float32": 30.0, "openvino float32": 40.0}, monkeypatch)
    assert choose("auto", "auto", "cpu").runtime == "torch"
    assert choose("openvino", "auto", "cpu").runtime == "openvino"


@pytest.mark.usefixtures("x86")
def test_what_is_asked_for_is_taken_unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    install_openvino(True, monkeypatch)
    tried = measure({}, monkeypatch)
    assert choose("torch", "bfloat16", "cpu").precision == "bfloat16"
    assert choose("auto", "int8", "cpu").runtime == "openvino"
    assert choose("auto", "auto", "cuda").precision == "float16"
    assert tried == []


@pytest.mark.parametrize(
    ("runtime", "precision", "device", "openvino", "message"),
    [
        ("auto", "float16", "cpu", True, "float16 needs a GPU"),
        ("torch", "int8", "cpu", True, "int8 needs OpenVINO on a CPU"),
        ("auto", "int8", "cuda", True, "int8 needs OpenVINO on a CPU"),
        ("auto", "int8", "cpu", False, r"int8 needs OpenVINO on a CPU.* install .*openvino"),
        ("openvino", "auto", "cpu", False, r"OpenVINO is not installed: .* install .*openvino"),
        ("openvino", "auto", "cuda", True, "OpenVINO paints on the CPU"),
    ],
)
def test_what_cannot_be(
    runtime: str, precision: str, device: str, openvino: bool, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_openvino(openvino, monkeypatch)
    with pytest.raises(DeviceError, match=message):
        choose(runtime, precision, device)  # type: ignore[arg-type]


def test_a_less_exact_way_has_to_save_a_twentieth() -> None:
    assert select_fastest({FLOAT32: 10.0, BFLOAT16: 9.6, INT8: 9.4}) == INT8
    assert select_fastest({FLOAT32: 10.0, BFLOAT16: 9.4, INT8: 9.0}) == BFLOAT16


@pytest.mark.usefixtures("x86")
def test_possible_is_more_than_what_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list_instructions(AVX2, tmp_path, monkeypatch)
    install_openvino(True, monkeypatch)
    assert list(map(str, list_possible_ways("auto", "auto", "cpu"))) == [
        "torch float32",
        "openvino float32",
        "openvino int8",
    ]
    assert list_possible_ways("auto", "auto", "cuda") == []
    assert list_possible_ways("auto", "int8", "cpu") == [INT8]
