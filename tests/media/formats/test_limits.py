"""Videos of frames that are too large: refused by their header, counted as damage in their middle."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import CFR, Video

from stylize_live.errors import SourceError
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.formats import limits
from stylize_live.media.sources.network import StreamSource


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of 64x48 pass, those of 128x96 do not."""
    monkeypatch.setattr(limits, "MOST_VIDEO_PIXELS", 4000)
    monkeypatch.setitem(limits.DECODER_OPTIONS, "max_pixels", "4000")


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mp4", "libx264"), ("mkv", "ffv1"), ("avi", "mjpeg"), ("webm", "libvpx-vp9"), ("ts", "libx264")],
)
def test_too_large_by_the_header(suffix: str, codec: str, tmp_path: Path) -> None:
    form = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    small = Video(CFR, codec=codec, pixel_format=form).write(tmp_path / f"small.{suffix}")
    with VideoReader(small) as reader:
        assert len(list(reader)) == len(CFR)
    large = Video(CFR, size=(128, 96), codec=codec, pixel_format=form).write(tmp_path / f"large.{suffix}")
    with pytest.raises(SourceError, match=r"too large, 128x96; 0 megapixels at most|cannot be read|no frame"):
        VideoReader(large)
    with pytest.raises(SourceError):
        StreamSource(f"file://{large}")


@pytest.mark.usefixtures("small_limit")
def test_growing_in_the_middle(tmp_path: Path) -> None:
    parts = [
        Video(CFR, size=size).write(tmp_path / f"{size[0]}.ts").read_bytes() for size in ((64, 48), (128, 96))
    ]
    (tmp_path / "in.ts").write_bytes(b"".join(parts))
    with VideoReader(tmp_path / "in.ts") as reader:
        frames = list(reader)
        assert {frame.size for frame in frames} == {(64, 48)}
        assert len(frames) >= len(CFR) - 2  # those that wait for others are lost with them
        assert reader.damaged > 0


@pytest.mark.parametrize(
    ("size", "threads"), [((1920, 1080), 0), ((3840, 2160), 0), ((7680, 4320), 8), ((8192, 8192), 4)]
)
def test_threads_share_the_memory(size: tuple[int, int], threads: int) -> None:
    class Context:
        width, height = size

    class Stream:
        codec_context = Context()

    assert limits.threads_for(Stream()) == threads  # type: ignore[arg-type]


def test_the_real_limit() -> None:
    assert limits.MOST_VIDEO_PIXELS == 8192 * 8192 == int(limits.DECODER_OPTIONS["max_pixels"])
