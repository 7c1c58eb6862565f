"""Figures of how sure a number is: intervals beside each other, and two models compared draw by draw."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course_lib.evaluation.intervals import PairedDifference, accuracy_interval, with_interval
from course_lib.figures.style import BLUE, LINES, ORANGE, axes_or_new, describe

Interval = tuple[float, float, float]  #: value, lower and upper end


def plot_intervals(images: Sequence[int], accuracy: float, heading: str, ax: Axes | None = None) -> Axes:
    """The 95 % interval of one accuracy, had it been measured on so many images."""
    axes = axes_or_new(ax, (5.5, 3))
    words = []
    for place, count in enumerate(images):
        correct = round(accuracy * count)
        low, high = accuracy_interval(correct, count)
        axes.vlines(place, low, high, color=BLUE, linewidth=3)
        axes.plot(place, correct / count, "o", color=ORANGE)
        words.append(f"{count:,} images, {low:.0%} to {high:.0%}")
    axes.set(title=heading, xticks=range(len(images)), xlabel="validation images", ylabel="accuracy", ylim=(0.5, 1))
    axes.set_xticklabels([f"{count:,}" for count in images])
    describe(axes, f"{heading}. An accuracy of about {accuracy:.0%} and its 95 % interval. {'; '.join(words)}.")
    return axes


def plot_with_intervals(
    groups: Mapping[str, Mapping[str, Interval]], heading: str, ylabel: str, ax: Axes | None = None
) -> Axes:
    """Values with their intervals: one place on the x axis for each inner name, one marker for each group, if several.

    ``groups`` holds by group, then by name, value, lower and upper end; each group has the same names.
    """
    axes = axes_or_new(ax, (6.2, 3.2))
    names = list(next(iter(groups.values())))
    words = []
    for number, ((group, found), (color, _, marker)) in enumerate(zip(groups.items(), LINES, strict=False)):
        places = np.arange(len(names)) + 0.16 * (number - (len(groups) - 1) / 2)
        values, lows, highs = (np.array([found[name][part] for name in names]) for part in range(3))
        axes.vlines(places, lows, highs, color=color, linewidth=2)
        axes.plot(places, values, marker, color=color, label=group)
        spoken = (f"{name} {with_interval(*found[name], '.2f')}" for name in names)
        words.append(f"{group}: {', '.join(spoken)}")
    axes.set(title=heading, ylabel=ylabel, xlim=(-0.5, len(names) - 0.5))
    axes.set_xticks(range(len(names)), names)
    if len(groups) > 1:
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    describe(axes, f"{heading}. {ylabel} with intervals. {'; '.join(words)}.")
    return axes


def plot_estimates(
    estimates: Mapping[str, Interval],
    heading: str,
    xlabel: str,
    *,
    chance: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One row per name: an estimate with the interval from its low to its high end; and what chance gets."""
    axes = axes_or_new(ax, (4.8, 0.26 * len(estimates) + 1))
    for place, (value, low, high) in enumerate(estimates.values()):
        axes.plot([low, high], [place, place], color=BLUE, linewidth=3)
        axes.plot(value, place, "o", color=ORANGE)
    words = [f"{name} {with_interval(*estimate, '.2f')}" for name, estimate in estimates.items()]
    said = f"{heading}, {xlabel}, with the 95 % interval. {'; '.join(words)}."
    if chance is not None:
        axes.axvline(chance, color="0.5", linestyle="--", linewidth=1)
        xlabel += f" (dashed: chance, {chance:.2f})"
        said += f" Chance is {chance:.2f}."
    axes.set(xlabel=xlabel, yticks=range(len(estimates)), xlim=(-0.02, 1.02), ylim=(len(estimates) - 0.5, -0.5))
    axes.set_title(heading, fontsize=10)
    axes.set_yticklabels(list(estimates), fontsize=8)
    describe(axes, said)
    return axes


def plot_comparison(comparison: PairedDifference, names: Sequence[str], heading: str, ax: Axes | None = None) -> Axes:
    """One dot for each draw of patients: the metric of the second model to the right, of the first one upwards."""
    axes = axes_or_new(ax, (4.2, 4))
    first, second = comparison.draws.T
    axes.plot(second, first, ".", color=BLUE, alpha=0.25, markersize=4)
    ends = [comparison.draws.min(), comparison.draws.max()]
    axes.plot(ends, ends, color="0.3", linestyle="--", label="equally good")
    axes.set(title=heading, xlabel=names[1], ylabel=names[0], aspect="equal")
    axes.legend(fontsize=8, loc="lower right")
    describe(
        axes,
        f"{heading}. {len(first):,} draws of patients; {names[0]} is better than {names[1]} in {comparison.wins:.0%}. "
        f"The difference is {comparison.difference:+.3f}, with a paired 95 % interval from {comparison.low:+.3f} to "
        f"{comparison.high:+.3f}. From draw to draw, both go up and down together: correlation "
        f"{np.corrcoef(first, second)[0, 1]:.2f}.",
    )
    return axes


def plot_coverage(
    intervals: Mapping[str, NDArray[np.float64]], truth: float, heading: str, most: int = 40
) -> NDArray[np.object_]:
    """Intervals [sets, 2] of many test sets beside the truth; those that miss it have a cross. Gives the Axes."""
    figure, panels = plt.subplots(1, len(intervals), figsize=(3.2 * len(intervals), 3), squeeze=False, sharey=True)
    figure.set_layout_engine("constrained")
    words = []
    for axes, (name, ends) in zip(panels[0], intervals.items(), strict=True):
        low, high = ends.T
        held = (low <= truth) & (truth <= high)
        for place in range(min(most, len(ends))):
            axes.vlines(place, low[place], high[place], color=BLUE if held[place] else ORANGE)
            if not held[place]:
                axes.plot(place, (low[place] + high[place]) / 2, "x", color=ORANGE)
        axes.axhline(truth, color="0.4", linestyle="--")
        axes.set(title=f"{name}\n{held.mean():.0%} hold the truth", xlabel="test sets", xticks=[])
        words.append(f"{name}: {held.mean():.0%} of {len(ends)} hold {truth:g}, mean width {(high - low).mean():.3f}")
    panels[0, 0].set_ylabel("95 % interval")
    figure.suptitle(heading)
    describe(panels[0, 0], f"{heading}. Intervals that should hold the truth in 95 % of the sets. {'; '.join(words)}.")
    row: NDArray[np.object_] = panels[0]
    return row
