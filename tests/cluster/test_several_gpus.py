"""Several GPUs of one machine, of which none is there: what names mean, and what a process gets to see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from places import ROOT, SAMPLES

from stylize_live.cli.app import main
from stylize_live.cluster import placing
from stylize_live.cluster.crew import WorkerSpec
from stylize_live.cluster.placing import Machine, choose_spec, workers_here
from stylize_live.config import ConvertSettings, names_several
from stylize_live.errors import DeviceError, UsageError
from stylize_live.system.gpus import see_one_gpu


@pytest.fixture
def four_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(placing, "cores", lambda: 16)


@pytest.mark.usefixtures("four_gpus")
@pytest.mark.parametrize(
    ("device", "numbers", "cores"),
    [("cuda:all", [0, 1, 2, 3], 4), ("cuda:0,2", [0, 2], 8), ("cuda:1", [], 0), ("cpu", [], 0)],
)
def test_each_gpu_has_a_worker_with_its_number(device: str, numbers: list[int], cores: int) -> None:
    assert workers_here(device) == [WorkerSpec(f"cuda:{number}", cores) for number in numbers]
    assert names_several(device) == bool(numbers)


@pytest.mark.usefixtures("four_gpus")
def test_a_gpu_that_is_not_there_is_named() -> None:
    with pytest.raises(DeviceError, match="no GPU 7"):
        workers_here("cuda:0,7")


@pytest.mark.parametrize(
    ("before", "number", "after"), [(None, 2, "2"), ("5,7", 1, "7"), ("GPU-a, GPU-b", 1, "GPU-b")]
)
def test_a_process_sees_its_own_gpu_alone(
    monkeypatch: pytest.MonkeyPatch, before: str | None, number: int, after: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", before or "")
    if before is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    see_one_gpu(number)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == after


def test_a_cluster_numbers_no_gpus() -> None:
    machines = [Machine("a", "a", 8, 2)]
    with pytest.raises(DeviceError, match="GPUs have no numbers"):
        choose_spec(machines, ConvertSettings(device="cuda:0,1"))
    assert choose_spec(machines, ConvertSettings(device="cuda:all")) == WorkerSpec("cuda", 4, 1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have been asked of Ray."""
    calls: list[Any] = []

    class Stand:
        @staticmethod
        def convert_all(jobs: Any, settings: Any, workers: Any, *, address: str, **_: Any) -> Any:
            calls.append((workers, address))
            raise UsageError("on purpose")

    monkeypatch.setitem(sys.modules, "stylize_live.cluster.convert_all", Stand)  # type: ignore[arg-type]
    return calls


@pytest.mark.usefixtures("four_gpus")
def test_commands_and_programs_start_a_cluster_of_this_machine(asked: list[Any], tmp_path: Path) -> None:
    import stylize_live

    source, target = SAMPLES / "flower.mp4", tmp_path / "out.mp4"
    assert main(["convert", str(source), str(target), "--device", "cuda:0,2"]) == UsageError.exit_code
    with pytest.raises(UsageError, match="on purpose"):
        stylize_live.convert(source, target, device="cuda:0,2")
    assert asked == [([WorkerSpec("cuda:0", 8), WorkerSpec("cuda:2", 8)], "local")] * 2


@pytest.mark.usefixtures("four_gpus")
def test_pairs_are_for_one_gpu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(SAMPLES / "flower.mp4"), str(tmp_path / "out.mp4"), "--device", "cuda:all"]
    assert main(["convert", *words, "--before-after", str(tmp_path / "pair.jpg")]) == UsageError.exit_code
    assert "leave it or --device cuda:all out" in capsys.readouterr().err


_WITHOUT_RAY = (
    "import sys, torch; sys.modules['ray'] = None; torch.cuda.device_count = lambda: 4; "
    "from stylize_live.cli.app import main; sys.exit(main())"
)


def test_without_ray_the_package_is_named(tmp_path: Path) -> None:
    words = ["convert", str(SAMPLES / "flower.mp4"), str(tmp_path / "out.mp4"), "--device", "cuda:all"]
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT_RAY, *words], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert run.returncode == UsageError.exit_code
    assert "several workers need Ray" in run.stderr
    assert not list(tmp_path.iterdir())
