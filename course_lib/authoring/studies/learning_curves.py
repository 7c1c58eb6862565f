"""How many patients are enough? `Net` with and without augmentation, and a pretrained start, with five seeds.

Cost on two cores, from images x epochs: about a quarter of an hour on the phantoms of the course, half an hour to an
hour on the 5,216 real training images.
"""

from dataclasses import replace

from course_lib.authoring.studies.methods import (
    NET,
    PROBE_REGULARISATION,
    cases_by_patients,
    phantom_features,
    train_and_judge,
)
from course_lib.authoring.studies.study import Study
from course_lib.data.augmentation import Augmentation
from course_lib.data.course_data import CourseData
from course_lib.data.splits import draw_patients
from course_lib.evaluation.classification import auroc
from course_lib.evaluation.intervals import bootstrap_interval
from course_lib.evaluation.studies import Row
from course_lib.networks.frozen_features import linear_probe, probe_predictions
from course_lib.networks.net import Net
from course_lib.support.runtime import seeded

PATIENTS = (12, 25, 50, 100, 200)  #: to learn from, apart from all
METHODS = ("Net, plain", "Net, augmented", "pretrained")


def cases(data: CourseData) -> list[Row]:
    """Every method with 12, 25, 50, 100, 200 and all patients, with each seed."""
    return cases_by_patients(data, METHODS, PATIENTS)


def measure(data: CourseData, case: Row) -> Row:
    """AUROC on test patients with its 95 % interval, and the number of training images."""
    seed = int(case["seed"])
    train = draw_patients(data.train, int(case["patients"]), seed)
    if case["method"] == "pretrained":
        probe = linear_probe(phantom_features(data, train), regularisation=PROBE_REGULARISATION)
        on_test = probe_predictions(probe, phantom_features(data, data.test))
    else:
        with seeded(seed):
            net = Net(len(data.classes))
        augmentation = Augmentation() if case["method"] == "Net, augmented" else None
        _, on_test = train_and_judge(net, data, train, replace(NET, seed=seed), augmentation)
    low, high = bootstrap_interval(on_test, auroc)
    return {"images": len(train), "auroc": auroc(on_test), "low": low, "high": high}


STUDY = Study(
    name="learning_curves",
    question="How many patients are enough, and what do augmentation and a pretrained start add?",
    factors=("method", "patients"),
    cases=cases,
    measure=measure,
    sample=({"method": "pretrained", "patients": 12, "seed": 0}, {"method": "pretrained", "patients": 25, "seed": 1}),
)
