"""A detector asked about whole images: the score of an image is that of its surest box."""

from collections.abc import Sequence

import numpy as np

from course_lib.evaluation.detection import DetectionPredictions, class_places
from course_lib.evaluation.predictions import Predictions


def image_predictions(
    predictions: DetectionPredictions, wanted: Sequence[str], *, against_healthy: bool = False
) -> Predictions:
    """Whether an image has one of the wanted classes, and the highest score of a box of these; 0 without such a box.

    It is what `auroc`, `bootstrap_interval` and every figure of two classes take. It forgets where the box is: an image
    counts as right for a box in the wrong place. With ``against_healthy``, images that have a true box of other
    classes only are left out; else they are among the images without.

    Raises:
        ValueError: a class is unknown, none is named, or a score is not a number from 0 to 1.
    """
    places = class_places(predictions.classes, wanted)
    for found, file in zip(predictions.found, predictions.files, strict=True):
        if not ((found.scores >= 0) & (found.scores <= 1)).all():
            raise ValueError(f"{file}: a box has a score that is not a number from 0 to 1: {found.scores.tolist()}.")
    labels = np.array([np.isin(true.classes, places).any() for true in predictions.true], dtype=np.bool_)
    if against_healthy:
        healthy = np.array([not len(true) for true in predictions.true], dtype=np.bool_)
        kept = np.flatnonzero(labels | healthy)
        return image_predictions(predictions.take(kept), wanted)
    surest = [found.scores[np.isin(found.classes, places)].max(initial=0.0) for found in predictions.found]
    scores = np.array(surest, dtype=np.float64)
    named = " or ".join(wanted)
    return Predictions(
        probabilities=np.stack([1 - scores, scores], axis=1),
        labels=labels.astype(np.int64),
        patients=predictions.patients,
        files=predictions.files,
        classes=(f"no {named}", named),
    )
