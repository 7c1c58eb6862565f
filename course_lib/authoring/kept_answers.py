"""What trained networks answered, kept on disk, so that a long comparison that was interrupted goes on where it was."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from course_lib.data.samples import LabelledImage
from course_lib.evaluation.predictions import Predictions
from course_lib.support.own_files import HEADER_BYTES, OwnFiles


def kept(folder: Path, key: str, answer: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
    """The numbers that belong to the key, in one row: from the folder, or else answered now and kept there.

    The key is a digest of everything on which the numbers depend, as 64 hexadecimal digits.
    """
    files = OwnFiles(folder, "answers after a training", ".answers")
    if not files.is_whole(key):
        files.write(key, [answer().astype(np.float64).tobytes()])
    return np.fromfile(files.path(key), np.float64, offset=HEADER_BYTES)


def predictions_of(
    images: Sequence[LabelledImage], classes: Sequence[str], probabilities: NDArray[np.float64]
) -> Predictions:
    """Kept probabilities [images, classes] as the predictions that they were."""
    labels, patients = (np.array([getattr(image, name) for image in images]) for name in ("label", "patient"))
    return Predictions(probabilities, labels, patients, tuple(image.path.name for image in images), tuple(classes))
