"""An intervention, and the control that it needs."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 6.7 --- an intervention and its control


def effect(before: np.ndarray, covered: np.ndarray, control: np.ndarray) -> float:
    """How much farther the scores fall, on average, when the suspect is covered than when another place is."""
    return float((before - covered).mean() - (before - control).mean())


def _draw_three_scores(rng: np.random.Generator) -> Inputs:
    before = rng.integers(70, 100, 4) / 100
    return before, before - rng.integers(30, 60, 4) / 100, before - rng.integers(5, 20, 4) / 100


def _without_control(before: np.ndarray, covered: np.ndarray, _: np.ndarray) -> float:
    return float((before - covered).mean())


def _other_sign(before: np.ndarray, covered: np.ndarray, control: np.ndarray) -> float:
    return -effect(before, covered, control)


def _per_image(_: np.ndarray, covered: np.ndarray, control: np.ndarray) -> np.ndarray:
    return control - covered


def _ratio_of_falls(before: np.ndarray, covered: np.ndarray, control: np.ndarray) -> float:
    return float((before - covered).mean() / (before - control).mean())


def _only_the_control(before: np.ndarray, _: np.ndarray, control: np.ndarray) -> float:
    return float((before - control).mean())


EFFECT = Exercise(
    "6.7",
    "An intervention and its control",
    effect,
    hints=(
        "Two falls: from before to covered, and from before to control. Which part of the first would any patch cause?",
        "Take the mean fall with the suspect covered, and subtract the mean fall with another place covered.",
        "(before - covered).mean() is the first one.",
        "return (before - covered).mean() - (before - control).mean()",
    ),
    mistakes=(
        Mistake(
            _without_control, "Any patch may shake a network. Subtract the fall that covering another place causes."
        ),
        Mistake(
            _other_sign, "The sign is turned round: positive means that the suspect mattered more than the control."
        ),
        Mistake(_per_image, "That is one number per image. Take the mean."),
        Mistake(
            _ratio_of_falls, "A ratio explodes where the control does nothing. Take the difference of the two falls."
        ),
        Mistake(_only_the_control, "That is the fall of the control. The fall with the suspect covered is missing."),
    ),
    draw=_draw_three_scores,
)
