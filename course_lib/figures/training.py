"""Figures of a training."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from course_lib.figures.style import BLUE, LINES, ORANGE, axes_or_new, describe
from course_lib.training.history import History


def plot_history(
    history: History, heading: str, ax: Axes | None = None, *, classes: int | None = 2, loss: str = "cross-entropy"
) -> Axes:
    """Training and validation loss per epoch; the best epoch is marked, and what guessing one of the classes costs.

    Where nothing is to be guessed, ``classes`` is None, and ``loss`` says what the training minimises.
    """
    axes = axes_or_new(ax, (5.5, 3.4))
    epochs = np.arange(1, len(history.train_loss) + 1)
    axes.plot(epochs, history.train_loss, color=BLUE, linestyle="--", marker="o", markersize=3, label="training")
    axes.plot(epochs, history.validation_loss, color=ORANGE, marker="s", markersize=3, label="validation")
    best = history.best_epoch
    axes.axvline(best + 1, color="0.6", linewidth=1, linestyle=":", label=f"best: epoch {best + 1}")
    guessing = ""
    if classes is not None:
        axes.axhline(np.log(classes), color="0.8", linewidth=1, label=f"guessing: ln {classes}")
        guessing = f" Guessing between {'two' if classes == 2 else classes} classes has {np.log(classes):.2f}."
    axes.set(title=heading, xlabel="epoch", ylabel=loss)
    axes.legend(fontsize=8)
    describe(
        axes,
        f"{heading}. In {len(epochs)} epochs the training loss goes from {history.train_loss[0]:.2f} to "
        f"{history.train_loss[-1]:.2f}. The validation loss starts at {history.validation_loss[0]:.2f}, is lowest in "
        f"epoch {best + 1} with {history.validation_loss[best]:.2f}, and ends at {history.validation_loss[-1]:.2f}."
        f"{guessing}",
    )
    return axes


def plot_curves(curves: Mapping[str, Sequence[float]], heading: str, ylabel: str, ax: Axes | None = None) -> Axes:
    """Several models' values per epoch, one line each.

    Raises:
        ValueError: there are more curves than lines that can be told apart.
    """
    if len(curves) > len(LINES):
        raise ValueError(f"Expected at most {len(LINES)} curves, got {len(curves)}. Draw two figures.")
    axes = axes_or_new(ax, (5.5, 3.4))
    for (name, values), (color, style, marker) in zip(curves.items(), LINES, strict=False):
        axes.plot(np.arange(1, len(values) + 1), values, color=color, linestyle=style, marker=marker, label=name)
    axes.set(title=heading, xlabel="epoch", ylabel=ylabel)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=8)
    ends = "; ".join(
        f"{name}: from {values[0]:.2f} to {values[-1]:.2f}, between {min(values):.2f} and {max(values):.2f}"
        for name, values in curves.items()
    )
    describe(axes, f"{heading}, {ylabel} by epoch. {ends}.")
    return axes
