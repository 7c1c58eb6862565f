"""The data cards: complete, well formed, and telling whose image a file is."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from course_lib.sources import dataset_card
from course_lib.sources.dataset_card import CARDS_FOLDER, OPTIONAL, REQUIRED, load_card, problems_of
from course_lib.support.errors import DataError

CARDS = sorted(CARDS_FOLDER.glob("*.toml"))

# One file name of each form, and whose image it is. The course tells data sets apart by file names, so no
# name may fit two cards.
NAMES = {
    "chest-xray-pneumonia": {
        "person12_bacteria_34.jpeg": "person12",
        "person447_virus_921_1.jpeg": "person447",
        "IM-0117-0001.jpeg": "IM-0117",
        "IM-0439-0001-0002.jpeg": "IM-0439",
        "NORMAL2-IM-0439-0001.jpeg": "NORMAL2-IM-0439",
        "NORMAL2-IM-0439-0001-0002.jpeg": "NORMAL2-IM-0439",
    },
    "brain-tumour-mri": {
        "fold1_0718.jpg": "fold1",
        "fold5_MR017260F_0001.png": "MR017260F",
        "figshare_100360_3064.png": "100360",
    },
    "hippocampus-mri": {
        "hippocampus_003.nii.gz": "hippocampus_003",
        "hippocampus_394.nii": "hippocampus_394",
    },
    "lidc-nodules": {"LIDC-IDRI-0008": "LIDC-IDRI-0008"},
    "nih-chest-xrays": {"00013118_008.jpg": "00013118", "00000001_000.png": "00000001"},
    "phantom-chest-findings": {"phantom0012_001.jpg": "phantom0012"},
    "phantom-chest-ct": {"phantom0012": "phantom0012"},
    "phantom-brain-mri": {"phantom0012_axial_03.png": "phantom0012", "phantom0013_sagittal_11.png": "phantom0013"},
    "phantom-hippocampus": {"phantom0012.nii.gz": "phantom0012"},
    "phantom": {
        "phantom0012_bacteria_1.jpeg": "phantom0012",
        "phantom0013_normal_1.jpeg": "phantom0013",
    },
}


def read_card(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def patients_by(path: Path, file_name: str) -> list[str]:
    """The patient that each fitting pattern of the card finds in a file name."""
    matches = (re.fullmatch(pattern, file_name) for pattern in load_card(path.stem).file_names)
    return [match["patient"] for match in matches if match]


def test_there_are_cards() -> None:
    assert {path.stem for path in CARDS} >= {"chest-xray-pneumonia", "phantom"}


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_every_card_is_complete_and_well_formed(path: Path) -> None:
    assert problems_of(read_card(path), path.stem) == []
    assert load_card(path.stem).slug == path.stem


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"licence": None}, "licence is missing"),
        ({"license": "MIT"}, "license is not a field of a card"),
        ({"simulated": 1}, "simulated must be true or false, but is 1"),
        ({"commercial_use": "yes"}, "commercial_use must be true or false, but is 'yes'"),
        ({"version": 2}, "version must be a text, but is 2"),
        ({"classes": ["NORMAL", 1]}, r"classes must be a list of texts, but is \['NORMAL', 1\]"),
        ({"patients": ""}, "patients is empty"),
        ({"defects": []}, "defects is empty"),
        ({"defects": [""]}, "defects is empty"),
        ({"slug": "other"}, "slug is 'other', but the file is chest-xray-pneumonia.toml"),
        ({"task": "regression"}, "task must be one of classification, segmentation, detection, but is 'regression'"),
        ({"modality": "chest X-rays"}, "modality must be the name of a package"),
        ({"classes": ["NORMAL", "NORMAL"]}, "classes names one twice: NORMAL, NORMAL"),
        ({"patients_from": "name"}, "patients_from must be one of file name, folder, table, fold, but is 'name'"),
        ({"handle": "paultimothymooney/chest-xray-pneumonia"}, "handle must be owner/name/version"),
        ({"doi": "https://doi.org/10.1016/j.cell.2018.02.010"}, "doi must be a DOI"),
        ({"file_names": None}, "file_names is missing: the patient is to be told by the file name"),
        ({"file_names": ["(?P<patient>"]}, "not a regular expression"),
        ({"file_names": [r"person\d+\.jpeg"]}, "no group 'patient'"),
        ({"counts": {"train": {"NORMAL": 1}}}, "counts.train must say how many images .* NORMAL, PNEUMONIA"),
        ({"counts": {"train": 7}}, "counts.train must say how many images"),
        ({"counts": {"dev": {"NORMAL": 1, "PNEUMONIA": 1}}}, "counts.dev must be counts.train, counts.val"),
        ({"counts": {"train": {"NORMAL": 1.5, "PNEUMONIA": 1}}}, "counts.train.NORMAL must be a number .* but is 1.5"),
        ({"archive": {"(": 1}}, r"'\(' in archive is not a regular expression"),
        ({"archive": {"[^/]+": 1}}, "has a / within brackets, but it may only stand between two names"),
        ({"archive": {r"(a/)?b\.png": 1}}, "has a / within brackets"),
        (
            {"selection": "the best", "archive": {"a": 1}},
            "selection must be one of nih-films, or left out",
        ),
        ({"selection": "nih-films"}, "selection needs a handle, and a table archive that counts the files"),
        ({"selection": "nih-films", "archive": {"a": 1}, "handle": ""}, "selection needs a handle"),
        ({"selection": True, "archive": {"a": 1}}, "selection must be a text, but is True"),
        ({"archive": {"a": 0}}, r"archive\.a must be a number of files, but is 0"),
    ],
)
def test_a_broken_card_is_found_out(change: dict[str, Any], complaint: str) -> None:
    card = read_card(CARDS_FOLDER / "chest-xray-pneumonia.toml") | change
    card = {field: value for field, value in card.items() if value is not None}
    problems = problems_of(card, "chest-xray-pneumonia")
    assert any(re.search(complaint, problem) for problem in problems), problems


def test_a_broken_card_is_refused_with_all_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (CARDS_FOLDER / "phantom.toml").read_text(encoding="utf-8")
    text = text.replace('licence = "CC BY 4.0"\n', "").replace("simulated = true", "simulated = 1")
    (tmp_path / "phantom.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(dataset_card, "CARDS_FOLDER", tmp_path)
    with pytest.raises(
        DataError, match=r"phantom\.toml is not a complete .*licence is missing; simulated must be true"
    ):
        load_card("phantom")


def test_a_patient_that_the_file_name_does_not_tell_needs_no_pattern() -> None:
    card = read_card(CARDS_FOLDER / "chest-xray-pneumonia.toml") | {
        "patients_from": "fold",
        "file_names": [r"fold\d_.*"],
    }
    assert problems_of(card, "chest-xray-pneumonia") == []
    assert problems_of(card | {"patients_from": "table", "file_names": []}, "chest-xray-pneumonia") == []


def test_only_a_licence_that_forbids_commercial_use_is_worth_a_notice() -> None:
    card = load_card("chest-xray-pneumonia")
    assert card.notice == ""
    research = replace(card, licence="CC BY-NC 4.0", commercial_use=False)
    assert research.notice == "Chest X-Ray Images (Pneumonia): licence CC BY-NC 4.0, not for commercial use."


def test_a_file_name_may_be_known_without_a_patient() -> None:
    card = replace(load_card("phantom"), patients_from="fold", file_names=(r"fold\d_.*\.png",))
    assert card.knows("fold1_7.png")
    assert card.patient_of("fold1_7.png") is None
    assert not card.knows("phantom0001_virus_1.jpeg")


def test_every_card_has_examples_of_its_file_names_here() -> None:
    assert set(NAMES) == {path.stem for path in CARDS}


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_file_names_give_the_patient_to_one_card_only(path: Path) -> None:
    for slug, names in NAMES.items():
        for file_name, patient in names.items():
            assert patients_by(path, file_name) == ([patient] if slug == path.stem else []), file_name


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    "file_name",
    [
        "._person12_bacteria_34.jpeg",
        "person12_bacteria_34.jpeg.txt",
        "person_bacteria_34.jpeg",
        "person12_fungus_34.jpeg",
        "NORMAL3-IM-0439-0001.jpeg",
        "IM-439-1.jpeg",
        "phantom_normal_1.jpeg",
        "._hippocampus_003.nii.gz",
        "hippocampus_3.nii.gz",
        "phantom12.nii.gz",
        "fold1_718.jpg",
        "fold1_0718.png",
        "100360_0718.png",
        "phantom0012_oblique_03.png",
        ".DS_Store",
    ],
)
def test_other_file_names_give_no_patient(path: Path, file_name: str) -> None:
    assert patients_by(path, file_name) == []


def test_the_kaggle_counts_add_up() -> None:
    counts = read_card(CARDS_FOLDER / "chest-xray-pneumonia.toml")["counts"]
    assert {split: sum(per_class.values()) for split, per_class in counts.items()} == {
        "train": 5216,
        "val": 16,
        "test": 624,
    }
    assert sum(per_class["NORMAL"] for per_class in counts.values()) == 1583
    assert sum(sum(per_class.values()) for per_class in counts.values()) == 5856


@pytest.mark.parametrize("slug", ["phantom", "phantom-brain-mri", "phantom-chest-ct", "phantom-hippocampus"])
def test_simulated_images_are_not_on_kaggle_and_have_no_fixed_number(slug: str) -> None:
    card = read_card(CARDS_FOLDER / f"{slug}.toml")
    assert card["simulated"] is True
    assert card["handle"] == card["doi"] == ""
    assert "counts" not in card


def test_the_readme_lists_exactly_the_cards_and_their_fields() -> None:
    readme = (CARDS_FOLDER / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[([\w-]+)\.toml\]\(\1\.toml\)", readme, re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in CARDS)
    for field in REQUIRED | OPTIONAL:
        assert f"`{field}`" in readme or f"`[{field}." in readme, field
