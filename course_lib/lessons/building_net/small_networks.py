"""What the exercises of the loop work on: a network of one layer, small batches, a plain optimizer."""

import numpy as np
import torch
from torch import nn

Batches = list[tuple[torch.Tensor, torch.Tensor]]


class PlainSGD(torch.optim.Optimizer):
    """Steps as torch.optim.SGD does. Torch's own loads a compiler when first used, longer than a check may take."""

    def __init__(self, model: nn.Module, learning_rate: float) -> None:
        self.param_groups = [{"params": list(model.parameters()), "lr": learning_rate}]

    def zero_grad(self, set_to_none: bool = True) -> None:  # noqa: ARG002  # torch's signature
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        for parameter in self.param_groups[0]["params"]:
            if parameter.grad is not None:
                parameter -= self.param_groups[0]["lr"] * parameter.grad


def small_network(*first: nn.Module) -> nn.Sequential:
    """A small network for images of 2 x 2 px and two classes."""
    return nn.Sequential(nn.Flatten(), *first, nn.Linear(12, 2))


def draw_batch(rng: np.random.Generator, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """So many images of 2 x 2 px with labels 0 or 1, at random."""
    images = torch.from_numpy(rng.normal(size=(size, 3, 2, 2))).float()
    return images, torch.from_numpy(rng.integers(2, size=size))


def draw_batches(rng: np.random.Generator) -> Batches:
    """Two batches of four, and a smaller one."""
    return [draw_batch(rng, size) for size in (4, 4, int(rng.integers(1, 3)))]


def plain_optimizer(model: object) -> torch.optim.Optimizer:
    """An optimizer of the model's weights that does nothing but step downhill."""
    assert isinstance(model, nn.Module)  # for mypy
    return PlainSGD(model, learning_rate=0.5)


def weights_of(model: object) -> torch.Tensor:
    """A copy of all weights in one row."""
    assert isinstance(model, nn.Module)  # for mypy
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()]).clone()


def mode_of(model: object) -> str:
    """``"train"`` or ``"eval"``, the mode of the model."""
    assert isinstance(model, nn.Module)  # for mypy
    return "train" if model.training else "eval"
