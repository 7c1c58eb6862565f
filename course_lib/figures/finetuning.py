"""Figures of fine-tuning: what each unfrozen stage costs, and what becomes of the scores."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course_lib.evaluation.classification import auroc
from course_lib.evaluation.predictions import Predictions
from course_lib.figures.style import BLUE, MARKS, axes_or_new, describe, in_a_row
from course_lib.networks.costs import Unfrozen


def plot_unfreezing_costs(costs: Sequence[Unfrozen], heading: str) -> NDArray[np.object_]:
    """Parameters that learn, and the work of a step, by how many stages are unfrozen; gives the two Axes."""
    figure, panels = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
    names = [cost.stages[0] for cost in costs]
    values = [[cost.parameters / 1e6 for cost in costs], [cost.gflops for cost in costs]]
    labels = ("million parameters", "billion multiply-adds")
    for axes, heights, label in zip(panels, values, labels, strict=True):
        axes.bar(range(len(names)), heights, color=BLUE)
        axes.set(xlabel="unfrozen from the head down to", ylabel=label, xticks=range(len(names)))
        axes.set_xticklabels(names, fontsize=8)
    figure.suptitle(heading)
    said = "; ".join(f"{cost.stages[0]}: {cost.parameters:,} and {cost.gflops:.3f}" for cost in costs)
    describe(
        panels[0],
        f"{heading}. Two rows of bars, by the stage down to which the network is unfrozen: parameters that learn, and "
        f"billion multiply-adds per image. {said}.",
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
