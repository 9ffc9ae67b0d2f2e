"""NDI with its real library on loopback: colours, sizes, sources that go and come back, a whole show.

Needs cyndilib, which is not among what tests install: `pip install cyndilib`. Run with

    pytest -m slow tests/media/test_ndi.py

NDI finds sources by multicast DNS; here a configuration file of NDI's gives it the address of this machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
from live_fakes import make_frame
from waiting import eventually

from stylize_live.config import LiveSettings
from stylize_live.errors import SourceError, UsageError
from stylize_live.frame import Frame, Pixels
from stylize_live.media.ndi import library
from stylize_live.media.ndi.receiver import NdiReceiver
from stylize_live.media.sinks.ndi_sink import NdiSink
from stylize_live.media.sources import ndi_source
from stylize_live.media.sources.ndi_source import NdiSource
from stylize_live.media.sources.opening import names_camera, names_file, open_live_source
from stylize_live.system.clock import monotonic

COLORS = [(255, 255, 255), (0, 0, 0), (128, 128, 128), (255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 100, 50)]
CONFIG = {"ndi": {"machinename": "house", "networks": {"ips": "127.0.0.1"}}}


@pytest.fixture
def loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """NDI's configuration; read once, when the library is loaded."""
    (tmp_path / "ndi-config.v1.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    monkeypatch.setenv("NDI_CONFIG_DIR", str(tmp_path))
    return tmp_path


def bars(size: tuple[int, int]) -> Pixels:
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    for place, color in enumerate(COLORS):
        pixels[:, place * width // len(COLORS) : (place + 1) * width // len(COLORS)] = color
    return pixels


def taken(pixels: Pixels) -> np.ndarray:
    """The colours in the middle of the bars."""
    height, width = pixels.shape[:2]
    middles = [(2 * place + 1) * width // (2 * len(COLORS)) for place in range(len(COLORS))]
    return pixels[height // 2, middles].astype(int)


class Feeding(threading.Thread):
    """Writes an image thirty times a second."""

    def __init__(self, sink: NdiSink, pixels: Pixels) -> None:
        super().__init__(name="feeding")
        self._sink, self.pixels = sink, pixels
        self._ending = threading.Event()

    def run(self) -> None:
        index = 0
        while not self._ending.wait(1 / 30):
            self._sink.write(Frame(self.pixels, Fraction(index, 30), monotonic(), index))
            index += 1

    def __enter__(self) -> Feeding:
        self.start()
        return self

    def end(self) -> None:
        self._ending.set()
        self.join()

    def __exit__(self, *_: object) -> None:
        self.end()


# ------------------------------------------------------------------ without the library


def test_a_name_after_ndi_is_neither_a_file_nor_a_camera() -> None:
    for text in ("ndi:", "ndi:HOUSE (stage)", "NDI:a/b.mp4"):
        assert not names_camera(text)
        assert not names_file(text)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cyndilib", None)
    wanted = r"NDI needs cyndilib, .* under NDI's own licence: .*install.*cyndilib"
    with pytest.raises(UsageError, match=wanted):
        NdiSink("auto", (64, 36))
    with pytest.raises(UsageError, match=wanted):
        open_live_source(LiveSettings(source="ndi:stage"))
    assert not library.is_installed()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("HOUSE (one)", "HOUSE (one)"), ("TWO", "HOUSE (two)"), ("three", SourceError), ("house", UsageError)],
)
def test_names(monkeypatch: pytest.MonkeyPatch, wanted: str, found: str | type[Exception]) -> None:
    monkeypatch.setattr(ndi_source, "list_sources", lambda seconds: ["HOUSE (one)", "HOUSE (two)"])
    if isinstance(found, str):
        assert ndi_source._find(wanted) == found
    else:
        with pytest.raises(found, match=r"HOUSE \(one\), HOUSE \(two\)"):
            ndi_source._find(wanted)


class FakeSender:
    """In the place of the library's."""

    def __init__(self, name: str, size: tuple[int, int], rate: Fraction) -> None:
        self.name, self.size = f"HOUSE ({name})", size
        self.sent: list[Pixels] = []
        self.receivers = 0
        self.closed = 0

    def send(self, pixels: Pixels) -> None:
        self.sent.append(pixels)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[NdiSink, FakeSender]]:
    monkeypatch.setattr("stylize_live.media.sinks.ndi_sink.NdiSender", FakeSender)
    with NdiSink("auto", (33, 23)) as found:
        yield found, found._sender  # type: ignore[misc]


def test_nothing_is_sent_while_nobody_receives(sink: tuple[NdiSink, FakeSender]) -> None:
    output, sender = sink
    assert (output.device, sender.size) == ("HOUSE (stylize-live)", (34, 24))
    output.write(make_frame(7))
    assert not output.watched
    assert not sender.sent
    sender.receivers = 1
    eventually(lambda: output.watched, "somebody looks")
    eventually(lambda: len(sender.sent) >= 2, "the last frame is sent, and once more")
    assert sender.sent[0].shape == (24, 34, 3)
    sender.receivers = 0
    eventually(lambda: not output.watched, "nobody looks any more")


def test_no_older_frame_follows_a_newer_one(sink: tuple[NdiSink, FakeSender]) -> None:
    """The last one is sent again by another thread, which has to wait for its turn."""
    output, sender = sink
    output.write(make_frame(1))
    with output._turn:
        again = threading.Thread(target=output._send, name="again")
        again.start()
        output.write(make_frame(2))
    again.join()
    assert len(sender.sent) == 1
    assert (sender.sent[0][12, 17] == make_frame(2).pixels[-1, -1]).all()


def test_a_rate_of_no_meaning_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    there = MagicMock()
    monkeypatch.setattr("stylize_live.media.ndi.receiver.load_library", lambda: there)
    receiver = NdiReceiver("HOUSE (stage)")
    rates = {(30000, 1001): Fraction(30000, 1001), (30, 0): None, (0, 1): None, (-1, 1): None}
    for number, wanted in rates.items():
        there.video_frame.VideoFrameSync().get_frame_rate = lambda number=number: Fraction(*number)
        assert receiver.rate == wanted


def test_closing_twice_closes_once(sink: tuple[NdiSink, FakeSender]) -> None:
    output, sender = sink
    output.close()
    output.close()
    output.write(make_frame(1))
    assert (sender.closed, sender.sent) == (1, [])


# ------------------------------------------------------------------ with it


def in_a_process(loopback: Path, test: str) -> None:
    """Run a test of this file below in a process of its own: the library reads its configuration once."""
    code = f"import test_ndi; test_ndi.{test}()"
    paths = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
    code = f"import sys; sys.path[:0] = {paths!r}; {code}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("test", ["colors", "coming_back", "changing_size", "latency"])
@pytest.mark.slow
@pytest.mark.skipif(find_spec("cyndilib") is None, reason="needs cyndilib")
def test_on_loopback(loopback: Path, test: str) -> None:
    in_a_process(loopback, test)


def colors() -> None:
    """Within two levels, at sizes below and above HD; 4:2:2 has half the colour samples of a line."""
    for number, size in enumerate([(644, 360), (1288, 720)]):
        name = f"colors {number}"
        with NdiSink(name, size) as sink, Feeding(sink, bars(size)), NdiSource(name) as source:
            frame = next(iter(source))
            assert frame.size == size
            assert source.rate == 30
            error = np.abs(taken(frame.pixels) - np.array(COLORS)).max()
            print(size, "levels off:", error)
            assert error <= 2


def coming_back() -> None:
    """A source that goes is missed, and taken again when it is back."""
    size = (64, 36)
    with ExitStack() as opened:
        first = opened.enter_context(NdiSink("again", size))
        feeding = opened.enter_context(Feeding(first, bars(size)))
        source = opened.enter_context(NdiSource("again"))
        came: list[int] = []
        thread = threading.Thread(target=lambda: [came.append(frame.index) for frame in source])
        thread.start()
        opened.callback(thread.join, 5)
        opened.callback(source.interrupt)
        feeding.end()
        first.close()
        eventually(lambda: source.trouble is not None, "it is missed", within=30)
        second = opened.enter_context(NdiSink("again", size))
        opened.enter_context(Feeding(second, bars(size)))
        eventually(lambda: source.trouble is None, "it is back", within=30)
        before = len(came)
        eventually(lambda: len(came) > before, "frames come")


def changing_size() -> None:
    """Another size is scaled into that of the first frame."""
    sink = NdiSink("size", (64, 36))
    with sink, Feeding(sink, bars((64, 36))) as feeding, NdiSource("size") as source:
        frames = iter(source)
        assert next(frames).size == (64, 36)
        feeding.pixels = bars((128, 72))  # the sink scales it
        assert next(frames).size == (64, 36)


def latency() -> None:
    """From `write` to the frame of the source, in this process."""
    size = (640, 360)
    sink = NdiSink("latency", size)
    with sink, Feeding(sink, bars(size)) as feeding, NdiSource("latency") as source:
        frames = iter(source)
        next(frames)
        ages = []
        feeding.end()
        for level in range(0, 240, 4):
            written_at = monotonic()
            sink.write(Frame(np.full((360, 640, 3), level, np.uint8), Fraction(0), written_at, level))
            seen = next(frame for frame in frames if abs(int(frame.pixels[180, 320, 0]) - level) <= 1)
            ages.append(seen.captured_at - written_at)
        print("ms from writing to the source:", np.percentile(np.array(ages) * 1e3, [50, 95]).round(1))
        assert np.median(ages) < 0.5
