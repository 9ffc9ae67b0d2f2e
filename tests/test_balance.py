"""The content weight that steers for a content error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from stylize_live.nets.checkpoint import load_checkpoint
from stylize_live.training.balance import ContentBalance
from stylize_live.training.run import Job, train
from stylize_live.training.trainer import Progress

CPU = torch.device("cpu")


@pytest.mark.parametrize("strength", [0.7, 1.0, 1.6])
def test_error_goes_to_the_target(strength: float) -> None:
    """A run in small: the error follows the weight slowly, and less than in proportion."""
    balance, error, errors = ContentBalance(0.55), 0.9, []
    for step in range(500):
        settled = 0.6 * strength * balance.factor**-0.4
        noise = 0.1 * (-1) ** step
        error += 0.03 * (settled - error)
        errors.append(error)
        balance.update(error + noise)
    assert errors[-1] == pytest.approx(0.55, abs=0.03)
    assert min(errors[100:]) > 0.35


@pytest.mark.parametrize(("error", "factor"), [(1e9, 4.0), (0.0, 0.25)])
def test_factor_is_bounded(error: float, factor: float) -> None:
    balance = ContentBalance(0.55)
    for _ in range(1000):
        balance.update(error)
    assert balance.factor == pytest.approx(factor)


def test_goes_on_from_saved_tensors() -> None:
    balance, again, fresh = ContentBalance(0.5), ContentBalance(0.5), ContentBalance(0.5)
    fresh.load(ContentBalance(0.5).tensors())
    for error in (0.9, 0.3, 0.7):
        balance.update(error)
    again.load(balance.tensors())
    for each in (balance, again, fresh):
        each.update(0.8)
    assert again.factor == balance.factor
    first = ContentBalance(0.5)
    first.update(0.8)
    assert fresh.factor == first.factor


def test_resumed_run_with_a_target_equals_an_uninterrupted_one(job: Job) -> None:
    weights: list[float] = []

    def note(progress: Progress) -> None:
        weights.append(progress.terms["content_weight"])

    def interrupt(progress: Progress) -> None:
        if progress.step == 2:
            raise KeyboardInterrupt

    job = replace(job, settings=job.settings.model_copy(update={"content_target": 0.1}))
    train(job, CPU, on_step=note)
    wanted = load_checkpoint(job.target).weights
    assert weights[0] == 5.0
    assert weights[3] != weights[0]
    with pytest.raises(KeyboardInterrupt):
        train(job, CPU, on_step=interrupt)
    assert train(job, CPU, on_step=note).resumed_at == 2
    assert weights[4:] == weights[2:4]
    for name, value in load_checkpoint(job.target).weights.items():
        assert np.array_equal(value, wanted[name])
