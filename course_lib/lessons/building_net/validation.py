"""Measuring on other patients after each epoch, and keeping the best weights."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake
from course_lib.lessons.building_net.small_networks import Batches, draw_batches, mode_of, small_network, weights_of

# 3.7 --- validation


def validate(model: nn.Module, batches: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """The mean loss per image, in eval mode and without gradients; the network's mode is afterwards as before."""
    was_training = model.training
    model.eval()
    total, images_seen = 0.0, 0
    with torch.no_grad():
        for images, labels in batches:
            total += F.cross_entropy(model(images), labels, reduction="sum").item()
            images_seen += len(labels)
    model.train(was_training)
    return total / images_seen


def _draw_validation(rng: np.random.Generator) -> Inputs:
    return small_network(nn.Dropout(0.5)).train(bool(rng.integers(2))), draw_batches(rng)


def _validation(answer: Answer, inputs: Inputs) -> object:
    model, seen = inputs[0], set()
    assert isinstance(model, nn.Module)  # for mypy
    mode = mode_of(model)
    model.register_forward_hook(lambda *_: seen.add((mode_of(model), torch.is_grad_enabled())))
    loss = answer(*inputs)
    return {
        "the mode while it computes": " and ".join(sorted({mode for mode, _ in seen})),
        "whether gradients are recorded": any(recorded for _, recorded in seen),
        "the mean loss": loss,
        f"the mode afterwards, which was {mode}": mode_of(model),
    }


def _in_training_mode(model: nn.Module, batches: Batches) -> float:
    model.train()
    with torch.no_grad():
        losses = [F.cross_entropy(model(images), labels, reduction="sum").item() for images, labels in batches]
    return sum(losses) / sum(len(labels) for _, labels in batches)


def _in_any_mode(model: nn.Module, batches: Batches) -> float:
    with torch.no_grad():
        losses = [F.cross_entropy(model(images), labels, reduction="sum").item() for images, labels in batches]
    return sum(losses) / sum(len(labels) for _, labels in batches)


def _leaves_eval(model: nn.Module, batches: Batches) -> float:
    model.eval()
    return validate(model, batches)


def _leaves_training(model: nn.Module, batches: Batches) -> float:
    loss = validate(model, batches)
    model.train()
    return loss


def _records_gradients(model: nn.Module, batches: Batches) -> float:
    was_training = model.training
    model.eval()
    losses = [F.cross_entropy(model(images), labels, reduction="sum").item() for images, labels in batches]
    model.train(was_training)
    return sum(losses) / sum(len(labels) for _, labels in batches)


def _mean_of_validation_means(model: nn.Module, batches: Batches) -> float:
    return sum(validate(model, [batch]) for batch in batches) / len(batches)


VALIDATE = Exercise(
    "3.7",
    "Validation",
    validate,
    hints=(
        "Like an epoch, but nothing is corrected. Which two things does the network do differently in training mode?",
        "model.eval() switches dropout and batch norm over. with torch.no_grad(): saves time and memory.",
        "Remember model.training at the start, and give it back at the end with model.train(was_training).",
        "was_training = model.training; model.eval(); the loop inside with torch.no_grad(); model.train(was_training)",
    ),
    mistakes=(
        Mistake(_in_training_mode, "In training mode dropout still throws features away: call model.eval() first."),
        Mistake(_in_any_mode, "You take the mode as it is. Dropout must be off for a validation: model.eval()."),
        Mistake(_leaves_eval, "The network stays in eval mode. Training on would lack dropout: restore the mode."),
        Mistake(
            _leaves_training, "You switch to training mode whatever it was. Remember model.training and restore it."
        ),
        Mistake(_records_gradients, "Nobody calls backward() here: with torch.no_grad(): saves time and memory."),
        Mistake(
            _mean_of_validation_means, "That is per batch. The last batch is smaller, so weigh each loss by its images."
        ),
    ),
    draw=_draw_validation,
    observe=_validation,
)

# 3.8 --- the best weights


def keep_best(
    model: nn.Module, epochs: int, train: Callable[[nn.Module], None], measure: Callable[[nn.Module], float]
) -> float:
    """Train for some epochs; the model ends with the weights of the lowest validation loss, which is returned."""
    best_loss = float("inf")
    for _ in range(epochs):
        train(model)
        loss = measure(model)
        if loss < best_loss:
            best_loss, best_weights = loss, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)
    return best_loss


def _draw_epochs(rng: np.random.Generator) -> Inputs:
    best, second, third, fourth, worst = sorted(rng.choice(np.arange(200, 700), 5, replace=False) / 1000)
    losses = [float(loss) for loss in (fourth, best, worst, second, third)][int(rng.integers(2)) :]
    return nn.Linear(2, 1), len(losses), add_1_to_all_weights, _measured(losses)


def add_1_to_all_weights(model: nn.Module) -> None:
    """A training that can be followed; like an optimizer it changes the weights in place."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)


def _measured(losses: list[float]) -> Callable[[nn.Module], float]:
    remaining = iter(losses)

    def measure(_: nn.Module) -> float:
        return next(remaining)

    measure.__name__ = f"a function that gives {', '.join(map(str, losses))}"
    return measure


def _kept(answer: Answer, inputs: Inputs) -> object:
    model = inputs[0]
    start = weights_of(model)
    loss = answer(*inputs)
    epoch = round(float((weights_of(model) - start).mean()), 3)  # each epoch added 1
    return {
        "the loss that is returned": loss,
        "the epoch whose weights the network has": int(epoch) if epoch.is_integer() else epoch,
    }


def _keeps_a_view(
    model: nn.Module, epochs: int, train: Callable[[nn.Module], None], measure: Callable[[nn.Module], float]
) -> float:
    best_loss = float("inf")
    for _ in range(epochs):
        train(model)
        loss = measure(model)
        if loss < best_loss:
            best_loss, best_weights = loss, model.state_dict()
    model.load_state_dict(best_weights)
    return best_loss


def _keeps_the_worst(
    model: nn.Module, epochs: int, train: Callable[[nn.Module], None], measure: Callable[[nn.Module], float]
) -> float:
    return -keep_best(model, epochs, train, lambda network: -measure(network))


def _better_than_the_last(
    model: nn.Module, epochs: int, train: Callable[[nn.Module], None], measure: Callable[[nn.Module], float]
) -> float:
    kept, last = float("inf"), float("inf")
    for _ in range(epochs):
        train(model)
        loss = measure(model)
        if loss < last:
            kept, best_weights = loss, copy.deepcopy(model.state_dict())
        last = loss
    model.load_state_dict(best_weights)
    return kept


def _returns_the_last_loss(
    model: nn.Module, epochs: int, train: Callable[[nn.Module], None], measure: Callable[[nn.Module], float]
) -> float:
    losses: list[float] = []

    def noted(network: nn.Module) -> float:
        losses.append(measure(network))
        return losses[-1]

    keep_best(model, epochs, train, noted)
    return losses[-1]


def _from_zero(
    model: nn.Module, epochs: int, train: Callable[[nn.Module], None], measure: Callable[[nn.Module], float]
) -> float:
    for _ in range(epochs):
        train(model)
        measure(model)
    return 0.0


def _from_zero_with_the_first_weights(
    model: nn.Module, epochs: int, train: Callable[[nn.Module], None], measure: Callable[[nn.Module], float]
) -> float:
    return _from_zero(copy.deepcopy(model), epochs, train, measure)


def _from_zero_without_weights(
    model: nn.Module, epochs: int, train: Callable[[nn.Module], None], measure: Callable[[nn.Module], float]
) -> float:
    best_loss = 0.0
    for _ in range(epochs):
        train(model)
        if (loss := measure(model)) < best_loss:
            best_loss, best_weights = loss, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)
    return best_loss


NEVER_BELOW = "No loss is below your start: begin with float('inf')."

KEEP_BEST = Exercise(
    "3.8",
    "The best weights",
    keep_best,
    hints=(
        "In each epoch: train(model), then loss = measure(model). Is it the lowest loss so far?",
        "If it is, keep the loss, and a copy of model.state_dict().",
        "state_dict() shows the living weights, and they go on changing. copy.deepcopy makes a copy that stays.",
        "best_loss, best_weights = loss, copy.deepcopy(model.state_dict()); after the loop "
        "model.load_state_dict(best_weights)",
    ),
    mistakes=(
        Mistake(
            _keeps_a_view,
            "The model still has the weights of the last epoch. Either they were not loaded (model.load_state_dict; "
            "model = … only gives a name to another), or what you kept was no copy: copy.deepcopy(model.state_dict()).",
        ),
        Mistake(_keeps_the_worst, "That is the epoch with the highest loss. Lower is better."),
        Mistake(_better_than_the_last, "You compare with the epoch before. Compare with the best of all so far."),
        Mistake(_returns_the_last_loss, "The weights are right, but that is the last loss. Return the lowest one."),
        Mistake(_from_zero, NEVER_BELOW),
        Mistake(_from_zero_with_the_first_weights, NEVER_BELOW),
        Mistake(
            _from_zero_without_weights,
            "The line needs a name that has no value yet. If it is the weights: no loss was below your start, so none "
            "were kept. Begin with float('inf').",
        ),
    ),
    draw=_draw_epochs,
    observe=_kept,
    cases=8,
)
