"""Who is in the data, who is on both sides of a split, and what that and a small validation set do to a score."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from course_lib.audit.image_folders import SPLITS
from course_lib.audit.inventory import Inventory
from course_lib.audit.quick_models import FOLDS, RESAMPLES, check_can_be_tried, outlines
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable
from course_lib.support.runtime import progress

MOST_COMPARED = 6000  #: images; the table of all their likenesses has 36 million entries


@dataclass(frozen=True)
class SplitCount:
    """One split in numbers."""

    split: str
    images: int
    patients: int
    most_per_patient: int
    classes: dict[str, int]  #: images per class
    kinds: dict[str, int]  #: images per kind, see `ImageFile`


@dataclass(frozen=True)
class People:
    """Who is in the data. Shows itself as a table."""

    splits: tuple[SplitCount, ...]
    knows_patients: bool
    shared: dict[tuple[str, str], int]  #: patient names that occur in both of two splits
    two_classes: int  #: patients with images of more than one class

    def _repr_markdown_(self) -> str:
        classes = list(dict.fromkeys(name for split in self.splits for name in split.classes))
        head = ["split", "images", "patients", "most per patient", *map(printable, classes), "kinds"]
        rows = [
            [
                s.split,
                f"{s.images:,}",
                f"{s.patients:,}" if self.knows_patients else "unknown",
                str(s.most_per_patient) if self.knows_patients else "unknown",
                *(f"{s.classes.get(name, 0):,}" for name in classes),
                ", ".join(f"{printable(kind)} {n:,}" for kind, n in s.kinds.items()),
            ]
            for s in self.splits
        ]
        return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def count_people(inventory: Inventory) -> People:
    """Images, patients, classes and kinds of each split."""
    splits, names = [], {}
    for split in SPLITS:
        files = [file for file in inventory.files if file.split == split]
        if files:
            images_of = Counter(file.patient for file in files)
            names[split] = set(images_of)
            classes, kinds = Counter(f.label for f in files), Counter(f.kind for f in files)
            most = max(images_of.values())
            splits.append(SplitCount(split, len(files), len(images_of), most, _sorted(classes), _sorted(kinds)))
    pairs = [(a, b) for a in names for b in names if SPLITS.index(a) < SPLITS.index(b)]
    labels_of: dict[str, set[str]] = {}
    for patient, file in zip(inventory.patients.tolist(), inventory.files, strict=True):
        labels_of.setdefault(patient, set()).add(file.label)
    return People(
        splits=tuple(splits),
        knows_patients=inventory.knows_patients,
        shared={(a, b): len(names[a] & names[b]) for a, b in pairs},
        two_classes=sum(len(labels) > 1 for labels in labels_of.values()),
    )


@dataclass(frozen=True)
class LeakEffect:
    """What a split by image adds to a score, on the same images and with the same model."""

    by_image: NDArray[np.float64]  #: balanced accuracy of each random split by image
    by_patient: NDArray[np.float64]  #: of each random split by patient
    gain: float  #: mean of the first less mean of the second
    low: float  #: lower end of the 95 % interval of the gain, over patients
    high: float

    def __str__(self) -> str:
        return (
            f"split by image {self.by_image.mean():.1%}, by patient {self.by_patient.mean():.1%} balanced accuracy; "
            f"too much by {100 * self.gain:.1f} points [{100 * self.low:.1f}, {100 * self.high:.1f}]"
        )


def measure_leak(inventory: Inventory, *, seeds: int = 10) -> LeakEffect:
    """The same nearest-neighbour model, tried on random parts of the images and on random parts of the patients.

    A nearest neighbour remembers every image, so it shows most clearly what it is worth to have seen the patient.
    It compares outlines: the directions of edges in 4 x 4 tiles. What a network gains depends on how much it remembers.

    Raises:
        DataError: the patients are not known, there is only one class, or one has fewer than five patients.
    """
    if not inventory.knows_patients:
        raise DataError("The file names do not say whose image it is. Describe them in a data card (file_names).")
    check_can_be_tried(inventory.labels, inventory.patients, inventory.classes)
    order = np.random.default_rng(0).permutation(np.unique(inventory.patients))
    if len(inventory) > MOST_COMPARED:
        part = order[: int(len(order) * MOST_COMPARED / len(inventory))]
        inventory = inventory.take(np.isin(inventory.patients, part))
    labels, patients = inventory.labels, inventory.patients
    vectors = outlines(inventory.small(64)).astype(np.float32)
    likeness = vectors @ vectors.T
    right = np.zeros((2, seeds, len(labels)))
    for seed in progress(range(seeds), "Splitting both ways", "seed"):
        for way, folds in enumerate((StratifiedKFold, StratifiedGroupKFold)):
            splitter = folds(FOLDS, shuffle=True, random_state=seed)
            for known, new in splitter.split(labels, labels, patients if folds is StratifiedGroupKFold else None):
                nearest = known[likeness[np.ix_(new, known)].argmax(axis=1)]
                right[way, seed, new] = labels[nearest] == labels[new]
    by_image, by_patient = (np.array([_balanced(one, labels) for one in each]) for each in right)
    gain = right[0].mean(axis=0) - right[1].mean(axis=0)
    low, high = _interval_over_patients(gain, labels, patients)
    return LeakEffect(by_image, by_patient, float(by_image.mean() - by_patient.mean()), low, high)


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _balanced(values: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The mean over the classes of each class's mean."""
    return float(np.mean([values[labels == label].mean() for label in np.unique(labels)]))


def _interval_over_patients(
    values: NDArray[np.float64], labels: NDArray[np.int64], patients: NDArray[np.str_]
) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    _, codes = np.unique(patients, return_inverse=True)
    images_of = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    means = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([images_of[i] for i in rng.integers(len(images_of), size=len(images_of))])
        means.append(_balanced(values[drawn], labels[drawn]))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
