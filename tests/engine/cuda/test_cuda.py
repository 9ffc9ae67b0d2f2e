"""The GPU path against the CPU. Run by `make gpu-test`; unverified where there is no GPU."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from places import SAMPLES
from textures import texture
from tiny import random_pixels

from stylize_live.config import CodecKind, ConvertSettings
from stylize_live.conversion.convert import convert
from stylize_live.engine import Stylizer
from stylize_live.engine.cuda.graphs import Graphed
from stylize_live.engine.cuda.motion import make_cpu_measure, make_smoother
from stylize_live.errors import UsageError
from stylize_live.evaluation.videos import measure_steadiness
from stylize_live.frame import Frame, FrameKind
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.formats.encoders import choose_encoder
from stylize_live.media.hw.decoders import open_on_gpu
from stylize_live.media.hw.nv12 import from_rgb
from stylize_live.media.hw.surface import Nv12Surface

pytestmark = pytest.mark.gpu

SAMPLE = SAMPLES / "flower.mp4"

# Stated tolerances against float32 on the CPU, in levels of 255: (mean, 99.9th percentile).
TOLERANCE = {"float32": (0.1, 2.0), "float16": (0.5, 6.0), "bfloat16": (1.5, 16.0)}


@pytest.mark.parametrize("precision", list(TOLERANCE))
@pytest.mark.parametrize("size", [(640, 360), (321, 243), (53, 37)])
def test_same_image_as_the_cpu(cuda: torch.device, precision: str, size: tuple[int, int]) -> None:
    pixels = random_pixels(*size)
    wanted = Stylizer(device="cpu", precision="float32")(pixels).astype(int)
    found = Stylizer(device="cuda", precision=precision)(pixels).astype(int)  # type: ignore[arg-type]
    difference = np.abs(found - wanted)
    mean, tail = TOLERANCE[precision]
    assert difference.mean() <= mean
    assert np.percentile(difference, 99.9) <= tail


def test_tiny_images(cuda: torch.device) -> None:
    """Not compared: where norms see one value or two, rounding decides what is painted."""
    for size in ((1, 1), (5, 3), (8, 9)):
        pixels = random_pixels(*size)
        assert Stylizer(device="cuda")(pixels).shape == pixels.shape


def test_stream_equals_single_images(cuda: torch.device) -> None:
    """Several in flight, size changing on the way: no buffer is read before it is written."""
    stylizer = Stylizer(device="cuda")
    frames = [Frame(random_pixels(64 + 32 * (i // 7 % 2), 48, i), Fraction(i), 0.0, i) for i in range(40)]
    painted = list(stylizer.stream(frames))
    assert [f.index for f in painted] == list(range(40))
    for before, after in zip(frames, painted, strict=True):
        assert (after.pixels == stylizer(before.pixels)).all()


def test_results_do_not_share_memory(cuda: torch.device) -> None:
    stylizer = Stylizer(device="cuda")
    first = stylizer(random_pixels(64, 48, 1))
    copy = first.copy()
    for seed in range(5):
        stylizer(random_pixels(64, 48, seed + 2))
    assert (first == copy).all()


def test_style_change_between_images(cuda: torch.device) -> None:
    stylizer = Stylizer("starry-night", device="cuda")
    pixels = random_pixels(64, 48)
    stylizer(pixels)
    stylizer.style = "great-wave"
    assert (stylizer(pixels) == Stylizer("great-wave", device="cuda")(pixels)).all()


def test_strength_zero_is_the_original(cuda: torch.device) -> None:
    pixels = random_pixels(64, 48)
    assert (Stylizer(device="cuda", strength=0)(pixels) == pixels).all()


def pan(count: int) -> list[Frame]:
    """Of something that can be followed: elsewhere, rounding decides what motion is found."""
    scene = texture(128, 192 + 4 * count, 0)
    views = (np.ascontiguousarray(scene[:, 4 * i : 4 * i + 192]) for i in range(count))
    return [Frame(view, Fraction(i, 30), 0.0, i) for i, view in enumerate(views)]


def test_smoothing_is_the_same_as_on_the_cpu(cuda: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both go by the same motion."""
    monkeypatch.setattr(
        "stylize_live.engine.cuda.backend.select_motion", lambda cuda: make_smoother(make_cpu_measure(cuda))
    )
    frames = pan(8)
    options = {"precision": "float32", "steadiness": 0.8}
    with Stylizer(device="cpu", **options) as cpu, Stylizer(device="cuda", **options) as gpu:  # type: ignore[arg-type]
        for frame in frames:
            cpu._backend._flow.everywhere = False  # type: ignore[attr-defined]  # no hint, as on a GPU
            difference = np.abs(cpu(frame).pixels.astype(int) - gpu(frame).pixels)
            assert difference.mean() < 0.6
            assert np.percentile(difference, 99) <= 8


def test_a_video_is_at_least_as_steady_as_on_the_cpu(cuda: torch.device) -> None:
    options = {"precision": "float32"}
    ratios = {}
    for device in ("cpu", "cuda"):
        with (
            Stylizer(device=device, **options) as network,  # type: ignore[arg-type]
            Stylizer(device=device, steadiness=0.8, **options) as smoothed,  # type: ignore[arg-type]
        ):
            report = measure_steadiness(SAMPLE, network, smoothed, most_frames=16)
        ratios[device] = report.ratio("warp_error")
        assert report.ratio("contrast") > 0.95
        assert report.ratio("energy") > 0.9
    assert ratios["cuda"] < 0.5
    assert ratios["cuda"] < 1.05 * ratios["cpu"]


@pytest.mark.parametrize("size", [(480, 270), (320, 180), (91, 67), (16, 16)])
def test_flow_finds_a_shift(cuda: torch.device, size: tuple[int, int]) -> None:
    flow_between = pytest.importorskip("stylize_live.engine.cuda.optical_flow").flow_between
    width, height = size
    scene = torch.rand((1, 1, height + 40, width + 40), generator=torch.Generator().manual_seed(0))
    scene = 255 * torch.nn.functional.avg_pool2d(scene, 5, stride=1, padding=2)[0, 0].to(cuda)
    across, down = (7, -4) if min(size) > 16 else (1, -1)
    now = scene[20 : 20 + height, 20 : 20 + width]
    before = scene[20 - down : 20 - down + height, 20 - across : 20 - across + width]
    flow = flow_between(torch.stack((before, now)))
    assert flow[0].median().item() == pytest.approx(across, abs=0.1)
    assert flow[1].median().item() == pytest.approx(down, abs=0.1)
    assert (flow_between(torch.stack((before, now))) == flow).all()


def test_a_saved_state_goes_on_exactly(cuda: torch.device) -> None:
    frames = [Frame(random_pixels(96, 64, i // 4), Fraction(i, 30), 0.0, i) for i in range(12)]
    with Stylizer(device="cuda", steadiness=0.8) as whole, Stylizer(device="cuda", steadiness=0.8) as other:
        list(whole.stream(frames[:6]))
        other.restore_state(whole.save_state())
        for a, b in zip(whole.stream(frames[6:]), other.stream(frames[6:]), strict=True):
            assert (a.pixels == b.pixels).all()


def test_timeline_with_several_images_under_way(cuda: torch.device) -> None:
    """Weights change in place on the stream: each image is painted with its own."""
    style = "0:starry-night,10:great-wave,30:the-scream"
    frames = [Frame(random_pixels(64, 48, i), Fraction(i), 0.0, i) for i in range(40)]
    found = list(Stylizer(style, crossfade=8, device="cuda", precision="float32").stream(frames))
    wanted = Stylizer(style, crossfade=8, device="cpu", precision="float32")
    for before, after in zip(frames, found, strict=True):
        difference = np.abs(after.pixels.astype(int) - wanted(before).pixels)
        assert difference.mean() <= TOLERANCE["float32"][0]


@contextlib.contextmanager
def waiting_is_an_error() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Synchronization debug mode is a prototype")
        torch.cuda.set_sync_debug_mode("error")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("steadiness", [0.0, 0.8])
def test_nothing_waits_for_the_device_while_images_are_queued(cuda: torch.device, steadiness: float) -> None:
    frames = [Frame(random_pixels(640, 360, i), Fraction(i, 30), 0.0, i) for i in range(6)]
    with Stylizer(device="cuda", steadiness=steadiness) as stylizer:
        list(stylizer.stream(frames))  # graphs are recorded
        with waiting_is_an_error():
            assert len(list(stylizer.stream(frames))) == len(frames)


def test_graphs_paint_what_kernels_one_by_one_paint(
    cuda: torch.device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = [(64, 48), (96, 48), (64, 48), (33, 17), (64, 80), (80, 80), (96, 96), (64, 48)]
    images = [random_pixels(*size, seed) for seed, size in enumerate(sizes)]
    with Stylizer(device="cuda", precision="float32") as stylizer:
        found = [stylizer(pixels) for pixels in images]
    assert not caplog.records  # none of them had to do without
    monkeypatch.setattr(Graphed, "_record", lambda self, given: None)
    with Stylizer(device="cuda", precision="float32") as stylizer:
        for pixels, graphed in zip(images, found, strict=True):
            assert np.abs(stylizer(pixels).astype(int) - graphed).max() <= 1


def test_surfaces_stay_and_are_painted_as_pixels_are(cuda: torch.device) -> None:
    """Mixed with pixels, several in flight."""
    frames = []
    for i, frame in enumerate(pan(12)):
        levels = torch.from_numpy(frame.pixels).permute(2, 0, 1)[None].float().to(cuda)
        frames.append(Frame(Nv12Surface(*from_rgb(levels)), Fraction(i), 0.0, i))
    mixed = [Frame(f.pixels, f.pts, 0.0, f.index) if f.index % 3 == 0 else f for f in frames]
    with Stylizer(device="cuda", precision="float32", steadiness=0.8) as stylizer:
        painted = list(stylizer.stream(mixed))
        stylizer.reset()
        wanted = list(stylizer.stream(Frame(f.pixels, f.pts, 0.0, f.index) for f in frames))
    for before, found, plain in zip(mixed, painted, wanted, strict=True):
        assert isinstance(found.image, Nv12Surface) == isinstance(before.image, Nv12Surface)
        if isinstance(found.image, Nv12Surface):
            assert found.image.luma.is_cuda
            levels = torch.from_numpy(plain.pixels).permute(2, 0, 1)[None].float()
            luma = from_rgb(levels)[0].float()
            assert (found.image.luma.cpu().float() - luma).abs().mean() < 1.5


@pytest.mark.parametrize("steadiness", [0.0, 0.8])
def test_a_video_that_never_leaves_the_gpu(cuda: torch.device, tmp_path: Path, steadiness: float) -> None:
    video = open_on_gpu(f"file:{SAMPLE}", surfaces=True)
    if video is None:
        pytest.skip("no chip decodes here")
    video.close()
    try:
        choose_encoder("h264", "hardware", 8)
    except UsageError:
        pytest.skip("no chip encodes here")
    settings = ConvertSettings(decoder="hardware", encoder="hardware", end="1")
    with VideoReader(SAMPLE, settings, surfaces=True) as reader:
        assert reader.frame_kind is FrameKind.ON_CHIP
    target = tmp_path / "painted.mp4"
    with Stylizer(device="cuda", steadiness=steadiness) as stylizer:
        report = convert(SAMPLE, target, stylizer, settings)
        stylizer.reset()
        with VideoReader(SAMPLE) as before, VideoReader(target) as painted:
            wanted = stylizer.stream(frame for frame, _ in zip(before, range(report.frames), strict=False))
            for ours, theirs in zip(painted, wanted, strict=True):
                assert ours.pts == theirs.pts
                assert np.abs(ours.pixels.astype(int) - theirs.pixels).mean() < 4


def host_surface(pixels: np.ndarray) -> Nv12Surface:
    """Pixels as planes in the machine's memory."""
    return Nv12Surface(*from_rgb(torch.from_numpy(pixels).permute(2, 0, 1)[None].float()))


def test_planes_of_the_host_are_painted_as_pixels_are(cuda: torch.device) -> None:
    """Mixed with pixels, size changing, several in flight, all results held until the end."""
    frames = []
    for i in range(40):
        pixels = random_pixels(64 + 32 * (i // 7 % 2), 48, i)
        frames.append(Frame(pixels if i % 5 == 0 else host_surface(pixels), Fraction(i), 0.0, i))
    with Stylizer(device="cuda", precision="float32") as stylizer:
        painted = list(stylizer.stream(frames))
        wanted = [stylizer(frame.pixels) for frame in frames]
    for before, found, plain in zip(frames, painted, wanted, strict=True):
        if isinstance(before.image, np.ndarray):
            assert (found.pixels == plain).all()
            continue
        assert isinstance(found.image, Nv12Surface)
        assert not found.image.on_gpu
        stored = host_surface(plain)
        for ours, theirs in ((found.image.luma, stored.luma), (found.image.chroma, stored.chroma)):
            assert (ours.float() - theirs.float()).abs().mean() < 1.5


def test_all_three_kinds_of_images_in_one_stream(cuda: torch.device) -> None:
    frames = []
    for i in range(18):
        pixels = random_pixels(64, 48, i)
        host = host_surface(pixels)
        device = Nv12Surface(host.luma.to(cuda), host.chroma.to(cuda))
        frames.append(Frame((pixels, host, device)[i // 2 % 3], Fraction(i), 0.0, i))
    torch.cuda.synchronize()  # surfaces come complete
    with Stylizer(device="cuda", precision="float32") as stylizer:
        painted = list(stylizer.stream(frames))
        again = list(stylizer.stream(frames))
    for before, found, same in zip(frames, painted, again, strict=True):
        assert type(found.image) is type(before.image)
        if isinstance(found.image, Nv12Surface) and isinstance(before.image, Nv12Surface):
            assert found.image.on_gpu == before.image.on_gpu
        assert (found.pixels == same.pixels).all()


def test_results_may_be_written_to_and_hold_their_memory(cuda: torch.device) -> None:
    frames = [Frame(random_pixels(64, 48, i), Fraction(i), 0.0, i) for i in range(12)]
    with Stylizer(device="cuda") as stylizer:
        painted = list(stylizer.stream(frames))
        copies = [frame.pixels.copy() for frame in painted]
        for frame, copy in zip(stylizer.stream(frames), copies, strict=True):
            assert (frame.pixels == copy).all()
            frame.pixels[:] = 0
    assert all((frame.pixels == copy).all() for frame, copy in zip(painted, copies, strict=True))


@pytest.mark.parametrize("steadiness", [0.0, 0.8])
def test_nothing_waits_while_planes_of_the_host_are_queued(cuda: torch.device, steadiness: float) -> None:
    images = [host_surface(random_pixels(640, 360, i)) for i in range(6)]
    frames = [Frame(image, Fraction(i, 30), 0.0, i) for i, image in enumerate(images)]
    with Stylizer(device="cuda", steadiness=steadiness) as stylizer:
        list(stylizer.stream(frames))  # graphs are recorded
        with waiting_is_an_error():
            assert len(list(stylizer.stream(frames))) == len(frames)


def test_previews_are_the_same_wherever_planes_lie(cuda: torch.device) -> None:
    host = host_surface(random_pixels(1920, 1080))
    device = Nv12Surface(host.luma.to(cuda), host.chroma.to(cuda))
    assert np.abs(host.preview.astype(int) - device.preview).mean() < 1
    assert np.abs(host.download().astype(int) - device.download()).max() <= 2


class OfPixels:
    """A stylizer that does not say that it could take surfaces.

    Args:
        stylizer: who really paints.
    """

    def __init__(self, stylizer: Stylizer) -> None:
        self.stream, self.warm_up, self.fingerprint = stylizer.stream, stylizer.warm_up, stylizer.fingerprint


@pytest.mark.parametrize("decoder", ["software", "hardware"])
@pytest.mark.parametrize("steadiness", [0.0, 0.8])
def test_a_video_that_travels_as_planes(
    cuda: torch.device, tmp_path: Path, steadiness: float, decoder: CodecKind
) -> None:
    """Encoded by the processor, it is the video that it is as pixels."""
    if decoder == "hardware" and open_on_gpu(f"file:{SAMPLE}", surfaces=True) is None:
        pytest.skip("no chip decodes here")
    ours, theirs = tmp_path / "planes.mp4", tmp_path / "pixels.mp4"
    settings = ConvertSettings(decoder=decoder, encoder="software", end="1", crf=1)
    with VideoReader(SAMPLE, settings, surfaces=True) as reader:
        assert reader.frame_kind is (FrameKind.ON_CHIP if decoder == "hardware" else FrameKind.PLANES)
    with Stylizer(device="cuda", precision="float32", steadiness=steadiness) as stylizer:
        frames = convert(SAMPLE, ours, stylizer, settings).frames
        stylizer.reset()
        settings = settings.model_copy(update={"decoder": "software"})
        assert convert(SAMPLE, theirs, OfPixels(stylizer), settings).frames == frames > 5
    with VideoReader(ours) as planes, VideoReader(theirs) as pixels:
        for a, b in zip(planes, pixels, strict=True):
            assert a.pts == b.pts
            assert np.abs(a.pixels.astype(int) - b.pixels).mean() < 3
