"""A learning rate for each stage of a network."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 4.5 --- a learning rate per stage


def stage_rates(rate: float, factor: float, stages: int) -> list[float]:
    """The learning rate of each stage, from the input to the head, which has ``rate``."""
    return [rate * factor ** (stages - 1 - number) for number in range(stages)]


def _draw_rates(rng: np.random.Generator) -> Inputs:
    return float(rng.choice([0.1, 0.01, 0.001])), float(rng.choice([0.8, 0.5, 0.4, 0.2])), int(rng.integers(3, 7))


def _head_first(rate: float, factor: float, stages: int) -> list[float]:
    return stage_rates(rate, factor, stages)[::-1]


def _head_reduced(rate: float, factor: float, stages: int) -> list[float]:
    return [rate * factor ** (stages - number) for number in range(stages)]


def _two_rates(rate: float, factor: float, stages: int) -> list[float]:
    return [rate * factor] * (stages - 1) + [rate]


def _in_equal_steps(rate: float, factor: float, stages: int) -> list[float]:
    return [rate * (1 - (1 - factor) * (stages - 1 - number) / (stages - 1)) for number in range(stages)]


STAGE_RATES = Exercise(
    "4.5",
    "A learning rate per stage",
    stage_rates,
    hints=(
        "Begin at the end: the head has rate, the stage before it rate * factor. And the one before that?",
        "The stage that is k steps before the head has rate * factor ** k.",
        "The first of n stages is n - 1 steps before the head, the last is 0 steps before it.",
        "return [rate * factor ** (stages - 1 - number) for number in range(stages)]",
    ),
    mistakes=(
        Mistake(_head_first, "The rates are right, but begin at the input: the head's comes last, and is the largest."),
        Mistake(_head_reduced, "The head itself keeps the whole rate: it is 0 steps before the head."),
        Mistake(_two_rates, "The factor counts once per stage: two stages before the head it is factor ** 2."),
        Mistake(_in_equal_steps, "Your rates go down in equal steps. Each should be factor times the next one."),
    ),
    draw=_draw_rates,
)
