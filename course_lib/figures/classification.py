"""Figures of a classifier and its mistakes."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from course_lib.evaluation.classification import auroc, average_precision, confusion, precision, sensitivity
from course_lib.evaluation.intervals import PairedDifference
from course_lib.evaluation.predictions import Predictions
from course_lib.figures.style import BLUE, LINES, ORANGE, axes_or_new, describe


def plot_roc(predictions: Predictions, heading: str, threshold: float | None = None, ax: Axes | None = None) -> Axes:
    """The ROC curve, chance, and where on the curve a threshold lies."""
    axes = axes_or_new(ax, (4.2, 4))
    false_positive_rate, true_positive_rate, _ = roc_curve(predictions.labels, predictions.scores)
    axes.plot(false_positive_rate, true_positive_rate, color=BLUE, label=f"model, AUROC {auroc(predictions):.3f}")
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", label="chance, 0.5")
    reached = " and ".join(
        f"{true_positive_rate[false_positive_rate < most + 1e-9].max():.2f} where specificity is {1 - most:.2f} or more"
        for most in (0.20, 0.05)
    )
    words = (
        f"{heading}. ROC curve with an area (AUROC) of {auroc(predictions):.3f}; chance is 0.5. "
        f"Sensitivity reaches {reached}."
    )
    if threshold is not None:
        (spared, alarmed), (missed, found) = confusion(predictions, threshold)
        x, y = alarmed / (spared + alarmed), found / (missed + found)
        axes.plot(x, y, "o", color=ORANGE, label=f"threshold {threshold:.2f}")
        words += f" At the threshold {threshold:.2f}, sensitivity is {y:.2f} and specificity {1 - x:.2f}."
    axes.set(title=heading, xlabel="1 - specificity (false alarms)", ylabel="sensitivity (found)", aspect="equal")
    axes.legend(fontsize=8, loc="lower right")
    describe(axes, words)
    return axes


def plot_confusion(predictions: Predictions, threshold: float, heading: str, ax: Axes | None = None) -> Axes:
    """The four counts of the confusion matrix, true class by row and predicted class by column."""
    axes = axes_or_new(ax, (3.8, 3.4))
    counts = confusion(predictions, threshold)
    axes.imshow(counts / counts.sum(axis=1, keepdims=True), cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        dark = count > counts[row].sum() / 2
        axes.text(column, row, str(count), ha="center", va="center", fontsize=16, color="white" if dark else "black")
    names = predictions.classes
    axes.set(title=heading, xlabel="predicted", ylabel="true", xticks=[0, 1], yticks=[0, 1])
    axes.set_xticklabels(names)
    axes.set_yticklabels(names, rotation=90, va="center")
    (spared, alarmed), (missed, found) = counts
    describe(
        axes,
        f"{heading}. Of {spared + alarmed} {names[0]} images, {spared} are called right; "
        f"of {missed + found} {names[1]} images, {found} are.",
    )
    return axes


def plot_scores(predictions: Predictions, threshold: float, heading: str, ax: Axes | None = None) -> Axes:
    """How the scores of the two classes are spread, and where the threshold cuts."""
    axes = axes_or_new(ax, (5.5, 3))
    bins = np.linspace(0, 1, 21).tolist()
    for label, (color, hatch) in enumerate(((BLUE, "//"), (ORANGE, ".."))):
        scores = predictions.scores[predictions.labels == label]
        axes.hist(
            scores, bins, alpha=0.55, color=color, hatch=hatch, edgecolor="white", label=predictions.classes[label]
        )
    axes.axvline(threshold, color="black", linestyle="--", label=f"threshold {threshold:.2f}")
    axes.set(title=heading, xlabel=f"score for {predictions.classes[1]}", ylabel="images")
    axes.legend(fontsize=8)
    scores_by_class = [predictions.scores[predictions.labels == label] for label in (0, 1)]
    found = "; ".join(
        f"{name}: median {np.median(scores):.2f}, {100 * np.mean(scores >= threshold):.0f} % at or above the threshold"
        for name, scores in zip(predictions.classes, scores_by_class, strict=True)
    )
    describe(axes, f"{heading}. Scores of the two classes, from 0 to 1; the threshold is {threshold:.2f}. {found}.")
    return axes


MOST_PAIRS = 400  #: that can be told apart in a small figure


def plot_pairs_won(predictions: Predictions, heading: str, ax: Axes | None = None) -> Axes:
    """The ROC curve of a few images, with a field for every pair of a sick and a healthy one; shaded where it wins.

    Raises:
        ValueError: there are too many pairs to be drawn.
    """
    healthy, sick = (np.sort(predictions.scores[predictions.labels == label])[::-1] for label in (0, 1))
    if len(sick) * len(healthy) > MOST_PAIRS:
        raise ValueError(f"Expected at most {MOST_PAIRS} pairs, got {len(sick) * len(healthy)}. Take fewer images.")
    axes = axes_or_new(ax, (4.6, 4))
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
    axes = axes_or_new(ax, (5, 3.6))
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
