"""Does a long video end as it begins? `python benchmarks/soak_video.py --hours 2 --plot video.svg`; Linux.

A clip of ten seconds, with sound, is looped into a video of hours without encoding it again, and the real
`convert` paints it. Every five seconds a line: frames done, memory, threads and handles of the program.
Afterwards every packet of sound and every frame of the result must stand at the time at which it stands in
the source.

The exit code is 1 where memory grows by 1 % or more for each hour of the video (after the first minute of
work, the joining included), more threads or handles are there in the end, or one frame or packet of sound
is missing or at another time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from endurance import WARM_UP, Held, growing, held, plot

from stylize_live.conversion.segment_store import count_kept_frames
from stylize_live.media.libraries import av
from stylize_live.media.sources.test_pattern import PatternSource
from stylize_live.system.clock import monotonic

_CLIP_SECONDS = 10
_RATE = 48_000
_PERIOD = 5.0  # seconds of a sample

Times = tuple[list[Fraction], list[tuple[Fraction, int]]]


def make_clip(path: Path, size: tuple[int, int], fps: int) -> None:
    """Ten seconds of the moving pattern, with a tone that rises."""
    pattern = PatternSource(size, fps)
    with av.open(str(path), "w", format="matroska") as clip:
        video = clip.add_stream(
            "libx264", rate=fps, options={"preset": "ultrafast", "g": str(fps), "bf": "0"}
        )
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        sound = clip.add_stream("aac", rate=_RATE)
        sound.codec_context.layout = "mono"
        for index in range(fps * _CLIP_SECONDS):
            image = av.VideoFrame.from_ndarray(pattern.image(index), format="rgb24")
            image.pts, image.time_base = index, Fraction(1, fps)
            clip.mux(video.encode(image))
        clip.mux(video.encode(None))
        for start in range(0, _RATE * _CLIP_SECONDS, 1024):
            moments = np.arange(start, start + 1024) / _RATE
            tone = (0.3 * np.sin(2 * np.pi * (200 + 20 * moments) * moments)).astype(np.float32)
            heard = av.AudioFrame.from_ndarray(tone[None], "fltp", "mono")
            heard.sample_rate, heard.time_base, heard.pts = _RATE, Fraction(1, _RATE), start
            clip.mux(sound.encode(heard))
        clip.mux(sound.encode(None))


def loop(clip: Path, video: Path, times: int) -> None:
    """The clip so many times, one behind the other: its packets as they are, only later."""
    with av.open(str(clip)) as source, av.open(str(video), "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for turn in range(times):
            source.seek(0)
            for packet in source.demux():
                if packet.dts is None or packet.pts is None:
                    continue
                later = round(turn * _CLIP_SECONDS / packet.time_base)
                packet.pts += later
                packet.dts += later
                packet.stream = streams[packet.stream_index]
                target.mux(packet)


def times_of(path: Path) -> Times:
    """Of all frames in order, and of all packets of sound with their sizes."""
    images: list[Fraction] = []
    sound: list[tuple[Fraction, int]] = []
    with av.open(str(path)) as video:
        for packet in video.demux():
            if packet.pts is None or packet.time_base is None:
                continue
            at = packet.pts * packet.time_base
            if packet.stream.type == "video":
                images.append(at)
            else:
                sound.append((at, packet.size))
    return sorted(images), sound


def samples(process: subprocess.Popen[str], target: Path, fps: int) -> Iterator[Held]:
    """Look at a conversion until it ends; moments are those of the video, in seconds."""
    start = monotonic()
    while process.poll() is None:
        time.sleep(_PERIOD)
        try:
            has = held(process.pid, monotonic() - start)
        except OSError:  # it has ended
            return
        images = count_kept_frames(target)
        print(f"{has.at:5.0f} s  {images:7d} frames  {has}", flush=True)
        if has.at > WARM_UP:
            yield replace(has, at=images / fps)


def last_of_each(taken: Iterable[Held]) -> list[Held]:
    """Of those at one moment of the video, as when its segments are joined, the last."""
    return list({one.at: one for one in taken if one.at > 0}.values())


def out_of_place(source: Times, target: Times) -> list[str]:
    """What does not stand where it stood, within a millisecond: the target's clock may be another."""
    found = []
    for what, before, after in (
        ("frames", source[0], target[0]),
        ("packets of sound", [at for at, _ in source[1]], [at for at, _ in target[1]]),
    ):
        moved = max((abs(a - b) for a, b in zip(before, after, strict=False)), default=Fraction(0))
        print(f"{len(after)} of {len(before)} {what}, moved by at most {float(moved) * 1000:.2f} ms")
        if len(after) != len(before) or moved > Fraction(1, 1000):
            found.append(f"{what} are not where they were")
    if [size for _, size in source[1]] != [size for _, size in target[1]]:
        found.append("sound is not the same")
    return found


def main() -> int:
    """Make, convert, compare, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--size", default="64x48")
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--plot", type=Path, help="page, .html, or image, .svg, to draw the curves into")
    options, more = parser.parse_known_args()  # the rest is for `convert`
    width, height = (int(side) for side in options.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        clip, video, target = (Path(folder) / name for name in ("clip.mkv", "video.mkv", "out.mkv"))
        make_clip(clip, (width, height), options.fps)
        loop(clip, video, round(options.hours * 3600 / _CLIP_SECONDS))
        words = [sys.executable, "-m", "stylize_live.cli.app", "convert", str(video), str(target), *more]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, text=True)
        taken = last_of_each(samples(process, target, options.fps))
        if process.wait():
            print(f"convert ended with {process.returncode}")
            return 1
        found = growing(taken) + out_of_place(times_of(video), times_of(target))
    if options.plot:
        at = [one.at for one in taken]
        names = ("memory", "threads", "handles")
        curves = {name: (at, [getattr(one, name) for one in taken]) for name in names}
        plot(options.plot, curves, f"a video of {options.hours:g} h, {options.size}, {options.fps} a second")
    print("; ".join(found) if found else "steady")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
