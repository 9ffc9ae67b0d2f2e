"""People and background in conversions: targets that can be transparent, and runs that go on."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import SIZE, Video, numbered
from exact import exact
from interrupted import Stopping, run, stopped
from mattes import ellipse, mattes
from PIL import Image
from tiny import make_checkpoint

from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import convert
from stylize_live.conversion.dry_run import dry_run
from stylize_live.conversion.stylizers import lay_beside
from stylize_live.errors import UsageError
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.image.io import read_image
from stylize_live.nets.checkpoint import save_checkpoint

__all__ = ["mattes"]
pytestmark = pytest.mark.usefixtures("mattes", "short_segments")

COUNT = 12


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return Video().write(tmp_path / "clip.mp4", [numbered(index) for index in range(COUNT)])


@pytest.mark.parametrize("name", ["out.webm", "out.mov", "out.mkv", "out.gif"])
def test_people_are_cut_out_into_formats_that_can(
    clip: Path, tmp_path: Path, tiny_style: Path, name: str
) -> None:
    target = tmp_path / name
    with exact(tiny_style, background="transparent") as stylizer:
        report = convert(clip, target, stylizer)
    assert not [note for note in report.notes if "transparency" in note]
    with VideoReader(target) as reader:
        assert reader.has_alpha
        frames = list(reader)
    assert len(frames) == COUNT
    for index, frame in enumerate(frames):
        assert frame.alpha is not None
        far = np.abs(frame.alpha.astype(int) - ellipse(SIZE, index))
        assert np.median(far) <= 2
        assert (far > 60).mean() < 0.15  # GIF knows all and nothing only


def test_an_animated_webp_is_transparent(clip: Path, tmp_path: Path, tiny_style: Path) -> None:
    target = tmp_path / "out.webp"
    with exact(tiny_style, background="transparent") as stylizer:
        convert(clip, target, stylizer)
    with Image.open(target, formats=("WEBP",)) as image:
        assert image.n_frames == COUNT  # type: ignore[attr-defined]
        assert np.abs(np.array(image.convert("RGBA"))[..., 3].astype(int) - ellipse(SIZE)).mean() < 2


def test_numbered_images_are_transparent(clip: Path, tmp_path: Path, tiny_style: Path) -> None:
    with exact(tiny_style, background="transparent") as stylizer:
        convert(clip, tmp_path / "%03d.png", stylizer)
    alpha = read_image(tmp_path / "004.png").alpha
    assert alpha is not None
    assert (alpha == ellipse(SIZE, 3)).all()


@pytest.mark.parametrize(
    ("name", "codec"), [("out.mp4", "auto"), ("out.mov", "h264"), ("%d.jpg", "auto"), ("out.mkv", "av1")]
)
def test_others_are_refused_and_those_that_can_are_named(
    clip: Path, tmp_path: Path, tiny_style: Path, name: str, codec: str
) -> None:
    before = sorted(tmp_path.iterdir())
    settings = ConvertSettings(codec=codec, background="transparent")  # type: ignore[arg-type]
    with exact(tiny_style, background="transparent") as stylizer, pytest.raises(UsageError, match=r"\.webm"):
        convert(clip, tmp_path / name, stylizer, settings)
    with pytest.raises(UsageError, match=r"\.webm"):
        dry_run(clip, tmp_path / name, settings)
    assert sorted(tmp_path.iterdir()) == before


def test_a_dry_run_names_the_codec(clip: Path, tmp_path: Path) -> None:
    settings = ConvertSettings(background="transparent")
    assert dry_run(clip, tmp_path / "out.mov", settings).codec == "prores"
    assert dry_run(clip, tmp_path / "out.mov", ConvertSettings()).codec == "h264"


def test_the_original_beside_it_is_opaque() -> None:
    alpha = np.full((4, 6), 10, np.uint8)
    one = Frame(np.zeros((4, 6, 3), np.uint8), Fraction(0), 0.0, 0)
    both = lay_beside(one, Frame(one.pixels, Fraction(0), 0.0, 0, alpha))
    assert both.alpha is not None
    assert (both.alpha[:, :6] == 255).all()
    assert (both.alpha[:, 6:] == 10).all()
    assert lay_beside(one, one).alpha is None


def test_a_resumed_conversion_is_the_same(source: Path, clip: Path, tmp_path: Path, tiny_style: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, make_checkpoint("other", seed=5))

    def stylizer() -> Stopping:
        return Stopping(
            tiny_style, steadiness=0.8, device="cpu", background_style=str(other), background=str(clip)
        )

    with stylizer() as whole, stylizer() as first, stylizer() as second:
        run(source, tmp_path / "whole.mp4", whole)
        first.stop_at = 30
        stopped(source, tmp_path / "out.mp4", first)
        assert run(source, tmp_path / "out.mp4", second).resumed == 27
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
