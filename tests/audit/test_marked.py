"""The audit of slices that several readers marked: every fault of a folder is named, and what the readers did."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from course_lib.audit import audit_marked, take_marked
from course_lib.audit.__main__ import main
from course_lib.data.image_folder import hold_back_test
from course_lib.data.marked_slices import read_marked
from course_lib.support.errors import DataError
from tests.modalities.chest_ct.marked_folder import SIDE, write_nodule, write_patients, write_phantoms, write_slice


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_patients(tmp_path / "set", patients=4, first=9)


def test_what_is_in_order_is_said_to_be(root: Path) -> None:
    report = audit_marked(root)
    assert report["who is in the data"].measured == (
        "train 12 slices of 4 nodules of 2 patients; test 6 slices of 2 nodules of 2 patients; 4 readers."
    )
    assert report["what the readers marked"].measured == (
        "of 18 slices mask-0 18, mask-1 18, mask-2 18, mask-3 0; slices by how many readers marked them: 3 18."
    )
    assert report.titles("look") == ["what the readers marked"], "the last one marked nothing"
    assert "mask-3 is empty everywhere" in report["what the readers marked"].effect
    assert not report.titles("stop")


def test_the_test_part_is_the_one_of_training(root: Path) -> None:
    tested = {one.path for one in take_marked(root).slices if one.split == "test"}
    assert tested == {one.path for one in hold_back_test(read_marked(root))[1]}


def test_beside_a_folder_val_the_test_part_is_held_back_from_train_alone(tmp_path: Path) -> None:
    write_patients(tmp_path / "train", patients=4, first=9)
    write_patients(tmp_path / "val", patients=4, first=20)
    slices = take_marked(tmp_path).slices
    assert {one.path for one in slices if one.split == "test"} == {
        one.path for one in hold_back_test(read_marked(tmp_path / "train"))[1]
    }
    assert len({one.patient for one in slices if one.split == "val"}) == 4


def test_folders_train_and_test_are_known_and_patients_on_both_sides_are_found(tmp_path: Path) -> None:
    root = write_phantoms(tmp_path, patients=2)
    assert not audit_marked(root).titles("stop")
    shutil.copytree(root / "train" / "phantom0001", root / "test" / "phantom0001")
    report = audit_marked(root)
    assert report["patients in two splits"].measured == "1 (phantom0001)."
    assert report["duplicates"].measured.startswith("6 groups of slices with the same grey values (train/phantom0001/")
    assert report["duplicates"].measured.endswith("0 of them of two patients; 6 span two splits.")
    assert report.titles("stop") == ["patients in two splits", "duplicates"]


def test_a_copy_of_another_patients_slice_is_named(root: Path) -> None:
    here, there = (root / f"LIDC-IDRI-00{n}/nodule-0/images/slice-0.png" for n in ("09", "11"))
    shutil.copy(here, there)
    assert audit_marked(root)["duplicates"].measured == (
        "1 groups of slices with the same grey values (LIDC-IDRI-0009/nodule-0/images/slice-0.png = "
        "LIDC-IDRI-0011/nodule-0/images/slice-0.png); 1 of them of two patients; 0 span two splits."
    )


def test_copies_across_two_splits_are_named_first(tmp_path: Path) -> None:
    root = write_phantoms(tmp_path, patients=5)
    slices = {n: root / part / f"phantom000{n}" / "nodule-0" / "images" for n, part in ((1, "train"), (2, "train"))}
    slices[5], slices[6] = root / "train/phantom0005/nodule-0/images", root / "test/phantom0006/nodule-0/images"
    shutil.copy(slices[1] / "slice-0.png", slices[2] / "slice-0.png")
    shutil.copy(slices[5] / "slice-0.png", slices[6] / "slice-0.png")
    measured = audit_marked(root)["duplicates"].measured
    assert measured.startswith("2 groups of slices with the same grey values (train/phantom0005/")
    assert measured.endswith("2 of them of two patients; 1 span two splits.")


def test_every_fault_of_a_folder_is_named_at_once(root: Path) -> None:
    nodule = root / "LIDC-IDRI-0009" / "nodule-0"
    blank = np.zeros((SIDE, SIDE))
    write_slice(nodule / "mask-0" / "slice-0.png", blank[:, 1:])
    write_slice(nodule / "mask-0" / "slice-1.png", blank + 128)
    (nodule / "mask-0" / "slice-2.png").write_bytes(b"nothing")
    write_slice(nodule / "mask-1" / "slice-3.png", blank)
    (nodule / "mask-1" / "slice-2.png").unlink()
    (nodule / "mask-1" / "notes.txt").write_text("hello")
    for number in range(4):
        write_slice(root / "LIDC-IDRI-0011" / "nodule-0" / f"mask-{number}" / "slice-0.png", blank)
    edge, pieces = blank.copy(), blank.copy()
    edge[0, 5:8] = pieces[2, 2] = pieces[5:8, 5:8] = 255
    write_slice(root / "LIDC-IDRI-0012" / "nodule-0" / "mask-0" / "slice-0.png", edge)
    write_slice(root / "LIDC-IDRI-0012" / "nodule-0" / "mask-1" / "slice-0.png", pieces)
    shutil.rmtree(root / "LIDC-IDRI-0011" / "nodule-1" / "mask-2")
    for folder in (root / "LIDC-IDRI-0010" / "nodule-0").iterdir():
        (folder / "slice-1.png").unlink()
    report = audit_marked(root)
    at = "LIDC-IDRI-0009/nodule-0"
    expected = {
        "masks of another size": f"1 ({at}/mask-0/slice-0.png: 15 x 16 instead of 16 x 16).",
        "masks that are not 0 and 255": f"1 ({at}/mask-0/slice-1.png: 128).",
        "unreadable files": f"1 ({at}/mask-0/slice-2.png: is no JPEG or PNG).",
        "masks without a slice": f"1 ({at}/mask-1/slice-3.png).",
        "missing masks": f"1 ({at}/mask-1/slice-2.png).",
        "other files": f"1 ({at}/mask-1/notes.txt).",
        "slices that nobody marked": "1 (LIDC-IDRI-0011/nodule-0/images/slice-0.png).",
        "masks at the border": "1 (LIDC-IDRI-0012/nodule-0/mask-0/slice-0.png).",
        "masks in several pieces": ("1 (LIDC-IDRI-0012/nodule-0/mask-1/slice-0.png: 2, 10% outside the largest)."),
        "numbers of readers": "1 (LIDC-IDRI-0011/nodule-1 has mask-0, mask-1, mask-3).",
        "numbers of slices": "1 (LIDC-IDRI-0010/nodule-0 lacks 1).",
    }
    assert {title: report[title].measured for title in expected} == expected
    assert not set(expected) & set(report.titles("ok"))


def test_a_doubled_number_is_named(root: Path) -> None:
    images = root / "LIDC-IDRI-0009" / "nodule-0" / "images"
    shutil.copy(images / "slice-1.png", images / "slice-01.png")
    assert audit_marked(root)["numbers of slices"].measured == "1 (LIDC-IDRI-0009/nodule-0 has 1 twice)."


def test_folders_that_were_filled_from_the_front_are_noticed(tmp_path: Path) -> None:
    for number in range(12):
        nodule = write_nodule(tmp_path / f"p{number}" / "nodule-0", slices=1, seed=number)
        shutil.copy(nodule / "mask-0" / "slice-0.png", nodule / "mask-3" / "slice-0.png")
        for silent in range(1 + number % 3, 4):  # two patterns would do: who comes last is empty
            write_slice(nodule / f"mask-{silent}" / "slice-0.png", np.zeros((SIDE, SIDE)))
    assert audit_marked(tmp_path)["whose masks they are"].severity == "look"
    for number in range(0, 12, 3):  # in a third of the nodules the first one is silent, and the last one marked it
        nodule = tmp_path / f"p{number}" / "nodule-0"
        shutil.copy(nodule / "mask-0" / "slice-0.png", nodule / "mask-3" / "slice-0.png")
        write_slice(nodule / "mask-0" / "slice-0.png", np.zeros((SIDE, SIDE)))
    finding = audit_marked(tmp_path)["whose masks they are"]
    assert finding.severity == "ok"
    assert finding.measured.startswith("in 8 of 12 nodules")


def test_the_command_knows_the_layout_also_where_it_was_packed_deeper(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("course_lib.audit.__main__.COURSE_ROOT", root.parent)
    monkeypatch.setattr("course_lib.audit.__main__.PAGE", root.parent / "build" / "report.md")
    for folder in (root, root.parent):
        assert main([str(folder)]) == 0
        assert "18 slices" in capsys.readouterr().out


def test_a_folder_without_nodules_or_readable_slices_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"There is no nodule to audit in .*empty\. Expected <patient>/nodule-K/"):
        audit_marked(tmp_path / "empty")
    for path in root.glob("*/*/images/*"):
        path.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"None of the slices in .*set can be read \(such as LIDC-IDRI-0009/nodule-0"):
        audit_marked(root)
