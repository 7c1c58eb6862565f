"""Weights that let a rare class count as much as a frequent one."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 1.7 --- balanced weights


def class_weights(counts: list[int]) -> list[float]:
    """A weight for each class, so that every class counts alike and the weights are 1 where classes are equal."""
    return [sum(counts) / (len(counts) * count) for count in counts]


def _draw_counts(rng: np.random.Generator) -> Inputs:
    return ([10 * int(count) for count in rng.permutation(np.arange(2, 40))[: rng.integers(2, 4)]],)


def _like_the_counts(counts: list[int]) -> list[float]:
    return [count / sum(counts) for count in counts]


def _not_per_class(counts: list[int]) -> list[float]:
    return [sum(counts) / count for count in counts]


def _one_by_count(counts: list[int]) -> list[float]:
    return [1 / count for count in counts]


def _to_the_largest(counts: list[int]) -> list[float]:
    return [max(counts) / count for count in counts]


def _for_two_classes(counts: list[int]) -> list[float]:
    return [sum(counts) / (2 * count) for count in counts]


def _to_the_smallest(counts: list[int]) -> list[float]:
    return [min(counts) / count for count in counts]


def _with_a_fixed_sum(counts: list[int]) -> list[float]:
    total = sum(1 / count for count in counts)
    return [len(counts) / (count * total) for count in counts]


def _part_of_the_others(counts: list[int]) -> list[float]:
    return [1 - count / sum(counts) for count in counts]


CLASS_WEIGHTS = Exercise(
    "1.7",
    "Weights that balance the classes",
    class_weights,
    hints=(
        "The rarer a class, the larger the weight of each of its images.",
        "weight * count must be the same for all classes. With equal classes each weight should be 1.",
        "If all were equal, each class would have sum(counts) / len(counts) images. Divide that by what it has.",
        "return [sum(counts) / (len(counts) * count) for count in counts]",
    ),
    mistakes=(
        Mistake(_like_the_counts, "These weights grow with the class. The rare class needs the larger one."),
        Mistake(_not_per_class, "Equal classes would get weights above 1: divide by the number of classes as well."),
        Mistake(_one_by_count, "In the right proportion, but tiny: the loss would shrink with the size of the data."),
        Mistake(_to_the_largest, "In the right proportion, but the loss would grow: on average an image weighs 1."),
        Mistake(_for_two_classes, "That holds for two classes. Use len(counts)."),
        Mistake(_to_the_smallest, "In the right proportion, but the loss would shrink: on average an image weighs 1."),
        Mistake(
            _with_a_fixed_sum,
            "In the right proportion, but per class they weigh 1 on average. Images should: sum(counts) / len(counts) "
            "is what a class would have if all were equal.",
        ),
        Mistake(
            _part_of_the_others, "The rare class weighs more, but weight * count must be the same for all classes."
        ),
    ),
    draw=_draw_counts,
)
