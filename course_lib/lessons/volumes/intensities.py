"""Intensities without a unit: the z-score, from the voxels of the head alone."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 9.7 --- the z-score


def z_score(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    """The volume scaled so that the voxels in the head, where the mask is True, have mean 0 and deviation 1."""
    inside = values[head]
    return np.asarray((values - inside.mean()) / inside.std())


def _draw_head(rng: np.random.Generator) -> Inputs:
    head = np.zeros(12, dtype=bool)
    head[: rng.integers(5, 8)] = True
    values = np.where(head, rng.integers(200, 900, size=12), rng.integers(0, 20, size=12)).astype(float)
    order = rng.permutation(12)
    return values[order].reshape(2, 2, 3), head[order].reshape(2, 2, 3)


def _over_all(values: np.ndarray, head: np.ndarray) -> np.ndarray:  # noqa: ARG001  # the mistake
    return np.asarray((values - values.mean()) / values.std())


def _spread_of_all(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    return np.asarray((values - values[head].mean()) / values.std())


def _mean_of_all(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    return np.asarray((values - values.mean()) / values[head].std())


def _by_the_variance(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    return np.asarray((values - values[head].mean()) / values[head].var())


def _air_set_to_0(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    return np.where(head, z_score(values, head), 0.0)


def _times_the_mask(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    inside = values * head
    return np.asarray((values - inside.mean()) / inside.std())


def _head_only(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    return np.asarray(z_score(values, head)[head])


def _mean_stays(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    return np.asarray(values / values[head].std())


def _centred_only(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    return np.asarray(values - values[head].mean())


def _without_brackets(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    return np.asarray(values - values[head].mean() / values[head].std())


def _to_0_and_1(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    inside = values[head]
    return np.asarray((values - inside.min()) / (inside.max() - inside.min()))


def _one_less(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    return np.asarray((values - values[head].mean()) / values[head].std(ddof=1))


def _outside(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    return z_score(values, ~head)


Z_SCORE = Exercise(
    "9.7",
    "A z-score inside the head",
    z_score,
    hints=(
        "Two numbers come from the head alone, its mean and its standard deviation. All voxels are scaled by them.",
        "values[head] picks the voxels of the head out of the volume.",
        "Subtract the mean of values[head] from values, and divide by its standard deviation.",
        "return (values - values[head].mean()) / values[head].std()",
    ),
    mistakes=(
        Mistake(
            _over_all,
            "That is over all voxels, so how much air was scanned changes what a tissue is worth. Take mean and "
            "deviation inside the head.",
        ),
        Mistake(_spread_of_all, "The deviation is still over all voxels. Take values[head].std()."),
        Mistake(_mean_of_all, "The mean is still over all voxels. Take values[head].mean()."),
        Mistake(_by_the_variance, "You divide by the variance. The standard deviation is its square root."),
        Mistake(
            _air_set_to_0,
            "In the head it is right. But the air became 0, which is now the mean of the head: scale it like the rest.",
        ),
        Mistake(
            _times_the_mask,
            "values * head keeps the air, as zeros that take part in the mean. values[head] leaves it out.",
        ),
        Mistake(_head_only, "Those are the voxels of the head in a row. Return the whole volume, scaled."),
        Mistake(_mean_stays, "The deviation is 1, but the mean is not 0: subtract it first."),
        Mistake(_centred_only, "The mean is 0, but the deviation is not 1: divide by it."),
        Mistake(_without_brackets, "/ comes before -, so only the mean is divided. Put the difference into brackets."),
        Mistake(
            _to_0_and_1,
            "That spreads the head from 0 to 1, so a single bright voxel decides. Use mean and standard deviation.",
        ),
        Mistake(_one_less, "torch's std divides by n - 1, and so does ddof=1. Use numpy's own, or correction=0."),
        Mistake(_outside, "You took the air. The mask is True inside the head."),
    ),
    draw=_draw_head,
)
