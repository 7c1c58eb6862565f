"""Figures of fine-tuning: what a network says, looks for and costs, and what becomes of its scores."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from course_lib.evaluation.classification import auroc
from course_lib.evaluation.predictions import Predictions
from course_lib.figures.style import BLUE, MARKS, axes_or_new, describe, in_a_row
from course_lib.networks.costs import Unfrozen


def plot_answers(
    images: Sequence[ArrayLike],
    titles: Sequence[str],
    answers: Sequence[Sequence[tuple[str, float]]],
    heading: str,
) -> NDArray[np.object_]:
    """Grey images, each with a network's likeliest answers beside it; gives the Axes, image and answers by turns.

    ``answers`` holds for each image what it may be, each with its probability, 0 to 1, the likeliest first.
    """
    columns = min(2, len(images))
    rows = -(-len(images) // columns)
    figure, grid = plt.subplots(
        rows, 2 * columns, figsize=(5.2 * columns, 2.3 * rows + 0.4), squeeze=False, layout="constrained"
    )
    panels = grid.reshape(-1, 2)
    most = max(probability for few in answers for _, probability in few)
    said = []
    for (picture, bars), image, title, few in zip(panels, images, titles, answers, strict=False):
        picture.imshow(np.asarray(image), cmap="gray", vmin=0, vmax=1)
        picture.set_title(title, fontsize=9)
        names, probabilities = zip(*few, strict=True)
        bars.barh(range(len(few)), [100 * probability for probability in probabilities], color=BLUE)
        bars.set_yticks(range(len(few)), names, fontsize=8)
        bars.set(xlim=(0, 110 * most), xlabel="probability, %")
        bars.invert_yaxis()
        said.append(f"{title}: {', '.join(f'{name} {100 * p:.0f} %' for name, p in few)}")
    for picture, bars in panels:
        picture.axis("off")
        bars.set_visible(bool(bars.patches))
    figure.suptitle(heading)
    describe(grid[0, 0], f"{heading}. {len(images)} grey images, each with the likeliest answers. {'; '.join(said)}.")
    return grid


def plot_filters(layers: Mapping[str, NDArray[np.float32]], heading: str, most: int = 24) -> NDArray[np.object_]:
    """The strongest filters of a first layer, one panel for each network, as small coloured pictures; gives the Axes.

    ``layers`` holds by name the weights [filters, 3, height, width]. Each filter is stretched by its own largest
    weight: a weight of 0 is grey, and a filter that takes all three channels alike has no colour.
    """
    figure, panels = plt.subplots(1, len(layers), figsize=(2.6 * len(layers), 3), squeeze=False, layout="constrained")
    said = []
    for axes, (name, weights) in zip(panels[0], layers.items(), strict=True):
        strength = np.sqrt((weights**2).sum(axis=(1, 2, 3)))
        axes.imshow(_tiles(weights[np.argsort(-strength)[:most]]))
        axes.set_title(name, fontsize=10)
        axes.axis("off")
        said.append(f"{name}: {share_without_colour(weights):.0%}")
    figure.suptitle(heading)
    describe(
        panels[0, 0],
        f"{heading}. The {most} strongest filters of each network as small pictures. Part of the squared weights that "
        f"red, green and blue have in common: {'; '.join(said)}.",
    )
    row: NDArray[np.object_] = panels[0]
    return row


def share_without_colour(weights: NDArray[np.float32]) -> float:
    """The part of the squared weights [filters, 3, height, width] that the three channels have in common, 0 to 1.

    A third, if the channels have nothing to do with each other; 1, if they are alike.
    """
    common = weights.mean(axis=1, keepdims=True)
    return float(3 * (common**2).sum() / (weights**2).sum())


def plot_unfreezing_costs(costs: Sequence[Unfrozen], heading: str) -> NDArray[np.object_]:
    """Parameters that learn, and the work of a step, by how many stages are unfrozen; gives the two Axes.

    The parameters are on a logarithmic axis, on which the few of a head can be seen beside millions.
    """
    figure, panels = plt.subplots(1, 2, figsize=(8.4, 2.9), layout="constrained")
    places = range(len(costs))
    panels[0].plot(places, [cost.parameters for cost in costs], "o", color=BLUE)
    panels[0].vlines(places, 1, [cost.parameters for cost in costs], color=BLUE, linewidth=1)
    panels[0].set_yscale("log")
    panels[0].set(ylabel="parameters that learn", ylim=(min(cost.parameters for cost in costs) / 3, None))
    panels[1].bar(places, [cost.gflops for cost in costs], color=BLUE)
    panels[1].set(ylabel="billion multiply-adds")
    for axes in panels:
        axes.set(xlabel="unfrozen from the head down to", xticks=places)
        axes.set_xticklabels([cost.stages[0] for cost in costs], fontsize=8, rotation=45, ha="right")
    figure.suptitle(heading)
    said = "; ".join(f"{cost.stages[0]}: {cost.parameters:,} and {cost.gflops:.3f}" for cost in costs)
    describe(
        panels[0],
        f"{heading}. By the stage down to which the network is unfrozen: parameters that learn, on a logarithmic axis, "
        f"and billion multiply-adds per image. {said}.",
    )
    return np.asarray(panels)


def plot_moved_scores(before: Predictions, after: Predictions, heading: str, ax: Axes | None = None) -> Axes:
    """Each image's score before and after something was done to the network; on the dotted line nothing changed."""
    axes = axes_or_new(ax, (4, 3.6))
    for label, (color, marker) in zip(range(2), MARKS, strict=False):
        mine = before.labels == label
        axes.plot(
            before.scores[mine], after.scores[mine], marker, color=color, markersize=4, label=before.classes[label]
        )
    axes.plot([0, 1], [0, 1], ":", color="0.5")
    axes.set(title=heading, xlabel="score before", ylabel="score after", aspect="equal")
    axes.legend(fontsize=8)
    moved = np.abs(after.scores - before.scores)
    describe(
        axes,
        f"{in_a_row(heading)}. Scores of {len(before)} images before and after: they moved by {moved.mean():.3f} "
        f"on average, at most by {moved.max():.3f}. The AUROC was {auroc(before):.3f} and is {auroc(after):.3f}.",
    )
    return axes


def _tiles(filters: NDArray[np.float32], columns: int = 6) -> NDArray[np.float32]:
    """The filters [filters, 3, height, width] as tiles of one picture [rows, columns, 3] with values from 0 to 1."""
    count, _, height, width = filters.shape
    rows = -(-count // columns)
    picture = np.ones((rows * (height + 1), columns * (width + 1), 3), dtype=np.float32)
    for place, weights in enumerate(filters):
        row, column = (place // columns) * (height + 1), (place % columns) * (width + 1)
        tile = 0.5 + weights.transpose(1, 2, 0) / (2 * max(float(np.abs(weights).max()), 1e-12))
        picture[row : row + height, column : column + width] = tile
    return picture
