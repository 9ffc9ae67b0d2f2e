"""A library of videos painted by a cluster, simulated: how long, at which price, and what holds it up.

    python benchmarks/library.py                    # the tables of docs/cluster.md
    python benchmarks/library.py --unit 1000 --machines 100 --price 2.5

Machines take units of work from one queue. A unit costs the head node a moment, then its machine reads,
paints and writes it. What is measured and what is assumed stands beside each default of `Library`.
"""

from __future__ import annotations

import argparse
import heapq
import random
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Library:
    """What is painted, and by what. Bytes and seconds, unless it says otherwise.

    Attributes:
        hours: of video in all.
        video_hours: length of a video.
        rate: frames a second of the videos.
        unit: frames of a unit of work; the last of a video may have fewer.
        machines: of one GPU each.
        fps: frames that a GPU paints a second, with decoding and encoding.
        source, result: bytes a second of video.
        start: of a unit on its machine: the reader is opened, sought, and decodes up to the first frame.
        readers: machines that copy a whole video to work on it, at most one for each unit; 0: none, units
            read their part in place.
        machine_bandwidth, storage_bandwidth: bytes a second of one machine, and of the storage for all.
        head_tasks: units that the head node hands out a second.
        slow_share, slow_factor: of units that are slow, and by how much.
        failures: of a machine an hour; a unit that fails is painted again from its beginning.
        restart: until a machine that failed works again.
        price: of a machine an hour.
        seed: of what is left to chance.
    """

    hours: float = 10_000
    video_hours: float = 1.0  # assumed
    rate: float = 30.0  # assumed
    unit: int = 7500  # as `MOST_FRAMES` of stylize_live/cluster/video.py
    machines: int = 100
    fps: float = 129.0  # 1080p smoothed on an H200 with 16 cores, H.264 both ways: docs/performance.md
    source: float = 1e6  # 8 Mbit/s, assumed
    result: float = 2e6  # 16 Mbit/s, assumed: brush strokes are hard to encode
    start: float = 2.0  # assumed
    readers: int = 1  # sources are copied whole: docs/convert.md
    machine_bandwidth: float = 500e6  # assumed
    storage_bandwidth: float = 12.5e9  # 100 Gbit/s, assumed
    head_tasks: float = 569.0  # Ray's own figure, see docs/cluster.md
    slow_share: float = 0.02  # assumed
    slow_factor: float = 3.0  # assumed
    failures: float = 1 / 500  # assumed
    restart: float = 180.0  # assumed
    price: float = 4.0  # US dollars, an example of 2026, assumed
    seed: int = 1


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        seconds: from the first unit handed out to the last written.
        busy: share of all machines' time in which they did what was kept.
        tail: seconds from the moment in which the first machine had nothing left to do to the end.
        head, storage: share of the time in which the head node handed out units, and the storage was in use.
        dollars: for all machines from begin to end.
        units: number of them.
    """

    seconds: float
    busy: float
    tail: float
    head: float
    storage: float
    dollars: float
    units: int


def units_of(library: Library) -> list[int]:
    """Frames of each unit of a video, in order."""
    whole, rest = divmod(round(library.video_hours * 3600 * library.rate), library.unit)
    return [library.unit] * whole + ([rest] if rest else [])


def bytes_of(library: Library, frames: int) -> float:
    """Bytes that a unit moves: what it reads, or its share of the copies of its video, and what it writes."""
    seconds = frames / library.rate
    if not library.readers:
        return seconds * (library.source + library.result)
    units = len(units_of(library))
    return (
        library.video_hours * 3600 * library.source * min(library.readers, units) / units
        + seconds * library.result
    )


def simulate(library: Library) -> Outcome:
    """Hand out all units in order, each to the machine that is free first.

    The storage moves bytes from the beginning on, as fast as it can: nothing ends before all that was moved
    until then had the time for it.
    """
    chance = random.Random(library.seed)
    free = [0.0] * library.machines
    handed = moved = worked = end = 0.0
    video = units_of(library)
    sizes = [(frames, bytes_of(library, frames)) for frames in video]
    count = len(video) * round(library.hours / library.video_hours)
    for number in range(count):
        frames, there = sizes[number % len(sizes)]
        handed = max(heapq.heappop(free), handed) + 1 / library.head_tasks
        slow = library.slow_factor if chance.random() < library.slow_share else 1.0
        spent = library.start + slow * frames / library.fps + there / library.machine_bandwidth
        at = handed
        while chance.random() < library.failures * spent / 3600:
            at += chance.random() * spent + library.restart
        moved += there
        done = max(at + spent, moved / library.storage_bandwidth)
        heapq.heappush(free, done)
        worked += spent
        end = max(end, done)
    return Outcome(
        seconds=end,
        busy=worked / (end * library.machines),
        tail=end - min(free),
        head=count / library.head_tasks / end,
        storage=moved / library.storage_bandwidth / end,
        dollars=end / 3600 * library.machines * library.price,
        units=count,
    )


def say(title: str, rows: list[tuple[str, Library]]) -> None:
    """Print a table."""
    print(f"| {title} | units | hours | dollars | machines busy | last units | head node | storage |")
    print("|---|---|---|---|---|---|---|---|")
    for name, library in rows:
        o = simulate(library)
        shares = f"{o.busy:.1%} | {o.tail / 60:.1f} min | {o.head:.1%} | {o.storage:.1%}"
        print(f"| {name} | {o.units:,} | {o.seconds / 3600:.2f} | {o.dollars:,.0f} | {shares} |")
    print()


def main() -> None:
    """The tables, or the one case that was asked for."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, value in vars(Library()).items():
        arguments.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    usual = Library(**vars(arguments.parse_args()))
    if usual != Library():
        say("asked for", [("", usual)])
        return
    say("machines", [(f"{n:,}", replace(usual, machines=n)) for n in (10, 100, 1000)])
    thousand = replace(usual, machines=1000)
    say(
        "frames of a unit",
        [(f"{n:,}", replace(thousand, unit=n)) for n in (250, 750, 3000, 7500, 30_000, 108_000)],
    )
    say(
        "source is read by",
        [
            ("units alone, in place", replace(thousand, readers=0)),
            ("one machine, copied", thousand),
            ("another machine for each unit, copied", replace(thousand, readers=1000)),
        ],
    )
    say(
        "machines fail once in", [(f"{n:,} h", replace(thousand, failures=1 / n)) for n in (5000, 500, 50, 5)]
    )


if __name__ == "__main__":
    main()
