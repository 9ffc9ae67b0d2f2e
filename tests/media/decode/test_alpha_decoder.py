"""VP9 and VP8 with transparency, whose second image may be damaged."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import numbered
from inverters import Inverter

from stylize_live.config import VideoSettings
from stylize_live.conversion.convert import convert
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.libraries import av

COUNT = 12
HOLE = np.full((48, 64), 255, np.uint8)
HOLE[:, :32] = 0


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A video whose left half is transparent."""
    with VideoWriter(tmp_path / "in.webm", (64, 48), VideoSettings(crf=4), alpha=True) as writer:
        for index in range(COUNT):
            writer.write(Frame(numbered(index), Fraction(index, 25), 0.0, index, HOLE))
    return tmp_path / "in.webm"


def overwritten(second: bytearray) -> None:
    second[8:] = b"\x55" * (len(second) - 8)


def hidden(second: bytearray) -> None:
    """As if it were not to be shown: nothing says that it is damaged."""
    second[8] ^= 0x02


def of_another_kind(second: bytearray) -> None:
    """Something else that is stored beside frames."""
    second[:8] = b"\x05" * 8


def copied(
    video: Path, damaged: int | None = None, damage: Callable[[bytearray], None] = overwritten
) -> Path:
    """The same packets in another file, as a remuxer writes it; one of them has a damaged second image."""
    target = video.with_name("copy.webm")
    with av.open(str(video)) as source, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        stream.metadata["alpha_mode"] = "1"
        for index, packet in enumerate(source.demux(video=0)):
            if packet.size:
                if index == damaged:
                    second = packet.get_sidedata("matroska_block_additional")
                    content = bytearray(bytes(second))
                    damage(content)
                    second.update(bytes(content))
                    packet.set_sidedata(second)
                packet.stream = stream
                output.mux(packet)
    return target


def test_a_copy_keeps_its_transparency(video: Path) -> None:
    with VideoReader(copied(video)) as reader:
        assert reader.has_alpha
        assert all(np.abs(frame.alpha.astype(int) - HOLE).mean() < 4 for frame in reader)


@pytest.mark.parametrize("damage", [overwritten, hidden, of_another_kind])
@pytest.mark.parametrize("damaged", [0, 5, COUNT - 1])
def test_colors_go_on_alone(video: Path, damaged: int, damage: Callable[[bytearray], None]) -> None:
    if damaged == 0 and damage is of_another_kind:
        pytest.skip("such a video has no second frames at all")
    with VideoReader(copied(video, damaged, damage)) as reader:
        frames = list(reader)
        assert (reader.damaged, reader.has_alpha) == (1, True)
    assert [frame.pts * 25 for frame in frames] == list(range(COUNT))
    for frame in frames:
        assert np.abs(frame.pixels.astype(int) - numbered(frame.index)).mean() < 8
        expected = HOLE if frame.index < damaged else np.full_like(HOLE, 255)
        assert np.abs(frame.alpha.astype(int) - expected).mean() < 4
    report = convert(video.with_name("copy.webm"), video.with_name("out.webm"), Inverter())
    assert (report.frames, report.complete) == (COUNT, False)
