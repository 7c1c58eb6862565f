"""Which films are learned from, and which are held back for the test."""

import shutil
from pathlib import Path
from typing import Literal

import pytest

from course_lib.data.boxed_folder import read_boxed
from course_lib.data.image_folder import hold_back_test
from course_lib.modalities.chest_findings.reader import CLASSES, read_part
from course_lib.sources.dataset_card import load_card
from course_lib.support.errors import DataError
from tests.modalities.chest_findings.made_films import write_film, write_patients, write_phantoms, write_table

CARD = load_card("nih-chest-xrays")


def test_the_classes_are_those_of_the_card(tmp_path: Path) -> None:
    assert CARD.classes == CLASSES
    write_phantoms(tmp_path)
    assert read_part(tmp_path, "train")[1] == CLASSES
    assert read_part(tmp_path, "train", load_card("phantom-chest-findings"))[1] == CLASSES[:6]


def test_without_a_folder_test_a_fifth_of_the_patients_is_held_back(tmp_path: Path) -> None:
    write_patients(tmp_path, patients=30)
    learned, _ = read_part(tmp_path, "train", CARD)
    tested, _ = read_part(tmp_path, "test", CARD)
    assert (learned, tested) == hold_back_test(read_boxed(tmp_path, CARD.classes, CARD))
    assert len(learned) + len(tested) == 45
    assert not {film.patient for film in learned} & {film.patient for film in tested}


def test_a_patient_with_and_without_boxes_stays_on_one_side(tmp_path: Path) -> None:
    root = write_patients(tmp_path, patients=30)
    for number in range(1, 31):
        write_film(root / "images" / f"{number:08d}_007.png", seed=1000 + number)  # without a box
    parts = [read_part(root, part, CARD)[0] for part in ("train", "test")]
    for films in parts:
        mixed = {film.patient for film in films if film.boxes} & {film.patient for film in films if not film.boxes}
        assert mixed
    assert not {film.patient for film in parts[0]} & {film.patient for film in parts[1]}


def test_folders_train_and_test_are_read_as_they_are(tmp_path: Path) -> None:
    write_phantoms(tmp_path, patients=5)
    assert {film.patient for film in read_part(tmp_path, "train")[0]} == {f"phantom000{n}" for n in range(1, 6)}
    assert {film.patient for film in read_part(tmp_path, "test")[0]} == {f"phantom000{n}" for n in range(6, 9)}


def test_a_film_to_test_on_that_lies_in_train_too_is_refused(tmp_path: Path) -> None:
    write_phantoms(tmp_path, patients=5)
    images = tmp_path / "train" / "images"
    shutil.copy(images / "phantom0002_000.jpg", tmp_path / "test" / "images" / "phantom0099_000.jpg")
    with pytest.raises(
        DataError, match=r"1 of the 5 test images lie in train too, byte for byte \(test/images/phantom"
    ):
        read_part(tmp_path, "test")


def test_a_copy_under_another_patients_name_is_refused(tmp_path: Path) -> None:
    write_patients(tmp_path, patients=30)
    tested, learned = read_part(tmp_path, "test", CARD)[0][0], read_part(tmp_path, "train", CARD)[0][0]
    shutil.copy(learned.path, tested.path)
    with pytest.raises(DataError, match=r"1 of the \d+ test images lie in train too"):
        read_part(tmp_path, "test", CARD)


@pytest.mark.parametrize("part", ["train", "test"])
def test_films_beside_a_part_are_not_passed_over(tmp_path: Path, part: Literal["train", "test"]) -> None:
    write_patients(tmp_path / part, patients=3)
    write_patients(tmp_path, patients=2, first=7)
    with pytest.raises(
        DataError, match=r"holds 3 films beside its folders .* \(00000007_000\.jpg, .* would be left out"
    ):
        read_part(tmp_path, "train")


def test_films_to_train_on_without_any_box_are_refused(tmp_path: Path) -> None:
    write_phantoms(tmp_path, patients=4)
    write_table(tmp_path / "train", [])
    with pytest.raises(
        DataError, match=r"None of the 6 films to train on in .* has a box, so there is nothing to learn"
    ):
        read_part(tmp_path, "train")
    assert len(read_part(tmp_path, "test")[0]) == 5
    write_table(tmp_path / "test", [])
    assert not any(film.boxes for film in read_part(tmp_path, "test")[0]), "false alarms can still be counted"


def test_a_single_patient_can_not_be_parted(tmp_path: Path) -> None:
    write_patients(tmp_path, patients=1)
    with pytest.raises(DataError, match=r"2 images of 1 patients can not be parted"):
        read_part(tmp_path, "train")


def test_no_class_is_a_disease(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a film has any number of boxes, each of one of the findings Nodule, Mass, "):
        read_part(tmp_path, "train", CARD, "Nodule")


def test_a_finding_that_the_card_does_not_know_is_refused(tmp_path: Path) -> None:
    write_phantoms(tmp_path, patients=4)
    write_table(tmp_path / "train", [("phantom0001_000.jpg", "Atelectasis", 1, 2, 11, 12, "PA")])
    with pytest.raises(
        DataError, match=r"unknown findings \(Atelectasis\), the first in line 2\. Expected Nodule, .*ia:"
    ):
        read_part(tmp_path, "train", load_card("phantom-chest-findings"))
