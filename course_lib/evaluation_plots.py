"""Figures of an evaluation: prevalence, pairs, precision, reliability, costs, intervals, two models side by side."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from course_lib.audit import accuracy_interval
from course_lib.calibration import brier_score, reliability
from course_lib.decisions import Costs, Counts, expected_counts
from course_lib.evaluation import Comparison, Predictions, auroc, average_precision, precision, sensitivity
from course_lib.plots import BLUE, LINES, ORANGE, describe

MOST_PAIRS = 400  #: that can be told apart in a small figure


def plot_predictive_values(
    sensitivity: float, specificity: float, places: Mapping[str, float], heading: str, ax: Axes | None = None
) -> Axes:
    """What an answer is worth where few or many are sick; ``places`` are named prevalences, 0 to 1."""
    axes = _axes(ax, (5.5, 3.2))
    prevalences = np.geomspace(0.001, 0.9, 200)
    groups = [expected_counts(sensitivity, specificity, float(prevalence)) for prevalence in prevalences]
    axes.plot(prevalences, [g.positive_predictive_value for g in groups], color=ORANGE, label="of an alarm (PPV)")
    negative = [g.negative_predictive_value for g in groups]
    axes.plot(prevalences, negative, color=BLUE, linestyle="--", label="of an all-clear (NPV)")
    words = []
    for name, prevalence in places.items():
        here = expected_counts(sensitivity, specificity, prevalence)
        axes.plot(prevalence, here.positive_predictive_value, "o", color=ORANGE)
        point = (prevalence, here.positive_predictive_value)
        label = axes.annotate(name, point, xytext=(-6, 5), textcoords="offset points", ha="right")
        label.set_bbox({"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1})
        words.append(
            f"{name}, {prevalence:.1%} sick: {here.positive_predictive_value:.0%} of the alarms are right, and "
            f"{here.negative_predictive_value:.1%} of the all-clears"
        )
    axes.set(title=heading, xscale="log", xlabel="prevalence", ylabel="part that is right", ylim=(0, 1.05))
    axes.set_xticks([0.001, 0.01, 0.1, 0.5], ["0.1 %", "1 %", "10 %", "50 %"])
    axes.legend(fontsize=8)
    describe(axes, f"{heading}. Sensitivity {sensitivity:.2f}, specificity {specificity:.2f}. {'; '.join(words)}.")
    return axes


def plot_counts(counts: Counts, heading: str, ax: Axes | None = None) -> Axes:
    """The sick above, the healthy below, each as one bar that is cut by the answer they get."""
    axes = _axes(ax, (6, 1.9))
    rows = (
        (1, ((counts.found, "found", ORANGE, ".."), (counts.missed, "missed", "0.3", "xx"))),
        (0, ((counts.alarmed, "alarmed", "#E69F00", "\\\\"), (counts.spared, "spared", BLUE, "//"))),
    )
    for row, parts in rows:
        start = 0.0
        for number, name, color, hatch in parts:
            label = f"{name} {number:.0f}"
            axes.barh(row, number, left=start, color=color, hatch=hatch, edgecolor="white", alpha=0.75, label=label)
            start += number
    everyone = counts.found + counts.missed + counts.alarmed + counts.spared
    axes.set(title=heading, xlim=(0, everyone), yticks=[0, 1], xlabel="children")
    axes.set_yticklabels(["healthy", "sick"])
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    alarms = counts.found + counts.alarmed
    value = f"{counts.found / alarms:.0%} of the {alarms:.0f} alarms are right" if alarms else "there is no alarm"
    describe(
        axes,
        f"{heading}. Of {counts.found + counts.missed:.0f} sick children, {counts.found:.0f} are found and "
        f"{counts.missed:.0f} missed; of {counts.alarmed + counts.spared:.0f} healthy ones, {counts.alarmed:.0f} are "
        f"alarmed and {counts.spared:.0f} spared; {value}.",
    )
    return axes


def plot_pairs_won(predictions: Predictions, heading: str, ax: Axes | None = None) -> Axes:
    """The ROC curve of a few images, with a field for every pair of a sick and a healthy one; shaded where it wins.

    Raises:
        ValueError: there are too many pairs to be drawn.
    """
    healthy, sick = (np.sort(predictions.scores[predictions.labels == label])[::-1] for label in (0, 1))
    if len(sick) * len(healthy) > MOST_PAIRS:
        raise ValueError(f"Expected at most {MOST_PAIRS} pairs, got {len(sick) * len(healthy)}. Take fewer images.")
    axes = _axes(ax, (4.6, 4))
    won = (sick[:, None] > healthy) + (sick[:, None] == healthy) / 2
    for (row, column), part in np.ndenumerate(won):
        hatch = "" if part == 0 else "//"
        field = Rectangle((column, row), 1, 1, facecolor=BLUE if part else "white", alpha=0.15 + 0.3 * part)
        axes.add_patch(field)
        axes.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor="0.6", hatch=hatch, linewidth=0.5))
    limits = [np.inf, *np.unique(predictions.scores)[::-1]]
    path = [((healthy >= limit).sum(), (sick >= limit).sum()) for limit in limits]
    axes.plot(*zip(*path, strict=True), color=ORANGE, marker="o", linewidth=2.5, clip_on=False)
    axes.set(title=heading, xlim=(0, len(healthy)), ylim=(0, len(sick)), aspect="equal")
    axes.set(xlabel="healthy images, by score from high to low", ylabel="sick images, by score from high to low")
    axes.set_xticks(np.arange(len(healthy)) + 0.5, [f"{score:.2g}" for score in healthy])
    axes.set_yticks(np.arange(len(sick)) + 0.5, [f"{score:.2g}" for score in sick])
    describe(
        axes,
        f"{heading}. {len(sick)} sick and {len(healthy)} healthy images make {won.size} fields. The ROC curve goes up "
        f"a field for each sick and to the right for each healthy image, and has {won.sum():g} fields below it: "
        f"{won.sum():g} of {won.size} is {won.mean():.3f}.",
    )
    return axes


def plot_precision_recall(
    several: Mapping[str, Predictions], heading: str, threshold: float | None = None, ax: Axes | None = None
) -> Axes:
    """Precision against sensitivity for all thresholds, one line for each; chance is the share of the sick."""
    axes = _axes(ax, (5, 3.6))
    words = []
    for (name, predictions), (color, style, marker) in zip(several.items(), cycle(LINES)):
        right, found, _ = precision_recall_curve(predictions.labels, predictions.scores)
        area, chance = average_precision(predictions), predictions.labels.mean()
        axes.step(found, right, where="post", color=color, linestyle=style, label=f"{name}: {area:.2f}")
        axes.axhline(chance, color=color, linewidth=0.7, linestyle=":")
        words.append(f"{name}: average precision {area:.2f}, chance {chance:.2f}, AUROC {auroc(predictions):.2f}")
        if threshold is not None:
            axes.plot(sensitivity(predictions, threshold), precision(predictions, threshold), marker, color=color)
    axes.set(title=heading, xlabel="sensitivity (recall)", ylabel="precision", ylim=(0, 1.05))
    axes.legend(fontsize=8, title="average precision")
    describe(axes, f"{heading}. Precision against sensitivity. {'; '.join(words)}.")
    return axes


def plot_reliability(several: Mapping[str, Predictions], heading: str, groups: int = 6, ax: Axes | None = None) -> Axes:
    """What the model says against how many are sick, in groups of like scores; on the diagonal both agree."""
    axes = _axes(ax, (4.4, 4))
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="says what is true")
    words = []
    for (name, predictions), (color, style, marker) in zip(several.items(), cycle(LINES)):
        found = reliability(predictions, groups)
        ends = [accuracy_interval(int(sick), int(n)) for sick, n in zip(found.sick, found.images, strict=True)]
        low, high = np.transpose(ends)
        axes.vlines(found.score, low, high, color=color, alpha=0.5)
        label = f"{name}, Brier {brier_score(predictions):.3f}"
        axes.plot(found.score, found.share, color=color, linestyle=style, marker=marker, label=label)
        pairs = ", ".join(f"{said:.2f}: {true:.2f}" for said, true in zip(found.score, found.share, strict=True))
        words.append(f"{name}, Brier score {brier_score(predictions):.3f}: {pairs}")
    axes.set(title=heading, xlabel="mean score of the group", ylabel="part that is sick", aspect="equal")
    axes.legend(fontsize=8)
    describe(axes, f"{heading}. Mean score and part that is sick, in {groups} groups. {'; '.join(words)}.")
    return axes


def plot_costs(predictions: Predictions, costs: Mapping[str, Costs], heading: str, ax: Axes | None = None) -> Axes:
    """The mean cost of a child for every threshold, one line for each set of costs; the lowest place is marked."""
    axes = _axes(ax, (5.5, 3.2))
    thresholds = np.linspace(0, 1, 201)
    words = []
    for (name, cost), (color, style, marker) in zip(costs.items(), cycle(LINES)):
        values = np.array([cost.of(predictions, float(threshold)) for threshold in thresholds])
        lowest = int(values.argmin())
        axes.plot(thresholds, values, color=color, linestyle=style, label=name)
        axes.plot(thresholds[lowest], values[lowest], marker, color=color, markersize=8)
        words.append(
            f"{name}: {values[0]:.2f} if all are called sick, lowest {values[lowest]:.2f} at the threshold "
            f"{thresholds[lowest]:.2f}"
        )
    axes.set(title=heading, xlabel="threshold", ylabel="mean cost of a child")
    axes.legend(fontsize=8)
    describe(axes, f"{heading}. {'; '.join(words)}.")
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


def plot_comparison(comparison: Comparison, names: Sequence[str], heading: str, ax: Axes | None = None) -> Axes:
    """One dot for each draw of patients: the metric of the second model to the right, of the first one upwards."""
    axes = _axes(ax, (4.2, 4))
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


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    return ax if ax is not None else plt.subplots(figsize=size, layout="constrained")[1]
