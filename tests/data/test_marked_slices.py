"""Which masks belong to which slice, and what is said where a folder is not as it should be."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from course_lib.data.marked_slices import (
    files_of_marked,
    find_marked,
    holds_marked,
    marked_images_of,
    patients_of_marked,
    read_marked,
)
from course_lib.support.errors import DataError
from tests.modalities.chest_ct.marked_folder import READERS, write_nodule, write_patients, write_phantoms, write_slice
from tests.sources.odd_images import without_permission


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_patients(tmp_path / "set", patients=2)


def test_a_slice_has_a_mask_of_each_reader_a_patient_a_nodule_and_a_number(root: Path) -> None:
    slices = read_marked(root)
    assert [(one.nodule, one.position) for one in slices] == [
        *(("LIDC-IDRI-0001/nodule-0", number) for number in range(3)),
        *(("LIDC-IDRI-0001/nodule-1", number) for number in range(3)),
        *(("LIDC-IDRI-0002/nodule-0", number) for number in range(3)),
    ]
    for one in slices:
        assert one.patient == one.nodule.partition("/")[0]
        folder = root / one.nodule
        assert one.path == folder / "images" / f"slice-{one.position}.png"
        assert one.target == tuple(folder / f"mask-{reader}" / one.path.name for reader in range(READERS))


def test_numbers_are_sorted_as_numbers(tmp_path: Path) -> None:
    for nodule in (2, 10):
        write_nodule(tmp_path / "p1" / f"nodule-{nodule}", slices=11)
    slices = read_marked(tmp_path)
    assert [one.position for one in slices] == [*range(11), *range(11)]
    assert slices[0].nodule == "p1/nodule-2"
    assert [mask.name for mask in slices[10].masks] == ["slice-10.png"] * READERS


def test_no_file_is_opened(root: Path) -> None:
    for path in files_of_marked(root):
        path.write_bytes(b"no image")
    assert len(read_marked(root)) == 9


def test_a_folder_is_recognised_by_its_nodules_alone_or_in_train_and_test(root: Path, tmp_path: Path) -> None:
    phantoms = write_phantoms(tmp_path / "phantoms", patients=1)
    assert holds_marked(root)
    assert holds_marked(phantoms)
    assert not holds_marked(tmp_path / "nowhere")
    assert not holds_marked(root / "LIDC-IDRI-0001")
    assert [path.name for path in patients_of_marked(phantoms)] == ["phantom0001", "phantom0002", "phantom0003"]
    assert len(marked_images_of(root)) == 9
    assert len(files_of_marked(root)) == 9 * (1 + READERS)


def test_a_folder_that_can_not_be_listed_is_passed_over_while_a_set_is_recognised(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "lost+found").mkdir()
    without_permission(root / "lost+found", monkeypatch)
    assert holds_marked(root)
    assert [path.name for path in patients_of_marked(root)] == ["LIDC-IDRI-0001", "LIDC-IDRI-0002"]
    shutil.rmtree(root / "LIDC-IDRI-0001")
    shutil.rmtree(root / "LIDC-IDRI-0002")
    assert not holds_marked(root)
    assert find_marked(root) == root
    with pytest.raises(DataError, match=r"lost\+found can not be listed \(.*Permission denied"):
        read_marked(root)


def test_a_folder_that_was_packed_one_level_deeper_is_found(root: Path) -> None:
    assert find_marked(root) == root
    assert find_marked(root.parent) == root
    shutil.copytree(root, root.with_name("other"))
    assert find_marked(root.parent) == root.parent, "which of the two is meant?"
    assert find_marked(root / "nowhere") == root / "nowhere"


def test_hidden_files_and_folders_that_begin_with_a_line_do_not_count(root: Path) -> None:
    (root / "_left_out").mkdir()
    (root / ".DS_Store").write_bytes(b"")
    (root / "LIDC-IDRI-0001" / "nodule-0" / "images" / "._slice-0.png").write_bytes(b"\0\5\x16\7")
    assert len(read_marked(root)) == 9


def test_a_folder_in_another_layout_says_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match=r"must hold <patient>/nodule-K/\{images,mask-0.*but has images and no nodule"):
        read_marked(tmp_path)


def test_a_patient_without_a_nodule_is_named(root: Path) -> None:
    (root / "LIDC-IDRI-0003").mkdir()
    with pytest.raises(DataError, match=r"LIDC-IDRI-0003 holds no folder nodule-0, .*Copy the nodules there, or move"):
        read_marked(root)


@pytest.mark.parametrize("removed", ["images", "its slices"])
def test_a_nodule_without_images_is_named(root: Path, removed: str) -> None:
    images = root / "LIDC-IDRI-0002" / "nodule-0" / "images"
    shutil.rmtree(images)
    if removed != "images":
        images.mkdir()
    with pytest.raises(DataError, match=r"LIDC-IDRI-0002/nodule-0 has no slice in images/: expected slice-0\.png"):
        read_marked(root)


def test_a_nodule_that_nobody_read_is_named(root: Path) -> None:
    for reader in range(READERS):
        shutil.rmtree(root / "LIDC-IDRI-0002" / "nodule-0" / f"mask-{reader}")
    with pytest.raises(DataError, match=r"LIDC-IDRI-0002/nodule-0 has no folder mask-0, mask-1, …"):
        read_marked(root)


def test_a_mask_that_is_missing_for_a_slice_is_named(root: Path) -> None:
    (root / "LIDC-IDRI-0001" / "nodule-1" / "mask-2" / "slice-1.png").unlink()
    with pytest.raises(DataError, match=r"nodule-1/mask-2 lacks the mask of 1 slices \(slice-1\.png\)\. A reader who"):
        read_marked(root)


def test_a_mask_without_its_slice_is_named(root: Path) -> None:
    (root / "LIDC-IDRI-0001" / "nodule-1" / "images" / "slice-2.png").unlink()
    with pytest.raises(DataError, match=r"nodule-1/mask-0 holds masks of slices that are not in images/ \(slice-2\.p"):
        read_marked(root)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_missing_number_of_a_slice_is_named(root: Path, lost: int) -> None:
    nodule = root / "LIDC-IDRI-0001" / "nodule-0"
    for folder in nodule.iterdir():
        (folder / f"slice-{lost}.png").unlink()
    with pytest.raises(
        DataError, match=rf"nodule-0/images goes up to slice-2\.png, but lacks slice-{lost}\.png\. Numb"
    ):
        read_marked(root)


def test_a_number_that_is_there_twice_is_named(root: Path) -> None:
    images = root / "LIDC-IDRI-0001" / "nodule-0" / "images"
    shutil.copy(images / "slice-1.png", images / "slice-01.png")
    with pytest.raises(DataError, match=r"nodule-0/images holds numbers twice \(slice-01\.png beside .*Keep one"):
        read_marked(root)
    (images / "slice-01.png").unlink()
    shutil.copytree(images.parents[1] / "nodule-1", images.parents[1] / "nodule-01")
    with pytest.raises(DataError, match=r"LIDC-IDRI-0001 holds numbers twice \(nodule-01 beside"):
        read_marked(root)


def test_an_image_whose_name_is_none_of_a_slice_is_named(root: Path) -> None:
    write_slice(root / "LIDC-IDRI-0001" / "nodule-0" / "mask-1" / "slice-1 (copy).png", np.zeros((16, 16)))
    with pytest.raises(
        DataError, match=r"mask-1 holds images whose names .* \(slice-1 \(copy\)\.png\)\. Expected slice"
    ):
        read_marked(root)


def test_other_numbers_of_readers_are_named(root: Path) -> None:
    shutil.rmtree(root / "LIDC-IDRI-0002" / "nodule-0" / "mask-3")
    with pytest.raises(
        DataError, match=r"different numbers of readers: LIDC-IDRI-0001/nodule-0 has 4, LIDC-IDRI-0002/nodule-0 has 3"
    ):
        read_marked(root)


def test_a_reader_whose_folder_was_lost_is_named(root: Path) -> None:
    shutil.rmtree(root / "LIDC-IDRI-0001" / "nodule-0" / "mask-1")
    with pytest.raises(DataError, match=r"LIDC-IDRI-0001/nodule-0 goes up to mask-3, but lacks mask-1\. Numbers begin"):
        read_marked(root)
