"""Predicting: what the model says, and a model that stays as it was."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.data.samples import ImageDataset
from course_lib.training.inference import predict


def test_predict_is_what_the_model_says(small_data: ImageDataset, tiny_model: Callable[[int], nn.Module]) -> None:
    model = tiny_model(2)
    predictions = predict(model, small_data, batch_size=5)
    by_hand = torch.cat([model(small_data[i][0][None]) for i in range(len(small_data))]).softmax(dim=1)
    assert np.allclose(predictions.probabilities, by_hand.detach().numpy(), atol=1e-6)
    assert predictions.labels.tolist() == small_data.labels
    assert predictions.files[0] == small_data.samples[0].path.name


@pytest.mark.parametrize("training", [True, False])
def test_predict_leaves_the_model_in_its_mode(
    small_data: ImageDataset, tiny_model: Callable[[int], nn.Module], training: bool
) -> None:
    model = nn.Sequential(tiny_model(2), nn.Dropout(0.5)).train(training)
    assert np.array_equal(predict(model, small_data).probabilities, predict(model, small_data).probabilities)
    assert model.training == training


def test_a_model_with_another_number_of_classes(
    small_data: ImageDataset, tiny_model: Callable[[int], nn.Module]
) -> None:
    with pytest.raises(ValueError, match=r"The data have 2 classes.*answered with \[32, 3\]\. Build it with classes=2"):
        predict(tiny_model(3), small_data)


class Watched(nn.Module):
    """A model of two classes for images of 32 px, with a convolution of so many dimensions; it writes down batches."""

    def __init__(self, convolution: nn.Module, model: nn.Module) -> None:
        super().__init__()
        self.convolution, self.model, self.seen = convolution, model, list[int]()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(images))
        answer: torch.Tensor = self.model(images)
        return answer


@pytest.mark.parametrize(
    ("convolution", "seen"), [(nn.Conv2d(1, 1, 3), [32]), (nn.Conv3d(1, 1, 3), [4] * 8)], ids=["images", "volumes"]
)
def test_only_a_few_volumes_are_looked_at_together(
    small_data: ImageDataset, tiny_model: Callable[[int], nn.Module], convolution: nn.Module, seen: list[int]
) -> None:
    model = Watched(convolution, tiny_model(2))
    predict(model, small_data)
    assert model.seen == seen
