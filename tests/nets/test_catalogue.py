"""Shipped styles: all there, all of one base, and mixable."""

from __future__ import annotations

import pytest
import torch

from stylize_live.engine.style_loading import load_style
from stylize_live.engine.timeline import Timeline
from stylize_live.errors import StyleError
from stylize_live.nets.architecture import FULL_BRIGHTNESS
from stylize_live.nets.catalogue import style_shares
from stylize_live.nets.checkpoint import load_checkpoint
from stylize_live.nets.style_folders import BASE, shipped_names


def test_shipped_names() -> None:
    names = shipped_names()
    assert names == sorted(names)
    assert {"desert", "great-wave", "starry-night", "the-scream", "udnie"} <= set(names)
    assert BASE.stem not in names


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_style_is_described_and_measured(name: str) -> None:
    style = load_style(name)
    assert style.info.name == name
    assert style.info.artist
    assert style.architecture == load_checkpoint(BASE).architecture
    # Figures of two kinds of features, which cannot be compared: how styles look is not read off them.
    assert style.training["features"]
    assert style.training["style_error"] > 0
    assert style.training["content_error"] > 0
    assert style.training["photos_measured"] >= 2


@pytest.mark.parametrize("name", shipped_names())
def test_bold_styles_add_nothing_of_the_photo_and_have_a_faithful_end(name: str) -> None:
    style = load_style(name)
    is_bold = style.weights["brightness"].tolist() == [0.0]
    assert is_bold == (style.faithful is not None)
    assert is_bold or style.weights["brightness"].tolist() == [FULL_BRIGHTNESS]


def test_blend_lies_between_its_parts() -> None:
    mixed = load_style("starry-night:3, the-scream:1")
    first, second = load_style("starry-night"), load_style("the-scream")
    for name, value in mixed.weights.items():
        torch.testing.assert_close(value, 0.75 * first.weights[name] + 0.25 * second.weights[name])


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        (r"C:\a.safetensors,great-wave", {r"C:\a.safetensors": 1.0, "great-wave": 1.0}),
        (r"C:\a.safetensors:0.6, D:/b.safetensors:0.4", {r"C:\a.safetensors": 0.6, "D:/b.safetensors": 0.4}),
        (r"great-wave:2,C:\styles\mine", {"great-wave": 2.0, r"C:\styles\mine": 1.0}),
        (r"C:a.safetensors,great-wave:0.5", {"C:a.safetensors": 1.0, "great-wave": 0.5}),
        (r"C:\a.safetensors", {r"C:\a.safetensors": 1.0}),
        (r"C:\a.jpg:0.6, D:b.PNG, great-wave", {r"C:\a.jpg": 0.6, "D:b.PNG": 1.0, "great-wave": 1.0}),
        ("my painting.webp", {"my painting.webp": 1.0}),
    ],
)
def test_the_letter_of_a_drive_is_no_style(text: str, shares: dict[str, float]) -> None:
    assert style_shares(text) == shares


def test_a_drive_in_a_timeline() -> None:
    found = Timeline.parse(r"0:C:\a.safetensors,12.5:D:\b.safetensors@0.3")
    assert found.styles == (r"C:\a.safetensors", r"D:\b.safetensors")
    assert found.boldness == (None, 0.3)


@pytest.mark.parametrize(
    "text", ["starry-night:x,the-scream", "starry-night:-1,the-scream", "starry-night:,"]
)
def test_blend_needs_positive_shares(text: str) -> None:
    with pytest.raises(StyleError):
        load_style(text)
