"""Makes the weights that come with the course: networks that learned on simulated radiographs alone.

Everything follows from `PHANTOMS` and `RECIPES`. Call again after an interruption: what is done already is not done
again.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
import torchvision
from torch import nn

from course_lib.data.augmentation import Augmentation
from course_lib.data.image_folder import read_split
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledData
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.classification import auroc, average_precision
from course_lib.evaluation.intervals import bootstrap_interval
from course_lib.modalities.chest_xray import simulator
from course_lib.modalities.chest_xray.modality import SIMULATED_SET
from course_lib.modalities.chest_xray.recipe import STRONG
from course_lib.networks import weights
from course_lib.networks.backbones import build_backbone, preprocessing_for
from course_lib.networks.weights import WeightsCard, pack_state, save_shipped, unpack_state
from course_lib.sources.dataset_card import load_card
from course_lib.support.errors import TrainingError
from course_lib.support.files import digest, digest_of_bytes
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole
from course_lib.training.recipe import FROM_SCRATCH, Recipe

WORK = COURSE_ROOT / "build" / "pretraining"
LICENCE = "MIT"
LARGEST_LOSS = 0.001  #: of AUROC, by half precision
SMALLEST_TRIAL = 10
KEY_DIGITS = 8  #: of what follows from a setting, so that another setting does not go on with it


PHANTOMS = simulator.Settings(patients={"train": 5000, "val": 500, "test": 1000}, size_px=96, seed=18)
RECIPES = {
    "resnet18": Recipe(
        Preprocessing(size=64, normalisation="per image"), Augmentation(), replace(FROM_SCRATCH, epochs=12, seed=0)
    ),
    #: Prepared as for ImageNet's weights, at another size.
    "efficientnet_lite0": Recipe(
        replace(preprocessing_for("efficientnet_lite0", "imagenet"), size=96),
        STRONG,
        replace(FROM_SCRATCH, epochs=8, seed=0, mixed_precision=False),
    ),
}


def pretrain(network: str, phantoms: simulator.Settings, recipe: Recipe, work: Path) -> tuple[WeightsCard, bytes]:
    """The card and the file of a network that was trained on simulated radiographs, and judged on others.

    What is judged is the network as it is in the file, in half precision.

    Raises:
        TrainingError: half precision costs more than 0.001 of AUROC.
    """
    started = time.monotonic()
    root = simulator.make_dataset(work / f"phantoms-{_key(phantoms)}", phantoms)
    simulated = load_card(SIMULATED_SET)
    train = PixelCache(*read_split(root, "train", simulated), recipe.how, recipe.augmentation)
    validation, test = (PixelCache(*read_split(root, split, simulated), recipe.how) for split in ("val", "test"))
    with seeded(recipe.config.seed):
        model = build_backbone(network, len(train.classes), weights=None)
    checkpoint = work / f"training-{_key((network, phantoms, recipe))}.pt"
    print(fit_whole(model, train, validation, recipe.config, checkpoint=checkpoint))
    before = auroc(predict(model, test))
    content = pack_state(model.state_dict())
    model.load_state_dict(unpack_state(content))
    results = judge(model, test)
    if not abs(results["auroc"] - before) <= LARGEST_LOSS:
        raise TrainingError(
            f"In half precision the AUROC is {results['auroc']:.4f}, before it was {before:.4f}: a difference of more "
            f"than {LARGEST_LOSS}. Train with more weight decay or a lower learning rate."
        )
    card = WeightsCard(
        network=network,
        sha256=digest_of_bytes(content),
        data=f"trained by this course on {len(train):,} simulated radiographs (phantoms) of "
        f"{len(set(train.patients)):,} simulated patients, and on no real one.",
        licence=LICENCE,
        classes=train.classes,
        made_with=f"torch {torch.__version__}, torchvision {torchvision.__version__}, phantoms {simulator.VERSION}",
        minutes=round((time.monotonic() - started) / 60, 1),
        seed=recipe.config.seed,
        results=results,
        preprocessing=asdict(recipe.how),
        training=asdict(recipe.config),
        phantoms=phantoms.to_json(),
    )
    return card, content


def judge(model: nn.Module, test: LabelledData) -> dict[str, float]:
    """AUROC with its 95 % interval over patients, average precision, and how many there were to judge by."""
    predictions = predict(model, test)
    low, high = bootstrap_interval(predictions, auroc)
    rounded = {"auroc": auroc(predictions), "auroc_low": low, "auroc_high": high}
    rounded["average_precision"] = average_precision(predictions)
    counts = {"images": len(predictions), "patients": len(set(predictions.patients))}
    return {name: round(value, 4) for name, value in rounded.items()} | counts


def _key(made_from: object) -> str:
    """A short name for what follows from a setting, so that another setting does not go on with it."""
    return digest(made_from, KEY_DIGITS)


def main(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``weights``; what it makes goes to course_lib/networks/pretrained/, a trial to build/pretraining/."""
    parser.add_argument("network", choices=RECIPES)
    parser.add_argument("--patients", type=int, help="a trial with so many simulated patients in each part")
    options = parser.parse_args(arguments)
    network, patients = options.network, options.patients
    if patients is not None and patients < SMALLEST_TRIAL:
        parser.error(f"a trial needs at least {SMALLEST_TRIAL} patients, got {patients}")
    phantoms, recipe = (PHANTOMS, RECIPES[network]) if patients is None else _trial(RECIPES[network], patients)
    card, content = pretrain(network, phantoms, recipe, WORK)
    path = save_shipped(card, content, WORK / "trial" if patients else weights.SHIPPED)
    print(card)
    print(", ".join(f"{name} {value}" for name, value in card.results.items()))
    print(f"{path} has {path.stat().st_size / 1e6:.1f} MB. All of this took {card.minutes:.1f} minutes.")
    return 0


def _trial(recipe: Recipe, patients: int) -> tuple[simulator.Settings, Recipe]:
    few = dict.fromkeys(PHANTOMS.patients, patients)
    config = replace(recipe.config, batch_size=min(recipe.config.batch_size, patients))
    return replace(PHANTOMS, patients=few), replace(recipe, config=config)
