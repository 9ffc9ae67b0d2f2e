"""A runtime is a backend and a line of the table: all that has to know runtimes finds it there."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, get_args

import numpy as np
import pytest

from stylize_live.bench import stages
from stylize_live.config import BenchSettings, Runtime
from stylize_live.engine import Stylizer, device_selection, runtimes, speed_cache, speed_trials
from stylize_live.engine.cpu.base import CpuBackend
from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.engine.runtimes import RUNTIMES, RuntimeSpec, Support
from stylize_live.errors import DeviceError
from stylize_live.frame import Frame, Pixels
from stylize_live.nets.checkpoint import Checkpoint

# Dark and light squares.
PIXELS = np.kron(np.indices((6, 8)).sum(0) % 2 * 150 + 50, np.ones((16, 16)))[..., None].repeat(3, 2)
IMAGE = PIXELS.astype(np.uint8)


class InvertingBackend(CpuBackend):
    """Inverts colors, whatever the style."""

    runtime = "fake 1.0"

    def __init__(self, checkpoint: Checkpoint, precision: str) -> None:
        super().__init__()
        self.load(checkpoint)

    def load(self, checkpoint: Checkpoint) -> None:
        """See `Backend.load`: every style is the same."""

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """See `Backend.blend`: likewise."""

    def run_network(self, pixels: Pixels) -> Plane:
        """See `CpuBackend.run_network`."""
        return np.float32(255) - pixels.astype(np.float32) * np.float32(255 / np.iinfo(pixels.dtype).max)


KNOWN = {name: RUNTIMES[name] for name in ("torch", "openvino")}
FAKE = RuntimeSpec("fake", "Fake", {"cpu": Support(("float32",), f"{__name__}:InvertingBackend")})


def fill_table(monkeypatch: pytest.MonkeyPatch, *others: RuntimeSpec) -> None:
    """Let the table hold the known two and these."""
    table = KNOWN | {spec.name: spec for spec in others}
    for module in (runtimes, device_selection, speed_trials):
        monkeypatch.setattr(module, "RUNTIMES", table)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line that it takes."""
    fill_table(monkeypatch, FAKE)


def stylizer(**how: Any) -> Stylizer:
    return Stylizer(**{"device": "cpu", "runtime": "fake"} | how)


def test_the_table_is_what_settings_offer() -> None:
    assert get_args(Runtime) == ("auto", *RUNTIMES)
    assert all(name == spec.name for name, spec in RUNTIMES.items())


@pytest.mark.parametrize("spec", RUNTIMES.values(), ids=lambda spec: spec.name)
def test_backends_are_where_the_table_says(spec: RuntimeSpec) -> None:
    if not spec.is_installed:
        pytest.skip(f"needs {spec.package}")
    for device, support in spec.on.items():
        assert issubclass(resolve_name(support.backend), CpuBackend) is (device == "cpu")
        assert "float32" in support.precisions


@pytest.mark.usefixtures("fake")
class TestFakeRuntime:
    def test_is_asked_for_by_name(self) -> None:
        with stylizer() as paint:
            np.testing.assert_array_equal(paint(IMAGE), 255 - IMAGE)
            assert (paint.device, paint.precision, paint.runtime) == ("cpu", "float32", "fake 1.0")

    def test_is_named_in_the_fingerprint(self) -> None:
        with stylizer() as ours, stylizer(runtime="torch", precision="float32") as torchs:
            assert "fake 1.0" in ours.fingerprint
            assert ours.fingerprint != torchs.fingerprint
            torchs.paint_as(ours.arithmetic)  # was not left to it
            assert torchs.arithmetic == "torch float32"

    def test_paints_videos_and_changes_of_style(self) -> None:
        with stylizer(style="0:starry-night,1:great-wave", crossfade=1.0, steadiness=0.8) as paint:
            frames = [Frame(IMAGE, Fraction(half, 2), 0.0, half) for half in range(3)]
            for frame in paint.stream(frames):
                assert np.abs(frame.pixels.astype(int) - (255 - IMAGE)).max() <= 2  # smoothing rounds

    def test_takes_part_in_the_choice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            device_selection,
            "measure_ways",
            lambda tried: {way: 1.0 + (way.runtime != "fake") for way in tried},
        )
        with stylizer(runtime="auto") as paint:
            assert paint.runtime == "fake 1.0"
            other, kept = "torch float32", paint.arithmetic
            for arithmetic in (other, kept):  # what was left open may go on as another began
                paint.paint_as(arithmetic)
                assert paint.arithmetic == arithmetic
        found = device_selection.choose("auto", "auto", "cpu")
        assert (found.runtime, found.why) == ("fake", "fastest here")
        assert "fake float32" in found.speeds

    def test_is_not_chosen_while_it_is_on_trial(self, monkeypatch: pytest.MonkeyPatch) -> None:
        only_here = Support(("float32", "float16"), FAKE.on["cpu"].backend)
        on_trial = RuntimeSpec("fake", "Fake", {"cpu": only_here, "cuda": only_here}, is_automatic=False)
        fill_table(monkeypatch, on_trial)
        monkeypatch.setattr(
            device_selection,
            "measure_ways",
            lambda tried: {way: 1.0 + (way.runtime != "fake") for way in tried},
        )
        for precision in ("auto", "float32"):
            found = device_selection.choose("auto", precision, "cpu")  # type: ignore[arg-type]
            assert found.runtime != "fake"
            assert "fake float32" not in found.speeds
            possible = device_selection.list_possible_ways("auto", precision, "cpu")  # type: ignore[arg-type]
            assert "fake" not in {way.runtime for way in possible}
        with pytest.raises(DeviceError, match=r"float16 needs Fake on a CPU: .*runtime='fake'"):
            device_selection.choose("auto", "float16", "cpu")
        with stylizer() as paint:
            assert paint.runtime == "fake 1.0"
        assert "fake float32" in stages._choices(BenchSettings(device="cpu"))

    def test_is_measured(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(speed_cache, "cache_file", lambda: tmp_path / "speeds.json")
        monkeypatch.setattr(speed_cache, "_known", {})
        way = speed_trials.Way("fake", "float32")
        assert way in speed_trials.available_ways()
        assert speed_trials.measure_ways([way])[way] > 0

    def test_stands_in_the_benchmark(self) -> None:
        assert "fake float32" in stages._choices(BenchSettings(device="cpu"))

    def test_is_refused_what_it_cannot(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("torch.cuda.is_available", lambda: True)
        with pytest.raises(DeviceError, match="int8 needs OpenVINO on a CPU: use precision='auto'"):
            stylizer(precision="int8")
        with pytest.raises(DeviceError, match="bfloat16 needs torch or OpenVINO on a CPU"):
            stylizer(precision="bfloat16")
        with pytest.raises(DeviceError, match="Fake paints on the CPU here: use device='cpu', or runtime="):
            stylizer(device="cuda")

    def test_needs_its_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lacking = RuntimeSpec("fake", "Fake", FAKE.on, package="no-such-package")
        fill_table(monkeypatch, lacking)
        assert not runtimes.is_installed("fake")
        assert "fake" not in {way.runtime for way in speed_trials.available_ways()}
        with pytest.raises(DeviceError, match=r"Fake is not installed: .*install .*no-such-package"):
            stylizer()


def test_what_is_not_in_the_table_any_more_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fill_table(monkeypatch, FAKE)
    stylizer().close()
    fill_table(monkeypatch)
    with pytest.raises(DeviceError, match="runtime: expected 'auto', 'torch' or 'openvino', got 'fake'"):
        stylizer()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"device": "gpu:0"}, "device: expected 'auto', 'cpu', 'cuda', .*, got 'gpu:0'"),
        ({"device": "mps"}, "mps, Apple's GPU, is not used"),
        ({"device": None}, "device: expected .*, got None"),
        ({"precision": "fp16"}, "precision: expected 'auto', 'float32', .* got 'fp16'"),
        ({"runtime": "onnx"}, "runtime: expected .*, got 'onnx'"),
    ],
)
def test_wrong_words_are_refused_at_once(how: dict[str, Any], message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        stylizer(**({"runtime": "torch"} | how))
