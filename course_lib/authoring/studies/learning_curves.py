"""How many patients are enough? `Net` with and without augmentation, and probes on frozen networks, with five seeds.

Cost on two cores, from images x epochs: about a quarter of an hour on the phantoms of the course, half an hour to an
hour on the 5,216 real training images.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from torch import nn

from course_lib.authoring.studies.methods import (
    HOW,
    NET,
    PROBE_REGULARISATION,
    cases_by_patients,
    phantom_features,
    train_and_judge,
)
from course_lib.authoring.studies.study import Study
from course_lib.data.augmentation import Augmentation
from course_lib.data.course_data import CourseData
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.splits import draw_patients
from course_lib.evaluation.classification import auroc
from course_lib.evaluation.intervals import bootstrap_interval
from course_lib.evaluation.studies import Row
from course_lib.networks.backbones import resnet18_classifier
from course_lib.networks.frozen_features import Features, features, linear_probe, probe_predictions
from course_lib.networks.net import Net
from course_lib.support.runtime import seeded

PATIENTS = (12, 25, 50, 100, 200)  #: to learn from, apart from all
FROZEN = ("frozen, phantoms", "frozen, nothing")  #: a probe on a ResNet-18, by what that learned from before
METHODS = ("Net, plain", "Net, augmented", *FROZEN)


def cases(data: CourseData[LabelledImage]) -> list[Row]:
    """Every method with 12, 25, 50, 100, 200 and all patients, with each seed."""
    return cases_by_patients(data, METHODS, PATIENTS)


def measure(data: CourseData[LabelledImage], case: Row) -> Row:
    """AUROC on test patients with its 95 % interval, and the number of training images."""
    seed = int(case["seed"])
    train = draw_patients(data.train, int(case["patients"]), seed)
    method = str(case["method"])
    if method in FROZEN:
        probe = linear_probe(_seen(method, data, train, seed), regularisation=PROBE_REGULARISATION)
        on_test = probe_predictions(probe, _seen(method, data, data.test, seed))
    else:
        with seeded(seed):
            net = Net(len(data.classes))
        augmentation = Augmentation() if method == "Net, augmented" else None
        _, on_test = train_and_judge(net, data, train, replace(NET, seed=seed), augmentation)
    low, high = bootstrap_interval(on_test, auroc)
    return {"images": len(train), "auroc": auroc(on_test), "low": low, "high": high}


def _seen(method: str, data: CourseData[LabelledImage], radiographs: Sequence[LabelledImage], seed: int) -> Features:
    """What the frozen network of a method sees in these images; the seed draws random weights."""
    if method == "frozen, phantoms":
        return phantom_features(data, radiographs)
    return features(_random_network(seed), PixelCache(radiographs, data.classes, HOW))


@cache
def _random_network(seed: int) -> nn.Module:
    with seeded(seed):
        network: nn.Module = resnet18_classifier(weights=None)
    return network


STUDY = Study(
    name="learning_curves",
    question="How many patients are enough, and what do augmentation, a frozen network and its pretraining add?",
    factors=("method", "patients"),
    cases=cases,
    measure=measure,
    sample=({"method": FROZEN[0], "patients": 12, "seed": 0}, {"method": FROZEN[1], "patients": 25, "seed": 1}),
)
