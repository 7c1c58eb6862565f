"""One loop for all tasks: outlines and boxes are trained, predicted, kept and taken up again like classes."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from course_lib.networks.detector import HeatmapDetector
from course_lib.networks.unet import UNet
from course_lib.support.errors import TrainingError
from course_lib.tasks.classification import Classification
from course_lib.tasks.detection import Detection
from course_lib.tasks.segmentation import Segmentation
from course_lib.training import loop
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.learning_rate import find_learning_rate
from course_lib.training.loop import fit
from course_lib.training.one_batch import overfit_one_batch
from course_lib.training.parallel import predict_together
from tests.tasks.scenes import scenes
from tests.tasks.some_samples import NamedSample, samples

CONFIG = TrainConfig(epochs=3, batch_size=8, learning_rate=3e-3, gradient_clip=5.0)


@dataclass
class Memory:
    """Images in memory with targets of any task; fits `ImageData`."""

    task: Any
    images: torch.Tensor
    targets: Any
    samples: list[NamedSample] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = [f"{i}.png" for i in range(len(self.images))]
        spacing = (1.0,) * (self.images.ndim - 2)
        self.samples = self.samples or samples([f"p{i // 2}" for i in range(len(names))], names, spacing)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def patients(self) -> list[str]:
        return [sample.patient for sample in self.samples]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        return self.images[indices].to(device)

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, Any]:
        chosen = indices.tolist()
        if isinstance(self.targets, torch.Tensor):
            return self.inputs(indices, device), self.targets[chosen].to(device)
        return self.inputs(indices, device), [self.targets[i] for i in chosen]

    def take(self, indices: Any) -> Self:
        chosen = list(indices)
        targets = self.targets[chosen] if isinstance(self.targets, torch.Tensor) else [self.targets[i] for i in chosen]
        return type(self)(self.task, self.images[chosen], targets, [self.samples[i] for i in chosen])


def outlines(size: tuple[int, ...]) -> tuple[Memory, Memory, nn.Module]:
    """A bright ball in noise, in 2-D or 3-D."""
    random = torch.Generator().manual_seed(0)
    middle = torch.rand(60, len(size), generator=random) * 0.4 + 0.3
    axes = torch.stack(torch.meshgrid(*[torch.linspace(0, 1, side) for side in size], indexing="ij"))
    away = (axes - middle.view(60, -1, *[1] * len(size))).square().sum(1).sqrt()
    targets = (away < 0.28).long()
    images = targets[:, None] * 1.5 + 0.4 * torch.randn(60, 1, *size, generator=random)
    task = Segmentation(("background", "ball"))
    torch.manual_seed(0)
    network = UNet(2, dimensions=len(size), depth=2, width=8)
    return Memory(task, images[:40], targets[:40]), Memory(task, images[40:], targets[40:]), network


def boxes() -> tuple[Memory, Memory, nn.Module]:
    """Up to three bright or dark boxes in noise."""
    task = Detection(("bright", "dark"))
    torch.manual_seed(0)
    return Memory(task, *scenes(120, seed=1)), Memory(task, *scenes(30, seed=2)), HeatmapDetector(2, width=8)


def test_three_classes_are_learned_one_against_the_rest(tmp_path: Path) -> None:
    task = Classification(("dark", "middle", "bright"))

    def shades(images: int, seed: int) -> Memory:
        labels = torch.arange(images) % 4 % 3  # the first class is twice as frequent
        noise = 0.3 * torch.randn(images, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
        named = samples([f"p{i}" for i in range(images)], [f"{i}.png" for i in range(images)])
        named = [replace(sample, target=label) for sample, label in zip(named, labels.tolist(), strict=True)]
        return Memory(task, noise + labels.view(-1, 1, 1, 1), labels, named)

    train, validation = shades(120, 0), shades(60, 1)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    config = replace(CONFIG, epochs=40, learning_rate=1e-2, class_weights="balanced")
    history = fit(network, train, validation, config, checkpoint=tmp_path / "run.pt")
    predictions = predict(network, validation)
    assert history.score_name == "AUROC"
    expected = roc_auc_score(predictions.labels, predictions.probabilities, multi_class="ovr", average="macro")
    assert history.validation_score[history.best_epoch] == pytest.approx(expected)
    assert expected > 0.9
    assert task.score(task.baseline(predictions)) == 0.5
    assert overfit_one_batch(network, train, config).passed
    assert "AUROC" in str(history)


def test_outlines_are_learned(tmp_path: Path) -> None:
    train, validation, network = outlines((24, 20))
    history = fit(network, train, validation, CONFIG, checkpoint=tmp_path / "run.pt")
    assert history.score_name == "Dice"
    assert history.validation_score[history.best_epoch] > 0.9
    predictions = predict(network, validation)
    assert validation.task.score(predictions) == history.validation_score[history.best_epoch]
    assert validation.task.loss_of(predictions) == pytest.approx(history.validation_loss[history.best_epoch])
    assert predictions.files[3] == "3.png"
    assert validation.task.score(validation.task.baseline(predictions)) < 0.8


@pytest.mark.slow
def test_volumes_are_learned_like_images() -> None:
    train, validation, network = outlines((12, 12, 10))
    history = fit(network, train, validation, CONFIG)
    assert history.validation_score[history.best_epoch] > 0.8


@pytest.mark.slow
def test_boxes_are_learned() -> None:
    train, validation, network = boxes()
    history = fit(network, train, validation, TrainConfig(epochs=5, batch_size=8, learning_rate=3e-3))
    predictions = predict(network, validation)
    assert history.score_name == "FROC"
    assert validation.task.score(predictions) > 0.6
    assert validation.task.score(validation.task.baseline(predictions)) < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("make", [lambda: outlines((24, 20)), boxes], ids=["outlines", "boxes"])
def test_an_interrupted_training_goes_on_to_the_same_bits(make: Any, tmp_path: Path) -> None:
    train, validation, whole = make()
    fit(whole, train, validation, CONFIG)
    *_, first = make()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "predict_together", _interrupting_after(1, predict_together))
        assert len(fit(first, train, validation, CONFIG, checkpoint=tmp_path / "run.pt")) == 1
    *_, second = make()
    fit(second, train, validation, CONFIG, checkpoint=tmp_path / "run.pt")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def _interrupting_after(epochs: int, judge: Any) -> Any:
    calls = []

    def interrupted(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) > epochs:
            raise KeyboardInterrupt
        return judge(*arguments, **named)

    return interrupted


@pytest.mark.slow
def test_the_looks_before_a_training_work_for_outlines() -> None:
    train, _, network = outlines((24, 20))
    assert overfit_one_batch(network, train, TrainConfig(batch_size=8, learning_rate=3e-3)).passed
    sweep = find_learning_rate(network, train, TrainConfig(batch_size=20))
    assert 1e-5 < sweep.suggestion < 1


def test_a_network_for_another_task_is_refused_before_the_first_step() -> None:
    train, validation, _ = outlines((24, 20))
    with pytest.raises(ValueError, match=r"Build it with labels=2"):
        fit(UNet(3, depth=2, width=8), train, validation, CONFIG)
    with pytest.raises(TrainingError, match=r"not for segmentation.*class_weights=None"):
        fit(UNet(2, depth=2, width=8), train, validation, TrainConfig(batch_size=8, class_weights="balanced"))
