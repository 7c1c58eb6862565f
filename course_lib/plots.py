"""Figures: data in, Axes out. They never show and never save, and each can say in words what it shows."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_curve

from course_lib.evaluation import Predictions, auroc, confusion
from course_lib.training import History

# Two colours that people with any kind of colour vision tell apart (Okabe and Ito, 2008); line styles differ as well.
BLUE, ORANGE = "#0072B2", "#D55E00"


def text_alternative(axes: Axes) -> str:
    """What the figure that holds these axes shows, in words, for readers who can not see it.

    Raises:
        ValueError: the figure was not made by a function of this room.
    """
    words = getattr(axes.get_figure(root=True), "text_alternative", None)
    if words is None:
        raise ValueError("These axes have no text alternative: they were not drawn by a function of course_lib.plots.")
    return str(words)


def plot_images(
    images: Sequence[ArrayLike], titles: Sequence[str], heading: str, columns: int = 4
) -> NDArray[np.object_]:
    """Grey images beside each other, black 0 and white 1 (or 255 for whole numbers); gives the Axes, row by row."""
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(2.4 * columns, 2.5 * rows + 0.4), squeeze=False, layout="constrained"
    )
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, title in zip(grid.flat, images, titles, strict=False):
        pixels = np.asarray(image)
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255 if pixels.dtype == np.uint8 else 1)
        axes.set_title(title, fontsize=9)
    figure.suptitle(heading)
    _say(figure, f"{heading}. {len(images)} grey images: {', '.join(titles)}.")
    return grid


def plot_masks(
    images: Sequence[ArrayLike], masks: Sequence[ArrayLike], titles: Sequence[str], heading: str, columns: int = 4
) -> NDArray[np.object_]:
    """Grey images with the outline of a mask on each; gives the Axes, row by row."""
    grid = plot_images(images, titles, heading, columns)
    panels: list[Axes] = grid.ravel().tolist()
    for axes, mask in zip(panels, masks, strict=False):
        inside = np.asarray(mask, dtype=float)
        if inside.any() and not inside.all():
            axes.contour(inside, levels=[0.5], colors=ORANGE, linewidths=1)
    covered = ", ".join(f"{100 * np.mean(np.asarray(mask, dtype=float)):.0f} %" for mask in masks)
    _say(_axes(panels[0], (0, 0))[1], f"An outline marks the mask, which covers {covered} of the picture.")
    return grid


def plot_history(history: History, heading: str, ax: Axes | None = None) -> Axes:
    """Training and validation loss per epoch; the best epoch is marked."""
    axes, figure = _axes(ax, (5.5, 3.4))
    epochs = np.arange(1, len(history.train_loss) + 1)
    axes.plot(epochs, history.train_loss, color=BLUE, linestyle="--", marker="o", markersize=3, label="training")
    axes.plot(epochs, history.validation_loss, color=ORANGE, marker="s", markersize=3, label="validation")
    best = history.best_epoch
    axes.axvline(best + 1, color="0.6", linewidth=1, linestyle=":", label=f"best: epoch {best + 1}")
    axes.axhline(np.log(2), color="0.8", linewidth=1, label="guessing: ln 2")
    axes.set(title=heading, xlabel="epoch", ylabel="cross-entropy")
    axes.legend(fontsize=8)
    _say(
        figure,
        f"{heading}. Training loss goes from {history.train_loss[0]:.2f} to {history.train_loss[-1]:.2f}, "
        f"validation loss from {history.validation_loss[0]:.2f} to its lowest, {history.validation_loss[best]:.2f}, "
        f"in epoch {best + 1}.",
    )
    return axes


def plot_curves(curves: Mapping[str, Sequence[float]], heading: str, ylabel: str, ax: Axes | None = None) -> Axes:
    """Several models' values per epoch, one line each."""
    axes, figure = _axes(ax, (5.5, 3.4))
    for (name, values), color, style, marker in zip(
        curves.items(), (ORANGE, BLUE, "0.3"), ("-", "--", ":"), "so^", strict=False
    ):
        axes.plot(np.arange(1, len(values) + 1), values, color=color, linestyle=style, marker=marker, label=name)
    axes.set(title=heading, xlabel="epoch", ylabel=ylabel)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=8)
    ends = "; ".join(f"{name}: from {values[0]:.2f} to {values[-1]:.2f}" for name, values in curves.items())
    _say(figure, f"{heading}, {ylabel} by epoch. {ends}.")
    return axes


def plot_roc(predictions: Predictions, heading: str, threshold: float | None = None, ax: Axes | None = None) -> Axes:
    """The ROC curve, chance, and where on the curve a threshold lies."""
    axes, figure = _axes(ax, (4.2, 4))
    false_positive_rate, true_positive_rate, _ = roc_curve(predictions.labels, predictions.scores)
    axes.plot(false_positive_rate, true_positive_rate, color=BLUE, label=f"model, AUROC {auroc(predictions):.3f}")
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", label="chance, 0.5")
    words = f"{heading}. ROC curve with an area of {auroc(predictions):.3f}; chance is 0.5."
    if threshold is not None:
        (spared, alarmed), (missed, found) = confusion(predictions, threshold)
        x, y = alarmed / (spared + alarmed), found / (missed + found)
        axes.plot(x, y, "o", color=ORANGE, label=f"threshold {threshold:.2f}")
        words += f" At the threshold {threshold:.2f}, sensitivity is {y:.2f} and specificity {1 - x:.2f}."
    axes.set(title=heading, xlabel="1 - specificity (false alarms)", ylabel="sensitivity (found)", aspect="equal")
    axes.legend(fontsize=8, loc="lower right")
    _say(figure, words)
    return axes


def plot_confusion(predictions: Predictions, threshold: float, heading: str, ax: Axes | None = None) -> Axes:
    """The four counts of the confusion matrix, true class by row and predicted class by column."""
    axes, figure = _axes(ax, (3.8, 3.4))
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
    _say(
        figure,
        f"{heading}. Of {spared + alarmed} {names[0]} images, {spared} are called right; "
        f"of {missed + found} {names[1]} images, {found} are.",
    )
    return axes


def plot_scores(predictions: Predictions, threshold: float, heading: str, ax: Axes | None = None) -> Axes:
    """How the scores of the two classes are spread, and where the threshold cuts."""
    axes, figure = _axes(ax, (5.5, 3))
    bins = np.linspace(0, 1, 21).tolist()
    for label, (color, hatch) in enumerate(((BLUE, "//"), (ORANGE, ".."))):
        scores = predictions.scores[predictions.labels == label]
        axes.hist(
            scores, bins, alpha=0.55, color=color, hatch=hatch, edgecolor="white", label=predictions.classes[label]
        )
    axes.axvline(threshold, color="black", linestyle="--", label=f"threshold {threshold:.2f}")
    axes.set(title=heading, xlabel=f"score for {predictions.classes[1]}", ylabel="images")
    axes.legend(fontsize=8)
    medians = [np.median(predictions.scores[predictions.labels == label]) for label in (0, 1)]
    _say(
        figure,
        f"{heading}. The median score is {medians[0]:.2f} for {predictions.classes[0]} and {medians[1]:.2f} for "
        f"{predictions.classes[1]}; the threshold is {threshold:.2f}.",
    )
    return axes


def _axes(ax: Axes | None, size: tuple[float, float]) -> tuple[Axes, Figure]:
    axes = ax if ax is not None else plt.subplots(figsize=size, layout="constrained")[1]
    figure = axes.get_figure(root=True)
    assert figure is not None
    return axes, figure


def _say(figure: Figure, words: str) -> None:
    earlier = getattr(figure, "text_alternative", "")
    figure.text_alternative = f"{earlier} {words}".strip()  # type: ignore[attr-defined]
