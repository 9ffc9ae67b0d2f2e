"""HDR and wide colours: the standards' own numbers, and the table against the exact function."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import patches

from stylize_live.media.color.colorspace import ToRgb
from stylize_live.media.color.tonemap import HLG, PQ, HdrInfo, to_sdr
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.libraries import av

HDR10 = HdrInfo("BT.2020", PQ, 1000.0)
# SMPTE ST 2084: cd/m2 and the code value in [0, 1] that stands for them.
PQ_CODES = {0.0: 0.0, 1.0: 0.1499, 10.0: 0.2997, 100.0: 0.5081, 203.0: 0.5807, 1000.0: 0.7518, 10_000.0: 1.0}
COLORS = [(c, c, c) for c in (0.0, 0.2, 0.4, 0.5081, 0.58, 0.7518)] + [(0.5, 0.45, 0.4), (0.3, 0.45, 0.5)]


def grey(code: float, hdr: HdrInfo = HDR10) -> float:
    shown = to_sdr(np.full(3, code), hdr)
    assert np.ptp(shown) < 1e-4
    return float(shown[0])


def test_dim_light_is_left_alone() -> None:
    for light in (1.0, 10.0):
        assert grey(PQ_CODES[light]) == pytest.approx((light / 203) ** (1 / 2.4), abs=2e-3)


def test_bright_light_is_rolled_off_and_never_folds() -> None:
    shown = [grey(code) for code in np.linspace(0, 0.7518, 60)]
    assert np.all(np.diff(shown) > 0)
    assert shown[-1] == pytest.approx(1, abs=1e-3)
    assert 0.85 < grey(PQ_CODES[203.0]) < 0.95
    assert grey(PQ_CODES[10_000.0]) == pytest.approx(1, abs=1e-3)


def test_the_peak_counts() -> None:
    assert grey(0.7, HdrInfo("BT.2020", PQ, 4000.0)) < grey(0.7, HDR10)
    dim = HdrInfo("BT.2020", PQ, 203.0)  # nothing to compress
    assert grey(PQ_CODES[100.0], dim) == pytest.approx((100 / 203) ** (1 / 2.4), abs=2e-3)


def test_hlg() -> None:
    hdr = HdrInfo("BT.2020", HLG, 1000.0)
    # BT.2100: 75 % is 203 cd/m2 on the screen of 1000; it must look like PQ's 203.
    assert grey(0.75, hdr) == pytest.approx(grey(PQ_CODES[203.0]), abs=0.01)
    assert grey(1.0, hdr) == pytest.approx(1, abs=1e-3)
    assert grey(0.0, hdr) == pytest.approx(0, abs=1e-3)


def test_wide_colors_that_fit_are_exact() -> None:
    """BT.709 red, green, blue and orange, written in BT.2020's primaries, come back as themselves."""
    ordinary = np.array([(1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0), (0.8, 0.5, 0.2)])
    to_2020 = np.array(
        [(0.627404, 0.329283, 0.043313), (0.069097, 0.919540, 0.011362), (0.016391, 0.088013, 0.895595)]
    )
    wide = (ordinary**2.4 @ to_2020.T) ** (1 / 2.4)
    assert np.abs(to_sdr(wide, HdrInfo("BT.2020", 0, 0.0)) - ordinary).max() < 0.02


@pytest.mark.parametrize("transfer", [PQ, HLG, 0])
def test_nothing_leaves_the_range(transfer: int) -> None:
    values = np.random.default_rng(0).random((2000, 3))
    shown = to_sdr(values, HdrInfo("BT.2020", transfer, 1000.0))
    assert shown.min() >= 0
    assert shown.max() <= 1
    assert np.isfinite(shown).all()


def tagged(transfer: int, primaries: int, pixel_format: str = "gbrp16le") -> av.VideoFrame:
    """The colours as vertical bars, tagged."""
    row = np.repeat(np.rint(np.array(COLORS) * 65_535).astype(np.uint16), 8, axis=0)
    pixels = np.ascontiguousarray(np.broadcast_to(row, (16, *row.shape)))
    frame = av.VideoFrame.from_ndarray(pixels, "rgb48le").reformat(format=pixel_format)
    frame.color_trc, frame.color_primaries = transfer, primaries
    return frame


@pytest.mark.parametrize(("transfer", "primaries"), [(PQ, 9), (HLG, 9), (14, 9), (1, 12)])
@pytest.mark.parametrize("bits", [8, 10])
def test_the_table_is_close_to_the_function(transfer: int, primaries: int, bits: int) -> None:
    to_rgb = ToRgb(bits)
    frame = tagged(transfer, primaries)
    hdr = to_rgb.hdr_info(frame)
    assert hdr is not None
    pixels = to_rgb(frame)
    assert pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
    found = pixels[8, 4::8] / (255 if bits == 8 else 65_535)
    assert np.abs(found - to_sdr(np.array(COLORS), hdr)).max() < 2 / 255


def test_ordinary_images_take_the_short_way() -> None:
    for transfer, primaries in ((2, 2), (1, 1), (6, 6), (6, 5), (13, 1)):
        assert HdrInfo.of(tagged(transfer, primaries)) is None


def test_scaled_on_the_way() -> None:
    assert ToRgb()(tagged(PQ, 9), (32, 8)).shape == (8, 32, 3)


MASTERED = "master-display=G(8500,39850)B(6550,2300)R(35400,14600)WP(15635,16450)L(40000000,50)"


def hdr_clip(path: Path, claims: str) -> Path:
    """A video in HDR10, its bars in the middle of the range."""
    with av.open(str(path), "w") as output:
        options = {"x265-params": f"log-level=none{claims}"}
        stream = output.add_stream("libx265", rate=Fraction(25), options=options)
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = 64, 48, "yuv420p10le"
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = PQ, 9, 9, 1
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(patches() // 2, "rgb24").reformat(format="yuv420p10le")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("claims", "peak"),
    [(":max-cll=600,100", 600), (f":{MASTERED}", 4000), (f":max-cll=0,0:{MASTERED}", 4000), ("", 1000)],
)
def test_the_reader_says_what_it_did(tmp_path: Path, claims: str, peak: int) -> None:
    with VideoReader(hdr_clip(tmp_path / "hdr.mp4", claims)) as reader:
        assert len(list(reader)) == 3
        assert any(f"HDR (PQ, up to {peak} cd/m2) was tone-mapped to SDR" in note for note in reader.notes)
