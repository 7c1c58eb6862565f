"""How many patients are enough? `Net` with and without augmentation, and a pretrained start, with five seeds.

The validation patients choose the epoch, the test patients are only measured on. Every training of `Net` sees about as
many images, so that few patients do not mean few steps.

Cost on two cores, from images x epochs: about a quarter of an hour on the phantoms of the course, half an hour to an
hour on the 5,216 real training images.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from torch import nn

from course_lib.augmentation import Augmentation
from course_lib.dataset import Radiograph, draw_patients, take_patients
from course_lib.evaluation import Predictions, auroc, bootstrap_interval, predict
from course_lib.features import features, linear_probe, probe_predictions
from course_lib.models import Net, resnet18_classifier
from course_lib.pixels import PixelCache
from course_lib.runtime import seeded
from course_lib.sources import CourseData
from course_lib.studies.study import Row, Study
from course_lib.training import TrainConfig, fit
from course_lib.transforms import Preprocessing

SEEDS = (0, 1, 2, 3, 4)  #: of the patients that are drawn, the random start and the order of the images
PATIENTS = (12, 25, 50, 100, 200)  #: to learn from, apart from all
METHODS = ("Net, plain", "Net, augmented", "pretrained")
IMAGES_SEEN, LEAST_EPOCHS = 4000, 4  #: of a training of `Net`
MOST_VALIDATION_IMAGES = 200  #: a real data set has a thousand, which would take longer than the training

HOW = Preprocessing(64, normalisation="per image")  #: as the phantom weights were learned
REGULARISATION = 100.0  #: of the probe, which has 512 features and may have 12 patients
NET = TrainConfig(learning_rate=1e-3, weight_decay=0.05, schedule="one-cycle", gradient_clip=5.0)


def cases(data: CourseData) -> list[Row]:
    """Every method with 12, 25, 50, 100, 200 and all patients, with each seed."""
    everyone = len({radiograph.patient for radiograph in data.train})
    sizes = [*(size for size in PATIENTS if size < everyone), everyone]
    return [
        {"method": method, "patients": size, "seed": seed} for size in sizes for method in METHODS for seed in SEEDS
    ]


def measure(data: CourseData, case: Row) -> Row:
    """AUROC on test patients with its 95 % interval, and the number of training images."""
    seed = int(case["seed"])
    train = draw_patients(data.train, int(case["patients"]), seed)
    if case["method"] == "pretrained":
        on_test = _probed(data, train)
    else:
        on_test = _trained(data, train, Augmentation() if case["method"] == "Net, augmented" else None, seed)
    low, high = bootstrap_interval(on_test, auroc)
    return {"images": len(train), "auroc": auroc(on_test), "low": low, "high": high}


def _probed(data: CourseData, train: Sequence[Radiograph]) -> Predictions:
    """The test, by a linear probe on what the phantom-trained ResNet-18 sees."""
    seen, test = (features(phantom_network(), PixelCache(part, data.classes, HOW)) for part in (train, data.test))
    return probe_predictions(linear_probe(seen, regularisation=REGULARISATION), test)


def _trained(
    data: CourseData, train: Sequence[Radiograph], augmentation: Augmentation | None, seed: int
) -> Predictions:
    """The test, by a `Net` that was trained from a random start."""
    with seeded(seed):
        net = Net(len(data.classes))
    config = replace(NET, epochs=max(LEAST_EPOCHS, round(IMAGES_SEEN / len(train))), seed=seed)
    config = replace(config, batch_size=min(config.batch_size, len(train)))
    validation, test = (
        PixelCache(part, data.classes, HOW)
        for part in (take_patients(data.validation, MOST_VALIDATION_IMAGES), data.test)
    )
    fit(net, PixelCache(train, data.classes, HOW, augmentation), validation, config)
    return predict(net, test)


@cache
def phantom_network() -> nn.Module:
    """ResNet-18 as it learned on simulated patients; read once."""
    network: nn.Module = resnet18_classifier(weights="phantom")
    return network


STUDY = Study(
    name="learning_curves",
    question="How many patients are enough, and what do augmentation and a pretrained start add?",
    cases=cases,
    measure=measure,
    sample=({"method": "pretrained", "patients": 12, "seed": 0}, {"method": "pretrained", "patients": 25, "seed": 1}),
)
