"""Photos in a painting's colors: what training aims at. By hand-made paintings whose colors are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import random_pixels
from torch import Tensor

from stylize_live.training.abstraction import abstract
from stylize_live.training.color_transfer import (
    ColorTransfer,
    PhotoStatistics,
    _main_colors,
    lively_contrast,
    relative_colors,
    transport,
    vivid,
)
from stylize_live.training.dataset import to_tensor
from stylize_live.training.oklab import from_oklab, to_oklab

pytestmark = pytest.mark.timeout(600)  # where others are at work, PyTorch's threads wait for each other


def photo(seed: int) -> Tensor:
    return to_tensor(random_pixels(96, 64, seed))


@pytest.fixture(scope="module")
def statistics() -> PhotoStatistics:
    return PhotoStatistics.of(photo(seed) for seed in range(8))


def painting(dark: tuple[float, ...], light: tuple[float, ...]) -> Tensor:
    """From a dark color to a light one."""
    ramp = torch.linspace(0, 1, 96).expand(1, 1, 64, 96)
    dark_, light_ = (torch.tensor(c).view(1, 3, 1, 1) for c in (dark, light))
    return dark_ + ramp * (light_ - dark_)


NIGHT = painting((0.0, 0.05, 0.3), (1.0, 0.9, 0.2))


@pytest.fixture(scope="module")
def transfer(statistics: PhotoStatistics) -> ColorTransfer:
    return ColorTransfer(NIGHT, statistics)


@pytest.mark.parametrize(
    ("color", "wanted"),  # from Ottosson's page
    [((1.0, 1.0, 1.0), (1.0, 0.0, 0.0)), ((1.0, 0.0, 0.0), (0.628, 0.225, 0.126))],
)
def test_oklab_of_known_colors(color: tuple[float, ...], wanted: tuple[float, ...]) -> None:
    found = to_oklab(torch.tensor(color).view(1, 3, 1, 1)).flatten()
    torch.testing.assert_close(found, torch.tensor(wanted), atol=1e-3, rtol=0)


def test_oklab_and_back() -> None:
    torch.testing.assert_close(from_oklab(to_oklab(photo(0))), photo(0), atol=1e-4, rtol=0)


def test_rank_of_lightness_grows_from_nothing_to_one(statistics: PhotoStatistics) -> None:
    grey = torch.linspace(0, 1, 64).expand(1, 3, 8, 64)
    relative = relative_colors(to_oklab(grey.double()), statistics.lightness)[0, :, 0]
    assert float(relative[0, 0]) == pytest.approx(0, abs=0.05)
    assert float(relative[0, -1]) == pytest.approx(1, abs=0.05)
    assert (relative[0].diff() >= 0).all()
    assert float(relative[1:].abs().max()) < 0.05


def test_moved_points_are_spread_as_the_others_are() -> None:
    generator = torch.Generator().manual_seed(1)
    given = torch.randn(2000, 3, generator=generator)
    wanted = torch.rand(2000, 3, generator=generator) * torch.tensor([4.0, 1.0, 0.5]) + 3
    moved = transport(given, wanted, generator)
    torch.testing.assert_close(moved.mean(0), wanted.mean(0), atol=0.05, rtol=0)
    torch.testing.assert_close(moved.std(0), wanted.std(0), atol=0.05, rtol=0.05)
    # Each by as little as possible: what was left stays left.
    assert torch.corrcoef(torch.stack([given[:, 0], moved[:, 0]]))[0, 1] > 0.9


def test_darks_become_the_paintings_darks_and_lights_its_lights(transfer: ColorTransfer) -> None:
    colored = transfer(photo(3))
    light = to_oklab(photo(3))[0, 0]
    dark, bright = (
        colored[0][:, mask].mean(1) for mask in (light < light.quantile(0.1), light > light.quantile(0.9))
    )
    assert dark[2] > dark[0] + 0.1  # blue
    assert bright[0] > bright[2] + 0.3  # yellow
    assert bright.mean() > dark.mean() + 0.3


def test_a_vivid_painting() -> None:
    pale = painting((0.35, 0.4, 0.45), (0.6, 0.55, 0.5))
    before, after = to_oklab(pale), to_oklab(vivid(pale, 1.5, 1.3))
    assert float(after[:, 0].std() / before[:, 0].std()) == pytest.approx(1.5, abs=0.02)
    assert float(after[:, 0].mean()) == pytest.approx(float(before[:, 0].mean()), abs=0.01)
    wanted = 1.3 * before[:, 1:] - 0.3 * 0.8 * before[:, 1:].mean((2, 3), keepdim=True)
    torch.testing.assert_close(after[:, 1:], wanted, atol=0.005, rtol=0)
    torch.testing.assert_close(vivid(pale, 1, 1), pale, atol=1e-4, rtol=0)


def test_hazy_paintings_get_the_contrast_that_photos_need() -> None:
    grey = painting((0.25,) * 3, (0.75,) * 3)
    contrast = lively_contrast(grey)
    assert 1 < contrast < 2.2
    assert float(to_oklab(vivid(grey, contrast, 1))[:, 0].std()) == pytest.approx(0.27, abs=0.005)


def test_an_even_painting_is_not_torn_apart_and_a_strong_one_is_left() -> None:
    assert lively_contrast(painting((0.499,) * 3, (0.501,) * 3)) == 2.2  # there is nothing to be seen on it
    assert lively_contrast(painting((0.0,) * 3, (1.0,) * 3).round()) == 1.0


def test_stronger_colors_leave_paper_as_it_is_and_print_stand_out() -> None:
    paper, ink = (0.82, 0.78, 0.66), (0.1, 0.2, 0.42)
    print_ = torch.tensor(paper).view(1, 3, 1, 1).repeat(1, 1, 40, 40)
    print_[..., :8] = torch.tensor(ink).view(1, 3, 1, 1)
    before, after = to_oklab(print_)[0, 1:], to_oklab(vivid(print_, 1, 1.6))[0, 1:]
    grown = after.norm(dim=0) / before.norm(dim=0)
    assert float(grown[0, -1]) < float(grown[0, 0]) - 0.1


def test_a_palette_makes_flat_areas_of_few_colors(statistics: PhotoStatistics) -> None:
    colored = to_oklab(ColorTransfer(NIGHT, statistics, palette=3)(photo(3)))[0].flatten(1).T
    free = to_oklab(ColorTransfer(NIGHT, statistics)(photo(3)))[0].flatten(1).T
    main = _main_colors(to_oklab(NIGHT)[0].flatten(1).T, 3).float()

    def near(colors: Tensor) -> float:
        return float((torch.cdist(colors, main).min(1)[0] < 0.06).float().mean())

    assert near(colored) > 0.7
    assert near(free) < 0.45


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_images_of_one_color_stay_of_one(transfer: ColorTransfer, value: float) -> None:
    colored = transfer(torch.full((2, 3, 16, 16), value))
    assert torch.isfinite(colored).all()
    assert float(colored.flatten(2).std(2).max()) < 1e-4
    assert 0 <= float(colored.min()) <= float(colored.max()) <= 1


def test_each_photo_of_a_batch_stands_for_itself(transfer: ColorTransfer) -> None:
    torch.testing.assert_close(
        transfer(torch.cat([photo(1), photo(2)])), torch.cat([transfer(photo(1)), transfer(photo(2))])
    )


def test_abstraction_drops_grain_and_keeps_edges() -> None:
    rng = np.random.default_rng(0)
    edge = np.repeat(np.where(np.arange(64) < 32, 60, 190)[None], 64, 0)
    pixels = np.clip(edge[..., None] + rng.normal(0, 6, (64, 64, 3)), 0, 255).astype(np.uint8)
    found = abstract(pixels).astype(float)
    assert found[:, :28].std() < 0.4 * pixels[:, :28].std()
    assert found[:, 36:].mean() - found[:, :28].mean() == pytest.approx(130, abs=3)
    assert abs(found[:, 33].mean() - found[:, 30].mean()) > 110


def test_lines_are_drawn_on_the_dark_side_of_edges_alone() -> None:
    pixels = np.full((32, 64, 3), 100, np.uint8)
    pixels[:, 32:] = 200
    plain, drawn = (
        abstract(pixels)[16, :, 0].astype(int),
        abstract(pixels, lines=1.0)[16, :, 0].astype(int),
    )
    assert drawn[31] < 20
    assert np.array_equal(drawn[34:], plain[34:])
    assert np.array_equal(drawn[:24], plain[:24])
    fainter = abstract(pixels, lines=0.5)[16, 31, 0]
    assert drawn[31] < fainter < plain[31]
