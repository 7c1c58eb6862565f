"""How the recipe for real X-rays was chosen, on training patients alone.

In this data set cross-validation on the images as they are is a poor judge. Exposure, compression and format differ
between the classes of the training part, and a network that leans on them scores best there. So a candidate is judged
by what is left of its score when the pictures of validation patients are changed as another hospital might change
them. A threshold is judged likewise, on other patients than those that chose it, under a change that their pictures did
not go through.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from course_lib.authoring.folder_argument import real_folder
from course_lib.authoring.kept_answers import kept, predictions_of
from course_lib.data.augmentation import Augmentation
from course_lib.data.image_folder import read_part, recognise_card
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.splits import folds_by_patient
from course_lib.data.transforms import Normalisation
from course_lib.evaluation.classification import auroc, balanced_accuracy, choose_threshold
from course_lib.evaluation.predictions import Predictions, mean_of
from course_lib.modalities.chest_xray.recipe import (
    CHANGES,
    FROM_NOTHING,
    ON_REAL_IMAGES,
    STRONG,
    ChestXrays,
    elsewhere,
    new_resnet,
)
from course_lib.modalities.registry import dataset_folder
from course_lib.support.files import digest, write_whole
from course_lib.support.identity import fingerprint
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.tasks.classification import Classification
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole
from course_lib.training.recipe import Recipe

RESULTS = COURSE_ROOT / "build" / "choose-recipe"
FOLDS, FOLDS_USED = 5, 2  #: of the cross-validation; the other three would take hours and move the means a little
HALVES = 2  #: of the held-out patients: one chooses the threshold by which the other is judged, and the other way round


def _candidate(
    experiment: ChestXrays,
    px: int,
    augmentation: Augmentation = STRONG,
    *,
    normalisation: Normalisation = "fixed",
    epochs: int = 3,
    learning_rate: float = 1e-3,
) -> ChestXrays:
    """The experiment with pictures of another size, fewer epochs, and this augmentation, written for 64 px."""
    before = experiment.recipe
    recipe = Recipe(
        replace(before.how, size=px, normalisation=normalisation),
        augmentation.at_size(px),
        replace(before.config, epochs=epochs, learning_rate=learning_rate),
    )
    return replace(experiment, recipe=recipe, judged_as=elsewhere(px))


NOTHING = replace(ON_REAL_IMAGES, recipe=FROM_NOTHING, network=new_resnet)
CANDIDATES = {
    "ResNet-18 from nothing, 64 px, standardised": _candidate(
        NOTHING, 64, normalisation="per image", epochs=6, learning_rate=3e-3
    ),
    "photographs, 128 px, light augmentation": _candidate(ON_REAL_IMAGES, 128, Augmentation()),
    "photographs, 128 px": _candidate(ON_REAL_IMAGES, 128),
    "photographs, 128 px, three times the rate": _candidate(ON_REAL_IMAGES, 128, learning_rate=3e-3),
    "photographs, 128 px, standardised": _candidate(ON_REAL_IMAGES, 128, normalisation="per image"),
    "photographs, 160 px, three times the rate, standardised": _candidate(
        ON_REAL_IMAGES, 160, normalisation="per image", learning_rate=3e-3
    ),
}
CHOSEN = "photographs, 160 px, three times the rate, standardised"
#: Networks that answer together, with the mean of their probabilities.
TOGETHER = {
    "two trainings from photographs, 128 px": ("photographs, 128 px", "photographs, 128 px, standardised"),
    "both starts": ("ResNet-18 from nothing, 64 px, standardised", CHOSEN),
}


Heldout = Mapping[str, Predictions]  #: what a network said of the patients who were held out, by the change of pictures
Rule = Callable[[Heldout, str], Predictions]
#: What a threshold is chosen by, for a network that is judged under a change.
RULES: dict[str, Rule] = {
    "pictures as they are": lambda said, _: said["as they are"],
    "pictures changed in other ways, too": lambda said, judged: _joined([said[c] for c in CHANGES if c != judged]),
}


def main(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``choose-recipe``; prints the tables, and keeps them in build/choose-recipe/."""
    parser.add_argument("folder", type=real_folder, help="real X-rays; only its part train/ is opened")
    parser.add_argument("--only", choices=CANDIDATES, help="train this candidate alone, for several at once; no table")
    options = parser.parse_args(arguments)
    folder = dataset_folder(source=options.folder)
    if options.only:
        _heldout(options.only, folder)
        return 0
    page = choose(folder)
    write_whole(RESULTS / "results.md", page + "\n")
    print(page)
    return 0


def choose(folder: Path) -> str:
    """The tables of all candidates as Markdown, from training images alone; what is done is kept and not repeated."""
    alone = {name: _heldout(name, folder) for name in CANDIDATES}
    together = {
        name: [
            {change: mean_of([each[change] for each in said]) for change in CHANGES}
            for said in zip(*(alone[n] for n in names), strict=True)
        ]
        for name, names in TOGETHER.items()
    }
    everyone, held_out = alone | together, next(iter(alone.values()))
    accuracies = {
        f"{name}: {rule}": _accuracies(said, chooser)
        for name, said in everyone.items()
        for rule, chooser in RULES.items()
    }
    return "\n".join(
        [
            f"{FOLDS_USED} of {FOLDS} folds by patient, {sum(len(said['as they are']) for said in held_out):,} "
            "images held out. A network's epoch is chosen by the same patients' loss, which flatters all alike.",
            "",
            *_table("AUROC", {name: _aurocs(said) for name, said in everyone.items()}),
            "",
            *_table("balanced accuracy, threshold by", accuracies),
        ]
    )


def _table(title: str, rows: Mapping[str, Sequence[float]]) -> list[str]:
    return [
        f"| {title} | {' | '.join(CHANGES)} | mean |",
        f"|---|{'---|' * (len(CHANGES) + 1)}",
        *[f"| {name} | {' | '.join(f'{v:.4f}' for v in row)} | {fmean(row):.4f} |" for name, row in rows.items()],
    ]


def _aurocs(folds: Sequence[Heldout]) -> list[float]:
    return [fmean(auroc(said[change]) for said in folds) for change in CHANGES]


def _accuracies(folds: Sequence[Heldout], chooser: Rule) -> list[float]:
    """The balanced accuracy under each change, at thresholds that other patients chose."""
    return [
        fmean(value for said in folds for value in _crosswise(said[change], chooser(said, change)))
        for change in CHANGES
    ]


def _crosswise(judged: Predictions, chooser: Predictions) -> Iterator[float]:
    """The balanced accuracy of each half of the patients, at the threshold that the other half chose."""
    for half in range(2):
        threshold = choose_threshold(_half(chooser, 1 - half))
        yield balanced_accuracy(_half(judged, half), threshold)


def _half(said: Predictions, half: int) -> Predictions:
    """Of the first half of the patients (0), or of the second (1)."""
    of_images = np.array([int(digest(str(patient), 8), 16) % 2 for patient in said.patients])
    return said.take(np.flatnonzero(of_images == half))


def _joined(parts: Sequence[Predictions]) -> Predictions:
    return Classification(parts[0].classes).join(parts)


def _heldout(name: str, folder: Path) -> list[Heldout]:
    """What the candidate says of the held-out patients of each fold."""
    radiographs, classes = read_part(folder, "train", recognise_card(folder))
    pairs = folds_by_patient(radiographs, FOLDS)[:FOLDS_USED]
    return [_answered(name, fold, *pair, classes) for fold, pair in enumerate(pairs)]


def _answered(
    name: str, fold: int, learning: Sequence[LabelledImage], held_out: Sequence[LabelledImage], classes: Sequence[str]
) -> Heldout:
    experiment = CANDIDATES[name]

    def answer() -> NDArray[np.float64]:
        print(f"{name}, fold {fold + 1} of {FOLDS_USED}", flush=True)
        train, validation = experiment.prepared(learning, held_out, classes)
        network = experiment.new_network(seed=fold)
        fit_whole(network, train, validation, experiment.config)
        return np.stack([_scores(network, experiment, validation, change) for change in CHANGES.values()])

    images = [[(i.path.name, i.path.stat().st_size, i.target) for i in part] for part in (learning, held_out)]
    key = fingerprint((experiment.recipe, experiment.judged_as, experiment.network, CHANGES, images, torch.__version__))
    said = [
        predictions_of(held_out, classes, np.stack([1 - scores, scores], axis=1))
        for scores in kept(RESULTS / "answers", key, answer).reshape(len(CHANGES), -1)
    ]
    return dict(zip(CHANGES, said, strict=True))


def _scores(
    network: nn.Module, experiment: ChestXrays, images: PixelCache, change: Augmentation
) -> NDArray[np.float64]:
    """What the network says of these images under the change, whose blur is written for 64 px."""
    how = experiment.recipe.how
    changed = PixelCache(images.samples, images.classes, how, change.at_size(how.size))
    with seeded(0):
        return predict(network, changed).scores
