"""Grad-CAM by hand: the weight of each channel, and the map."""

import numpy as np
import torch

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 6.1 --- the weights of Grad-CAM


def channel_weights(gradients: torch.Tensor) -> torch.Tensor:
    """One weight per channel: the mean of its gradient over all places."""
    return gradients.mean(dim=(1, 2))


def _draw_gradients(_: np.random.Generator) -> Inputs:
    return (torch.randn(3, 2, 4).mul(10).round().div(10),)


def _mean_of_channels(gradients: torch.Tensor) -> torch.Tensor:
    return gradients.mean(dim=0)


def _sum_of_places(gradients: torch.Tensor) -> torch.Tensor:
    return gradients.sum(dim=(1, 2))


def _mean_of_all(gradients: torch.Tensor) -> torch.Tensor:
    return gradients.mean()


def _without_signs(gradients: torch.Tensor) -> torch.Tensor:
    return gradients.abs().mean(dim=(1, 2))


def _one_axis_only(gradients: torch.Tensor) -> torch.Tensor:
    return gradients.mean(dim=2)


CHANNEL_WEIGHTS = Exercise(
    "6.1",
    "The weights of Grad-CAM",
    channel_weights,
    hints=(
        "How many numbers must come out: one per place, or one per channel?",
        "The axes are channel, row, column. The mean goes over rows and columns; the channels stay.",
        "tensor.mean(dim=…) takes several axes at once, as a tuple.",
        "return gradients.mean(dim=(1, 2))",
    ),
    mistakes=(
        Mistake(
            _mean_of_channels, "That is one number per place. Axis 0 holds the channels: keep it, average the others."
        ),
        Mistake(_sum_of_places, "That is the sum over the places; Grad-CAM takes the mean."),
        Mistake(_mean_of_all, "That is one number for all channels together. Each channel needs its own."),
        Mistake(_without_signs, "A channel that speaks against the class must get a negative weight: keep the signs."),
        Mistake(_one_axis_only, "The columns are averaged, the rows not yet."),
    ),
    draw=_draw_gradients,
)

# 6.2 --- the map of Grad-CAM


def cam(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The channels of the features, each times its weight, added up; what is below zero becomes zero."""
    return torch.einsum("chw,c->hw", features, weights).clamp(min=0)


def _draw_features(_: np.random.Generator) -> Inputs:
    features = torch.rand(3, 2, 3).mul(9).round() + 1
    weights = torch.randn(3).mul(10).round().div(10)
    weights[0] = -1 - weights[0].abs()  # so that some sums are below zero, and some parts
    weights[1] = 1 + weights[1].abs()
    features[0, 0, 0] = 60.0
    features[0, 1, 2] = features[2, 1, 2] = 0.0
    return features, weights


def _without_cut(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return torch.einsum("chw,c->hw", features, weights)


def _cut_too_early(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return torch.einsum("chw,c->chw", features, weights).clamp(min=0).sum(dim=0)


def _averaged(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return cam(features, weights) / len(weights)


def _unweighted(features: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    return features.sum(dim=0).clamp(min=0)


def _magnitude(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return torch.einsum("chw,c->hw", features, weights).abs()


def _not_added_up(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return torch.einsum("chw,c->chw", features, weights).clamp(min=0)


def _stretched(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return cam(features, weights) / cam(features, weights).max()


CAM = Exercise(
    "6.2",
    "The map of Grad-CAM",
    cam,
    hints=(
        "Three steps: each channel times its weight, all channels added up, negative numbers to zero.",
        "weights[:, None, None] has the shape [channels, 1, 1] and can be multiplied with the features.",
        "Add over axis 0 first; only then cut at zero, with .clamp(min=0) or torch.relu.",
        "return (features * weights[:, None, None]).sum(dim=0).clamp(min=0)",
    ),
    mistakes=(
        Mistake(_without_cut, "Below zero, the place speaks against the class. Grad-CAM cuts that off: clamp(min=0)."),
        Mistake(
            _cut_too_early, "Cut after adding up. A channel against the class must be able to outweigh the others."
        ),
        Mistake(_averaged, "Add the channels up; do not divide by their number."),
        Mistake(_unweighted, "The weights are not used: that map shows where anything is, for whichever class."),
        Mistake(
            _magnitude, "The absolute value shows what speaks against the class as if it spoke for it: cut instead."
        ),
        Mistake(_not_added_up, "One map per channel is left. Add them up, before the cut."),
        Mistake(
            _stretched, "Divided by its largest value, weak and strong evidence look alike. Leave the map as it is."
        ),
    ),
    draw=_draw_features,
)
