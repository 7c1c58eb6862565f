"""A network for colour photographs takes grey images, gets a new head, and at first learns nothing else."""

import numpy as np
import torch
from torch import nn
from torchvision.models import ResNet

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake
from course_lib.lessons.finetuning_resnet.small_networks import as_module, kind_of, small_network, state_of

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
    return small_network(nn.Flatten(), nn.Linear(12, features), features=features, classes=10), int(rng.integers(2, 6))


def _head(answer: Answer, inputs: Inputs) -> object:
    network = as_module(inputs[0])
    before, old = state_of(network), network.fc
    came = answer(*inputs)
    head = network.fc
    shape = list(head.weight.shape) if isinstance(head, nn.Linear) else []
    after = state_of(network)
    return {
        "what is returned": kind_of(came),
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
    network = small_network(nn.Flatten(), nn.Linear(12, features), nn.BatchNorm1d(features), features=features)
    network.fc.requires_grad_(bool(rng.integers(2)))
    return (network.train(),)


def _what_may_change(answer: Answer, inputs: Inputs) -> object:
    network = as_module(inputs[0])
    came = answer(*inputs)
    return {
        "what is returned": kind_of(came),
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
