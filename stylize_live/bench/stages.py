"""What each part of the work takes by itself, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

from stylize_live.bench.report import Measurements
from stylize_live.bench.timing import Effort, alternate, effort_of
from stylize_live.config import BenchSettings, ConvertSettings, EngineSettings
from stylize_live.engine import Stylizer
from stylize_live.engine.device_selection import choose_device_name
from stylize_live.engine.speed_trials import available_ways
from stylize_live.frame import Frame
from stylize_live.lifecycle import Closeable
from stylize_live.media.color.colorspace import ToRgb, ToStored
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.sources.test_pattern import PatternSource
from stylize_live.units import fit_size


class StageBenchmarks(Closeable):
    """Reads, paints and writes the beginning of a video, one part after the other.

    Args:
        video: a video file.
        end: where the beginning ends, in seconds.
        settings: how it is painted.
        target: a .mp4 to write.
    """

    def __init__(self, video: Path, end: Fraction, settings: BenchSettings, target: Path) -> None:
        self._video, self._target = video, target
        self._part = ConvertSettings(end=str(float(end)))
        self._frames = self._read()
        self._painted: list[Frame] = []
        self._plain = Stylizer.from_settings(settings)
        self._steady = Stylizer.from_settings(settings, steadiness=settings.steadiness)
        for stylizer in (self._plain, self._steady):
            stylizer.warm_up(self._frames[0].size)

    @property
    def painter(self) -> str:
        """Device, runtime and precision that paint."""
        return f"{self._steady.runtime.split()[0]} on {self._steady.device}, {self._steady.precision}"

    def measure(self, measurements: Measurements) -> list[Effort]:
        """Do all parts once and note milliseconds a frame; what reading, painting and writing took."""
        read = effort_of(self._read)
        plain = effort_of(lambda: self._paint(self._plain))
        steady = effort_of(lambda: self._paint(self._steady))
        write = effort_of(self._write)
        stored = [ToStored()(frame.pixels) for frame in self._frames[:1]] * len(self._frames)
        to_rgb, to_stored = ToRgb(), ToStored()
        from_video = effort_of(lambda: [to_rgb(image) for image in stored])
        to_video = effort_of(lambda: [to_stored(frame.pixels) for frame in self._frames])
        each = 1e3 / len(self._frames)
        for name, seconds in (
            ("read a frame", read.wall),
            ("of this, YUV into RGB", from_video.wall),
            ("paint, without smoothing", plain.wall),
            ("smoothing on top", steady.wall - plain.wall),
            ("encode a frame", write.wall),
            ("of this, RGB into YUV", to_video.wall),
        ):
            measurements.add("stages", name, seconds * each)
        return [read, steady, write]

    def _read(self) -> list[Frame]:
        with VideoReader(self._video, self._part) as reader:
            return list(reader)

    def _paint(self, stylizer: Stylizer) -> None:
        stylizer.reset()
        self._painted = list(stylizer.stream(self._frames))

    def _write(self) -> None:
        with VideoWriter(self._target, self._painted[0].size) as writer:
            for frame in self._painted:
                writer.write(frame)
            writer.finish()

    def close(self) -> None:
        """Release device memory."""
        self._plain.close()
        self._steady.close()


def ideal_seconds(parts: Sequence[Effort], cores: int) -> float:
    """What parts that overlap must take at least: as long as the slowest, or as all cores are busy."""
    return max(*(part.wall for part in parts), sum(part.processor for part in parts) / cores)


def measure_networks(settings: BenchSettings, seconds: float, measurements: Measurements) -> None:
    """Time one frame without smoothing, pixels in and pixels out, under all that is installed."""
    pixels = PatternSource(fit_size(settings.size, (16, 9)), 1).image(0)
    stylizers = {name: Stylizer.from_settings(chosen) for name, chosen in _choices(settings).items()}
    try:
        jobs = {name: partial(stylizer, pixels) for name, stylizer in stylizers.items()}
        for name, times in alternate(jobs, seconds=seconds).items():
            for milliseconds in times:
                measurements.add("network", name, milliseconds)
    finally:
        for stylizer in stylizers.values():
            stylizer.close()


def _choices(settings: BenchSettings) -> dict[str, EngineSettings]:
    """Every runtime and precision that this machine has, by name."""
    return {
        str(way): settings.model_copy(update={"runtime": way.runtime, "precision": way.precision})
        for way in available_ways(choose_device_name(settings.device))
    }
