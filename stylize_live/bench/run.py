"""A whole benchmark: what is measured when, and for how long.

Three rounds, in each of which everything has its turn, so that a slow moment of the machine hits all
alike. The programs come first: a process is taken to hold at least what the one that started it held,
so what `live` and `convert` need is read in the first round, before anything large is loaded here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

from stylize_live.bench.machine import describe_machine, read_load
from stylize_live.bench.programs import Commands, ProcessResult, import_milliseconds
from stylize_live.bench.promises import EVERY, LINES, SETTLED_DROPS, verdicts
from stylize_live.bench.report import BenchReport, Measurements
from stylize_live.bench.video import RATE, make_video
from stylize_live.config import BenchSettings
from stylize_live.engine.cpu.features import cores
from stylize_live.file_locks import scratch_folder
from stylize_live.system.clock import monotonic
from stylize_live.units import fit_size

ROUNDS = 3
# Shares of the time: one run of `live`, the painting of one run of `convert`, all of the network. The
# rest goes into starting programs and into measuring the parts.
_LIVE, _CONVERT, _NETWORK = 0.08, 0.028, 0.12
_LEAST_FRAMES = 24


def run_bench(settings: BenchSettings, on_step: Callable[[str], None] = lambda step: None) -> BenchReport:
    """Measure everything.

    Args:
        settings: what with, and for how long.
        on_step: told what is measured next, in words.

    Raises:
        StylizeError: the style, the device or a program failed.
    """
    started, load = monotonic(), read_load()
    with scratch_folder() as folder, ExitStack() as opened:
        bench = _Bench(settings, folder, on_step)
        painter = bench.run(opened)
    seconds = round(monotonic() - started, 1)
    machine = describe_machine() | {"load": load}
    rows = bench.measurements.rows()
    kept = verdicts(rows, min(fit_size(settings.size, (16, 9))))
    return BenchReport(machine, settings.model_dump(), painter, seconds, rows, kept)


class _Bench:
    """One benchmark under way.

    Args:
        settings: what with, and for how long.
        folder: for videos.
        on_step: told what is measured next.
    """

    def __init__(self, settings: BenchSettings, folder: Path, on_step: Callable[[str], None]) -> None:
        self._settings, self._folder, self._on_step = settings, folder, on_step
        self._video = folder / "video.mp4"
        self._commands = Commands(self._video, settings, folder)
        self._frames = max(_LEAST_FRAMES, round(settings.seconds * _LIVE * RATE))
        self._end = Fraction(0)  # of the part that is converted, in seconds
        self.measurements = Measurements()

    def run(self, opened: ExitStack) -> str:
        """Measure; what painted, in words. What it opens is closed with `opened`."""
        self._on_step("making a video")
        make_video(self._video, fit_size(self._settings.size, (16, 9)), self._frames)
        taken = self._programs(first=True)
        # Only now, see the module's text.
        from stylize_live.bench.stages import StageBenchmarks, ideal_seconds, measure_networks

        self._on_step("network")
        measure_networks(self._settings, self._settings.seconds * _NETWORK, self.measurements)
        stages = opened.enter_context(
            StageBenchmarks(self._video, self._end, self._settings, self._folder / "stages.mp4")
        )
        for number in range(ROUNDS):
            if number:
                taken = self._programs()
            self._on_step(f"parts alone, round {number + 1} of {ROUNDS}")
            ideal = ideal_seconds(stages.measure(self.measurements), cores())
            self.measurements.add("convert", "share of the ideal", 100 * ideal / taken, "%")
        return stages.painter

    def _programs(self, *, first: bool = False) -> float:
        """Everything that is a process of its own, once; seconds that `convert` took."""
        self._on_step("imports, live, convert")
        self.measurements.add("program", "import stylize_live", import_milliseconds("stylize_live"))
        self.measurements.add("program", "import its engine", import_milliseconds("stylize_live.engine"))
        report, process = self._commands.live()
        self._note_live(report, process)
        if first:
            self._end = Fraction(self._convertible(report), RATE)
            self._note_memory("live", process)
        report, process = self._commands.convert(self._end)
        self.measurements.add("convert", "frames", report["fps"], "a second")
        if first:
            self._note_memory("convert", process)
        return float(report["seconds"])

    def _note_live(self, report: dict[str, Any], process: ProcessResult) -> None:
        add = self.measurements.add
        add("live", "frames shown", report["fps"], "a second")
        add("live", "dropped", 100 * report["dropped"] / max(1, report["captured"]), "%")
        if settled := report["settled"]:
            add("live", SETTLED_DROPS, 100 * settled["dropped"] / max(1, settled["captured"]), "%")
        if report["steps"]:  # else the size was fixed
            add("live", LINES, report["steps"][-1]["lines"], "")
            add("live", EVERY, report["steps"][-1]["every"], "")
        for name in ("p50", "p95", "p99"):
            age = report["latency_ms"]["total"][name]
            if age is not None:
                add("live", f"capture to display, {name}", age)
        add("program", "from the command to live frames", 1e3 * process.seconds - 1e3 * report["seconds"])

    def _note_memory(self, command: str, process: ProcessResult) -> None:
        if process.peak_mb is not None:
            self.measurements.add("program", f"memory of {command}", process.peak_mb, "MB")

    def _convertible(self, report: dict[str, Any]) -> int:
        """How many frames can be painted in the time for it, going by a run of `live`."""
        taken, painted = (report["latency_ms"][stage]["p50"] for stage in ("capture", "inference"))
        if taken is None or painted is None:
            return _LEAST_FRAMES
        affordable = round(self._settings.seconds * _CONVERT * 1e3 / max(1.0, float(painted - taken)))
        return min(self._frames, max(_LEAST_FRAMES, affordable))
