"""Figures of studies: what was measured with several seeds, for several numbers of patients, by several methods."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes

from course_lib.evaluation.intervals import with_interval
from course_lib.figures.style import LINES, MARKS, axes_or_new, describe, in_a_row


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
    axes = axes_or_new(ax, (5.5, 3.4))
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
    axes = axes_or_new(ax, (5.5, 3.4))
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
            judged = with_interval(float(np.mean(seeds)), low, high)
            words.append(f"{method}, {size} patients{count}: {judged}")
    axes.set(title=heading, xlabel="patients to learn from", ylabel="AUROC", xticks=range(len(sizes)))
    axes.set_xticklabels([f"{size:,}" for size in sizes])
    axes.set_xlim(-0.5, len(sizes) - 0.5)
    axes.legend(fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    describe(axes, f"{in_a_row(heading)}. AUROC and its 95 % interval; chance is 0.5. {'; '.join(words)}.")
    return axes
