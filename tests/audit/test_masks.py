"""The audit of images that lie beside masks: where they lie, whose they are, and which masks do not fit."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

from course_lib.audit import Dirt, audit, check_masks, make_dirty_copy, take_inventory
from course_lib.audit.image_folders import mask_place
from course_lib.audit.quick_models import cross_validate
from course_lib.data.image_folder import hold_back_test
from course_lib.support.errors import DataError
from tests.audit.slices import CLASSES, disc, in_folds, of_patients, picture, write_slice


def test_the_highest_fold_is_the_test_and_folds_are_no_patients(tmp_path: Path) -> None:
    inventory = take_inventory(in_folds(tmp_path))
    assert {file.path for file in inventory.split("test").files} == set(tmp_path.glob("images/*/fold3_*"))
    assert inventory.files[0].name == "images/glioma/fold1_0000.jpg"
    assert inventory.classes == CLASSES
    assert inventory.card is not None
    assert inventory.card.slug == "brain-tumour-mri"
    assert not inventory.knows_patients
    assert inventory.knows_folds


def test_what_folds_do_not_tell_about_people_is_said(tmp_path: Path) -> None:
    report = audit(in_folds(tmp_path, each=1))
    assert report["who is in the data"].measured == "train 6 images; test 3 images."
    assert (
        "give the fold of a patient, and not who it is; a model is tried on whole folds" in report["patients"].measured
    )
    assert not {"patients in two splits", "patients with two labels"} & {finding.title for finding in report.findings}
    assert "all images of test are in fold 3" in report["train against test"].measured
    assert "do not say whose image it is" in report["leaking patients"].measured


def test_a_model_is_tried_on_folds_that_it_has_not_seen() -> None:
    labels = np.tile([0, 1], 20)
    folds = np.repeat([1, 2], 20)
    patients = np.array([f"fold{fold}_{n:04d}.jpg" for n, fold in enumerate(folds)])
    sign = np.where((labels == 1) == (folds == 1), 1.0, -1.0)  # means one class in fold 1, and the other in fold 2
    made = cross_validate(KNeighborsClassifier(1), sign[:, None], labels, patients, ("a", "b"))
    assert (made.most_probable != labels).all()
    with pytest.raises(DataError, match="all images of a are in fold 1"):
        cross_validate(KNeighborsClassifier(1), sign[:, None], (folds == 2).astype(np.int64), patients, ("a", "b"))


def test_patients_and_splits_are_known_where_names_and_folders_say_them(tmp_path: Path) -> None:
    inventory = take_inventory(of_patients(tmp_path, train=6, test=3))
    assert inventory.knows_patients
    assert inventory.files[0].name == "train/images/glioma/phantom0000_axial_01.png"
    assert inventory.files[0].patient == "phantom0000"
    assert [len(inventory.split(split)) for split in ("train", "test")] == [12, 6]
    shutil.rmtree(tmp_path / "test")
    alone = take_inventory(tmp_path)
    assert [file.path for file in alone.split("test").files] == [file.path for file in hold_back_test(alone.files)[1]]


def test_a_class_that_is_called_images_is_a_class(tmp_path: Path) -> None:
    for label in ("images", "masks"):
        write_slice(tmp_path / "elsewhere", label, "1.png", picture(0))
        shutil.move(tmp_path / "elsewhere" / "images" / label, tmp_path / "train" / label)
    assert [file.name for file in take_inventory(tmp_path).files] == ["train/images/1.png", "train/masks/1.png"]
    assert not any("mask" in finding.title for finding in audit(tmp_path).findings)


def test_masks_that_fit_are_in_order(tmp_path: Path) -> None:
    report = audit(of_patients(tmp_path, train=6, test=3))
    about = {finding.title: finding for finding in report.findings if "mask" in finding.title}
    assert {finding.severity for finding in about.values()} == {"ok"}
    assert about.pop("images without a mask").measured == "18 images have a mask, 0 have none."
    assert {finding.measured for finding in about.values()} == {"0."}
    assert len(about) == 5


def test_every_mask_that_does_not_fit_is_named(tmp_path: Path) -> None:
    inventory = take_inventory(in_folds(tmp_path, each=2))
    small, grey, empty, broken, missing, *_ = [file.mask for file in inventory.files if file.mask]
    Image.open(small).resize((32, 48)).save(small)
    Image.open(grey).convert("L").resize((20, 20)).resize((64, 64), Image.Resampling.BILINEAR).save(grey)
    Image.new("L", (64, 64)).save(empty)
    broken.write_bytes(b"nothing")
    missing.rename(missing.with_name("of_nobody.png"))
    (missing.parent / "notes.txt").write_text("hello")
    report = audit(tmp_path)
    assert report["masks of another size"].measured == ("1 (images/glioma/fold1_0000.jpg: 32 x 48 instead of 64 x 64).")
    assert report["masks that are not 0 and 255"].measured.startswith("1 (images/glioma/fold1_0009.jpg: ")
    assert report["empty masks"].measured == "1 (images/glioma/fold2_0001.jpg)."
    assert report["unreadable masks"].measured == "1 (images/glioma/fold2_0010.jpg: is no JPEG or PNG)."
    assert report["images without a mask"].measured == (
        "17 images have a mask, 1 have none (images/meningioma/fold1_0003.jpg)."
    )
    assert (
        report["masks without an image"].measured == "2 (masks/meningioma/notes.txt, masks/meningioma/of_nobody.png)."
    )
    assert {"masks of another size", "masks that are not 0 and 255", "unreadable masks"} <= set(report.titles("stop"))
    assert {"empty masks", "masks without an image"} <= set(report.titles("look"))


def test_without_any_mask_nothing_is_said_of_masks(tmp_path: Path) -> None:
    shutil.rmtree(in_folds(tmp_path, each=1) / "masks")
    assert len(check_masks(take_inventory(tmp_path)).missing) == 9
    assert not any("mask" in finding.title for finding in audit(tmp_path).findings)


def test_an_audit_of_some_images_looks_at_their_masks_alone(tmp_path: Path) -> None:
    chosen = sorted(in_folds(tmp_path).glob("images/glioma/*"))[:3]
    write_slice(tmp_path, "glioma", "fold1_0999.jpg", picture(1)).unlink()
    faults = check_masks(inventory := take_inventory(tmp_path, only=chosen))
    assert (faults.masks, inventory.lone_masks) == (3, ())


def test_a_mask_goes_wherever_its_image_goes(tmp_path: Path) -> None:
    dirt = Dirt(mirrored_copies=7, wrong_labels=3, blanks=0, negatives=0, unreadable=0)
    folder = make_dirty_copy(of_patients(tmp_path / "clean"), tmp_path / "dirty", dirt)
    inventory = take_inventory(folder.root)
    assert len(inventory) == 54 + 6 + 6 + 7
    assert not inventory.lone_masks
    planted = {name for kind in ("copies", "mirrored_copies", "wrong_labels") for name in folder.done[kind]}
    for file in inventory.files:
        assert file.mask == mask_place(file.path)
        with Image.open(file.path) as image, Image.open(file.mask) as mask:
            assert image.size == mask.size
            if file.name in planted:
                assert np.array_equal(np.asarray(disc(image)), np.asarray(mask))
    assert {file.patient for file in inventory.files} >= {"phantom0027"}
    assert inventory.card is not None
    assert all(inventory.card.knows(file.path.name) for file in inventory.files)
