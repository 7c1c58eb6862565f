"""Made outlines by several readers: squares, so that every overlap can be counted by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.readers import ReaderPredictions

SIDE = 8  #: px


def square(px: int, at: int = 0) -> NDArray[np.uint8]:
    """A square of so many pixels a side, from one corner on the diagonal; of 0 pixels, nothing."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[at : at + px, at : at + px] = 1
    return mask


def read(
    marks: Sequence[Sequence[NDArray[np.uint8]]],
    found: Sequence[NDArray[Any]] | None = None,
    *,
    patients: Sequence[str] | None = None,
    nodules: Sequence[str] | None = None,
) -> ReaderPredictions:
    """One image for each list of marks, each of a patient of its own unless they are named."""
    named = [f"p{number}" for number in range(len(marks))] if patients is None else list(patients)
    said = [np.zeros((SIDE, SIDE)) for _ in marks] if found is None else found
    return ReaderPredictions(
        probabilities=tuple(np.asarray(each, np.float32) for each in said),
        marks=tuple(np.stack(each) for each in marks),
        spacings=((1.0, 1.0),) * len(marks),
        losses=np.zeros(len(marks)),
        patients=np.array(named, dtype=np.str_),
        nodules=np.array(named if nodules is None else nodules, dtype=np.str_),
        files=tuple(f"{number}.png" for number in range(len(marks))),
    )
