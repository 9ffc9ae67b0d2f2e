"""`convert --cluster` on Ray's test cluster, nodes of this machine: `python benchmarks/cluster.py WHAT`.

    speedup    two workers of one core each against one; and what the machine has to give: two conversions at
               once, without a cluster, each on a core of its own
    overhead   one worker of all cores against `convert` without a cluster, on a clip of two minutes
    kills      nodes killed at random while a video is painted; the result is held against that of one machine

Seconds are those of the report: from the opened video to the file in its place, without the start of Ray and
workers. Rounds alternate; medians are given. Nothing else should be at work here.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_AUTH_MODE"] = "disabled"
os.environ.setdefault("PYTHONPATH", str(Path(__file__).parent.parent))

from stylize_live.cli.machine import tune_process

tune_process()

from ray.cluster_utils import Cluster

from stylize_live.bench.machine import describe_machine
from stylize_live.cluster.convert_all import convert_all
from stylize_live.cluster.crew import WorkerSpec
from stylize_live.cluster.progress import ClusterProgress
from stylize_live.cluster.ray_library import without_page
from stylize_live.config import ConvertSettings
from stylize_live.conversion.queue import ConversionJob
from stylize_live.engine.cpu.features import cores
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.system.clock import monotonic

SAMPLE = Path(__file__).parent.parent / "samples" / "flower.mp4"
RATE = Fraction(30)
SHOT = 75  # frames: cut after cut, as in films


def make_clip(path: Path, seconds: int, settings: ConvertSettings) -> None:
    """A clip of many shots at the size that is asked for."""
    with VideoReader(SAMPLE, settings) as reader:
        frames = [frame for _, frame in zip(range(2 * SHOT), reader, strict=False)]
    with VideoWriter(path, frames[0].size, ConvertSettings(), rate=RATE) as writer:
        for index in range(seconds * int(RATE)):
            shot, at = divmod(index, SHOT)
            frame = frames[at + SHOT * (shot % 2)]
            image = frame.pixels if shot % 4 < 2 else 255 - frame.pixels
            writer.write(type(frame)(image, index / RATE, 0.0, index))


@contextlib.contextmanager
def cluster(nodes: Sequence[int]) -> Iterator[Any]:
    """A cluster of nodes with so many cores each."""
    with tempfile.TemporaryDirectory(prefix="ray-") as folder, without_page():
        head = {"num_cpus": nodes[0], "include_dashboard": False, "temp_dir": folder}
        made = Cluster(initialize_head=True, head_node_args=head)
        try:
            for count in nodes[1:]:
                made.add_node(num_cpus=count)
            yield made
        finally:
            made.shutdown()


def paint(
    made: Any, clip: Path, target: Path, settings: ConvertSettings, specs: list[WorkerSpec], **more: Any
) -> float:
    """Seconds that a conversion takes."""
    job = ConversionJob(clip, target)
    (outcome,) = convert_all([job], settings, specs, address=made.address, overwrite=True, **more)
    if outcome.report is None:
        raise SystemExit(f"failed: {outcome.error}")
    return outcome.report.seconds


def paint_library(
    made: Any, clip: Path, folder: Path, settings: ConvertSettings, videos: int, workers: int
) -> float:
    """Seconds that a library of equal videos takes, from the first one opened to the last in its place."""
    jobs = [ConversionJob(clip, folder / f"{workers}-{number}.mp4") for number in range(videos)]
    specs, begun = [WorkerSpec("cpu", 1)] * workers, []
    outcomes = convert_all(
        jobs,
        settings,
        specs,
        address=made.address,
        overwrite=True,
        on_start=lambda job: begun.append(monotonic()),
    )
    ended = 0.0
    for outcome in outcomes:
        if outcome.report is None:
            raise SystemExit(f"failed: {outcome.error}")
        ended = monotonic()  # what follows the last one ends workers
    return ended - begun[0]


def paint_alone(clip: Path, target: Path, settings: ConvertSettings) -> float:
    """Seconds that one machine takes, in a process of its own."""
    return read_seconds(start_alone(clip, target, settings))


def paint_at_once(clip: Path, folder: Path, settings: ConvertSettings) -> tuple[float, float]:
    """Seconds on one core, and on each of two that work at the same time: the same work."""
    one = read_seconds(start_alone(clip, folder / "first.mp4", settings, core=0))
    both = [start_alone(clip, folder / f"{core}.mp4", settings, core=core) for core in (0, 1)]
    return one, max(map(read_seconds, both))


def read_seconds(process: subprocess.Popen[str]) -> float:
    """What a process prints that `start_alone` has started."""
    said, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"failed: {process.args}")
    return float(said)


def start_alone(
    clip: Path, target: Path, settings: ConvertSettings, core: int | None = None
) -> subprocess.Popen[str]:
    """A conversion in a process of its own, on all cores or on one."""
    code = (
        "import os, sys\n"
        "if sys.argv[4:]:\n"
        "    os.sched_setaffinity(0, {int(sys.argv[4])})\n"
        "from stylize_live.cli.machine import tune_process\n"
        "tune_process()\n"
        "from stylize_live import convert\n"
        "print(convert(*sys.argv[1:3], overwrite=True, size=sys.argv[3]).seconds)\n"
    )
    words = [sys.executable, "-c", code, str(clip), str(target), str(settings.size)]
    if core is not None:
        words.append(str(sorted(os.sched_getaffinity(0))[core]))
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def measure_speedup(clip: Path, folder: Path, settings: ConvertSettings, rounds: int, videos: int) -> None:
    """One core against two, for so many videos."""
    one, two, alone = [], [], []
    with cluster([1, 1]) as made:
        for number in range(rounds):
            one.append(paint_library(made, clip, folder, settings, videos, 1))
            two.append(paint_library(made, clip, folder, settings, videos, 2))
            alone.append(paint_at_once(clip, folder, settings))
            print(
                f"round {number + 1}: one worker {one[-1]:.1f} s, two {two[-1]:.1f} s; "
                f"without a cluster, one core {alone[-1][0]:.1f} s, two at once {alone[-1][1]:.1f} s each",
                flush=True,
            )
    same = len({made.read_bytes() for made in folder.glob("[12]-*.mp4")}) == 1
    ratio = statistics.median(one) / statistics.median(two)
    most = statistics.median(2 * one / both for one, both in alone)
    print(f"two workers of one core each: {ratio:.2f} times as fast (goal 1.8); same bytes: {same}")
    print(f"two conversions at once, a core for each: {most:.2f} times what one does")


def measure_overhead(clip: Path, folder: Path, settings: ConvertSettings, rounds: int) -> None:
    """With a cluster of one worker, and without."""
    alone, with_cluster = [], []
    with cluster([cores()]) as made:
        for number in range(rounds):
            alone.append(paint_alone(clip, folder / "alone.mp4", settings))
            with_cluster.append(paint(made, clip, folder / "one.mp4", settings, [WorkerSpec("cpu", cores())]))
            print(
                f"round {number + 1}: alone {alone[-1]:.1f} s, one worker {with_cluster[-1]:.1f} s",
                flush=True,
            )
    same = (folder / "alone.mp4").read_bytes() == (folder / "one.mp4").read_bytes()
    more = statistics.median(with_cluster) / statistics.median(alone) - 1
    print(f"one worker of {cores()} cores: {more:+.1%} (goal at most +5 %); same bytes: {same}")


def measure_kills(clip: Path, folder: Path, settings: ConvertSettings, kills: int, seed: int) -> None:
    """Nodes killed at random, each replaced by a new one."""
    chance = random.Random(seed)
    paint_alone(clip, folder / "alone.mp4", settings)
    spec = WorkerSpec("cpu", cores())
    done = runs = 0
    with cluster([cores()]) as made:
        nodes = [made.add_node(num_cpus=cores()) for _ in range(2)]
        while done < kills:
            after = [monotonic() + chance.uniform(3, 15)]

            def kill(progress: ClusterProgress, after: list[float] = after) -> None:
                nonlocal done
                if progress.workers > 1 and done < kills and monotonic() > after[0]:
                    made.remove_node(nodes.pop(chance.randrange(len(nodes))), allow_graceful=False)
                    nodes.append(made.add_node(num_cpus=cores()))
                    done += 1
                    after[0] = monotonic() + chance.uniform(3, 15)
                    print(f"kill {done}: {progress.frames} frames painted", flush=True)

            seconds = paint(made, clip, folder / "out.mp4", settings, [spec] * 3, on_progress=kill)
            runs += 1
            same = (folder / "alone.mp4").read_bytes() == (folder / "out.mp4").read_bytes()
            print(f"run {runs}: {seconds:.1f} s, same bytes: {same}", flush=True)
            if not same:
                raise SystemExit("the result is another one")
    print(f"{done} nodes killed in {runs} runs (seed {seed}): every result equal")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["speedup", "overhead", "kills"])
    parser.add_argument("--rounds", type=int, default=5, help="how often (speedup, overhead)")
    parser.add_argument("--kills", type=int, default=10, help="how many nodes")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of killing")
    parser.add_argument("--seconds", type=int, default=120, help="length of the clip")
    parser.add_argument("--videos", type=int, default=1, help="how many of them (speedup)")
    parser.add_argument("--size", default="360p", help="of its frames")
    options = parser.parse_args()
    settings = ConvertSettings(size=options.size)
    print(describe_machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mp4"
        make_clip(clip, options.seconds, settings)
        if options.what == "kills":
            measure_kills(clip, folder, settings, options.kills, options.seed)
        elif options.what == "speedup":
            measure_speedup(clip, folder, settings, options.rounds, options.videos)
        else:
            measure_overhead(clip, folder, settings, options.rounds)


if __name__ == "__main__":
    main()
