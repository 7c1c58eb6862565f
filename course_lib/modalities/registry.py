"""Which modalities there are, and where their images come from: simulated, from Kaggle, or from a folder."""

import os
from dataclasses import replace
from pathlib import Path

from course_lib.data.course_data import CourseData
from course_lib.data.image_folder import check_images, read_split, recognise_card
from course_lib.data.splits import check_patients_apart, split_by_patient, take_patients
from course_lib.modalities.chest_xray import simulator
from course_lib.sources import kaggle_dataset
from course_lib.support.errors import DataError
from course_lib.support.runtime import COURSE_ROOT, SOURCES, Profile, current_profile, existing_folder

UNKNOWN_FOLDER = "a folder of your own"


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
        return kaggle_dataset.fetch_dataset(
            source.partition(":")[2] or kaggle_dataset.CHEST_XRAYS, at_most_mb=at_most_mb
        )
    return kaggle_dataset.room_or_folder(_existing_folder(source))


def _phantom_folder(profile: Profile) -> Path:
    """The folder of this profile's phantoms, unpacked or made now if it is not there yet."""
    root = COURSE_ROOT / "datasets" / "phantom" / f"v{simulator.VERSION}-{profile.name}"
    if profile.phantom_patients is None:
        return simulator.unpack_dataset(simulator.QUICK_ARCHIVE, root)
    train = profile.phantom_patients
    patients = {"train": train, "val": max(2, train // 10), "test": max(2, train // 3)}
    return simulator.make_dataset(root, replace(simulator.QUICK_SET, patients=patients))


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
