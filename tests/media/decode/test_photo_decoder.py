"""Videos whose frames are photos: motion JPEG, numbered frames, network cameras."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import CFR, Video
from inverters import Inverter
from PIL import Image, ImageOps
from servers import Server

from stylize_live.conversion.convert import convert
from stylize_live.conversion.queue import plan_jobs
from stylize_live.errors import SourceError, UsageError
from stylize_live.frame import Frame, Pixels
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.libraries import av
from stylize_live.media.sources.network import StreamSource, open_network_stream
from stylize_live.media.sources.realtime_file import open_file

RATE = Fraction(25)
BOUNDARY = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
WHOLE = 100  # per cent of a file


def corners(size: tuple[int, int] = (64, 48)) -> Pixels:
    """Four fields of different colours: no turned or mirrored one equals another."""
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (230, 30, 30)
    pixels[: height // 2, width // 2 :] = (30, 200, 30)
    pixels[height // 2 :, : width // 2] = (30, 30, 220)
    pixels[height // 2 :, width // 2 :] = (240, 240, 240)
    return pixels


def photo(
    orientation: int = 1, pixels: Pixels | None = None, kind: str = "JPEG", share: int = WHOLE
) -> bytes:
    """An image as a file with an EXIF orientation; perhaps only so many per cent of it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = io.BytesIO()
    image = Image.fromarray(corners() if pixels is None else pixels)
    image.save(content, kind, quality=95, exif=exif)
    data = content.getvalue()
    return data[: len(data) * share // WHOLE]


def upright(orientation: int) -> Pixels:
    """`corners` as Pillow turns such a photo."""
    with Image.open(io.BytesIO(photo(orientation, kind="PNG"))) as image:
        return np.array(ImageOps.exif_transpose(image))


def grain() -> Pixels:
    """An image with much in it, so that half a file lacks half of it."""
    grey = np.random.default_rng(0).integers(0, 256, (48, 64, 1), dtype=np.uint8)
    return np.repeat(grey, 3, axis=2)


def jpeg_video(path: Path, photos: Iterable[bytes]) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for index, data in enumerate(photos):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, 1 / RATE
            packet.pts = packet.dts = index
            output.mux(packet)
    return path


def numbered_photos(folder: Path, photos: Iterable[bytes], suffix: str = "jpg") -> Path:
    for index, data in enumerate(photos, 1):
        (folder / f"{index:02d}.{suffix}").write_bytes(data)
    return folder / f"%02d.{suffix}"


@contextmanager
def network_camera(photos: Iterable[bytes]) -> Iterator[str]:
    """One that sends motion JPEG as HTTP cameras do; gives its address."""
    parts = (BOUNDARY % len(data) + data + b"\r\n" for data in photos)
    head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
    server = Server(head + b"".join(parts))
    try:
        yield f"http://127.0.0.1:{server.port}/"
    finally:
        server.close()


def same(pixels: Pixels, expected: Pixels, limit: float = 12) -> bool:
    return pixels.shape == expected.shape and bool(np.abs(pixels.astype(int) - expected).mean() < limit)


def all_of(path: Path) -> tuple[list[Frame], VideoReader]:
    with VideoReader(path) as reader:
        return list(reader), reader


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_motion_jpeg(tmp_path: Path, orientation: int) -> None:
    frames, reader = all_of(jpeg_video(tmp_path / "in.avi", [photo(orientation)] * 3))
    expected = upright(orientation)
    assert len(frames) == 3
    assert reader.size == (expected.shape[1], expected.shape[0])
    assert all(same(frame.pixels, expected) for frame in frames)


def test_exif_turns_what_is_converted_and_shown(tmp_path: Path) -> None:
    video = jpeg_video(tmp_path / "in.avi", [photo(6)] * 3)
    report = convert(video, tmp_path / "out.mp4", Inverter())
    assert (report.frames, report.complete) == (3, True)
    frames, _ = all_of(tmp_path / "out.mp4")
    assert same(255 - frames[0].pixels, upright(6))
    with open_file(video) as source:
        assert same(next(iter(source)).pixels, upright(6))


def test_a_network_camera_is_upright() -> None:
    with network_camera([photo(6)] * 4) as url, open_network_stream(url) as source:
        assert isinstance(source, StreamSource)
        assert source.size == (48, 64)
        assert same(next(iter(source)).pixels, upright(6))


def test_a_turned_video_on_a_server_is_upright(tmp_path: Path) -> None:
    video = Video(rotation=90).write(tmp_path / "in.mp4", [corners()] * len(CFR))
    with StreamSource(video.as_uri()) as source:
        assert source.size == (48, 64)
        assert same(next(iter(source)).pixels, np.rot90(corners()))


@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")])
def test_each_image_of_a_sequence_is_turned_as_it_says(tmp_path: Path, kind: str, suffix: str) -> None:
    turns = (1, 3, 4, 2, 1)
    frames, reader = all_of(numbered_photos(tmp_path, [photo(turn, kind=kind) for turn in turns], suffix))
    assert all(same(frame.pixels, upright(turn)) for frame, turn in zip(frames, turns, strict=True))
    assert reader.notes == []


def test_an_image_on_its_side_is_fitted_into_the_first(tmp_path: Path) -> None:
    frames, reader = all_of(numbered_photos(tmp_path, [photo(1), photo(6)]))
    assert frames[1].size == reader.size == (64, 48)
    middle = frames[1].pixels[:, 14:50]  # 48x64 fitted into 64x48 is 36 wide
    assert same(middle[::12, ::9], upright(6)[::16, ::12], 20)
    assert not frames[1].pixels[:, :13].any()
    assert any("fitted into the first one's 64x48" in note for note in reader.notes)


def test_damaged_photos_are_noticed(tmp_path: Path) -> None:
    whole, short = photo(pixels=grain()), photo(pixels=grain(), share=50)
    photos = [whole, short, whole, whole, short, whole]
    pattern = numbered_photos(tmp_path, photos)
    for source in (pattern, jpeg_video(tmp_path / "in.avi", photos)):
        frames, reader = all_of(source)
        assert [frame.pts * RATE for frame in frames] == [0, 2, 3, 5]
        assert reader.damaged == 2
    report = convert(pattern, tmp_path / "out.mp4", Inverter())
    assert (report.frames, report.damaged, report.complete) == (4, 2, False)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tif"])
def test_cut_off_images_of_every_kind(tmp_path: Path, suffix: str) -> None:
    kind = {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper())
    photos = [photo(pixels=grain(), kind=kind, share=share) for share in (100, 100, 60, 100)]
    frames, reader = all_of(numbered_photos(tmp_path, photos, suffix))
    assert (len(frames), reader.damaged) == (3, 1)


def test_a_png_with_wrong_sums_is_damaged(tmp_path: Path) -> None:
    data = bytearray(photo(pixels=grain(), kind="PNG"))
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)  # a disk that was full
    _, reader = all_of(numbered_photos(tmp_path, [photo(kind="PNG"), bytes(data), photo(kind="PNG")], "png"))
    assert reader.damaged == 1


@pytest.mark.parametrize("suffix", ["mjpeg", "MJPG"])
def test_jpegs_in_a_row_are_a_video(tmp_path: Path, suffix: str) -> None:
    whole, short = photo(6, pixels=grain()), photo(6, pixels=grain(), share=60)
    video = tmp_path / f"in.{suffix}"
    video.write_bytes(whole * 2 + short + whole)
    frames, reader = all_of(video)
    assert (len(frames), reader.damaged, reader.size) == (3, 1, (48, 64))
    video.rename(tmp_path / "in.jpg")
    with pytest.raises(SourceError, match="not a video but an image"):
        VideoReader(tmp_path / "in.jpg")


def test_damage_at_the_start_is_counted(tmp_path: Path) -> None:
    photos = [photo(pixels=grain(), share=50)] * 3 + [photo()] * 2
    frames, reader = all_of(jpeg_video(tmp_path / "in.avi", photos))
    assert (len(frames), reader.damaged) == (2, 3)
    with pytest.raises(SourceError, match="no frame could be decoded"):
        VideoReader(jpeg_video(tmp_path / "all.avi", photos[:3]))


def test_a_camera_that_never_sends_a_whole_frame_is_shown(tmp_path: Path) -> None:
    photos = [photo(pixels=grain(), share=90)] * 10
    frames, reader = all_of(jpeg_video(tmp_path / "in.avi", photos))
    assert (len(frames), reader.damaged) == (10, 0)
    assert [frame.pts * RATE for frame in frames] == list(range(10))
    assert same(frames[9].pixels[:36], grain()[:36])


def test_damaged_frames_of_a_network_camera_are_left_out() -> None:
    whole, short = photo(), photo(pixels=grain(), share=50)
    photos = [whole, short, short, whole, short, whole, whole]
    with network_camera(photos) as url, StreamSource(url) as source:
        frames = list(itertools.islice(source, 3))
    assert all(same(frame.pixels, corners()) for frame in frames)


def seen_through(kind: str, hole: bool = True) -> Image.Image:
    """An image with a transparent half, in one of the ways that PNG has; or an opaque one."""
    image = Image.fromarray(corners())
    if hole:
        alpha = np.full((48, 64), 255, np.uint8)
        alpha[:, :32] = 0
        image.putalpha(Image.fromarray(alpha))
    if kind == "palette":
        return image.quantize(16)
    return image.convert("LA") if kind == "grey" and hole else image


def numbered_images(folder: Path, images: Iterable[Image.Image]) -> Path:
    for index, image in enumerate(images, 1):
        image.save(folder / f"{index:02d}.png")
    return folder / "%02d.png"


@pytest.mark.parametrize("kind", ["palette", "colours", "grey"])
def test_transparency_of_every_image_is_kept(tmp_path: Path, kind: str) -> None:
    images = [seen_through(kind, hole) for hole in (False, True, False, True)]
    report = convert(numbered_images(tmp_path, images), tmp_path / "out.webm", Inverter())
    assert not any("transparency" in note for note in report.notes)
    frames, reader = all_of(tmp_path / "out.webm")
    assert reader.has_alpha
    for frame, hole in zip(frames, (False, True, False, True), strict=True):
        assert frame.alpha is not None
        assert frame.alpha[24, 60] > 250
        assert (frame.alpha[24, 4] < 5) == hole


def test_transparency_of_a_palette_is_said_where_it_is_lost(tmp_path: Path) -> None:
    pattern = numbered_images(tmp_path, [seen_through("palette", hole=True)] * 2)
    report = convert(pattern, tmp_path / "out.mp4", Inverter())
    assert any("transparency was dropped" in note for note in report.notes)
    opaque = numbered_images(tmp_path, [seen_through("palette", hole=False)] * 2)
    assert not all_of(opaque)[1].has_alpha


def test_transparency_that_begins_in_mid_video_is_said(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.mov"), "w") as output:
        stream = output.add_stream("png", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        for index, hole in enumerate((False, True)):
            content = io.BytesIO()
            seen_through("colours", hole).save(content, "PNG")
            packet = av.Packet(content.getvalue())
            packet.stream, packet.time_base, packet.pts, packet.dts = stream, 1 / RATE, index, index
            output.mux(packet)
    frames, reader = all_of(tmp_path / "in.mov")
    assert [frame.alpha for frame in frames] == [None, None]
    assert "transparency that begins in mid-video was dropped" in reader.notes


def test_what_is_no_image_is_a_gap(tmp_path: Path) -> None:
    pattern = numbered_photos(tmp_path, [photo()] * 6)
    third = tmp_path / "03.jpg"
    third.write_bytes(b"")
    with pytest.raises(SourceError, match=r"03\.jpg: the file is empty"):
        convert(pattern, tmp_path / "out.mp4", Inverter())
    third.unlink()
    third.mkdir()
    with pytest.raises(SourceError, match=r"03\.jpg: is not a file"):
        VideoReader(pattern)
    third.rmdir()
    third.write_text("no frame")
    report = convert(pattern, tmp_path / "out.mp4", Inverter())
    assert (report.frames, report.damaged, report.complete) == (5, 1, False)
    assert all(path.suffix in (".jpg", ".mp4") for path in tmp_path.iterdir())


@pytest.mark.parametrize("folder", ["50%", "a%03d", "%d%d", "100%% [x]", "{%}*?"])
def test_per_cent_signs_around_a_sequence(tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder
    place.mkdir()
    for number in (1, 2, 3):
        (place / f"[5%] {number:03d} 10%.png").write_bytes(photo(kind="PNG"))
    frames, _ = all_of(place / "[5%] %03d 10%.png")
    assert len(frames) == 3
    report = convert(place / "[5%] %03d 10%.png", place / "out%02d-%03d.jpg", Inverter())
    assert report.frames == 3
    assert (place / "out03-%03d.jpg").is_file()


@pytest.mark.parametrize("name", ["50%done.mp4", "a%03d.mkv", "%d.webm", "100%.mov"])
def test_videos_with_per_cent_signs(tmp_path: Path, name: str) -> None:
    source = jpeg_video(tmp_path / "50%d.avi", [photo()] * 3)
    jobs = plan_jobs([source], str(tmp_path / name), style="x")
    assert [job.target for job in jobs] == [tmp_path / name]
    convert(source, tmp_path / name, Inverter())
    assert len(all_of(tmp_path / name)[0]) == 3
    with pytest.raises(UsageError, match="already exists"):
        convert(source, tmp_path / name, Inverter())
