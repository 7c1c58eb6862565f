"""What does a pretrained start buy? `Net`, a probe and ResNet-18 on few and on many patients, with five seeds.

Cost on two cores, from images x epochs: about half an hour on the phantoms of the course; one to two hours on the
5,216 real training images.
"""

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from course_lib.authoring.studies.methods import (
    MOST_VALIDATION_IMAGES,
    NET,
    PROBE_REGULARISATION,
    cases_by_patients,
    phantom_features,
    train_and_judge,
)
from course_lib.authoring.studies.study import Study
from course_lib.data.augmentation import Augmentation
from course_lib.data.course_data import CourseData
from course_lib.data.samples import LabelledImage
from course_lib.data.splits import draw_patients, take_patients
from course_lib.evaluation.classification import auroc, balanced_accuracy, choose_threshold
from course_lib.evaluation.intervals import bootstrap_interval
from course_lib.evaluation.predictions import Predictions
from course_lib.evaluation.studies import Row
from course_lib.networks.backbones import resnet18_classifier
from course_lib.networks.frozen_features import linear_probe, probe_predictions
from course_lib.networks.net import Net
from course_lib.support.runtime import seeded

PATIENTS = (50, 200)  #: to learn from, apart from all
METHODS = ("Net", "probe", "fine-tuned", "from nothing")
RESNET = replace(NET, mixed_precision=True)
TRAININGS = {"Net": NET, "fine-tuned": replace(RESNET, stage_factor=0.5), "from nothing": RESNET}


def cases(data: CourseData) -> list[Row]:
    """Every method with 50, 200 and all patients, with each seed."""
    return cases_by_patients(data, METHODS, PATIENTS)


def measure(data: CourseData, case: Row) -> Row:
    """AUROC on test patients with its 95 % interval, and balanced accuracy at the validation patients' threshold."""
    train = draw_patients(data.train, int(case["patients"]), int(case["seed"]))
    if case["method"] == "probe":
        on_validation, on_test = _probed(data, train)
    else:
        on_validation, on_test = _trained(str(case["method"]), data, train, int(case["seed"]))
    low, high = bootstrap_interval(on_test, auroc)
    return {
        "images": len(train),
        "auroc": auroc(on_test),
        "low": low,
        "high": high,
        "balanced_accuracy": balanced_accuracy(on_test, choose_threshold(on_validation)),
    }


def _probed(data: CourseData, train: Sequence[LabelledImage]) -> tuple[Predictions, Predictions]:
    probe = linear_probe(phantom_features(data, train), regularisation=PROBE_REGULARISATION)
    judged = take_patients(data.validation, MOST_VALIDATION_IMAGES), data.test
    on_validation, on_test = (probe_predictions(probe, phantom_features(data, part)) for part in judged)
    return on_validation, on_test


def _trained(
    method: str, data: CourseData, train: Sequence[LabelledImage], seed: int
) -> tuple[Predictions, Predictions]:
    with seeded(seed):
        model = _new_network(method, len(data.classes))
    return train_and_judge(model, data, train, replace(TRAININGS[method], seed=seed), Augmentation())


def _new_network(method: str, classes: int) -> nn.Module:
    if method == "Net":
        return Net(classes)
    network: nn.Module = resnet18_classifier(classes, weights="phantom" if method == "fine-tuned" else None)
    return network


STUDY = Study(
    name="finetuning",
    question="What does a pretrained start buy, with 50, 200 and all patients?",
    factors=("method", "patients"),
    cases=cases,
    measure=measure,
    sample=({"method": "probe", "patients": 50, "seed": 0}, {"method": "probe", "patients": 50, "seed": 1}),
)
