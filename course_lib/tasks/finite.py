"""A check that all tasks share: what a model answered has to be a number."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from course_lib.support.errors import TrainingError
from course_lib.support.foreign import some_of


def check_finite(values: NDArray[np.float64], files: Sequence[str]) -> None:
    """Do nothing if all values [images, ...] are finite numbers.

    Raises:
        TrainingError: some are not; the message names files.
    """
    places = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
    if spoilt := [files[i] for i in places.tolist()]:
        raise TrainingError(
            f"The model's answer to {len(spoilt)} of {len(values)} images is not a number ({some_of(spoilt)}). Check "
            "that these images hold no NaN, nor the weights of the model; if it came into the weights in training, "
            "lower the learning rate."
        )
