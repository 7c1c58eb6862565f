"""The map of the course: which lesson follows which."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.figures.style import BLUE, ORANGE, axes_or_new, describe


def plot_lessons(
    lessons: Mapping[str, str],
    paths: Sequence[tuple[str, str]],
    heading: str,
    columns: int = 3,
    ax: Axes | None = None,
) -> Axes:
    """Lessons as boxes, number and what one can do afterwards, with an arrow for each path from one to another.

    The boxes go to the right and, in the next row, back. The path between neighbours is straight, any other bends.
    """
    rows = -(-len(lessons) // columns)
    axes = axes_or_new(ax, (2.6 * columns, 1.3 * rows + 0.3))
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
