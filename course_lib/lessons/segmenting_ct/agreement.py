"""How well several readers agree on one nodule that some of them did not mark."""

from itertools import combinations, pairwise

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

SHAPES = ((3, 2, 3), (4, 2, 2))  #: readers, rows, columns: small enough that a learner sees every pixel
MARKS_NOTHING = 0.3  #: of the readers

# 11.9 --- agreement of readers


def reader_agreement(marks: np.ndarray) -> float:
    """The mean Dice of all pairs of readers who both marked something; nan where there is no such pair.

    ``marks`` [readers, rows, columns] is True where a reader says that the pixel belongs to the nodule.
    """
    marked = marks[marks.any(axis=(1, 2))]
    pairs = combinations(marked, 2)
    values = [2 * (one & other).sum() / (one.sum() + other.sum()) for one, other in pairs]
    return float(np.mean(values)) if values else float("nan")


def _draw_marks(rng: np.random.Generator) -> Inputs:
    """Readers who agree in part; some of them marked nothing."""
    shape = SHAPES[rng.integers(len(SHAPES))]
    seen = rng.random(shape[1:]) < 0.6
    marks = np.where(rng.random(shape) < 0.25, ~seen, seen)
    marks[rng.random(len(marks)) < MARKS_NOTHING] = False
    return (marks,)


def _dice(one: np.ndarray, other: np.ndarray, nothing: float = 1.0) -> float:
    sizes = int(one.sum() + other.sum())
    return 2 * int((one & other).sum()) / sizes if sizes else nothing


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def _marked(marks: np.ndarray) -> np.ndarray:
    return np.asarray(marks[marks.any(axis=(1, 2))])


def _mean(values: list[float], nothing: float = np.nan) -> float:
    return float(np.mean(values)) if values else nothing


def _all_pairs(marks: np.ndarray) -> float:
    return _mean([_dice(one, other) for one, other in combinations(marks, 2)])


def _empty_pairs_0(marks: np.ndarray) -> float:
    return _mean([_dice(one, other, 0.0) for one, other in combinations(marks, 2)])


def _empty_pairs_1(marks: np.ndarray) -> float:
    pairs = list(combinations(marks, 2))
    return _mean([_dice(one, other) if one.any() and other.any() else 1.0 for one, other in pairs])


def _either_marked(marks: np.ndarray) -> float:
    return _mean([_dice(one, other) for one, other in combinations(marks, 2) if one.any() or other.any()])


def _with_oneself(marks: np.ndarray) -> float:
    marked = _marked(marks)
    values = [_dice(one, other) for one in marked for other in marked]
    return _mean(values) if len(marked) > 1 else np.nan


def _with_oneself_even_alone(marks: np.ndarray) -> float:
    marked = _marked(marks)
    return _mean([_dice(one, other) for one in marked for other in marked])


def _pair_with_oneself_once(marks: np.ndarray) -> float:
    marked = _marked(marks)
    return _mean([_dice(marked[i], other) for i in range(len(marked)) for other in marked[i:]])


def _against_the_majority(marks: np.ndarray) -> float:
    marked = _marked(marks)
    agreed = 2 * marks.sum(axis=0) >= len(marks)
    return _mean([_dice(one, agreed) for one in marked]) if len(marked) > 1 else np.nan


def _against_their_majority(marks: np.ndarray) -> float:
    marked = _marked(marks)
    agreed = 2 * marked.sum(axis=0) >= len(marked)
    return _mean([_dice(one, agreed) for one in marked]) if len(marked) > 1 else np.nan


def _against_the_others(marks: np.ndarray) -> float:
    marked = _marked(marks)
    rest = [np.delete(marked, place, axis=0) for place in range(len(marked))]
    values = [_dice(one, 2 * others.sum(axis=0) >= len(others)) for one, others in zip(marked, rest, strict=True)]
    return _mean(values) if len(marked) > 1 else np.nan


def _against_the_first(marks: np.ndarray) -> float:
    marked = _marked(marks)
    return _mean([_dice(marked[0], other) for other in marked[1:]])


def _the_next_one(marks: np.ndarray) -> float:
    marked = _marked(marks)
    return _mean([_dice(one, other) for one, other in pairwise(marked)])


def _iou_of_pairs(marks: np.ndarray) -> float:
    return _mean([_iou(one, other) for one, other in combinations(_marked(marks), 2)])


def _equal_pixels(marks: np.ndarray) -> float:
    return _mean([float((one == other).mean()) for one, other in combinations(_marked(marks), 2)])


def _all_at_once(marks: np.ndarray) -> float:
    marked = _marked(marks)
    return float(len(marked) * marked.all(axis=0).sum() / marked.sum()) if len(marked) > 1 else np.nan


def _sums_of_pairs(marks: np.ndarray) -> float:
    pairs = list(combinations(_marked(marks), 2))
    overlap = sum(int((one & other).sum()) for one, other in pairs)
    return 2 * overlap / sum(int(one.sum() + other.sum()) for one, other in pairs) if pairs else np.nan


def _worst_pair(marks: np.ndarray) -> float:
    return min([_dice(one, other) for one, other in combinations(_marked(marks), 2)], default=np.nan)


def _best_pair(marks: np.ndarray) -> float:
    return max([_dice(one, other) for one, other in combinations(_marked(marks), 2)], default=np.nan)


def _median_pair(marks: np.ndarray) -> float:
    values = [_dice(one, other) for one, other in combinations(_marked(marks), 2)]
    return float(np.median(values)) if values else np.nan


def _over_all_pairs(marks: np.ndarray) -> float:
    marked, readers = _marked(marks), len(marks)
    total = sum(_dice(one, other) for one, other in combinations(marked, 2))
    return 2 * total / (readers * (readers - 1)) if len(marked) > 1 else np.nan


def _no_pair_is_0(marks: np.ndarray) -> float:
    return _mean([_dice(one, other) for one, other in combinations(_marked(marks), 2)], 0.0)


def _no_pair_is_1(marks: np.ndarray) -> float:
    return _mean([_dice(one, other) for one, other in combinations(_marked(marks), 2)], 1.0)


def _of_each_pair(marks: np.ndarray) -> list[float]:
    return [_dice(one, other) for one, other in combinations(_marked(marks), 2)]


A_READER_WHO_MARKED_NOTHING = (
    "One who marked nothing drew no other outline, but saw no nodule. Whether readers see it is another question than "
    "how well their outlines agree. Leave pairs with an empty mark out."
)
WITH_ONESELF = (
    "Each reader agrees with themself, so a pair of one and the same is always 1. Take two different readers."
)
MAJORITY = (
    "The majority contains the reader's own outline and is smoother than any of them, so this is higher than the "
    "agreement of two readers. Compare pairs."
)
ONE_NUMBER = "Each two of them are a pair: combinations(marked, 2) from itertools."

READER_AGREEMENT = Exercise(
    "11.9",
    "Agreement of readers",
    reader_agreement,
    hints=(
        "Which readers marked anything? Those who did not are left out before any pair is made.",
        "marks.any(axis=(1, 2)) says it for each reader, and marks[…] keeps those for whom it is True.",
        "combinations(marked, 2) from itertools gives each pair once. Both are not empty, so the Dice is "
        "2 * (one & other).sum() / (one.sum() + other.sum()).",
        "values = [… for one, other in combinations(marks[marks.any(axis=(1, 2))], 2)], then "
        'float(np.mean(values)) if values else float("nan")',
    ),
    mistakes=(
        Mistake(
            _all_pairs,
            "Pairs with an empty mark are in it, as 0, or as 1 where both are empty. " + A_READER_WHO_MARKED_NOTHING,
        ),
        Mistake(_empty_pairs_0, "Pairs with an empty mark are in it, as 0. " + A_READER_WHO_MARKED_NOTHING),
        Mistake(_empty_pairs_1, "Pairs with an empty mark are in it, as 1. " + A_READER_WHO_MARKED_NOTHING),
        Mistake(
            _either_marked,
            "Pairs of which only one marked something are in it, as 0. " + A_READER_WHO_MARKED_NOTHING,
        ),
        Mistake(_with_oneself, WITH_ONESELF),
        Mistake(_with_oneself_even_alone, WITH_ONESELF + " Where only one marked something, there is no pair: nan."),
        Mistake(_pair_with_oneself_once, WITH_ONESELF + " Where only one marked something, there is no pair: nan."),
        Mistake(_against_the_majority, "You compare each reader with the majority of all. " + MAJORITY),
        Mistake(_against_their_majority, "You compare each reader with the majority of those who marked. " + MAJORITY),
        Mistake(
            _against_the_others,
            "You compare each reader with the majority of the others. That is fair, and what a model should be held "
            "against; but here the question is how two readers agree.",
        ),
        Mistake(_against_the_first, "You compare all with the first reader, as if that one were right. " + ONE_NUMBER),
        Mistake(_the_next_one, "You compare each reader with the next one only. " + ONE_NUMBER),
        Mistake(
            _iou_of_pairs, "That is the IoU of the pairs, which is lower. Dice is twice the overlap over the sizes."
        ),
        Mistake(_equal_pixels, "You count the pixels that agree, and the background with them. Take the Dice."),
        Mistake(
            _all_at_once,
            "You ask what all readers have in common, which shrinks with each reader more. Take two at a time.",
        ),
        Mistake(
            _sums_of_pairs,
            "You added up over the pairs before dividing, so a pair with large outlines counts more. Divide in each "
            "pair, then take the mean.",
        ),
        Mistake(_worst_pair, "That is the pair that agrees least. Take the mean over the pairs."),
        Mistake(_best_pair, "That is the pair that agrees best. Take the mean over the pairs."),
        Mistake(_median_pair, "That is the median over the pairs. Take the mean."),
        Mistake(_over_all_pairs, "You divided by the number of all pairs. Divide by those who both marked something."),
        Mistake(
            _no_pair_is_0,
            "Where fewer than two marked anything, there is no pair, and 0 would say that they disagree: return nan.",
        ),
        Mistake(
            _no_pair_is_1,
            "Where fewer than two marked anything, there is no pair, and 1 would say that they agree: return nan.",
        ),
        Mistake(_of_each_pair, "Those are the numbers of the pairs. Return their mean."),
    ),
    draw=_draw_marks,
    cases=60,
)
