"""Which class is a slice of, where is its mask, whose is it, and is nobody on both sides?"""

from pathlib import Path
from typing import Literal

import pytest
import torch

from course_lib.data.image_folder import patients_are_folds, recognise_card
from course_lib.data.outlined_folder import MASK_VALUES
from course_lib.data.outlines_and_boxes import OutlinedDataset
from course_lib.data.transforms import Preprocessing
from course_lib.modalities.brain_mri.phantoms import Settings, make_dataset
from course_lib.modalities.brain_mri.reader import TumourSlice, by_series, masks_of, outlined, read_part, series_of
from course_lib.sources.dataset_card import load_card
from course_lib.support.errors import DataError
from tests.modalities.brain_mri.slices_folder import CLASSES, write_folds, write_masked, write_phantoms

CARD = load_card("brain-tumour-mri")


def names_in(root: Path, part: Literal["train", "test"]) -> list[str]:
    return [one.path.name for one in read_part(root, part, recognise_card(root))[0]]


def test_of_the_real_folder_the_highest_fold_is_the_test_part_and_a_fold_counts_as_a_patient(tmp_path: Path) -> None:
    root = write_folds(tmp_path)
    assert recognise_card(root) == CARD
    train, classes = read_part(root, "train", CARD)
    test, _ = read_part(root, "test", CARD)
    assert classes == CLASSES
    assert {one.patient for one in train} == {"fold1", "fold2"}
    assert {one.patient for one in test} == {"fold3"}
    assert patients_are_folds(train)
    assert all(one.path.parent.name == classes[one.label] for one in (*train, *test))
    assert {one.plane for one in train} == {None}


def test_a_slice_has_the_mask_of_its_name_or_none(tmp_path: Path) -> None:
    train, _ = read_part(write_folds(tmp_path), "train", CARD)
    without = [one.path.name for one in train if one.mask is None]
    assert without == ["fold1_0004.jpg"]
    for one in train:
        if one.mask:
            assert one.mask == tmp_path / "masks" / one.path.parent.name / f"{one.path.stem}.png"
    assert len(outlined(train)) == len(train) - 1


@pytest.mark.parametrize("kind", ["real", "simulated"])
def test_a_mask_is_read_as_background_and_tumour_whether_it_has_one_bit_or_eight(tmp_path: Path, kind: str) -> None:
    root = write_folds(tmp_path) if kind == "real" else write_phantoms(tmp_path)
    slices = outlined(read_part(root, "train", recognise_card(root))[0])
    data = OutlinedDataset(slices, ("background", "tumour"), Preprocessing(size=32), values=MASK_VALUES)
    pixels, masks = data.batch(torch.arange(2))
    assert set(masks.unique().tolist()) == {0, 1}
    assert pixels[:, :1][masks[:, None] == 1].mean() > pixels[:, :1][masks[:, None] == 0].mean()


def test_simulated_slices_say_their_patient_and_their_plane(tmp_path: Path) -> None:
    root = write_phantoms(tmp_path)
    card = recognise_card(root)
    assert card == load_card("phantom-brain-mri")
    train, classes = read_part(root, "train", card)
    test, _ = read_part(root, "test", card)
    assert classes == CLASSES
    assert {one.patient for one in test} == {"phantom0013", "phantom0014", "phantom0015"}
    assert {one.patient for one in train}.isdisjoint(one.patient for one in test)
    assert [one.plane for one in train[:2]] == ["axial", "sagittal"]
    assert not patients_are_folds(train)


def test_what_the_simulator_writes_is_read(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "phantoms", Settings({"train": 3, "test": 3}, seed=1, pixels=32))
    card = recognise_card(root)
    assert card == load_card("phantom-brain-mri")
    train, classes = read_part(root, "train", card)
    assert classes == CLASSES
    assert len({one.patient for one in train}) == 3
    assert all(one.mask and one.plane for one in train)
    assert read_part(root, "test", card)[0]


def test_consecutive_numbers_of_a_fold_and_a_class_are_a_series(tmp_path: Path) -> None:
    root = write_folds(tmp_path, folds=(1, 2), slices=2)
    write_masked(root, "glioma", "fold1_0007.jpg")
    slices, _ = read_part(root, "train", CARD)
    series = dict(zip((one.path.name for one in slices), series_of(slices), strict=True))
    assert series["fold1_0004.jpg"] == series["fold1_0005.jpg"]
    assert series["fold1_0007.jpg"] not in (series["fold1_0005.jpg"], series["fold1_0009.jpg"])
    assert series["fold1_0009.jpg"] == series["fold1_0010.jpg"]
    assert len(set(series.values())) == 4
    assert [one.patient for one in by_series(slices)] == list(series.values())
    assert [one.path for one in by_series(slices)] == [one.path for one in slices]


def test_a_named_patient_stays_who_it_is() -> None:
    named = [TumourSlice(Path("phantom0001_axial_00.png"), 0, "phantom0001", plane="axial")]
    assert by_series(named) == named


def test_masks_go_through_what_their_images_go_through(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "phantoms", Settings({"train": 3, "test": 3}, seed=1, pixels=32))
    slices, _ = read_part(root, "train")
    masks = masks_of(slices, Preprocessing(size=16))
    assert masks.shape == (len(slices), 16, 16)
    data = OutlinedDataset(outlined(slices), ("background", "tumour"), Preprocessing(size=16), values=MASK_VALUES)
    true = data.batch(torch.arange(len(data)))[1].numpy() == 1
    assert (masks == true).mean() > 0.99
    with pytest.raises(DataError, match=r"1 slices have no mask \(bare\.png\)\. Leave them out"):
        masks_of([TumourSlice(Path("bare.png"), 0, "a")], Preprocessing(size=16))


def test_a_slice_without_a_number_is_of_no_series() -> None:
    with pytest.raises(DataError, match=r"a\.png has no number\. Expected a name that ends with that of the slice"):
        series_of([TumourSlice(Path("a.png"), 0, "a")])


def test_a_class_absent_from_a_fold_is_named(tmp_path: Path) -> None:
    root = write_folds(tmp_path)
    for path in root.glob("*/pituitary/fold2_*"):
        path.unlink()
    with pytest.raises(DataError, match=r"holds no image of pituitary in fold 2\. .* Copy the missing images"):
        read_part(root, "train", CARD)


def test_a_class_that_the_card_names_must_be_there(tmp_path: Path) -> None:
    root = write_folds(tmp_path)
    for folder in ("images", "masks"):
        (root / folder / "pituitary").rename(root / folder / "adenoma")
    with pytest.raises(
        DataError, match=r"holds images of adenoma, glioma, meningioma, but those of .* are glioma, men"
    ):
        read_part(root, "train", CARD)


@pytest.mark.parametrize(("fold", "name"), [(2, "glioma"), (3, "glioma"), (1, "pituitary")])
def test_a_slice_in_two_folds_or_classes_is_refused(tmp_path: Path, fold: int, name: str) -> None:
    root = write_folds(tmp_path)
    write_masked(root, name, f"fold{fold}_0005.jpg")
    with pytest.raises(DataError, match=r"holds 1 slices in two folds or classes, .* \(slice 5\)\. .*Keep the files"):
        read_part(root, "train", CARD)


def test_a_patient_with_a_slice_in_another_fold_is_refused(tmp_path: Path) -> None:
    for fold in (1, 2, 3):
        for place, name in enumerate(CLASSES):
            write_masked(tmp_path, name, f"fold{fold}_P{fold}{place}_{10 * fold + place:04d}.png", seed=fold)
    write_masked(tmp_path, "glioma", "fold2_P10_0099.png")
    with pytest.raises(DataError, match=r"or patients in two folds \(patient P10\)"):
        read_part(tmp_path, "train", CARD)


def test_a_copy_of_a_slice_to_learn_from_in_the_test_fold_is_refused(tmp_path: Path) -> None:
    root = write_folds(tmp_path)
    (root / "images/glioma/fold3_0900.jpg").write_bytes((root / "images/glioma/fold1_0005.jpg").read_bytes())
    with pytest.raises(DataError, match=r"1 of the 13 test images lie in train too, byte for byte \(.*fold3_0900"):
        read_part(root, "test", CARD)


def test_a_copy_in_the_folder_test_is_refused(tmp_path: Path) -> None:
    root = write_phantoms(tmp_path)
    learned = root / "train/images/glioma/phantom0001_axial_01.png"
    (root / "test/images/glioma/phantom0099_axial_01.png").write_bytes(learned.read_bytes())
    with pytest.raises(DataError, match=r"1 of the 7 test images lie in train too, byte for byte"):
        read_part(root, "test", recognise_card(root))


def test_a_single_fold_can_not_be_parted(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"12 images of 1 patients can not be parted .*Add patients \(or a second fold\)"
    ):
        read_part(write_folds(tmp_path, folds=(1,)), "train", CARD)


def test_a_name_that_gives_no_patient_is_refused(tmp_path: Path) -> None:
    root = write_folds(tmp_path)
    write_masked(root, "glioma", "left.png")
    with pytest.raises(DataError, match=r"left\.png does not say whose image it is"):
        read_part(root, "train", CARD)


def test_none_of_three_classes_is_a_disease(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"disease=… names one of two classes, but .* has 3"):
        read_part(write_folds(tmp_path), "train", CARD, "glioma")
