"""Figures of what the metrics make of wrong outlines: overlap by size, and distances in each direction."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from course_lib.evaluation.border_errors import BorderErrors
from course_lib.evaluation.surfaces import Mask, surface_distances
from course_lib.figures.style import BLUE, LINES, ORANGE, axes_or_new, describe, in_a_row

BINS = 24  #: of a histogram of distances
SAID = 3  #: sizes whose Dice the words give: the smallest, the middle one, the largest


def plot_border_errors(errors: BorderErrors, title: str, ax: Axes | None = None) -> Axes:
    """Dice over the diameter, a curve for each border error; the diameters stand on a logarithmic axis."""
    axes = axes_or_new(ax, (5.6, 3.2))
    for (name, values), (color, style, marker) in zip(errors.dice.items(), LINES, strict=False):
        axes.plot(errors.diameters_mm, values, color=color, linestyle=style, marker=marker, markersize=4, label=name)
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
    """Two outlines of one slice, and how far each of their points lies from the other outline; gives the three Axes.

    Above are the distances from the predicted outline to the true one, below those back. Lines show the 95th percentile
    of each direction, and the one of both in one list.

    Raises:
        ValueError: the masks are not two slices of one shape, or one of them is empty: then no distance is defined.
    """
    if true.ndim != 2 or not predicted.any() or not true.any():
        raise ValueError(f"Expected two slices with something in each, but got masks with {true.ndim} axes or empty.")
    forth, back = surface_distances(predicted, true, spacing_mm)
    figure = plt.figure(figsize=(7.4, 3.4), layout="constrained")
    picture = figure.add_subplot(1, 2, 1)
    draw_two_outlines(picture, predicted, true, spacing_mm)
    above, below = figure.add_subplot(2, 2, 2), figure.add_subplot(2, 2, 4)
    edges = np.linspace(0, max(float(forth.max()), float(back.max()), 1.0), BINS + 1)
    pooled = hd95_definitions(forth, back)["both directions in one list"]
    for axes, distances, name, color in (
        (above, forth, "predicted to true", ORANGE),
        (below, back, "true to predicted", BLUE),
    ):
        axes.hist(distances, edges, color=color, alpha=0.7)
        axes.axvline(float(np.percentile(distances, 95)), color="black", label="95th percentile")
        axes.axvline(pooled, color="black", linestyle=":", label="of both in one list")
        axes.set_title(name, fontsize=10)
        axes.set_ylabel("points", fontsize=9)
        axes.set_yscale("symlog", linthresh=1)
        axes.spines[["top", "right"]].set_visible(False)
    above.tick_params(labelbottom=False)
    below.set_xlabel("distance to the other outline, mm")
    above.legend(frameon=False, fontsize=8)
    figure.suptitle(title)
    describe(picture, f"{in_a_row(title)}. {_distances_in_words(forth, back)}")
    return np.array([picture, above, below], dtype=object)


def hd95_definitions(forth: NDArray[np.float64], back: NDArray[np.float64]) -> dict[str, float]:
    """What goes by the name of HD95, in mm, from the distances of both directions; neither is empty."""
    each = float(np.percentile(forth, 95)), float(np.percentile(back, 95))
    return {
        "the larger direction": max(each),
        "both directions in one list": float(np.percentile(np.concatenate([forth, back]), 95)),
        "the mean of the directions": sum(each) / 2,
    }


def draw_two_outlines(
    axes: Axes, predicted: Mask, true: Mask, spacing_mm: Sequence[float], names: tuple[str, str] = ("predicted", "true")
) -> None:
    """The true area in grey and blue, and the predicted outline dashed in orange, with a scale of mm and a legend."""
    tall, wide = np.multiply(true.shape, spacing_mm)
    extent = (0.0, float(wide), float(tall), 0.0)
    axes.imshow(true, cmap="Greys", vmin=0, vmax=4, extent=extent, interpolation="nearest")
    rows, columns = ((np.arange(count) + 0.5) * step for count, step in zip(true.shape, spacing_mm, strict=True))
    for mask, color, style, name in ((true, BLUE, "solid", names[1]), (predicted, ORANGE, "dashed", names[0])):
        if mask.any() and not mask.all():
            axes.contour(
                columns, rows, mask.astype(float), levels=[0.5], colors=color, linestyles=style, linewidths=1.5
            )
        axes.plot([], [], color=color, linestyle=style, label=name)
    axes.set_xlabel("mm", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.legend(frameon=False, fontsize=8, loc="lower left", ncols=2, handlelength=2.4)


def _sizes_in_words(errors: BorderErrors) -> str:
    kind = "discs" if len(errors.spacing_mm) == 2 else "balls"
    spacing = " x ".join(f"{mm:g}" for mm in errors.spacing_mm)
    places = sorted({*np.linspace(0, len(errors.diameters_mm) - 1, SAID).astype(int).tolist()})
    at = ", ".join(f"{errors.diameters_mm[place]:g}" for place in places)
    curves = [f"{name} {', '.join(f'{values[place]:.2f}' for place in places)}" for name, values in errors.dice.items()]
    return f"Dice of {kind} with voxels of {spacing} mm, at diameters of {at} mm: {'; '.join(curves)}."


def _distances_in_words(forth: NDArray[np.float64], back: NDArray[np.float64]) -> str:
    directions: Mapping[str, NDArray[np.float64]] = {"predicted to true": forth, "true to predicted": back}
    said = [
        f"{name}: {len(distances)} points, 95th percentile {np.percentile(distances, 95):.1f} mm, farthest "
        f"{distances.max():.1f} mm"
        for name, distances in directions.items()
    ]
    names = ", ".join(f"{name} {mm:.1f} mm" for name, mm in hd95_definitions(forth, back).items())
    return f"Two outlines, and the distances between them. {'; '.join(said)}. HD95 by {names}."
