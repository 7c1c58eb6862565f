"""Figures of an audit: pairs that look alike, a property by class, and where in the picture the label shows."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course_lib.audit import Inventory, Pair
from course_lib.dataset import open_grey
from course_lib.plots import BLUE, ORANGE, describe, plot_images

STYLES = ((BLUE, "//"), (ORANGE, ".."), ("0.3", "xx"))


def plot_pairs(pairs: Sequence[Pair], heading: str, most: int = 4) -> NDArray[np.object_]:
    """Pairs of files that look alike, one pair per row; gives the Axes, row by row."""
    files = [file for pair in pairs[:most] for file in (pair.first, pair.second)]
    images = [np.asarray(open_grey(file.path)) for file in files]
    return plot_images(images, [f"{file.split}: {file.path.stem}" for file in files], heading, columns=2)


def plot_property(
    values: NDArray[np.float64], inventory: Inventory, name: str, heading: str, ax: Axes | None = None
) -> Axes:
    """How one property of the files is spread in each class; ``values`` [files]."""
    axes = ax if ax is not None else plt.subplots(figsize=(5.5, 3), layout="constrained")[1]
    edges = np.histogram_bin_edges(values, 30).tolist()
    words = []
    for label, class_name in enumerate(inventory.classes):
        own = values[inventory.labels == label]
        color, hatch = STYLES[label % len(STYLES)]
        axes.hist(own, edges, alpha=0.55, color=color, hatch=hatch, edgecolor="white", label=class_name)
        words.append(f"{class_name}: median {np.median(own):,.6g}, from {own.min():,.6g} to {own.max():,.6g}")
    axes.set(title=heading, xlabel=name, ylabel="images")
    axes.legend(fontsize=8)
    describe(axes, f"{heading}. {name} by class. {'; '.join(words)}.")
    return axes


def plot_tiles(scores: NDArray[np.float64], heading: str, ax: Axes | None = None) -> Axes:
    """Where in the picture the label shows: the AUROC of a model that sees one tile only, [rows, columns]."""
    axes = ax if ax is not None else plt.subplots(figsize=(4.4, 3.8), layout="constrained")[1]
    shown = axes.imshow(scores, cmap="cividis", vmin=0.5, vmax=1)
    for (row, column), score in np.ndenumerate(scores):
        axes.text(column, row, f"{score:.1f}", ha="center", va="center", fontsize=7, color="w" if score < 0.75 else "k")
    axes.figure.colorbar(shown, ax=axes, label="AUROC of this tile alone")
    axes.set(title=heading, xticks=[], yticks=[])
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    rows, columns = scores.shape
    describe(
        axes,
        f"{heading}. AUROC of {rows} x {columns} tiles, each alone: from {scores.min():.2f} to {scores.max():.2f}, "
        f"which is in row {row + 1} from the top and column {column + 1} from the left. Chance is 0.50.",
    )
    return axes
