"""`bench`: its figures, its rounds, what it prints and writes."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import psutil
import pytest

from stylize_live.bench import machine, programs, run, stages
from stylize_live.bench.programs import Commands, ProcessResult, run_python
from stylize_live.bench.report import BenchReport, Measurements
from stylize_live.bench.run import ROUNDS, run_bench
from stylize_live.bench.stages import StageBenchmarks, ideal_seconds
from stylize_live.bench.timing import Effort, Spread, alternate, format_figure
from stylize_live.bench.video import make_video
from stylize_live.cli.app import main
from stylize_live.config import BenchSettings, ConvertSettings, LiveSettings, merge_config
from stylize_live.engine import Stylizer
from stylize_live.errors import StylizeError
from stylize_live.media.decode.reader import VideoReader

SMALL = BenchSettings(size="64x48", seconds=1)


class Clock:
    """Seconds that go on only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def busy(self, seconds: float) -> None:
        self.now += seconds


def test_spread_is_median_and_tenths() -> None:
    assert Spread.of([3.0]) == Spread(3.0, 3.0, 3.0, 1)
    assert Spread.of([float(value) for value in range(11)]) == Spread(5.0, 1.0, 9.0, 11)
    assert Spread.of([5.0, 1.0, 3.0]).words() == ("3", "1.4-4.6")
    assert Spread.of([3.0]).words() == ("3", "")


def test_figures_keep_three_digits() -> None:
    assert [format_figure(value) for value in (0.01234, 1.0, 99.96, 123.6, 4321.0)] == [
        "0.0123",
        "1",
        "100",
        "124",
        "4321",
    ]


def test_jobs_take_turns_for_as_long_as_asked() -> None:
    clock, order = Clock(), []

    def job(name: str, seconds: float) -> None:
        order.append(name)
        clock.busy(seconds)

    jobs = {"a": lambda: job("a", 0.1), "b": lambda: job("b", 0.3)}
    times = alternate(jobs, seconds=1.9, clock=clock)
    assert order == ["a", "b"] * 6  # once to warm up, then five rounds of 0.4 s
    assert times["a"] == pytest.approx([100] * 5)
    assert times["b"] == pytest.approx([300] * 5)
    assert len(alternate(jobs, least=4, clock=clock)["a"]) == 4
    order.clear()
    alternate(jobs, least=1, settle=0.25, clock=clock)
    assert "".join(order) == "ab" + "aaa" + "a" + "b" + "b"


def test_ideal_is_the_slowest_part_or_all_cores_busy() -> None:
    parts = [Effort(1.0, 1.0), Effort(4.0, 6.0), Effort(2.0, 3.0)]
    assert ideal_seconds(parts, 4) == 4.0
    assert ideal_seconds(parts, 2) == 5.0


def test_rows_stand_by_group() -> None:
    measurements = Measurements()
    measurements.add("program", "start", 5.0)
    measurements.add("network", "torch", 1.0)
    measurements.add("program", "start", 7.0)
    assert [(row.group, row.name, row.spread.median) for row in measurements.rows()] == [
        ("network", "torch", 1.0),
        ("program", "start", 6.0),
    ]


def test_the_video_is_what_was_asked(tmp_path: Path) -> None:
    make_video(tmp_path / "video.mp4", (64, 48), 7)
    with VideoReader(tmp_path / "video.mp4") as reader:
        assert reader.size == (64, 48)
        assert [frame.pts for frame in reader] == [Fraction(n, 30) for n in range(7)]


def test_a_process_tells_its_last_line_and_memory() -> None:
    ended = run_python(["-c", "x = bytearray(60_000_000); print('no'); print('yes')"])
    assert ended.line == "yes"
    assert ended.seconds > 0
    assert ended.peak_mb is None or ended.peak_mb > 60


def test_the_memory_of_the_machine_is_known() -> None:
    total = psutil.virtual_memory().total
    assert machine.describe_machine()["memory_gb"] == round(total / 1e9, 1) > 0


def test_a_process_that_fails_is_an_error_of_one_line() -> None:
    with pytest.raises(StylizeError, match=r"ended with 3: worse$"):
        run_python(["-c", "import sys; print('bad\\nworse', file=sys.stderr); sys.exit(3)"])


def test_commands_get_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def fake(arguments: list[str]) -> ProcessResult:
        calls.append(arguments)
        return ProcessResult(json.dumps({"fps": 30, "files": [{"fps": 40}]}), 1.0, None)

    monkeypatch.setattr(programs, "run_python", fake)
    settings = BenchSettings(style='a "b"', strength=0.5, keep_colors=True, size="720p")
    commands = Commands(tmp_path / "video.mp4", settings, tmp_path)
    assert commands.live()[0]["fps"] == 30
    assert commands.convert(Fraction(5, 2))[0]["fps"] == 40
    config = Path(calls[0][calls[0].index("--config") + 1])
    for kind in (LiveSettings, ConvertSettings):
        read = merge_config(kind(), config)
        assert (read.style, read.strength, read.keep_colors) == ('a "b"', 0.5, True)
    assert calls[1][calls[1].index("--end") + 1] == "2.5"


def test_stages_measure_every_part(tmp_path: Path) -> None:
    make_video(tmp_path / "video.mp4", (64, 48), 6)
    measurements = Measurements()
    with StageBenchmarks(tmp_path / "video.mp4", Fraction(4, 30), SMALL, tmp_path / "out.mp4") as parts:
        efforts = parts.measure(measurements)
        assert re.fullmatch(r"(torch|openvino) on cpu, (float32|bfloat16|int8)", parts.painter)
    assert len(efforts) == 3
    assert all(effort.wall > 0 for effort in efforts)
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert len(list(reader)) == 4
    rows = {row.name: row.spread.median for row in measurements.rows()}
    assert len(rows) == 6
    assert all(value > 0 for name, value in rows.items() if name != "smoothing on top")


def test_every_runtime_and_precision_is_measured_once() -> None:
    choices = stages._choices(SMALL.model_copy(update={"device": "cpu"}))
    assert "torch float32" in choices
    assert {f"{chosen.runtime} {chosen.precision}" for chosen in choices.values()} == set(choices)
    for chosen in choices.values():
        with Stylizer.from_settings(chosen) as stylizer:
            assert stylizer.runtime.startswith(chosen.runtime)
            assert stylizer.precision == chosen.precision


class FakeCommands:
    """Painted everything in no time."""

    def __init__(self, video: Path, settings: BenchSettings, folder: Path) -> None:
        assert video.exists() or video.parent == folder

    def live(self) -> tuple[dict[str, Any], ProcessResult]:
        ages = {"p50": 20.0, "p95": 30.0, "p99": None}
        latency = {"capture": ages | {"p50": 1.0}, "inference": ages, "total": ages}
        report = {"fps": 30.0, "captured": 200, "dropped": 1, "seconds": 5.0, "latency_ms": latency}
        report |= {
            "settled": {"captured": 100, "dropped": 3},
            "steps": [{"lines": 48, "every": 1, "at": 0.0}, {"lines": 48, "every": 2, "at": 1.0}],
        }
        return report, ProcessResult("", 7.0, 500.0)

    def convert(self, end: Fraction) -> tuple[dict[str, Any], ProcessResult]:
        assert end == Fraction(24, 30)
        return {"fps": 40.0, "seconds": 1e-6}, ProcessResult("", 9.0, 600.0)


@pytest.fixture
def fake_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "Commands", FakeCommands)
    monkeypatch.setattr(run, "import_milliseconds", lambda module: 10.0)
    only = {"torch float32": SMALL.model_copy(update={"runtime": "torch", "precision": "float32"})}
    monkeypatch.setattr(stages, "_choices", lambda settings: only)


@pytest.mark.usefixtures("fake_programs")
def test_a_whole_benchmark() -> None:
    steps: list[str] = []
    report = run_bench(SMALL, steps.append)
    rows = {(row.group, row.name): row.spread for row in report.rows}
    assert rows["live", "dropped"].median == 0.5
    assert ("live", "capture to display, p99") not in rows  # nothing was measured
    assert rows["live", "frames shown"].count == ROUNDS
    assert rows["program", "from the command to live frames"].median == 2000
    assert rows["program", "memory of convert"] == Spread(600, 600, 600, 1)
    assert rows["convert", "share of the ideal"].median > 100
    assert rows["network", "torch float32"].count >= 3
    assert rows["stages", "read a frame"].count == ROUNDS
    promises = {
        verdict.name: (verdict.promised, verdict.measured, verdict.kept) for verdict in report.promises
    }
    assert promises == {
        "dropped after the first two seconds": ("at most 1", 3.0, False),
        "lines painted": ("at least 36", 48, True),
        "one frame painted of": ("at most 3", 2, True),
        "capture to display, p95": ("at most 66", 30.0, True),
    }
    assert report.machine["cores"]
    assert steps[0] == "making a video"
    assert json.loads(json.dumps(report.as_dict()))["settings"]["size"] == "64x48"


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("fake_programs")
def test_the_command_prints_writes_and_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Of all these ways of telling, the first has measured.
    told: list[BenchReport] = []

    def run_once(settings: BenchSettings, tell: Callable[[str], None]) -> BenchReport:
        told[:] = told or [run_bench(settings, tell)]
        return told[0]

    monkeypatch.setattr(run, "run_bench", run_once)
    words = ["bench", "--size", "64x48", "--seconds", "1"]
    files = ["-o", str(tmp_path / "a.json"), "--plot", str(tmp_path / "a.html")]
    assert main([*words, *files]) == 0
    said = capsys.readouterr().out
    assert "torch float32" in said
    assert "share of the ideal" in said
    assert re.search(r"dropped after the first two seconds +at most 1 +3 +broken", said)
    assert re.search(r"lines painted +at least 36 +48 +kept", said)
    assert all(len(line) <= 80 for line in said.splitlines()[4:])
    assert json.loads((tmp_path / "a.json").read_text())["rows"]
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "one frame without smoothing" in page
    assert 'class="broken">broken<' in page
    assert main([*words, "--plot", str(tmp_path / "a.svg")]) == 0
    capsys.readouterr()
    drawn = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}svg"))) == 1 + 4
    for alone in (["--json"], ["--json", "-"]):
        assert main([*words, *alone]) == 0
        assert json.loads(capsys.readouterr().out)["rows"]
    assert main([*words, "--json", "-o", str(tmp_path / "c.json")]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "c.json").read_text())
    # As it was spelt once.
    assert main([*words, "--json", str(tmp_path / "b.json"), "--device", "cpu"]) == 0
    assert "share of the ideal" in capsys.readouterr().out
    assert json.loads((tmp_path / "b.json").read_text())["rows"]


@pytest.mark.parametrize(
    ("plot", "code", "message"),
    [("a.doc", 2, "plots end in .html or .svg"), ("a.png", 2, ".html"), ("no/a.svg", 5, "no such folder")],
)
def test_what_cannot_be_drawn_is_told_before(
    plot: str,
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "run_bench", lambda *_: pytest.fail("measured"))
    assert main(["bench", "--plot", plot]) == code
    assert message in capsys.readouterr().err


def test_a_size_that_is_none_is_told_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "run_bench", lambda *_: pytest.fail("measured"))
    assert main(["bench", "--size", "huge"]) == 2


def test_a_file_that_cannot_be_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = {
        "processor": "x",
        "instructions": "AVX2",
        "limits": {"A": "B"},
        "cores": 1,
        "gpu": None,
        "system": "y",
        "versions": {},
        "load": None,
    }
    report = BenchReport(machine, {"size": "64x48", "style": "z"}, "torch", 1.0, [])
    monkeypatch.setattr(run, "run_bench", lambda *_: report)
    assert main(["bench", "--json", str(tmp_path / "no" / "a.json")]) == 5
    assert "No such file" in capsys.readouterr().err


@pytest.mark.slow
def test_the_real_thing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--size", "64x48", "--seconds", "3", "--json", "-"]) == 0
    rows = {row["name"]: row["spread"]["median"] for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rows["frames shown"] == pytest.approx(30, abs=5)
    assert rows["import stylize_live"] < rows["from the command to live frames"]
    if sys.platform == "linux":
        assert rows["memory of live"] > 100
