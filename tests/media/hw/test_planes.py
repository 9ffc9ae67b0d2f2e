"""Frames that processors decode and encode, and that stay planes in between, for stylizers on a GPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from clips import CFR, Video, numbered
from places import SAMPLES
from tiny import random_pixels

from stylize_live.config import ConvertSettings, SourceSettings, VideoSettings
from stylize_live.conversion.convert import convert
from stylize_live.conversion.stylizers import SideBySideStylizer, TimeShiftedStylizer, takes_surfaces
from stylize_live.engine import Stylizer
from stylize_live.engine.cuda.staging import HostBuffer, PixelBuffer, PlaneBuffer, kind_of, make_host_buffer
from stylize_live.frame import Frame, FrameKind, Pixels
from stylize_live.media.color.colorspace import MATRIX_TAGS, ToRgb
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.encoder import VideoEncoder
from stylize_live.media.formats.codecs import stores_planes
from stylize_live.media.hw.nv12 import from_rgb
from stylize_live.media.hw.surface import Nv12Surface, make_surface
from stylize_live.media.libraries import av, cv2

SAMPLE = SAMPLES / "flower.mp4"
PROCESSOR = torch.device("cpu")


class AsTheyCame:
    """A stylizer that gives every frame back, and counts the surfaces among them.

    Args:
        takes_surfaces: what it says of itself.
    """

    fingerprint = "as they came"

    def __init__(self, *, takes_surfaces: bool = True) -> None:
        self.takes_surfaces, self.surfaces = takes_surfaces, 0

    def warm_up(self, size: tuple[int, int]) -> None:
        """Nothing to warm."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """See `FrameStylizer.stream`."""
        for frame in frames:
            self.surfaces += isinstance(frame.image, Nv12Surface)
            yield frame


def soft(size: tuple[int, int], seed: int, kind: str) -> av.VideoFrame:
    """Planes of wide, soft spots, of colours that screens know."""
    frame = av.VideoFrame(*size, kind)
    rng = np.random.default_rng(seed)
    for plane, spread in zip(frame.planes, (50, 25, 25), strict=True):
        spots = rng.integers(128 - spread, 128 + spread, (plane.height // 8 + 1, plane.width // 8 + 1))
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : plane.width] = cv2.resize(spots.astype(np.uint8), (plane.width, plane.height))
        plane.update(rows.tobytes())
    return frame


def tagged_video(path: Path, matrix: str, full: bool, kind: str = "yuv420p") -> Path:
    """Three frames whose tags say how to read them."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=Fraction(25), options={"qp": "1"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, kind
        context = stream.codec_context
        context.colorspace, context.color_range = MATRIX_TAGS[matrix], 2 if full else 1
        for index in range(3):
            frame = soft((160, 96), index, kind)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("matrix", "full", "kind"),
    [
        ("bt709", False, "yuv420p"),
        ("bt601", False, "yuv420p"),
        ("bt2020", False, "yuv420p"),
        ("bt709", True, "yuv420p"),
        ("bt601", True, "yuvj420p"),
    ],
)
def test_same_colors_as_pixels(tmp_path: Path, matrix: str, full: bool, kind: str) -> None:
    video = tagged_video(tmp_path / "in.mp4", matrix, full, kind)
    with VideoReader(video, surfaces=True) as planes, VideoReader(video) as pixels:
        assert planes.frame_kind is FrameKind.PLANES
        for ours, theirs in zip(planes, pixels, strict=True):
            assert isinstance(ours.image, Nv12Surface)
            assert (ours.image.matrix, ours.image.full_range) == (matrix, full)
            assert ours.pts == theirs.pts
            assert np.abs(ours.pixels.astype(int) - theirs.pixels).max() <= 1
            painted = ours.image.levels()[0].permute(1, 2, 0).numpy()
            assert np.abs(painted - theirs.pixels).max() <= 2.5


def test_planes_outlive_decoder_and_frame() -> None:
    frame = soft((96, 64), 0, "yuv420p")
    taken = make_surface(frame)
    assert taken is not None
    before = [bytes(plane) for plane in frame.planes]
    assert bytes(taken.chroma[..., 1].contiguous().numpy()) == bytes(tight(frame.planes[2]))
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    assert bytes(taken.luma.contiguous().numpy()) != bytes(tight(frame.planes[0]))
    for plane, content in zip(frame.planes, before, strict=True):
        plane.update(content)
    assert bytes(taken.luma.contiguous().numpy()) == bytes(tight(frame.planes[0]))


def tight(plane: av.video.plane.VideoPlane) -> np.ndarray:
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)  # type: ignore[call-overload]
    return np.ascontiguousarray(rows[:, : plane.width])


@pytest.mark.parametrize("size", [(2, 2), (4, 2), (2, 4), (258, 4)])
def test_tiny_planes(size: tuple[int, int]) -> None:
    frame = tagged(soft(size, 0, "yuv420p"))
    taken = make_surface(frame)
    assert taken is not None
    assert taken.size == size
    assert (taken.chroma[..., 0].numpy() == tight(frame.planes[1])).all()
    assert (tight(taken.stored_frame("yuv420p").planes[2]) == tight(frame.planes[2])).all()


@pytest.mark.parametrize(
    ("video", "settings", "bits"),
    [
        (Video(CFR[:3], pixel_format="yuv420p10le"), SourceSettings(), 8),
        (Video(CFR[:3], pixel_format="yuv444p"), SourceSettings(), 8),
        (Video(CFR[:3], rotation=90), SourceSettings(), 8),
        (Video(CFR[:3]), SourceSettings(size="32x24"), 8),
        (Video(CFR[:3]), SourceSettings(), 10),
        (Video(CFR[:3], size=(65, 48), codec="ffv1"), SourceSettings(), 8),
        (Video(CFR[:3], codec="mjpeg", pixel_format="yuvj420p"), SourceSettings(), 8),
    ],
    ids=["10 bits", "4:4:4", "turned", "scaled", "to 16 bits", "odd", "sited elsewhere"],
)
def test_what_does_not_stay(tmp_path: Path, video: Video, settings: SourceSettings, bits: int) -> None:
    path = video.write(tmp_path / "in.mkv" if video.codec != "libx264" else tmp_path / "in.mp4")
    with VideoReader(path, settings, bits=bits, surfaces=True) as reader:
        assert reader.frame_kind is FrameKind.PIXELS
        assert all(isinstance(frame.image, np.ndarray) for frame in reader)


def test_deinterlaced_frames_may_stay(tmp_path: Path) -> None:
    path = Video(interlaced=True).write(tmp_path / "in.mp4")
    with VideoReader(path, surfaces=True) as planes, VideoReader(path) as pixels:
        for ours, theirs in zip(planes, pixels, strict=True):
            assert isinstance(ours.image, Nv12Surface)
            assert np.abs(ours.pixels.astype(int) - theirs.pixels).max() <= 1


@pytest.mark.parametrize("source", ["sample", "bt709", "bt601", "full"])
def test_a_video_is_the_same_as_through_pixels(tmp_path: Path, source: str) -> None:
    video = SAMPLE
    if source != "sample":
        matrix = "bt601" if source == "bt601" else "bt709"
        video = tagged_video(tmp_path / "in.mp4", matrix, source == "full")
    settings = ConvertSettings(end="0.5", crf=1)
    ways = AsTheyCame(), AsTheyCame(takes_surfaces=False)
    targets = tmp_path / "planes.mp4", tmp_path / "pixels.mp4"
    counts = [convert(video, t, way, settings).frames for t, way in zip(targets, ways, strict=True)]
    assert counts[0] == counts[1] == ways[0].surfaces > 2
    assert ways[1].surfaces == 0
    with VideoReader(video) as before, VideoReader(targets[0]) as ours, VideoReader(targets[1]) as theirs:
        for original, a, b in zip(before, ours, theirs, strict=False):
            assert original.pts == a.pts == b.pts
            assert np.abs(a.pixels.astype(int) - b.pixels).mean() < 1
            assert np.abs(a.pixels.astype(int) - original.pixels).mean() < 1


def test_who_paints_says_whether_it_takes_planes(tiny_style: Path) -> None:
    class Plain:
        fingerprint = "a program's own"
        stream = warm_up = AsTheyCame.stream

    assert takes_surfaces(AsTheyCame())
    assert takes_surfaces(TimeShiftedStylizer(AsTheyCame(), Fraction(1)))
    assert not takes_surfaces(SideBySideStylizer(AsTheyCame()))
    assert not takes_surfaces(TimeShiftedStylizer(AsTheyCame(takes_surfaces=False), Fraction(1)))
    assert not takes_surfaces(Plain())  # type: ignore[arg-type]
    with Stylizer(tiny_style, device="cpu") as stylizer:
        assert not takes_surfaces(stylizer)


@pytest.mark.parametrize(
    ("target", "options", "planes"),
    [
        ("out.mp4", {}, True),
        ("out.webm", {}, True),
        ("out.gif", {}, False),
        ("out.webp", {}, False),
        ("out-%03d.png", {}, False),
        ("out.mkv", {"codec": "ffv1"}, False),
        ("out.mov", {"codec": "prores"}, False),
        ("out.mp4", {"bits": 10}, False),
        ("out.mp4", {"side_by_side": True}, False),
        ("out.mp4", {"size": "32x24"}, False),
    ],
)
def test_only_what_becomes_planes_again_travels_so(
    tmp_path: Path, target: str, options: dict[str, object], planes: bool
) -> None:
    video = Video(CFR[:4]).write(tmp_path / "in.mp4")
    stylizer = AsTheyCame()
    settings = ConvertSettings(**options)  # type: ignore[arg-type]
    assert convert(video, tmp_path / target, stylizer, settings).frames == 4
    assert stylizer.surfaces == (4 if planes else 0)


def test_targets_of_planes() -> None:
    assert stores_planes(Path("a.mkv"), VideoSettings())
    assert not stores_planes(Path("a.mkv"), VideoSettings(codec="ffv1"))
    assert not stores_planes(Path("a.mp4"), VideoSettings(bits=10))


def test_stored_planes_are_the_very_ones() -> None:
    taken = make_surface(tagged(soft((96, 64), 3, "yuv420p")))
    assert taken is not None
    for kind in ("yuv420p", "nv12"):
        frame = taken.stored_frame(kind)
        assert (frame.format.name, frame.colorspace, frame.color_range) == (kind, 1, 1)
        again = make_surface(frame)
        assert again is not None
        assert torch.equal(again.luma, taken.luma)
        assert torch.equal(again.chroma, taken.chroma)


def tagged(frame: av.VideoFrame) -> av.VideoFrame:
    frame.colorspace, frame.color_range = 1, 1
    return frame


def test_surfaces_of_another_size_are_encoded_as_pixels() -> None:
    taken = make_surface(tagged(soft((96, 64), 3, "yuv420p")))
    with VideoEncoder((98, 64), "h264", VideoSettings(), clock=Fraction(1, 30)) as writer:
        assert taken is not None
        assert not writer._takes(taken)


def test_x264_makes_the_same_of_two_planes_and_of_three() -> None:
    surfaces = [make_surface(tagged(soft((96, 64), seed, "yuv420p"))) for seed in range(8)]
    videos = []
    for frames in (FrameKind.PIXELS, FrameKind.PLANES):
        with VideoEncoder((96, 64), "h264", VideoSettings(), clock=Fraction(1, 30), frames=frames) as writer:
            kind = writer.stream.codec_context.pix_fmt
            packets = [
                p for i, s in enumerate(surfaces) for p in writer.encode(Frame(s, Fraction(i, 30), 0.0, i))
            ]
            packets += writer.finish()
        assert kind == ("yuv420p" if frames is FrameKind.PIXELS else "nv12")
        videos.append([(packet.pts, bytes(packet)) for packet in packets])
    assert videos[0] == videos[1]
    frames = FrameKind.PLANES
    with VideoEncoder((96, 64), "hevc", VideoSettings(), clock=Fraction(1, 30), frames=frames) as writer:
        assert writer.stream.codec_context.pix_fmt == "yuv420p"  # it knows no other


def rounds(buffer: HostBuffer[object], images: list[object]) -> list[object]:
    """What comes out of a buffer that is used again before results are looked at."""
    results = []
    for image in images:
        buffer.put(image)
        with torch.inference_mode():
            buffer.take(buffer.levels())
        results.append(buffer.result())
    return results


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pixels_come_back(monkeypatch: pytest.MonkeyPatch, dtype: type, large: bool) -> None:
    if large:
        monkeypatch.setattr("stylize_live.engine.cuda.staging._LARGE", 0)
    images: list[Pixels] = [random_pixels(64, 48, seed).astype(dtype) for seed in range(3)]
    found = rounds(PixelBuffer(images[0], PROCESSOR), list(images))  # type: ignore[arg-type]
    for before, after in zip(images, found, strict=True):
        assert isinstance(after, np.ndarray)
        assert after.dtype == dtype
        assert after.flags.writeable
        assert (after == before).all()


@pytest.mark.parametrize("large", [False, True])
def test_planes_come_back(monkeypatch: pytest.MonkeyPatch, large: bool) -> None:
    if large:
        monkeypatch.setattr("stylize_live.engine.cuda.staging._LARGE", 0)
    surfaces = [make_surface(tagged(soft((320, 180), seed, "yuv420p"))) for seed in range(3)]
    surfaces += [Nv12Surface(s.luma, s.chroma, "bt601", True) for s in surfaces if s is not None]
    found = rounds(PlaneBuffer((320, 180), PROCESSOR), list(surfaces))  # type: ignore[arg-type]
    for before, after in zip(surfaces, found, strict=True):
        assert before is not None
        assert isinstance(after, Nv12Surface)
        wanted = from_rgb(before.levels())
        assert torch.equal(after.luma, wanted[0])
        assert torch.equal(after.chroma, wanted[1])
        assert np.abs(ToRgb(sited_left=True)(after.video_frame()) - after.download().astype(int)).max() == 0


def test_buffers_are_for_one_kind_of_frame() -> None:
    surface = make_surface(soft((320, 180), 0, "yuv420p"))
    pixels = numbered(0, (320, 180))
    assert surface is not None
    assert isinstance(make_host_buffer(surface, PROCESSOR), PlaneBuffer)
    assert isinstance(make_host_buffer(pixels, PROCESSOR), PixelBuffer)
    kinds = {kind_of(surface), kind_of(pixels), kind_of(pixels.astype(np.uint16)), kind_of(pixels[:90])}
    assert len(kinds) == 4
