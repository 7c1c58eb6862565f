"""The recipe on real images, and what it reaches: trained on the training patients, tested once."""

import argparse
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import nn

from course_lib.authoring.recipe_choice import CANDIDATES, CHOSEN, RESULTS, choose, fingerprint, new_network
from course_lib.data.image_folder import read_split, recognise_card
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledData
from course_lib.data.splits import check_patients_apart, split_by_patient
from course_lib.evaluation.classification import (
    Metric,
    accuracy,
    auroc,
    balanced_accuracy,
    bind,
    choose_threshold,
    sensitivity,
    specificity,
)
from course_lib.evaluation.intervals import bootstrap_interval
from course_lib.evaluation.predictions import Predictions, mean_of
from course_lib.support.errors import DataError
from course_lib.support.files import digest
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole
from course_lib.training.recipe import REAL_XRAYS, Recipe

VALIDATION_FRACTION = 1 / 7  #: of the training patients choose the best epoch and the threshold
FINAL_EPOCHS = REAL_XRAYS.config.epochs


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
            f"patients (list of files: {digest(names, 8)}).",
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


def _trained(recipe: Recipe, seed: int, data: LabelledData, validation: LabelledData) -> tuple[nn.Module, float]:
    """The network of this seed, and the minutes it took, NaN if it was interrupted.

    Every epoch is kept on disk; a finished training is only read, and so are its minutes.
    """
    model = new_network(seed, len(data.classes))
    checkpoint = RESULTS / f"{fingerprint(recipe, seed, data.samples)}.pt"
    clock, interrupted, started = checkpoint.with_suffix(".minutes"), checkpoint.exists(), time.monotonic()
    if not interrupted:  # a new training has a new clock
        clock.unlink(missing_ok=True)
    fit_whole(model, data, validation, replace(recipe.config, seed=seed), checkpoint=checkpoint)
    if not clock.exists():
        clock.write_text(str(math.nan if interrupted else (time.monotonic() - started) / 60), encoding="utf-8")
    return model, float(clock.read_text(encoding="utf-8"))


def _row(name: str, minutes: float, on_validation: Predictions, on_test: Predictions) -> str:
    threshold = choose_threshold(on_validation)
    at_threshold = [bind(m, threshold) for m in (balanced_accuracy, accuracy, sensitivity, specificity)]
    measured = [_with_interval(on_test, metric) for metric in (auroc, *at_threshold)]
    return f"| {name} | {minutes:.1f} | {auroc(on_validation):.4f} | {' | '.join(measured)} |"


def _with_interval(predictions: Predictions, metric: Metric) -> str:
    low, high = bootstrap_interval(predictions, metric)
    return f"{metric(predictions):.3f} ({low:.3f} to {high:.3f})"


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
