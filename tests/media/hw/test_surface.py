"""Frames that stay on a GPU. There is none here: the planes lie in the machine's memory, and PyAV's and
torch's ends of the hand-over, the arithmetic and the way through reader, stylizer and encoder are real."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from clips import Video
from places import SAMPLES

from stylize_live.config import ConvertSettings, SourceSettings, VideoSettings
from stylize_live.conversion import segments
from stylize_live.conversion.convert import convert
from stylize_live.engine import Stylizer
from stylize_live.engine.core.protocols import TemporalContext
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.cpu.optical_flow import FlowEstimator
from stylize_live.engine.cpu.smoothing import least_share
from stylize_live.engine.cpu.torch_backend import DTYPES, paint, prepare_network
from stylize_live.engine.cuda.motion import make_smoother
from stylize_live.engine.cuda.motion_tensors import TensorMotion
from stylize_live.engine.cuda.painting import TensorStylizer
from stylize_live.engine.cuda.staging import SurfaceBuffer
from stylize_live.engine.style_loading import load_style
from stylize_live.frame import Frame, FrameKind
from stylize_live.media.color.colorspace import ToRgb, ToStored
from stylize_live.media.decode import frame_converter, reader
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode import encoder
from stylize_live.media.encode.encoder import VideoEncoder
from stylize_live.media.hw import surface, surface_preview
from stylize_live.media.hw.nv12 import from_rgb, to_rgb
from stylize_live.media.hw.surface import Nv12Surface, in_memory, make_surface, on_chip
from stylize_live.media.libraries import av
from stylize_live.media.scene_cuts import CutDetector

SAMPLE = SAMPLES / "flower.mp4"
Matrix = av.video.reformatter.Colorspace


def nv12_frame(width: int = 96, height: int = 64, seed: int = 0) -> av.VideoFrame:
    """Soft noise, with values beyond what limited range knows."""
    rng = np.random.default_rng(seed)
    luma = rng.integers(0, 256, (height, width), np.uint8)
    chroma = rng.integers(40, 216, (height // 2, width // 2, 2), np.uint8)
    return av.VideoFrame.from_dlpack((torch.from_numpy(luma), torch.from_numpy(chroma)), format="nv12")


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    with VideoReader(SAMPLE) as video:
        return [frame.pixels for frame, _ in zip(video, range(3), strict=False)]


@pytest.mark.parametrize("matrix", [Matrix.ITU709, Matrix.ITU601])
@pytest.mark.parametrize("full", [False, True])
def test_same_colors_as_ffmpeg(matrix: int, full: bool) -> None:
    frame = nv12_frame()
    frame.colorspace, frame.color_range = matrix, 2 if full else 1
    wanted = ToRgb(sited_left=True)(frame).astype(int)
    found = make_surface(frame)
    assert found is not None
    assert found.full_range == full
    difference = np.abs(found.download() - wanted)
    assert difference.max() <= 2
    assert difference.mean() < 0.4


def test_same_planes_as_ffmpeg(images: list[np.ndarray]) -> None:
    wanted = ToStored("nv12")(images[0])
    luma, chroma = (plane.numpy().astype(int) for plane in from_rgb(as_levels(images[0])))
    height, width = luma.shape
    ours = np.concatenate([luma, chroma.reshape(height // 2, width)])
    difference = np.abs(ours - wanted.to_ndarray())
    assert difference.max() <= 1
    assert difference.mean() < 0.02


def as_levels(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float()


def test_there_and_back_is_the_same_where_colors_are_wide() -> None:
    wide = np.repeat(np.repeat(np.random.default_rng(1).integers(0, 256, (8, 12, 3), np.uint8), 16, 0), 16, 1)
    back = to_rgb(*from_rgb(as_levels(wide)), "bt709", full_range=False)
    inner = np.s_[8::16, 8::16]
    assert np.abs(back[0].permute(1, 2, 0).numpy()[inner] - wide[inner]).max() <= 2.5


def test_a_surface_outlives_the_frame_it_was_made_of() -> None:
    frame = nv12_frame()
    taken = make_surface(frame)
    assert taken is not None
    before = taken.download()
    memory = np.asarray(frame.planes[0])  # type: ignore[call-overload]
    torch.from_dlpack(frame.planes[0].__dlpack__()).zero_()
    assert not memory.any()
    assert (taken.download() == before).all()


@pytest.mark.parametrize(
    ("size", "kind"),
    [
        ((96, 64), "yuv422p"),
        ((96, 64), "p010le"),
        ((97, 64), "nv12"),
        ((96, 63), "yuv420p"),
        ((8, 8), "gray"),
    ],
)
def test_what_cannot_be_a_surface(size: tuple[int, int], kind: str) -> None:
    assert make_surface(av.VideoFrame(*size, kind)) is None


def test_in_memory_leaves_what_is_there() -> None:
    frame = nv12_frame()
    assert not on_chip(frame)
    assert in_memory(frame) is frame


@pytest.mark.parametrize("size", [(96, 64), (512, 64), (854, 480)])
def test_planes_lie_as_encoders_on_chips_expect(size: tuple[int, int]) -> None:
    given = nv12_frame(*size)
    given.colorspace = Matrix.ITU709
    taken = make_surface(given)
    assert taken is not None
    for luma, chroma in ((taken.luma, taken.chroma), from_rgb(taken.levels())):
        pitch = luma.stride(0)
        assert pitch % 256 == 0
        assert chroma.stride() == (pitch, 2, 1)
        assert chroma.data_ptr() == luma.data_ptr() + size[1] * pitch
    frame = taken.video_frame()
    assert [plane.line_size for plane in frame.planes] == [pitch, pitch]


@pytest.mark.parametrize("matrix", ["bt709", "bt601"])
def test_encoders_are_given_what_is_tagged(matrix: str, images: list[np.ndarray]) -> None:
    surface = Nv12Surface(*from_rgb(as_levels(cv2.GaussianBlur(images[0], (0, 0), 5))), matrix)
    frame = surface.video_frame()
    assert frame.colorspace == Matrix.ITU709
    found = ToRgb(sited_left=True)(frame)
    assert np.abs(found - surface.download().astype(int)).max() <= 4


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((1920, 1080), (480, 270)),
        ((1280, 720), (480, 270)),
        ((854, 480), (480, 270)),
        ((960, 540), (480, 270)),
    ],
)
def test_previews_are_small_and_alike(
    size: tuple[int, int], small: tuple[int, int], full: bool, images: list[np.ndarray]
) -> None:
    luma, chroma = from_rgb(as_levels(cv2.resize(images[0], size)))
    whole = Nv12Surface(luma, chroma, "bt601", full)
    assert whole.size == size
    assert whole.preview.shape[1::-1] == small
    assert whole.preview is whole.preview
    wanted = cv2.resize(whole.download(), small, interpolation=cv2.INTER_AREA)
    difference = np.abs(whole.preview.astype(int) - wanted)
    assert difference.mean() < 1
    assert np.percentile(difference, 99) <= 5
    on_gpu = surface_preview._on_gpu(luma, chroma, small, "bt601", full)
    assert np.abs(whole.preview.astype(int) - on_gpu).mean() < 1


def test_previews_of_small_frames_have_their_size(images: list[np.ndarray]) -> None:
    """Colour samples are not looked at as closely as in the frame itself."""
    whole = Nv12Surface(*from_rgb(as_levels(cv2.resize(images[0], (320, 180)))))
    assert whole.preview.shape == (180, 320, 3)
    assert np.abs(whole.preview.astype(int) - whole.download()).mean() < 2


def test_frames_show_previews_of_surfaces() -> None:
    whole = make_surface(nv12_frame(1920, 1080))
    frame = Frame(whole, Fraction(0), 0.0, 0)
    assert frame.size == (1920, 1080)
    assert frame.preview is whole.preview
    assert frame.pixels.shape == (1080, 1920, 3)


CALM = 0.0  # boldness: how much strokes make of what is rounded differently is not what is tested


class OnDevice:
    """Paints surfaces as `CudaBackend` does, but for streams, events and graphs.

    Args:
        steadiness: see `Stylizer`.
    """

    fingerprint = "surfaces"
    takes_surfaces = True

    def __init__(self, steadiness: float = 0.0) -> None:
        self._stylizer = TensorStylizer(make_smoother(self._measured))
        style = load_style("starry-night").at(CALM)
        network = prepare_network(style, torch.device("cpu"), DTYPES["float32"])
        self._stylizer.network = lambda small: paint(network, small)
        self._steadiness, self._cuts = steadiness, CutDetector()
        self._estimate = FlowEstimator()
        self.taken = 0

    def _measured(self, inputs: torch.Tensor) -> TensorMotion:
        before, now = (inputs + 0.5).byte().numpy()
        return TensorMotion.of(self._estimate(before, now), torch.device("cpu"))

    def warm_up(self, size: tuple[int, int]) -> None:
        """Nothing to warm."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """See `FrameStylizer.stream`."""
        for frame in frames:
            assert isinstance(frame.image, Nv12Surface)
            self.taken += 1
            buffer = SurfaceBuffer(frame.image)
            steady = None
            if self._steadiness:
                share = least_share(self._steadiness)
                steady = TemporalContext(self._cuts.is_cut(frame.preview), share)
            with torch.inference_mode():
                given = (buffer.levels() + 0.5).floor()  # as pixels are; flat places show the difference
                buffer.take(self._stylizer(given, RenderOptions(), steady))
            yield frame.with_image(buffer.result())


@pytest.mark.parametrize("steadiness", [0.0, 0.8])
def test_painted_as_pixels_are(steadiness: float, images: list[np.ndarray]) -> None:
    surfaces = [Nv12Surface(*from_rgb(as_levels(p[:180, :320]))) for p in images]
    frames = [Frame(s, Fraction(i, 30), 0.0, i) for i, s in enumerate(surfaces)]
    plain = [Frame(frame.pixels, frame.pts, 0.0, frame.index) for frame in frames]
    options = {"device": "cpu", "runtime": "torch", "precision": "float32", "boldness": CALM}
    with Stylizer(**options, steadiness=steadiness) as stylizer:  # type: ignore[arg-type]
        wanted = list(stylizer.stream(plain))
    for ours, theirs in zip(OnDevice(steadiness).stream(frames), wanted, strict=True):
        assert isinstance(ours.image, Nv12Surface)
        stored = from_rgb(as_levels(theirs.pixels))
        for found, wanted_plane in zip((ours.image.luma, ours.image.chroma), stored, strict=True):
            difference = (found.float() - wanted_plane.float()).abs()
            # What of two ways to RGB is rounded differently, the network makes more of, here and there.
            assert difference.mean() < 0.5
            # And rounded levels lead the search for motion astray in other places.
            assert difference.flatten().quantile(0.98 if steadiness else 0.999) <= 2
            assert steadiness or difference.max() <= 6


@pytest.fixture
def chip(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoded frames count as lying on a chip, and the encoder as taking them from there."""
    decode = VideoReader._decode

    def nv12(self: VideoReader) -> Iterator[av.VideoFrame]:
        return (image.reformat(format="nv12") for image in decode(self))

    monkeypatch.setattr(VideoReader, "_decode", nv12)
    monkeypatch.setattr(frame_converter, "on_chip", lambda image: image.format.name == "nv12")
    software = reader.open_container
    monkeypatch.setattr(
        reader, "open_container", lambda path, rate, decoder, surfaces=False: software(path, rate, "software")
    )
    monkeypatch.setattr(encoder, "encodes_on_chip", lambda name, kind: True)
    monkeypatch.setattr(encoder, "chip_to_encode", lambda: None)


HARDWARE = ConvertSettings(decoder="hardware", end="0.5")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's first half second, a ninth as large."""
    with VideoReader(SAMPLE, SourceSettings(size="320x180", end="0.5")) as video:
        frames = [frame.pixels for frame in video]
    ticks = [1001 * i for i in range(len(frames))]
    return Video(ticks, (320, 180)).write(tmp_path_factory.mktemp("small") / "flower.mp4", frames)


@pytest.mark.usefixtures("chip")
def test_a_video_that_never_leaves_the_device(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads: list[int] = []
    monkeypatch.setattr(surface.Nv12Surface, "download", lambda self: downloads.append(1) or black(self))
    stylizer, target = OnDevice(), tmp_path / "painted.mp4"
    report = convert(small, target, stylizer, HARDWARE)
    assert report.frames == stylizer.taken > 5
    assert len(downloads) == 2  # the pair of frames that the report shows
    monkeypatch.undo()
    calm = Stylizer(runtime="torch", boldness=CALM)
    with VideoReader(small) as video, VideoReader(target) as painted, calm as stylizer:
        assert painted.size == video.size
        for before, after in zip(video, painted, strict=False):
            assert before.pts == after.pts
            assert np.abs(stylizer(before).pixels.astype(int) - after.pixels).mean() < 4
            break


def black(surface: Nv12Surface) -> np.ndarray:
    width, height = surface.size
    return np.zeros((height, width, 3), np.uint8)


@pytest.mark.usefixtures("chip")
def test_it_is_resumed_like_any_other(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_FRAMES", 4)

    class Stopping(OnDevice):
        def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
            for frame in super().stream(frames):
                if frame.index == 12:
                    raise KeyboardInterrupt
                yield frame

    whole, again = tmp_path / "whole.mp4", tmp_path / "again.mp4"
    frames = convert(small, whole, OnDevice(), HARDWARE).frames
    with pytest.raises(KeyboardInterrupt):
        convert(small, again, Stopping(), HARDWARE)
    stylizer = OnDevice()
    resumed = convert(small, again, stylizer, HARDWARE).resumed
    assert 0 < resumed < frames
    assert resumed % 4 == 0
    assert stylizer.taken == frames - resumed
    assert again.read_bytes() == whole.read_bytes()


@pytest.mark.usefixtures("chip")
def test_only_upright_frames_of_eight_bits_stay() -> None:
    with VideoReader(SAMPLE, surfaces=True) as video:
        assert video.frame_kind is FrameKind.ON_CHIP
        assert isinstance(next(iter(video)).image, Nv12Surface)
    with VideoReader(SAMPLE, SourceSettings(size="160x90"), surfaces=True) as video:
        assert video.frame_kind is FrameKind.PIXELS
        assert next(iter(video)).pixels.shape == (90, 160, 3)
    with VideoReader(SAMPLE, bits=10, surfaces=True) as video:
        assert video.frame_kind is FrameKind.PIXELS


def test_nothing_stays_that_is_not_asked_to() -> None:
    with VideoReader(SAMPLE) as video:
        assert video.frame_kind is FrameKind.PIXELS
        first = next(iter(video))
    assert first.preview is first.pixels


def test_encoders_elsewhere_download(tmp_path: Path) -> None:
    """A surface that the encoder cannot take goes the way of pixels."""
    taken = make_surface(nv12_frame())
    assert taken is not None
    packets = []
    for image in (taken, taken.download()):
        with VideoEncoder(
            (96, 64), "h264", VideoSettings(), clock=Fraction(1, 30), frames=FrameKind.ON_CHIP
        ) as writer:
            made = writer.encode(Frame(image, Fraction(0), 0.0, 0)) + writer.finish()
            packets.append([bytes(packet) for packet in made])
    assert packets[0] == packets[1]
