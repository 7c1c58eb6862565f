"""What the exercises work on: a small network with a head called ``fc``, and what is looked at in it."""

from collections import OrderedDict

import torch
from torch import nn


def small_network(*layers: nn.Module, features: int, classes: int = 2) -> nn.Sequential:
    """A small network for images [batch, 3, 2, 2] with a head called ``fc``, as in a ResNet."""
    return nn.Sequential(OrderedDict(body=nn.Sequential(*layers), fc=nn.Linear(features, classes)))


def as_module(network: object) -> nn.Module:
    """The network itself, which is drawn as an input of any kind."""
    assert isinstance(network, nn.Module)  # for mypy
    return network


def state_of(network: nn.Module) -> dict[str, torch.Tensor]:
    """A copy of the network's weights and running means, by name."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def kind_of(came: object) -> object:
    """The kind of what came; nothing and ``...`` as they are, so that a forgotten return and a stub are seen."""
    return came if came is None or came is ... else type(came).__name__


def mode_name(training: bool) -> str:
    """What torch calls the mode."""
    return "train" if training else "eval"
