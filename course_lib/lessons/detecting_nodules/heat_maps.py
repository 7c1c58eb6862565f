"""What a map of centres should show: a bump at the middle of each box."""

import numpy as np
import torch

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

SHAPES = ((4, 6), (5, 6), (4, 7), (5, 7))  #: rows and columns: small enough that a learner sees every cell

# 12.3 --- a map of centres


def heat_map(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    """What a map of ``shape`` (rows, columns) should show, float: 1 at each centre, falling off around it, 0 to 1.

    ``cells`` int64 [boxes, 2] are the column and the row of each centre, ``sides`` float [boxes, 2] the width and the
    height of its box, in cells, 1 or more. The bump of a box is exp(-(dx² / sx² + dy² / sy²) / 2), where dx and dy are
    how many columns and rows a cell is away, sx is a sixth of the width and sy a sixth of the height. Where bumps meet,
    the highest holds. Without a box, all is 0.
    """
    rows, columns = torch.arange(shape[0])[:, None], torch.arange(shape[1])
    heat = torch.zeros(shape)
    for (x, y), (width, height) in zip(cells, sides, strict=True):
        away = ((columns - x) / (width / 6)) ** 2 + ((rows - y) / (height / 6)) ** 2
        heat = torch.maximum(heat, torch.exp(-away / 2))
    return heat


def _draw_boxes(rng: np.random.Generator) -> Inputs:
    """No box, one, two or three, wide or high; two of them are neighbours, so that their bumps meet."""
    rows, columns = SHAPES[rng.integers(len(SHAPES))]
    cells = np.stack([rng.permutation(columns)[:3], rng.permutation(np.append(np.arange(rows), 0))[:3]], axis=1)
    cells[1] = np.clip(cells[0] + rng.choice([-1, 1], 2), 0, [columns - 1, rows - 1])
    smaller, more = rng.integers(2, 9, (3, 1)), rng.integers(1, 6, (3, 1)) / 2
    sides = smaller + more * np.eye(2)[rng.integers(2, size=3)]
    count = int(rng.choice(4, p=[0.15, 0.2, 0.35, 0.3]))
    return torch.tensor(cells[:count]), torch.tensor(sides[:count], dtype=torch.float32), (rows, columns)


def _bumps(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int], part: float = 6) -> torch.Tensor:
    """[boxes, rows, columns], one bump for each box; sigma is so small a part of the side."""
    right = torch.arange(shape[1]) - cells[:, :1]
    down = torch.arange(shape[0]) - cells[:, 1:]
    across = torch.exp(-((right / (sides[:, :1] / part)) ** 2) / 2)
    return torch.exp(-((down / (sides[:, 1:] / part)) ** 2) / 2)[:, :, None] * across[:, None]


def _highest(bumps: torch.Tensor) -> torch.Tensor:
    return bumps.amax(dim=0) if len(bumps) else torch.zeros(bumps.shape[1:])


def _added_up(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return _bumps(cells, sides, shape).sum(dim=0)


def _added_up_and_cut(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return _bumps(cells, sides, shape).sum(dim=0).clamp(max=1)


def _averaged(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return _added_up(cells, sides, shape) / max(len(cells), 1)


def _divided_by_the_highest(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    heat = _added_up(cells, sides, shape)
    return heat / heat.max() if len(cells) else heat


def _last_one(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return _highest(_bumps(cells, sides, shape)[-1:])


def _first_one(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return _highest(_bumps(cells, sides, shape)[:1])


def _side_as_sigma(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return _highest(_bumps(cells, sides, shape, 1))


def _half_as_sigma(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return _highest(_bumps(cells, sides, shape, 2))


def _third_as_sigma(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return _highest(_bumps(cells, sides, shape, 3))


def _sixth_as_variance(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return _highest(_bumps(cells, (6 * sides).sqrt(), shape))  # squared, a sixth of it is sides / 6


def _sigma_not_squared(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    right, down = (torch.arange(shape[1]) - cells[:, :1]).abs(), (torch.arange(shape[0]) - cells[:, 1:]).abs()
    away = (down / (sides[:, 1:] / 6))[:, :, None] + (right / (sides[:, :1] / 6))[:, None]
    return _highest(torch.exp(-away / 2))


def _without_the_half(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return heat_map(cells, sides, shape) ** 2


def _as_a_density(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    areas = 2 * torch.pi * (sides / 6).prod(dim=1)
    return _highest(_bumps(cells, sides, shape) / areas[:, None, None])


def _round(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return heat_map(cells, sides.mean(dim=1, keepdim=True).expand(-1, 2), shape)


def _widths_alone(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return heat_map(cells, sides[:, [0, 0]], shape)


def _smaller_side(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return heat_map(cells, sides.amin(dim=1, keepdim=True).expand(-1, 2), shape)


def _sides_swapped(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return heat_map(cells, sides.flip(1), shape)


def _rows_first(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return heat_map(cells.flip(1), sides, shape)


def _turned(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return heat_map(cells, sides, (shape[1], shape[0]))


def _transposed(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return heat_map(cells, sides, shape).T


def _dots(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:  # noqa: ARG001
    heat = torch.zeros(shape)
    heat[cells[:, 1], cells[:, 0]] = 1
    return heat


def _filled_boxes(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    right, down = (torch.arange(shape[1]) - cells[:, :1]).abs(), (torch.arange(shape[0]) - cells[:, 1:]).abs()
    inside = (down <= sides[:, 1:] / 2)[:, :, None] & (right <= sides[:, :1] / 2)[:, None]
    return _highest(inside.float())


def _without_a_box_raises(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return _bumps(cells, sides, shape).amax(dim=0)


def _for_each_box(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return _bumps(cells, sides, shape)


SIXTH = "Sigma is a sixth of the side, so that three sigma reach from the middle to the edge, where 1 % is left."
HIGHEST = "Where bumps meet, take the higher of the two: torch.maximum. "

HEAT_MAP = Exercise(
    "12.3",
    "A map of centres",
    heat_map,
    hints=(
        "Begin with zeros of the map's shape. Go from box to box, draw its bump on a map of its own, and join it to "
        "what is there.",
        "torch.arange(columns) - x is how far each column is away from the centre; torch.arange(rows)[:, None] - y "
        "does the same for rows. Together they make a map, by broadcasting.",
        "away = ((columns - x) / (width / 6)) ** 2 + ((rows - y) / (height / 6)) ** 2, and the bump is "
        "torch.exp(-away / 2).",
        "heat = torch.maximum(heat, torch.exp(-away / 2)) in a loop over zip(cells, sides), with heat = "
        "torch.zeros(shape) before it",
    ),
    mistakes=(
        Mistake(
            _added_up,
            HIGHEST + "The sum is above 1 beside two neighbours, or makes a centre between them that is none.",
        ),
        Mistake(
            _added_up_and_cut,
            HIGHEST + "You add them up and cut at 1, so that a cell between two neighbours looks like a third centre.",
        ),
        Mistake(_averaged, HIGHEST + "With the mean, the more boxes there are, the lower their centres become."),
        Mistake(
            _divided_by_the_highest,
            HIGHEST + "You add up and divide by the highest value, so that some centres are below 1.",
        ),
        Mistake(_last_one, "Only the last box is there. Each box must be joined to what the map shows already."),
        Mistake(_first_one, "Only the first box is there: is return inside the loop?"),
        Mistake(_side_as_sigma, SIXTH + " You take the whole side."),
        Mistake(_half_as_sigma, SIXTH + " You take half of the side."),
        Mistake(_third_as_sigma, SIXTH + " You take a third of it."),
        Mistake(
            _sixth_as_variance,
            "You divide by sigma and not by its square. Divide the distance by sigma first, then square.",
        ),
        Mistake(
            _sigma_not_squared,
            "The distance is not squared, which makes a tip instead of a bump. Divide it by sigma, then square.",
        ),
        Mistake(_without_the_half, "The / 2 is missing in the exponent, so the bumps are too narrow."),
        Mistake(
            _as_a_density,
            "You divide by 2 pi sx sy, as for a probability density. A bump must be 1 at its centre, whatever its "
            "size.",
        ),
        Mistake(_round, "Your bumps are round. Along x the width counts, and along y the height."),
        Mistake(_widths_alone, "You take the width for both directions. Along y the height counts."),
        Mistake(_smaller_side, "You take the smaller side for both directions. Along x the width counts."),
        Mistake(_sides_swapped, "Width and height are swapped: the width counts along x, over the columns."),
        Mistake(_rows_first, "Column and row are swapped. A cell is x, y: first the column, then the row."),
        Mistake(_turned, "The map lies on its side. Its shape is rows, then columns."),
        Mistake(_transposed, "The map is transposed: its first axis are the rows, and a row is one y."),
        Mistake(
            _dots,
            "Only the centres are marked. A network that points one cell beside would be punished as much as one that "
            "points anywhere: draw the bumps around.",
        ),
        Mistake(
            _filled_boxes,
            "You fill the boxes with ones, so that each cell of a box is a centre. Only the middle is 1, and around it "
            "the bump falls off.",
        ),
        Mistake(
            _without_a_box_raises,
            "A film without a box has a map too, with 0 everywhere. Begin with zeros, and there is nothing to do then.",
        ),
        Mistake(_for_each_box, "There is one map for each box. Join them: the highest holds."),
    ),
    draw=_draw_boxes,
    cases=40,
)
