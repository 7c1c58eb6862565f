"""Figures of an audit: pairs that look alike, what a leak adds, where the label shows, which labels are doubted."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from course_lib.audit import Inventory, LeakEffect, Pair
from course_lib.data.image_file import open_grey
from course_lib.figures.images import plot_images
from course_lib.figures.style import AREAS, BLUE, ORANGE, axes_or_new, describe
from course_lib.support.foreign import printable

NARROWEST = 6  #: percent: a part of a bar with less has no room for its number


def plot_pairs(pairs: Sequence[Pair], heading: str, most: int = 4) -> NDArray[np.object_]:
    """Pairs of files that look alike, one pair per row; gives the Axes, row by row."""
    files = [file for pair in pairs[:most] for file in (pair.first, pair.second)]
    images = [np.asarray(open_grey(file.path)) for file in files]
    return plot_images(images, [f"{file.split}: {printable(file.path.stem)}" for file in files], heading, columns=2)


def plot_hash_distances(counts: NDArray[np.int64], threshold: int, heading: str, ax: Axes | None = None) -> Axes:
    """How many pairs of pictures differ in 0, 1, … 64 bits of their hashes, and up to where they count as alike."""
    axes = axes_or_new(ax, (5.5, 3))
    axes.bar(np.arange(len(counts)), counts, color=BLUE, width=0.8)
    axes.axvline(threshold + 0.5, color=ORANGE, linestyle="--", label=f"alike: at most {threshold} bits")
    axes.set(title=heading, xlabel="bits in which two hashes differ", ylabel="pairs (log scale)", yscale="log")
    axes.legend(fontsize=8)
    near, middle = int(counts[: threshold + 1].sum()), int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
    describe(
        axes,
        f"{heading}. Of {counts.sum():,} pairs, {near:,} differ in at most {threshold} of 64 bits; half of all pairs "
        f"differ in more than {middle - 1}.",
    )
    return axes


def plot_leak(effect: LeakEffect, heading: str, ax: Axes | None = None) -> Axes:
    """The score of each random split, by image and by patient."""
    axes = axes_or_new(ax, (4.4, 3.2))
    sides = {"by image": effect.by_image, "by patient": effect.by_patient}
    for place, ((name, scores), (color, marker)) in enumerate(
        zip(sides.items(), ((ORANGE, "s"), (BLUE, "o")), strict=True)
    ):
        spread = np.linspace(-0.12, 0.12, len(scores))
        axes.scatter(place + spread, scores, color=color, marker=marker, label=f"{name}: mean {scores.mean():.1%}")
        axes.hlines(scores.mean(), place - 0.25, place + 0.25, color=color)
    axes.axhline(0.5, color="0.4", linestyle=":", label="guessing: 50%")
    axes.set(title=heading, xticks=[0, 1], xlim=(-0.5, 1.5), xlabel="how it was split", ylabel="balanced accuracy")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xticklabels(list(sides))
    axes.legend(fontsize=8)
    found = "; ".join(
        f"{name}: mean {scores.mean():.1%}, from {scores.min():.1%} to {scores.max():.1%}"
        for name, scores in sides.items()
    )
    describe(axes, f"{heading}. Balanced accuracy in {len(effect.by_image)} random splits of each kind. {found}.")
    return axes


def plot_property(
    values: NDArray[np.float64], inventory: Inventory, name: str, heading: str, ax: Axes | None = None
) -> Axes:
    """How one property of the files is spread in each class; ``values`` [files]."""
    axes = axes_or_new(ax, (5.5, 3))
    edges = np.histogram_bin_edges(values, 30).tolist()
    words = []
    for label, (name_of_class, (color, hatch)) in enumerate(zip(inventory.classes, cycle(AREAS))):
        own, class_name = values[inventory.labels == label], printable(name_of_class)
        axes.hist(own, edges, alpha=0.55, color=color, hatch=hatch, edgecolor="white", label=class_name)
        words.append(f"{class_name}: median {np.median(own):,.4g}, from {own.min():,.4g} to {own.max():,.4g}")
    axes.set(title=heading, xlabel=name, ylabel="images")
    axes.legend(fontsize=8)
    describe(axes, f"{heading}. {name} by class. {'; '.join(words)}.")
    return axes


def plot_shares(
    counts: Mapping[tuple[str, str], int], heading: str, xlabel: str = "share", ax: Axes | None = None
) -> Axes:
    """How each row is made up: a bar of 100 % for each, cut into its columns; the numbers are percent of the row.

    ``counts`` holds by row and column, such as class and plane, how many there are, as a `Counter` does. Rows and
    columns stand in the order of their names.

    Raises:
        ValueError: nothing was counted, or there are more columns than areas that can be told apart.
    """
    rows, columns = (sorted({names[side] for names, count in counts.items() if count}) for side in (0, 1))
    if not 0 < len(columns) <= len(AREAS):
        raise ValueError(f"Expected 1 to {len(AREAS)} columns, got {len(columns)}: {', '.join(columns)}.")
    table = np.array([[counts.get((row, column), 0) for column in columns] for row in rows])
    shares = 100 * table / table.sum(axis=1, keepdims=True)
    axes = axes_or_new(ax, (5.6, 0.5 * len(rows) + 1.3))
    starts = np.cumsum(shares, axis=1) - shares
    places = range(len(rows))
    for column, (color, hatch), widths, left in zip(columns, AREAS, shares.T, starts.T, strict=False):
        axes.barh(places, widths, left=left, color=color, hatch=hatch, edgecolor="white", alpha=0.75, label=column)
        for place, width, start in zip(places, widths, left, strict=True):
            if width >= NARROWEST:
                number = axes.text(start + width / 2, place, f"{width:.0f}", ha="center", va="center", fontsize=9)
                number.set_bbox({"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.5})
    named = [f"{row} ({count:,})" for row, count in zip(rows, table.sum(axis=1), strict=True)]
    axes.set(title=heading, xlabel=f"{xlabel}, %", xlim=(0, 100), ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(places, named)
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    words = [
        f"{name}: {', '.join(f'{column} {share:.0f} %' for column, share in zip(columns, parts, strict=True))}"
        for name, parts in zip(named, shares, strict=True)
    ]
    describe(axes, f"{heading}. {'; '.join(words)}.")
    return axes


def plot_tiles(scores: NDArray[np.float64], heading: str, ax: Axes | None = None) -> Axes:
    """Where in the picture the label shows: the AUROC of a model that sees one tile only, [rows, columns]."""
    axes = axes_or_new(ax, (4.4, 3.8))
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


def plot_losses(losses: NDArray[np.float64], wrong: NDArray[np.bool_], heading: str, ax: Axes | None = None) -> Axes:
    """How the losses of images with right and with wrong labels are spread; ``losses`` and ``wrong`` [images]."""
    axes = axes_or_new(ax, (5.5, 3))
    edges = np.linspace(0, max(float(losses.max()), 1.0), 25).tolist()
    words = []
    for (name, chosen), (color, hatch) in zip((("right", ~wrong), ("wrong", wrong)), AREAS, strict=False):
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
