"""How far two outlines lie apart: HD95, and what goes by the same name."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 11.7 --- HD95


def hd95(forth: np.ndarray, back: np.ndarray) -> float:
    """The larger of the two directions' 95th percentiles, in millimetres, with linear interpolation.

    ``forth`` holds the distance from each surface point of the one outline to the nearest of the other, ``back`` that
    from each of the other to the nearest of the one. Neither is empty, and they differ in length.
    """
    return float(max(np.percentile(forth, 95), np.percentile(back, 95)))


def _draw_distances(rng: np.random.Generator) -> Inputs:
    """Few distances in tenths of a millimetre, and in each direction a part that lies farther away, now and then."""
    lengths = rng.permutation(np.arange(3, 9))[:2]
    near, far = rng.uniform(0.2, 3.0, 2), rng.uniform(4.0, 30.0, 2)
    directions = []
    for length, usual, tail in zip(lengths, near, far, strict=True):
        distances = rng.gamma(2.0, usual / 2, length)
        distances[rng.random(length) < rng.choice([0.0, 0.2, 0.4])] *= tail / 2
        directions.append(distances.round(1))
    return tuple(directions)


def _percentiles(forth: np.ndarray, back: np.ndarray, percent: float = 95) -> list[float]:
    return [float(np.percentile(forth, percent)), float(np.percentile(back, percent))]


def _pooled(forth: np.ndarray, back: np.ndarray) -> float:
    return float(np.percentile(np.concatenate([forth, back]), 95))


def _mean_of_two(forth: np.ndarray, back: np.ndarray) -> float:
    return float(np.mean(_percentiles(forth, back)))


def _forth_only(forth: np.ndarray, back: np.ndarray) -> float:
    return _percentiles(forth, back)[0]


def _back_only(forth: np.ndarray, back: np.ndarray) -> float:
    return _percentiles(forth, back)[1]


def _smaller(forth: np.ndarray, back: np.ndarray) -> float:
    return min(_percentiles(forth, back))


def _sum_of_two(forth: np.ndarray, back: np.ndarray) -> float:
    return sum(_percentiles(forth, back))


def _farthest(forth: np.ndarray, back: np.ndarray) -> float:
    return float(max(forth.max(), back.max()))


def _part_of_farthest(forth: np.ndarray, back: np.ndarray) -> float:
    return 0.95 * _farthest(forth, back)


def _median(forth: np.ndarray, back: np.ndarray) -> float:
    return max(_percentiles(forth, back, 50))


def _median_of_all(forth: np.ndarray, back: np.ndarray) -> float:
    return float(np.median(np.concatenate([forth, back])))


def _mean_distance(forth: np.ndarray, back: np.ndarray) -> float:
    return float(np.concatenate([forth, back]).mean())


def _mean_of_means(forth: np.ndarray, back: np.ndarray) -> float:
    return float(forth.mean() + back.mean()) / 2


def _larger_mean(forth: np.ndarray, back: np.ndarray) -> float:
    return float(max(forth.mean(), back.mean()))


def _one_percent(forth: np.ndarray, back: np.ndarray) -> float:
    return max(_percentiles(forth, back, 0.95))


def _fifth_percentile(forth: np.ndarray, back: np.ndarray) -> float:
    return max(_percentiles(forth, back, 5))


def _without_interpolation(forth: np.ndarray, back: np.ndarray) -> float:
    return float(max(np.percentile(one, 95, method="lower") for one in (forth, back)))


def _mean_below(forth: np.ndarray, back: np.ndarray) -> float:
    return float(max(one[one <= np.percentile(one, 95)].mean() for one in (forth, back)))


def _both(forth: np.ndarray, back: np.ndarray) -> tuple[float, ...]:
    return tuple(_percentiles(forth, back))


ONE_DIRECTION = (
    "from one outline to the other. A part that only the other outline has, such as a tail or a speck, is seen from "
    "the other side alone. Take the larger of both directions."
)
NOT_THE_MIDDLE = "most of an outline is nearly always right, so the middle says little of what is wrong. Take 95."

HD95 = Exercise(
    "11.7",
    "HD95",
    hd95,
    hints=(
        "Each direction sees what the other overlooks. So each of them gets a number of its own first.",
        "np.percentile(distances, 95) is the distance that 95 % of the points stay below, with linear interpolation.",
        "There are two such numbers. The larger one is what we ask for: max of the two.",
        "return float(max(np.percentile(forth, 95), np.percentile(back, 95)))",
    ),
    mistakes=(
        Mistake(
            _pooled,
            "That is the percentile of both directions in one list, another definition in use (pooled). A part that is "
            "missed hides behind the many points of the longer outline. Take the percentile of each direction first.",
        ),
        Mistake(
            _mean_of_two,
            "That is the mean of the two percentiles, another definition in use. One direction that is right halves "
            "the error of the other. Take the larger one.",
        ),
        Mistake(_forth_only, f"That is the directed distance forth, {ONE_DIRECTION}"),
        Mistake(_back_only, f"That is the directed distance back, {ONE_DIRECTION}"),
        Mistake(
            _smaller,
            "You took the smaller of the two directions, which is 0 wherever one outline is a part of the other. Take "
            "the larger one.",
        ),
        Mistake(_sum_of_two, "You added the two percentiles up, and no point lies as far away. Take the larger one."),
        Mistake(
            _farthest,
            "That is the farthest point, the Hausdorff distance itself (HD100). A single wrong voxel decides it. Take "
            "np.percentile(…, 95) of each direction.",
        ),
        Mistake(
            _part_of_farthest,
            "That is 95 % of the largest distance, which still hangs on a single point. The 95th percentile is the "
            "distance that 95 % of the points stay below.",
        ),
        Mistake(_median, f"That is the larger of the two medians: {NOT_THE_MIDDLE}"),
        Mistake(_median_of_all, f"That is the median of both directions: {NOT_THE_MIDDLE}"),
        Mistake(
            _mean_distance,
            "That is the mean of all distances (average symmetric surface distance, ASSD). A long right border makes "
            "it small, however far away the rest is. Take the percentiles.",
        ),
        Mistake(
            _mean_of_means,
            "That is the mean of the two mean distances, as a mean surface distance is also defined. A long right "
            "border makes it small, however far away the rest is. Take the percentiles.",
        ),
        Mistake(
            _larger_mean,
            "That is the larger of the two mean distances. A long right border makes it small, however far away the "
            "rest is. Take the percentiles.",
        ),
        Mistake(_one_percent, "np.percentile counts from 0 to 100, so 0.95 is nearly the smallest distance. Write 95."),
        Mistake(
            _fifth_percentile,
            "Only 5 % of the points lie nearer than the 5th percentile. Take the 95th: far, not near.",
        ),
        Mistake(
            _without_interpolation,
            "You took one of the distances themselves, the next one below. np.percentile interpolates between two of "
            "them, which with few points makes millimetres.",
        ),
        Mistake(
            _mean_below,
            "You left out the farthest 5 % and took the mean of the rest. The percentile is the border between them.",
        ),
        Mistake(_both, "Those are both percentiles. Return the larger of them."),
    ),
    draw=_draw_distances,
    cases=40,
)
