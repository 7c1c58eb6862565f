"""What does a split by slice add? The same probe, tested on other patients or on other slices, with five seeds.

The slices are parted into two halves; a probe on a frozen network learns from four fifths of one half and is tested on
the other one, and the other way round. By patient, the halves of the real set are its folds 1 and 2, and those of the
simulated one are drawn; by slice, slices are drawn for halves of the same size. With the labels of a coin, tossed
once for each patient, there is nothing to learn but whose a slice is. Where files do not name the patient, the coin is
tossed for each series, and intervals are over series: they are a little too narrow, since a patient may have several.

Fold 3 of the real set is not opened. Cost on one core: a minute or two.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from course_lib.authoring.studies.brain_slices import folds_of, judged, probed_in_turns, seen_in, slices_to_learn
from course_lib.authoring.studies.methods import SEEDS
from course_lib.authoring.studies.study import Study
from course_lib.data.course_data import CourseData
from course_lib.data.samples import LabelledImage
from course_lib.evaluation.studies import Row
from course_lib.modalities.brain_mri.modality import BRAIN_MRI
from course_lib.networks.frozen_features import Features

BY_PATIENT, BY_SLICE = SPLITS = ("by patient", "by slice")
KIND, COIN = LABELS = ("kind", "coin")
LEARNED = 0.8  #: part of the slices of a half that is learned from


def cases(_: CourseData[LabelledImage]) -> list[Row]:
    """Both splits with both kinds of labels, with each seed."""
    return [{"labels": labels, "split": split, "seed": seed} for labels in LABELS for split in SPLITS for seed in SEEDS]


def measure(data: CourseData[LabelledImage], case: Row) -> Row:
    """Accuracy and AUROC on the half that was not learned from, with 95 % intervals; and how many slices that were."""
    seed = int(case["seed"])
    slices = slices_to_learn(data)
    seen = seen_in(slices, data.classes)
    second = _second_half(slices, seen, str(case["split"]), seed)
    if case["labels"] == COIN:
        seen = _tossed(seen, seed)
    rng = np.random.default_rng([seed, 2])
    halves = [np.flatnonzero(half) for half in (~second, second)]
    learned = [seen.take(rng.choice(half, round(LEARNED * len(half)), replace=False)) for half in halves]
    return {"slices": len(learned[0]), **judged(probed_in_turns(learned, seen, second))}


def _tossed(seen: Features, seed: int) -> Features:
    """The same slices with heads or tails as labels, one toss for each patient or series."""
    _, whose = np.unique(seen.patients, return_inverse=True)
    tosses = np.random.default_rng([seed, 0]).integers(2, size=whose.max() + 1)
    return replace(seen, labels=tosses[whose], classes=("heads", "tails"))


def _second_half(slices: tuple[LabelledImage, ...], seen: Features, split: str, seed: int) -> NDArray[np.bool_]:
    """Which slices are in the second of the two halves, [slices]; the size does not depend on the split."""
    rng = np.random.default_rng([seed, 1])
    folds = folds_of(slices)
    if folds is not None:
        second = folds == folds.max()
    else:
        patients = rng.permutation(np.unique(seen.patients))
        second = np.isin(seen.patients, patients[: len(patients) // 2])
    return second if split == BY_PATIENT else rng.permutation(second)


STUDY = Study(
    name="slice_splits",
    question="What does a split by slice add, and what where labels come from a coin, so that nothing can be known?",
    factors=("labels", "split"),
    cases=cases,
    measure=measure,
    sample=({"labels": COIN, "split": BY_SLICE, "seed": 0},),
    modality=BRAIN_MRI.name,
)
