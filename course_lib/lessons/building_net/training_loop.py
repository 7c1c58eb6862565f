"""Learning from batches: the loss of one, a step that corrects the weights, and an epoch of steps."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake
from course_lib.lessons.building_net.small_networks import (
    Batches,
    draw_batch,
    draw_batches,
    mode_of,
    plain_optimizer,
    small_network,
    weights_of,
)

# 3.4 --- forward, and the loss


def batch_loss(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The mean cross-entropy of one batch, ready for backward()."""
    logits = model(images)
    return F.cross_entropy(logits, labels)


def _draw_network_and_batch(rng: np.random.Generator) -> Inputs:
    return (small_network(), *draw_batch(rng, int(rng.integers(3, 6))))


def _loss_and_gradient(answer: Answer, inputs: Inputs) -> object:
    loss = answer(*inputs)
    return {"the loss": loss, "whether it leads back to the weights": getattr(loss, "requires_grad", False)}


def _softmax_twice(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(model(images).softmax(1), labels)


def _summed(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(model(images), labels, reduction="sum")


def _cut_off(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    return batch_loss(model, images, labels).item()


def _without_log_softmax(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return F.nll_loss(model(images), labels)


def _under_no_grad(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return batch_loss(model, images, labels).detach()


BATCH_LOSS = Exercise(
    "3.4",
    "Forward, and the loss",
    batch_loss,
    hints=(
        "Two steps: what does the network say, and how far is that from the labels?",
        "Calling the network, model(images), gives the logits, of shape [batch, classes].",
        "F.cross_entropy takes logits and labels, does the softmax itself, and gives the mean over the batch.",
        "return F.cross_entropy(model(images), labels)",
    ),
    mistakes=(
        Mistake(_softmax_twice, "The softmax comes twice: cross_entropy takes the logits and does it itself."),
        Mistake(_summed, "That is the sum over the batch. The mean keeps its size whatever the batch size is."),
        Mistake(_cut_off, "A plain number has forgotten where it came from. Return the tensor; backward() needs it."),
        Mistake(_without_log_softmax, "nll_loss wants log-probabilities, these are logits: take cross_entropy."),
        Mistake(_under_no_grad, "Inside no_grad, or after detach(), nothing leads back to the weights."),
    ),
    draw=_draw_network_and_batch,
    observe=_loss_and_gradient,
    cases=8,
)

# 3.5 --- one training step


def train_step(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, optimizer: torch.optim.Optimizer) -> float:
    """Correct the weights once; gives the batch's loss before the correction."""
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.item()


def _draw_training(rng: np.random.Generator) -> Inputs:
    model, images, labels = _draw_network_and_batch(rng)
    return model, images, labels, plain_optimizer(model)


def _two_steps(answer: Answer, inputs: Inputs) -> object:
    first, before = answer(*inputs), weights_of(inputs[0])
    second, after = answer(*inputs), weights_of(inputs[0])
    return {
        "the first loss": first,
        "the weights after one step": before,
        "the weights after two steps": after,
        "the second loss": second,
    }


def _gradients_add_up(
    model: nn.Module, images: torch.Tensor, labels: torch.Tensor, optimizer: torch.optim.Optimizer
) -> float:
    loss = F.cross_entropy(model(images), labels)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.item()


def _no_backward(
    model: nn.Module, images: torch.Tensor, labels: torch.Tensor, optimizer: torch.optim.Optimizer
) -> float:
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


def _step_before_backward(
    model: nn.Module, images: torch.Tensor, labels: torch.Tensor, optimizer: torch.optim.Optimizer
) -> float:
    loss = F.cross_entropy(model(images), labels)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.item()


def _keeps_the_graph(
    model: nn.Module, images: torch.Tensor, labels: torch.Tensor, optimizer: torch.optim.Optimizer
) -> torch.Tensor:
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss


TRAIN_STEP = Exercise(
    "3.5",
    "One training step",
    train_step,
    hints=(
        "Four things: the loss, away with the old gradients, the new gradients, the step.",
        "optimizer.zero_grad(), loss.backward() and optimizer.step(), each once. Which must come before which?",
        "backward() adds to the gradients that are there, and step() uses what is there.",
        "loss = F.cross_entropy(model(images), labels), then zero_grad, backward, step, and return loss.item()",
    ),
    mistakes=(
        Mistake(
            _gradients_add_up,
            "The second step still has the gradients of the first: backward() adds up. Call optimizer.zero_grad().",
        ),
        Mistake(
            _no_backward,
            "The weights did not move. loss.backward() computes the gradients, and optimizer.step() after it uses "
            "them: one is missing, or the gradients were cleared in between.",
        ),
        Mistake(
            _step_before_backward,
            "The weights move one call too late: step() comes before backward(), so it uses old gradients.",
        ),
        Mistake(_keeps_the_graph, "Return a plain number, loss.item(): the tensor keeps the whole graph in memory."),
    ),
    draw=_draw_training,
    observe=_two_steps,
    cases=8,
)

# 3.6 --- one epoch


def train_one_epoch(
    model: nn.Module, batches: list[tuple[torch.Tensor, torch.Tensor]], optimizer: torch.optim.Optimizer
) -> float:
    """Correct the weights after each batch; gives the mean loss per image."""
    model.train()
    total, images_seen = 0.0, 0
    for images, labels in batches:
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += loss.item() * len(labels)
        images_seen += len(labels)
    return total / images_seen


def _draw_epoch(rng: np.random.Generator) -> Inputs:
    model = small_network().eval()
    return model, draw_batches(rng), plain_optimizer(model)


def _epoch(answer: Answer, inputs: Inputs) -> object:
    loss = answer(*inputs)
    return {
        "the weights after the epoch": weights_of(inputs[0]),
        "the mean loss": loss,
        "the mode of the network, which was eval": mode_of(inputs[0]),
    }


def _losses(model: nn.Module, batches: Batches, optimizer: torch.optim.Optimizer) -> list[float]:
    model.train()
    return [train_step(model, images, labels, optimizer) for images, labels in batches]


def _mean_of_means(model: nn.Module, batches: Batches, optimizer: torch.optim.Optimizer) -> float:
    return sum(_losses(model, batches, optimizer)) / len(batches)


def _divided_by_batches(model: nn.Module, batches: Batches, optimizer: torch.optim.Optimizer) -> float:
    images = sum(len(labels) for _, labels in batches)
    return train_one_epoch(model, batches, optimizer) * images / len(batches)


def _divided_by_images(model: nn.Module, batches: Batches, optimizer: torch.optim.Optimizer) -> float:
    return sum(_losses(model, batches, optimizer)) / sum(len(labels) for _, labels in batches)


def _last_loss(model: nn.Module, batches: Batches, optimizer: torch.optim.Optimizer) -> float:
    return _losses(model, batches, optimizer)[-1]


def _stays_in_eval_mode(model: nn.Module, batches: Batches, optimizer: torch.optim.Optimizer) -> float:
    loss = train_one_epoch(model, batches, optimizer)
    model.eval()
    return loss


TRAIN_ONE_EPOCH = Exercise(
    "3.6",
    "One epoch",
    train_one_epoch,
    hints=(
        "Put the network into training mode. Then a loop over the batches, with your step from 3.5 inside.",
        "The last batch is smaller than the others. Should its images count for more?",
        "A batch's loss is a mean: times len(labels) it is the sum over the batch. Add up the sums, and the images.",
        "total += loss.item() * len(labels) and images_seen += len(labels); at the end return total / images_seen",
    ),
    mistakes=(
        Mistake(_mean_of_means, "That is per batch. The last batch is smaller, so weigh each loss by its images."),
        Mistake(_divided_by_batches, "You added up over images, so divide by the number of images, not of batches."),
        Mistake(_divided_by_images, "Each batch's loss is a mean already: times len(labels) before you add it up."),
        Mistake(_last_loss, "That is the loss of the last batch. Add up over all batches, weighed by their images."),
        Mistake(_stays_in_eval_mode, "After a validation the network is in eval mode: begin with model.train()."),
    ),
    draw=_draw_epoch,
    observe=_epoch,
    cases=8,
)
