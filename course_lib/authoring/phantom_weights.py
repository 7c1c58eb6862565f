"""Makes the weights that come with the course; for authors, not imported by any notebook.

python -m course_lib.pretraining                   ResNet-18 on simulated radiographs, to course_lib/pretrained/
python -m course_lib.pretraining --patients 40     a trial with few of them; the weights that are there stay

Everything follows from `RECIPE`. Call again after an interruption: what is done already is not done again.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
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
from course_lib.networks import weights
from course_lib.networks.backbones import build_backbone
from course_lib.networks.weights import WeightsCard, pack_state, save_shipped, unpack_state
from course_lib.support.errors import TrainingError
from course_lib.support.files import digest, digest_of_bytes
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole
from course_lib.training.recipe import RESNET_FROM_SCRATCH

WORK = COURSE_ROOT / "build" / "pretraining"
NETWORK = "resnet18"
LICENCE = "MIT"
LARGEST_LOSS = 0.001  #: of AUROC, by half precision
SMALLEST_TRIAL = 10
KEY_DIGITS = 8  #: of what follows from a setting, so that another setting does not go on with it


@dataclass(frozen=True)
class Recipe:
    """Everything that the weights follow from, apart from the versions of the libraries and the processor."""

    phantoms: simulator.Settings
    how: Preprocessing
    training: TrainConfig
    seed: int  #: of the random start


RECIPE = Recipe(
    phantoms=simulator.Settings(patients={"train": 5000, "val": 500, "test": 1000}, size_px=96, seed=18),
    how=Preprocessing(size=64, normalisation="per image"),
    training=replace(RESNET_FROM_SCRATCH, epochs=12),
    seed=0,
)


def pretrain(recipe: Recipe, work: Path) -> tuple[WeightsCard, bytes]:
    """The card and the file of a ResNet-18 that was trained on simulated radiographs, and judged on others.

    What is judged is the network as it is in the file, in half precision.

    Raises:
        TrainingError: half precision costs more than 0.001 of AUROC.
    """
    started = time.monotonic()
    root = simulator.make_dataset(work / f"phantoms-{digest(recipe.phantoms, KEY_DIGITS)}", recipe.phantoms)
    train, validation, test = (_open(root, split, recipe.how) for split in ("train", "val", "test"))
    with seeded(recipe.seed):
        model = build_backbone(NETWORK, len(train.classes), weights=None)
    checkpoint = work / f"training-{digest(recipe, KEY_DIGITS)}.pt"
    print(fit_whole(model, train, validation, recipe.training, checkpoint=checkpoint))
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
        network=NETWORK,
        sha256=digest_of_bytes(content),
        data=f"trained by this course on {len(train):,} simulated radiographs (phantoms) of "
        f"{len(set(train.patients)):,} simulated patients, and on no real one.",
        licence=LICENCE,
        classes=train.classes,
        made_with=f"torch {torch.__version__}, torchvision {torchvision.__version__}, phantoms {simulator.VERSION}",
        minutes=round((time.monotonic() - started) / 60, 1),
        seed=recipe.seed,
        results=results,
        preprocessing=asdict(recipe.how),
        training=asdict(recipe.training),
        phantoms=recipe.phantoms.to_json(),
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


def _open(root: Path, split: str, how: Preprocessing) -> PixelCache:
    return PixelCache(*read_split(root, split), how, Augmentation() if split == "train" else None)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives 0 if all is well, and prints one sentence if not."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.pretraining", description="Train the course's weights.")
    parser.add_argument("--patients", type=int, help="a trial with so many simulated patients in each part")
    patients: int | None = parser.parse_args(arguments).patients
    recipe = RECIPE
    if patients is not None:
        if patients < SMALLEST_TRIAL:
            parser.error(f"a trial needs at least {SMALLEST_TRIAL} patients, got {patients}")
        few = dict.fromkeys(RECIPE.phantoms.patients, patients)
        batch_size = min(RECIPE.training.batch_size, patients)
        recipe = replace(
            RECIPE,
            phantoms=replace(RECIPE.phantoms, patients=few),
            training=replace(RECIPE.training, batch_size=batch_size),
        )
    try:
        card, content = pretrain(recipe, WORK)
        path = save_shipped(card, content, WORK / "trial" if patients else weights.SHIPPED)
    except (TrainingError, simulator.PhantomError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(card)
    print(", ".join(f"{name} {value}" for name, value in card.results.items()))
    print(f"{path} has {path.stat().st_size / 1e6:.1f} MB. All of this took {card.minutes:.1f} minutes.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
