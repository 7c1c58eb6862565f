"""Figures of what a classifier's answers are worth: predictive values, counts, costs, calibration, abstaining."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes

from course_lib.evaluation.abstention import risk_coverage
from course_lib.evaluation.calibration import brier_score, reliability
from course_lib.evaluation.decisions import Costs, Counts, expected_counts
from course_lib.evaluation.intervals import accuracy_interval
from course_lib.evaluation.predictions import Predictions
from course_lib.figures.style import BLUE, LINES, ORANGE, axes_or_new, describe


def plot_predictive_values(
    sensitivity: float, specificity: float, places: Mapping[str, float], heading: str, ax: Axes | None = None
) -> Axes:
    """What an answer is worth where few or many are sick; ``places`` are named prevalences, 0 to 1."""
    axes = axes_or_new(ax, (5.5, 3.2))
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
    axes = axes_or_new(ax, (6, 1.9))
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


def plot_reliability(several: Mapping[str, Predictions], heading: str, groups: int = 6, ax: Axes | None = None) -> Axes:
    """What the model says against how many are sick, in groups of like scores; on the diagonal both agree."""
    axes = axes_or_new(ax, (4.4, 4))
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
    axes = axes_or_new(ax, (5.5, 3.2))
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


def plot_risk_coverage(
    several: Mapping[str, Predictions], threshold: float, heading: str, ax: Axes | None = None
) -> Axes:
    """The share of wrong answers among the surest images, by how many are answered; one line per set of images."""
    axes = axes_or_new(ax, (5.5, 3.4))
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
