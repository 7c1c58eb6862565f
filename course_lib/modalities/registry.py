"""Which modalities there are, and where their images come from: simulated, from Kaggle, or from a folder."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course_lib.data.class_order import describe_order
from course_lib.data.course_data import CourseData
from course_lib.data.image_folder import describe_test_part, holds_a_set, patients_are_folds, recognise_card
from course_lib.data.splits import check_patients_apart, split_off_validation, take_patients
from course_lib.modalities.brain_mri.modality import BRAIN_MRI
from course_lib.modalities.chest_ct.modality import CHEST_CT
from course_lib.modalities.chest_findings.modality import CHEST_FINDINGS
from course_lib.modalities.chest_xray.modality import CHEST_XRAY
from course_lib.modalities.hippocampus_mri.modality import HIPPOCAMPUS_MRI
from course_lib.modalities.modality import Modality
from course_lib.sources.dataset_card import DatasetCard, card_slugs, load_card
from course_lib.sources.kaggle_dataset import check_promised, fetch_dataset
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable
from course_lib.support.runtime import SOURCES, Profile, current_profile, existing_folder
from course_lib.tasks.task import Sample

MODALITIES = {
    modality.name: modality for modality in (CHEST_XRAY, HIPPOCAMPUS_MRI, BRAIN_MRI, CHEST_CT, CHEST_FINDINGS)
}
UNKNOWN_FOLDER = "a folder of your own"


def open_dataset(
    modality: str = CHEST_XRAY.name,
    source: str | Path | None = None,
    *,
    profile: Profile | None = None,
    validation_fraction: float = 0.2,
    seed: int = 0,
    at_most_mb: float | None = None,
    disease: str | None = None,
) -> CourseData[Any]:
    """The images of a modality, chest X-rays if none is named, split by patient.

    ``source`` is ``"phantom"`` (simulated: those that come with the course, unpacked on first use, or with the profile
    ``full`` more of them, made on first use), ``"kaggle"`` (the modality's real set: found on this computer, or else
    fetched, if it is no larger than ``at_most_mb``), ``"kaggle:<slug>"`` (the Kaggle set of another data card), or a
    folder. That holds one data set (chest X-rays as ``{train,test}/{NORMAL,PNEUMONIA}/``, volumes as ``images/`` and
    ``labels/``, slices of tumours as ``images/<class>/`` and ``masks/<class>/``, crops of lung nodules as
    ``<patient>/nodule-K/`` with ``images/`` and a mask folder for each reader, films with findings in boxes as
    ``images/`` and ``boxes.csv``), or several, each in a folder with its card's name. Without a source, what
    ``COURSE_DATA`` names, or else phantoms.
    The validation list is always cut from ``train``, as `split_off_validation` does; a folder ``val`` is not read.
    `image_folder.read_part` says what the test part is. A licence that forbids commercial use is named in a line. No
    image is decoded yet: one that can not be read is named when its pixels are asked for, see `CourseData.cached`.

    Of two classes, label 1 is the disease, whose sensitivity is measured. For a folder without a card, ``disease`` (or
    ``COURSE_DISEASE``) names its class folder; that may be left out where the other one is called NORMAL, HEALTHY or
    the like, and the note then says so.

    Raises:
        ValueError: there is no such modality.
        DataError: the folder is missing, not in the layout, or of another modality; a class is empty, a name gives no
            patient, a patient or an image is on both sides, or nothing tells which class is the disease.
        PhantomError: the phantoms of the course are missing or damaged, or their folder holds others.
        ConnectionError: Kaggle can not be reached or says no; the message says what to do.
    """
    profile = profile or current_profile()
    kind = find_modality(modality)
    root = dataset_folder(modality, source, profile=profile, at_most_mb=at_most_mb)
    card = recognise_card(root)
    _check_modality(card, kind)
    train, test, classes = _read_parts(kind, root, card, disease)
    most = None if patients_are_folds(train) else profile.max_train_images
    used = take_patients(train, most, seed) if most else train
    train_part, validation = split_off_validation(used, validation_fraction, seed)
    if card and card.notice:
        print(card.notice)
    held_back = describe_test_part(root, test)
    notes = (
        _note(profile, kind.counted, train, used, validation),
        held_back,
        kind.remark if held_back and card and card.slug == kind.real else "",
        describe_order(classes, card, disease) if kind.task == "classification" else "",
    )
    return CourseData(
        name=card.name if card else UNKNOWN_FOLDER,
        simulated=bool(card and card.simulated),
        classes=classes,
        train=tuple(train_part),
        validation=tuple(validation),
        test=tuple(test),
        note=" ".join(note for note in notes if note),
        card=card,
        counted=kind.counted,
    )


def dataset_folder(
    modality: str = CHEST_XRAY.name,
    source: str | Path | None = None,
    *,
    profile: Profile | None = None,
    at_most_mb: float | None = None,
) -> Path:
    """The folder that holds the images of a source, which `open_dataset` explains; no image is opened.

    Raises:
        ValueError: there is no such modality.
        DataError: there is no such folder, or it holds sets of other modalities only.
        PhantomError: the phantoms of the course are missing or damaged, or their folder holds others.
        ConnectionError: Kaggle can not be reached or says no; the message says what to do.
    """
    kind = find_modality(modality)
    source = str(source or os.environ.get("COURSE_DATA") or "phantom")
    if source == "phantom":
        return kind.simulated_folder(profile or current_profile())
    if SOURCES.fullmatch(source):
        slug = source.partition(":")[2] or kind.real
        _check_modality(load_card(slug), kind)
        return kind.as_pictures(fetch_dataset(slug, at_most_mb=at_most_mb))
    folder = _set_within(_existing_folder(source), kind)
    check_promised(folder)
    return kind.as_pictures(folder)


def find_modality(name: str) -> Modality:
    """The modality of this name.

    Raises:
        ValueError: there is none.
    """
    if name not in MODALITIES:
        known = ", ".join(f"{modality.name} ({modality.images})" for modality in MODALITIES.values())
        raise ValueError(
            f"There is no modality {str(name)!r}: expected one of {known}. Where images come from is said by "
            "source=…, for example open_dataset(source='kaggle')."
        )
    return MODALITIES[name]


def _read_parts(
    kind: Modality, root: Path, card: DatasetCard | None, disease: str | None
) -> tuple[Sequence[Sample], Sequence[Sample], tuple[str, ...]]:
    """The images to train on, those to test on, and the classes; no patient is in both."""
    train, classes = kind.read(root, "train", card, disease)
    test, _ = kind.read(root, "test", card, disease)
    check_patients_apart(train, test, ("train", "test"))
    return train, test, classes


def _set_within(folder: Path, kind: Modality) -> Path:
    """The folder itself if it is one data set; or, if it holds several by the names of their cards, the one asked for.

    The modality's own real set comes first, then others of its cards in alphabetical order.
    """
    if holds_a_set(folder):
        return folder
    cards = [load_card(slug) for slug in card_slugs() if (folder / slug).is_dir()]
    ours = sorted((card for card in cards if card.modality == kind.name), key=lambda card: card.slug != kind.real)
    if cards and not ours:
        raise DataError(
            f"{printable(folder)} holds {', '.join(card.slug for card in cards)}, but no {kind.images}: expected "
            f"{kind.real} or another set whose card says modality = {kind.name!r}. Add it (make room "
            f"DIR={printable(folder)} CARD={kind.real}), or unset COURSE_DATA to work with simulated images."
        )
    return folder / ours[0].slug if ours else folder


def _check_modality(card: DatasetCard | None, kind: Modality) -> None:
    """Refuse a set whose card says that it is of another modality, or for another task than is read here."""
    if card and card.modality != kind.name:
        raise DataError(
            f"{card.name} is a data set of {card.modality}, but {kind.images} were asked for. Open it with "
            f"open_dataset({card.modality!r}, source=…), or name another source, such as 'phantom'."
        )
    if card and card.task != kind.task:
        raise DataError(
            f"{card.name} is a data set for {card.task}, but {kind.images} are read for {kind.task} only. Take another "
            "set, or correct the task in its card."
        )


def _existing_folder(given: str) -> Path:
    folder = existing_folder(given)
    if folder is None:
        raise DataError(
            f"There is no folder {printable(given)}. Expected 'phantom', 'kaggle', or a folder of images; check "
            "COURSE_DATA, or unset it to work with simulated images."
        )
    return folder


def _note(
    profile: Profile, counted: str, train: Sequence[Sample], used: Sequence[Sample], validation: Sequence[Sample]
) -> str:
    part = f"all {len(train):,}" if len(used) == len(train) else f"{len(used):,} of the {len(train):,}"
    limit = "" if len(used) == len(train) else " COURSE_PROFILE=full takes all."
    how = "by fold" if patients_are_folds(train) else "by patient"
    return (
        f"Profile {profile.name}: {part} training {counted}, {len(validation) / len(used):.0%} of them, {how}, for "
        f"validation.{limit}"
    )
