"""What a show must survive: everything real but the camera, which does what cameras do to streamers."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest
from clips import Video
from fault_shows import Inverter
from live_fakes import FakeDisplay, WakeableSource
from waiting import eventually

from stylize_live.config import EngineSettings
from stylize_live.conversion import segment_writer, segments
from stylize_live.conversion.convert import convert
from stylize_live.conversion.segmented_output import SegmentedOutput
from stylize_live.conversion.segments import SegmentBoundary
from stylize_live.engine import Stylizer
from stylize_live.frame import Frame
from stylize_live.live.pipeline import run_live
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.sinks.recorder import Recorder
from stylize_live.media.sinks.stream_server import StreamServer
from stylize_live.system.clock import monotonic

SIZES = [(64, 48), (48, 64), (128, 96), (64, 48)]
EACH = 4


class MoodyCamera(WakeableSource):
    """Gives some frames of each size, waits for its cable in between, and comes back at another rate."""

    def __init__(self, display: FakeDisplay) -> None:
        super().__init__(0)
        self.size = SIZES[0]
        self._display = display

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        for turn, (width, height) in enumerate(SIZES):
            for _ in range(EACH):
                pixels = np.full((height, width, 3), (200, 30, 30), np.uint8)
                yield Frame(pixels, Fraction(index, 30), monotonic(), index)
                eventually(lambda wanted=index: wanted in self._display.indices, within=20)
                index += 1
            self.trouble = f"camera is gone {turn}"
            eventually(lambda note=self.trouble: self._display.captions[-1].note == note, within=20)
            self.trouble = None


@pytest.mark.linux
def test_encoders_of_finished_segments_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only when Python's collector comes by: each has threads, and frames that wait."""
    monkeypatch.setattr(segments, "MOST_FRAMES", 10)
    monkeypatch.setattr(segment_writer, "_COLLECTIONS_APART", 0.0)
    video = Video(tuple(1001 * index for index in range(60))).write(tmp_path / "video.mp4")
    counts = []
    end_segment = SegmentedOutput.end_segment

    def counted(self: SegmentedOutput, boundary: SegmentBoundary) -> None:
        end_segment(self, boundary)
        counts.append(psutil.Process().num_threads())

    monkeypatch.setattr(SegmentedOutput, "end_segment", counted)
    gc.disable()
    try:
        convert(video, tmp_path / "out.mp4", Inverter())
    finally:
        gc.enable()
    assert len(counts) == 6
    assert max(counts[:-1]) == counts[0]


def test_the_show_goes_on(tmp_path: Path, tiny_style: Path) -> None:
    """A camera that leaves and returns in other sizes, a reader that hangs, one that left: all is shown."""
    display, video = FakeDisplay(), tmp_path / "show.mp4"
    settings = EngineSettings(style=str(tiny_style), device="cpu")
    with (
        Stylizer.from_settings(settings, steadiness=0.8) as stylizer,
        StreamServer("0", SIZES[0]) as server,
        Recorder(video, SIZES[0]) as recorder,
    ):
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        with socket.create_connection(address), MoodyCamera(display) as camera:
            socket.create_connection(address).close()
            report = run_live(camera, stylizer, display, sinks=[server, recorder], split=True)
    assert display.indices == list(range(EACH * len(SIZES)))
    shapes = [frame.size for frame in display.frames]
    assert list(dict.fromkeys(shapes)) == SIZES[:3]
    assert report.shown == EACH * len(SIZES)
    assert [output.error for output in report.outputs.values()] == [None, None]
    with VideoReader(video) as reader:
        frames = list(reader)
    assert {frame.size for frame in frames} == {SIZES[0]}
    assert len(frames) == report.outputs["recording"].written
    assert np.abs(frames[-1].pixels[24, 8].astype(int) - (200, 30, 30)).max() <= 6  # the original half
