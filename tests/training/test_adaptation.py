"""A network at home among other images: its batch norms move, its weights and the given model do not."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from course_lib.networks.net import Net
from course_lib.support.errors import TrainingError
from course_lib.training import adaptation
from course_lib.training.adaptation import with_batch_norm_of
from tests.memory_data import MemoryData


def moments(model: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean and the variance that the first batch norm goes by."""
    first = next(layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d))
    assert first.running_mean is not None
    assert first.running_var is not None
    return first.running_mean, first.running_var


def test_the_batch_norm_goes_by_all_of_these_images_and_nothing_else_changes() -> None:
    data, model = MemoryData(40), Net(channels=4)
    before = {name: values.clone() for name, values in model.state_dict().items()}
    adapted = with_batch_norm_of(model, data)
    seen = model.features[0](data.pixels).transpose(0, 1).flatten(1)
    mean, variance = moments(adapted)
    assert torch.allclose(mean, seen.mean(1), atol=1e-5)
    assert torch.allclose(variance, seen.var(1), rtol=1e-4)
    assert all(torch.equal(values, before[name]) for name, values in model.state_dict().items())
    learned = dict(adapted.named_parameters())
    assert all(torch.equal(values, learned[name]) for name, values in model.named_parameters())
    assert (model.training, adapted.training) == (True, False)


def test_labels_play_no_part_and_nor_does_chance() -> None:
    data, swapped, model = MemoryData(12), MemoryData(12), Net(channels=4)
    swapped.samples = swapped.samples[::-1]
    draws = torch.get_rng_state()
    first, second = (with_batch_norm_of(model, images).state_dict() for images in (data, swapped))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(torch.get_rng_state(), draws)


def test_a_model_without_batch_norm_is_refused(tiny_model: Callable[[int], nn.Module]) -> None:
    with pytest.raises(TrainingError, match="has no batch norm that keeps a mean"):
        with_batch_norm_of(tiny_model(2), MemoryData(4))


def test_images_that_come_class_by_class_are_mixed_before_they_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptation, "BATCH", 20)
    data, model = MemoryData(80), Net(channels=4)
    data.pixels += 5.0 * torch.tensor(data.labels).view(-1, 1, 1, 1)  # two classes far apart
    by_class = data.take(sorted(range(80), key=data.labels.__getitem__))
    seen = model.features[0](data.pixels).transpose(0, 1).flatten(1)
    _, variance = moments(with_batch_norm_of(model, by_class))
    assert torch.allclose(variance, seen.var(1), rtol=0.15)


def test_every_image_counts_alike_and_none_is_left_over_for_a_batch_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    data, model = MemoryData(21), Net(channels=4)
    monkeypatch.setattr(adaptation, "BATCH", 20)
    mean, _ = moments(with_batch_norm_of(model, data))
    seen = model.features[0](data.pixels).transpose(0, 1).flatten(1)
    assert torch.allclose(mean, seen.mean(1), rtol=0.05, atol=1e-3)


def test_a_single_image_is_refused() -> None:
    with pytest.raises(TrainingError, match="two images or more, but there are 1"):
        with_batch_norm_of(Net(channels=4), MemoryData(4).take([0]))
