"""The exercises and questions of notebook 04, Fine-tuning ResNet: a new head, what is frozen, rates, and a choice."""

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from torch import nn
from torchvision.models import ResNet

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Lesson, Mistake
from course_lib.exercises.questions import Option, Question

Rows = list[dict[str, Any]]

# 4.1 --- a grey image for a network of three channels


def three_channels(images: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    """Grey bytes [n, 1, h, w] as a network wants them that learned from colour: float [n, 3, h, w], normalised."""
    colour = images.float().repeat(1, 3, 1, 1) / 255
    return (colour - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)


def _draw_grey_images(rng: np.random.Generator) -> Inputs:
    images = torch.from_numpy(rng.integers(0, 256, size=(2, 1, 2, 2), dtype=np.uint8))
    mean, std = (np.round(rng.uniform(low, high, 3), 3).tolist() for low, high in ((0.3, 0.6), (0.15, 0.3)))
    return images, mean, std


def _still_to_255(images: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    return (images.float().repeat(1, 3, 1, 1) - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(
        1, 3, 1, 1
    )


def _first_channel_only(images: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    return three_channels(images, mean[:1] * 3, std[:1] * 3)


def _grey_and_zeros(images: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    black = torch.zeros_like(images)
    colour = torch.cat([images, black, black], dim=1).float() / 255
    return (colour - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)


def _times_the_spread(images: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    return three_channels(images, mean, [1 / value for value in std])


def _not_normalised(images: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:  # noqa: ARG001
    return images.float().repeat(1, 3, 1, 1) / 255


def _three_times_the_images(images: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:  # noqa: ARG001
    return images.float().repeat(3, 1, 1, 1) / 255


def _still_bytes(images: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    colour = images.repeat(1, 3, 1, 1)
    colour[:] = three_channels(images, mean, std)
    return colour


THREE_CHANNELS = Exercise(
    "4.1",
    "A grey image in three channels",
    three_channels,
    hints=(
        "Three steps: bytes to numbers from 0 to 1, one channel to three alike, and each channel normalised.",
        "images.float() / 255 gives numbers from 0 to 1; .repeat(1, 3, 1, 1) puts three alike channels side by side.",
        "torch.tensor(mean).view(1, 3, 1, 1) has one number per channel, and fits to every image, row and column.",
        "x = images.float().repeat(1, 3, 1, 1) / 255; subtract the mean and divide by std, both with .view(1, 3, 1, 1)",
    ),
    mistakes=(
        Mistake(_still_to_255, "Mean and std are for numbers from 0 to 1. Yours still go up to 255: divide first."),
        Mistake(_first_channel_only, "Each channel has a mean and a std of its own; you took the first for all."),
        Mistake(_grey_and_zeros, "Your other channels are black. The network expects the picture in all three."),
        Mistake(_times_the_spread, "Divide by the std: the numbers should come out with a spread of about one."),
        Mistake(
            _three_times_the_images, "That is three times the images. The channel is the second axis: (1, 3, 1, 1)."
        ),
        Mistake(_still_bytes, "Your numbers are whole: a tensor of bytes keeps nothing else. Begin with .float()."),
        Mistake(_not_normalised, "Three channels, but not normalised: subtract the mean, then divide by the std."),
    ),
    draw=_draw_grey_images,
)

# 4.2 --- a new head


def new_head(network: ResNet, classes: int) -> ResNet:
    """The same network with a new, random linear layer in place of its last, ``network.fc``."""
    network.fc = nn.Linear(network.fc.in_features, classes)
    return network


def _draw_network_to_behead(rng: np.random.Generator) -> Inputs:
    features = int(rng.integers(4, 9))
    return _network(nn.Flatten(), nn.Linear(12, features), features=features, classes=10), int(rng.integers(2, 6))


def _head(answer: Answer, inputs: Inputs) -> object:
    network = _module(inputs[0])
    before, old = _state(network), network.fc
    came = answer(*inputs)
    head = network.fc
    shape = list(head.weight.shape) if isinstance(head, nn.Linear) else []
    after = _state(network)
    return {
        "what is returned": _returned(came),
        "the kind of the last layer": type(head).__name__,
        "the shape of its weights, [classes, features]": shape,
        "whether it is a new layer": head is not old,
        "whether the layers before it are as they were": all(
            name in after and torch.equal(after[name], value) for name, value in before.items() if "fc" not in name
        ),
    }


def _one_more_layer(network: ResNet, classes: int) -> ResNet:
    network.fc = nn.Sequential(network.fc, nn.Linear(network.fc.out_features, classes))
    return network


def _renamed(network: ResNet, classes: int) -> ResNet:
    network.fc.out_features = classes
    return network


def _only_the_layer(network: ResNet, classes: int) -> nn.Module:
    return nn.Linear(network.fc.in_features, classes)


def _from_the_old_classes(network: ResNet, classes: int) -> ResNet:
    network.fc = nn.Linear(network.fc.out_features, classes)
    return network


def _by_heart(network: ResNet, classes: int) -> ResNet:
    network.fc = nn.Linear(512, classes)
    return network


def _turned_round(network: ResNet, classes: int) -> ResNet:
    network.fc = nn.Linear(classes, network.fc.in_features)
    return network


NEW_HEAD = Exercise(
    "4.2",
    "A new head",
    new_head,
    hints=(
        "A part of a network is an attribute: assigning to network.fc puts another layer into its place.",
        "The new layer must take as many features as the old one did. Print network.fc and look.",
        "network.fc.in_features is that number; the new layer gives as many numbers as there are classes.",
        "network.fc = nn.Linear(network.fc.in_features, classes), and then return network",
    ),
    mistakes=(
        Mistake(
            _one_more_layer,
            "The head has several layers now. If the old one is among them, only the old classes get through: put one "
            "new linear layer in its place.",
        ),
        Mistake(
            _renamed,
            "network.fc still has its old weights, for the old classes. A label such as out_features does not change "
            "them: make a new layer and assign it to network.fc.",
        ),
        Mistake(_only_the_layer, "You made the layer, but the network still has its old one. Assign it to network.fc."),
        Mistake(
            _from_the_old_classes,
            "The new head takes what the old head took, in_features, and not what the old head gave.",
        ),
        Mistake(_by_heart, "512 is right for ResNet-18 alone. Ask the old head: network.fc.in_features."),
        Mistake(_turned_round, "nn.Linear wants what goes in first, then what comes out: the features, the classes."),
    ),
    draw=_draw_network_to_behead,
    observe=_head,
)

# 4.3 --- freeze all but the head


def freeze_all_but_head(network: ResNet) -> ResNet:
    """The same network; training may change its last layer, ``network.fc``, and nothing else."""
    network.requires_grad_(False)
    network.fc.requires_grad_(True)
    return network


def _draw_network_to_freeze(rng: np.random.Generator) -> Inputs:
    features = int(rng.integers(4, 7))
    network = _network(nn.Flatten(), nn.Linear(12, features), nn.BatchNorm1d(features), features=features)
    network.fc.requires_grad_(bool(rng.integers(2)))
    return (network.train(),)


def _what_may_change(answer: Answer, inputs: Inputs) -> object:
    network = _module(inputs[0])
    came = answer(*inputs)
    return {
        "what is returned": _returned(came),
        "the parameters that training may change": [n for n, p in network.named_parameters() if p.requires_grad],
        "the mode of the network, which was train": "train" if network.training else "eval",
    }


def _only_eval(network: ResNet) -> ResNet:
    network.eval()
    return network


def _an_attribute(network: ResNet) -> ResNet:
    network.requires_grad = False
    return network


def _everything_frozen(network: ResNet) -> ResNet:
    network.requires_grad_(False)
    return network


def _head_frozen(network: ResNet) -> ResNet:
    network.requires_grad_(True)
    network.fc.requires_grad_(False)
    return network


def _weights_only(network: ResNet) -> ResNet:
    network.requires_grad_(False)
    network.fc.weight.requires_grad = True
    return network


def _head_alone_freed(network: ResNet) -> ResNet:
    network.fc.requires_grad_(True)
    return network


def _frozen_and_eval(network: ResNet) -> ResNet:
    freeze_all_but_head(network)
    network.eval()
    return network


FREEZE = Exercise(
    "4.3",
    "Freeze all but the head",
    freeze_all_but_head,
    hints=(
        "Each parameter says with requires_grad whether training may change it.",
        "A whole network, and each of its parts, has requires_grad_(True or False), which says it to all parameters.",
        "First freeze everything, then free the head, network.fc; it may have come frozen.",
        "network.requires_grad_(False), on the next line network.fc.requires_grad_(True), and then return network",
    ),
    mistakes=(
        Mistake(_only_eval, "eval() is about dropout and batch norm. Parameters learn on in that mode as well."),
        Mistake(
            _an_attribute,
            "network.requires_grad = False makes a new attribute that nobody reads. The function's name ends with an "
            "underscore: requires_grad_(False).",
        ),
        Mistake(_everything_frozen, "Now nothing may change, the head neither. Free network.fc again."),
        Mistake(_head_frozen, "That is the wrong way round: the head is new and must learn, the rest stays."),
        Mistake(_head_alone_freed, "The head learns, and so does all the rest. Freeze the whole network first."),
        Mistake(_frozen_and_eval, "What may change is right, but the mode is not asked for: leave out eval()."),
        Mistake(_weights_only, "A linear layer has weights and a bias, and both must learn."),
    ),
    draw=_draw_network_to_freeze,
    observe=_what_may_change,
)

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
    network = _network(nn.Flatten(), nn.Linear(12, features), nn.BatchNorm1d(features), features=features)
    images = torch.from_numpy(rng.normal(2, 1, size=(3, 3, 2, 2))).float()
    return network.train(bool(rng.integers(2))), images


def _seen_features(answer: Answer, inputs: Inputs) -> object:
    network = _module(inputs[0])
    before, mode = _state(network), network.training
    came = answer(*inputs)
    after = _state(network)
    return {
        "the features": came,
        "whether they record gradients": getattr(came, "requires_grad", None),
        "the head afterwards": type(network.fc).__name__,
        "whether the weights and running means are as they were": before.keys() == after.keys()
        and all(torch.equal(after[name], value) for name, value in before.items()),
        f"the mode afterwards, which was {_mode(mode)}": _mode(network.training),
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

# 4.5 --- a learning rate per stage


def stage_rates(rate: float, factor: float, stages: int) -> list[float]:
    """The learning rate of each stage, from the input to the head, which has ``rate``."""
    return [rate * factor ** (stages - 1 - number) for number in range(stages)]


def _draw_rates(rng: np.random.Generator) -> Inputs:
    return float(rng.choice([0.1, 0.01, 0.001])), float(rng.choice([0.8, 0.5, 0.4, 0.2])), int(rng.integers(3, 7))


def _head_first(rate: float, factor: float, stages: int) -> list[float]:
    return stage_rates(rate, factor, stages)[::-1]


def _head_reduced(rate: float, factor: float, stages: int) -> list[float]:
    return [rate * factor ** (stages - number) for number in range(stages)]


def _two_rates(rate: float, factor: float, stages: int) -> list[float]:
    return [rate * factor] * (stages - 1) + [rate]


def _in_equal_steps(rate: float, factor: float, stages: int) -> list[float]:
    return [rate * (1 - (1 - factor) * (stages - 1 - number) / (stages - 1)) for number in range(stages)]


STAGE_RATES = Exercise(
    "4.5",
    "A learning rate per stage",
    stage_rates,
    hints=(
        "Begin at the end: the head has rate, the stage before it rate * factor. And the one before that?",
        "The stage that is k steps before the head has rate * factor ** k.",
        "The first of n stages is n - 1 steps before the head, the last is 0 steps before it.",
        "return [rate * factor ** (stages - 1 - number) for number in range(stages)]",
    ),
    mistakes=(
        Mistake(_head_first, "The rates are right, but begin at the input: the head's comes last, and is the largest."),
        Mistake(_head_reduced, "The head itself keeps the whole rate: it is 0 steps before the head."),
        Mistake(_two_rates, "The factor counts once per stage: two stages before the head it is factor ** 2."),
        Mistake(_in_equal_steps, "Your rates go down in equal steps. Each should be factor times the next one."),
    ),
    draw=_draw_rates,
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
    network = _network(*stages, nn.Flatten(), nn.Dropout(0.5), features=12)
    return (network.train(bool(rng.integers(2))),)


def _modes(answer: Answer, inputs: Inputs) -> object:
    network = _module(inputs[0])
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    still = [not norm.weight.requires_grad for norm in norms]
    learning = [name for name, p in network.named_parameters() if p.requires_grad]
    came = answer(*inputs)
    (dropout,) = (layer for layer in network.modules() if isinstance(layer, nn.Dropout))
    return {
        "what is returned": _returned(came),
        "the modes of the frozen batch norms": [_mode(n.training) for n, s in zip(norms, still, strict=True) if s],
        "the modes of those that learn": [_mode(n.training) for n, s in zip(norms, still, strict=True) if not s],
        "the mode of dropout": _mode(dropout.training),
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

# 4.7 --- a choice with its cost


def cheapest_that_keeps_up(rows: list[dict[str, Any]]) -> str:
    """The name of the fastest network whose interval reaches up to the best AUROC of all."""
    best = max(row["auroc"] for row in rows)
    keeping_up = [row for row in rows if row["high"] >= best]
    return max(keeping_up, key=lambda row: row["images_per_second"])["name"]


def _draw_rows(rng: np.random.Generator) -> Inputs:
    names = rng.permutation(["resnet18", "vgg16_bn", "mobilenet_v3_small", "densenet121", "efficientnet_b0"])
    best = 0.9 + int(rng.integers(0, 40)) / 1000
    behind = np.array([0, 20, 40, 35, 120]) / 1000  # so far below the best
    reach = np.array([20, 30, 50, 25, 40]) / 1000  # half an interval: the first three keep up
    speeds = sorted(rng.choice(np.arange(20, 400), 5, replace=False).tolist())
    slow_to_fast = [speeds[i] for i in (1, 2, 0, 3, 4)]  # the second keeps up and is the fastest that does
    rows = [
        {
            "name": str(name),
            "auroc": round(best - less, 3),
            "low": round(best - less - half, 3),
            "high": round(best - less + half, 3),
            "images_per_second": int(speed),
        }
        for name, less, half, speed in zip(names, behind.tolist(), reach.tolist(), slow_to_fast, strict=True)
    ]
    return ([rows[i] for i in rng.permutation(5)],)


def _the_best(rows: Rows) -> object:
    return max(rows, key=lambda row: row["auroc"])["name"]


def _the_fastest(rows: Rows) -> object:
    return max(rows, key=lambda row: row["images_per_second"])["name"]


def _the_slowest_that_keeps_up(rows: Rows) -> object:
    best = max(row["auroc"] for row in rows)
    return min((r for r in rows if r["high"] >= best), key=lambda row: row["images_per_second"])["name"]


def _the_whole_row(rows: Rows) -> object:
    return next(row for row in rows if row["name"] == cheapest_that_keeps_up(rows))


def _all_that_keep_up(rows: Rows) -> object:
    best = max(row["auroc"] for row in rows)
    return [row["name"] for row in rows if row["high"] >= best]


def _intervals_that_touch(rows: Rows) -> object:
    lowest = max(rows, key=lambda row: row["auroc"])["low"]
    return max((r for r in rows if r["high"] >= lowest), key=lambda row: row["images_per_second"])["name"]


CHOICE = Exercise(
    "4.7",
    "A choice with its cost",
    cheapest_that_keeps_up,
    hints=(
        "Two steps: who is not clearly worse than the best, and who of these is the fastest?",
        "The best AUROC is max(row['auroc'] for row in rows). A network keeps up if its 'high' reaches it.",
        "Keep the rows that keep up in a list, then max(that_list, key=...) by 'images_per_second'.",
        "keeping_up = [row for row in rows if row['high'] >= best], and "
        "max(keeping_up, key=lambda row: row['images_per_second'])['name']",
    ),
    mistakes=(
        Mistake(_the_best, "That is the highest AUROC, whatever it costs. Is a faster one within reach of it?"),
        Mistake(_the_fastest, "That is the fastest of all, but its interval does not reach the best AUROC."),
        Mistake(_the_slowest_that_keeps_up, "More images per second is faster: take the largest, not the smallest."),
        Mistake(_all_that_keep_up, "These keep up. Of them the fastest is asked for, its name alone."),
        Mistake(
            _intervals_that_touch,
            "Its interval reaches the interval of the best, but not the best AUROC itself: compare 'high' with that.",
        ),
        Mistake(_the_whole_row, "The row is right. Return its name alone."),
    ),
    draw=_draw_rows,
)

# --- what the exercises share


def _network(*layers: nn.Module, features: int, classes: int = 2) -> nn.Sequential:
    """A small network for images [batch, 3, 2, 2] with a head called ``fc``, as in a ResNet."""
    return nn.Sequential(OrderedDict(body=nn.Sequential(*layers), fc=nn.Linear(features, classes)))


def _module(network: object) -> nn.Module:
    assert isinstance(network, nn.Module)  # for mypy
    return network


def _state(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _returned(came: object) -> object:
    """The kind of what came; nothing and ``...`` as they are, so that a forgotten return and a stub are seen."""
    return came if came is None or came is ... else type(came).__name__


def _mode(training: bool) -> str:
    return "train" if training else "eval"


# --- questions

CLAIM_QUESTION = Question(
    "4.a",
    "Weights that were learned on phantoms reach an AUROC of 0.99 on other phantoms. What has been shown?",
    (
        Option(
            "That they will find pneumonia on real radiographs",
            "No real radiograph took part. The same simulator drew what was learned and what was asked.",
        ),
        Option(
            "That the network learned how this simulator draws disease",
            "That is all it says: other simulated people, the same simulator. For patients, measure on patients.",
            right=True,
        ),
        Option(
            "Nothing, since the network had seen these images before",
            "It had not: the people are others. The images come from the same source, which is a weaker fault.",
        ),
    ),
)

FROZEN_QUESTION = Question(
    "4.b",
    "All parameters but the head's are frozen. After an epoch the features of the same image are others. Why?",
    (
        Option(
            "The optimizer changed the frozen weights a little",
            "Without a gradient the optimizer leaves a parameter as it is, to the last bit.",
        ),
        Option(
            "Batch norm was in training mode and moved its running mean and variance",
            "They are no parameters, so freezing does not hold them. eval() for the frozen batch norms does.",
            right=True,
        ),
        Option(
            "The new head changed what the layers below it give",
            "Features are computed before the head. What the head makes of them does not reach back.",
        ),
    ),
)

COST_QUESTION = Question(
    "4.c",
    "On your patients a probe has AUROC 0.91 (0.85 to 0.96), fine-tuning 0.93 (0.88 to 0.97) and takes 40 times as "
    "long. What do you report?",
    (
        Option(
            "Fine-tuning is better",
            "Perhaps, but two separate intervals do not show it: that takes the interval of the difference.",
        ),
        Option(
            "Both, with intervals and times, and that the two intervals alone do not say which is better",
            "A reader can then choose. To compare the two, ask for the interval of their difference (lesson 05).",
            right=True,
        ),
        Option(
            "The probe, since it is faster",
            "It may be the right choice, but a report that hides the other number leaves the reader none.",
        ),
    ),
)

LESSON = Lesson(
    "04",
    "Fine-tuning ResNet",
    (THREE_CHANNELS, NEW_HEAD, FREEZE, FEATURES, STAGE_RATES, BEGIN_TRAINING, CHOICE),
    (CLAIM_QUESTION, FROZEN_QUESTION, COST_QUESTION),
)
