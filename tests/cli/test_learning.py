"""`--learn` of `convert` and `image`: what is said, refused, kept, gone on with. Who learns is scripted."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from clips import Video, numbered
from scripted_learner import ScriptedLearner, scripted
from tiny import make_checkpoint, random_pixels

from stylize_live.cli.app import main
from stylize_live.conversion import segments
from stylize_live.conversion.segment_store import count_kept_frames
from stylize_live.engine import style_loading
from stylize_live.learning import first, store
from stylize_live.learning.messages import Advance, Done, Improved, Note
from stylize_live.media.image.io import Still, read_image, write_image
from stylize_live.nets.checkpoint import load_checkpoint

START, LEARNT = make_checkpoint("painting", seed=1), make_checkpoint(seed=2).weights
WHOLE = (Advance(3, 1.0, 0.5, 2.0), Improved(LEARNT, 6, 4.0), Advance(6, 4.0, 1.0, 0.0), Done())
TICKS = tuple(1001 * i for i in range(70))
NO_PAINTING = "--learn learns a painting: name an image file with --style"
ONE_PAINTING = "--learn learns one painting, no blend and no timeline: learn it first, then blend it"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a painting, a photo and a clip; paintings are looked at by nobody."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(store, "user_cache_path", lambda name, appauthor: tmp_path / "cache")
    really = style_loading.load_style
    monkeypatch.setattr(
        style_loading, "load_style", lambda style: START if style.endswith(".png") else really(style)
    )
    for name, seed in (("sun.png", 5), ("other.png", 6), ("photo.png", 7)):
        write_image(tmp_path / name, Still(random_pixels(64, 48, seed)))
    Video(TICKS).write(tmp_path / "in.mp4", (numbered(index) for index in range(len(TICKS))))
    return tmp_path


@pytest.fixture
def learners(place: Path, monkeypatch: pytest.MonkeyPatch) -> type[ScriptedLearner]:
    made = scripted(*WHOLE)
    monkeypatch.setattr(first, "Learner", made)
    return made


def run(*words: str, learn: str = "5") -> int:
    return main([*words, "--style", "sun.png", "--device", "cpu", "--learn", learn])


def convert(*words: str, learn: str = "5") -> int:
    return run("convert", "in.mp4", "out.mp4", *words, learn=learn)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_a_video_is_painted_in_what_was_learnt(
    learners: type[ScriptedLearner], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(learn="1:30") == 0
    assert said(capsys).splitlines()[:3] == [
        "looking at sun.png",
        "learning sun.png: 1:30 of practice first, with about 1.4 GB of memory",
        "sun.png: 50 % learnt, about 10 seconds left",
    ]
    job = learners.made[0].job
    assert (job.painting.name, job.seconds, job.device, job.start) == ("sun.png", 90.0, "cpu", START)
    assert len(job.frames) == 16
    first_time = (place / "out.mp4").read_bytes()
    assert convert("--overwrite", "--restart", learn="1:30") == 0
    assert said(capsys).splitlines()[0] == "sun.png was learnt before"
    assert len(learners.made) == 1
    assert (place / "out.mp4").read_bytes() == first_time


def test_the_flag_alone_means_a_minute(learners: type[ScriptedLearner]) -> None:
    assert (
        main(["image", "photo.png", "-o", "a.png", "--style", "sun.png", "--device", "cpu", "--learn"]) == 0
    )
    assert learners.made[0].job.seconds == 60


def test_an_image_is_painted_in_what_was_learnt(
    learners: type[ScriptedLearner], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("image", "photo.png", "-o", "a.png") == 0
    kept = next(place.glob("cache/learnt/*/after-5s.safetensors"))
    assert load_checkpoint(kept).training["steps"] == 6
    assert main(["image", "photo.png", "-o", "b.png", "--style", str(kept), "--device", "cpu"]) == 0
    assert (read_image(place / "a.png").pixels == read_image(place / "b.png").pixels).all()
    assert [frame.shape for frame in learners.made[0].job.frames] == [(48, 64, 3)]


@pytest.mark.parametrize(
    ("learn", "words"),
    [
        ("-5", "'-5' is not a valid time"),
        ("0", "expected more than 0 seconds, got 0"),
        ("soon", "'soon' is not a valid time; expected 12.5 or 1:02:03.5"),
        ("nan", "'nan' is not a valid time"),
        ("", "'' is not a valid time"),
    ],
)
def test_times_that_are_none(
    learners: type[ScriptedLearner], capsys: pytest.CaptureFixture[str], learn: str, words: str
) -> None:
    assert convert(learn=learn) == 2
    assert f"error: --learn: {words}" in said(capsys)
    assert learners.made == []


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("starry-night", NO_PAINTING),
        ("sun.png:0.5,starry-night:0.5", ONE_PAINTING),
        ("sun.png:0.5,other.png:0.5", ONE_PAINTING),
        ("sun.png,other.png", ONE_PAINTING),
        ("0:sun.png,2:starry-night", ONE_PAINTING),
        ("gone.png", "gone.png: no such file, so there is nothing to learn"),
    ],
)
@pytest.mark.parametrize(
    "command", ["convert in.mp4 out.mp4", "image photo.png -o a.png", "live --source test"]
)
def test_styles_that_are_no_painting(
    learners: type[ScriptedLearner], capsys: pytest.CaptureFixture[str], style: str, words: str, command: str
) -> None:
    if ":sun" in style and command.startswith("image"):
        words = "images have no times"
    elif ":sun" in style and command.startswith("live"):
        pytest.skip("a live show has no timeline either")
    assert main([*command.split(), "--style", style, "--learn", "5"]) == 2
    assert words in said(capsys)
    assert learners.made == []


@pytest.mark.parametrize("command", ["convert gone.mp4 out.mp4", "image gone.jpg -o a.png"])
def test_what_is_not_there_is_said_before_minutes_are_spent(
    learners: type[ScriptedLearner], capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([*command.split(), "--style", "sun.png", "--learn", "5"]) == 4
    assert "no such file" in said(capsys)
    assert learners.made == []


def test_a_target_that_exists_is_refused_first(learners: type[ScriptedLearner], place: Path) -> None:
    (place / "out.mp4").touch()
    assert convert() == 2
    assert learners.made == []


def test_nothing_is_learnt_for_a_plan(learners: type[ScriptedLearner]) -> None:
    assert convert("--dry-run") == 0
    assert learners.made == []


def test_the_result_alone_is_json(
    learners: type[ScriptedLearner], capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert("--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["done"] == 1
    assert "50 % learnt" in err


def test_notes_are_said(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        first, "Learner", scripted(Note("learning goes on, but is not kept: no room"), *WHOLE)
    )
    assert convert() == 0
    assert "learning goes on, but is not kept: no room\n" in said(capsys)


def test_ctrl_c_while_it_learns(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(first, "Learner", scripted(*WHOLE[:2], KeyboardInterrupt()))
    assert convert() == 130
    assert said(capsys).splitlines()[-3:] == [
        "ending a step, to keep what was learnt",
        "the same command goes on learning from there",
        "interrupted",
    ]
    assert {path.name for path in place.iterdir()} >= {"in.mp4"}
    assert not list(place.glob("*out*"))


def test_a_painting_that_is_interrupted_goes_on_in_the_same_style(
    learners: type[ScriptedLearner],
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from stylize_live.media.encode.encoder import VideoEncoder

    monkeypatch.setattr(segments, "MOST_FRAMES", 20)
    monkeypatch.setattr(VideoEncoder, "encode", interrupted_at(VideoEncoder.encode, 50))
    assert convert() == 130
    assert 40 <= count_kept_frames(place / "out.mp4") < 70
    assert convert() == 0
    assert len(learners.made) == 1
    assert "sun.png was learnt before" in said(capsys)


def interrupted_at(really: Callable[..., object], call: int) -> Callable[..., object]:
    """A function during whose n-th call Ctrl-C is pressed."""
    calls = iter(range(1, 10**6))

    def wrapped(*arguments: object, **options: object) -> object:
        if next(calls) == call:
            signal.raise_signal(signal.SIGINT)
        return really(*arguments, **options)

    return wrapped
