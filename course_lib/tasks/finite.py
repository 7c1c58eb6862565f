"""A check that all tasks share: what a model answered has to be a number."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from course_lib.support.errors import TrainingError


def check_finite(values: NDArray[np.float64], files: Sequence[str]) -> None:
    """Do nothing if all values [images, ...] are finite numbers.

    Raises:
        TrainingError: some are not; the message names files.
    """
    spoilt = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
    if len(spoilt):
        raise TrainingError(
            f"The model's answer to {len(spoilt)} of {len(values)} validation images is not a number "
            f"({', '.join(files[i] for i in spoilt[:3])}). Lower the learning rate, and check that these images hold "
            "no NaN."
        )
