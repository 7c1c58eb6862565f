"""How good a modality's recipe is on real images: trained on training patients or on phantoms alone, tested once."""

import argparse
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from torch import nn

from course_lib import modalities
from course_lib.authoring.folder_argument import real_folder
from course_lib.data.image_folder import patients_are_folds, recognise_card
from course_lib.data.samples import ImageData
from course_lib.data.splits import check_patients_apart
from course_lib.data.volume_folder import OutlinedVolume
from course_lib.evaluation.intervals import bootstrap_intervals, with_interval
from course_lib.evaluation.predictions import Predictions
from course_lib.modalities.registry import MODALITIES, UNKNOWN_FOLDER, dataset_folder
from course_lib.support.errors import DataError
from course_lib.support.files import digest
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.recipe import Experiment, trained

RESULTS = COURSE_ROOT / "build" / "measure"


def main(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The command; prints one line a figure, and keeps them in build/measure/."""
    parser.add_argument("modality", choices=MODALITIES)
    parser.add_argument(
        "folder",
        type=real_folder,
        help="real images: train/ is learned from (with --phantoms-only without its labels), test/ measured",
    )
    parser.add_argument("--phantoms-only", action="store_true", help="with no labels but those of simulated images")
    parser.add_argument("--networks", type=int, help="so many are trained, and judge together")
    options = parser.parse_args(arguments)
    if options.networks is not None and options.networks < 1:
        parser.error(f"at least one network must be trained, got {options.networks}")
    folder = dataset_folder(options.modality, options.folder)
    experiment = experiment_of(options.modality, phantoms_only=options.phantoms_only)
    page = measure(experiment, folder, options.networks or experiment.networks)
    print(page)
    RESULTS.mkdir(parents=True, exist_ok=True)
    name = f"{options.modality}-{'phantoms' if options.phantoms_only else 'real'}.txt"
    (RESULTS / name).write_text(page + "\n", encoding="utf-8")
    return 0


def experiment_of(modality: str, *, phantoms_only: bool) -> Experiment[Any]:
    """What a modality is measured by, from its module ``recipe``."""
    recipe = importlib.import_module(f"{modalities.__name__}.{modality}.recipe")
    experiment: Experiment[Any] = recipe.ON_PHANTOMS if phantoms_only else recipe.ON_REAL_IMAGES
    return experiment


def measure(experiment: Experiment[Any], folder: Path, networks: int) -> str:
    """One line a figure. The test part is opened at the very end, for the numbers alone.

    Raises:
        DataError: the images are not as expected, or a patient of the test was learned from.
    """
    train, validation = experiment.training_data(folder)
    models = [trained(experiment, seed, train, validation, RESULTS) for seed in range(networks)]
    test = experiment.test_data(folder)
    if test.task != train.task:
        raise DataError(f"What is learned is {train.task}, but the test part holds {test.task}. Both must be the same.")
    check_patients_apart([*train.samples, *validation.samples], test.samples, ("train", "test"))
    on_validation, on_test = ([_said(model, part) for model in models] for part in (validation, test))
    lines = [
        _about(folder, experiment.config, train, validation, test),
        *_judged(experiment, "one network", on_validation[0], on_test[0]),
    ]
    if networks > 1:
        lines.append(_each_alone(experiment, on_validation, on_test))
        several = experiment.together(on_validation), experiment.together(on_test)
        lines += _judged(experiment, f"{networks} networks together", *several)
    figures = experiment.figures(experiment.scored(on_validation[0]))
    lines += _lines(figures, "without looking", experiment.scored(test.task.baseline(on_test[0])))
    return "\n".join(lines)


def _said(model: nn.Module, data: ImageData[Any]) -> Any:
    """What the network says of the images; where validation changes them at random, it changes them alike for all."""
    with seeded(0):
        return predict(model, data)


def _about(
    folder: Path, config: TrainConfig, train: ImageData[Any], validation: ImageData[Any], test: ImageData[Any]
) -> str:
    """Which images: a line that changes when another test part was measured."""
    card = recognise_card(folder)
    name = f"{card.name}{' (simulated)' if card.simulated else ''}" if card else UNKNOWN_FOLDER
    counts = [
        f"{len(data):,} {_counted(data)} of {len(set(data.patients)):,} {_parted(data)}"
        for data in (train, validation, test)
    ]
    kept = "the last epoch kept" if config.keep == "last" else f"chosen by {counts[1]}"
    listed = digest(
        [f"{sample.path.relative_to(folder).as_posix()}: {sample.path.stat().st_size}" for sample in test.samples], 8
    )
    drawn = (
        " Nothing says whose the images are, so that intervals are over series."
        if patients_are_folds(test.samples)
        else ""
    )
    return f"{name}: trained on {counts[0]}, {kept}, tested on {counts[2]} (list of files: {listed}).{drawn}"


def _counted(data: ImageData[Any]) -> str:
    return "volumes" if isinstance(data.samples[0], OutlinedVolume) else "images"


def _parted(data: ImageData[Any]) -> str:
    return "folds" if patients_are_folds(data.samples) else "patients"


def _judged(experiment: Experiment[Any], who: str, on_validation: Any, on_test: Any) -> list[str]:
    """What is measured of the test, and then the first of these figures where the training could see it."""
    validation, test = experiment.scored(on_validation), experiment.scored(on_test)
    figures = experiment.figures(validation)
    name, figure = next(iter(figures.items()))
    if experiment.config.keep == "last":
        where = "on some of the images that were learned from"
    else:
        chosen = "epoch and threshold" if isinstance(on_validation, Predictions) else "the epoch"
        where = f"on the images that chose {chosen}"
    return [
        *_lines(figures, who, test),
        *_lines({f"{name} {where}": figure}, who, validation),
    ]


def _each_alone(experiment: Experiment[Any], on_validation: Sequence[Any], on_test: Sequence[Any]) -> str:
    """The first figure of each network by itself."""
    chosen = [experiment.figures(experiment.scored(said)) for said in on_validation]
    name = next(iter(chosen[0]))
    values = [figures[name](experiment.scored(said)) for figures, said in zip(chosen, on_test, strict=True)]
    who = f"mean (lowest to highest) of {len(values)} networks alone"
    return f"{name}, {who}: {with_interval(fmean(values), min(values), max(values))}"


def _lines(figures: Mapping[str, Callable[[Any], float]], who: str, predictions: Any) -> list[str]:
    """One line a figure, with its 95 % interval over patients, or what the experiment takes for them."""
    ends = bootstrap_intervals(predictions, figures)
    return [f"{name}, {who}: {with_interval(figure(predictions), *ends[name])}" for name, figure in figures.items()]
