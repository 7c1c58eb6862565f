"""The exercise of notebook 00, Start here: the one that is solved there, to show how the others work."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Lesson, Mistake

# 0.1 --- the mean brightness


def brightness(picture: np.ndarray) -> float:
    """The mean brightness of a picture whose pixels go from 0 to 255, in percent of white."""
    return float(100 * picture.mean() / 255)


def _draw_picture(rng: np.random.Generator) -> Inputs:
    return (rng.integers(0, 256, size=(2, 3)).astype(np.uint8),)


def _in_grey_levels(picture: np.ndarray) -> float:
    return float(picture.mean())


def _as_a_fraction(picture: np.ndarray) -> float:
    return float(picture.mean() / 255)


def _of_256(picture: np.ndarray) -> float:
    return float(100 * picture.mean() / 256)


def _sum(picture: np.ndarray) -> float:
    return float(100 * picture.sum() / 255)


def _starts_anew(picture: np.ndarray) -> float:
    return float((100 * picture / 255).mean())


def _of_the_brightest(picture: np.ndarray) -> float:
    return float(100 * picture.mean() / picture.max())


def _whole_percent(picture: np.ndarray) -> float:
    return float(round(brightness(picture)))


def _cut_percent(picture: np.ndarray) -> float:
    return float(int(brightness(picture)))


def _each_pixel(picture: np.ndarray) -> np.ndarray:
    return picture / 255 * 100


def _each_pixel_starts_anew(picture: np.ndarray) -> np.ndarray:
    return 100 * picture / 255


ONE_PER_PIXEL = "That is one number per pixel. One number is asked for: take the pixels' mean."

BRIGHTNESS = Exercise(
    "0.1",
    "The mean brightness",
    brightness,
    hints=(
        "A picture is an array of numbers. Which method of an array gives their mean?",
        "picture.mean() is from 0 to 255, where 255 is white. What part of white is that?",
        "Divide by 255, and multiply by 100 to get percent.",
    ),
    mistakes=(
        Mistake(_in_grey_levels, "That is the mean in grey levels, 0 to 255. How many percent of white, 255, is it?"),
        Mistake(_as_a_fraction, "That is a part of white, from 0 to 1. In percent it is 100 times as much."),
        Mistake(_of_256, "White is 255: the 256 values that a byte can have begin with 0."),
        Mistake(_sum, "You added the pixels up. Their mean does not depend on how large the picture is."),
        Mistake(
            _starts_anew, "These are bytes: 100 * picture does not fit and starts anew at 256. Take the mean first."
        ),
        Mistake(_of_the_brightest, "White is 255, whether this picture has it or not."),
        Mistake(_whole_percent, "The number is right, but rounded. Return it as it is."),
        Mistake(_cut_percent, "int and // cut off what follows the point. Return the number as it is."),
        Mistake(_each_pixel, ONE_PER_PIXEL),
        Mistake(_each_pixel_starts_anew, ONE_PER_PIXEL),
    ),
    draw=_draw_picture,
)

LESSON = Lesson("00", "Start here", (BRIGHTNESS,))
