"""The exercises and questions of notebook 03, Building Net: shapes, convolution, and the loop in five small steps."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Lesson, Mistake
from course_lib.exercises.questions import Option, Question

Batches = list[tuple[torch.Tensor, torch.Tensor]]

# 3.1 --- the size after a convolution


def output_size(size: int, kernel: int, stride: int, padding: int) -> int:
    """Height or width after a convolution."""
    return (size + 2 * padding - kernel) // stride + 1


def _draw_sizes(rng: np.random.Generator) -> Inputs:
    return int(rng.integers(16, 65)), int(rng.integers(2, 8)), int(rng.choice([1, 2, 2, 3])), int(rng.integers(1, 4))


def _padding_once(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + padding - kernel) // stride + 1


def _no_first_position(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + 2 * padding - kernel) // stride


def _rounded_up(size: int, kernel: int, stride: int, padding: int) -> int:
    return -((kernel - size - 2 * padding) // stride) + 1


def _true_division(size: int, kernel: int, stride: int, padding: int) -> float:
    return (size + 2 * padding - kernel) / stride + 1


def _without_brackets(size: int, kernel: int, stride: int, padding: int) -> int:
    return size - kernel + 2 * padding // stride + 1


def _one_more_pixel(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + 2 * padding - kernel + 1) // stride


def _without_padding(size: int, kernel: int, stride: int, padding: int) -> int:  # noqa: ARG001  # the mistake
    return output_size(size, kernel, stride, 0)


def _without_stride(size: int, kernel: int, stride: int, padding: int) -> int:  # noqa: ARG001  # the mistake
    return output_size(size, kernel, 1, padding)


OUTPUT_SIZE = Exercise(
    "3.1",
    "The size after a convolution",
    output_size,
    hints=(
        "Draw a row of 5 pixels and slide a kernel of 3 along it. In how many places can it stand?",
        "Padding makes the row longer on both sides. How far can the kernel's left edge then travel?",
        "The left edge travels size + 2 * padding - kernel pixels, in steps of stride. And it has a place before "
        "its first step.",
        "return (size + 2 * padding - kernel) // stride + 1",
    ),
    mistakes=(
        Mistake(_padding_once, "Padding is added on both sides, so it counts twice."),
        Mistake(_no_first_position, "You counted the steps. The place where the kernel starts counts too: one more."),
        Mistake(_rounded_up, "A last step that does not fit is left out: round down with //."),
        Mistake(_true_division, "There is no part of a pixel: // divides and rounds down, / does not."),
        Mistake(
            _without_brackets, "// comes before + and -, so it divides the padding only. Put brackets around the sum."
        ),
        Mistake(_one_more_pixel, "The 1 is a place, not a pixel: add it after the division."),
        Mistake(_without_padding, "The padding does not count yet. It makes the row longer on both sides."),
        Mistake(
            _without_stride, "The stride does not count yet: with steps of 2 there are only about half the places."
        ),
    ),
    draw=_draw_sizes,
)

# 3.2 --- a convolution by hand


def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """What a convolution layer computes for one channel, without padding: the kernel is not flipped."""
    height = image.shape[0] - kernel.shape[0] + 1
    width = image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            patch = image[row : row + kernel.shape[0], column : column + kernel.shape[1]]
            result[row, column] = (patch * kernel).sum()
    return result


def _draw_image_and_kernel(rng: np.random.Generator) -> Inputs:
    image = rng.integers(0, 10, size=(4, rng.integers(4, 7))).astype(float)
    kernel = rng.integers(-6, 7, size=(2, rng.integers(2, 4))) / 2
    return image, kernel + np.eye(*kernel.shape)


def _flipped(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return convolve(image, kernel[::-1, ::-1])


def _one_too_few(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return convolve(image, kernel)[:-1, :-1]


def _one_too_many(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    result = np.zeros((image.shape[0] - kernel.shape[0] + 2, image.shape[1] - kernel.shape[1] + 2))
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            patch = image[row : row + kernel.shape[0], column : column + kernel.shape[1]]
            result[row, column] = (patch * kernel).sum()
    return result


def _as_large_as_the_image(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    result = np.zeros_like(image)
    valid = convolve(image, kernel)
    result[: valid.shape[0], : valid.shape[1]] = valid
    return result


def _mean_instead_of_sum(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return convolve(image, kernel) / kernel.size


def _cut_to_whole_numbers(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return convolve(image, kernel).astype(int)


CONVOLUTION = Exercise(
    "3.2",
    "A convolution by hand",
    convolve,
    hints=(
        "How many places are there for the kernel's upper left corner? Exercise 3.1 with stride 1 and padding 0.",
        "Make an array of zeros of that size. Two loops, over its rows and its columns, fill it.",
        "In each place: cut the patch under the kernel out of the image, multiply it by the kernel, element by "
        "element, and add up.",
        "result[row, column] = (image[row : row + kernel.shape[0], column : column + kernel.shape[1]] * kernel).sum()",
    ),
    mistakes=(
        Mistake(
            _flipped,
            "Your kernel is flipped. That is the convolution of mathematics; networks leave the kernel as it is.",
        ),
        Mistake(_one_too_few, "The last row and column are missing: there are image - kernel + 1 places, not fewer."),
        Mistake(_one_too_many, "One row and column too many: there the kernel sticks out of the image."),
        Mistake(_as_large_as_the_image, "Without padding the result is smaller than the image: image - kernel + 1."),
        Mistake(_mean_instead_of_sum, "That is the mean of the products. A convolution adds them up."),
        Mistake(
            _cut_to_whole_numbers,
            "An array with dtype=int cuts off what follows the point. np.zeros makes floats by itself.",
        ),
    ),
    draw=_draw_image_and_kernel,
)

# 3.3 --- the receptive field


def receptive_field(layers: list[tuple[int, int]]) -> int:
    """How many input pixels, in one direction, a single output pixel sees; one (kernel, stride) per layer."""
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump *= stride
    return field


def _draw_layers(rng: np.random.Generator) -> Inputs:
    depth = rng.integers(2, 5)
    layers = [(int(rng.integers(2, 6)), int(rng.integers(1, 3))) for _ in range(depth)]
    return ([(3, 2), *layers],)


def _without_strides(layers: list[tuple[int, int]]) -> int:
    return 1 + sum(kernel - 1 for kernel, _ in layers)


def _stride_too_early(layers: list[tuple[int, int]]) -> int:
    field, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride
        field += (kernel - 1) * jump
    return field


def _whole_kernels(layers: list[tuple[int, int]]) -> int:
    field, jump = 1, 1
    for kernel, stride in layers:
        field += kernel * jump
        jump *= stride
    return field


def _from_nothing(layers: list[tuple[int, int]]) -> int:
    return receptive_field(layers) - 1


def _backwards(layers: list[tuple[int, int]]) -> int:
    return receptive_field(layers[::-1])


def _own_stride(layers: list[tuple[int, int]]) -> int:
    return 1 + sum((kernel - 1) * stride for kernel, stride in layers)


def _strides_added(layers: list[tuple[int, int]]) -> int:
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump += stride
    return field


RECEPTIVE_FIELD = Exercise(
    "3.3",
    "The receptive field",
    receptive_field,
    hints=(
        "Begin with no layer at all: a pixel sees itself, one pixel. What does a kernel of 3 add?",
        "A kernel of k adds k - 1 neighbours. But how far apart are they, in input pixels, after a stride of 2?",
        "Keep two numbers: the field, and the jump from one pixel to the next. Each stride multiplies the jump for "
        "the layers after it.",
        "for kernel, stride in layers: field += (kernel - 1) * jump, and then jump *= stride",
    ),
    mistakes=(
        Mistake(_without_strides, "That holds for stride 1. A stride of 2 doubles every step of the layers after it."),
        Mistake(_stride_too_early, "A layer's stride spreads the layers after it, not the layer itself: add first."),
        Mistake(_whole_kernels, "A kernel of k adds k - 1 pixels: the one in the middle was seen before."),
        Mistake(_from_nothing, "Before the first layer a pixel sees itself: begin with 1."),
        Mistake(
            _backwards,
            "You begin at the wrong end. A jump begins at the first layer; (field - 1) * stride + kernel begins at "
            "the last one, layers[::-1].",
        ),
        Mistake(
            _own_stride,
            "You multiply by the layer's own stride. What counts are the strides of all layers before it, multiplied: "
            "keep a jump.",
        ),
        Mistake(
            _strides_added, "Strides multiply: after two strides of 2, neighbours are 4 pixels apart. jump *= stride."
        ),
    ),
    draw=_draw_layers,
)

# 3.4 --- forward, and the loss


def batch_loss(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The mean cross-entropy of one batch, ready for backward()."""
    logits = model(images)
    return F.cross_entropy(logits, labels)


def _draw_network_and_batch(rng: np.random.Generator) -> Inputs:
    return (_network(), *_batch(rng, int(rng.integers(3, 6))))


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
    return model, images, labels, _optimizer(model)


def _two_steps(answer: Answer, inputs: Inputs) -> object:
    first, before = answer(*inputs), _weights(inputs[0])
    second, after = answer(*inputs), _weights(inputs[0])
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
    model = _network().eval()
    return model, _batches(rng), _optimizer(model)


def _epoch(answer: Answer, inputs: Inputs) -> object:
    loss = answer(*inputs)
    return {
        "the weights after the epoch": _weights(inputs[0]),
        "the mean loss": loss,
        "the mode of the network, which was eval": _mode(inputs[0]),
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
    return _network(nn.Dropout(0.5)).train(bool(rng.integers(2))), _batches(rng)


def _validation(answer: Answer, inputs: Inputs) -> object:
    model, seen = inputs[0], set()
    assert isinstance(model, nn.Module)  # for mypy
    mode = _mode(model)
    model.register_forward_hook(lambda *_: seen.add((_mode(model), torch.is_grad_enabled())))
    loss = answer(*inputs)
    return {
        "the mode while it computes": " and ".join(sorted({mode for mode, _ in seen})),
        "whether gradients are recorded": any(recorded for _, recorded in seen),
        "the mean loss": loss,
        f"the mode afterwards, which was {mode}": _mode(model),
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
    start = _weights(model)
    loss = answer(*inputs)
    epoch = round(float((_weights(model) - start).mean()), 3)  # each epoch added 1
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

# --- what the exercises of the loop share


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


def _network(*first: nn.Module) -> nn.Sequential:
    """A small network for images of 2 x 2 px and two classes."""
    return nn.Sequential(nn.Flatten(), *first, nn.Linear(12, 2))


def _batch(rng: np.random.Generator, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.from_numpy(rng.normal(size=(size, 3, 2, 2))).float()
    return images, torch.from_numpy(rng.integers(2, size=size))


def _batches(rng: np.random.Generator) -> Batches:
    """Two batches of four, and a smaller one."""
    return [_batch(rng, size) for size in (4, 4, int(rng.integers(1, 3)))]


def _optimizer(model: object) -> torch.optim.Optimizer:
    assert isinstance(model, nn.Module)  # for mypy
    return PlainSGD(model, learning_rate=0.5)


def _weights(model: object) -> torch.Tensor:
    """A copy of all weights in one row."""
    assert isinstance(model, nn.Module)  # for mypy
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()]).clone()


def _mode(model: object) -> str:
    assert isinstance(model, nn.Module)  # for mypy
    return "train" if model.training else "eval"


# --- questions

FIELD_QUESTION = Question(
    "3.a",
    "An opacity is 20 pixels wide. One pixel after the last convolution sees 10 x 10 pixels. What can it not tell?",
    (
        Option(
            "Whether the opacity is there at all",
            "Brightness and texture inside the opacity fit into 10 x 10 pixels, and they may be enough.",
        ),
        Option(
            "Where both edges of the opacity are",
            "No single pixel there sees both edges. A later layer, or pooling, must put them together.",
            right=True,
        ),
        Option(
            "Which class is more frequent",
            "A convolution is not needed for that: the bias of the last layer learns it.",
        ),
    ),
)

LN2_QUESTION = Question(
    "3.b",
    "Two classes, a fresh network, and a first loss of 2.9. What do you do?",
    (
        Option("Train: it will fall", "It may fall, but a bug stays. Guessing costs ln 2 = 0.69: ask first why not."),
        Option(
            "Look at the last layer and at the scale of the images",
            "Guessing costs ln 2 = 0.69. With 2.9 the network is sure, and wrong: huge logits, often from images in "
            "0 to 255 or large first weights.",
            right=True,
        ),
        Option(
            "Nothing: the loss of two classes is near 2.9",
            "It is -ln(1/2) = ln 2 = 0.69. A loss of 2.9 would be guessing among 18 classes.",
        ),
    ),
)

CURVES_QUESTION = Question(
    "3.c",
    "The training loss falls and falls. The validation loss falls for 6 epochs, then rises. Which weights do you keep?",
    (
        Option("Those of the last epoch", "Its training loss is lowest, but it begins to learn the images by heart."),
        Option(
            "Those of epoch 6",
            "New patients decide. From there on the network learns what holds for the training images only.",
            right=True,
        ),
        Option(
            "Those of the epoch that is best on the test images",
            "Then the test images took part in the choice, and their score is no longer honest.",
        ),
    ),
)

LESSON = Lesson(
    "03",
    "Building Net",
    (
        OUTPUT_SIZE,
        CONVOLUTION,
        RECEPTIVE_FIELD,
        BATCH_LOSS,
        TRAIN_STEP,
        TRAIN_ONE_EPOCH,
        VALIDATE,
        KEEP_BEST,
    ),
    (FIELD_QUESTION, LN2_QUESTION, CURVES_QUESTION),
)
