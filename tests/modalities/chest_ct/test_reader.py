"""Which slices of lung nodules are learned from, and which are held back for the test."""

import shutil
from pathlib import Path
from typing import Literal

import pytest

from course_lib.data.image_folder import hold_back_test
from course_lib.data.marked_slices import read_marked
from course_lib.modalities.chest_ct.reader import LABELS, read_part
from course_lib.support.errors import DataError
from tests.modalities.chest_ct.marked_folder import write_patients, write_phantoms


def test_without_a_folder_test_a_fifth_of_the_patients_is_held_back(tmp_path: Path) -> None:
    write_patients(tmp_path, patients=20)
    learned, labels = read_part(tmp_path, "train")
    tested, _ = read_part(tmp_path, "test")
    assert labels == LABELS
    assert (learned, tested) == hold_back_test(read_marked(tmp_path))
    assert not {one.patient for one in learned} & {one.patient for one in tested}


def test_folders_train_and_test_are_read_as_they_are(tmp_path: Path) -> None:
    write_phantoms(tmp_path, patients=3)
    assert {one.patient for one in read_part(tmp_path, "train")[0]} == {f"phantom000{number}" for number in (1, 2, 3)}
    assert {one.patient for one in read_part(tmp_path, "test")[0]} == {"phantom0004", "phantom0005"}


def test_a_slice_to_test_on_that_lies_in_train_too_is_refused(tmp_path: Path) -> None:
    write_phantoms(tmp_path, patients=3)
    shutil.copytree(tmp_path / "train" / "phantom0002", tmp_path / "test" / "phantom0009")
    with pytest.raises(DataError, match=r"3 of the 12 test images lie in train too, byte for byte"):
        read_part(tmp_path, "test")


@pytest.mark.parametrize("part", ["train", "test"])
def test_patients_beside_a_part_are_not_passed_over(tmp_path: Path, part: Literal["train", "test"]) -> None:
    write_patients(tmp_path / part, patients=3)
    write_patients(tmp_path, patients=2, first=7)
    with pytest.raises(
        DataError, match=r"holds 2 patients beside .* \(LIDC-IDRI-0007, LIDC-IDRI-0008\), which would be"
    ):
        read_part(tmp_path, "train")


def test_a_single_patient_can_not_be_parted(tmp_path: Path) -> None:
    write_patients(tmp_path, patients=1)
    with pytest.raises(DataError, match=r"6 images of 1 patients can not be parted"):
        read_part(tmp_path, "train")


def test_no_class_is_a_disease(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"every pixel has one of the labels background, nodule\. Leave it out"):
        read_part(tmp_path, "train", None, "nodule")
