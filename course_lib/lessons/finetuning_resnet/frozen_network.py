"""Working with a frozen network: the features it gives, and the batch norms that must not move."""

import numpy as np
import torch
from torch import nn
from torchvision.models import ResNet

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake
from course_lib.lessons.finetuning_resnet.small_networks import as_module, kind_of, mode_name, small_network, state_of

# 4.4 --- features


def features_of(network: ResNet, images: torch.Tensor) -> torch.Tensor:
    """What the head, ``network.fc``, would be given; the network is afterwards as it was."""
    head, was_training = network.fc, network.training
    network.fc = nn.Identity()
    network.eval()
    with torch.no_grad():
        values = network(images)
    network.fc = head
    network.train(was_training)
    return values


def _draw_network_and_images(rng: np.random.Generator) -> Inputs:
    features = int(rng.integers(3, 6))
    network = small_network(nn.Flatten(), nn.Linear(12, features), nn.BatchNorm1d(features), features=features)
    images = torch.from_numpy(rng.normal(2, 1, size=(3, 3, 2, 2))).float()
    return network.train(bool(rng.integers(2))), images


def _seen_features(answer: Answer, inputs: Inputs) -> object:
    network = as_module(inputs[0])
    before, mode = state_of(network), network.training
    came = answer(*inputs)
    after = state_of(network)
    return {
        "the features": came,
        "whether they record gradients": getattr(came, "requires_grad", None),
        "the head afterwards": type(network.fc).__name__,
        "whether the weights and running means are as they were": before.keys() == after.keys()
        and all(torch.equal(after[name], value) for name, value in before.items()),
        f"the mode afterwards, which was {mode_name(mode)}": mode_name(network.training),
    }


def _logits(network: ResNet, images: torch.Tensor) -> object:
    was_training = network.training
    network.eval()
    with torch.no_grad():
        values = network(images)
    network.train(was_training)
    return values


def _head_is_gone(network: ResNet, images: torch.Tensor) -> object:
    values = features_of(network, images)
    network.fc = nn.Identity()
    return values


def _in_training_mode(network: ResNet, images: torch.Tensor) -> object:
    was_training, head = network.training, network.fc
    network.fc = nn.Identity()
    network.train()
    with torch.no_grad():
        values = network(images)
    network.fc = head
    network.train(was_training)
    return values


def _in_any_mode(network: ResNet, images: torch.Tensor) -> object:
    head = network.fc
    network.fc = nn.Identity()
    with torch.no_grad():
        values = network(images)
    network.fc = head
    return values


def _with_gradients(network: ResNet, images: torch.Tensor) -> object:
    was_training, head = network.training, network.fc
    network.fc = nn.Identity()
    network.eval()
    values = network(images)
    network.fc = head
    network.train(was_training)
    return values


def _stays_in_eval(network: ResNet, images: torch.Tensor) -> object:
    network.eval()
    return features_of(network, images)


FEATURES = Exercise(
    "4.4",
    "Features",
    features_of,
    hints=(
        "The features are what goes into the head. What would the network give if its head did nothing at all?",
        "nn.Identity() is a layer that gives back what it gets. Keep the real head in a variable meanwhile.",
        "In eval mode and with torch.no_grad(), as in a validation. At the end: the head and the mode as they were.",
        "head, was_training = network.fc, network.training; network.fc = nn.Identity(); network.eval(); values = "
        "network(images) under torch.no_grad(); network.fc = head; network.train(was_training)",
    ),
    mistakes=(
        Mistake(_logits, "These are the logits, which come out of the head. Features are what goes into it."),
        Mistake(_head_is_gone, "The network has lost its head. Put it back when you have the features."),
        Mistake(
            _in_training_mode, "In training mode batch norm goes by these images, and keeps a memory of them: eval()."
        ),
        Mistake(_in_any_mode, "You take the mode as it is. In training mode batch norm changes: call network.eval()."),
        Mistake(_with_gradients, "The features remember how they were made. Compute them with torch.no_grad():"),
        Mistake(_stays_in_eval, "The network stays in eval mode. Remember network.training, and restore it."),
    ),
    draw=_draw_network_and_images,
    observe=_seen_features,
    cases=20,
)

# 4.6 --- batch norm in a frozen network


def begin_training(network: nn.Module) -> nn.Module:
    """The same network, all of it in training mode apart from batch norms whose weights are frozen."""
    network.train()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d) and not layer.weight.requires_grad:
            layer.eval()
    return network


def _draw_half_frozen_network(rng: np.random.Generator) -> Inputs:
    stages = [nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.BatchNorm2d(3)) for _ in range(3)]
    frozen = rng.permutation([True, False, bool(rng.integers(2))])
    for stage, still in zip(stages, frozen, strict=True):
        stage.requires_grad_(not still)
    network = small_network(*stages, nn.Flatten(), nn.Dropout(0.5), features=12)
    return (network.train(bool(rng.integers(2))),)


def _modes(answer: Answer, inputs: Inputs) -> object:
    network = as_module(inputs[0])
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    still = [not norm.weight.requires_grad for norm in norms]
    learning = [name for name, p in network.named_parameters() if p.requires_grad]
    came = answer(*inputs)
    (dropout,) = (layer for layer in network.modules() if isinstance(layer, nn.Dropout))
    return {
        "what is returned": kind_of(came),
        "the modes of the frozen batch norms": [mode_name(n.training) for n, s in zip(norms, still, strict=True) if s],
        "the modes of those that learn": [mode_name(n.training) for n, s in zip(norms, still, strict=True) if not s],
        "the mode of dropout": mode_name(dropout.training),
        "the parameters that may change": [n for n, p in network.named_parameters() if p.requires_grad],
    } | ({} if learning else {"nothing learns": True})


def _train_alone(network: nn.Module) -> nn.Module:
    network.train()
    return network


def _eval_alone(network: nn.Module) -> nn.Module:
    network.eval()
    return network


def _every_batch_norm(network: nn.Module) -> nn.Module:
    network.train()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
    return network


def _the_wrong_ones(network: nn.Module) -> nn.Module:
    network.train()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.weight.requires_grad:
            layer.eval()
    return network


def _frozen_once_more(network: nn.Module) -> nn.Module:
    network.train()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.requires_grad_(False)
    return network


def _whatever_does_not_learn(network: nn.Module) -> nn.Module:
    network.train()
    for layer in network.modules():
        if not any(parameter.requires_grad for parameter in layer.parameters()):
            layer.eval()
    return network


BEGIN_TRAINING = Exercise(
    "4.6",
    "Batch norm in a frozen network",
    begin_training,
    hints=(
        "network.train() switches every layer. Which layers must then be switched back?",
        "network.modules() goes through all layers; isinstance(layer, nn.BatchNorm2d) finds the batch norms.",
        "A batch norm is frozen if its layer.weight has requires_grad False. layer.eval() holds its memory still.",
        "network.train(); for layer in network.modules(): if isinstance(layer, nn.BatchNorm2d) and not "
        "layer.weight.requires_grad: layer.eval(); and at the end return network",
    ),
    mistakes=(
        Mistake(
            _train_alone,
            "The frozen batch norms are in training mode. network.train() switches all; call their eval() after it.",
        ),
        Mistake(_eval_alone, "Now nothing is in training mode: dropout is off, and what should learn stands still."),
        Mistake(_every_batch_norm, "A batch norm that learns must stay in training mode. Ask for its requires_grad."),
        Mistake(
            _whatever_does_not_learn,
            "Dropout has no parameters, so none of them learns, and you switched it off. Ask for nn.BatchNorm2d.",
        ),
        Mistake(_the_wrong_ones, "That is the wrong way round: frozen ones to eval, learning ones to train."),
        Mistake(
            _frozen_once_more,
            "Freezing parameters does not stop the running mean and variance. eval() does, and it freezes nothing.",
        ),
    ),
    draw=_draw_half_frozen_network,
    observe=_modes,
)
