"""What does a start from learned weights buy? The same network, three starts, the same patients, five seeds.

EfficientNet-Lite0 begins at random, from simulated radiographs, or from ImageNet's photographs. Images are prepared
alike, the starts see equally many of them, and what has to be tuned is chosen for each start from the same few values,
on up to 200 images of validation patients, which is more than there are to learn from with 12 or 50.

Cost on two cores: a few minutes on the phantoms of the course, and a few hours on real images. What a training says of
validation and test is kept in build/studies/, so that an interrupted call goes on where it was.
"""

from dataclasses import replace
from functools import partial
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from course_lib.authoring.kept_answers import kept, predictions_of
from course_lib.authoring.studies.methods import MOST_VALIDATION_IMAGES, NET, SEEDS
from course_lib.authoring.studies.study import UNFINISHED, Study
from course_lib.data.augmentation import Augmentation
from course_lib.data.course_data import CourseData
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.splits import draw_patients, take_patients
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.classification import auroc, balanced_accuracy, choose_threshold
from course_lib.evaluation.intervals import compare
from course_lib.evaluation.predictions import Predictions
from course_lib.evaluation.studies import Row
from course_lib.networks.backbones import Weights, build_backbone, preprocessing_for
from course_lib.networks.frozen_features import features, linear_probe, probe_predictions
from course_lib.networks.packaged_weights import EFFICIENTNET_LITE0
from course_lib.networks.weights import shipped_card
from course_lib.support.files import digest
from course_lib.support.runtime import seeded
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole

NETWORK = "efficientnet_lite0"
STARTS: dict[str, Weights | None] = {"nothing": None, "photographs": "imagenet", "phantoms": "phantom"}
FROZEN, FINE_TUNED = "frozen", "fine-tuned"
ALL = 0  #: in place of a number of patients: as many as there are
FEW = (12, 50, 200)
PLAN = {(FROZEN, 64): (*FEW, ALL), (FROZEN, 160): (*FEW, ALL), (FINE_TUNED, 64): (*FEW, ALL), (FINE_TUNED, 160): (200,)}
"""Patients to learn from, by use of the start and side of the images in px. The last trainings are the longest."""

CHOICES = {FROZEN: (0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0), FINE_TUNED: (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)}
"""Regularisation; learning rate. Wide, so that each start can find its own."""
TRAINING = replace(NET, epochs=8, batch_size=16)
EPOCH_IMAGES = 300  #: a few patients' images are gone through more than once for one look at validation
EPOCHS_OF_ALL = 3  #: one of which is longer than a whole training with a few
RESAMPLES = 500  #: of the test patients, for the intervals
ANSWERS = UNFINISHED / "answers"

Answers = tuple[Predictions, Predictions]  #: of validation and of test


def cases(data: CourseData[LabelledImage]) -> list[Row]:
    """Every start with each seed: frozen, and on real images also fine-tuned.

    On phantoms a start from phantoms has seen the simulator already, so that little is learned from tuning it there.
    """
    everyone = len({radiograph.patient for radiograph in data.train})
    return [
        {"use": use, "px": px, "patients": size or everyone, "start": start, "seed": seed}
        for (use, px), sizes in PLAN.items()
        if use == FROZEN or not data.simulated
        for size in sizes
        if size == ALL or size <= everyone / 2
        for start in STARTS
        for seed in SEEDS
    ]


def measure(data: CourseData[LabelledImage], case: Row) -> Row:
    """AUROC on test patients with its 95 % interval, and the paired difference to a start from nothing with its own."""
    chosen, (on_validation, on_test) = _chosen(data, case)
    of_nothing = _chosen(data, {**case, "start": "nothing"})[1][1]
    gain = compare(on_test, of_nothing, auroc, resamples=RESAMPLES)
    low, high = np.quantile(gain.draws[:, 0], [0.025, 0.975])
    return {
        "images": len(_drawn(data, case)),
        "chosen": chosen,
        "auroc": auroc(on_test),
        "low": float(low),
        "high": float(high),
        "gain": gain.difference,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "balanced_accuracy": balanced_accuracy(on_test, choose_threshold(on_validation)),
    }


def _chosen(data: CourseData[LabelledImage], case: Row) -> tuple[float, Answers]:
    """The best of `CHOICES` on validation, and what it says.

    A probe chooses its own. There is one learning rate for a start and a size of images: the best on average over the
    numbers of patients, with the first seed, since one training can hardly tell two rates apart. At 160 px it has to.
    """
    sizes = {row["patients"] for row in cases(data) if (row["use"], row["px"]) == (case["use"], case["px"])}
    tuned = [{**case, "patients": size, "seed": SEEDS[0]} for size in sorted(sizes)]
    judges = [case] if case["use"] == FROZEN else tuned
    choices = CHOICES[str(case["use"])]
    scores = [fmean(auroc(_answers(data, judge, choice)[0]) for judge in judges) for choice in choices]
    best = choices[int(np.argmax(scores))]
    return best, _answers(data, case, best)


def _answers(data: CourseData[LabelledImage], case: Row, choice: float) -> Answers:
    """What the network says of validation and of test after this training, which is not done twice."""
    parts = _validation(data), data.test
    judge = _probe if case["use"] == FROZEN else _train

    def answer() -> NDArray[np.float64]:
        return np.concatenate([predictions.probabilities for predictions in judge(data, case, choice)])

    content = kept(ANSWERS, _key(data, case, choice), answer).reshape(-1, len(data.classes))
    validation, test = np.split(content, [len(parts[0])])
    return predictions_of(parts[0], data.classes, validation), predictions_of(parts[1], data.classes, test)


def _probe(data: CourseData[LabelledImage], case: Row, regularisation: float) -> Answers:
    model, how = _new_network(data, case), _how(int(case["px"]))
    seen = partial(features, model)
    learned, *judged = (
        seen(PixelCache(part, data.classes, how)) for part in (_drawn(data, case), _validation(data), data.test)
    )
    probe = linear_probe(learned, regularisation=regularisation)
    on_validation, on_test = (probe_predictions(probe, of) for of in judged)
    return on_validation, on_test


def _train(data: CourseData[LabelledImage], case: Row, learning_rate: float) -> Answers:
    model, how = _new_network(data, case), _how(int(case["px"]))
    drawn = _drawn(data, case)
    train = PixelCache(drawn * max(1, round(EPOCH_IMAGES / len(drawn))), data.classes, how, Augmentation())
    validation, test = (PixelCache(part, data.classes, how) for part in (_validation(data), data.test))
    training = _training(len(drawn))
    fit_whole(model, train, validation, replace(training, learning_rate=learning_rate, seed=int(case["seed"])))
    return predict(model, validation), predict(model, test)


def _training(images: int) -> TrainConfig:
    """Fewer epochs where one has more images than a whole training with a few patients."""
    return TRAINING if images < TRAINING.epochs * EPOCH_IMAGES else replace(TRAINING, epochs=EPOCHS_OF_ALL)


def _new_network(data: CourseData[LabelledImage], case: Row) -> nn.Module:
    with seeded(int(case["seed"])):
        return build_backbone(NETWORK, len(data.classes), weights=STARTS[str(case["start"])])


def _how(px: int) -> Preprocessing:
    return replace(preprocessing_for(NETWORK, "imagenet"), size=px)


def _drawn(data: CourseData[LabelledImage], case: Row) -> list[LabelledImage]:
    return draw_patients(data.train, int(case["patients"]), int(case["seed"]))


def _validation(data: CourseData[LabelledImage]) -> list[LabelledImage]:
    return take_patients(data.validation, MOST_VALIDATION_IMAGES)


def _key(data: CourseData[LabelledImage], case: Row, choice: float) -> str:
    """Another one for another training, other images, other weights to start from, or another torch."""
    parts = _drawn(data, case), _validation(data), data.test
    images = [[(image.path.name, image.label, image.patient) for image in part] for part in parts]
    weights = shipped_card(NETWORK).sha256, EFFICIENTNET_LITE0.sha256
    training = choice, _training(len(parts[0])), EPOCH_IMAGES, Augmentation(), _how(int(case["px"]))
    return digest((images, sorted(case.items()), weights, training, torch.__version__))


STUDY = Study(
    name="finetuning",
    question="What does a start from learned weights buy, in the same network and on the same patients?",
    factors=("use", "px", "patients", "start"),
    cases=cases,
    measure=measure,
    sample=(
        {"use": FROZEN, "px": 64, "patients": 12, "start": "photographs", "seed": 0},
        {"use": FROZEN, "px": 64, "patients": 50, "start": "phantoms", "seed": 1},
    ),
)
