"""Whose hippocampus is it, which files belong together, and is nobody on both sides?"""

import shutil
from pathlib import Path
from typing import Literal

import pytest

from course_lib.data.image_folder import hold_back_test, recognise_card
from course_lib.data.volume_folder import read_outlined
from course_lib.modalities.hippocampus_mri.reader import LABELS, person_of, read_part
from course_lib.sources.dataset_card import load_card
from course_lib.support.errors import DataError
from tests.modalities.hippocampus_mri.conftest import Maker, write_volume

CARD = load_card("hippocampus-mri")
SOME = range(1, 31)


def numbers_in(root: Path, part: Literal["train", "test"]) -> list[int]:
    return [int(volume.path.name[12:15]) for volume in read_part(root, part)[0]]


def test_the_decathlons_folder_is_read_as_it_is_unpacked(decathlon: Maker) -> None:
    root = decathlon(SOME)
    assert recognise_card(root) == CARD
    volumes, labels = read_part(root, "train")
    assert labels == LABELS == CARD.classes
    for volume in volumes:
        assert volume.path.parent.name == "imagesTr"
        assert volume.mask == root / "labelsTr" / volume.path.name
        assert volume.mask.is_file()


def test_the_test_part_is_a_fixed_fifth_of_the_files_and_nobody_in_it_is_trained_on(decathlon: Maker) -> None:
    root = decathlon(SOME)
    learned, tested = numbers_in(root, "train"), numbers_in(root, "test")
    by_name = hold_back_test(read_outlined(root, [CARD]))[1]
    assert [f"hippocampus_{number:03d}" for number in tested] == [volume.patient for volume in by_name]
    assert tested
    assert {(number + 1) // 2 for number in learned}.isdisjoint((number + 1) // 2 for number in tested)
    left_out = set(SOME) - {*learned, *tested}
    assert left_out
    assert all({number, number + (1 if number % 2 else -1)} & set(tested) for number in left_out)


def test_other_patients_do_not_change_who_is_tested(decathlon: Maker) -> None:
    root = decathlon(SOME)
    before = numbers_in(root, "test")
    for number in range(1, 11):
        for part in ("imagesTr", "labelsTr"):
            (root / part / f"hippocampus_{number:03d}.nii.gz").unlink()
    assert numbers_in(root, "test") == [number for number in before if number > 10]


@pytest.mark.parametrize(
    ("name", "person"),
    [("hippocampus_001", "hippocampus_001"), ("hippocampus_002", "hippocampus_001"), ("phantom0002", "phantom0002")],
)
def test_two_files_of_the_decathlon_are_one_person(name: str, person: str) -> None:
    assert person_of(name) == person


def test_images_and_labels_in_train_and_test_are_read_from_there(tmp_path: Path) -> None:
    for number in range(8):
        folder = tmp_path / ("test" if number > 5 else "train")
        write_volume(folder, f"phantom{number:04d}.nii.gz", layout=("images", "labels"), seed=number)
    learned, tested = (read_part(tmp_path, part)[0] for part in ("train", "test"))
    assert [volume.patient for volume in tested] == ["phantom0006", "phantom0007"]
    assert len(learned) == 6
    assert recognise_card(tmp_path) == load_card("phantom-hippocampus")


def test_a_volume_to_test_on_that_is_a_copy_of_one_to_learn_from_is_refused(tmp_path: Path) -> None:
    write_volume(tmp_path / "train", "phantom0000.nii.gz", layout=("images", "labels"))
    write_volume(tmp_path / "test", "phantom0001.nii.gz", layout=("images", "labels"))
    with pytest.raises(DataError, match=r"1 of the 1 test images lie in train too, byte for byte"):
        read_part(tmp_path, "test")


@pytest.mark.parametrize(("missing", "what"), [("labelsTr", "label map"), ("imagesTr", "volume")])
def test_a_volume_without_a_label_map_or_the_other_way_round_is_named(
    decathlon: Maker, missing: str, what: str
) -> None:
    root = decathlon(SOME)
    (root / missing / "hippocampus_007.nii.gz").unlink()
    with pytest.raises(DataError, match=rf"1 files in .* have no {what} of the same name .*hippocampus_007"):
        read_part(root, "train")


def test_a_volume_that_is_there_twice_is_refused(decathlon: Maker) -> None:
    root = decathlon(SOME)
    for part in ("imagesTr", "labelsTr"):
        shutil.copy(root / part / "hippocampus_009.nii.gz", root / part / "hippocampus_009.nii")
    with pytest.raises(DataError, match=r"1 volumes twice, compressed and not \(hippocampus_009\.nii\)"):
        read_part(root, "train")


def test_a_single_patient_can_not_be_parted(decathlon: Maker) -> None:
    with pytest.raises(DataError, match=r"1 images of 1 patients can not be parted into images to train on and a test"):
        read_part(decathlon([3]), "train")


def test_a_name_that_gives_no_patient_is_refused(decathlon: Maker) -> None:
    root = decathlon(SOME)
    for part in ("imagesTr", "labelsTr"):
        (root / part / "hippocampus_009.nii.gz").rename(root / part / "left.nii.gz")
    with pytest.raises(DataError, match=r"left\.nii\.gz does not say whose image it is"):
        read_part(root, "train")


def test_a_folder_without_volumes_says_which_layouts_there_are(tmp_path: Path) -> None:
    expected = "images/ with labels/ or imagesTr/ with labelsTr/"
    with pytest.raises(DataError, match=rf"must hold volumes and their label maps, in {expected}, but holds neither"):
        read_part(tmp_path, "train")
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match="but holds only images/"):
        read_part(tmp_path, "train")
    (tmp_path / "labels").mkdir()
    with pytest.raises(DataError, match=r"images holds no volume: expected files that end with \.nii or \.nii\.gz"):
        read_part(tmp_path, "train")
    (tmp_path / "imagesTr").mkdir()
    with pytest.raises(DataError, match="holds volumes in two layouts"):
        read_part(tmp_path, "train")


def test_no_label_is_a_disease(decathlon: Maker) -> None:
    with pytest.raises(DataError, match=r"disease=… names one of two classes, but here every voxel has one of"):
        read_part(decathlon(SOME), "train", CARD, "anterior")
