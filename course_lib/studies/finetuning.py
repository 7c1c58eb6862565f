"""What does a pretrained start buy? `Net`, a probe and ResNet-18 on few and on many patients, with five seeds.

The validation patients choose the epoch and the threshold, the test patients are only measured on. Every training sees
about as many images, so that few patients do not mean few steps.

Cost on two cores, from images x epochs: about half an hour on the phantoms of the course; one to two hours on the
5,216 real training images.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from torch import nn

from course_lib.augmentation import Augmentation
from course_lib.dataset import Radiograph, draw_patients, take_patients
from course_lib.evaluation import (
    Predictions,
    auroc,
    balanced_accuracy,
    bootstrap_interval,
    choose_threshold,
    predict,
)
from course_lib.features import features, linear_probe, probe_predictions
from course_lib.models import Net, resnet18_classifier
from course_lib.pixels import PixelCache
from course_lib.runtime import seeded
from course_lib.sources import CourseData
from course_lib.studies.study import Row, Study
from course_lib.training import TrainConfig, fit
from course_lib.transforms import Preprocessing

SEEDS = (0, 1, 2, 3, 4)  #: of the patients that are drawn, the random start and the order of the images
PATIENTS = (50, 200)  #: to learn from, apart from all
METHODS = ("Net", "probe", "fine-tuned", "from nothing")
IMAGES_SEEN, LEAST_EPOCHS = 4000, 4  #: of a training
MOST_VALIDATION_IMAGES = 200  #: a real data set has a thousand, which would take longer than the training

HOW = Preprocessing(64, normalisation="per image")  #: as the phantom weights were learned
REGULARISATION = 100.0  #: of the probe, which has 512 features and may have 50 patients
NET = TrainConfig(learning_rate=1e-3, weight_decay=0.05, schedule="one-cycle", gradient_clip=5.0)
RESNET = replace(NET, mixed_precision=True)
TRAININGS = {
    "Net": NET,
    "fine-tuned": replace(RESNET, stage_factor=0.5),
    "from nothing": RESNET,
}


def cases(data: CourseData) -> list[Row]:
    """Every method with 50, 200 and all patients, with each seed."""
    everyone = len({radiograph.patient for radiograph in data.train})
    sizes = [*(size for size in PATIENTS if size < everyone), everyone]
    return [
        {"method": method, "patients": size, "seed": seed} for size in sizes for method in METHODS for seed in SEEDS
    ]


def measure(data: CourseData, case: Row) -> Row:
    """AUROC on test patients with its 95 % interval, and balanced accuracy at the validation patients' threshold."""
    seed = int(case["seed"])
    train = draw_patients(data.train, int(case["patients"]), seed)
    validation = take_patients(data.validation, MOST_VALIDATION_IMAGES)
    judge = _probe if case["method"] == "probe" else _trained
    on_validation, on_test = judge(str(case["method"]), data, train, validation, seed)
    low, high = bootstrap_interval(on_test, auroc)
    return {
        "images": len(train),
        "auroc": auroc(on_test),
        "low": low,
        "high": high,
        "balanced_accuracy": balanced_accuracy(on_test, choose_threshold(on_validation)),
    }


def _probe(
    _: str, data: CourseData, train: Sequence[Radiograph], validation: Sequence[Radiograph], __: int
) -> tuple[Predictions, Predictions]:
    """A linear probe on what the phantom-trained ResNet-18 sees: its answers on validation and on test patients."""
    network = _phantom_network()
    seen, *judged = (features(network, PixelCache(part, data.classes, HOW)) for part in (train, validation, data.test))
    probe = linear_probe(seen, regularisation=REGULARISATION)
    on_validation, on_test = (probe_predictions(probe, part) for part in judged)
    return on_validation, on_test


def _trained(
    method: str, data: CourseData, train: Sequence[Radiograph], validation: Sequence[Radiograph], seed: int
) -> tuple[Predictions, Predictions]:
    """A network trained by this method: its answers on validation and on test patients."""
    with seeded(seed):
        model = _new_network(method, len(data.classes))
    epochs = max(LEAST_EPOCHS, round(IMAGES_SEEN / len(train)))
    config = replace(TRAININGS[method], epochs=epochs, seed=seed)
    held_out, test = (PixelCache(part, data.classes, HOW) for part in (validation, data.test))
    fit(model, PixelCache(train, data.classes, HOW, Augmentation()), held_out, config)
    return predict(model, held_out), predict(model, test)


def _new_network(method: str, classes: int) -> nn.Module:
    if method == "Net":
        return Net(classes)
    network: nn.Module = resnet18_classifier(classes, weights="phantom" if method == "fine-tuned" else None)
    return network


@cache
def _phantom_network() -> nn.Module:
    network: nn.Module = resnet18_classifier(weights="phantom")
    return network


STUDY = Study(
    name="finetuning",
    question="What does a pretrained start buy, with 50, 200 and all patients?",
    cases=cases,
    measure=measure,
    sample=({"method": "probe", "patients": 50, "seed": 0}, {"method": "probe", "patients": 50, "seed": 1}),
)
