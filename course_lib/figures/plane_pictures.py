"""Planes of volumes drawn in a dark figure, on one scale in mm, with outlines that differ in line and colour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from course_lib.figures.outline_lines import draw_outline
from course_lib.figures.planes import GAP_PX, LETTER_PX, WIDTH_PX, Cut, DrawnVolume, Window, pixels_per_mm

Line = Literal["-", "--", ":", "-."]

# Bright on black, told apart with any kind of colour vision (Okabe and Ito, 2008); the lines differ as well.
OUTLINES: tuple[tuple[str, Line, str], ...] = (
    ("#E69F00", "-", "solid orange"),
    ("#56B4E9", "--", "dashed blue"),
    ("#F0E442", ":", "dotted yellow"),
    ("#CC79A7", "-.", "dash-dotted pink"),
)
DARK, LIGHT, DIM = "black", "white", "0.7"
SHADES = 31  #: above black: fewer than a screen has, so that a notebook stays small
DPI = 100
NARROWEST_PX, LINE_PX, HEADING_PX = 120, 16, 28  #: room for a picture, for a line of its title, for the heading
CHARACTER_PX, LARGE_CHARACTER_PX = 7, 9  #: width of a character of a picture's title, and of the heading, on average
MOST_IN_A_ROW, FEW_IN_A_ROW = 4, 3  #: pictures; few, where voxels would be smaller than pixels


@dataclass(frozen=True)
class Picture:
    """A plane that is to be drawn."""

    cut: Cut
    window: Window
    title: str

    def room(self, scale: float) -> int:
        """How wide it is in pixels, with its letters, where a millimetre has ``scale`` of them."""
        return max(_pixels(self.cut.size_mm[1], scale) + 2 * LETTER_PX, NARROWEST_PX)

    def lines(self, scale: float) -> str:
        """Its title, in lines that fit above it."""
        return fill(self.title, self.room(scale) // CHARACTER_PX)


@dataclass(frozen=True)
class Outline:
    """How a structure is drawn, and said."""

    name: str
    color: str
    line: Line
    words: str  #: as in "solid orange"


def outlines_of(volumes: Sequence[DrawnVolume], labels: Sequence[str] | None) -> dict[int, Outline]:
    """How to draw each value of the volumes' masks; without names, they are numbered.

    Raises:
        ValueError: a value has no name, or there are more than can be told apart.
    """
    counts = sum(np.bincount(volume.mask.ravel(), minlength=256) for volume in volumes)
    values = [int(value) for value in np.flatnonzero(counts) if value]
    if not values:
        return {}
    if labels is not None and values[-1] >= len(labels):
        raise ValueError(f"The mask holds {values[-1]}, but the labels end at {len(labels) - 1}: {', '.join(labels)}.")
    if len(values) > len(OUTLINES):
        raise ValueError(f"Expected at most {len(OUTLINES)} structures, got {len(values)}. Mark fewer of them.")
    numbered = {value: "mask" if values == [1] else f"label {value}" for value in values}
    names = numbered if labels is None else {value: labels[value] for value in values}
    places = values if values[-1] <= len(OUTLINES) else range(1, len(values) + 1)  # a value keeps its colour if it can
    return {value: Outline(names[value], *OUTLINES[place - 1]) for value, place in zip(values, places, strict=True)}


def draw_pictures(
    pictures: Sequence[Picture], structures: Mapping[int, Outline], title: str, crosshair: bool = False
) -> NDArray[np.object_]:
    """The pictures in a dark figure, the title above and the structures' names below; gives the Axes, row by row."""
    rows, scale = _arrange(pictures)
    heading = fill(title, WIDTH_PX // LARGE_CHARACTER_PX, replace_whitespace=False)
    above = HEADING_PX * (1 + heading.count("\n"))
    heights = [_row_height(row, scale) for row in rows]
    height = above + sum(heights) + (HEADING_PX if structures else 0)
    figure = plt.figure(figsize=(WIDTH_PX / DPI, height / DPI), dpi=DPI, facecolor=DARK)
    figure.text(0.5, 1 - 6 / height, heading, color=LIGHT, ha="center", va="top", fontsize=11)
    panels: list[Axes] = []
    for number, row in enumerate(rows):
        bottom = height - above - sum(heights[: number + 1])
        for picture, axes in zip(row, _row_of_axes(figure, row, scale, bottom), strict=True):
            axes.set_title(picture.lines(scale), color=LIGHT, fontsize=9, pad=72 / DPI * LETTER_PX)
            _draw(axes, picture, structures, scale)
            if crosshair:
                _draw_crosshair(axes, picture.cut, scale)
            panels.append(axes)
    if structures:
        lines = [Line2D([], [], color=one.color, linestyle=one.line, label=one.name) for one in structures.values()]
        figure.legend(handles=lines, loc="lower center", ncols=len(lines), fontsize=9, frameon=False, labelcolor=LIGHT)
    return np.array(panels, dtype=object)


def _arrange(pictures: Sequence[Picture]) -> tuple[list[Sequence[Picture]], float]:
    """The pictures in rows that are as even as can be, and how many pixels a millimetre has."""
    finest = min(min(picture.cut.pixel_mm) for picture in pictures)
    for most in (MOST_IN_A_ROW, FEW_IN_A_ROW):
        columns = -(-len(pictures) // -(-len(pictures) // most))
        rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
        scale = pixels_per_mm([[picture.cut for picture in row] for row in rows])
        if scale * finest >= 1:
            break
    return rows, scale


def _pixels(mm: float, scale: float) -> int:
    return max(1, round(mm * scale))


def _row_height(row: Sequence[Picture], scale: float) -> int:
    lines = max(1 + picture.lines(scale).count("\n") for picture in row)
    return max(_pixels(picture.cut.size_mm[0], scale) for picture in row) + 2 * LETTER_PX + LINE_PX * lines


def _row_of_axes(figure: Figure, row: Sequence[Picture], scale: float, bottom: int) -> list[Axes]:
    """An Axes as large as each picture, all with their upper edges at one height, in the middle of the figure."""
    whole = np.multiply(figure.get_size_inches(), DPI)
    highest = max(_pixels(picture.cut.size_mm[0], scale) for picture in row)
    left = (WIDTH_PX - sum(picture.room(scale) for picture in row)) // 2
    panels = []
    for picture in row:
        tall, wide = (_pixels(mm, scale) for mm in picture.cut.size_mm)
        x, y = left + (picture.room(scale) - wide) // 2, bottom + LETTER_PX + highest - tall
        panels.append(figure.add_axes((x / whole[0], y / whole[1], wide / whole[0], tall / whole[1])))
        left += picture.room(scale)
    return panels


def _draw(axes: Axes, picture: Picture, structures: Mapping[int, Outline], scale: float) -> None:
    """One picture in few shades of grey, with outlines, and with the letters around it."""
    cut, (low, high) = picture.cut, picture.window
    rows, columns = cut.pixels.shape
    shades = np.round(np.clip((cut.pixels.astype(float) - low) / (high - low), 0, 1) * SHADES) / SHADES
    smooth = "nearest" if scale * min(cut.pixel_mm) >= 1 else "antialiased"  # where there is room, voxels are seen
    aspect = cut.pixel_mm[0] / cut.pixel_mm[1]
    axes.imshow(shades, cmap="gray", vmin=0, vmax=1, aspect=aspect, interpolation=smooth)
    for value, one in structures.items():
        draw_outline(axes, cut.mask == value, one.color, one.line, 1.2)
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    axes.axis("off")
    for letter, x, y in zip(cut.edges, (0, 1, 0.5, 0.5), (0.5, 0.5, 1, 0), strict=True):
        away = tuple(72 / DPI * 10 * np.sign([x - 0.5, y - 0.5]))
        mark = axes.annotate(letter, (x, y), away, "axes fraction", "offset points", ha="center", va="center")
        mark.set(color=DIM, fontsize=9)


def _draw_crosshair(axes: Axes, cut: Cut, scale: float) -> None:
    """Two lines that meet at the point, with a gap around it."""
    (row, column), (above, beside) = cut.cross, np.divide(GAP_PX / scale, cut.pixel_mm)
    rows, columns = cut.pixels.shape
    axes.hlines([row, row], [-0.5, column + beside], [column - beside, columns - 0.5], color=DIM, linewidth=0.6)
    axes.vlines([column, column], [-0.5, row + above], [row - above, rows - 0.5], color=DIM, linewidth=0.6)
