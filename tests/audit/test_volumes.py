"""The audit of volumes: every fault that is planted is found, and nothing where there is none."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from course_lib.audit import audit_volumes, describe_volumes, find_mirrored, take_volumes
from course_lib.audit.__main__ import main
from course_lib.audit.volumes import SIDE, SPECK
from course_lib.data.volume_folder import holds_volumes
from course_lib.sources.dataset_card import load_card
from course_lib.support.errors import DataError
from tests.audit.spoiled_volumes import FAULTS, LABELS, PATIENTS, change, clean_folder, copied, name, of, spoiled, write

CARD = replace(
    load_card("phantom"),
    task="segmentation",
    classes=("front", "back"),
    file_names=(r"(?P<patient>head_\d+)\.nii\.gz",),
)


NAMELESS = {"size", "range of values", "other files"}  #: findings that do not say whose volume it is


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clean_folder(tmp_path_factory.mktemp("volumes") / "set")


@pytest.fixture
def folder(clean: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "set"))


def test_a_clean_folder_gives_nothing_to_look_at(clean: Path) -> None:
    before = {path: path.read_bytes() for path in clean.rglob("*.gz")}
    report = audit_volumes(clean, card=CARD)
    assert report.titles("stop") + report.titles("look") == []
    assert {path: path.read_bytes() for path in clean.rglob("*.gz")} == before


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_nothing_else(fault: str, folder: Path) -> None:
    plant, expected = FAULTS[fault]
    plant(folder)
    report = audit_volumes(folder, card=CARD)
    assert set(report.titles("stop") + report.titles("look")) == expected
    named = [report[title].measured for title in expected if title not in NAMELESS]
    assert all(name(3) in measured or name(PATIENTS) in measured for measured in named)
    assert all(report[title].effect and report[title].remedy for title in expected)


def test_a_copy_in_the_test_part_is_a_reason_to_stop(folder: Path) -> None:
    copied(folder)
    (folder / "imagesTs").mkdir()
    of(folder, PATIENTS)[0].rename(folder / "imagesTs" / name(PATIENTS))
    of(folder, PATIENTS)[1].unlink()
    report = audit_volumes(folder, card=CARD)
    assert report.titles("stop") == ["duplicates"]
    assert f"{name(3)} = {name(PATIENTS)}" in report["duplicates"].measured
    assert "1 span two splits" in report["duplicates"].measured
    assert report["who is in the data"].measured.startswith("train 12 volumes of 12 patients; test 1 volumes of 1")
    assert report["volumes without label map"].severity == "ok"  # nobody has those of the test part


def test_a_patient_in_two_splits_is_a_reason_to_stop(clean: Path, tmp_path: Path) -> None:
    for split, numbers in (("train", range(8)), ("test", range(7, PATIENTS))):
        for number in numbers:
            for file, part in zip(of(clean, number), ("images", LABELS), strict=True):
                (tmp_path / split / part).mkdir(parents=True, exist_ok=True)
                shutil.copy(file, tmp_path / split / part / name(number))
    report = audit_volumes(tmp_path, card=CARD)
    assert report.titles("stop") == ["patients in two splits", "duplicates"]
    assert report["patients in two splits"].measured == "1 (head_007)."


def test_the_layout_of_the_decathlon_is_audited_and_what_lies_beside_the_volumes_is_passed_over(folder: Path) -> None:
    (folder / "images").rename(folder / "imagesTr")
    (folder / LABELS).rename(folder / "labelsTr")
    (folder / "dataset.json").write_text("{")
    (folder / "imagesTr" / f"._{name(0)}").write_bytes(b"Mac OS X")
    report = audit_volumes(folder)
    assert report.titles("stop") + report.titles("look") == ["patients"]  # without a card, nobody knows them
    assert holds_volumes(folder)


def test_without_a_card_the_usual_values_are_the_labels(folder: Path) -> None:
    spoiled(of(folder)[1], (0, 0, 0), 3)
    report = audit_volumes(folder)
    assert report["values that are no label"].measured == f"1 ({name(3)} 3)."
    assert list(take_volumes(folder).labels.values()) == ["label 1", "label 2"]


def test_an_audit_of_some_volumes_looks_at_no_others(folder: Path) -> None:
    of(folder, 0)[0].write_bytes(b"nothing")
    chosen = [of(folder, number)[0] for number in range(1, 5)]
    report = audit_volumes(folder, card=CARD, only=chosen)
    assert "4 of 4 have a label map" in report["who is in the data"].measured
    assert report["unreadable files"].severity == report["label maps without volume"].severity == "ok"


def test_a_structure_with_two_sides_has_two_pieces_and_whoever_has_one_is_named(folder: Path) -> None:
    for number in range(PATIENTS):
        change(of(folder, number)[1], lambda values: np.maximum(values, np.roll(values, 9, axis=0)))
    assert audit_volumes(folder, card=CARD)["pieces"].severity == "ok"
    change(of(folder)[1], lambda values: values * (np.arange(len(values)) < 12)[:, None, None])
    assert f"({name(3)} front 1 and 0.0% in specks" in audit_volumes(folder, card=CARD)["pieces"].measured


def test_what_a_label_covers_is_measured(tmp_path: Path) -> None:
    label_map = np.zeros((11, 12, 13), np.uint8)
    label_map[5:9, 2:7, 3:8] = 1  # 100 voxels of 8 mm3, 25 of them in the middle
    label_map[0, 0, 0] = 1  # one on the left, at the edge
    write(tmp_path / "images" / name(0), np.random.default_rng(0).random(label_map.shape))
    write(tmp_path / LABELS / name(0), label_map)
    (file,) = take_volumes(tmp_path).files
    assert file.label_map is not None
    (structure,) = file.label_map.structures.values()
    assert structure.ml == pytest.approx(101 * 0.008)
    assert (structure.pieces, structure.at_edge) == (1, 1)
    assert structure.specks == pytest.approx(1 / 101)
    assert structure.right == pytest.approx(87.5 / 101)
    assert SPECK * 100 > 1
    assert (file.shape, file.spacing_mm, file.axes) == ((11, 12, 13), (2.0, 2.0, 2.0), "RAS")


def test_if_half_of_the_volumes_are_mirrored_nobody_is_accused() -> None:
    one = np.random.default_rng(0).normal(size=(SIDE, SIDE, SIDE)).astype(np.float32)
    one /= np.linalg.norm(one)
    assert find_mirrored(np.stack([one] * 5 + [one[::-1]])) == {5: "left-right"}
    assert find_mirrored(np.stack([one] * 4 + [one[:, ::-1, ::-1]])) == {}  # too few
    assert find_mirrored(np.stack([one] * 6 + [one[:, ::-1, ::-1]])) == {6: "front-back and up-down"}
    assert len(find_mirrored(np.stack([one] * 5 + [one[::-1]] * 5))) in (0, 10)


def test_volumes_are_described_a_line_each(folder: Path) -> None:
    of(folder, 1)[0].write_bytes(b"nothing")
    lines = describe_volumes(folder, card=CARD, most=3).splitlines()
    assert lines[0].startswith(f"{name(0)}: 20 x 24 x 18 voxels of 2 x 2 x 2 mm, RAS, values ")
    assert re.search(r" to [\d.,]+, front \d\.\d\d ml, back \d\.\d\d ml$", lines[0])
    assert lines[3] == "… and 8 more"
    assert lines[4].startswith(f"images/{name(1)} is no NIfTI file")


def test_the_command_audits_a_folder_of_volumes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("course_lib.audit.__main__.COURSE_ROOT", tmp_path)
    monkeypatch.setattr("course_lib.audit.__main__.PAGE", tmp_path / "build" / "report.md")
    of(folder)[0].rename(folder / "images" / "\x1b[31m.nii.gz")
    assert main([str(folder)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Audit of set\n0 to stop for, 3 to look at")
    assert r"volumes without label map: 1 (images/\x1b[31m.nii.gz)." in said
    page = (tmp_path / "build" / "report.md").read_text(encoding="utf-8")
    assert "| ? look | label maps without volume | 1 (labels/head_003.nii.gz). |" in page


def test_a_folder_without_a_whole_volume_is_refused(tmp_path: Path) -> None:
    assert not holds_volumes(tmp_path)
    with pytest.raises(DataError, match=r"no volume to audit in .*Expected images/\*\.nii\.gz"):
        audit_volumes(tmp_path)
    (path := tmp_path / "images" / name(0)).parent.mkdir()
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match=rf"None of the 1 volumes in .* can be read \(such as images/{name(0)} is no"):
        audit_volumes(tmp_path)


@pytest.mark.slow
def test_whoever_audits_radiographs_does_not_wait_for_torchio() -> None:
    command = "import sys, course_lib.audit; sys.exit(any(name in sys.modules for name in ('torchio', 'nibabel')))"
    assert subprocess.run([sys.executable, "-c", command]).returncode == 0
