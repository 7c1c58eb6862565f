"""What a network costs: parameters, operations for one image, and both when only its last stages learn."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from course_lib.networks.freezing import freeze, stages, unfreeze
from course_lib.networks.modes import evaluating

OPERATIONS_PER_MULTIPLY_ADD = 2  #: as torch's counter takes them


def count_parameters(model: nn.Module, *, trainable_only: bool = False) -> int:
    """How many numbers the model holds; with ``trainable_only``, how many of them training may change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable_only)


def gflops(model: nn.Module, size: int | tuple[int, ...]) -> float:
    """Billions of multiply-adds for one square image of ``size`` px: what papers and torchvision list as GFLOPs.

    Of another input, ``size`` is its shape, channels first. A multiplication and the addition that follows it count as
    one. Each layer is left in the mode it was in.
    """
    shape = (3, size, size) if isinstance(size, int) else size
    device = next(model.parameters()).device
    with evaluating(model), torch.no_grad(), _counter() as counter:
        model(torch.zeros(1, *shape, device=device))
    return _billions_of_multiply_adds(counter)


@dataclass(frozen=True)
class Unfrozen:
    """What it costs to train the last stages of a network."""

    stages: tuple[str, ...]  #: the names of those that learn
    parameters: int  #: that training may change
    gflops: float  #: of a step for one image, counted as in `gflops`: forward, and back as far as something learns


def costs_of_unfreezing(model: nn.Module, size: int) -> list[Unfrozen]:
    """What it costs if the last stage of a network learns, the last two, and so on to all; for images of ``size`` px.

    The model is left as it was.
    """
    network, costs = copy.deepcopy(model).eval(), []
    image = torch.zeros(1, 3, size, size, device=next(network.parameters()).device)
    for last in range(1, len(stages(network)) + 1):
        freeze(network)
        names = unfreeze(network, last=last)
        with _counter() as counter:
            network(image).sum().backward()
        parameters = count_parameters(network, trainable_only=True)
        costs.append(Unfrozen(tuple(names), parameters, _billions_of_multiply_adds(counter)))
    return costs


def _counter() -> FlopCounterMode:
    """Torch's counter, but for the way back through a convolution: torch overlooks that channels may be in groups."""
    return FlopCounterMode(display=False, custom_mapping={torch.ops.aten.convolution_backward: _backward_operations})


def _backward_operations(grad_out: list[int], x: list[int], weight: list[int], *more: Any, **_: Any) -> int:
    """What the gradients of a convolution's input and weights take: each, if it is asked for, as much as the output."""
    transposed, asked = more[-4], more[-1]
    forward: int = conv_flop_count(x, weight, grad_out, transposed=transposed)
    return forward * int(sum(asked[:2]))


def _billions_of_multiply_adds(counter: FlopCounterMode) -> float:
    operations: int = counter.get_total_flops()
    return operations / OPERATIONS_PER_MULTIPLY_ADD / 1e9
