"""Pulls the plug: real conversions, killed again and again at random moments."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from clips import CLOCK, Video, content, numbered
from waiting import eventually

from stylize_live.conversion.segment_store import count_kept_frames, folder_of
from stylize_live.errors import EXIT_INTERRUPTED
from stylize_live.media.libraries import av

KILLS = 20
TICKS = tuple(1001 * i + (i % 7) for i in range(1200))
pytestmark = [pytest.mark.slow, pytest.mark.posix]


def command(source: Path, target: Path, style: Path) -> list[str]:
    program = [sys.executable, "-m", "stylize_live.cli.app", "convert"]
    return [*program, str(source), str(target), "--style", str(style), "--device", "cpu"]


def inside(path: Path) -> object:
    """All bytes; of Matroska, which numbers its files at random, all packets with their times."""
    if path.suffix != ".mkv":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    with av.open(str(path)) as container:
        return [
            (p.stream_index, p.pts, p.dts, p.duration, hashlib.sha256(bytes(p)).hexdigest())
            for p in container.demux()
            if p.size
        ]


def write_source(path: Path) -> Path:
    """Shots of 330 frames: segments begin at cuts, and between them, where paint follows from before."""
    size = (160, 96)
    shots = (255 - numbered(i, size) if i // 330 % 2 else numbered(i, size) for i in range(len(TICKS)))
    return Video(TICKS, size, sound="aac", sound_seconds=40).write(path, shots)


def test_interrupted_by_the_keyboard(tmp_path: Path, tiny_style: Path) -> None:
    source = write_source(tmp_path / "in.mp4")
    whole, target = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    subprocess.run(command(source, whole, tiny_style), check=True, capture_output=True)
    process = subprocess.Popen(command(source, target, tiny_style), stderr=subprocess.PIPE, text=True)
    eventually(lambda: count_kept_frames(target) >= 300, "300 frames are kept", within=120)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == EXIT_INTERRUPTED
    kept = count_kept_frames(target)
    assert f"{kept} of {len(TICKS)} frames kept; the same command goes on" in said
    left = {path.name for path in folder_of(target).iterdir()}
    segments = [f"{number:06d}" for number in range(sum(name.endswith(".packets") for name in left))]
    states = (f"{segment}.state" for segment in segments[-2:])
    assert left == {"lock", "journal", *states, *(f"{segment}.packets" for segment in segments)}
    assert {path.name for path in tmp_path.iterdir()} == {
        *(source.name, whole.name, tiny_style.name, folder_of(target).name)
    }
    subprocess.run(command(source, target, tiny_style), check=True, capture_output=True)
    assert inside(target) == inside(whole)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_killed_at_random_moments(tmp_path: Path, tiny_style: Path, suffix: str) -> None:
    source = write_source(tmp_path / "in.mp4")
    whole, target = tmp_path / f"whole{suffix}", tmp_path / f"out{suffix}"
    began = time.monotonic()
    subprocess.run(command(source, whole, tiny_style), check=True, capture_output=True)
    usual = time.monotonic() - began
    rng = random.Random(20)
    kept, killed, finished, before = [], 0, 0, 0
    while killed < KILLS:
        process = subprocess.Popen(
            command(source, target, tiny_style), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(rng.uniform(0.3, 1.05) * usual)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        code = process.wait()
        if code == 0:
            finished += 1
            assert inside(target) == inside(whole)
            assert not folder_of(target).exists()
            target.unlink()
            before = 0
            continue
        assert code == -signal.SIGKILL
        killed += 1
        assert not target.exists() or inside(target) == inside(whole)
        kept.append(count_kept_frames(target))
        if target.exists():  # killed behind the last step
            target.unlink()
            before = 0
        else:
            assert kept[-1] >= before  # nothing that was finished is lost
            before = kept[-1]
    subprocess.run(command(source, target, tiny_style), check=True, capture_output=True)
    print(f"{killed} kills with {kept} frames finished, {finished} runs to the end, {usual:.1f} s whole")
    assert inside(target) == inside(whole)
    assert not folder_of(target).exists()
    assert len(set(kept)) > 2
    if suffix == ".mp4":
        assert content(target).times == [tick * CLOCK for tick in TICKS]
