"""Many workers make what one machine makes, whatever becomes of them; here, in one process."""

from __future__ import annotations

from pathlib import Path

import pytest
from cluster_parts import SETTINGS, ShotSmoother, open_smoother
from in_process import InProcessCrew
from interrupted import FRAMES, write_source

from stylize_live.cluster import video
from stylize_live.cluster.schedule import Scheduler
from stylize_live.conversion import segments
from stylize_live.conversion.convert import convert
from stylize_live.conversion.queue import ConversionJob


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of 5 to 11 frames, units of a few."""
    monkeypatch.setattr(segments, "LEAST_FRAMES", 5)
    monkeypatch.setattr(segments, "MOST_FRAMES", 11)
    monkeypatch.setattr(video, "LEAST_FRAMES", 6)
    monkeypatch.setattr(video, "MOST_FRAMES", 16)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "in.mp4")


@pytest.fixture
def whole(source: Path, tmp_path: Path) -> Path:
    """What one machine makes of it."""
    convert(source, tmp_path / "whole.mp4", ShotSmoother(), SETTINGS)
    return tmp_path / "whole.mp4"


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_workers_make_the_same_video(
    source: Path, whole: Path, tmp_path: Path, workers: int, newest_first: bool
) -> None:
    target = tmp_path / "out.mp4"
    with InProcessCrew(open_smoother, SETTINGS, workers, newest_first=newest_first) as crew:
        (outcome,) = Scheduler(crew, [ConversionJob(source, target)], SETTINGS).run()
        assert len(crew.units) > 2
    assert outcome.error is None
    assert target.read_bytes() == whole.read_bytes()
    assert outcome.report is not None
    assert (outcome.status, outcome.report.frames, outcome.report.resumed) == ("done", FRAMES, 0)
    assert not list(tmp_path.glob(".*"))
