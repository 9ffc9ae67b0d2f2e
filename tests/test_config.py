"""Settings: one definition, three origins, clear refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from places import ROOT
from pydantic import BaseModel

from stylize_live.config import ConvertSettings, LiveSettings, StudioSettings, WindowSettings, merge_config
from stylize_live.errors import ConfigError

CONFIGS = ROOT / "configs"


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "x.toml"
    path.write_text(text)
    return path


def test_flag_wins_over_file_over_default(tmp_path: Path) -> None:
    file = toml(tmp_path, "strength = 0.5\nmirror = true\n")
    settings = merge_config(LiveSettings(strength=0.9), file)
    assert (settings.strength, settings.mirror, settings.fps) == (0.9, True, 30)


def test_a_flag_equal_to_the_default_still_wins(tmp_path: Path) -> None:
    assert merge_config(LiveSettings(fps=30), toml(tmp_path, "fps = 60")).fps == 30


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strenght = 1", "did you mean 'strength'"),
        ("qqq = 1", "known keys"),
        ("strength = 2", "less than or equal to 1"),
        ('crf = "many"', "integer"),
        ("= broken", "not valid TOML"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        merge_config(ConvertSettings(), toml(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_mark_before_the_first_letter(tmp_path: Path) -> None:
    """Windows' own editor writes one."""
    (tmp_path / "a.toml").write_text('style = "great-wave"\n', encoding="utf-8-sig")
    assert merge_config(LiveSettings(), tmp_path / "a.toml").style == "great-wave"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        merge_config(LiveSettings(), tmp_path / "no.toml")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda p: p.name)
def test_shipped_configs_load(path: Path) -> None:
    model = ConvertSettings if path.name.startswith("convert") else WindowSettings
    assert merge_config(model(), path) != model()


def test_there_are_configs() -> None:
    assert list(CONFIGS.glob("*.toml"))


@pytest.mark.parametrize("model", [WindowSettings, StudioSettings, ConvertSettings])
def test_every_setting_explains_itself(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        assert field.description, name
