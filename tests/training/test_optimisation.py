"""What a configuration asks for is what torch does: schedules, losses, gradients, groups."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import InceptionOutputs

from course_lib.networks.backbones import resnet18_classifier
from course_lib.networks.freezing import freeze, unfreeze
from course_lib.networks.net import Net
from course_lib.support.errors import TrainingError
from course_lib.tasks.classification import balanced_weights, classification_loss
from course_lib.training.config import TrainConfig
from course_lib.training.optimisation import make_optimizer, make_schedule, precision_on

LOGITS = torch.tensor([[2.0, -1.0], [0.5, 0.5], [-1.0, 3.0]], dtype=torch.float64)
LABELS = torch.tensor([0, 0, 1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"weight_decay": -1.0}, "weight_decay must not be negative"),
        ({"patience": 0}, "patience must be None or at least 1"),
        ({"seed": -1}, "seed must not be negative"),
        ({"optimizer": "adam"}, r"optimizer must be one of \('adamw', 'sgd'\)"),
        ({"schedule": "step"}, r"schedule must be one of \('constant', 'cosine', 'one-cycle'\)"),
        ({"gradient_clip": 0.0}, "gradient_clip must be None or above 0"),
        ({"label_smoothing": 1.0}, "label_smoothing must be from 0"),
        ({"class_weights": "even"}, "class_weights must be 'balanced' or None"),
        ({"stage_factor": 0.0}, "stage_factor must be above 0"),
    ],
)
def test_a_configuration_that_makes_no_sense(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"{message}.*Got TrainConfig"):
        TrainConfig(**changes)  # type: ignore[arg-type]


def rates(config: TrainConfig, steps: int) -> list[float]:
    optimizer = make_optimizer(nn.Linear(2, 2), config)
    schedule, found = make_schedule(optimizer, config, steps), []
    for _ in range(steps):
        found.append(optimizer.param_groups[-1]["lr"])
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize("steps", [1, 2, 3, 40])
def test_schedules_are_those_of_the_papers(steps: int) -> None:
    config, at = TrainConfig(learning_rate=0.1), np.arange(steps) / steps
    assert rates(config, steps) == [0.1] * steps
    np.testing.assert_allclose(rates(replace(config, schedule="cosine"), steps), 0.05 * (1 + np.cos(np.pi * at)))
    one_cycle = rates(replace(config, schedule="one-cycle"), steps)
    assert len(one_cycle) == steps
    if steps == 40:
        assert one_cycle[0] == pytest.approx(0.1 / 25)
        assert int(np.argmax(one_cycle)) == 11
        assert max(one_cycle) == pytest.approx(0.1)
        assert one_cycle[-1] == pytest.approx(0.1 / 25 / 1e4)


def test_balanced_weights_let_classes_count_alike() -> None:
    weights = balanced_weights([0, 0, 0, 1], ["NORMAL", "PNEUMONIA"])
    assert torch.allclose(weights * torch.tensor([3, 1]), torch.tensor(2.0))
    with pytest.raises(TrainingError, match="images of every class, but PNEUMONIA has none among the 2"):
        balanced_weights([0, 0], ["NORMAL", "PNEUMONIA"])


def test_the_loss_by_hand() -> None:
    weights = torch.tensor([0.75, 1.5], dtype=torch.float64)
    log_p = LOGITS - LOGITS.exp().sum(dim=1, keepdim=True).log()
    smooth = 0.9 * F.one_hot(LABELS, 2) + 0.05
    by_hand = -(smooth * log_p * weights).sum() / weights[LABELS].sum()
    assert classification_loss(LOGITS, LABELS, weights, 0.1).item() == pytest.approx(by_hand.item())
    both = classification_loss(InceptionOutputs(LOGITS, LOGITS), LABELS, weights, 0.1)
    assert both.item() == pytest.approx(1.4 * by_hand.item())


def test_gradients_are_those_of_finite_differences() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Softplus(), nn.Flatten(), nn.Linear(8, 2)).double()
    images, names = torch.randn(3, 3, 4, 4, dtype=torch.float64), [name for name, _ in net.named_parameters()]
    weights = torch.tensor([0.75, 1.5], dtype=torch.float64)

    def loss(*parameters: torch.Tensor) -> torch.Tensor:
        output = torch.func.functional_call(net, dict(zip(names, parameters, strict=True)), images)
        return classification_loss(output, LABELS, weights, 0.1)

    assert torch.autograd.gradcheck(loss, tuple(net.parameters()))


def test_each_stage_learns_slower_than_the_next() -> None:
    config = TrainConfig(stage_factor=0.1, learning_rate=1.0)
    model = resnet18_classifier(2, weights=None)
    groups = make_optimizer(model, config).param_groups
    assert [group["lr"] for group in groups] == pytest.approx([1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0])
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))
    freeze(model)
    unfreeze(model, last=2)
    assert [group["lr"] for group in make_optimizer(model, config).param_groups] == pytest.approx([0.1, 1.0])


def test_a_parameter_of_no_stage_learns_too() -> None:
    net = Net()
    net.register_parameter("scale", nn.Parameter(torch.ones(1)))
    groups = make_optimizer(net, TrainConfig(optimizer="sgd", stage_factor=0.5)).param_groups
    assert any(p is net.scale for p in groups[0]["params"])


@pytest.mark.parametrize(
    ("device", "bf16", "expected"),
    [("cuda", True, torch.bfloat16), ("cuda", False, torch.float16), ("mps", True, torch.float32)],
)
def test_precision_is_what_the_device_has(
    monkeypatch: pytest.MonkeyPatch, device: str, bf16: bool, expected: torch.dtype
) -> None:
    supported: Callable[..., bool] = lambda including_emulation=True: bf16  # noqa: ARG005, E731
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert precision_on(torch.device(device), TrainConfig(mixed_precision=True)) == expected
    assert precision_on(torch.device(device), TrainConfig()) == torch.float32
