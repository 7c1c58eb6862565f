"""What the studies of single slices of brain tumours share: how a slice is seen, whose it is, and what is measured.

Nothing here or in these studies opens the test part of a data set: of the real one it is fold 3, and what was chosen
with a study could no longer be tested there.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from torch import nn

from course_lib.data.course_data import CourseData
from course_lib.data.image_folder import FOLD
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.evaluation.classification import accuracy, auroc
from course_lib.evaluation.intervals import bootstrap_intervals
from course_lib.evaluation.predictions import Predictions
from course_lib.evaluation.studies import Row
from course_lib.modalities.brain_mri.reader import by_series
from course_lib.networks.backbones import build_backbone, preprocessing_for
from course_lib.networks.frozen_features import Features, features, linear_probe, probe_predictions
from course_lib.support.errors import DataError
from course_lib.tasks.classification import Classification

NETWORK, PX = "efficientnet_lite0", 128  #: frozen, as it learned from photographs, and the side of the slices
REGULARISATION = 1.0  #: of the probes, fixed before anything was measured: what `linear_probe` does unless told
RESAMPLES = 500  #: of the patients or series, for the intervals


def slices_to_learn(data: CourseData[LabelledImage]) -> tuple[LabelledImage, ...]:
    """All but the test part, in the order of their names, however validation was parted from the rest."""
    return tuple(sorted([*data.train, *data.validation], key=lambda one: (one.path.name, one.label)))


def folds_of(slices: Sequence[LabelledImage]) -> NDArray[np.int64] | None:
    """The fold of each slice, [slices], of which there are two; None where names do not say it.

    Raises:
        DataError: there are more or fewer than two.
    """
    found = [FOLD.match(one.path.name) for one in slices]
    folds = np.array([int(fold[1]) for fold in found if fold])
    if not all(found):
        return None
    if len(np.unique(folds)) != 2:
        raise DataError(
            f"This study learns from one fold and tests on another, but beside the test part there are "
            f"{len(np.unique(folds))} folds. Take a folder with folds 1, 2 and 3."
        )
    return folds


@cache
def seen_in(slices: tuple[LabelledImage, ...], classes: tuple[str, ...]) -> Features:
    """What the frozen network sees in each slice; its ``patients`` are series where patients are known by fold only."""
    how = replace(preprocessing_for(NETWORK, "imagenet"), size=PX)
    seen = features(_network(), PixelCache(slices, classes, how))
    return replace(seen, patients=np.array([one.patient for one in by_series(slices)]))


def probed_in_turns(learned: Sequence[Features], tested: Features, second: NDArray[np.bool_]) -> Predictions:
    """What two probes say: one learned from the first set and says of the second half, the other way round the other.

    ``second`` [slices] says which of those tested are in the second half.
    """
    said = [
        probe_predictions(linear_probe(one, regularisation=REGULARISATION), tested.take(np.flatnonzero(half)))
        for one, half in zip(learned, (second, ~second), strict=True)
    ]
    return Classification(tested.classes).join(said)


def judged(predictions: Predictions) -> Row:
    """Accuracy and AUROC with 95 % intervals over patients or series; and what always saying the same would give."""
    found = bootstrap_intervals(predictions, {"accuracy": accuracy, "auroc": auroc}, resamples=RESAMPLES)
    return {
        "accuracy": accuracy(predictions),
        "accuracy_low": found["accuracy"][0],
        "accuracy_high": found["accuracy"][1],
        "commonest": float(np.bincount(predictions.labels).max() / len(predictions)),
        "auroc": auroc(predictions),
        "low": found["auroc"][0],
        "high": found["auroc"][1],
    }


@cache
def _network() -> nn.Module:
    return build_backbone(NETWORK, weights="imagenet")
