"""Windows: which Hounsfield units are shown from black to white, because a screen has too few greys for all of them."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

USUAL = ((-600, 1500), (40, 400), (400, 1800), (50, 350), (-500, 1400))  #: level and width, HU: lungs, soft parts, bone

# 11.2 --- a window


def window(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    """How bright each pixel is in a window, from 0 (black) to 1 (white).

    ``level`` is in the middle of the window and ``width`` reaches from its lower end to its upper end, both in HU. At
    the lower end and below it all is black, at the upper end and above it all is white.
    """
    lowest = level - width / 2
    return np.asarray(np.clip((hounsfield - lowest) / width, 0, 1))


def _draw_window(rng: np.random.Generator) -> Inputs:
    """A window and twelve values, within it and beyond it; often none are beyond one of its ends."""
    level, width = USUAL[rng.integers(len(USUAL))]
    below, above = rng.choice([0.4, 1.3], size=2)
    values = np.rint(level + width * rng.uniform(-below, above, size=10))
    return rng.permutation([*values, level - width // 4, level + width // 8]).reshape(3, 4).astype(float), level, width


def _width_to_both_sides(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return window(hounsfield, level, 2 * width)


def _half_of_the_width(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return np.asarray(np.clip((hounsfield - level + width / 2) / (width / 2), 0, 1))


def _level_at_the_bottom(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return window(hounsfield, level + width / 2, width)


def _level_at_the_top(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return window(hounsfield, level - width / 2, width)


def _lower_end_above(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return window(hounsfield, level + width, width)


def _not_clipped(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return np.asarray((hounsfield - level + width / 2) / width)


def _clipped_below_only(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return np.maximum(_not_clipped(hounsfield, level, width), 0)


def _clipped_above_only(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return np.minimum(_not_clipped(hounsfield, level, width), 1)


def _inverted(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return 1 - window(hounsfield, level, width)


def _to_255(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return 255 * window(hounsfield, level, width)


def _as_bytes(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return (255 * window(hounsfield, level, width)).astype(np.uint8)


def _from_minus_one(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return 2 * window(hounsfield, level, width) - 1


def _still_hounsfield(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return np.clip(hounsfield, level - width / 2, level + width / 2)


def _from_zero_in_hounsfield(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return _still_hounsfield(hounsfield, level, width) - (level - width / 2)


def _lowest_to_highest(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:  # noqa: ARG001
    return np.asarray((hounsfield - hounsfield.min()) / np.ptp(hounsfield))


def _stretched(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return _lowest_to_highest(_still_hounsfield(hounsfield, level, width), level, width)


def _by_the_upper_end(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return _from_zero_in_hounsfield(hounsfield, level, width) / (level + width / 2)


def _above_the_level(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:  # noqa: ARG001
    return (hounsfield > level).astype(float)


def _within(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return (abs(hounsfield - level) <= width / 2).astype(float)


def _black_on_both_sides(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return window(hounsfield, level, width) * _within(hounsfield, level, width)


def _exchanged(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
    return np.asarray(np.clip((hounsfield - width + level / 2) / level, 0, 1))


WIDTH_IS_WHOLE = "The width reaches from the lower end to the upper end. The level is in the middle, half of it away."

WINDOW = Exercise(
    "11.2",
    "A window",
    window,
    hints=(
        "Where does the window begin? The level is its middle, and the width reaches from end to end.",
        "The lower end is level - width / 2. How far above it is a value, as a part of the width?",
        "(hounsfield - lower end) / width is 0 at the lower end and 1 at the upper end. np.clip cuts off what is "
        "beyond them.",
        "return np.clip((hounsfield - (level - width / 2)) / width, 0, 1)",
    ),
    mistakes=(
        Mistake(_width_to_both_sides, f"Your window is twice as wide. {WIDTH_IS_WHOLE}"),
        Mistake(
            _half_of_the_width,
            "The lower end is right, but white is reached at the level already. Divide by the whole width.",
        ),
        Mistake(_level_at_the_bottom, "You took the level for the lower end. It is in the middle of the window."),
        Mistake(_level_at_the_top, "You took the level for the upper end. It is in the middle of the window."),
        Mistake(
            _lower_end_above,
            "The window begins at level + width / 2. Look for a missing bracket: a - (b - c) is a - b + c.",
        ),
        Mistake(
            _not_clipped,
            "Within the window it is right. Beyond it the values go below 0 and above 1: np.clip cuts them off.",
        ),
        Mistake(_clipped_below_only, "Above the window the values go beyond 1. Make them white: np.clip(..., 0, 1)."),
        Mistake(_clipped_above_only, "Below the window the values go below 0. Make them black: np.clip(..., 0, 1)."),
        Mistake(_inverted, "Black and white are exchanged. What weakens the rays more is brighter in CT."),
        Mistake(_to_255, "The greys are right, from 0 to 255. Here they go from 0 to 1."),
        Mistake(
            _as_bytes,
            "Those are whole numbers from 0 to 255, as a file of greys has them. Here they go from 0 to 1.",
        ),
        Mistake(_from_minus_one, "Your greys go from -1 to 1, with 0 at the level. Let black be 0."),
        Mistake(
            _still_hounsfield,
            "What is beyond the window is cut off, but the rest is still in HU. Subtract the lower end, and divide by "
            "the width.",
        ),
        Mistake(_from_zero_in_hounsfield, "Black is 0, but white is the width in HU. Divide by the width."),
        Mistake(
            _lowest_to_highest,
            "That goes from the lowest value of the slice to the highest, whatever they are. A window is the same for "
            "every slice: level and width say where it lies.",
        ),
        Mistake(
            _stretched,
            "After clipping, you stretched from the lowest value that is left to the highest. In a slice without air "
            "or bone those are not the ends of the window, so a tissue would change its grey from slice to slice.",
        ),
        Mistake(
            _by_the_upper_end,
            "You divided by the upper end, as if the window began at 0 HU. Divide by its width.",
        ),
        Mistake(_above_the_level, "That is a threshold: black or white. A window keeps the greys between them."),
        Mistake(_within, "That says which values lie within the window. Give them their greys, too."),
        Mistake(
            _black_on_both_sides,
            "Above the window it is black, but bone would be white there, only brighter than we can show: np.clip.",
        ),
        Mistake(_exchanged, "Level and width are exchanged. The level is the middle of the window."),
    ),
    draw=_draw_window,
)
