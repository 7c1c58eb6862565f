"""The recipe on real X-rays: how it was chosen, on training patients alone, and what it reaches; for authors.

python -m course_lib.headline choose <folder>                every candidate, in cross-validation by patient
python -m course_lib.headline train <folder> [--networks 4]  the frozen recipe; then the test part, once

Both go on where they were interrupted, and write a page to build/headline/.

In this data set cross-validation on the images as they are is a poor judge. Exposure, compression and format differ
between the classes of the training part, and a network that leans on them scores best there. So a candidate is judged
by what is left of its score when the pictures of validation patients are changed as another hospital might change them.
"""

import argparse
import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import nn

from course_lib.augmentation import NO_CHANGE, Augmentation
from course_lib.dataset import (
    DataError,
    ImageData,
    Radiograph,
    check_patients_apart,
    folds_by_patient,
    read_split,
    recognise_card,
    split_by_patient,
)
from course_lib.evaluation import (
    Metric,
    Predictions,
    accuracy,
    auroc,
    balanced_accuracy,
    bind,
    bootstrap_interval,
    choose_threshold,
    mean_of,
    predict,
    sensitivity,
    specificity,
)
from course_lib.models import resnet18_classifier
from course_lib.pixels import PixelCache
from course_lib.recipe import REAL_XRAYS, STRONG, Recipe
from course_lib.runtime import COURSE_ROOT, seeded
from course_lib.training import fit_whole
from course_lib.transforms import Normalisation

RESULTS = COURSE_ROOT / "build" / "headline"
FOLDS, FOLDS_USED = 5, 2  #: of the cross-validation; the other three would take an hour and move the means a little
VALIDATION_FRACTION = 1 / 7  #: of the training patients choose the best epoch and the threshold
FINAL_EPOCHS = REAL_XRAYS.config.epochs
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


def choose(folder: Path) -> str:
    """The table of all candidates as Markdown, from training images alone; what is done is kept and not repeated."""
    radiographs, classes = read_split(folder, "train", recognise_card(folder))
    kept = RESULTS / "choose.json"
    done: dict[str, dict[str, float]] = json.loads(kept.read_text()) if kept.exists() else {}
    pairs = folds_by_patient(radiographs, FOLDS)[:FOLDS_USED]
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in CANDIDATES}
    for name, recipe in CANDIDATES.items():
        for fold, (train, held_out) in enumerate(pairs):
            key = _fingerprint((recipe, CHANGES), fold, train)
            if key not in done:
                print(f"{name}, fold {fold + 1} of {FOLDS_USED}", flush=True)
                done[key] = _scores_of(recipe, train, held_out, classes)
                part = kept.with_suffix(".part")
                part.write_text(json.dumps(done, indent=1), encoding="utf-8")
                part.replace(kept)
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
    recipe: Recipe, train: Sequence[Radiograph], held_out: Sequence[Radiograph], classes: Sequence[str]
) -> dict[str, float]:
    """AUROC on the held-out patients under each change."""
    model = _new_network(0, len(classes))
    validation = PixelCache(held_out, classes, recipe.how)
    fit_whole(model, PixelCache(train, classes, recipe.how, recipe.augmentation), validation, recipe.config)
    scores = {}
    for name, change in CHANGES.items():
        with seeded(0):
            scores[name] = auroc(predict(model, PixelCache(held_out, classes, recipe.how, change)))
    return scores


def train(folder: Path, networks: int) -> str:
    """The page of results as Markdown. The test part is opened at the very end, for the numbers alone."""
    card = recognise_card(folder)
    radiographs, classes = read_split(folder, "train", card)
    learning, held_out = split_by_patient(radiographs, VALIDATION_FRACTION)
    recipe = replace(CANDIDATES[CHOSEN], config=replace(CANDIDATES[CHOSEN].config, epochs=FINAL_EPOCHS))
    started = time.monotonic()
    validation = PixelCache(held_out, classes, recipe.how)
    data = PixelCache(learning, classes, recipe.how, recipe.augmentation)
    reading = (time.monotonic() - started) / 60
    models, minutes = zip(*[_trained(recipe, seed, data, validation) for seed in range(networks)], strict=True)
    tests, test_classes = read_split(folder, "test", card)
    if test_classes != classes:
        raise DataError(f"train holds the classes {classes}, test holds {test_classes}. Both must hold the same.")
    check_patients_apart(radiographs, tests, ("train", "test"))
    test = PixelCache(tests, classes, recipe.how)
    on_validation, on_test = ([predict(model, part) for model in models] for part in (validation, test))
    rows = [_row("one network", reading + minutes[0], on_validation[0], on_test[0])]
    if networks > 1:
        name, took = f"{networks} networks together", reading + sum(minutes)
        rows.append(_row(name, took, mean_of(on_validation), mean_of(on_test)))
    names = [f"{p.name}: {p.stat().st_size}" for p in (r.path for r in tests)]
    return "\n".join(
        [
            f"ResNet-18, random start, {recipe.how.size} px, {FINAL_EPOCHS} epochs on {len(learning):,} images of "
            f"{len(set(data.patients)):,} patients; threshold and best epoch from {len(held_out):,} images of "
            f"{len(set(validation.patients)):,} others; then {len(tests):,} test images of {len(set(test.patients)):,} "
            f"patients (list of files: {hashlib.sha256(repr(names).encode()).hexdigest()[:8]}).",
            "",
            f"| | minutes on {os.cpu_count()} cores | validation AUROC | test AUROC | balanced accuracy | accuracy | "
            "sensitivity | specificity |",
            "|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            "In brackets: 95 % intervals, patients drawn anew. Always saying PNEUMONIA has AUROC 0.5, balanced "
            f"accuracy 0.5 and accuracy {np.mean(test.labels):.3f}.",
        ]
    )


def _trained(recipe: Recipe, seed: int, data: ImageData, validation: ImageData) -> tuple[nn.Module, float]:
    """The network of this seed, and the minutes it took, NaN if it was interrupted.

    Every epoch is kept on disk; a finished training is only read, and so are its minutes.
    """
    model = _new_network(seed, len(data.classes))
    checkpoint = RESULTS / f"{_fingerprint(recipe, seed, data.radiographs)}.pt"
    clock, interrupted, started = checkpoint.with_suffix(".minutes"), checkpoint.exists(), time.monotonic()
    if not interrupted:  # a new training has a new clock
        clock.unlink(missing_ok=True)
    fit_whole(model, data, validation, replace(recipe.config, seed=seed), checkpoint=checkpoint)
    if not clock.exists():
        clock.write_text(str(math.nan if interrupted else (time.monotonic() - started) / 60), encoding="utf-8")
    return model, float(clock.read_text(encoding="utf-8"))


def _new_network(seed: int, classes: int) -> nn.Module:
    with seeded(seed):
        model: nn.Module = resnet18_classifier(classes, weights=None)
    return model


def _row(name: str, minutes: float, on_validation: Predictions, on_test: Predictions) -> str:
    threshold = choose_threshold(on_validation)
    at_threshold = [bind(m, threshold) for m in (balanced_accuracy, accuracy, sensitivity, specificity)]
    measured = [_with_interval(on_test, metric) for metric in (auroc, *at_threshold)]
    return f"| {name} | {minutes:.1f} | {auroc(on_validation):.4f} | {' | '.join(measured)} |"


def _with_interval(predictions: Predictions, metric: Metric) -> str:
    low, high = bootstrap_interval(predictions, metric)
    return f"{metric(predictions):.3f} ({low:.3f} to {high:.3f})"


def _fingerprint(what: object, number: int, radiographs: Sequence[Radiograph]) -> str:
    """The same for the same recipe (and changes), fold or seed, and files."""
    names = [(r.path.name, r.path.stat().st_size, r.label) for r in radiographs]
    return hashlib.sha256(repr((what, number, names)).encode()).hexdigest()[:16]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives 0 if all went well."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.headline", description="The recipe on real X-rays.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("choose").add_argument("folder", type=Path)
    training = commands.add_parser("train")
    training.add_argument("folder", type=Path)
    training.add_argument("--networks", type=int, default=1, help="so many are trained, and judge together")
    options = parser.parse_args(arguments)
    RESULTS.mkdir(parents=True, exist_ok=True)
    work: dict[str, Callable[[], str]] = {
        "choose": lambda: choose(options.folder),
        "train": lambda: train(options.folder, options.networks),
    }
    try:
        page = work[options.command]()
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    (RESULTS / f"{options.command}.md").write_text(page + "\n", encoding="utf-8")
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
