"""Any painting, at once: a style like any other, and clear words where there is no painting."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import random_pixels

from stylize_live import Stylizer
from stylize_live.engine.first_look import first_look as module
from stylize_live.engine.first_look.first_look import FirstLook, look_at
from stylize_live.engine.style_loading import load_style, read_style_info, takes_long
from stylize_live.errors import StyleError
from stylize_live.media.image.io import SUFFIXES
from stylize_live.naming import PAINTING_SUFFIXES
from stylize_live.nets.checkpoint import load_checkpoint, save_checkpoint
from stylize_live.training.first_look import CLEAN_STYLES

SIZE = (96, 80)


def paint(seed: int) -> Image.Image:
    return Image.fromarray(random_pixels(*SIZE, seed))


@pytest.fixture(scope="module")
def painting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("paintings") / "Mein Garten (1912).png"
    paint(1).save(path)
    return path


@pytest.fixture(scope="module")
def looked(painting: Path) -> FirstLook:
    return look_at(painting)


def test_it_is_a_style_like_any_other(painting: Path, looked: FirstLook) -> None:
    style, shipped = looked.checkpoint, load_style("starry-night")
    assert load_style(str(painting)) is style
    assert (style.info.name, style.info.title) == ("Mein Garten (1912)", "Mein Garten (1912).png")
    assert style.architecture == shipped.architecture
    assert style.faithful is not None
    assert style.at(0).digest() != style.at(1).digest()
    assert style.training["first_look"]["nearest"] in CLEAN_STYLES
    assert read_style_info(painting) == (style.info, style.training)


def test_it_lies_between_the_nearest_style_and_the_joint_network(painting: Path, looked: FirstLook) -> None:
    description = module.describe(module.read_painting(painting))
    nearest = module.load_nearest_style()(description)
    style, joint = load_style(nearest.style), module.load_joint_network()(description)
    found = looked.checkpoint
    assert nearest.style == found.training["first_look"]["nearest"]
    for end, own in ((style.weights, found.weights), (style.faithful, found.faithful)):
        assert end is not None
        assert own is not None
        stem = 0.6 * end["stem.0.weight"] + 0.4 * joint["stem.0.weight"]
        np.testing.assert_allclose(own["stem.0.weight"], stem, atol=2e-3)
        bias = 0.6 * (nearest.matrix @ end["to_full.bias"] + nearest.shift) + 0.4 * joint["to_full.bias"]
        np.testing.assert_allclose(own["to_full.bias"], bias, atol=2e-3)


def test_its_file_gives_the_same_weights(looked: FirstLook, tmp_path: Path) -> None:
    (tmp_path / "sent.safetensors").write_bytes(looked.content)
    sent = load_checkpoint(tmp_path / "sent.safetensors")
    for boldness in (0.0, 0.7, 1.0):
        assert sent.at(boldness).digest() == looked.checkpoint.at(boldness).digest()
    assert sent.info == looked.checkpoint.info
    assert sent.training == looked.checkpoint.training
    save_checkpoint(tmp_path / "kept.safetensors", looked.checkpoint)
    assert load_checkpoint(tmp_path / "kept.safetensors").at(1).digest() == sent.at(1).digest()


def test_blends_and_timelines_take_it(painting: Path, tmp_path: Path) -> None:
    other = tmp_path / "other, too.jpg"
    paint(2).save(other)
    one, two = load_style(str(painting)), load_style(str(other))
    both = load_style(f"{painting}:0.5,starry-night:0.5")
    for name, array in both.weights.items():
        np.testing.assert_allclose(
            array, (one.weights[name] + load_style("starry-night").weights[name]) / 2, atol=1e-5
        )
    other = other.rename(tmp_path / "other.jpg")
    assert load_style(f"{painting}:1,{other}:3").at(0.5).digest() != two.at(0.5).digest()
    with Stylizer(f"0:{painting},5:{other}@0.2") as stylizer:
        assert stylizer.has_boldness


def test_it_paints(painting: Path) -> None:
    pixels = random_pixels(64, 48)
    with Stylizer(painting, device="cpu", precision="float32") as stylizer:
        bold = stylizer(pixels)
        stylizer.boldness = 0
        assert np.abs(stylizer(pixels).astype(int) - bold).mean() > 0.5
    assert bold.shape == pixels.shape


def test_the_same_painting_is_looked_at_once(
    painting: Path, looked: FirstLook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("looked at again")

    monkeypatch.setattr(module, "describe", refuse)
    assert look_at(painting) is looked
    elsewhere = tmp_path / painting.name
    elsewhere.write_bytes(painting.read_bytes())
    assert look_at(elsewhere) is looked
    assert not takes_long(f"{elsewhere}:0.5,great-wave:0.5")
    paint(3).save(elsewhere)
    assert takes_long(f"{elsewhere}:0.5,great-wave:0.5")
    assert not any(map(takes_long, ("great-wave", "no such style", str(tmp_path / "missing.jpg"))))
    with pytest.raises(AssertionError, match="looked at again"):
        look_at(elsewhere)


def save_rotated(path: Path, image: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to the right
    image.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=95)


def save_in_sixteen_bits(path: Path, image: Image.Image) -> None:
    grey = np.asarray(image.convert("L"), np.uint16)
    Image.fromarray(grey * 257).save(path)


def save_with_margin(path: Path, image: Image.Image) -> None:
    canvas = Image.new("RGBA", (200, 180))
    canvas.paste(image, (60, 50))
    canvas.save(path)


def save_animated(path: Path, image: Image.Image) -> None:
    image.save(path, save_all=True, append_images=[paint(7), paint(8)], lossless=True)


KINDS: dict[str, tuple[str, Callable[[Path, Image.Image], None]]] = {
    "upright": ("a.png", lambda path, image: image.save(path)),
    "turned by its camera": ("a.JPG", save_rotated),
    "CMYK": ("a.jpg", lambda path, image: image.convert("CMYK").save(path, quality=95)),
    "grey in sixteen bits": ("a.tiff", save_in_sixteen_bits),
    "palette": ("a.gif", lambda path, image: image.quantize(64).save(path)),
    "transparent margin": ("a.png", save_with_margin),
    "animated": ("a.webp", save_animated),
    "another format than its name": ("a.png", lambda path, image: image.save(path, "JPEG", quality=95)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_images_of_all_kinds_are_taken_as_they_look(kind: str, tmp_path: Path) -> None:
    name, save = KINDS[kind]
    save(tmp_path / name, paint(1))
    found = module.read_painting(tmp_path / name)
    wanted = np.asarray(paint(1).convert("L" if "grey" in kind else "RGB").convert("RGB"))
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).mean() < 8


def test_suffixes_are_those_of_images_that_are_read() -> None:
    assert set(PAINTING_SUFFIXES) >= SUFFIXES


def test_a_huge_painting_is_reduced_while_it_is_read(tmp_path: Path) -> None:
    paint(1).resize((6000, 5000)).save(tmp_path / "a.jpg", quality=30)
    assert min(module.read_painting(tmp_path / "a.jpg").shape[:2]) < 3000


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no image", "not an image that can be read"),
        (b"", "not an image that can be read"),
        ((20, 200), "20x200 pixels are too few"),
        ("flat", "a single color"),
        ("transparent", "wholly transparent"),
        ("cut off", "cut off"),
        ("folder", "is no file, expected a painting"),
        ("missing", "no such file, expected a painting"),
    ],
)
def test_what_is_no_painting_is_refused(content: object, says: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, tuple):
        paint(1).resize(content).save(path)
    elif content == "flat":
        Image.new("RGB", (100, 100), (120, 60, 30)).save(path)
    elif content == "transparent":
        Image.new("RGBA", (100, 100)).save(path)
    elif content == "cut off":
        paint(1).resize((400, 400)).save(path)
        path.write_bytes(path.read_bytes()[:3000])
    elif content == "folder":
        path.mkdir()
    with pytest.raises(StyleError, match=says) as caught:
        load_style(str(path))
    assert str(path) in str(caught.value)


def test_a_name_that_cannot_be_shown_is_spelt_out(tmp_path: Path) -> None:
    path = tmp_path / "a\u202eb.png"
    try:
        paint(1).save(path)
    except OSError:
        pytest.skip("this system has no such names")
    assert not look_at(path).checkpoint.info.unfit


@pytest.mark.linux
def test_openvino_takes_a_first_look_without_torch(painting: Path) -> None:
    pytest.importorskip("openvino")
    code = (
        "import sys; from stylize_live import Stylizer; import numpy as np\n"
        f"with Stylizer({str(painting)!r}, device='cpu', runtime='openvino') as paint:\n"
        "    paint(np.zeros((16, 16, 3), np.uint8))\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
