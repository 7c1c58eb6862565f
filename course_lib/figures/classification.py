"""Figures of a classifier and its mistakes.

Those that show a score are for two classes; `Predictions.one_against_rest` makes two of more.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from course_lib.evaluation.classification import auroc, average_precision, confusion, precision, sensitivity
from course_lib.evaluation.predictions import Predictions
from course_lib.figures.style import AREAS, BLUE, LINES, ORANGE, axes_or_new, describe


def plot_roc(predictions: Predictions, heading: str, threshold: float | None = None, ax: Axes | None = None) -> Axes:
    """The ROC curve, chance, and where on the curve a threshold lies.

    With more than two classes there is a curve for each against the rest, and no threshold.

    Raises:
        ValueError: there are more classes than lines that can be told apart, or there is a threshold for more than two.
    """
    if len(predictions.classes) > 2:
        return _plot_roc_of_each(predictions, heading, threshold, ax)
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


def _plot_roc_of_each(predictions: Predictions, heading: str, threshold: float | None, ax: Axes | None) -> Axes:
    if threshold is not None:
        raise ValueError(f"There is no threshold between {len(predictions.classes)} classes. Leave it out.")
    if len(predictions.classes) > len(LINES):
        raise ValueError(
            f"Expected at most {len(LINES)} classes, got {len(predictions.classes)}. Draw one of them, as in "
            f"predictions.one_against_rest({predictions.classes[-1]!r})."
        )
    axes = axes_or_new(ax, (4.2, 4))
    words = []
    for name, (color, style, _) in zip(predictions.classes, LINES, strict=False):
        one = predictions.one_against_rest(name)
        false_positive_rate, true_positive_rate, _ = roc_curve(one.labels, one.scores)
        label = f"{name}, AUROC {auroc(one):.3f}"
        axes.plot(false_positive_rate, true_positive_rate, color=color, linestyle=style, label=label)
        words.append(f"{name} {auroc(one):.3f}")
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, label="chance, 0.5")
    axes.set(title=heading, xlabel="1 - specificity (false alarms)", ylabel="sensitivity (found)", aspect="equal")
    axes.legend(fontsize=8, loc="lower right")
    describe(
        axes,
        f"{heading}. ROC curves of each class against the rest, with the areas (AUROC) {', '.join(words)}; their mean "
        f"is {auroc(predictions):.3f}, and chance is 0.5.",
    )
    return axes


def plot_confusion(
    predictions: Predictions,
    threshold: float | None,
    heading: str,
    ax: Axes | None = None,
    *,
    intervals: NDArray[np.float64] | None = None,
) -> Axes:
    """The counts of the confusion matrix, true class by row and predicted class by column.

    Without a threshold, the most probable class is the predicted one. With ``intervals`` [classes, classes, 2], from
    `confusion_intervals`, each count also has its share of the row and the interval of that.
    """
    names, counts = predictions.classes, confusion(predictions, threshold)
    size = 0.8 * (len(names) - 2) + (0 if intervals is None else 0.3 * len(names))
    axes = axes_or_new(ax, (3.8 + size, 3.4 + size))
    images = counts.sum(axis=1)
    shares = counts / np.maximum(images, 1)[:, None]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if count > images[row] / 2 else "black"
        higher = 0 if intervals is None else 0.12
        axes.text(column, row - higher, str(count), ha="center", va="center", fontsize=16, color=color)
        if intervals is not None:
            said = _share_in_words(shares[row, column], intervals[row, column], "\n")
            axes.text(column, row + 0.22, said, ha="center", va="center", fontsize=8, color=color)
    axes.set(title=heading, xlabel="predicted", ylabel="true", xticks=range(len(names)), yticks=range(len(names)))
    axes.set_xticklabels(names)
    axes.set_yticklabels(names, rotation=90, va="center")
    first, *others = zip(images, names, counts.diagonal(), strict=True)
    words = [f"Of {first[0]} {first[1]} images, {first[2]} are called right"]
    words += [f"of {count} {name} images, {right} are" for count, name, right in others]
    describe(axes, f"{heading}. {'; '.join(words)}.")
    if intervals is not None:
        describe(axes, _confusion_in_words(shares, intervals, names))
    return axes


def _confusion_in_words(shares: NDArray[np.float64], intervals: NDArray[np.float64], names: Sequence[str]) -> str:
    """Each share of a row with its interval."""
    rows = []
    for name, row, ends in zip(names, shares, intervals, strict=True):
        cells = (f"{of} {_share_in_words(share, pair)}" for of, share, pair in zip(names, row, ends, strict=True))
        rows.append(f"{name} is called {', '.join(cells)}")
    return f"Shares of each row, with the 95 % interval over patients: {'; '.join(rows)}."


def _share_in_words(share: float, ends: NDArray[np.float64], between: str = " ") -> str:
    low, high = ends
    return f"{100 * share:.0f} %{between}({100 * low:.0f} to {100 * high:.0f})"


def plot_scores(predictions: Predictions, threshold: float, heading: str, ax: Axes | None = None) -> Axes:
    """How the scores of the two classes are spread, and where the threshold cuts."""
    axes = axes_or_new(ax, (5.5, 3))
    bins = np.linspace(0, 1, 21).tolist()
    for label, (color, hatch) in enumerate(AREAS[:2]):
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
