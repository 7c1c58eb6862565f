"""Is the test like the training data? A classifier that tries to tell them apart says how unlike they are."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.audit.inventory import Inventory
from course_lib.audit.quick_models import QuickScore, cross_validate, forest, linear, summarise
from course_lib.audit.shortcuts import file_properties
from course_lib.support.errors import DataError


@dataclass(frozen=True)
class Shift:
    """How well images of two splits can be told apart, class by class."""

    first: str
    second: str
    scores: tuple[QuickScore, ...]  #: named "<class>, <what was looked at>"


def compare_splits(inventory: Inventory, first: str = "train", second: str = "test") -> Shift:
    """A two-sample test by classifier: AUROC 0.5 if nothing tells the splits apart, 1 if every image does.

    Class by class, so that another share of a class is not mistaken for another machine.

    Raises:
        DataError: a split is missing, or a class has fewer than five patients in one of them.

    Source: D. Lopez-Paz, M. Oquab, Revisiting Classifier Two-Sample Tests, ICLR 2017.
    """
    if missing := {first, second} - set(inventory.splits.tolist()):
        raise DataError(f"There is no image in {', '.join(sorted(missing))}/, so the splits can not be compared.")
    both = inventory.split(first, second)
    looks: dict[str, Callable[[Inventory], NDArray[np.float64]]] = {
        "file properties": lambda part: np.stack(list(file_properties(part).values()), axis=1),
        "grey scale": lambda part: np.array([(f.darkest, f.brightest, f.contrast, f.brightness) for f in part.files]),
        "32 px pixels": lambda part: part.standardised(),
    }
    scores = []
    for label, name in enumerate(both.classes):
        part = both.take(both.labels == label)
        in_second = (part.splits == second).astype(np.int64)
        for look, see in looks.items():
            model = forest() if look != "32 px pixels" else linear(len(part))
            made = cross_validate(model, see(part), in_second, part.patients, (first, second))
            scores.append(summarise(made, f"{name}, {look}"))
    return Shift(first, second, tuple(scores))
