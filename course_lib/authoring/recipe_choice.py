"""How the recipe for real X-rays was chosen, on training patients alone.

In this data set cross-validation on the images as they are is a poor judge. Exposure, compression and format differ
between the classes of the training part, and a network that leans on them scores best there. So a candidate is judged
by what is left of its score when the pictures of validation patients are changed as another hospital might change them.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from course_lib.authoring.folder_argument import real_folder
from course_lib.data.augmentation import NO_CHANGE, Augmentation
from course_lib.data.image_folder import read_part, recognise_card
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.splits import folds_by_patient
from course_lib.data.transforms import Normalisation
from course_lib.evaluation.classification import auroc
from course_lib.modalities.chest_xray.recipe import ON_REAL_IMAGES, REAL_XRAYS, STRONG
from course_lib.modalities.registry import dataset_folder
from course_lib.support.files import digest, write_whole
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.tasks.task import Sample
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole
from course_lib.training.recipe import Recipe

RESULTS = COURSE_ROOT / "build" / "choose-recipe"
FOLDS, FOLDS_USED = 5, 2  #: of the cross-validation; the other three would take an hour and move the means a little
TRAINING = replace(REAL_XRAYS.config, epochs=6)

#: What another hospital, or another year, may do to a picture of the same chest. Only validation pictures go through
#: these; each image gets its own draw, the same for every candidate.
CHANGES = {
    "as they are": NO_CHANGE,
    "another exposure": replace(NO_CHANGE, gamma=0.8, contrast=0.5, brightness=0.2),
    "compressed again": replace(NO_CHANGE, jpeg=1.0, jpeg_quality=(15, 25)),
    "blurred and noisy": replace(NO_CHANGE, blur=2.0, noise=0.06),
    "another format": replace(NO_CHANGE, scale=0.25, aspect=0.25, shift=0.08),
}


def _candidate(augmentation: Augmentation, normalisation: Normalisation) -> Recipe:
    # The real images at hand were squeezed to a square already; for full-size files that repeats it.
    return Recipe(replace(REAL_XRAYS.how, normalisation=normalisation), augmentation, TRAINING)


CANDIDATES = {
    "no augmentation": _candidate(NO_CHANGE, "fixed"),
    "light augmentation": _candidate(Augmentation(), "fixed"),
    "strong augmentation": _candidate(STRONG, "fixed"),
    "strong, standardised": _candidate(STRONG, "per image"),
}
CHOSEN = "strong, standardised"


def main(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``choose-recipe``; prints the table, and keeps it in build/choose-recipe/."""
    parser.add_argument("folder", type=real_folder, help="real X-rays; only its part train/ is opened")
    folder = dataset_folder(source=parser.parse_args(arguments).folder)
    RESULTS.mkdir(parents=True, exist_ok=True)
    page = choose(folder)
    (RESULTS / "results.md").write_text(page + "\n", encoding="utf-8")
    print(page)
    return 0


def choose(folder: Path) -> str:
    """The table of all candidates as Markdown, from training images alone; what is done is kept and not repeated."""
    radiographs, classes = read_part(folder, "train", recognise_card(folder))
    kept = RESULTS / "done.json"
    done: dict[str, dict[str, float]] = json.loads(kept.read_text()) if kept.exists() else {}
    pairs = folds_by_patient(radiographs, FOLDS)[:FOLDS_USED]
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in CANDIDATES}
    for name, recipe in CANDIDATES.items():
        for fold, (train, held_out) in enumerate(pairs):
            key = _fingerprint((recipe, CHANGES), fold, train)
            if key not in done:
                print(f"{name}, fold {fold + 1} of {FOLDS_USED}", flush=True)
                done[key] = _scores_of(recipe, train, held_out, classes)
                write_whole(kept, json.dumps(done, indent=1))
            measured[name].append(done[key])
    rows = {
        name: [float(np.mean([scores[change] for scores in measured[name]])) for change in CHANGES]
        for name in CANDIDATES
    }
    best = max(rows, key=lambda name: np.mean(rows[name]))
    return "\n".join(
        [
            f"AUROC on validation patients, {FOLDS_USED} of {FOLDS} folds by patient, {TRAINING.epochs} epochs; "
            f"{len(radiographs):,} training images.",
            "",
            f"| ResNet-18, random start, 64 px | {' | '.join(CHANGES)} | mean |",
            f"|---|{'---|' * (len(CHANGES) + 1)}",
            *[f"| {name} | {' | '.join(f'{v:.4f}' for v in row)} | {np.mean(row):.4f} |" for name, row in rows.items()],
            "",
            "The best epoch is chosen by the same patients' loss, which flatters all candidates alike. Compression is "
            "of the small picture, where its blocks are larger parts of a chest than in an archive.",
            "",
            f"Best under all changes together: {best}. Frozen in the course: {CHOSEN}.",
        ]
    )


def _scores_of(
    recipe: Recipe, train: Sequence[LabelledImage], held_out: Sequence[LabelledImage], classes: Sequence[str]
) -> dict[str, float]:
    """AUROC on the held-out patients under each change."""
    model = ON_REAL_IMAGES.new_network(seed=0)
    validation = PixelCache(held_out, classes, recipe.how)
    fit_whole(model, PixelCache(train, classes, recipe.how, recipe.augmentation), validation, recipe.config)
    scores = {}
    for name, change in CHANGES.items():
        with seeded(0):
            scores[name] = auroc(predict(model, PixelCache(held_out, classes, recipe.how, change)))
    return scores


def _fingerprint(what: object, fold: int, radiographs: Sequence[Sample]) -> str:
    """The same for the same recipe, changes, fold and files."""
    names = [(r.path.name, r.path.stat().st_size, r.target) for r in radiographs]
    return digest((what, fold, names), 16)
