"""From a map of centres back to single places: cells that no neighbour exceeds."""

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

SHAPES = ((4, 5), (5, 5), (4, 7), (5, 6))  #: rows and columns: small enough that a learner sees every cell

# 12.5 --- peaks


def peaks(heat: torch.Tensor, least: float) -> torch.Tensor:
    """Where a map float [rows, columns] has its peaks: True or False for each cell.

    A peak is at least as high as each of its eight neighbours, fewer at the border, and ``least`` or more.
    """
    highest = F.max_pool2d(heat[None], kernel_size=3, stride=1, padding=1)[0]
    return (heat == highest) & (heat >= least)


def _draw_heat(rng: np.random.Generator) -> Inputs:
    """Some bumps of eighths, which a computer holds exactly: with plateaus, and peaks at the border."""
    rows, columns = SHAPES[rng.integers(len(SHAPES))]
    heat = rng.integers(0, 3, (rows, columns))
    for _ in range(int(rng.integers(1, 4))):
        y, x, height = int(rng.integers(rows)), int(rng.integers(columns)), int(rng.integers(3, 8))
        away = np.maximum(np.abs(np.arange(rows)[:, None] - y), np.abs(np.arange(columns) - x))
        heat = np.maximum(heat, height - away - (rng.random((rows, columns)) < 0.4) * (away > 0))
        heat[y, max(0, x - int(rng.random() < 0.3))] = heat[y, x]  # a neighbour as high as the top
    return torch.tensor(heat / 8, dtype=torch.float32), float(rng.integers(2, 6)) / 8


def _neighbours(heat: torch.Tensor, beyond: float = -torch.inf) -> torch.Tensor:
    """[8, rows, columns], the neighbours of each cell: left, right, above and below first, then the corners."""
    rows, columns = heat.shape
    padded = F.pad(heat, (1, 1, 1, 1), value=beyond)
    steps = ((0, -1), (0, 1), (-1, 0), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))
    return torch.stack([padded[1 + y : 1 + y + rows, 1 + x : 1 + x + columns] for y, x in steps])


def _above_all(heat: torch.Tensor, least: float) -> torch.Tensor:
    return (heat > _neighbours(heat)).all(dim=0) & (heat >= least)


def _first_of_equals(heat: torch.Tensor, least: float) -> torch.Tensor:
    around, before = _neighbours(heat), [0, 2, 4, 5]
    return peaks(heat, least) & (heat > around[before]).all(dim=0)


def _above_least(heat: torch.Tensor, least: float) -> torch.Tensor:
    return peaks(heat, least) & (heat > least)


def _four_neighbours(heat: torch.Tensor, least: float) -> torch.Tensor:
    return (heat >= _neighbours(heat)[:4]).all(dim=0) & (heat >= least)


def _corners_alone(heat: torch.Tensor, least: float) -> torch.Tensor:
    return (heat >= _neighbours(heat)[4:]).all(dim=0) & (heat >= least)


def _along_the_row(heat: torch.Tensor, least: float) -> torch.Tensor:
    return (heat >= _neighbours(heat)[:2]).all(dim=0) & (heat >= least)


def _border_left_out(heat: torch.Tensor, least: float) -> torch.Tensor:
    found = torch.zeros(heat.shape, dtype=torch.bool)
    found[1:-1, 1:-1] = peaks(heat, least)[1:-1, 1:-1]
    return found


def _in_a_circle(heat: torch.Tensor, least: float) -> torch.Tensor:
    steps = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    around = torch.stack([heat.roll(step, dims=(0, 1)) for step in steps])
    return (heat >= around.amax(dim=0)) & (heat >= least)


def _wider(heat: torch.Tensor, least: float) -> torch.Tensor:
    return (heat == F.max_pool2d(heat[None], 5, stride=1, padding=2)[0]) & (heat >= least)


def _blocks(heat: torch.Tensor, least: float) -> torch.Tensor:
    return F.max_pool2d(heat[None], 3)[0] >= least


def _no_padding(heat: torch.Tensor, least: float) -> torch.Tensor:
    return (heat == F.max_pool2d(heat[None], 3, stride=1)[0]) & (heat >= least)


def _inner_cells(heat: torch.Tensor, least: float) -> torch.Tensor:
    return peaks(heat, least)[1:-1, 1:-1]


def _all_above_least(heat: torch.Tensor, least: float) -> torch.Tensor:
    return heat >= least


def _neighbourhoods_above_least(heat: torch.Tensor, least: float) -> torch.Tensor:
    return F.max_pool2d(heat[None], 3, stride=1, padding=1)[0] >= least


def _all_peaks(heat: torch.Tensor, least: float) -> torch.Tensor:  # noqa: ARG001  # the mistake
    return peaks(heat, 0)


def _one_peak(heat: torch.Tensor, least: float) -> torch.Tensor:
    return (heat == heat.max()) & (heat >= least)


def _either(heat: torch.Tensor, least: float) -> torch.Tensor:
    return peaks(heat, 0) | (heat >= least)


def _valleys(heat: torch.Tensor, least: float) -> torch.Tensor:
    return (heat <= _neighbours(heat, beyond=torch.inf)).all(dim=0) & (heat >= least)


def _their_values(heat: torch.Tensor, least: float) -> torch.Tensor:
    return heat * peaks(heat, least)


def _their_places(heat: torch.Tensor, least: float) -> torch.Tensor:
    return peaks(heat, least).nonzero()


def _as_numbers(heat: torch.Tensor, least: float) -> torch.Tensor:
    return peaks(heat, least).float()


def _with_one_more_axis(heat: torch.Tensor, least: float) -> torch.Tensor:
    return peaks(heat, least)[None]


EIGHT = "A cell has eight neighbours: "
BORDER = "A cell at the border has fewer neighbours, but it may be a peak all the same. "
ONE_CELL_A_PIECE = "One bump would become as many boxes as it has cells. "

PEAKS = Exercise(
    "12.5",
    "Peaks",
    peaks,
    hints=(
        "Two conditions: a cell is high enough, and none of its neighbours is higher. What is the highest value in the "
        "nine cells around and in it?",
        "F.max_pool2d from torch.nn.functional tells the highest value in each window of 3 x 3 cells. With stride=1 "
        "and padding=1 there is a window for each cell, and what lies beyond the border never counts.",
        "It wants a channel's axis in front: F.max_pool2d(heat[None], kernel_size=3, stride=1, padding=1)[0].",
        "(heat == highest) & (heat >= least), because the highest value is the cell's own if no neighbour exceeds it",
    ),
    mistakes=(
        Mistake(
            _above_all,
            "Where two neighbours are equally high, none of them is above all others, and the nodule is lost. A peak "
            "is at least as high: >=.",
        ),
        Mistake(
            _first_of_equals,
            "Of equal neighbours you take the first alone. That would be one box instead of two, but here both "
            "are peaks.",
        ),
        Mistake(_above_least, "A cell of exactly least counts too: take >= rather than >."),
        Mistake(_four_neighbours, EIGHT + "those that it meets at a corner count too."),
        Mistake(_corners_alone, EIGHT + "you look only at those that it meets at a corner."),
        Mistake(_along_the_row, EIGHT + "you look only to the left and to the right."),
        Mistake(_border_left_out, BORDER + "Nodules at the edge of the film would be lost."),
        Mistake(_in_a_circle, BORDER + "Yours are at the other end of the map, as roll has it."),
        Mistake(_wider, "Your window is 5 x 5 cells, so that a peak hides another two cells away. Take 3 x 3."),
        Mistake(
            _blocks,
            "max_pool2d steps by its window if you do not say how far, so there is one value for nine cells. stride=1, "
            "padding=1 gives each cell its own.",
        ),
        Mistake(_no_padding, "Without padding, there is no window around the cells of the border: padding=1."),
        Mistake(_inner_cells, "The border is cut off, so the map became smaller. Return a mask of the map's shape."),
        Mistake(_all_above_least, ONE_CELL_A_PIECE + "Which of these cells does no neighbour exceed?"),
        Mistake(
            _neighbourhoods_above_least,
            "You compare the highest value around each cell with least. Compare it with the cell itself: they are the "
            "same where no neighbour is higher.",
        ),
        Mistake(_all_peaks, "Low peaks are there too; a map of noise is full of them. Only those from least up count."),
        Mistake(_one_peak, "That is the highest place of the map. A film may have several nodules, and each its peak."),
        Mistake(_either, "Both must hold: high enough, and not below a neighbour. Take & rather than |."),
        Mistake(_valleys, "Those are the lowest cells of their surroundings."),
        Mistake(_their_values, "Those are the values of the peaks. The mask is asked for, True or False."),
        Mistake(_their_places, "Those are rows and columns of the peaks. The mask is asked for, without nonzero()."),
        Mistake(_as_numbers, "The cells are right, as numbers. A mask is True or False: leave the conversion out."),
        Mistake(_with_one_more_axis, "An axis is left over from heat[None]: take [0] of the result."),
    ),
    draw=_draw_heat,
    cases=50,
)
