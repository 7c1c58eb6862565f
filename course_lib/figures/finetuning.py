"""Figures of fine-tuning: what each unfrozen stage costs, what scores become, and ways to train beside each other."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course_lib.evaluation.classification import auroc
from course_lib.evaluation.predictions import Predictions
from course_lib.figures.style import BLUE, GREEN, ORANGE, PURPLE, describe
from course_lib.networks.costs import Unfrozen

MARKS = ((ORANGE, "s"), (BLUE, "o"), (GREEN, "D"), (PURPLE, "v"), ("0.3", "^"))


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
    axes = ax if ax is not None else plt.subplots(figsize=(4, 3.6), layout="constrained")[1]
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
        f"{_in_a_row(heading)}. Scores of {len(before)} images before and after: they moved by {moved.mean():.3f} "
        f"on average, at most by {moved.max():.3f}. The AUROC was {auroc(before):.3f} and is {auroc(after):.3f}.",
    )
    return axes


def plot_methods(rows: Sequence[Mapping[str, str | int | float]], heading: str, ax: Axes | None = None) -> Axes:
    """Ways to train, by the number of patients: the mean AUROC over seeds, each seed as a dot, and the interval.

    A row has ``method``, ``patients``, ``auroc`` and its ``low`` and ``high``; a line goes from the mean low to the
    mean high end. Methods stand in the order of their names, so that in figures beside each other their marks agree.

    Raises:
        ValueError: there are more methods than marks that can be told apart.
    """
    methods = sorted({str(row["method"]) for row in rows})
    sizes = sorted({int(row["patients"]) for row in rows})
    if len(methods) > len(MARKS):
        raise ValueError(f"Expected at most {len(MARKS)} methods, got {len(methods)}. Draw two figures.")
    axes = ax if ax is not None else plt.subplots(figsize=(5.5, 3.4), layout="constrained")[1]
    words = []
    for number, (method, (color, marker)) in enumerate(zip(methods, MARKS, strict=False)):
        for place, size in enumerate(sizes):
            own = [row for row in rows if row["method"] == method and row["patients"] == size]
            if not own:
                continue
            x = place + (number - (len(methods) - 1) / 2) * 0.18
            seeds = [float(row["auroc"]) for row in own]
            low, high = (float(np.mean([float(row[end]) for row in own])) for end in ("low", "high"))
            axes.vlines(x, low, high, color=color, linewidth=2)
            axes.plot(x, np.mean(seeds), marker, color=color, label=method if place == 0 else None)
            if len(own) > 1:
                axes.plot([x + 0.05] * len(seeds), seeds, ".", color=color, markersize=3)
            count = f", {len(own)} seeds" if len(own) > 1 else ""
            words.append(f"{method}, {size} patients{count}: {np.mean(seeds):.3f} ({low:.3f} to {high:.3f})")
    axes.set(title=heading, xlabel="patients to learn from", ylabel="AUROC", xticks=range(len(sizes)))
    axes.set_xticklabels([f"{size:,}" for size in sizes])
    axes.set_xlim(-0.5, len(sizes) - 0.5)
    axes.legend(fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    describe(axes, f"{_in_a_row(heading)}. AUROC and its 95 % interval; chance is 0.5. {'; '.join(words)}.")
    return axes


def _in_a_row(heading: str) -> str:
    return heading.replace("\n", ": ")
