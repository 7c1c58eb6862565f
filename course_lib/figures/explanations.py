"""Figures of explanations: maps over images, on one common scale."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import ArrayLike, NDArray

from course_lib.figures.outline_lines import draw_outline
from course_lib.figures.style import describe

THIRDS = (("upper", "middle", "lower"), ("left", "centre", "right"))
SHADES = 31  #: above black, per colour: fewer than a screen has, so that a notebook stays small
COLOURS = "PuOr_r"  #: from purple, against the class, over white to orange, for it


def plot_maps(
    images: Sequence[ArrayLike],
    maps: Sequence[ArrayLike],
    titles: Sequence[str],
    heading: str,
    *,
    masks: Sequence[ArrayLike] | None = None,
    columns: int = 4,
) -> NDArray[np.object_]:
    """Each map over its grey image, all on the same scale, with a cross at its highest point; gives the Axes.

    The stronger the evidence, the denser the colour. Masks, if there are any, are outlined.
    """
    pictures, heats = [np.asarray(image) for image in images], [np.asarray(heat) for heat in maps]
    limit = max(float(np.abs(heats).max()), 1e-9)
    columns = min(columns, len(heats))
    rows = -(-len(heats) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(1.6 * columns + 0.6, 1.8 * rows + 0.3), squeeze=False, layout="constrained"
    )
    for axes in grid.flat:
        axes.axis("off")
    for number, (axes, picture, heat) in enumerate(zip(grid.flat, pictures, heats, strict=False)):
        axes.imshow(_coloured(picture, heat / limit), interpolation="nearest")
        if masks is not None:
            draw_outline(axes, masks[number], "white")
        row, column = _highest(heat)
        axes.plot(column, row, "x", color="black", markersize=6, markeredgewidth=2.6)
        axes.plot(column, row, "x", color="white", markersize=5, markeredgewidth=1)
        axes.set_title(titles[number], fontsize=8)
    scale = ScalarMappable(Normalize(-limit, limit), COLOURS)
    figure.colorbar(scale, ax=grid.ravel().tolist(), shrink=0.8).ax.tick_params(labelsize=7)
    figure.suptitle(heading, fontsize=10)
    describe(grid[0, 0], f"{heading}. {_maps_in_words(heats, titles, masks)}")
    return grid


def place_in_words(heat: NDArray[np.floating]) -> str:
    """In which ninth of the picture the map's highest point lies, as in "upper left"."""
    row, column = _highest(heat)
    vertical, horizontal = THIRDS[0][3 * row // heat.shape[0]], THIRDS[1][3 * column // heat.shape[1]]
    return "middle" if (vertical, horizontal) == ("middle", "centre") else f"{vertical} {horizontal}"


def _coloured(picture: NDArray[np.floating], heat: NDArray[np.floating]) -> NDArray[np.floating]:
    """The grey picture [rows, columns, 3] under the colours of a map from -1 to 1, the denser the stronger."""
    dense = 0.85 * np.abs(heat)[..., None]
    colours = colormaps[COLOURS](0.5 + heat / 2)[..., :3]
    mixed: NDArray[np.floating] = dense * colours + (1 - dense) * np.clip(picture, 0, 1)[..., None]
    return np.round(mixed * SHADES) / SHADES


def _highest(heat: NDArray[np.floating]) -> tuple[int, int]:
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    return int(row), int(column)


def _maps_in_words(
    heats: Sequence[NDArray[np.floating]], titles: Sequence[str], masks: Sequence[ArrayLike] | None
) -> str:
    parts = []
    for number, (heat, title) in enumerate(zip(heats, titles, strict=True)):
        said = f"{title}: from {heat.min():.2g} to {heat.max():.2g}, highest in the {place_in_words(heat)}"
        if masks is not None and np.any(masks[number]):
            said += ", inside the mask" if np.asarray(masks[number])[_highest(heat)] else ", outside the mask"
        parts.append(said)
    count = "One map" if len(heats) == 1 else f"{len(heats)} maps"
    outline = " A white outline marks the mask." if masks is not None else ""
    return f"{count} on one scale. {'; '.join(parts)}.{outline}"
