"""Which mask belongs to which image, and what is said where a folder is not as it should be."""

import os
import shutil
from pathlib import Path

import pytest

from course_lib.data.image_folder import holds_a_set
from course_lib.data.outlined_folder import files_of_outlined, holds_outlined, outlined_images_of, read_masked
from course_lib.support.errors import DataError
from tests.modalities.brain_mri.slices_folder import write_folds, write_masked


def test_a_folder_is_recognised_by_its_images_alone_or_in_train_and_test(tmp_path: Path) -> None:
    assert not holds_outlined(tmp_path)
    write_masked(tmp_path / "a", "glioma", "fold1_0001.jpg")
    write_masked(tmp_path / "b" / "test", "glioma", "fold1_0001.jpg")
    assert holds_outlined(tmp_path / "a")
    assert holds_outlined(tmp_path / "b")
    assert holds_a_set(tmp_path / "a")
    assert len(files_of_outlined(tmp_path / "b")) == 2


def test_hidden_files_and_folders_that_begin_with_a_line_do_not_count(tmp_path: Path) -> None:
    write_folds(tmp_path)
    (tmp_path / "images" / "glioma" / "._fold1_0004.jpg").write_bytes(b"\0\5\x16\7")
    (tmp_path / "images" / "_left_out").mkdir()
    assert len(outlined_images_of(tmp_path)) == 36
    assert len(read_masked(tmp_path)) == 36


def test_an_image_may_have_no_mask_but_a_mask_has_an_image(tmp_path: Path) -> None:
    write_folds(tmp_path)
    assert [image.path.name for image in read_masked(tmp_path) if image.mask is None] == ["fold1_0004.jpg"]
    (tmp_path / "images" / "glioma" / "fold1_0005.jpg").unlink()
    with pytest.raises(
        DataError, match=r"1 masks in .*glioma belong to no image in .*glioma \(fold1_0005\.png\)\. A mask"
    ):
        read_masked(tmp_path)


def test_a_folder_without_masks_is_read(tmp_path: Path) -> None:
    shutil.rmtree(write_folds(tmp_path) / "masks")
    assert {image.mask for image in read_masked(tmp_path)} == {None}


def test_a_mask_for_two_images_is_refused(tmp_path: Path) -> None:
    write_folds(tmp_path)
    write_masked(tmp_path, "glioma", "fold1_0005.png")
    with pytest.raises(DataError, match=r"holds 1 names twice, with different endings \(fold1_0005\.png\): one mask"):
        read_masked(tmp_path)


def test_masks_of_a_class_without_images_are_refused(tmp_path: Path) -> None:
    write_folds(tmp_path)
    (tmp_path / "masks" / "glioma").rename(tmp_path / "masks" / "Glioma2")
    with pytest.raises(DataError, match=r"masks has folders without one of the same name in images/ \(Glioma2\)"):
        read_masked(tmp_path)


def test_a_class_without_images_or_a_single_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must hold images in images/<class>/, .* but has no class in images/\. Point"):
        read_masked(tmp_path)
    write_masked(tmp_path, "glioma", "fold1_0001.jpg")
    with pytest.raises(DataError, match=r"in at least two classes, .* but has glioma in images/"):
        read_masked(tmp_path)
    (tmp_path / "images" / "pituitary").mkdir()
    with pytest.raises(DataError, match=r"pituitary holds no image: expected .* Copy the images of class pituitary"):
        read_masked(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="not everybody may make links here")
def test_links_to_nothing_are_named(tmp_path: Path) -> None:
    write_folds(tmp_path)
    (tmp_path / "masks" / "glioma" / "fold1_0099.png").symlink_to(tmp_path / "gone")
    with pytest.raises(DataError, match=r"1 of 12 images in .*masks/glioma are no files, .*\(fold1_0099\.png\)"):
        read_masked(tmp_path)
    assert holds_outlined(tmp_path)
