"""Figures of what goes wrong with data: few patients, wrong labels, another scanner."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course_lib.evaluation.abstention import risk_coverage
from course_lib.evaluation.predictions import Predictions
from course_lib.figures.style import BLUE, LINES, ORANGE, describe

Interval = tuple[float, float, float]  #: value, lower and upper end


def curves_of(
    rows: Iterable[Mapping[str, str | int | float]], line: str, x: str, value: str = "auroc"
) -> dict[str, dict[float, list[float]]]:
    """The rows of a study as `plot_repeated` wants them: by what ``line`` says, then by ``x``, all values."""
    curves: dict[str, dict[float, list[float]]] = {}
    for row in rows:
        curves.setdefault(str(row[line]), {}).setdefault(float(row[x]), []).append(float(row[value]))
    return curves


def plot_repeated(
    curves: Mapping[str, Mapping[float, Sequence[float]]],
    heading: str,
    xlabel: str,
    ylabel: str,
    *,
    logarithmic: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Lines through the means of what was measured several times at each x, with the range from lowest to highest.

    ``curves`` holds by name, then by x, the values of all repeats.

    Raises:
        ValueError: there are more curves than lines that can be told apart.
    """
    if len(curves) > len(LINES):
        raise ValueError(f"Expected at most {len(LINES)} curves, got {len(curves)}. Draw two figures.")
    axes = ax if ax is not None else plt.subplots(figsize=(5.5, 3.4), layout="constrained")[1]
    words = []
    for (name, points), (color, style, marker) in zip(curves.items(), LINES, strict=False):
        places = sorted(points)
        means = [float(np.mean(points[x])) for x in places]
        lows, highs = ([float(end(points[x])) for x in places] for end in (min, max))
        axes.plot(places, means, color=color, linestyle=style, marker=marker, markersize=4, label=name)
        axes.fill_between(places, lows, highs, color=color, alpha=0.15, linewidth=0)
        values = ", ".join(
            f"{mean:.2f} at {x:g} ({low:.2f} to {high:.2f})"
            for x, mean, low, high in zip(places, means, lows, highs, strict=True)
        )
        words.append(f"{name}: {values}")
    axes.set(title=heading, xlabel=xlabel, ylabel=ylabel)
    if logarithmic:
        ticks = sorted({x for points in curves.values() for x in points})
        axes.set_xscale("log")
        # two labels that would touch are one: the higher
        axes.set_xticks(ticks, [f"{x:g}" if x * 1.25 < after else "" for x, after in pairwise([*ticks, np.inf])])
        axes.minorticks_off()
    axes.legend(fontsize=8)
    describe(axes, f"{heading}. {ylabel} by {xlabel}, mean and range of the repeats. {'; '.join(words)}.")
    return axes


def plot_losses(losses: NDArray[np.float64], wrong: NDArray[np.bool_], heading: str, ax: Axes | None = None) -> Axes:
    """How the losses of images with right and with wrong labels are spread; ``losses`` and ``wrong`` [images]."""
    axes = ax if ax is not None else plt.subplots(figsize=(5.5, 3), layout="constrained")[1]
    edges = np.linspace(0, max(float(losses.max()), 1.0), 25).tolist()
    words = []
    for name, chosen, color, hatch in (("right", ~wrong, BLUE, "//"), ("wrong", wrong, ORANGE, "..")):
        own = losses[chosen]
        axes.hist(own, edges, alpha=0.55, color=color, hatch=hatch, edgecolor="white", label=f"{name} label")
        words.append(f"{len(own)} images with a {name} label: median {np.median(own):.2f}")
    axes.axvline(np.log(2), color="0.3", linestyle="--", label="guessing: ln 2")
    above = losses > np.log(2)
    right, found = wrong[above].sum() / max(above.sum(), 1), wrong[above].sum() / max(wrong.sum(), 1)
    axes.set(title=heading, xlabel="cross-entropy of the image", ylabel="images")
    axes.legend(fontsize=8)
    describe(
        axes,
        f"{heading}. {'; '.join(words)}. Of the images above ln 2 = 0.69, {right:.0%} have a wrong label; of all wrong "
        f"labels, {found:.0%} are there.",
    )
    return axes


def plot_with_intervals(
    groups: Mapping[str, Mapping[str, Interval]], heading: str, ylabel: str, ax: Axes | None = None
) -> Axes:
    """Values with their intervals: one place on the x axis for each inner name, one marker for each group, if several.

    ``groups`` holds by group, then by name, value, lower and upper end; each group has the same names.
    """
    axes = ax if ax is not None else plt.subplots(figsize=(6.2, 3.2), layout="constrained")[1]
    names = list(next(iter(groups.values())))
    words = []
    for number, ((group, found), (color, _, marker)) in enumerate(zip(groups.items(), LINES, strict=False)):
        places = np.arange(len(names)) + 0.16 * (number - (len(groups) - 1) / 2)
        values, lows, highs = (np.array([found[name][part] for name in names]) for part in range(3))
        axes.vlines(places, lows, highs, color=color, linewidth=2)
        axes.plot(places, values, marker, color=color, label=group)
        spoken = (f"{n} {v:.2f} ({a:.2f} to {b:.2f})" for n, v, a, b in zip(names, values, lows, highs, strict=True))
        words.append(f"{group}: {', '.join(spoken)}")
    axes.set(title=heading, ylabel=ylabel, xlim=(-0.5, len(names) - 0.5))
    axes.set_xticks(range(len(names)), names)
    if len(groups) > 1:
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    describe(axes, f"{heading}. {ylabel} with intervals. {'; '.join(words)}.")
    return axes


def plot_risk_coverage(
    several: Mapping[str, Predictions], threshold: float, heading: str, ax: Axes | None = None
) -> Axes:
    """The share of wrong answers among the surest images, by how many are answered; one line per set of images."""
    axes = ax if ax is not None else plt.subplots(figsize=(5.5, 3.4), layout="constrained")[1]
    words = []
    for (name, predictions), (color, style, _) in zip(several.items(), LINES, strict=False):
        coverage, risk = risk_coverage(predictions, threshold)
        axes.plot(coverage, risk, color=color, linestyle=style, label=name)
        axes.axhline(risk[-1], color=color, linewidth=0.8, linestyle=":")
        spoken = (f"{risk[round(share * len(risk)) - 1]:.1%} at {share:.0%}" for share in (0.5, 0.8, 1.0))
        words.append(f"{name}: {', '.join(spoken)}")
    axes.set(
        title=heading,
        xlabel="coverage: share of images answered",
        ylabel="risk: share of these that is wrong",
        ylim=(0, None),
    )
    axes.legend(fontsize=8)
    describe(
        axes,
        f"{heading}. Wrong answers among the surest images, by the share that is answered. {'; '.join(words)}. "
        "Dotted: abstaining at random, which changes nothing on average.",
    )
    return axes
