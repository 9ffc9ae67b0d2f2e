"""An artist's own frame as the teacher: what is learnt from it, and pairs of every kind, good and bad."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_features import SmallFeatures

from stylize_live.cli.app import main
from stylize_live.errors import SourceError, TrainingError, UsageError
from stylize_live.frame import Pixels
from stylize_live.media.image.io import Still, read_image, write_image
from stylize_live.nets.checkpoint import is_unfinished, load_checkpoint
from stylize_live.training.dataset import Crops, to_tensor
from stylize_live.training.job import TrainingJob
from stylize_live.training.keyframe import Keyframe, keyframe_settings
from stylize_live.training.keyframe_dataset import KeyframeBatches, likeness, load_keyframe
from stylize_live.training.keyframe_objective import KeyframeObjective
from stylize_live.training.plan import Plan, patch_side, plan_keyframes
from stylize_live.training.run import train_style
from stylize_live.training.settings import TrainSettings
from stylize_live.training.trainer import Progress

pytestmark = pytest.mark.timeout(600)  # where others are at work, PyTorch's threads wait for each other

CPU = torch.device("cpu")


def ignore(progress: Progress) -> None:
    """A watcher that does not watch."""


def scene(seed: int, width: int = 144, height: int = 112) -> Pixels:
    """Coarse patches of color, softly bounded."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), np.uint8)
    return np.array(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def write_pair(folder: Path, frame: Pixels, painted: Pixels) -> Keyframe:
    for name, pixels in (("frame", frame), ("painted", painted)):
        write_image(folder / f"{name}.png", Still(np.ascontiguousarray(pixels)))
    return Keyframe(folder / "frame.png", folder / "painted.png")


@pytest.fixture
def keyframe(tmp_path: Path) -> Keyframe:
    """A frame and its negative."""
    return write_pair(tmp_path, scene(1), 255 - scene(1))


@pytest.fixture
def lesson(job: TrainingJob, keyframe: Keyframe) -> TrainingJob:
    """A run of four steps that a keyframe teaches."""
    return replace(job, paintings=[keyframe.painting], photos=None, keyframes=(keyframe,))


@pytest.mark.usefixtures("small_features")
def test_another_frame_is_painted_as_the_keyframe_shows(lesson: TrainingJob, photos: Path) -> None:
    """A negative is learnt from the pair, and not from the negative alone."""
    other, errors = to_tensor(scene(2)), []
    longer = lesson.settings.model_copy(update={"steps": 40, "rate": 8e-3})
    for taught in (lesson, replace(lesson, keyframes=(), photos=photos)):
        train_style(replace(taught, settings=longer), CPU, on_step=ignore)
        painted = load_checkpoint(lesson.target).network()(other)
        errors.append(float((painted - (1 - other)).abs().mean()))
    assert errors[0] < 0.6 * errors[1]


@pytest.mark.usefixtures("small_features")
def test_a_style_with_its_record_previews_and_report(lesson: TrainingJob, photos: Path) -> None:
    result = train_style(replace(lesson, photos=photos), CPU, on_step=ignore)
    assert result.kept_out
    assert result.figures.photos == 3  # the other frames
    found = load_checkpoint(lesson.target)
    assert found.training["steps"] == 4
    assert found.faithful is None
    assert read_image(lesson.previews / "photos.jpg").pixels.shape == (480, 3 * 480, 3)
    page = lesson.report_path.read_text(encoding="utf-8")
    assert '<img src="data:image/jpeg' in page
    assert page.index('alt="frame.png"') < page.index('alt="painted.png"')


@pytest.mark.usefixtures("small_features")
def test_without_other_frames_its_own_is_shown(lesson: TrainingJob) -> None:
    result = train_style(lesson, CPU, on_step=ignore)
    assert not result.kept_out
    assert result.figures.photos == 1


@pytest.mark.usefixtures("small_features")
def test_a_resumed_run_equals_an_uninterrupted_one(lesson: TrainingJob) -> None:
    train_style(lesson, CPU, on_step=ignore)
    wanted = load_checkpoint(lesson.target)
    lesson.target.unlink()

    def interrupt(progress: Progress) -> None:
        if progress.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_style(lesson, CPU, on_step=interrupt)
    assert is_unfinished(lesson.target)
    assert train_style(lesson, CPU, on_step=ignore).resumed_at == 2
    found = load_checkpoint(lesson.target)
    for name in wanted.weights:
        assert np.array_equal(found.weights[name], wanted.weights[name])


@pytest.mark.usefixtures("small_features")
def test_a_run_goes_on_with_its_own_frame_only(lesson: TrainingJob, tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_style(lesson, CPU, on_step=interrupt)
    write_image(tmp_path / "frame.png", Still(scene(3)))
    with pytest.raises(TrainingError, match=r"other paintings.*--restart"):
        train_style(lesson, CPU, on_step=ignore)


def test_crops_are_large_and_lie_over_each_other() -> None:
    image = torch.rand(1, 3, 80, 100)
    smaller = torch.rand(1, 3, 70, 120)
    with KeyframeBatches([Crops(image, 1 - image), Crops(smaller, 1 - smaller)], batch=2, seed=1) as batches:
        drawn = [batches(step) for step in range(12)]
        assert torch.equal(batches(3).photos, drawn[3].photos)  # of seed and step alone
    sides = {tuple(crops.photos.shape[2:]) for crops in drawn}
    assert len(sides) > 6
    assert min(sides)[0] >= 42  # six tenths of the smaller height
    assert max(sides)[0] <= 70
    for crops in drawn:
        torch.testing.assert_close(crops.subjects, 1 - crops.photos)


def test_a_perfect_network_has_no_loss() -> None:
    class Clean(KeyframeObjective):
        def _seen(self, crops: Crops, step: int) -> torch.Tensor:
            return crops.photos

    objective = Clean(SmallFeatures(), TrainSettings(), 64)  # type: ignore[arg-type]
    photos = torch.rand(2, 3, 96, 80)
    crops = Crops(photos, photos.flip(1))
    assert float(objective.total(objective.terms(lambda seen: seen.flip(1), crops, 0))) == 0
    assert float(objective.total(objective.terms(lambda seen: seen, crops, 0))) > 1
    assert float(objective.total(objective.color_terms(lambda seen: seen, crops, 0))) > 0.1


def test_flat_patches_do_not_outweigh_others() -> None:
    """Of a patch of one color there is nearly no texture, and any mark in it is many times that."""
    objective = KeyframeObjective(SmallFeatures(), TrainSettings(), 64)  # type: ignore[arg-type]
    black, photo = torch.zeros(1, 3, 96, 96), torch.rand(1, 3, 96, 96)
    for wanted in (black, photo):
        terms = objective.terms(lambda seen: photo, Crops(photo, wanted), 0)
        assert 0 <= float(terms["style"]) <= 4 * (1 + TrainSettings().coarse_weight)


def test_what_is_transparent_shows_the_frame(tmp_path: Path) -> None:
    frame, alpha = scene(1), np.zeros((112, 144), np.uint8)
    alpha[:, 48:] = 255
    keyframe = write_pair(tmp_path, frame, frame)
    write_image(keyframe.painting, Still(255 - frame, alpha))
    pair = load_keyframe(keyframe)
    torch.testing.assert_close(pair.photos, to_tensor(frame))
    torch.testing.assert_close(pair.subjects[..., :48], pair.photos[..., :48])
    torch.testing.assert_close(pair.subjects[..., 48:], 1 - pair.photos[..., 48:], atol=0.01, rtol=0)


def test_a_painting_of_sixteen_bits_and_of_twice_the_size(tmp_path: Path) -> None:
    from stylize_live.media.libraries import cv2

    frame = scene(1)
    keyframe = write_pair(tmp_path, frame, frame)
    twice = np.asarray(Image.fromarray(255 - frame).resize((288, 224))).astype(np.uint16) * 257
    cv2.imwrite(str(keyframe.painting), twice[..., ::-1])
    pair = load_keyframe(keyframe)
    assert pair.subjects.shape == pair.photos.shape == (1, 3, 112, 144)
    assert float((pair.subjects - (1 - pair.photos)).abs().mean()) < 0.02


def test_large_frames_are_learnt_at_the_size_they_are_painted_at(tmp_path: Path) -> None:
    frame = scene(1, 1280, 720)
    pair = load_keyframe(write_pair(tmp_path, frame, 255 - frame))
    assert pair.photos.shape[2:] == (480, 856)


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [
        (112, 112, r"painted.png: has 112x112 pixels, but .*frame.png 144x112"),
        (112, 144, "keep its shape"),
        (150, 112, "paint over the whole frame"),
    ],
)
def test_paintings_of_another_shape(tmp_path: Path, width: int, height: int, words: str) -> None:
    keyframe = write_pair(tmp_path, scene(1), scene(2, width, height))
    with pytest.raises(TrainingError, match=words):
        load_keyframe(keyframe)


def test_strips(tmp_path: Path) -> None:
    keyframe = write_pair(tmp_path, scene(1, 720, 72), 255 - scene(1, 720, 72))
    with pytest.raises(TrainingError, match="longer than 1:8"):
        load_keyframe(keyframe)


def test_tiny_frames(tmp_path: Path) -> None:
    keyframe = write_pair(tmp_path, scene(1, 64, 48), 255 - scene(1, 64, 48))
    with pytest.raises(TrainingError, match="at least 64 a side"):
        load_keyframe(keyframe)


def test_nothing_painted(tmp_path: Path) -> None:
    frame = scene(1)
    keyframe = write_pair(tmp_path, frame, frame)
    with pytest.raises(TrainingError, match="nothing is painted on it"):
        load_keyframe(keyframe)
    write_image(keyframe.painting, Still(255 - frame, np.zeros((112, 144), np.uint8)))  # an empty layer
    with pytest.raises(TrainingError, match="nothing is painted on it"):
        load_keyframe(keyframe)


def test_a_painting_of_something_else_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_keyframe(write_pair(tmp_path, scene(1), 255 - scene(1)))
    assert not caplog.records
    load_keyframe(write_pair(tmp_path, scene(1), scene(2)))
    assert "painted.png does not seem to show what frame.png shows" in caplog.text


def test_likeness_sees_through_colors() -> None:
    frame = scene(1)
    assert likeness(frame, 255 - frame) == pytest.approx(1)
    assert likeness(frame, np.roll(frame, 1, 2) // 2) > 0.7
    assert likeness(frame, scene(2)) < 0.5
    assert likeness(frame, np.zeros_like(frame)) == 0


def test_no_image(tmp_path: Path) -> None:
    keyframe = write_pair(tmp_path, scene(1), scene(2))
    keyframe.painting.write_bytes(b"no image")
    with pytest.raises(SourceError, match=r"painted\.png"):
        load_keyframe(keyframe)


def test_words_of_a_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Keyframe.parse("a.png=b.png") == Keyframe(Path("a.png"), Path("b.png"))
    assert Keyframe.parse("a=1.png=b.png") == Keyframe(Path("a"), Path("1.png=b.png"))
    for name in ("a=1.png", "b.png"):
        (tmp_path / name).touch()
    assert Keyframe.parse("a=1.png=b.png") == Keyframe(Path("a=1.png"), Path("b.png"))
    for words in ("a.png", "=b.png", "a.png=", ""):
        with pytest.raises(UsageError, match="FRAME=PAINTING"):
            Keyframe.parse(words)


def test_keyframes_have_minutes_and_a_rate_of_their_own() -> None:
    found = keyframe_settings(TrainSettings())
    assert (found.minutes, found.rate) == (3, 3e-3)
    found = keyframe_settings(TrainSettings(steps=9, rate=1.3e-3))
    assert (found.minutes, found.steps, found.rate) == (None, 9, 1.3e-3)


def test_settings_of_paintings_have_no_effect() -> None:
    with pytest.raises(UsageError, match="palette has no effect with keyframe"):
        keyframe_settings(TrainSettings(palette=4))


def test_plans() -> None:
    found = plan_keyframes(TrainSettings(), CPU, "float32", seconds=100, one_step=lambda: 0.5)
    assert found == Plan(1, 192, "float32", int(100 * 0.88 / 0.5))
    both = TrainSettings(batch=2, crop=128)
    assert plan_keyframes(both, CPU, "float32", one_step=lambda: 0.5) == Plan(2, 128, "float32")
    assert patch_side(both, CPU) == 128
    on_a_gpu = plan_keyframes(TrainSettings(), torch.device("cuda"), "bfloat16", one_step=lambda: 0.5)
    assert on_a_gpu == Plan(8, 256, "bfloat16")


@pytest.mark.usefixtures("small_features")
def test_the_command(
    keyframe: Keyframe, tiny_style: Path, own_styles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = f"{keyframe.frame}={keyframe.painting}"
    quick = ["--steps", "2", "--start", str(tiny_style), "--device", "cpu", "--name", "mine"]
    assert main(["train", "--keyframe", pair, "--keyframe", pair, *quick]) == 0
    record = load_checkpoint(own_styles / "mine.safetensors").training
    assert (record["steps"], record["settings"]["rate"]) == (2, 3e-3)
    assert "stylize-live live --style mine" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--keyframe", "x.png"], 2, "--keyframe x.png: give it as FRAME=PAINTING"),
        (["--keyframe", "x.png=y.png"], 4, "y.png: no such file"),
        (["z.png", "--keyframe", "x.png=y.png"], 2, "its painting alone is learnt from"),
    ],
)
def test_words_that_name_no_pair(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *words]) == code
    assert message in capsys.readouterr().err


def test_a_setting_without_effect(keyframe: Keyframe, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--keyframe", f"{keyframe.frame}={keyframe.painting}", "--lines", "0.5"]) == 2
    assert "--lines has no effect with --keyframe" in capsys.readouterr().err
