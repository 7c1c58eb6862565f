"""AUROC, counted in pairs, and F1."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 5.4 --- AUROC by pairs


def share_of_pairs(sick: list[float], healthy: list[float]) -> float:
    """How often a sick image scores above a healthy one, over all pairs; a tie counts one half."""
    won = 0.0
    for s in sick:
        for h in healthy:
            if s > h:
                won += 1
            elif s == h:
                won += 0.5
    return won / (len(sick) * len(healthy))


def _draw_two_groups(rng: np.random.Generator) -> Inputs:
    sick = [0.5, 0.9, 0.7, *np.round(rng.uniform(0.3, 1, int(rng.integers(1, 3))), 1).tolist()]
    healthy = [0.5, 0.1, 0.6, 0.2, *np.round(rng.uniform(0, 0.7, int(rng.integers(1, 3))), 1).tolist()]
    return rng.permutation(sick).tolist(), rng.permutation(healthy).tolist()


def _tie_is_lost(sick: list[float], healthy: list[float]) -> float:
    return float(np.mean([s > h for s in sick for h in healthy]))


def _tie_is_won(sick: list[float], healthy: list[float]) -> float:
    return float(np.mean([s >= h for s in sick for h in healthy]))


def _healthy_win(sick: list[float], healthy: list[float]) -> float:
    return 1 - share_of_pairs(sick, healthy)


def _pairs_in_order(sick: list[float], healthy: list[float]) -> float:
    return float(np.mean([s > h for s, h in zip(sick, healthy, strict=False)]))


def _not_divided(sick: list[float], healthy: list[float]) -> float:
    return share_of_pairs(sick, healthy) * len(sick) * len(healthy)


def _divided_by_images(sick: list[float], healthy: list[float]) -> float:
    return _not_divided(sick, healthy) / (len(sick) + len(healthy))


SHARE_OF_PAIRS = Exercise(
    "5.4",
    "AUROC by pairs",
    share_of_pairs,
    hints=(
        "Each sick image meets each healthy one. How many meetings are there?",
        "Two loops, one inside the other. A meeting that the sick image wins counts 1.",
        "A tie counts one half. At the end divide by len(sick) * len(healthy).",
        "won += 1 if s > h else 0.5 if s == h else 0",
    ),
    mistakes=(
        Mistake(_tie_is_lost, "A tie counts one half; yours counts nothing."),
        Mistake(_tie_is_won, "A tie counts one half; yours counts as won."),
        Mistake(_healthy_win, "You counted how often the healthy image scores higher."),
        Mistake(
            _pairs_in_order, "You compared the first with the first, and so on. Every sick one meets every healthy."
        ),
        Mistake(
            _divided_by_images, "You divided by the number of images. Pairs are more: each sick meets each healthy."
        ),
        Mistake(_not_divided, "That is the number of pairs that are won. Divide by the number of all pairs."),
    ),
    draw=_draw_two_groups,
)

# 5.5 --- F1


def f1_score(precision: float, sensitivity: float) -> float:
    """The harmonic mean: near the smaller of the two."""
    return 2 * precision * sensitivity / (precision + sensitivity)


def _draw_two_shares(rng: np.random.Generator) -> Inputs:
    first, second = rng.choice(np.arange(1, 20), 2, replace=False) / 20
    return float(first), float(second)


def _arithmetic(precision: float, sensitivity: float) -> float:
    return (precision + sensitivity) / 2


def _geometric(precision: float, sensitivity: float) -> float:
    return float(np.sqrt(precision * sensitivity))


def _no_two(precision: float, sensitivity: float) -> float:
    return precision * sensitivity / (precision + sensitivity)


def _smaller(precision: float, sensitivity: float) -> float:
    return min(precision, sensitivity)


F1_SCORE = Exercise(
    "5.5",
    "F1",
    f1_score,
    hints=(
        "The harmonic mean of two numbers: one divided by the mean of one divided by each.",
        "1 / ((1 / precision + 1 / sensitivity) / 2). It can be written shorter.",
        "return 2 * precision * sensitivity / (precision + sensitivity)",
    ),
    mistakes=(
        Mistake(_arithmetic, "That is the arithmetic mean. It forgives a precision of 0.05 if all the sick are found."),
        Mistake(_geometric, "That is the geometric mean; the harmonic mean lies lower."),
        Mistake(_no_two, "That is half of it. Two equal numbers have themselves as their mean."),
        Mistake(_smaller, "F1 lies near the smaller one, and a little above it."),
    ),
    draw=_draw_two_shares,
)
