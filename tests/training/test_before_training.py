"""What can not work is said before the first epoch, in a sentence that names what to change."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import ImageDataset
from course_lib.data.transforms import Preprocessing
from course_lib.networks.net import Net
from course_lib.support.errors import DataError, TrainingError
from course_lib.tasks.classification import Classification
from course_lib.training import loop
from course_lib.training.backbone_comparison import compare_backbones
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit
from tests.memory_data import MemoryData
from tests.training.test_every_task import outlines

CONFIG = TrainConfig(epochs=1, batch_size=8)
TRAIN, VALIDATION = MemoryData(24), MemoryData(12, seed=1)


class BegunError(Exception):
    """The checks have let a training pass."""


@pytest.fixture(autouse=True)
def no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is refused here is refused before anything is trained."""

    def begin(*_: object, **__: object) -> float:
        raise BegunError

    monkeypatch.setattr(loop, "train_one_epoch", begin)


def with_task(data: MemoryData, *classes: str) -> MemoryData:
    other = copy.copy(data)
    other.task = Classification(classes)
    return other


def of_shape(*shape: int) -> MemoryData:
    other = copy.copy(VALIDATION)
    other.pixels = torch.zeros(12, *shape)
    return other


def test_validation_images_have_the_same_classes_in_the_same_order() -> None:
    swapped = with_task(VALIDATION, "PNEUMONIA", "NORMAL")
    with pytest.raises(
        TrainingError,
        match=r"training images are for .*\('NORMAL', 'PNEUMONIA'\).*\('PNEUMONIA', 'NORMAL'\).*same order",
    ):
        fit(Net(), TRAIN, swapped, CONFIG)
    with pytest.raises(TrainingError, match="same classes in the same order"):
        compare_backbones(TRAIN, swapped, "Noise", ["resnet18"], weights=None, config=CONFIG)


def test_validation_images_are_for_the_same_task() -> None:
    train, validation, network = outlines((24, 20))
    with pytest.raises(TrainingError, match="Both must be for the same task"):
        fit(network, train, MemoryData(8), CONFIG)
    validation.task = copy.deepcopy(validation.task)
    with pytest.raises(BegunError):
        fit(network, train, validation, CONFIG)


def test_there_is_a_validation_image() -> None:
    with pytest.raises(TrainingError, match=r"There is no validation image.*Add some patients"):
        fit(Net(), TRAIN, VALIDATION.take([]), CONFIG)


@pytest.mark.parametrize("shape", [(3, 48, 48), (1, 32, 32), (3, 32, 33), (32, 32)])
def test_validation_images_have_the_same_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(TrainingError, match=r"have the shape \[3, 32, 32\], the validation images \[.*in the same way"):
        fit(Net(), TRAIN, of_shape(*shape), CONFIG)


def test_outlines_may_be_judged_at_another_size() -> None:
    train, _, network = outlines((24, 20))
    _, larger, _ = outlines((32, 28))
    with pytest.raises(BegunError):
        fit(network, train, larger, CONFIG)
    larger.images = larger.images.expand(-1, 2, -1, -1)
    with pytest.raises(TrainingError, match=r"\[1, 24, 20\], the validation images \[2, 32, 28\]"):
        fit(network, train, larger, CONFIG)


def test_a_first_layer_that_writes_into_its_images_is_found(small_data: ImageDataset) -> None:
    """`predict` hands over channels that share their memory; training itself, a copy of them."""
    cached = PixelCache(small_data.samples, small_data.classes, Preprocessing(size=32))
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(3 * 32 * 32, 2))
    with pytest.raises(TrainingError, match=r"first layer writes into its images.*inplace=False"):
        fit(model, cached, cached, CONFIG)


@pytest.mark.parametrize("number_type", ["float64", "float16", "bfloat16"])
def test_a_model_in_another_precision_is_told_so(number_type: str) -> None:
    model = Net().to(getattr(torch, number_type))
    trials: list[Callable[[], object]] = [lambda: fit(model, TRAIN, VALIDATION, CONFIG), lambda: predict(model, TRAIN)]
    for trial in trials:
        with pytest.raises(
            TrainingError, match=rf"numbers of the type {number_type}, .*model\.float\(\).*mixed_precision"
        ):
            trial()


def test_images_in_another_precision_are_told_so() -> None:
    double = copy.copy(TRAIN)
    double.pixels = TRAIN.pixels.double()
    for pair in ((double, VALIDATION), (TRAIN, double)):
        with pytest.raises(TrainingError, match=r"images are float64, expected float32"):
            fit(Net(), *pair, CONFIG)


@pytest.mark.parametrize("label", [-1, 2, 5, -100])
def test_a_label_that_is_no_class_is_refused_with_its_file(label: int) -> None:
    wrong = copy.copy(VALIDATION)
    wrong.samples = tuple(copy.copy(sample) for sample in VALIDATION.samples)
    object.__setattr__(wrong.samples[3], "label", label)
    for pair in ((wrong, VALIDATION), (TRAIN, wrong)):
        with pytest.raises(DataError, match=rf"1 of 12 images \({wrong.samples[3].path}\) have {label}\. Correct"):
            fit(Net(), *pair, CONFIG)
    with pytest.raises(DataError, match=rf"\({wrong.samples[3].path}\) have {label}\."):
        predict(Net(), wrong)


def test_a_network_that_answers_nan_is_refused_with_files() -> None:
    model: Any = Net()
    with torch.no_grad():
        model.head[2].bias.fill_(torch.nan)
    with pytest.raises(
        TrainingError, match=rf"answer to 12 of 12 images is not a number \({VALIDATION.samples[0].path}, "
    ):
        predict(model, VALIDATION)
    train, _, network = outlines((24, 20))
    with torch.no_grad():
        next(network.parameters()).fill_(torch.nan)
    with pytest.raises(TrainingError, match=r"answer to 40 of 40 images is not a number \(0\.png, 1\.png, 2\.png, …\)"):
        predict(network, train)
