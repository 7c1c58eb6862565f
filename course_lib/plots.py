"""Figures: data in, Axes out. They never save, and each says in words what it shows, also under it in a notebook."""

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import partial
from html import escape
from itertools import groupby

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from sklearn.metrics import roc_curve

from course_lib.evaluation import Predictions, auroc, confusion
from course_lib.training import History

# Colours that people with any kind of colour vision tell apart (Okabe and Ito, 2008). Nothing rests on colour alone:
# lines differ in style and marker too, areas in hatching.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
LINES = ((ORANGE, "-", "s"), (BLUE, "--", "o"), ("0.3", ":", "^"), (GREEN, "-.", "D"), (PURPLE, (0, (6, 1)), "v"))
DRAWING_COLOURS = 4096  #: a figure without photographs has fewer


def text_alternative(axes: Axes) -> str:
    """What the figure that holds these axes shows, in words, for readers who can not see it.

    Raises:
        ValueError: the figure was not made by a function of this room, and nobody described it.
    """
    words = getattr(axes.get_figure(root=True), "text_alternative", None)
    if words is None:
        raise ValueError(
            "These axes have no text alternative: they were not drawn by a function of course_lib.plots. "
            "Say what they show: describe(axes, 'One or two sentences, with the values that matter.')"
        )
    return str(words)


def describe(axes: Axes, words: str) -> None:
    """Say in words what the figure that holds these axes shows; what was said of it before stays in front.

    In a notebook the figure then comes with its words twice: in the metadata of the picture, from where nbconvert takes
    a page's ``alt``, and under it as a caption. JupyterLab 4.6 gives pictures no ``alt``; there, a screen reader reads
    the caption.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    earlier = getattr(figure, "text_alternative", "")
    figure.text_alternative = f"{earlier} {words}".strip()  # type: ignore[attr-defined]
    figure._ipython_display_ = partial(_show_with_caption, figure)  # type: ignore[attr-defined]


def plot_images(
    images: Sequence[ArrayLike], titles: Sequence[str], heading: str, columns: int = 4, side: float = 2.4
) -> NDArray[np.object_]:
    """Grey images beside each other, black 0 and white 1 (or 255 for whole numbers); gives the Axes, row by row.

    ``side`` is the room for one image, in inches.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(side * columns, (side + 0.1) * rows + 0.4), squeeze=False, layout="constrained"
    )
    for axes in grid.flat:
        axes.axis("off")
    arrays = [np.asarray(image) for image in images]
    for axes, pixels, title in zip(grid.flat, arrays, titles, strict=False):
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255 if pixels.dtype == np.uint8 else 1)
        axes.set_title(title, fontsize=9)
    figure.suptitle(heading)
    count = "One grey image" if len(images) == 1 else f"{len(images)} grey images"
    describe(grid[0, 0], f"{heading}. {count}: {_images_in_words(arrays, titles)}.")
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
    describe(panels[0], f"An outline marks the mask, which covers {covered} of the picture.")
    return grid


def plot_history(history: History, heading: str, ax: Axes | None = None) -> Axes:
    """Training and validation loss per epoch; the best epoch is marked."""
    axes = _axes(ax, (5.5, 3.4))
    epochs = np.arange(1, len(history.train_loss) + 1)
    axes.plot(epochs, history.train_loss, color=BLUE, linestyle="--", marker="o", markersize=3, label="training")
    axes.plot(epochs, history.validation_loss, color=ORANGE, marker="s", markersize=3, label="validation")
    best = history.best_epoch
    axes.axvline(best + 1, color="0.6", linewidth=1, linestyle=":", label=f"best: epoch {best + 1}")
    axes.axhline(np.log(2), color="0.8", linewidth=1, label="guessing: ln 2")
    axes.set(title=heading, xlabel="epoch", ylabel="cross-entropy")
    axes.legend(fontsize=8)
    describe(
        axes,
        f"{heading}. In {len(epochs)} epochs the training loss goes from {history.train_loss[0]:.2f} to "
        f"{history.train_loss[-1]:.2f}. The validation loss starts at {history.validation_loss[0]:.2f}, is lowest in "
        f"epoch {best + 1} with {history.validation_loss[best]:.2f}, and ends at {history.validation_loss[-1]:.2f}. "
        "Guessing between two classes has 0.69.",
    )
    return axes


def plot_curves(curves: Mapping[str, Sequence[float]], heading: str, ylabel: str, ax: Axes | None = None) -> Axes:
    """Several models' values per epoch, one line each.

    Raises:
        ValueError: there are more curves than lines that can be told apart.
    """
    if len(curves) > len(LINES):
        raise ValueError(f"Expected at most {len(LINES)} curves, got {len(curves)}. Draw two figures.")
    axes = _axes(ax, (5.5, 3.4))
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


def plot_roc(predictions: Predictions, heading: str, threshold: float | None = None, ax: Axes | None = None) -> Axes:
    """The ROC curve, chance, and where on the curve a threshold lies."""
    axes = _axes(ax, (4.2, 4))
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
    axes = _axes(ax, (3.8, 3.4))
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
    axes = _axes(ax, (5.5, 3))
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


def without_colour(png: bytes) -> bytes:
    """The same picture with one channel where all are alike, which halves its bytes; else as it was."""
    with Image.open(io.BytesIO(png)) as picture:
        red, green, blue, opacity = picture.convert("RGBA").split()
    if not red.tobytes() == green.tobytes() == blue.tobytes() or opacity.getextrema() != (255, 255):
        return png
    file = io.BytesIO()
    red.save(file, "PNG", optimize=True)
    return file.getvalue()


def with_palette(png: bytes) -> bytes:
    """The same drawing with a palette of 128 colours, which leaves a third of its bytes; a photograph as it was."""
    with Image.open(io.BytesIO(png)) as picture:
        opaque = picture.mode != "RGBA" or picture.getchannel("A").getextrema() == (255, 255)
        drawing = picture.convert("RGB")
    if picture.mode == "L" or not opaque or drawing.getcolors(DRAWING_COLOURS) is None:
        return png
    file = io.BytesIO()
    drawing.quantize(128, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def plot_lessons(lessons: Mapping[str, str], paths: Sequence[tuple[str, str]], heading: str, columns: int = 3) -> Axes:
    """Lessons as boxes, number and what one can do afterwards, with an arrow for each path from one to another.

    The boxes go to the right and, in the next row, back. The path between neighbours is straight, any other bends.
    """
    rows = -(-len(lessons) // columns)
    axes = plt.subplots(figsize=(2.6 * columns, 1.3 * rows + 0.3), layout="constrained")[1]
    middles = {}
    for place, (number, skill) in enumerate(lessons.items()):
        row, column = divmod(place, columns)
        x, y = column if row % 2 == 0 else columns - 1 - column, -row
        middles[number] = np.array([x, y])
        box = Rectangle((x - 0.38, y - 0.28), 0.76, 0.56, facecolor="0.95", edgecolor=BLUE, linewidth=1.5)
        axes.add_patch(box)
        axes.text(x, y, f"{number}\n{skill}", ha="center", va="center", fontsize=9)
    for start, end in paths:
        across, down = middles[end] - middles[start]
        near = abs(across) + abs(down) == 1
        leave = np.array([0.38 * np.sign(across), 0.28 * np.sign(down)]) if near else np.array([0, -0.28])
        arrive = -leave if near else leave
        bend = f"arc3,rad={0 if near else 0.15 * np.sign(across)}"
        style = {"arrowstyle": "-|>", "color": ORANGE, "connectionstyle": bend, "shrinkA": 1, "shrinkB": 1}
        axes.annotate("", middles[end] + arrive, middles[start] + leave, arrowprops=style)
    axes.set(title=heading, xlim=(-0.45, columns - 0.55), ylim=(0.4 - rows, 0.4))
    axes.axis("off")
    boxes = "; ".join(f"{number}, {skill}" for number, skill in lessons.items())
    arrows = ", and ".join(f"from {start} to {end}" for start, end in paths)
    describe(axes, f"{heading}. {len(lessons)} boxes: {boxes}. Arrows lead {arrows}.")
    return axes


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    return ax if ax is not None else plt.subplots(figsize=size, layout="constrained")[1]


def _images_in_words(images: Sequence[NDArray[np.generic]], titles: Sequence[str]) -> str:
    """Title, size and mean brightness; neighbours with the same title are taken together."""
    parts = []
    for title, group in groupby(zip(titles, images, strict=False), key=lambda pair: pair[0]):
        pictures = [image for _, image in group]
        sizes = sorted({f"{image.shape[1]} x {image.shape[0]}" for image in pictures})
        size = f"{sizes[0]} pixels" if len(sizes) == 1 else "of different sizes"
        bright = np.mean([image.mean() / (255 if image.dtype == np.uint8 else 1) for image in pictures])
        count = f"{len(pictures)} times " if len(pictures) > 1 else ""
        parts.append(f"{count}{title} ({size}, mean brightness {100 * bright:.0f} %)")
    return ", ".join(parts)


def _show_with_caption(figure: Figure) -> None:
    """What IPython calls to show the figure; inline figures are shown so when their cell ends."""
    from IPython.core.pylabtools import print_figure
    from IPython.display import display

    words = figure.text_alternative  # type: ignore[attr-defined]
    picture = {
        "image/png": b64encode(with_palette(without_colour(print_figure(figure)))).decode(),
        "text/plain": repr(figure),
    }
    display(picture, metadata={"image/png": {"alt": words}}, raw=True)
    display({"text/html": f"<p><small>{escape(words, quote=False)}</small></p>", "text/plain": words}, raw=True)
