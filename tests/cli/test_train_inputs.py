"""What people point the trainer at: paintings and photos of every size, shape and kind, whole and broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import random_pixels

from stylize_live.cli.app import main
from stylize_live.errors import SourceError, TrainingError
from stylize_live.media.image.io import Still, on_paper, write_image
from stylize_live.training.dataset import PhotoBatches, find_photos, random_crop, sift
from stylize_live.training.painting import load_painting
from stylize_live.training.settings import TrainSettings

SMALL = TrainSettings(painting_size=64, painting_blur=0)
RED = (200, 30, 20)


def image(width: int, height: int) -> Image.Image:
    """Red on the left, blue on the right."""
    pixels = np.full((height, width, 3), RED, np.uint8)
    pixels[:, width // 2 :] = (20, 30, 200)
    return Image.fromarray(pixels)


def save_grey(path: Path) -> None:
    image(90, 60).convert("L").save(path)


def save_grey_with_alpha(path: Path) -> None:
    image(90, 60).convert("LA").save(path)


def save_one_bit(path: Path) -> None:
    image(90, 60).convert("1").save(path)


def save_palette(path: Path) -> None:
    image(90, 60).convert("P").save(path)


def save_palette_with_transparent_colour(path: Path) -> None:
    image(90, 60).convert("P").save(path, transparency=1)


def save_alpha(path: Path) -> None:
    image(90, 60).convert("RGBA").save(path)


def save_sixteen_bit_grey(path: Path) -> None:
    Image.fromarray(np.asarray(image(90, 60).convert("L")).astype(np.uint16) * 257).save(path)


def save_integers(path: Path) -> None:
    image(90, 60).convert("I").save(path)


def save_cmyk(path: Path) -> None:
    image(90, 60).convert("CMYK").save(path, quality=95)


def save_turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right to see it upright
    image(90, 60).transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=95)


KINDS: list[tuple[str, Callable[[Path], None], bool]] = [
    ("grey.png", save_grey, False),
    ("grey-alpha.png", save_grey_with_alpha, False),
    ("one-bit.png", save_one_bit, False),
    ("palette.png", save_palette, True),
    ("transparent-colour.png", save_palette_with_transparent_colour, False),
    ("alpha.png", save_alpha, True),
    ("alpha.webp", save_alpha, True),
    ("grey16.png", save_sixteen_bit_grey, False),
    ("grey16.tif", save_sixteen_bit_grey, False),
    ("integers.tif", save_integers, False),
    ("cmyk.jpg", save_cmyk, True),
    ("turned.jpg", save_turned, True),
]


@pytest.mark.parametrize(("name", "save", "is_coloured"), KINDS, ids=[name for name, _, _ in KINDS])
def test_kinds_of_paintings(
    name: str, save: Callable[[Path], None], is_coloured: bool, tmp_path: Path
) -> None:
    save(tmp_path / name)
    painting = load_painting(tmp_path / name, SMALL)
    assert painting.shape == (1, 3, 64, 96)
    left = painting[0, :, 8:-8, 8:40].mean((1, 2))
    if is_coloured:
        torch.testing.assert_close(left, torch.tensor(RED) / 255, atol=0.09, rtol=0)
    assert 0.1 < float(left.mean()) < 1


def test_sixteen_bit_colours(tmp_path: Path) -> None:
    from stylize_live.media.libraries import cv2

    pixels = np.asarray(image(90, 60)).astype(np.uint16) * 257
    for name in ("deep.png", "deep.tiff"):
        cv2.imwrite(str(tmp_path / name), pixels[..., ::-1])
        left = load_painting(tmp_path / name, SMALL)[0, :, :, :40].mean((1, 2))
        torch.testing.assert_close(left, torch.tensor(RED) / 255, atol=0.01, rtol=0)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((1, 1), (64, 64)),
        ((40, 30), (64, 85)),
        ((1200, 60), (64, 1280)),
        ((60, 1200), (1280, 64)),
        ((3, 9000), (1280, 64)),  # longer than 1:20 the middle is taken, or it would need gigabytes
    ],
)
def test_sizes_of_paintings(size: tuple[int, int], wanted: tuple[int, int], tmp_path: Path) -> None:
    image(*size).save(tmp_path / "painting.png")
    assert load_painting(tmp_path / "painting.png", SMALL).shape[2:] == wanted


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_painting_of_ten_thousand_pixels(tmp_path: Path) -> None:
    Image.new("RGB", (10_000, 9_000), RED).save(tmp_path / "huge.jpg", quality=50)
    painting = load_painting(tmp_path / "huge.jpg", SMALL)
    assert painting.shape == (1, 3, 64, 71)
    torch.testing.assert_close(painting.mean((0, 2, 3)), torch.tensor(RED) / 255, atol=0.02, rtol=0)


def test_large_strokes_of_a_strip_fit_into_memory(tmp_path: Path) -> None:
    image(6000, 1024).save(tmp_path / "strip.png")
    settings = TrainSettings(painting_size=1024, painting_blur=0)
    height, width = load_painting(tmp_path / "strip.png", settings).shape[2:]
    assert height == 1024
    assert height * width < 4.1e6


@pytest.mark.parametrize(("side", "wanted"), [(100, 256), (400, 400), (900, 720)])
def test_paintings_are_not_enlarged_without_need(side: int, wanted: int, tmp_path: Path) -> None:
    image(side + 40, side).save(tmp_path / "painting.png")
    assert min(load_painting(tmp_path / "painting.png", TrainSettings()).shape[2:]) == wanted


def test_small_painting_is_remarked_upon(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    image(40, 30).save(tmp_path / "thumb.png")
    load_painting(tmp_path / "thumb.png", TrainSettings())
    assert "thumb.png: only 30 pixels" in caplog.text
    caplog.clear()
    image(400, 300).save(tmp_path / "fine.png")
    load_painting(tmp_path / "fine.png", TrainSettings())
    assert not caplog.text


def test_transparent_margin_is_no_part_of_the_painting(tmp_path: Path) -> None:
    pixels = np.zeros((120, 200, 4), np.uint8)
    pixels[20:80, 50:140] = (*RED, 255)
    Image.fromarray(pixels).save(tmp_path / "cut-out.png")
    painting = load_painting(tmp_path / "cut-out.png", SMALL)
    assert painting.shape == (1, 3, 64, 96)
    torch.testing.assert_close(painting.amin((0, 2, 3)), torch.tensor(RED) / 255)


def test_transparent_places_are_paper() -> None:
    still = Still(np.zeros((1, 3, 3), np.uint8), np.array([[255, 128, 0]], np.uint8))
    assert on_paper(still)[0, :, 0].tolist() == [0, 127, 255]
    assert on_paper(Still(still.pixels)) is still.pixels


def test_painting_with_nothing_on_it(tmp_path: Path) -> None:
    Image.new("RGBA", (50, 40)).save(tmp_path / "nothing.png")
    with pytest.raises(TrainingError, match=r"nothing\.png: the image is wholly transparent"):
        load_painting(tmp_path / "nothing.png", SMALL)


def test_broken_painting(tmp_path: Path) -> None:
    image(90, 60).save(tmp_path / "half.jpg")
    data = (tmp_path / "half.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError, match=r"half\.jpg"):
        load_painting(tmp_path / "half.jpg", SMALL)


@pytest.mark.parametrize("size", [(1, 1), (40, 30), (64, 64), (640, 32), (32, 640), (2, 5000)])
@pytest.mark.parametrize("crop", [64, 200])
def test_crops_of_photos_of_any_size(size: tuple[int, int], crop: int) -> None:
    pixels = np.asarray(image(*size))
    for seed in range(4):
        assert random_crop(pixels, crop, np.random.default_rng(seed)).shape == (crop, crop, 3)


def test_crops_come_from_all_of_a_strip() -> None:
    strip = np.repeat(np.arange(250, dtype=np.uint8)[None, :, None], 3, 2).repeat(10, 0).repeat(4, 1)
    means = [random_crop(strip, 64, np.random.default_rng(seed)).mean() for seed in range(40)]
    assert min(means) < 40
    assert max(means) > 210


def test_photos_of_every_kind_make_batches(tmp_path: Path) -> None:
    for name, save, _ in KINDS:
        save(tmp_path / name)
    with PhotoBatches(find_photos(tmp_path), batch=4, crop=64, seed=0) as batches:
        for step in range(8):
            assert batches(step).photos.shape == (4, 3, 64, 64)
        assert not batches.unreadable


def test_more_threads_give_the_same_batches(tmp_path: Path) -> None:
    for i in range(5):
        write_image(tmp_path / f"{i}.png", Still(random_pixels(90 + 7 * i, 80, i)))
    (tmp_path / "2-broken.jpg").write_bytes(b"?")
    photos = find_photos(tmp_path)
    with (
        PhotoBatches(photos, batch=2, crop=64, seed=3) as one,
        PhotoBatches(photos, batch=2, crop=64, seed=3, threads=4) as four,
    ):
        for step in (*range(12), 3, 40):
            assert torch.equal(one(step).photos, four(step).photos)
        assert one.unreadable == four.unreadable == {tmp_path / "2-broken.jpg"}


def test_one_photo_is_enough(tmp_path: Path) -> None:
    image(90, 60).save(tmp_path / "only.png")
    with PhotoBatches(find_photos(tmp_path), batch=3, crop=64, seed=0) as batches:
        assert batches(0).photos.shape == (3, 3, 64, 64)


def test_hidden_files_and_folders_are_no_photos(tmp_path: Path) -> None:
    folder = tmp_path / ".hidden" / "photos"  # hidden above does not count
    (folder / ".thumbnails").mkdir(parents=True)
    (folder / "album.jpg").mkdir()
    for name in ("a.JPG", "._a.jpg", ".thumbnails/b.png", "album.jpg/c.webp", "notes.txt"):
        (folder / name).write_bytes(b"?")
    assert [p.relative_to(folder).as_posix() for p in find_photos(folder)] == ["a.JPG", "album.jpg/c.webp"]


def test_photos_to_show_are_tried(tmp_path: Path) -> None:
    image(90, 60).save(tmp_path / "fine.png")
    image(2000, 10).save(tmp_path / "strip.png")
    (tmp_path / "broken.png").write_bytes(b"?")
    shown, unreadable = sift(find_photos(tmp_path))
    assert shown == [tmp_path / "fine.png"]
    assert unreadable == {tmp_path / "broken.png"}


@pytest.mark.parametrize(
    ("strips", "broken", "why"),
    [
        (1, 0, "the only photo in it is too long and narrow, longer than 1:8"),
        (12, 0, "all 12 photos in it are too long and narrow, longer than 1:8"),
        (
            11,
            1,
            "none of the 12 photos in it will do: 1 cannot be read, "
            "the others are too long and narrow, longer than 1:8",
        ),
        (0, 1, "the only photo in it cannot be read"),
    ],
)
def test_folder_of_strips_is_no_unreadable_one(
    strips: int, broken: int, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(strips):
        image(2000, 2).save(photos / f"{i}.png")
    for i in range(broken):
        (photos / f"broken{i}.png").write_bytes(b"no image")
    image(90, 60).save(tmp_path / "painting.png")
    code = main(["train", str(tmp_path / "painting.png"), "--photos", str(photos), "--device", "cpu"])
    assert code == TrainingError.exit_code
    assert capsys.readouterr().err.strip().splitlines()[-1] == f"error: {photos}: {why}"


def test_folder_without_a_readable_photo_is_one_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(30):
        (photos / f"{i}.jpg").write_bytes(b"no image")
    image(90, 60).save(tmp_path / "painting.png")
    code = main(["train", str(tmp_path / "painting.png"), "--photos", str(photos), "--device", "cpu"])
    error = capsys.readouterr().err.strip().splitlines()
    assert code == TrainingError.exit_code
    assert error == [f"error: {photos}: none of the 30 photos in it can be read"]
