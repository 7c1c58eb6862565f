"""Figures of outlines that were judged: one dot for each image, beside what a baseline gets on the same images."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from course_lib.evaluation.intervals import bootstrap_interval, compare, with_interval
from course_lib.evaluation.segmentation import ImageScores
from course_lib.figures.style import MARKS, axes_or_new, describe, in_a_row

SPREAD = 0.24  #: width of a cloud of dots; two clouds stand 1 apart


def plot_dice(
    scores: ImageScores,
    baseline: ImageScores,
    names: Sequence[str],
    title: str,
    *,
    ylabel: str = "Dice",
    ax: Axes | None = None,
) -> Axes:
    """Each structure's value in each image: hollow for the baseline, filled for the model; a line joins the same image.

    ``names`` are what the model and the baseline are called. Beside each cloud stand its mean and the 95 % interval
    over patients. The words also hold the difference, with its paired interval, and the lowest image.

    Raises:
        ValueError: the two were not measured on the same images and structures, or no marks are left.
    """
    if scores.labels != baseline.labels:
        raise ValueError(f"Expected the same structures, got {scores.labels} and {baseline.labels}.")
    if len(scores.labels) > len(MARKS):
        raise ValueError(f"Expected at most {len(MARKS)} structures, got {len(scores.labels)}. Draw two figures.")
    axes = axes_or_new(ax, (1.4 + 1.6 * len(scores.labels), 3.2))
    words, places = [], []
    for number, (label, (color, marker)) in enumerate(zip(scores.labels, MARKS, strict=False)):
        clouds = [measured.values[:, number] for measured in (baseline, scores)]
        across = 2.4 * number + np.add.outer([0, 1], np.linspace(-SPREAD / 2, SPREAD / 2, len(scores)))
        axes.plot(across, clouds, color="0.85", linewidth=0.7, zorder=1)
        for x, cloud, fill in zip(across, clouds, ("white", color), strict=True):
            axes.plot(x, cloud, marker, color=color, markerfacecolor=fill, markersize=4)
        places += [2.4 * number, 2.4 * number + 1]
        means = [
            _draw_mean(axes, measured, label, x) for measured, x in zip((baseline, scores), places[-2:], strict=True)
        ]
        gain = compare(scores, baseline, partial(ImageScores.mean, label=label))
        lowest = int(clouds[1].argmin())
        words.append(
            f"{label}: {names[0]} {means[1]}, {names[1]} {means[0]}, difference "
            f"{with_interval(gain.difference, gain.low, gain.high, '+.2f')}; the lowest of {names[0]} is "
            f"{clouds[1][lowest]:.2f}, in {scores.files[lowest]}"
        )
    axes.set_xticks(places, [f"{name}\n{label}" for label in scores.labels for name in names[::-1]], fontsize=8)
    axes.set(title=title, ylabel=ylabel, xlim=(-0.5, places[-1] + 0.5))
    count = f"{len(scores)} images of {len(set(scores.patients.tolist()))} patients"
    said = f"Mean {ylabel} of {count}, with the 95 % interval over patients"
    describe(axes, f"{in_a_row(title)}. {said}. {'. '.join(words)}.")
    return axes


def _draw_mean(axes: Axes, measured: ImageScores, label: str, x: float) -> str:
    """The mean and its interval beside the dots; gives them in words."""
    mean = partial(ImageScores.mean, label=label)
    low, high = bootstrap_interval(measured, mean)
    axes.vlines(x + SPREAD, low, high, color="black", linewidth=2)
    axes.plot(x + SPREAD, mean(measured), "_", color="black", markersize=9, markeredgewidth=2)
    return with_interval(mean(measured), low, high, ".2f")
