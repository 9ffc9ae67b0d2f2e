"""What `train` says while it works, where its output goes to a file."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from stylize_live.cli import train_display
from stylize_live.cli.app import main
from stylize_live.cli.console import stderr
from stylize_live.cli.train_display import TrainDisplay, time_left
from stylize_live.training.trainer import Progress

PLAN = "about 400 steps in 10 minutes here"


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, verbose: bool) -> list[str]:
    """A run of ten minutes with a step each 1.5 seconds, as far as it is after 75 seconds."""
    now = 0.0
    monkeypatch.setattr(train_display, "monotonic", lambda: now)
    with TrainDisplay("sunset", Path("sunset-report.html"), verbose=verbose) as display:
        display.note(PLAN)
        for step in range(1, 51):
            now = 1.5 * step
            display.step(Progress(step, now, now / 600, {"style": 1.25}, left=600 - now))
        display.note("measuring the result on 12 photos")
    captured = capsys.readouterr()
    assert not captured.out
    return list(captured.err.splitlines())


def test_how_far_how_long_and_where_to_look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(monkeypatch, capsys, verbose=False) == [
        "progress report: sunset-report.html",
        "  0% trained, about 10 minutes left",
        "  5% trained, about 10 minutes left",
        " 10% trained, about 9 minutes left",
        "measuring the result on 12 photos",
    ]


def test_losses_and_plan_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = said(monkeypatch, capsys, verbose=True)
    assert lines[:2] == [PLAN, "progress report: sunset-report.html"]
    assert " 12% trained, about 9 minutes left  step 50  style 1.250" in lines


@pytest.mark.parametrize("width", [60, 80])
def test_losses_take_no_room_from_what_is_left(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    terms = {"style": 16.265, "content": 0.911, "color": 0.029, "pixels": 0.038, "steady": 0.001}
    monkeypatch.setattr(type(stderr), "width", width)
    console = Console(width=width, file=StringIO())
    with TrainDisplay("sunset", Path("sunset-report.html"), verbose=True) as display:
        display.step(Progress(106, 75.0, 0.125, terms, left=525.0))
        console.print(display._bar.get_renderable())
    shown = console.file.getvalue()
    bar, *losses = shown.splitlines()
    assert bar.startswith("sunset ")
    assert bar.rstrip().endswith("12 % about 9 minutes left")
    assert " ".join(" ".join(losses).split()) == (
        "step 106 style 16.265 content 0.911 color 0.029 pixels 0.038 steady 0.001"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "nearly done"),
        (3, "about 10 seconds left"),
        (88, "about 90 seconds left"),
        (91, "about 2 minutes left"),
        (3000, "about 50 minutes left"),
    ],
)
def test_time_left_as_people_say_it(seconds: float, words: str) -> None:
    assert time_left(seconds) == words


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nope.jpg"], "nope.jpg: no such file"),  # and no photos are there, either
        (["nope.jpg", "--start", "stary-nigt"], "nope.jpg: no such file"),
        (["there.jpg", "nope.jpg", "-o", "x.safetensors"], "nope.jpg: no such file"),
        (["there.jpg", "--name", "starry-night"], "the name 'starry-night' is taken"),
        (["there.jpg"], "no photos to practise on"),
    ],
)
def test_the_first_error_is_about_what_was_typed_first(
    words: list[str],
    message: str,
    tmp_path: Path,
    own_styles: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platformdirs.user_pictures_path", lambda: tmp_path / "none")
    (tmp_path / "there.jpg").write_bytes(b"?")
    assert main(["train", *words]) != 0
    assert message in capsys.readouterr().err
