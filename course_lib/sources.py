"""Where images come from: simulated, from Kaggle, or from a folder that is already there."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from course_lib import delivery, phantom
from course_lib.dataset import (
    DataError,
    DatasetCard,
    Radiograph,
    check_images,
    check_patients_apart,
    read_split,
    recognise_card,
    split_by_patient,
    take_patients,
)
from course_lib.runtime import COURSE_ROOT, SOURCES, Profile, current_profile, existing_folder

UNKNOWN_FOLDER = "a folder of your own"


@dataclass(frozen=True)
class CourseData:
    """Three lists of radiographs that share no patient, and what is known about them. Prints as a small table."""

    name: str
    simulated: bool
    classes: tuple[str, ...]
    train: tuple[Radiograph, ...]
    validation: tuple[Radiograph, ...]
    test: tuple[Radiograph, ...]
    note: str  #: how the three lists came about
    card: DatasetCard | None  #: None for a folder that no card describes

    @property
    def title(self) -> str:
        """The name for figures, which says so if the images are simulated."""
        return f"{self.name} (simulated)" if self.simulated else self.name

    def __str__(self) -> str:
        rows = [f"{'':12}{'images':>8}{'patients':>10}" + "".join(f"{name:>12}" for name in self.classes)]
        for split in ("train", "validation", "test"):
            images: Sequence[Radiograph] = getattr(self, split)
            per_class = Counter(r.label for r in images)
            counts = "".join(f"{per_class[label]:>12}" for label in range(len(self.classes)))
            rows.append(f"{split:12}{len(images):>8}{len({r.patient for r in images}):>10}{counts}")
        return "\n".join([self.title, *rows, self.note])


def open_dataset(
    source: str | Path | None = None,
    *,
    profile: Profile | None = None,
    validation_fraction: float = 0.2,
    seed: int = 0,
    skip_unreadable: bool = False,
    at_most_mb: float | None = None,
) -> CourseData:
    """The images of the course, checked and split by patient.

    ``source`` is ``"phantom"`` (simulated: those that come with the course, unpacked on first use, or with the profile
    ``full`` more of them, made on first use), ``"kaggle"`` (the real chest X-rays: found on this computer, or else
    fetched, if it is no larger than ``at_most_mb``), ``"kaggle:<slug>"`` (the Kaggle set of another data
    card), or a folder in the layout ``{train,test}/{NORMAL,PNEUMONIA}/``. Without it, what ``COURSE_DATA`` names, or
    else phantoms.
    The validation list is always cut from ``train`` by patient; a folder ``val`` is not read.

    Raises:
        DataError: the folder is missing or not in the layout, a class is empty, a name gives no patient, a patient is
            on both sides, or an image can not be read (left out and named with ``skip_unreadable``).
        PhantomError: the phantoms of the course are missing or damaged, or their folder holds others.
        ConnectionError: Kaggle can not be reached or says no; the message says what to do.
    """
    profile = profile or current_profile()
    root = dataset_folder(source, profile=profile, at_most_mb=at_most_mb)
    card = recognise_card(root)
    train, classes = read_split(root, "train", card)
    test, test_classes = read_split(root, "test", card)
    if test_classes != classes:
        raise DataError(
            f"train holds the classes {classes}, test holds {test_classes}. Both must hold the same folders."
        )
    check_patients_apart(train, test, ("train", "test"))
    used = take_patients(train, profile.max_train_images, seed) if profile.max_train_images else train
    train_part, validation = split_by_patient(used, validation_fraction, seed)
    train_part, validation, test = (
        check_images(part, skip_unreadable=skip_unreadable) for part in (train_part, validation, test)
    )
    return CourseData(
        name=card.name if card else UNKNOWN_FOLDER,
        simulated=bool(card and card.simulated),
        classes=classes,
        train=tuple(train_part),
        validation=tuple(validation),
        test=tuple(test),
        note=_note(profile, len(used), len(train), validation_fraction),
        card=card,
    )


def dataset_folder(
    source: str | Path | None = None, *, profile: Profile | None = None, at_most_mb: float | None = None
) -> Path:
    """The folder that holds the images of a source, which `open_dataset` explains; no image is opened.

    Raises:
        DataError: there is no such folder.
        PhantomError: the phantoms of the course are missing or damaged, or their folder holds others.
        ConnectionError: Kaggle can not be reached or says no; the message says what to do.
    """
    source = str(source or os.environ.get("COURSE_DATA") or "phantom")
    if source == "phantom":
        return _phantom_folder(profile or current_profile())
    if SOURCES.fullmatch(source):
        return delivery.fetch_dataset(source.partition(":")[2] or delivery.CHEST_XRAYS, at_most_mb=at_most_mb)
    return delivery.room_or_folder(_existing_folder(source))


def _phantom_folder(profile: Profile) -> Path:
    """The folder of this profile's phantoms, unpacked or made now if it is not there yet."""
    root = COURSE_ROOT / "datasets" / "phantom" / f"v{phantom.VERSION}-{profile.name}"
    if profile.phantom_patients is None:
        return phantom.unpack_dataset(phantom.QUICK_ARCHIVE, root)
    train = profile.phantom_patients
    patients = {"train": train, "val": max(2, train // 10), "test": max(2, train // 3)}
    return phantom.make_dataset(root, replace(phantom.QUICK_SET, patients=patients))


def _existing_folder(given: str) -> Path:
    folder = existing_folder(given)
    if folder is None:
        raise DataError(
            f"There is no folder {given}. Expected 'phantom', 'kaggle', or a folder that holds train/ and test/; "
            "check COURSE_DATA, or unset it to work with simulated images."
        )
    return folder


def _note(profile: Profile, used: int, there: int, fraction: float) -> str:
    part = f"all {there:,}" if used == there else f"{used:,} of the {there:,}"
    limit = "" if used == there else " COURSE_PROFILE=full takes all."
    return f"Profile {profile.name}: {part} training images, {fraction:.0%} of them, by patient, for validation.{limit}"
