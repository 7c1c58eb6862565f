"""What the studies share: how the images come, which networks learn, and for how long.

The validation patients choose the epoch, the test patients are only measured on. Every training sees about as many
images, so that few patients do not mean few steps.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from torch import nn

from course_lib.data.augmentation import Augmentation
from course_lib.data.course_data import CourseData
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.splits import take_patients
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.predictions import Predictions
from course_lib.evaluation.studies import Row
from course_lib.networks.backbones import resnet18_classifier
from course_lib.networks.frozen_features import Features, features
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole

SEEDS = (0, 1, 2, 3, 4)  #: of what is drawn, the random start and the order of the images
IMAGES_SEEN, LEAST_EPOCHS = 4000, 4  #: of a training
MOST_VALIDATION_IMAGES = 200  #: a real data set has a thousand, which would take longer than the training

HOW = Preprocessing(64, normalisation="per image")  #: as the phantom weights were learned
PROBE_REGULARISATION = 100.0  #: for 512 features and perhaps a dozen patients
NET = TrainConfig(learning_rate=1e-3, weight_decay=0.05, schedule="one-cycle", gradient_clip=5.0)


def cases_by_patients(data: CourseData[LabelledImage], methods: Sequence[str], sizes: Sequence[int]) -> list[Row]:
    """Every method with each number of patients that there are, and with all, with each seed."""
    everyone = len({radiograph.patient for radiograph in data.train})
    return [
        {"method": method, "patients": size, "seed": seed}
        for size in [*(size for size in sizes if size < everyone), everyone]
        for method in methods
        for seed in SEEDS
    ]


def train_and_judge(
    model: nn.Module,
    data: CourseData[LabelledImage],
    train: Sequence[LabelledImage],
    config: TrainConfig,
    augmentation: Augmentation | None,
) -> tuple[Predictions, Predictions]:
    """What the model says of validation and of test patients, once it is trained; ``config`` names no epochs."""
    epochs = max(LEAST_EPOCHS, round(IMAGES_SEEN / len(train)))
    config = replace(config, epochs=epochs, batch_size=min(config.batch_size, len(train)))
    validation, test = (
        PixelCache(part, data.classes, HOW)
        for part in (take_patients(data.validation, MOST_VALIDATION_IMAGES), data.test)
    )
    fit_whole(model, PixelCache(train, data.classes, HOW, augmentation), validation, config)
    return predict(model, validation), predict(model, test)


def phantom_features(data: CourseData[LabelledImage], radiographs: Sequence[LabelledImage]) -> Features:
    """What the ResNet-18 that learned on phantoms sees in these images."""
    return features(_phantom_network(), PixelCache(radiographs, data.classes, HOW))


@cache
def _phantom_network() -> nn.Module:
    network: nn.Module = resnet18_classifier(weights="phantom")
    return network
