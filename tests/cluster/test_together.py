"""Many workers with what else a conversion can do: the same bytes as on one machine, and runs that go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from clips import Video, numbered
from in_process import InProcessCrew, stop_after
from interrupted import StopError
from mattes import mattes
from synthetic_sound import make_band
from tiny import make_checkpoint, random_pixels

from stylize_live.cluster import video
from stylize_live.cluster.schedule import Scheduler
from stylize_live.cluster.worker import Worker, open_stylizer, own_style_files, settings_elsewhere
from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import convert
from stylize_live.conversion.queue import ConversionJob, ConversionOutcome
from stylize_live.engine import Stylizer
from stylize_live.engine.style_loading import load_style
from stylize_live.errors import UsageError
from stylize_live.media.image.io import Still, write_image
from stylize_live.nets.checkpoint import save_checkpoint
from stylize_live.nets.style_folders import own_folder

__all__ = ["mattes"]
SECONDS, FPS = 6, 12
SOUND = "level:boldness:0.5,bass:strength:-0.5,onset:stroke:0.4,beat:style:4"


@pytest.fixture(autouse=True)
def short_units(short_segments: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "LEAST_FRAMES", 6)
    monkeypatch.setattr(video, "MOST_FRAMES", 16)


def write(path: Path, sound: bool = True, shot: int = 14) -> Path:
    """Several shots of so many frames, with a band that plays louder in the middle."""
    samples = make_band(120, SECONDS, 48_000)[0]
    samples[2 * 48_000 : 4 * 48_000] *= 3
    shots = (255 - numbered(i) if i // shot % 2 else numbered(i) for i in range(SECONDS * FPS))
    heard: dict[str, Any] = {"sound": "aac", "samples": samples} if sound else {}
    ticks = tuple(2500 * number for number in range(SECONDS * FPS))
    return Video(ticks, rate=Fraction(FPS), **heard).write(path, shots)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "in.mp4")


@pytest.fixture
def styles(tmp_path: Path) -> list[str]:
    for seed, name in enumerate("ab"):
        faithful = make_checkpoint(seed=2 * seed + 1).weights
        save_checkpoint(
            tmp_path / f"{name}.safetensors", replace(make_checkpoint(name, 2 * seed), faithful=faithful)
        )
    return [str(tmp_path / f"{name}.safetensors") for name in "ab"]


def settings_for(styles: list[str], **options: Any) -> ConvertSettings:
    usual = {
        "device": "cpu",
        "runtime": "torch",
        "precision": "float32",
        "preset": "veryfast",
        "style": styles[0],
    }
    return ConvertSettings.model_validate(usual | options)


def alone(source: Path, target: Path, settings: ConvertSettings) -> bytes:
    with open_stylizer(settings) as stylizer:
        convert(source, target, stylizer, settings)
    return target.read_bytes()


def together(
    source: Path, target: Path, settings: ConvertSettings, workers: int = 3, **options: Any
) -> ConversionOutcome:
    crew = InProcessCrew(open_stylizer, settings_elsewhere(settings), workers, **options)
    with crew:
        (outcome,) = Scheduler(crew, [ConversionJob(source, target)], settings).run()
    together.units = crew.units  # type: ignore[attr-defined]
    return outcome


FOLLOWING = [
    {"follow_sound": SOUND},
    {"follow_sound": SOUND, "steadiness": 0.0},
    {"follow_sound": "auto", "start": "1.5", "side_by_side": True},
    {"follow_sound": "auto", "preview": 3.0},
]


@pytest.mark.parametrize("options", FOLLOWING)
def test_workers_follow_the_sound(
    source: Path, tmp_path: Path, styles: list[str], options: dict[str, Any]
) -> None:
    settings = settings_for(styles, sound_styles=",".join(styles), **options)
    whole = alone(source, tmp_path / "whole.mp4", settings)
    outcome = together(source, tmp_path / "out.mp4", settings, newest_first=True)
    assert outcome.error is None
    assert len(together.units) > 2  # type: ignore[attr-defined]
    assert (tmp_path / "out.mp4").read_bytes() == whole
    still = settings.model_copy(update={"follow_sound": "off"})
    assert alone(source, tmp_path / "still.mp4", still) != whole


@pytest.mark.parametrize("cluster_first", [True, False])
def test_a_run_that_follows_goes_on_with_and_without_a_cluster(
    source: Path, tmp_path: Path, styles: list[str], cluster_first: bool
) -> None:
    settings = settings_for(styles, sound_styles=",".join(styles), follow_sound=SOUND)
    whole = alone(source, tmp_path / "whole.mp4", settings)
    target = tmp_path / "out.mp4"
    if cluster_first:
        with pytest.raises(StopError):
            together(source, target, settings, interfere=stop_after(5))
        with open_stylizer(settings) as stylizer:
            report = convert(source, target, stylizer, settings)
    else:
        with (
            Stopping.from_settings(settings, steadiness=settings.steadiness) as stylizer,
            pytest.raises(StopError),
        ):
            convert(source, target, stylizer, settings)
        report = together(source, target, settings).report  # type: ignore[assignment]
    assert report is not None
    assert report.resumed > 0
    assert target.read_bytes() == whole


class Stopping(Stylizer):
    """Stops after some frames."""

    def stream(self, frames: Any) -> Iterator[Any]:
        for frame in super().stream(frames):
            if frame.index == 40:
                raise StopError
            yield frame


def test_a_silent_video_is_painted_as_without_and_that_is_said_once(
    tmp_path: Path, styles: list[str]
) -> None:
    silent = write(tmp_path / "silent.mp4", sound=False)
    whole = alone(silent, tmp_path / "whole.mp4", settings_for(styles))
    outcome = together(silent, tmp_path / "out.mp4", settings_for(styles, follow_sound="auto"))
    assert outcome.report is not None
    assert (tmp_path / "out.mp4").read_bytes() == whole
    assert sum("no sound to follow" in note for note in outcome.report.notes) == 1


def test_a_timeline_that_would_follow_beats_is_refused(styles: list[str]) -> None:
    settings = settings_for(styles, style=f"0:{styles[0]},3:{styles[1]}", follow_sound="beat:style")
    with pytest.raises(UsageError, match="a timeline changes styles itself"):
        InProcessCrew(open_stylizer, settings, 1)


def layers(tmp_path: Path) -> dict[str, dict[str, Any]]:
    other, clip = str(tmp_path / "b.safetensors"), str(write(tmp_path / "behind.mp4", sound=False, shot=100))
    return {
        "matte": {"paint": "person", "steadiness": 0.0},
        "styles": {"background_style": other},
        "behind": {"background": clip},
        "behind, apart": {"background": clip, "background_style": other},
        "behind alone": {"background": clip, "paint": "background"},
        "cut out": {"background": "transparent", "steadiness": 0.0},
    }


@pytest.mark.usefixtures("mattes")
@pytest.mark.parametrize("kind", ["matte", "styles", "behind", "behind, apart", "behind alone", "cut out"])
def test_workers_paint_in_layers(source: Path, tmp_path: Path, styles: list[str], kind: str) -> None:
    settings = settings_for(styles, **layers(tmp_path)[kind])
    suffix = ".mov" if kind == "cut out" else ".mp4"
    whole = alone(source, tmp_path / f"whole{suffix}", settings)
    outcome = together(source, tmp_path / f"out{suffix}", settings, newest_first=True)
    assert outcome.error is None
    assert len(together.units) > 2  # type: ignore[attr-defined]
    assert (tmp_path / f"out{suffix}").read_bytes() == whole


def test_a_painting_is_sent_as_the_style_it_became(tmp_path: Path) -> None:
    """Processors and runtimes round otherwise; and a worker need not see the file."""
    painting = tmp_path / "painting.png"
    write_image(painting, Still(random_pixels(96, 80, 3)))
    settings = settings_for([str(painting)])
    styles, wanted = own_style_files(settings), load_style(str(painting)).digest()
    painting.unlink()
    with Worker(open_stylizer, settings, styles):
        assert load_style(str(painting)).digest() == wanted


def test_all_style_files_are_sent_along(styles: list[str]) -> None:
    """Also those of the background and of the sound, and all of the user's own where it may take any."""
    options = {"background_style": styles[0], "follow_sound": "beat:style", "sound_styles": styles[1]}
    shipped = settings_for(["starry-night"], **options)
    assert list(own_style_files(shipped)) == styles
    own_folder().mkdir(parents=True, exist_ok=True)
    (own_folder() / "mine.safetensors").write_bytes(Path(styles[0]).read_bytes())
    any_style = settings_for(["starry-night"], follow_sound="beat:style")
    assert "mine" in own_style_files(any_style)


def test_other_machines_are_told_whole_paths_and_all_styles(
    tmp_path: Path, styles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = settings_for(styles, background="./beach.jpg", follow_sound="beat:style")
    sent = settings_elsewhere(given)
    assert sent.background == str(tmp_path / "beach.jpg")
    assert sent.sound_styles is not None
    assert "starry-night" in sent.sound_styles.split(",")
    plain = settings_for(styles)
    assert settings_elsewhere(plain) == plain
