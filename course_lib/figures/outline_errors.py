"""Figures of what the metrics make of wrong outlines: overlap by size, and distances in each direction."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from course_lib.evaluation.border_errors import BorderErrors
from course_lib.evaluation.surfaces import Mask, hd95_definitions, surface_distances
from course_lib.figures.outline_lines import draw_outline
from course_lib.figures.style import BLUE, LINES, ORANGE, axes_or_new, describe, in_a_row

FORTH, BACK, TOGETHER = "predicted to true", "true to predicted", "both in one list"  #: lists of distances
CURVES = ((ORANGE, "--"), (BLUE, "-"), ("0.3", ":"))  #: one for each list
SCALE_PART = 0.3  #: of the width of a picture, at most, is its scale bar
ROUND_MM = (1, 2, 5, 10, 20, 50, 100)  #: lengths of a scale bar
SAID = 3  #: sizes whose Dice the words give: the smallest, the middle one, the largest


def plot_border_errors(errors: BorderErrors, title: str, ax: Axes | None = None) -> Axes:
    """Dice over the diameter, a curve for each border error; the diameters stand on a logarithmic axis."""
    axes = axes_or_new(ax, (5.6, 3.2))
    for (name, values), (color, style, marker) in zip(errors.dice.items(), LINES, strict=False):
        label = name.replace("voxel", _element(errors))
        axes.plot(errors.diameters_mm, values, color=color, linestyle=style, marker=marker, markersize=4, label=label)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(errors.diameters_mm.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(errors.diameters_mm, [f"{mm:g}" for mm in errors.diameters_mm])
    axes.set(title=title, xlabel="diameter, mm", ylabel="Dice", ylim=(0, 1.02))
    axes.grid(axis="y", color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    describe(axes, f"{in_a_row(title)}. {_sizes_in_words(errors)}")
    return axes


def plot_surface_distances(predicted: Mask, true: Mask, spacing_mm: Sequence[float], title: str) -> NDArray[np.object_]:
    """Two outlines of one slice, and how far their points lie from the other outline; gives the two Axes.

    Each curve is a list of distances, sorted: over 95 % it has its 95th percentile. One is that from the predicted
    outline to the true one, one that back, and one has both in one list.

    Raises:
        ValueError: the masks are not two slices of one shape, or one of them is empty: then no distance is defined.
    """
    if true.ndim != 2 or not predicted.any() or not true.any():
        raise ValueError(f"Expected two slices with something in each, but got masks with {true.ndim} axes or empty.")
    forth, back = surface_distances(predicted, true, spacing_mm)
    lists = {FORTH: forth, BACK: back, TOGETHER: np.concatenate([forth, back])}
    _, (picture, curves) = plt.subplots(1, 2, figsize=(7.6, 3.3), width_ratios=(1.1, 1), layout="constrained")
    draw_two_outlines(picture, predicted, true, spacing_mm)
    for (name, distances), (color, style) in zip(lists.items(), CURVES, strict=True):
        at_95 = float(np.percentile(distances, 95))
        parts = np.linspace(0, 100, len(distances))
        curves.plot(parts, np.sort(distances), color=color, linestyle=style, label=f"{name}: {at_95:.1f} mm")
        curves.plot(95, at_95, "o", color=color)
    curves.axvline(95, color="0.7", linewidth=1, zorder=0)
    curves.set(xlabel="% of the points lie nearer", ylabel="distance, mm", xlim=(0, 102), ylim=(0, None))
    curves.set_xticks([0, 25, 50, 75, 95])
    curves.legend(frameon=False, fontsize=8, loc="upper left", title="95th percentile", title_fontsize=8)
    curves.spines[["top", "right"]].set_visible(False)
    picture.set_title(title, fontsize=10)
    describe(picture, f"{in_a_row(title)}. {_distances_in_words(forth, back)}")
    return np.array([picture, curves], dtype=object)


def draw_two_outlines(axes: Axes, predicted: Mask, true: Mask, spacing_mm: Sequence[float]) -> None:
    """The true area in grey with a blue outline, the predicted outline dashed in orange; a legend and a scale bar."""
    tall, wide = (float(mm) for mm in np.multiply(true.shape, spacing_mm))
    axes.imshow(true, cmap="Greys", vmin=0, vmax=4, extent=(0.0, wide, tall, 0.0), interpolation="nearest")
    for mask, color, style, name in ((true, BLUE, "solid", "true"), (predicted, ORANGE, "dashed", "predicted")):
        draw_outline(axes, mask, color, style, 1.5, spacing_mm)
        axes.plot([], [], color=color, linestyle=style, label=name)
    bar = max((mm for mm in ROUND_MM if mm <= SCALE_PART * wide), default=ROUND_MM[0])
    axes.plot([0.95 * wide - bar, 0.95 * wide], [0.95 * tall] * 2, color="black", linewidth=2)
    axes.text(0.95 * wide - bar / 2, 0.93 * tall, f"{bar} mm", ha="center", va="bottom", fontsize=9)
    axes.set(xticks=[], yticks=[], xlim=(0, wide), ylim=(tall, 0))
    axes.legend(frameon=False, fontsize=9, loc="lower left", handlelength=2.4)


def _element(errors: BorderErrors) -> str:
    """What a disc, and what a ball, is made of."""
    return "pixel" if len(errors.spacing_mm) == 2 else "voxel"


def _sizes_in_words(errors: BorderErrors) -> str:
    kind = "discs" if len(errors.spacing_mm) == 2 else "balls"
    spacing = " x ".join(f"{mm:g}" for mm in errors.spacing_mm)
    places = sorted({*np.linspace(0, len(errors.diameters_mm) - 1, SAID).astype(int).tolist()})
    at = ", ".join(f"{errors.diameters_mm[place]:g}" for place in places)
    curves = [f"{name} {', '.join(f'{values[place]:.2f}' for place in places)}" for name, values in errors.dice.items()]
    said = "; ".join(curves).replace("voxel", _element(errors))
    return f"Dice of {kind} with {_element(errors)}s of {spacing} mm, at diameters of {at} mm: {said}."


def _distances_in_words(forth: NDArray[np.float64], back: NDArray[np.float64]) -> str:
    directions = {FORTH: forth, BACK: back}
    said = [
        f"{name}: {len(distances)} points, 95th percentile {np.percentile(distances, 95):.1f} mm, farthest "
        f"{distances.max():.1f} mm"
        for name, distances in directions.items()
    ]
    names = ", ".join(f"{name} {mm:.1f} mm" for name, mm in hd95_definitions(forth, back).items())
    return f"Two outlines, and the distances between them. {'; '.join(said)}. HD95 by {names}."
