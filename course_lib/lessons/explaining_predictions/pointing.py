"""Does a map lie where the disease is? The pointing game, and the overlap."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 6.5 --- the pointing game


def hits(heat: np.ndarray, mask: np.ndarray) -> bool:
    """Whether the highest point of the map lies in the mask."""
    return bool(mask.ravel()[heat.argmax()])


def _draw_map_and_mask(rng: np.random.Generator) -> Inputs:
    below = rng.choice((4.5, 9.5))  # so that the largest in size is sometimes the highest, sometimes the lowest
    heat = rng.permutation(15).reshape(3, 5) - below
    hit, mask = bool(rng.random() < 0.5), rng.random((3, 5)) < 0.4
    if rng.random() < 0.5:
        mask = (heat < np.median(heat)) == hit  # so that the means say the opposite of the highest point
    mask.ravel()[heat.argmax()] = hit
    mask.ravel()[heat.argmin()] = not hit
    return heat, mask


def _largest_in_size(heat: np.ndarray, mask: np.ndarray) -> bool:
    return bool(mask.ravel()[np.abs(heat).argmax()])


def _lowest(heat: np.ndarray, mask: np.ndarray) -> bool:
    return bool(mask.ravel()[heat.argmin()])


def _higher_inside(heat: np.ndarray, mask: np.ndarray) -> bool:
    return bool(heat[mask].mean() > heat[~mask].mean())


def _place_of_highest(heat: np.ndarray, _: np.ndarray) -> tuple[int, ...]:
    return tuple(int(place) for place in np.unravel_index(heat.argmax(), heat.shape))


def _rows_and_columns_swapped(heat: np.ndarray, mask: np.ndarray) -> bool:
    return bool(mask.T.ravel()[heat.argmax()])


HITS = Exercise(
    "6.5",
    "The pointing game",
    hits,
    hints=(
        "First the place of the highest value, then one look into the mask at that place.",
        "heat.argmax() counts through all pixels, row by row. mask.ravel() lays the mask out in the same order.",
        "Or ask the other way round: np.unravel_index(heat.argmax(), heat.shape) gives row and column.",
        "return bool(mask.ravel()[heat.argmax()])",
    ),
    mistakes=(
        Mistake(
            _largest_in_size,
            "A strongly negative value speaks against the class. Take the highest, not the largest in size.",
        ),
        Mistake(_lowest, "That is the lowest point. Take the highest."),
        Mistake(_higher_inside, "You compare means. The pointing game asks for a single point, the highest."),
        Mistake(
            _place_of_highest, "That is where the highest point is. Does it lie in the mask? Return True or False."
        ),
        Mistake(
            _rows_and_columns_swapped, "Rows and columns are swapped: map and mask must be laid out in the same order."
        ),
    ),
    draw=_draw_map_and_mask,
)

# 6.6 --- overlap


def overlap(heat: np.ndarray, mask: np.ndarray) -> float:
    """Of the highest pixels, as many as the mask has, the part that lies in the mask."""
    highest = np.argsort(heat, axis=None)[::-1][: mask.sum()]
    return float(mask.ravel()[highest].mean())


def _draw_map_and_larger_mask(rng: np.random.Generator) -> Inputs:
    heat = np.round(rng.permutation(24).reshape(4, 6) / 10 + 0.1, 1)
    mask = np.zeros((4, 6), dtype=bool)
    mask[1:3, 2:5] = True
    mask[3, int(rng.integers(2, 5))] = True
    return heat, mask


def _above_half(heat: np.ndarray, mask: np.ndarray) -> float:
    return float(mask[heat > heat.max() / 2].mean())


def _intersection_over_union(heat: np.ndarray, mask: np.ndarray) -> float:
    part = overlap(heat, mask)
    return part / (2 - part)


def _counted(heat: np.ndarray, mask: np.ndarray) -> int:
    return round(overlap(heat, mask) * int(mask.sum()))


def _of_all_pixels(heat: np.ndarray, mask: np.ndarray) -> float:
    return overlap(heat, mask) * float(mask.mean())


def _energy_inside(heat: np.ndarray, mask: np.ndarray) -> float:
    return float(heat[mask].sum() / heat.sum())


def _of_the_lowest(heat: np.ndarray, mask: np.ndarray) -> float:
    return overlap(-heat, mask)


OVERLAP = Exercise(
    "6.6",
    "Overlap",
    overlap,
    hints=(
        "Let the map choose as many pixels as the mask has: its highest. How many of them are in the mask?",
        "mask.sum() is the number. np.argsort(heat, axis=None) lists all places from the lowest to the highest value.",
        "[::-1] turns the list round. mask.ravel()[places] tells for each place whether it is in the mask.",
        "highest = np.argsort(heat, axis=None)[::-1][:mask.sum()], then mask.ravel()[highest].mean()",
    ),
    mistakes=(
        Mistake(
            _above_half, "A threshold at half the maximum is a choice. Take exactly as many pixels as the mask has."
        ),
        Mistake(
            _intersection_over_union, "That is intersection over union. Divide the hits by the number of pixels taken."
        ),
        Mistake(_counted, "That is how many of them lie in the mask. Which part of those taken is it, 0 to 1?"),
        Mistake(_of_all_pixels, "You divide by all pixels of the picture. Divide by those that were taken."),
        Mistake(_energy_inside, "You weigh each pixel by its height. Here each of the highest pixels counts alike."),
        Mistake(_of_the_lowest, "argsort begins with the lowest. Take the end of the list."),
    ),
    draw=_draw_map_and_larger_mask,
)
