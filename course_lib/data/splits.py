"""Splits that keep a patient together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from course_lib.data.samples import LabelledImage
from course_lib.support.errors import DataError
from course_lib.tasks.task import Sample

CLOSE_ENOUGH = 0.01 + 1e-9  #: how far the part that is taken may be from the one that was asked for


def split_by_patient(
    samples: Sequence[LabelledImage], fraction: float = 0.2, seed: int = 0
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Two lists, the second with about ``fraction`` of the images: no patient in both, classes in like proportion.

    The patients are parted into folds, and the second list has the first of these, or the first few: of five, one is
    20 % and two are 40 %. The same seed gives the same split.

    Raises:
        DataError: a class has too few patients to be in both lists in this proportion.
        ValueError: the fraction is not between 0 and 0.5.
    """
    if not 0 < fraction <= 0.5:
        raise ValueError(f"fraction must be above 0 and at most 0.5, but is {fraction}.")
    taken, folds = _taken_of_folds(fraction)
    pairs = _places_by_patient(samples, folds, seed, fraction)
    apart = set(np.concatenate([second for _, second in pairs[:taken]]).tolist())
    places = range(len(samples))
    return [samples[i] for i in places if i not in apart], [samples[i] for i in places if i in apart]


def folds_by_patient(
    samples: Sequence[LabelledImage], folds: int = 5, seed: int = 0
) -> list[tuple[list[LabelledImage], list[LabelledImage]]]:
    """For cross-validation: as many pairs of lists as there are folds; each image is in one second list only.

    In a pair no patient is in both lists, and the classes are in like proportion. The same seed gives the same folds.

    Raises:
        DataError: a class has fewer patients than there are folds.
    """
    pairs = _places_by_patient(samples, folds, seed, 1 / folds)
    return [([samples[i] for i in first], [samples[i] for i in second]) for first, second in pairs]


def take_patients(samples: Sequence[LabelledImage], max_images: int, seed: int = 0) -> list[LabelledImage]:
    """At most ``max_images`` images: all images of patients that are drawn at random, in the original order."""
    if len(samples) <= max_images:
        return list(samples)
    images_of = Counter(r.patient for r in samples)
    chosen, total = set(), 0
    for patient in np.random.default_rng(seed).permutation(sorted(images_of)):
        if total + images_of[patient] <= max_images:
            chosen.add(str(patient))
            total += images_of[patient]
    return [r for r in samples if r.patient in chosen]


def draw_patients(samples: Sequence[LabelledImage], patients: int, seed: int = 0) -> list[LabelledImage]:
    """All images of so many patients, drawn at random with the classes in like proportion, in the original order.

    Raises:
        DataError: there are fewer patients, or so few are wanted that a class would get none.
    """
    label_of = {r.patient: r.label for r in samples}
    if patients == len(label_of):
        return list(samples)
    names, labels = sorted(label_of), [label_of[name] for name in sorted(label_of)]
    try:
        chosen = set(train_test_split(names, train_size=patients, stratify=labels, random_state=seed)[0])
    except ValueError as error:
        raise DataError(
            f"{patients} patients with every class among them can not be drawn from {len(names)}: {error} "
            "Ask for another number."
        ) from error
    return [r for r in samples if r.patient in chosen]


def check_patients_apart(first: Iterable[Sample], second: Iterable[Sample], names: tuple[str, str]) -> None:
    """Do nothing if no patient is in both lists.

    Raises:
        DataError: some are; a score on the second list would then be too good to be true.
    """
    both = sorted({r.patient for r in first} & {r.patient for r in second})
    if both:
        raise DataError(
            f"{names[0]} and {names[1]} must not share patients, but {len(both)} are in both "
            f"({', '.join(both[:3])}{', …' if len(both) > 3 else ''}). Move all images of a patient to one side; or, "
            "if the same number is another patient in each split, say so in a data card (splits_share_no_patient)."
        )


def _taken_of_folds(fraction: float) -> tuple[int, int]:
    """How many folds of how many are the fraction: one if that comes close enough, else of as few as possible."""
    one = round(1 / fraction)
    if abs(1 / one - fraction) <= CLOSE_ENOUGH:
        return 1, one
    return next(
        (round(fraction * folds), folds)
        for folds in count(2)
        if abs(round(fraction * folds) / folds - fraction) <= CLOSE_ENOUGH
    )


def _places_by_patient(
    samples: Sequence[LabelledImage], folds: int, seed: int, fraction: float
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For each fold, the places of the samples outside it and in it.

    Raises:
        DataError: a class has fewer patients than there are folds.
    """
    patients_of = {label: {r.patient for r in samples if r.label == label} for label in {r.label for r in samples}}
    for label, patients in patients_of.items():
        if len(patients) < folds:
            raise DataError(
                f"To keep {fraction:.0%} apart, each class needs images of at least {folds} patients, "
                f"but class {label} has {len(patients)}. Use more patients or a larger fraction."
            )
    labels, groups = [r.label for r in samples], [r.patient for r in samples]
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(labels)), labels, groups))
