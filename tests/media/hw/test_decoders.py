"""Videos that a chip should decode, on machines that most likely have none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from places import SAMPLES

from stylize_live.cli.app import main
from stylize_live.config import SourceSettings
from stylize_live.errors import SourceError
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.hw.decoders import open_on_gpu

SAMPLE = SAMPLES / "flower.mp4"


@pytest.fixture
def no_chip() -> None:
    video = open_on_gpu(f"file:{SAMPLE}")
    if video is not None:
        video.close()
        pytest.skip("a chip decodes here")


def test_auto_gives_the_same_frames() -> None:
    with VideoReader(SAMPLE) as plain, VideoReader(SAMPLE, SourceSettings(decoder="auto")) as other:
        for _, ours, theirs in zip(range(5), plain, other, strict=False):
            assert ours.pts == theirs.pts
            # A chip hands frames over in another layout, whose colours may be rounded otherwise.
            assert np.abs(ours.pixels.astype(int) - theirs.pixels).max() <= 2


@pytest.mark.usefixtures("no_chip")
def test_a_chip_that_is_asked_for_and_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["convert", str(SAMPLE), str(tmp_path / "painted.mp4"), "--decoder", "hardware"])
    assert code == SourceError.exit_code
    assert "no chip of this machine decodes this video" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("decoder", ["hardware", "auto"])
def test_a_missing_video_is_called_missing(tmp_path: Path, decoder: str) -> None:
    with pytest.raises(SourceError, match="no such file"):
        VideoReader(tmp_path / "no.mp4", SourceSettings(decoder=decoder))
