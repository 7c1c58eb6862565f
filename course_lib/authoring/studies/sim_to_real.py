"""From simulated slices to real ones and back: the same probe learns from one and is tested on both, five seeds.

The simulated slices are of three kinds: signals as the physics says, each tissue's signal half at random, or all at
random, so that nothing can be learned but shapes. As many are learned from as of the real set, and as many of each
class. A seed draws other simulated patients, and other slices of the real set. From real to real, a probe learns from
one fold and is tested on the other. The simulated slices of the test are of other patients, as the physics says.

Fold 3 of the real set is not opened, so that it can still test what is chosen here. Cost on one core: about a quarter
of an hour, most of it for simulating slices, which are kept in build/studies/.
"""

import numpy as np
from numpy.typing import NDArray

from course_lib.authoring.studies.brain_slices import PX, folds_of, judged, probed_in_turns, seen_in, slices_to_learn
from course_lib.authoring.studies.methods import SEEDS
from course_lib.authoring.studies.study import UNFINISHED, Study
from course_lib.data.course_data import CourseData
from course_lib.data.image_folder import read_split
from course_lib.data.samples import LabelledImage
from course_lib.evaluation.studies import Row
from course_lib.modalities.brain_mri.modality import BRAIN_MRI
from course_lib.modalities.brain_mri.phantoms import VERSION, Settings, make_dataset
from course_lib.networks.frozen_features import Features
from course_lib.sources.dataset_card import load_card
from course_lib.support.errors import DataError

REAL, SIMULATED = TESTED = ("real", "simulated")
RANDOM = {"physics": 0.0, "half random": 0.5, "random": 1.0}  #: how far the signals of tissues are drawn at random
SLICES = 240  #: that are learned from
PATIENTS = 90  #: simulated for a set, of which as many slices are drawn
TEST_SEED = 100  #: of the simulated patients of the test; those to learn from have 101 and above


def cases(_: CourseData[LabelledImage]) -> list[Row]:
    """Every set to learn from, tested on real and on simulated slices, with each seed."""
    return [
        {"tested": tested, "learned": learned, "seed": seed}
        for tested in TESTED
        for learned in (*RANDOM, REAL)
        for seed in SEEDS
    ]


def measure(data: CourseData[LabelledImage], case: Row) -> Row:
    """Accuracy and AUROC with 95 % intervals, over series where patients are not named."""
    slices, seed = slices_to_learn(data), int(case["seed"])
    real, folds, rng = seen_in(slices, data.classes), folds_of(slices), np.random.default_rng(int(case["seed"]))
    if folds is None:
        raise DataError(f"{data.name} does not say which fold a slice is in. Take the set whose names begin fold1_.")
    learned = [real.take(rng.choice(np.flatnonzero(folds == one), SLICES, replace=False)) for one in np.unique(folds)]
    if case["learned"] != REAL:
        pool = _simulated(RANDOM[str(case["learned"])], TEST_SEED + 1 + seed)
        learned = [pool.take(_as_many_of_each(pool.labels, one.labels, rng)) for one in learned]
    if case["tested"] == REAL:
        tested, second = real, folds == folds.max()
    else:
        tested = _simulated(0.0, TEST_SEED)
        second = np.unique(tested.patients, return_inverse=True)[1] % 2 == 1
    return judged(probed_in_turns(learned, tested, second))


def _as_many_of_each(pool: NDArray[np.int64], wanted: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Places in the pool of labels, drawn so that each is there as often as it is wanted."""
    return np.concatenate(
        [rng.choice(np.flatnonzero(pool == label), np.sum(wanted == label), replace=False) for label in set(wanted)]
    )


def _simulated(randomise: float, seed: int) -> Features:
    """What the network sees in the slices of simulated patients, made on first use."""
    root = UNFINISHED / "slices" / f"v{VERSION}-{randomise:g}-{seed}-{PATIENTS}"
    folder = make_dataset(root, Settings({"train": PATIENTS}, seed, randomise, PX)) / "train"
    slices, classes = read_split(folder, "images", load_card(BRAIN_MRI.simulated))
    return seen_in(tuple(slices), classes)


STUDY = Study(
    name="sim_to_real",
    question="What does a probe that learned from simulated slices know of real ones (without fold 3), and back?",
    factors=("tested", "learned"),
    cases=cases,
    measure=measure,
    modality=BRAIN_MRI.name,
    sources=("real",),
)
