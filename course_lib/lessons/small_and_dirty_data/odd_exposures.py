"""Images that stand out among the others."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 7.6 --- what stands out


def standing_out(values: np.ndarray, limit: float) -> list[int]:
    """The places whose value is more than ``limit`` robust standard deviations from the median."""
    away = np.abs(values - np.median(values))
    return [int(place) for place in np.flatnonzero(away > limit * 1.4826 * np.median(away))]


def _draw_brightness(rng: np.random.Generator) -> Inputs:
    while True:
        usual = rng.normal(125, 12, 13)
        values = np.round(rng.permutation(np.r_[usual, rng.uniform(225, 250, 2), rng.uniform(5, 25, 2), 168]))
        away = np.abs(values - np.median(values))
        rules = (standing_out, _standard_deviations, _not_scaled, _one_side)
        answers = [str(rule(values, 3.0)) for rule in rules]
        clear = np.abs(away - 3 * 1.4826 * np.median(away)).min() > 0.5
        if len(set(answers)) == len(answers) and clear:
            return values, 3.0


def _standard_deviations(values: np.ndarray, limit: float) -> list[int]:
    return [int(i) for i in np.flatnonzero(np.abs(values - values.mean()) > limit * values.std())]


def _not_scaled(values: np.ndarray, limit: float) -> list[int]:
    away = np.abs(values - np.median(values))
    return [int(i) for i in np.flatnonzero(away > limit * np.median(away))]


def _one_side(values: np.ndarray, limit: float) -> list[int]:
    spread = 1.4826 * np.median(np.abs(values - np.median(values)))
    return [int(i) for i in np.flatnonzero(values - np.median(values) > limit * spread)]


def _not_in_units(values: np.ndarray, limit: float) -> list[int]:
    return [int(i) for i in np.flatnonzero(np.abs(values - np.median(values)) > limit)]


STANDING_OUT = Exercise(
    "7.6",
    "What stands out",
    standing_out,
    hints=(
        "How far is each value from the median? np.abs makes far below and far above alike.",
        "The median of these distances says what is usual. Times 1.4826 it is in units of a standard deviation.",
        "np.flatnonzero(condition) gives the places where a condition holds.",
        "away = np.abs(values - np.median(values)), then places where away > limit * 1.4826 * np.median(away)",
    ),
    mistakes=(
        Mistake(
            _standard_deviations,
            "Mean and standard deviation are pulled along by what stands out, so that it hides itself. Take medians.",
        ),
        Mistake(_not_scaled, "The factor 1.4826 is missing, so too many stand out."),
        Mistake(_one_side, "You find the bright ones only. Dark ones stand out too: take the absolute distance."),
        Mistake(
            _not_in_units, "limit counts spreads, not grey values: multiply it with 1.4826 times the median distance."
        ),
    ),
    draw=_draw_brightness,
)
