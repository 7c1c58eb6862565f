"""The lungs without a network: a threshold, and of the pieces of air that are left, the two largest."""

import numpy as np
from scipy.ndimage import binary_dilation, binary_fill_holes, label

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

# 11.3 --- the lungs by a threshold


def lungs(hounsfield: np.ndarray) -> np.ndarray:
    """Where the lungs are in an axial slice of Hounsfield units, both [rows, columns]; True or False for each pixel.

    Air is below -400 HU. Of its components, those that touch the border of the picture lie around the patient; of the
    others, the two largest are the lungs. Where there are fewer, they are all. Neighbours share an edge, not a corner.
    """
    components, _ = label(hounsfield < -400)
    sizes = np.bincount(components.ravel())
    for border in (components[0], components[-1], components[:, 0], components[:, -1]):
        sizes[border] = 0
    sizes[0] = 0  # what is no air
    largest = [number for number in np.argsort(sizes)[-2:] if sizes[number] > 0]
    return np.isin(components, largest)


def _draw_slice(rng: np.random.Generator) -> Inputs:
    """A body with its lungs, sometimes one or none; gas elsewhere, an arm, a table. No two pieces are of one size."""
    shape = rows, columns = int(rng.integers(22, 27)), int(rng.integers(30, 37))
    hounsfield = np.full(shape, -1000)
    y, x = rows / 2 - 1, columns / 2  # the middle of the body
    hounsfield[_ellipse(shape, (y, x), (0.38 * rows, 0.38 * columns))] = 40
    if rng.random() < 0.3:
        hounsfield[_ellipse(shape, (y, columns), (3, 2.5))] = 50  # an arm, cut by the border
    if rng.random() < 0.5:
        hounsfield[-3] = 120  # the table, with air below it
    sides = rng.permutation([-0.19, 0.19])[: int(rng.choice(3, p=[0.25, 0.25, 0.5]))]
    chest = np.zeros(shape, dtype=bool)
    for side in sides:
        chest |= _put_lung(rng, hounsfield, (y + rng.uniform(-1, 1), x + side * columns))
    if len(sides) and rng.random() < 0.6:
        hounsfield[_ellipse(shape, (y - 0.26 * rows, x), (1.5, rng.uniform(1, 2)))] = -990  # the windpipe
    if rng.random() < 0.5:
        hounsfield[_ellipse(shape, (y + 0.3 * rows, x + 3), (1.2, rng.uniform(1, 3)))] = -950  # gas in the stomach
    beside = np.flatnonzero(binary_dilation(chest, np.ones((3, 3))) & ~binary_dilation(hounsfield < -200))
    if len(beside) and rng.random() < 0.6:
        hounsfield.flat[rng.choice(beside)] = -900  # a bubble that meets a lung at a corner
    sizes = np.bincount(label(hounsfield < -400)[0].ravel()).tolist()
    return (hounsfield.astype(np.float32),) if len(set(sizes)) == len(sizes) else _draw_slice(rng)


def _put_lung(rng: np.random.Generator, hounsfield: np.ndarray, middle: tuple[float, float]) -> np.ndarray:
    """Draw a lung into the slice, with a vessel and pixels that are air in part, and give where it is."""
    lung = _ellipse(hounsfield.shape, middle, (rng.uniform(4, 6.5), rng.uniform(3, 4.5)))
    hounsfield[lung] = -850
    hounsfield.flat[rng.choice(np.flatnonzero(lung), 5, replace=False)] = (60, -600, -450, -400, -300)
    return lung


def _ellipse(shape: tuple[int, ...], middle: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray(((rows - middle[0]) / radii[0]) ** 2 + ((columns - middle[1]) / radii[1]) ** 2 < 1)


def _mask_and_its_size(answer: Answer, inputs: Inputs) -> object:
    came = answer(*inputs)
    if type(came) is not np.ndarray:
        return {"what is returned": came}
    kind = f"an array of {came.dtype} and shape {list(came.shape)}"
    found = came != 0 if came.ndim == 2 else np.zeros((1, 1), dtype=bool)
    pieces = {"the number of pieces in the mask": int(label(found)[1]), "the pixels in the mask": int(found.sum())}
    return {"what is returned": kind, **pieces, "the mask": came}


def _components(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of each pixel's component, and the size of each, 0 for what is not in the mask."""
    components, _ = label(mask)
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    return components, sizes


def _inner(hounsfield: np.ndarray, threshold: float = -400) -> tuple[np.ndarray, np.ndarray]:
    """The same of the air; the size is 0 for what touches the border, too."""
    components, sizes = _components(hounsfield < threshold)
    sizes[_of_border(components)] = 0
    return components, sizes


def _of_border(components: np.ndarray) -> np.ndarray:
    return np.unique(np.concatenate([components[0], components[-1], components[:, 0], components[:, -1]]))


def _largest(components: np.ndarray, sizes: np.ndarray, number: int = 2) -> np.ndarray:
    best = np.argsort(sizes)[-number:]
    return np.isin(components, best[sizes[best] > 0])


def _at_minus_200(hounsfield: np.ndarray) -> np.ndarray:
    return _largest(*_inner(hounsfield, -200))


def _at_minus_500(hounsfield: np.ndarray) -> np.ndarray:
    return _largest(*_inner(hounsfield, -500))


def _at_minus_700(hounsfield: np.ndarray) -> np.ndarray:
    return _largest(*_inner(hounsfield, -700))


def _with_minus_400(hounsfield: np.ndarray) -> np.ndarray:
    return _largest(*_inner(hounsfield, -399.5))


def _all_air(hounsfield: np.ndarray) -> np.ndarray:
    return hounsfield < -400


def _not_air(hounsfield: np.ndarray) -> np.ndarray:
    components, sizes = _components(hounsfield > -400)
    sizes[_of_border(components)] = 0
    return _largest(components, sizes)


def _with_the_border(hounsfield: np.ndarray) -> np.ndarray:
    return _largest(*_components(hounsfield < -400))


def _border_afterwards(hounsfield: np.ndarray) -> np.ndarray:
    components, _ = label(hounsfield < -400)
    return _with_the_border(hounsfield) & ~np.isin(components, _of_border(components))


def _border_pixels_alone(hounsfield: np.ndarray) -> np.ndarray:
    air = hounsfield < -400
    air[[0, -1]] = air[:, [0, -1]] = False
    return _largest(*_components(air))


def _corner_alone(hounsfield: np.ndarray) -> np.ndarray:
    components, sizes = _components(hounsfield < -400)
    sizes[components[0, 0]] = 0
    return _largest(components, sizes)


def _with_what_is_no_air(hounsfield: np.ndarray) -> np.ndarray:
    components, _ = label(hounsfield < -400)
    sizes = np.bincount(components.ravel())
    sizes[np.setdiff1d(_of_border(components), [0])] = 0
    return _largest(components, sizes)


def _largest_alone(hounsfield: np.ndarray) -> np.ndarray:
    return _largest(*_inner(hounsfield), number=1)


def _three_largest(hounsfield: np.ndarray) -> np.ndarray:
    return _largest(*_inner(hounsfield), number=3)


def _all_inner(hounsfield: np.ndarray) -> np.ndarray:
    components, sizes = _inner(hounsfield)
    return sizes[components] > 0


def _smallest_two(hounsfield: np.ndarray) -> np.ndarray:
    components, sizes = _inner(hounsfield)
    there = np.flatnonzero(sizes)
    return np.isin(components, there[np.argsort(sizes[there])[:2]])


def _first_two(hounsfield: np.ndarray) -> np.ndarray:
    components, sizes = _inner(hounsfield)
    return np.isin(components, np.flatnonzero(sizes)[:2])


def _must_be_two(hounsfield: np.ndarray) -> np.ndarray:
    components, sizes = _inner(hounsfield)
    numbers = sorted(np.flatnonzero(sizes), key=lambda number: sizes[number])
    return (components == numbers[-1]) | (components == numbers[-2])


def _across_corners(hounsfield: np.ndarray) -> np.ndarray:
    components, _ = label(hounsfield < -400, np.ones((3, 3)))
    sizes = np.bincount(components.ravel())
    sizes[np.append(_of_border(components), 0)] = 0
    return _largest(components, sizes)


def _filled(hounsfield: np.ndarray) -> np.ndarray:
    return np.asarray(binary_fill_holes(lungs(hounsfield)))


def _their_values(hounsfield: np.ndarray) -> np.ndarray:
    return np.where(lungs(hounsfield), hounsfield, 0)


def _as_numbers(hounsfield: np.ndarray) -> np.ndarray:
    return lungs(hounsfield).astype(np.uint8)


def _as_integers(hounsfield: np.ndarray) -> np.ndarray:
    return lungs(hounsfield).astype(int)


THRESHOLD = (
    "Some pixels at the edge of a lung are air only in part. The threshold says which belong to it: below -400 HU."
)
NUMBERS = "The pixels are right, as numbers. A mask is True or False: leave out astype, or compare the numbers with 0."

LUNGS = Exercise(
    "11.3",
    "The lungs by a threshold",
    lungs,
    hints=(
        "Four steps: which pixels are air? Which of them hang together? Away with what touches the border. Which two "
        "pieces are the largest of the rest?",
        "components, n = label(hounsfield < -400), from scipy.ndimage, gives each piece of air a number from 1 on, and "
        "0 to all else. components[0] are the numbers in the first row.",
        "sizes = np.bincount(components.ravel()) counts the pixels of each number. Set the sizes of number 0, and of "
        "the numbers in the first and last row and column, to 0.",
        "largest = np.argsort(sizes)[-2:], without those whose size is 0, then np.isin(components, largest)",
    ),
    mistakes=(
        Mistake(_at_minus_200, THRESHOLD),
        Mistake(_at_minus_500, THRESHOLD),
        Mistake(_at_minus_700, THRESHOLD),
        Mistake(_with_minus_400, "A pixel of exactly -400 HU is not below -400: take < rather than <=."),
        Mistake(_all_air, "That is all the air there is, around the patient too. Which pieces of it are the lungs?"),
        Mistake(_not_air, "These pixels are above -400 HU, which is the body. Air is below."),
        Mistake(
            _with_the_border,
            "The air around the patient is the largest piece of all. Leave out each piece that touches the border of "
            "the picture.",
        ),
        Mistake(
            _border_afterwards,
            "The two largest were chosen first, and one of them was the air around the patient. Leave out what touches "
            "the border before you choose.",
        ),
        Mistake(
            _border_pixels_alone,
            "Only the outermost pixels are gone, and the air behind them is still there. Leave out the whole piece "
            "that touches the border: look up the numbers in the first and last row and column.",
        ),
        Mistake(
            _corner_alone,
            "Only the piece in the upper left corner is left out. A table may cut the air around the patient in two: "
            "look at all four sides of the picture.",
        ),
        Mistake(
            _with_what_is_no_air,
            "label gives 0 to all that is no air, and that is the largest of all here. Number 0 is not a piece: set "
            "its size to 0.",
        ),
        Mistake(_largest_alone, "That is the larger lung. There are two, which do not hang together in most slices."),
        Mistake(_three_largest, "Three pieces are taken. The third is the windpipe or gas: take the two largest."),
        Mistake(
            _all_inner,
            "Each piece of air in the body is there, the windpipe and gas in the stomach too. Take the two largest.",
        ),
        Mistake(_smallest_two, "These are the two smallest. np.argsort puts the smallest first: take the last two."),
        Mistake(
            _first_two,
            "label numbers the pieces from top to bottom, so the first two may be the windpipe and a lung. Go by size.",
        ),
        Mistake(
            _must_be_two,
            "Some slices have one piece of air in the body, or none. Take those that are there: an empty mask is an "
            "answer too.",
        ),
        Mistake(
            _across_corners,
            "A pixel that meets a lung at a corner was counted to it. label counts neighbours across an edge if you "
            "give it no structure.",
        ),
        Mistake(_filled, "The holes were filled. That is often wanted, but here only air is asked for."),
        Mistake(_their_values, "These are the values in the lungs. The mask itself is asked for, True or False."),
        Mistake(_as_numbers, NUMBERS),
        Mistake(_as_integers, NUMBERS),
    ),
    draw=_draw_slice,
    observe=_mask_and_its_size,
)
