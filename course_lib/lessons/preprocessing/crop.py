"""What is lost when a picture is cropped to a square."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 1.4 --- what a crop costs


def lost_by_crop(height: int, width: int) -> float:
    """The part of the picture, 0 to 1, that is outside of the largest square that fits into it."""
    short, long = sorted((height, width))
    return 1 - short / long


def _draw_size(rng: np.random.Generator) -> Inputs:
    short = 10 * int(rng.integers(8, 20))
    long = short + 10 * int(rng.integers(1, 12))
    return (short, long) if rng.integers(2) else (long, short)


def _kept_by_crop(height: int, width: int) -> float:
    return min(height, width) / max(height, width)


def _always_wide(height: int, width: int) -> float:
    return 1 - height / width


def _always_high(height: int, width: int) -> float:
    return 1 - width / height


def _side_twice(height: int, width: int) -> float:
    return 1 - (min(height, width) / max(height, width)) ** 2


def _in_pixels(height: int, width: int) -> int:
    return height * width - min(height, width) ** 2


def _by_the_width(height: int, width: int) -> float:
    return abs(height - width) / width


def _by_the_height(height: int, width: int) -> float:
    return abs(height - width) / height


def _by_the_shorter(height: int, width: int) -> float:
    return abs(height - width) / min(height, width)


def _long_by_short(height: int, width: int) -> float:
    return 1 - max(height, width) / min(height, width)


def pixels_of_a_side(height: int, width: int) -> int:
    return abs(height - width)


def _rounded(height: int, width: int) -> float:
    return round(lost_by_crop(height, width), 2)


def _in_percent(height: int, width: int) -> float:
    return 100 * lost_by_crop(height, width)


LOST_BY_CROP = Exercise(
    "1.4",
    "What a crop costs",
    lost_by_crop,
    hints=(
        "Draw a picture of 100 x 150 and the largest square in it. What is left over?",
        "The square's side is the shorter side, so it keeps short * short of short * long pixels.",
        "Kept is short / long. min(height, width) finds the shorter side whichever it is.",
        "return 1 - min(height, width) / max(height, width)",
    ),
    mistakes=(
        Mistake(_kept_by_crop, "That is the part that is kept. The rest is lost."),
        Mistake(_always_wide, "That holds for wide pictures only. Some are higher than they are wide."),
        Mistake(_always_high, "That holds for high pictures only. Most are wider than they are high."),
        Mistake(_side_twice, "The crop cuts one direction only: the shorter side stays whole."),
        Mistake(_in_pixels, "That is a number of pixels. Divide by the pixels of the whole picture."),
        Mistake(_by_the_width, "That holds for wide pictures only. Divide by the longer side, whichever it is."),
        Mistake(_by_the_height, "That holds for high pictures only. Divide by the longer side, whichever it is."),
        Mistake(_by_the_shorter, "What is lost is part of the longer side: divide by that one."),
        Mistake(_long_by_short, "The division is turned round, so it comes out above 1: short / long is kept."),
        Mistake(pixels_of_a_side, "So many pixels of the longer side are lost. Divide by that side."),
        Mistake(_rounded, "The value is right, but rounded. Return it as it is."),
        Mistake(_in_percent, "The value is right, in percent. Return it from 0 to 1."),
    ),
    draw=_draw_size,
)
