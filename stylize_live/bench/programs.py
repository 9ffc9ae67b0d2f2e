"""The commands as a user runs them: each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import tomli_w

from stylize_live.config import BenchSettings
from stylize_live.errors import StylizeError
from stylize_live.system.clock import monotonic
from stylize_live.system.processes import wait_for_peak

_PROGRAM = ("-m", "stylize_live.cli.app")
_OWN = {"size", "seconds"}  # settings that the other commands do not have


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """What became of a process.

    Attributes:
        line: the last one it wrote.
        seconds: from its start to that line.
        peak_mb: most memory it held, as `wait_for_peak` tells.
    """

    line: str
    seconds: float
    peak_mb: float | None


def run_python(arguments: Sequence[str]) -> ProcessResult:
    """Run Python and wait for its end.

    Raises:
        StylizeError: it failed; the message has the last line of its errors.
    """
    started = monotonic()
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=errors, encoding="utf-8"
        ) as child,
    ):
        try:
            last, at = "", started
            for line in child.stdout or ():
                last, at = line, monotonic()
            peak = wait_for_peak(child)
        except BaseException:
            child.kill()
            raise
        if child.returncode:
            raise StylizeError(f"{' '.join(arguments[:3])} ended with {child.returncode}: {_last(errors)}")
    return ProcessResult(last.strip(), at - started, peak)


def _last(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "without a message"


def import_milliseconds(module: str) -> float:
    """Time that a fresh Python takes to import a module, in milliseconds."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    return float(run_python(["-c", code]).line) * 1e3


class Commands:
    """`live` and `convert` on one video.

    Args:
        video: what they paint.
        settings: how.
        folder: where a settings file and the painted video go.
    """

    def __init__(self, video: Path, settings: BenchSettings, folder: Path) -> None:
        self._video, self._target = video, folder / "painted.mp4"
        self._config = folder / "settings.toml"
        self._config.write_text(
            tomli_w.dumps(settings.model_dump(mode="json", exclude=_OWN, exclude_none=True)), encoding="utf-8"
        )

    def live(self) -> tuple[dict[str, Any], ProcessResult]:
        """Play the video in real time, without a window; the report of `live` and how the process went."""
        ended = self._run("live", "--source", str(self._video), "--no-window")
        return json.loads(ended.line), ended

    def convert(self, end: Fraction) -> tuple[dict[str, Any], ProcessResult]:
        """Convert the video up to a moment in seconds; the report on the file and how the process went."""
        paths = str(self._video), str(self._target)
        ended = self._run("convert", *paths, "--overwrite", "--end", str(float(end)))
        return json.loads(ended.line)["files"][0], ended

    def _run(self, *words: str) -> ProcessResult:
        return run_python([*_PROGRAM, *words, "--json", "--config", str(self._config)])
