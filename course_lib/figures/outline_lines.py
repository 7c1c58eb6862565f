"""The outline of a mask, drawn on a picture of the same size: closed, also where the mask reaches the border."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

Line = str | tuple[float, Sequence[float]]  #: a style of matplotlib by name, or as an offset and dashes


def draw_outline(
    axes: Axes,
    mask: ArrayLike,
    color: str,
    line: Line = "-",
    width: float = 1.0,
    spacing_mm: Sequence[float] | None = None,
) -> None:
    """Draw the outline of a mask [rows, columns], True or above 0 inside, between the pixels; nothing if it is empty.

    The picture must be there before: its limits stay as they are. Without a spacing the middles of the pixels have
    the coordinates 0, 1, 2, as `imshow` has them. With one, rows and columns, the corner of the picture lies at 0.
    """
    inside = np.asarray(mask) > 0
    if not inside.any():
        return
    limits = axes.get_xlim(), axes.get_ylim()
    down, across = (np.arange(-1.0, count + 1) for count in inside.shape)
    if spacing_mm is not None:
        down, across = ((places + 0.5) * step for places, step in zip((down, across), spacing_mm, strict=True))
    edge = np.pad(inside, 1).astype(float)  # with something outside all around, no outline stays open
    axes.contour(across, down, edge, levels=[0.5], colors=[color], linestyles=[line], linewidths=width)
    axes.set(xlim=limits[0], ylim=limits[1])
