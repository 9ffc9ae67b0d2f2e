"""Stills of any origin: what is read, how large it may be, and large ones in strips."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import make_checkpoint

from stylize_live import strips
from stylize_live.cli.app import main
from stylize_live.engine import Stylizer
from stylize_live.engine.core.render_options import MOST_PAINTED, RenderOptions
from stylize_live.engine.cpu import compositing
from stylize_live.engine.cpu.compositing import composite, enlarge_rows, shrink_by_strips, shrink_to
from stylize_live.errors import SourceError, UsageError
from stylize_live.frame import Pixels
from stylize_live.media.image import formats
from stylize_live.media.image import strip_image as canvases
from stylize_live.media.image.io import is_transparent, read_image, read_strip_image, write_strip_image
from stylize_live.media.image.strip_image import StripImage
from stylize_live.media.libraries import cv2
from stylize_live.nets.checkpoint import save_checkpoint


def scene(width: int, height: int) -> Pixels:
    """Something with edges, colours and grain, (height, width, 3)."""
    rng = np.random.default_rng(7)
    small = rng.integers(0, 256, (max(2, height // 40), max(2, width // 40), 3), np.uint8)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    return np.clip(large + rng.integers(-20, 21, large.shape), 0, 255).astype(np.uint8)


def saved(pixels: Pixels, kind: str, **how: object) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind, **how)
    return content.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(size: tuple[int, int], data: bytes, bits: int = 8, color: int = 2, interlaced: int = 0) -> bytes:
    """A PNG that says what it likes of its size."""
    header = struct.pack(">IIBBBBB", *size, bits, color, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


def bombed(jpeg: bytes, size: tuple[int, int]) -> bytes:
    """A JPEG that says that it is larger than it is."""
    at = next(i for i in range(len(jpeg)) if jpeg[i] == 0xFF and jpeg[i + 1] in (0xC0, 0xC2))
    return jpeg[: at + 5] + struct.pack(">HH", size[1], size[0]) + jpeg[at + 9 :]


Size = tuple[int, int]
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(ran) print\n"


class TestFormats:
    @pytest.mark.parametrize("name", ["x.eps", "x.jpg", "x.png", "x"])
    def test_nothing_runs_postscript(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
        (tmp_path / name).write_bytes(EPS)
        for read in (read_image, read_strip_image):
            with pytest.raises(SourceError, match="PostScript is not read"):
                read(tmp_path / name)
        assert not is_transparent(tmp_path / name)

    @pytest.mark.parametrize("kind", ["PPM", "ICO", "PCX", "TGA", "SGI", "PDF", "JPEG2000", "DDS"])
    def test_other_decoders_are_closed(self, kind: str, tmp_path: Path) -> None:
        path = tmp_path / "x.jpg"
        image = Image.fromarray(scene(32, 32))
        image.save(path, kind)
        with pytest.raises(SourceError, match=r"not an image that can be read \(JPEG, PNG"):
            read_image(path)

    def test_heic_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "x.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
        with pytest.raises(
            SourceError, match="HEIC, as iPhones keep photos, is not read: save or send it as JPEG"
        ):
            read_image(tmp_path / "x.jpg")

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "MPO"])
    def test_those_that_are_read(self, kind: str, tmp_path: Path) -> None:
        Image.init()
        Image.fromarray(scene(40, 32)).save(tmp_path / "x.anything", kind)
        assert read_image(tmp_path / "x.anything").pixels.shape == (32, 40, 3)

    def test_training_and_commands(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        save_checkpoint(tmp_path / "tiny.safetensors", make_checkpoint())
        (tmp_path / "x.jpg").write_bytes(EPS)
        words = ["image", str(tmp_path / "x.jpg"), "-o", str(tmp_path / "out.png")]
        assert main([*words, "--style", str(tmp_path / "tiny.safetensors")]) == SourceError.exit_code
        assert "PostScript is not read" in capsys.readouterr().err


class TestSizes:
    @pytest.mark.parametrize(
        "content",
        [
            bombed(saved(scene(64, 64), "JPEG"), (12_800, 12_800)),
            bombed(saved(scene(64, 64), "JPEG", progressive=True), (10_000, 10_000)),
            bombed(saved(scene(64, 64), "JPEG"), (65_535, 65_535)),
            png((12_800, 12_800), b"\0" * 100_000),
            png((12_800, 12_800), b"\0" * 100_000, bits=1, color=0),
            png((12_800, 12_800), b"\0" * 100_000, interlaced=1),
            png((1 << 30, 1 << 30), b"\0" * 100_000),
            png((70_000, 10), b"\0" * 3_000_000),
        ],
    )
    def test_bombs_are_refused_before_they_take_memory(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "x.jpg").write_bytes(content)
        resource = pytest.importorskip("resource")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(SourceError, match=r"cut off|too large"):
            read_image(tmp_path / "x.jpg")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB

    def test_kinds_that_take_more_memory_may_be_less_large(self, tmp_path: Path) -> None:
        def most(name: str, mode: str = "RGB", **how: object) -> float:
            Image.new(mode, (64, 64)).save(tmp_path / name, **how)
            with formats.open_image(tmp_path / name) as image:
                pixels = formats._MOST_BYTES // formats.bytes_per_pixel(image)
            return min(formats.MOST_PIXELS, pixels) / 1e6

        assert most("x.jpg") > 268
        assert most("x.png") > 268
        assert 130 < most("x.jpg", progressive=True) < 200
        assert 100 < most("y.jpg", progressive=True, subsampling=0) < 110
        assert 130 < most("x.tif") < 135
        assert 60 < most("x.webp") < 70
        assert 200 < most("x.png", "L") < 220

    @pytest.mark.parametrize("share", [0.3, 0.6])
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF"])
    def test_what_is_cut_off_is_refused(self, kind: str, share: float, tmp_path: Path) -> None:
        content = saved(scene(200, 160), kind)
        (tmp_path / "x").write_bytes(content[: int(len(content) * share)])
        with pytest.raises(SourceError):
            read_image(tmp_path / "x")

    @pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
    @pytest.mark.parametrize("subsampling", [0, 2])
    def test_also_where_it_ends_as_whole_ones_do(
        self, share: float, subsampling: int, tmp_path: Path
    ) -> None:
        content = saved(scene(200, 160), "JPEG", subsampling=subsampling)
        (tmp_path / "x.jpg").write_bytes(content[: int(len(content) * share)] + b"\xff\xd9")
        with pytest.raises(SourceError, match="ends before its image does"):
            read_image(tmp_path / "x.jpg")

    def test_a_png_whose_data_ends_early(self, tmp_path: Path) -> None:
        (tmp_path / "x.png").write_bytes(png((100, 100), b"\0" * 301 * 60))
        with pytest.raises(SourceError, match="ends before its image does"):
            read_image(tmp_path / "x.png")

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
    @pytest.mark.parametrize("size", [(1, 1), (33, 17), (8, 100)])
    def test_whole_ones_are_read(self, mode: str, size: tuple[int, int], tmp_path: Path) -> None:
        image = Image.new(mode, size)
        image.save(tmp_path / "x.png")
        assert read_image(tmp_path / "x.png").pixels.shape == (size[1], size[0], 3)

    def test_flat_corners_are_no_damage(self, tmp_path: Path) -> None:
        for name, how in (("x.jpg", {}), ("y.jpg", {"progressive": True})):
            Image.fromarray(np.full((60, 90, 3), 255, np.uint8)).save(tmp_path / name, **how)
            assert read_image(tmp_path / name).pixels.shape == (60, 90, 3)

    @pytest.mark.posix
    def test_a_pipe_has_an_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("stylize_live.media.image.io._MOST_PIPED", 1000)
        read_end, write_end = os.pipe()
        os.write(write_end, b"\xff" * 1001)
        os.close(write_end)
        with pytest.raises(SourceError, match="from a pipe"):
            read_image(Path(f"/dev/fd/{read_end}"))
        os.close(read_end)


@pytest.fixture
def small_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if images of a few thousand pixels were large, and strips had few rows."""
    monkeypatch.setattr(strips, "STRIP", 5_000)
    monkeypatch.setattr(strips, "LARGE", 10_000)


_SHAPES = [((64, 48), (301, 277)), ((40, 56), (1000, 57)), ((9, 7), (64, 300))]
_RENDER_OPTIONS = [
    RenderOptions(),
    RenderOptions(strength=0.6),
    RenderOptions(keep_colors=True),
    RenderOptions(stroke=2, strength=0.3),
]


class TestStrips:
    @pytest.mark.parametrize(("small", "size"), _SHAPES)
    @pytest.mark.parametrize("channels", [1, 3])
    def test_rows_are_those_of_the_whole(
        self, small: tuple[int, int], size: tuple[int, int], channels: int
    ) -> None:
        plane = scene(*small)[..., :channels].astype(np.float32).squeeze()
        whole = cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC)
        tops = range(0, size[1], 13)
        rows = np.concatenate([enlarge_rows(plane, size, top, min(top + 13, size[1])) for top in tops])
        assert np.abs(rows - whole).max() < 0.01  # of 255: nothing that could be a seam

    @pytest.mark.usefixtures("small_strips")
    @pytest.mark.parametrize("small", [(100, 72), (64, 480), (8, 8)])
    def test_areas_are_those_of_the_whole(self, small: tuple[int, int]) -> None:
        pixels = scene(347, 521)
        ours = shrink_by_strips((347, 521), small, lambda top, bottom: pixels[top:bottom])
        assert np.abs(ours.astype(int) - shrink_to(pixels, small)).max() <= 1

    @pytest.mark.usefixtures("small_strips")
    @pytest.mark.parametrize("render_options", _RENDER_OPTIONS)
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_finished_alike(
        self, render_options: RenderOptions, dtype: type, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pixels = scene(397, 311).astype(dtype) * (257 if dtype == np.uint16 else 1)
        painted = scene(128, 96).astype(np.float32)
        shown = np.empty_like(pixels)

        def write(top: int, rows: Pixels) -> None:
            shown[top : top + len(rows)] = rows

        compositing.composite_in_strips(
            painted, (397, 311), render_options, lambda top, bottom: pixels[top:bottom], write
        )
        whole = compositing.quantize(composite(painted, pixels, render_options), pixels.dtype)
        assert np.abs(shown.astype(int) - whole).max() <= np.iinfo(dtype).max // 255

    @pytest.mark.parametrize("runtime", ["torch", "openvino"])
    def test_painted_alike(self, runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In place, as an array in strips, and as an array at once: within a level or two."""
        if runtime == "openvino":
            pytest.importorskip("openvino")
        save_checkpoint(tmp_path / "tiny.safetensors", make_checkpoint())
        pixels = scene(1301, 1103)
        with Stylizer(
            tmp_path / "tiny.safetensors", device="cpu", runtime=runtime, precision="float32"
        ) as paint:
            at_once = paint(pixels)
            monkeypatch.setattr(strips, "LARGE", 10_000)
            monkeypatch.setattr(strips, "STRIP", 50_000)
            assert np.abs(paint(pixels).astype(int) - at_once).max() <= 1
            canvas = StripImage(Image.fromarray(pixels), None)
            paint.paint_in_place(canvas)
        difference = np.abs(canvas.still().pixels.astype(int) - at_once)
        assert difference.max() <= 3
        assert difference.mean() < 0.1

    @pytest.mark.usefixtures("small_strips")
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
    def test_turned_upright_on_disk(
        self, orientation: int, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(scene(151, 97)).convert(mode).save(tmp_path / "x.png", exif=exif)
        ours = read_image(tmp_path / "x.png")
        monkeypatch.setattr(strips, "LARGE", 1 << 24)
        usual = read_image(tmp_path / "x.png")
        assert (ours.pixels == usual.pixels).all()
        assert (ours.alpha is None) == (mode != "RGBA")

    @pytest.mark.usefixtures("small_strips")
    @pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.webp"])
    @pytest.mark.parametrize("options", [[], ["--side-by-side"], ["--keep-colors", "--strength", "0.5"]])
    @pytest.mark.parametrize("mode", ["RGB", "RGBA"])
    def test_the_command_paints_alike(
        self, name: str, options: list[str], mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save_checkpoint(tmp_path / "tiny.safetensors", make_checkpoint())
        image = Image.fromarray(scene(230, 170)).convert(mode)
        if mode == "RGBA":
            image.putalpha(Image.fromarray(scene(230, 170)[..., 0]))
        image.save(tmp_path / "x.png", icc_profile=b"0" * 16 + b"RGB ...")
        words = [
            "image",
            str(tmp_path / "x.png"),
            "--style",
            str(tmp_path / "tiny.safetensors"),
            "--device",
            "cpu",
        ]
        words += ["--precision", "float32", *options]
        assert main([*words, "-o", str(tmp_path / name)]) == 0
        monkeypatch.setattr(strips, "LARGE", 1 << 24)
        assert main([*words, "-o", str(tmp_path / f"usual-{name}")]) == 0
        ours, usual = read_image(tmp_path / name), read_image(tmp_path / f"usual-{name}")
        assert ours.icc_profile == usual.icc_profile
        assert (ours.alpha is None) == (usual.alpha is None)
        difference = np.abs(ours.pixels.astype(int) - usual.pixels)
        if name == "out.png":
            assert difference.max() <= 3
        assert difference.mean() < 0.5

    @pytest.mark.usefixtures("small_strips")
    def test_no_room_beside(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(canvases, "_MOST_DOUBLED", 1000)
        with pytest.raises(UsageError, match="too large to be laid beside"):
            StripImage(Image.new("RGB", (100, 100)), None).double(tmp_path)

    def test_failing_to_write_leaves_nothing(self, tmp_path: Path) -> None:
        canvas = StripImage(Image.new("RGB", (20_000, 2)), None)
        with pytest.raises(Exception, match=r"too large for WEBP.*\.png"):
            write_strip_image(tmp_path / "x.webp", canvas)
        with pytest.raises(Exception, match="cannot write"):
            write_strip_image(tmp_path / "no" / "x.png", canvas)
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [(100_000, 480), (65_535, 4000), (8, 65_535), (16_384, 16_384)])
@pytest.mark.parametrize("stroke", [0.25, 1, 4])
def test_what_is_painted_has_an_end(size: tuple[int, int], stroke: float) -> None:
    width, height = RenderOptions(stroke=stroke).working_size(size)
    assert width * height <= 1.1 * MOST_PAINTED


@pytest.mark.linux
@pytest.mark.slow
def test_200_megapixels_in_one_and_a_half_gigabytes(tmp_path: Path) -> None:
    """A minute; the shipped style, as anybody would run it."""
    Image.fromarray(np.tile(scene(1633, 1225), (10, 10, 1))).save(tmp_path / "x.jpg", quality=90)
    code = (
        "import pathlib, re, sys\nfrom stylize_live.cli.app import main\n"
        "code = main(sys.argv[1:])\n"
        # Not `ru_maxrss`, which a process has from the one that started it.
        "print(code, *re.findall(r'VmHWM:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text()))\n"
    )
    words = ["image", str(tmp_path / "x.jpg"), "-o", str(tmp_path / "out.jpg")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    ended, peak = map(int, done.stdout.split()[-2:])
    assert ended == 0
    assert peak < 1_500_000  # KiB
