"""Values that would take minutes, gigabytes or the program: refused at once, in a short line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from stylize_live import config
from stylize_live.cli.app import main
from stylize_live.config import (
    BenchSettings,
    ConvertSettings,
    LiveSettings,
    Settings,
    StudioSettings,
    WindowSettings,
    merge_config,
)
from stylize_live.conversion.queue import plan_jobs
from stylize_live.engine.timeline import Timeline
from stylize_live.errors import ConfigError, StyleError, UsageError
from stylize_live.evaluation.settings import EvaluationSettings
from stylize_live.nets.catalogue import style_path, style_shares
from stylize_live.studio.messages import Message, SettingChanges
from stylize_live.training.settings import TrainSettings
from stylize_live.units import fit_size, parse_rate, parse_seconds

pytestmark = pytest.mark.timeout(30)  # what is computed before it is refused would take hours

HUGE = [
    "1e100000000",
    "1e-100000000",
    "0/0",
    "1/0",
    "inf",
    "-inf",
    "nan",
    "9" * 100_000,
    "1/" + "9" * 5_000,
    "0x" + "f" * 5_000,
    "\0",
    "1_000",
    "--5",
]
ALL_SETTINGS: list[type[BaseModel]] = [
    EvaluationSettings,
    BenchSettings,
    SettingChanges,
    ConvertSettings,
    LiveSettings,
    Message,
    StudioSettings,
    TrainSettings,
    WindowSettings,
]
NUMBERS = [
    (model, name)
    for model in ALL_SETTINGS
    for name, field in model.model_fields.items()
    if any(kind in str(field.annotation) for kind in ("int", "float")) and "dict" not in str(field.annotation)
]


@pytest.mark.parametrize("text", HUGE, ids=lambda text: repr(text[:12]))
def test_no_time_rate_or_size(text: str) -> None:
    for read in (parse_seconds, parse_rate, lambda text: fit_size(text, (16, 9))):
        with pytest.raises(ValueError, match="is not a valid ") as caught:
            read(text)
        assert len(str(caught.value)) < 200
    with pytest.raises(StyleError) as refused:
        Timeline.parse(f"0:a,{text}:b")
    assert len(str(refused.value)) <= 600


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.5", Fraction(25, 2)),
        ("1e3", 1000),
        ("1e-05", Fraction(1, 100_000)),
        ("1/3", Fraction(1, 3)),
        ("5.", 5),
    ],
)
def test_times_as_before(text: str, value: Fraction) -> None:
    assert parse_seconds(text) == value


@pytest.mark.parametrize(("model", "name"), NUMBERS, ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300, 10**400], ids=str)
def test_numbers_of_settings_have_ends(model: type[BaseModel], name: str, value: float) -> None:
    with pytest.raises(ValidationError):
        model(**{name: value})


def test_settings_have_one_root() -> None:
    for model in ALL_SETTINGS:
        assert issubclass(model, Settings)


@pytest.mark.parametrize(
    "content",
    [
        "crf = " + "9" * 5_000,
        "crf = 0x" + "f" * 5_000,
        "crf = 1e400",
        "crossfade = inf",
        "crossfade = nan",
        "crossfade = 1e300",
        "start = 1e100000000",
        "fps = inf",
        'start = "1e100000000"',
        'style = "a\\u0000b"',
        f'style = "{"a," * 10_000}"',
        "crf = " + "[" * 50_000,
        "a" + ".a" * 50_000 + " = 1",
        f"# {'x' * (1 << 20)}",
        '"a"' + ' . "a"' * 8_000 + " = 1",
        "[a" + ".a" * 20_000 + "]",
        "a = {a" + ".a" * 20_000 + " = 1}",
        f"{'x' * 100_000} = 1",
        f'crf = "{"x" * 100_000}"',
    ],
    ids=lambda content: content[:24],
)
def test_configurations(content: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        merge_config(ConvertSettings(), path)
    assert len(str(caught.value)) <= 600
    assert str(caught.value).startswith(str(path))


def test_endless_configurations_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.toml"
    path.write_text("#" * 100, encoding="utf-8")
    monkeypatch.setattr(config, "_MOST_BYTES", 99)
    with pytest.raises(ConfigError, match="more than 99 bytes"):
        merge_config(ConvertSettings(), path)


@pytest.mark.parametrize(
    "pattern",
    [
        "{stem:>99999999999}",
        "{stem!r}",
        "{stem.__class__}",
        "{0}",
        "{}",
        "{stem[0]}",
        "{style:{stem}}",
        "{nobody}",
    ],
)
def test_patterns_hold_names_alone(pattern: str) -> None:
    with pytest.raises(UsageError, match="not a valid pattern"):
        plan_jobs([Path("a.mp4")], pattern + ".mp4", style="x")
    (job,) = plan_jobs([Path("a.mp4")], "{{{stem}}}-{style}{suffix}", style="x")
    assert job.target == Path("{a}-x.mp4")


@pytest.mark.parametrize("share", ["1e400", "1e-400", "nan", "inf", "-1", "0", "1e300"])
def test_blends(share: str) -> None:
    with pytest.raises(StyleError, match="positive share"):
        style_shares(f"a:{share},b:1")


@pytest.mark.parametrize(
    "name", ["x" * 100_000, "a\0b", "\ud800", "\x1b[2J"], ids=lambda name: repr(name[:6])
)
def test_names_that_no_style_has(name: str) -> None:
    with pytest.raises(StyleError) as caught:
        style_path(name)
    assert len(str(caught.value)) <= 600
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "words",
    [
        ["convert", "no.mp4", "o.mp4", "--start", "1e100000000"],
        ["convert", "no.mp4", "o.mp4", "--crf", "1e100000000"],
        ["convert", "no.mp4", "o.mp4", "--crf", "9" * 100_000],
        ["convert", "no.mp4", "o.mp4", "--crossfade", "inf"],
        ["convert", "no.mp4", "o.mp4", "--fps", "0/0"],
        ["live", "--duration", "nan"],
        ["live", "--duration", "1e100000000"],
        ["evaluate", "--steadiness", "no.mp4", "--amount", "nan"],
        ["evaluate", "--steadiness", "no.mp4", "--frames", "9" * 400],
        ["train", "no.jpg", "--seed", "9" * 400],
        ["bench", "--seconds", "inf"],
        ["export", "starry-night", "--boldness", "nan", "-o", "out.onnx"],
    ],
    ids=lambda words: " ".join(words)[:60],
)
def test_command_lines(
    words: list[str], tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert len(said) < 700
    assert not list(tmp_path.iterdir())
