"""The data cards themselves, read with nothing but the standard library."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

DATASETS = Path(__file__).parent.parent / "datasets"
CARDS = sorted(DATASETS.glob("*.toml"))
REQUIRED = {
    "name": str,
    "slug": str,
    "simulated": bool,
    "source": str,
    "handle": str,
    "version": str,
    "licence": str,
    "citation": str,
    "doi": str,
    "patients": str,
    "labels": str,
    "defects": list,
    "file_names": list,
    "splits_share_no_patient": bool,
}
OPTIONAL = {"counts": dict}
MAY_BE_EMPTY = {"handle", "doi"}

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
    "phantom": {
        "phantom0012_bacteria_1.jpeg": "phantom0012",
        "phantom0013_normal_1.jpeg": "phantom0013",
    },
}


def read_card(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def problems_of(card: dict[str, Any], stem: str) -> list[str]:
    """What is wrong with a card; an empty list if nothing is."""
    kinds = REQUIRED | OPTIONAL
    problems = [f"{field} is missing" for field in REQUIRED if field not in card]
    problems += [f"{field} is not a field of a card" for field in card if field not in kinds]
    known = {field: value for field, value in card.items() if field in kinds}
    problems += [
        f"{field} must be {kinds[field].__name__}, is {type(value).__name__}"
        for field, value in known.items()
        if type(value) is not kinds[field]
    ]
    if problems:
        return problems
    problems += [f"{field} is empty" for field in REQUIRED.keys() - MAY_BE_EMPTY if card[field] in ("", [])]
    if card["slug"] != stem:
        problems.append(f"slug is {card['slug']!r}, the file is {stem}.toml")
    if not re.fullmatch(r"([\w-]+/[\w-]+/\d+)?", card["handle"]):
        problems.append(f"handle is not owner/name/version: {card['handle']!r}")
    if not re.fullmatch(r"(10\.\d{4,9}/\S+)?", card["doi"]):
        problems.append(f"doi is not a DOI: {card['doi']!r}")
    for text in (*card["defects"], *card["file_names"]):
        if not isinstance(text, str) or not text.strip():
            problems.append(f"not a text: {text!r}")
    problems += [problem for pattern in card["file_names"] for problem in problems_of_pattern(pattern)]
    for split, per_class in card.get("counts", {}).items():
        if split not in ("train", "val", "test") or set(per_class) != {"NORMAL", "PNEUMONIA"}:
            problems.append(f"counts.{split} must hold NORMAL and PNEUMONIA of train, val or test")
        numbers = per_class.values()
        problems += [f"counts.{split}: {n!r} is not a number" for n in numbers if type(n) is not int]
    return problems


def problems_of_pattern(pattern: str) -> list[str]:
    try:
        groups = re.compile(pattern).groupindex
    except re.error as error:
        return [f"{pattern!r} is not a regular expression: {error}"]
    return [] if "patient" in groups else [f"{pattern!r} has no group 'patient'"]


def patients_by(card: dict[str, Any], file_name: str) -> list[str]:
    """The patient that each fitting pattern of the card finds in a file name."""
    matches = (re.fullmatch(pattern, file_name) for pattern in card["file_names"])
    return [match["patient"] for match in matches if match]


def test_there_are_cards() -> None:
    assert {path.stem for path in CARDS} >= {"chest-xray-pneumonia", "phantom"}


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_every_card_is_complete_and_well_formed(path: Path) -> None:
    assert problems_of(read_card(path), path.stem) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"licence": None}, "licence is missing"),
        ({"license": "MIT"}, "license is not a field"),
        ({"simulated": 1}, "simulated must be bool, is int"),
        ({"version": 2}, "version must be str, is int"),
        ({"patients": ""}, "patients is empty"),
        ({"defects": []}, "defects is empty"),
        ({"slug": "other"}, "slug is 'other'"),
        ({"handle": "paultimothymooney/chest-xray-pneumonia"}, "handle is not owner/name/version"),
        ({"doi": "https://doi.org/10.1016/j.cell.2018.02.010"}, "doi is not a DOI"),
        ({"file_names": ["(?P<patient>"]}, "not a regular expression"),
        ({"file_names": [r"person\d+\.jpeg"]}, "no group 'patient'"),
        ({"counts": {"train": {"NORMAL": 1}}}, "counts.train must hold"),
        ({"counts": {"dev": {"NORMAL": 1, "PNEUMONIA": 1}}}, "counts.dev must hold"),
        ({"counts": {"train": {"NORMAL": 1.5, "PNEUMONIA": 1}}}, "1.5 is not a number"),
    ],
)
def test_a_broken_card_is_found_out(change: dict[str, Any], complaint: str) -> None:
    card = read_card(DATASETS / "chest-xray-pneumonia.toml") | change
    card = {field: value for field, value in card.items() if value is not None}
    assert any(complaint in problem for problem in problems_of(card, "chest-xray-pneumonia"))


def test_every_card_has_examples_of_its_file_names_here() -> None:
    assert set(NAMES) == {path.stem for path in CARDS}


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_file_names_give_the_patient_to_one_card_only(path: Path) -> None:
    card = read_card(path)
    for slug, names in NAMES.items():
        for file_name, patient in names.items():
            assert patients_by(card, file_name) == ([patient] if slug == path.stem else []), file_name


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
        ".DS_Store",
    ],
)
def test_other_file_names_give_no_patient(path: Path, file_name: str) -> None:
    assert patients_by(read_card(path), file_name) == []


def test_the_kaggle_counts_add_up() -> None:
    counts = read_card(DATASETS / "chest-xray-pneumonia.toml")["counts"]
    assert {split: sum(per_class.values()) for split, per_class in counts.items()} == {
        "train": 5216,
        "val": 16,
        "test": 624,
    }
    assert sum(per_class["NORMAL"] for per_class in counts.values()) == 1583
    assert sum(sum(per_class.values()) for per_class in counts.values()) == 5856


def test_simulated_images_are_not_on_kaggle_and_have_no_fixed_number() -> None:
    card = read_card(DATASETS / "phantom.toml")
    assert card["simulated"] is True
    assert card["handle"] == card["doi"] == ""
    assert "counts" not in card


def test_the_readme_lists_exactly_the_cards_and_their_fields() -> None:
    readme = (DATASETS / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[([\w-]+)\.toml\]\(\1\.toml\)", readme, re.MULTILINE)
    assert sorted(listed) == [path.stem for path in CARDS]
    for field in REQUIRED:
        assert f"`{field}`" in readme, field
