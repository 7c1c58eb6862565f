"""The two looks before a training: they tell the sound from the broken, and leave the network alone."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.networks.net import Net
from course_lib.support.errors import TrainingError
from course_lib.training import learning_rate, one_batch
from course_lib.training.config import TrainConfig
from course_lib.training.learning_rate import find_learning_rate
from course_lib.training.loop import fit
from course_lib.training.one_batch import overfit_one_batch
from tests.memory_data import MemoryData

CONFIG = TrainConfig(epochs=1, batch_size=16)
DATA = MemoryData(80, contrast=1.0)


class Detached(Net):
    """A network with a typical mistake: its answer is cut off from its parameters, so that no gradient reaches them."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(images).detach().requires_grad_()


@pytest.mark.slow
def test_the_learning_rate_found_trains_best() -> None:
    torch.manual_seed(0)
    before = copy.deepcopy((net := Net()).state_dict())
    sweep = find_learning_rate(net, DATA, CONFIG)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert 1e-4 < sweep.suggestion < 0.3
    assert len(sweep.rates) == len(sweep.losses) == len(sweep.smoothed) <= learning_rate.SWEEP_STEPS
    assert np.abs(np.diff(sweep.smoothed)).max() < np.abs(np.diff(sweep.losses)).max()
    steps = [math.log(later / earlier) for earlier, later in zip(sweep.rates, sweep.rates[1:], strict=False)]
    assert steps == pytest.approx([math.log(1e7) / 99] * len(steps))
    assert find_learning_rate(net, DATA, CONFIG) == sweep
    reached = {}
    for rate in (sweep.suggestion, sweep.suggestion / 1000):
        (learner := Net()).load_state_dict(before)
        reached[rate] = fit(learner, DATA, DATA, replace(CONFIG, learning_rate=rate)).validation_loss[0]
    assert min(reached, key=lambda rate: reached[rate]) == sweep.suggestion
    assert str(sweep).startswith(f"learning rate {sweep.suggestion:.1e}")


def test_a_sweep_ends_where_the_loss_runs_away() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2))
    sweep = find_learning_rate(model, DATA, replace(CONFIG, optimizer="sgd"), highest=1e4)
    assert len(sweep.rates) < learning_rate.SWEEP_STEPS
    assert sweep.rates[-1] < 1e4
    assert all(math.isfinite(loss) for loss in sweep.losses)


def test_a_network_that_can_not_learn_has_no_learning_rate() -> None:
    with pytest.raises(TrainingError, match=r"fell at none of 100 learning rates.*overfit_one_batch"):
        find_learning_rate(Detached(dropout=0), DATA, CONFIG)


def test_images_that_are_no_numbers_are_named_as_the_reason() -> None:
    data = MemoryData(64)
    data.pixels.fill_(torch.nan)
    with pytest.raises(TrainingError, match="loss of the first batch is not a number"):
        find_learning_rate(Net(), data, TrainConfig())


def test_a_sound_network_knows_one_batch_by_heart() -> None:
    before = copy.deepcopy((net := Net()).state_dict())
    check = overfit_one_batch(net, DATA, replace(CONFIG, learning_rate=3e-3))
    assert check.passed
    assert check.losses[0] == pytest.approx(math.log(2), rel=1e-3)
    assert str(check).startswith("✓ the network learns one batch by heart: its loss goes from 0.69 to 0.0")
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("model", [Detached(), nn.Sequential(Net(), nn.Softmax(dim=1))])
def test_what_does_not_learn_one_batch_is_told_why(model: nn.Module) -> None:
    check = overfit_one_batch(model, DATA, replace(CONFIG, learning_rate=1e-2), steps=30)
    assert not check.passed
    assert "✗ the network does not learn one batch by heart" in str(check)
    assert "softmax before the loss" in str(check)


def test_the_batch_has_every_class() -> None:
    one_sick = DATA.take([*range(0, 40, 2), 1])
    batch = one_batch._batch_of_every_class(one_sick, CONFIG)
    assert sorted({one_sick.labels[i] for i in batch.tolist()}) == [0, 1]
    assert len(batch) == 9
