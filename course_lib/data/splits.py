"""Splits that keep a patient together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from course_lib.data.image_folder import hold_back_test, patients_are_folds
from course_lib.data.samples import LabelledImage
from course_lib.support.errors import DataError
from course_lib.support.foreign import some_of
from course_lib.tasks.task import Sample

CLOSE_ENOUGH = 0.01 + 1e-9  #: how far the part that is taken is from the one that was asked for, if patients suffice
TOO_FAR = 0.05 + 1e-9  #: where patients are few, it may be so far
AnySample = TypeVar("AnySample", bound=Sample)


def split_by_patient(
    samples: Sequence[AnySample], fraction: float = 0.2, seed: int = 0
) -> tuple[list[AnySample], list[AnySample]]:
    """Two lists, the second with about ``fraction`` of the images: no patient in both, classes in like proportion.

    Samples without a class, such as outlined volumes, count as if all were of one.

    The patients are parted into folds, and the second list has the first of these, or the first few: of five, one is
    20 % and two are 40 %. Of a class with few patients there are only few folds, and the second list has the part that
    comes nearest. The same seed gives the same split.

    Raises:
        DataError: a class has so few patients that no part comes within five percentage points.
        ValueError: the fraction is not between 0 and 0.5.
    """
    if not 0 < fraction <= 0.5:
        raise ValueError(f"fraction must be above 0 and at most 0.5, but is {fraction}.")
    fewest = min(_patients_of_classes(samples).values(), default=0)
    taken, folds = _taken_of_folds(fraction, most=max(2, fewest))
    if fewest > 1 and abs(taken / folds - fraction) > TOO_FAR:
        raise DataError(
            f"{fraction:.0%} of the patients can not be kept apart: {_who(samples, 'a class has')} only {fewest}. Add "
            f"patients, or ask for a fraction of {taken / folds:.2f}."
        )
    pairs = _places_by_patient(samples, folds, seed)
    apart = set(np.concatenate([second for _, second in pairs[:taken]]).tolist())
    places = range(len(samples))
    return [samples[i] for i in places if i not in apart], [samples[i] for i in places if i in apart]


def split_off_validation(
    samples: Sequence[AnySample], fraction: float = 0.2, seed: int = 0
) -> tuple[list[AnySample], list[AnySample]]:
    """As `split_by_patient`; but where only folds keep patients apart, the second list is the highest fold.

    Raises:
        DataError: there is only one fold; or as `split_by_patient`.
    """
    return hold_back_test(samples) if patients_are_folds(samples) else split_by_patient(samples, fraction, seed)


def folds_by_patient(
    samples: Sequence[AnySample], folds: int = 5, seed: int = 0
) -> list[tuple[list[AnySample], list[AnySample]]]:
    """For cross-validation: as many pairs of lists as there are folds; each image is in one second list only.

    In a pair no patient is in both lists, and the classes are in like proportion. The same seed gives the same folds.

    Raises:
        DataError: a class has fewer patients than there are folds.
    """
    pairs = _places_by_patient(samples, folds, seed)
    return [([samples[i] for i in first], [samples[i] for i in second]) for first, second in pairs]


def take_patients(samples: Sequence[AnySample], max_images: int, seed: int = 0) -> list[AnySample]:
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
            f"({some_of(both)}). Move all images of a patient to one side; or, "
            "if the same number is another patient in each split, say so in a data card (splits_share_no_patient)."
        )


def _taken_of_folds(fraction: float, most: int) -> tuple[int, int]:
    """How many folds of how many, at most ``most``, come nearest to the fraction; of all close enough, the simplest."""
    one_of = (1, round(1 / fraction))
    several_of = [(max(1, round(fraction * folds)), folds) for folds in range(2, most + 1)]
    ways = [(taken, folds) for taken, folds in (one_of, *several_of) if folds <= most]
    return min(ways, key=lambda way: max(abs(way[0] / way[1] - fraction), CLOSE_ENOUGH))


def _label_of(sample: Sample) -> int:
    """The class of a sample; 0 for one that has none."""
    return int(getattr(sample, "label", 0))


def _have_classes(samples: Sequence[Sample]) -> bool:
    return any(hasattr(sample, "label") for sample in samples)


def _who(samples: Sequence[Sample], class_has: str) -> str:
    return class_has if _have_classes(samples) else "there are"


def _patients_of_classes(samples: Sequence[Sample]) -> Counter[int]:
    """How many patients each class has."""
    return Counter(label for label, _ in {(_label_of(r), r.patient) for r in samples})


def _places_by_patient(
    samples: Sequence[Sample], folds: int, seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For each fold, the places of the samples outside it and in it.

    Raises:
        DataError: a class has fewer patients than there are folds.
    """
    for label, patients in sorted(_patients_of_classes(samples).items()):
        if patients < folds:
            fewer = ", or make fewer parts" if folds > 2 else ""
            needed = "each class needs images" if _have_classes(samples) else "there must be images"
            raise DataError(
                f"To make {folds} parts with no patient in two of them, {needed} of at least {folds} patients, but "
                f"{_who(samples, f'class {label} has')} {patients}. Add patients{fewer}."
            )
    labels, groups = [_label_of(r) for r in samples], [r.patient for r in samples]
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(labels)), labels, groups))
