"""How many images an accuracy needs."""

import math

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 2.7 --- how many images?


def images_needed(accuracy: float, margin: float) -> int:
    """Images for which the 95 % interval of an accuracy reaches at most ``margin`` to either side."""
    return math.ceil(1.96**2 * accuracy * (1 - accuracy) / margin**2)


def _draw_accuracy_and_margin(rng: np.random.Generator) -> Inputs:
    while True:
        accuracy, margin = int(rng.integers(60, 96)) / 100, int(rng.integers(2, 9)) / 100
        images = 1.96**2 * accuracy * (1 - accuracy) / margin**2
        if 0.05 < images % 1 < 0.95:  # so that rounding is never a matter of the last digit
            return accuracy, margin


def _rounded_down(accuracy: float, margin: float) -> int:
    return images_needed(accuracy, margin) - 1


def _not_rounded(accuracy: float, margin: float) -> float:
    return 1.96**2 * accuracy * (1 - accuracy) / margin**2


def _one_standard_error(accuracy: float, margin: float) -> int:
    return math.ceil(accuracy * (1 - accuracy) / margin**2)


def _margin_not_squared(accuracy: float, margin: float) -> int:
    return math.ceil(1.96**2 * accuracy * (1 - accuracy) / margin)


def _accuracy_squared(accuracy: float, margin: float) -> int:
    return math.ceil(1.96**2 * accuracy**2 / margin**2)


def _not_doubly_squared(accuracy: float, margin: float) -> int:
    return math.ceil(1.96 * accuracy * (1 - accuracy) / margin**2)


def _whole_width(accuracy: float, margin: float) -> int:
    return math.ceil(1.96**2 * accuracy * (1 - accuracy) / (margin / 2) ** 2)


IMAGES_NEEDED = Exercise(
    "2.7",
    "How many images?",
    images_needed,
    hints=(
        "Begin with margin = 1.96 * sqrt(accuracy * (1 - accuracy) / images), and solve it for images.",
        "Square both sides: margin ** 2 = 1.96 ** 2 * accuracy * (1 - accuracy) / images.",
        "Exchange images and margin ** 2. A part of an image does not help: math.ceil rounds up.",
        "return math.ceil(1.96 ** 2 * accuracy * (1 - accuracy) / margin ** 2)",
    ),
    mistakes=(
        Mistake(_rounded_down, "Rounded down, the interval is a little too wide: round up with math.ceil."),
        Mistake(_not_rounded, "There is no part of an image: round up with math.ceil."),
        Mistake(_one_standard_error, "The 1.96 is missing: one standard error holds 68 %, not 95 %."),
        Mistake(_margin_not_squared, "The margin must be squared: half the margin costs four times the images."),
        Mistake(_accuracy_squared, "The spread of a yes or no is accuracy * (1 - accuracy), not accuracy squared."),
        Mistake(_not_doubly_squared, "When both sides are squared, the 1.96 is squared too."),
        Mistake(_whole_width, "The margin is to either side already: do not halve it."),
    ),
    draw=_draw_accuracy_and_margin,
)
