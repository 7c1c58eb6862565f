"""What do wrong labels cost, and what does cleaning win back? Three models, 0 to 40 % wrong labels, five seeds.

Only training labels are spoilt. Validation patients, whose labels stay right as if they had been
read twice, choose `Net`'s epoch. Doubts come from a probe that is strongly held back and has not seen the patient.

Cost on two cores: about half an hour on the phantoms of the course, one to two hours on the 5,216 real training images.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from course_lib.audit.wrong_labels import HELD_BACK, doubted_places, flip_labels, judged_by_others
from course_lib.authoring.studies.methods import NET, SEEDS, phantom_features, train_and_judge
from course_lib.authoring.studies.study import Study
from course_lib.data.augmentation import Augmentation
from course_lib.data.course_data import CourseData
from course_lib.data.samples import LabelledImage
from course_lib.evaluation.classification import auroc
from course_lib.evaluation.intervals import bootstrap_interval
from course_lib.evaluation.predictions import Predictions
from course_lib.evaluation.studies import Row
from course_lib.networks.frozen_features import Features, linear_probe, probe_predictions
from course_lib.networks.net import Net
from course_lib.support.runtime import seeded

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4)
MODELS = ("probe", "probe, held back", "Net")
TREATMENTS = ("all labels", "cleaned", "as many left out at random")
REGULARISATION = {"probe": 1.0, "probe, held back": HELD_BACK}


def cases(_: CourseData[LabelledImage]) -> list[Row]:
    """Every model with every share of wrong labels and every treatment, with each seed."""
    return [
        {"model": model, "share": share, "treatment": treatment, "seed": seed}
        for model in MODELS
        for share in SHARES
        for treatment in TREATMENTS
        for seed in SEEDS
    ]


def measure(data: CourseData[LabelledImage], case: Row) -> Row:
    """AUROC on test patients with its 95 % interval; how many labels were wrong, doubted, and doubted with reason."""
    seed = int(case["seed"])
    clean = phantom_features(data, data.train)
    spoilt = replace(clean, labels=flip_labels(clean.labels, float(case["share"]), seed))
    doubted = doubted_places(judged_by_others(spoilt))
    kept = np.arange(len(spoilt))
    if case["treatment"] != "all labels":
        out = doubted if case["treatment"] == "cleaned" else _any(len(spoilt), len(doubted), seed)
        kept = np.setdiff1d(kept, out)
    if case["model"] == "Net":
        on_test = _trained(data, spoilt, kept, seed)
    else:
        probe = linear_probe(spoilt.take(kept), regularisation=REGULARISATION[str(case["model"])])
        on_test = probe_predictions(probe, phantom_features(data, data.test))
    low, high = bootstrap_interval(on_test, auroc)
    wrong = np.flatnonzero(spoilt.labels != clean.labels)
    counts = {"wrong": len(wrong), "doubted": len(doubted), "caught": len(np.intersect1d(wrong, doubted))}
    return {**counts, "images": len(kept), "auroc": auroc(on_test), "low": low, "high": high}


def _any(images: int, many: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, 1]).choice(images, many, replace=False)


def _trained(data: CourseData[LabelledImage], spoilt: Features, kept: NDArray[np.int64], seed: int) -> Predictions:
    """The test, by a `Net` that was trained on these images with these labels."""
    with seeded(seed):
        net = Net(len(data.classes))
    train = _relabelled(data.train, spoilt.labels, kept)
    _, on_test = train_and_judge(net, data, train, replace(NET, seed=seed), Augmentation())
    return on_test


def _relabelled(
    radiographs: Sequence[LabelledImage], labels: NDArray[np.int64], kept: NDArray[np.int64]
) -> list[LabelledImage]:
    return [replace(radiographs[i], label=int(labels[i])) for i in kept]


STUDY = Study(
    name="wrong_labels",
    question="What do wrong labels cost, and what does cleaning win back?",
    factors=("model", "share", "treatment"),
    cases=cases,
    measure=measure,
    sample=({"model": "probe", "share": 0.2, "treatment": "cleaned", "seed": 0},),
)
