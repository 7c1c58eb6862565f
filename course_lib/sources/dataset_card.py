"""Data cards: what one should know about a data set before using it; needs no torch, so that downloads start fast."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from course_lib.support.errors import DataError
from course_lib.support.foreign import understood
from course_lib.support.runtime import COURSE_ROOT

CARDS_FOLDER = COURSE_ROOT / "datasets"
TASKS = ("classification", "segmentation", "detection")
SPLITS = ("train", "val", "test")
SELECTIONS = ("nih-films",)  #: rules by which single files of a set are chosen and fetched
WHERE_PATIENTS_STAND = ("file name", "folder", "table", "fold")
REQUIRED: dict[str, type] = {
    "name": str,
    "slug": str,
    "modality": str,
    "task": str,
    "classes": list,
    "simulated": bool,
    "source": str,
    "handle": str,
    "version": str,
    "licence": str,
    "commercial_use": bool,
    "citation": str,
    "doi": str,
    "patients": str,
    "patients_from": str,
    "labels": str,
    "defects": list,
}
OPTIONAL: dict[str, type] = {
    "file_names": list,
    "splits_share_no_patient": bool,
    "selection": str,
    "counts": dict,
    "archive": dict,
}
MAY_BE_EMPTY = {"handle", "doi"}
IN_TOML = {str: "a text", bool: "true or false", list: "a list of texts", dict: "a table"}


@dataclass(frozen=True, kw_only=True)
class DatasetCard:
    """What one should know about a data set before using it; read from ``datasets/<slug>.toml``."""

    slug: str
    name: str
    modality: str  #: the package in ``course_lib/modalities`` that reads it
    task: str  #: one of `TASKS`
    classes: tuple[str, ...]  #: in the order of their labels; for a segmentation the parts that a mask tells apart
    simulated: bool
    source: str
    handle: str  #: ``owner/name/version`` on Kaggle, empty if it is not there
    version: str
    licence: str
    commercial_use: bool  #: does the licence allow it?
    citation: str
    doi: str
    patients: str  #: who they are
    patients_from: str  #: one of `WHERE_PATIENTS_STAND`: what tells whose image it is
    labels: str  #: how they were made
    defects: tuple[str, ...]  #: known ones
    file_names: tuple[str, ...] = ()  #: regular expressions; with a group ``patient`` if the name tells it
    splits_share_no_patient: bool = False  #: is person 7 in train another child than person 7 in test?
    selection: str = ""  #: one of `SELECTIONS`, if single files are fetched; `archive` counts these
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  #: images per split and class
    archive: dict[str, int] = field(default_factory=dict)  #: other files: expressions for paths, and how many of each

    @property
    def notice(self) -> str:
        """What somebody who opens the images must be told about the licence; empty if it allows any use."""
        return "" if self.commercial_use else f"{self.name}: licence {self.licence}, not for commercial use."

    def knows(self, file_name: str) -> bool:
        """Whether this is a name that files of the data set have, or its folders, where these tell the patient."""
        return any(re.fullmatch(pattern, file_name) for pattern in self.file_names)

    def packed(self, path: str) -> str:
        """Where a file of `archive` belongs, wherever it was packed: the end of its path, as long as its expression.

        Empty if it is no such file.
        """
        for pattern in self.archive:
            place = "/".join(path.split("/")[-1 - pattern.count("/") :])
            if re.fullmatch(pattern, place):
                return place
        return ""

    def patient_of(self, file_name: str) -> str | None:
        """The patient that a name gives away, or None if it gives none, or is not of this data set."""
        for pattern in self.file_names:
            if match := re.fullmatch(pattern, file_name):
                return match.groupdict().get("patient")
        return None


def load_card(slug: str) -> DatasetCard:
    """The card of one data set.

    Raises:
        DataError: there is no such card, or it is not as ``datasets/README.md`` says; the message names what is wrong.
    """
    path = CARDS_FOLDER / f"{slug}.toml"
    if not path.is_file():
        raise DataError(f"No data card {slug!r}: expected one of {', '.join(card_slugs())} in {CARDS_FOLDER.name}/.")
    remedy = "Compare it with the other cards."
    with understood(lambda reason: DataError(f"{path.name} is no TOML in UTF-8: {reason}. {remedy}")):
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    if problems := problems_of(values, slug):
        raise DataError(
            f"{path.name} is not a complete data card: {'; '.join(problems)}. {CARDS_FOLDER.name}/README.md explains "
            "the fields."
        )
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return DatasetCard(**values)


def card_slugs() -> list[str]:
    """The slugs of all cards, in alphabetical order."""
    return sorted(path.stem for path in CARDS_FOLDER.glob("*.toml"))


def problems_of(values: dict[str, Any], slug: str) -> list[str]:
    """What is wrong with the content of ``<slug>.toml``, one text each; an empty list if nothing is."""
    return list(_problems_of_form(values)) or list(_problems_of_content(values, slug))


def _problems_of_form(values: dict[str, Any]) -> Iterator[str]:
    """Fields that are missing, unknown, of another kind, or empty."""
    kinds = REQUIRED | OPTIONAL
    yield from (f"{name} is missing" for name in REQUIRED if name not in values)
    for name, value in values.items():
        if name not in kinds:
            yield f"{name} is not a field of a card"
        elif not _is_of_kind(value, kinds[name]):
            yield f"{name} must be {IN_TOML[kinds[name]]}, but is {value!r}"
        elif name in REQUIRED.keys() - MAY_BE_EMPTY and value in ("", [], [""]):
            yield f"{name} is empty"


def _is_of_kind(value: Any, kind: type) -> bool:
    if isinstance(value, list):
        return kind is list and all(isinstance(entry, str) for entry in value)
    return type(value) is kind


def _problems_of_content(values: dict[str, Any], slug: str) -> Iterator[str]:
    """Values that nothing could be done with."""
    if values["slug"] != slug:
        yield f"slug is {values['slug']!r}, but the file is {slug}.toml"
    for name, allowed in (("task", TASKS), ("patients_from", WHERE_PATIENTS_STAND)):
        if values[name] not in allowed:
            yield f"{name} must be one of {', '.join(allowed)}, but is {values[name]!r}"
    if not re.fullmatch(r"[a-z]\w*", values["modality"], re.ASCII):
        yield f"modality must be the name of a package in course_lib/modalities, but is {values['modality']!r}"
    if len(set(values["classes"])) < len(values["classes"]):
        yield f"classes names one twice: {', '.join(values['classes'])}"
    if not re.fullmatch(r"([\w-]+/[\w-]+/\d+)?", values["handle"]):
        yield f"handle must be owner/name/version, but is {values['handle']!r}"
    if not re.fullmatch(r"(10\.\d{4,9}/\S+)?", values["doi"]):
        yield f"doi must be a DOI such as 10.1000/182, but is {values['doi']!r}"
    yield from _problems_of_file_names(values.get("file_names", []), values["patients_from"])
    yield from _problems_of_counts(values.get("counts", {}), values["task"], values["classes"])
    yield from _problems_of_archive(values.get("archive", {}))
    if "selection" in values:
        yield from _problems_of_selection(values)


def _problems_of_selection(values: dict[str, Any]) -> Iterator[str]:
    if values["selection"] not in SELECTIONS:
        yield f"selection must be one of {', '.join(SELECTIONS)}, or left out, but is {values['selection']!r}"
    if not values["handle"] or not values.get("archive"):
        yield "selection needs a handle, and a table archive that counts the files that are chosen"


def _problems_of_archive(archive: dict[str, Any]) -> Iterator[str]:
    for pattern, number in archive.items():
        if errors := _errors_in(pattern):
            yield f"{pattern!r} in archive is not a regular expression ({errors[0]})"
        elif any(_errors_in(name) for name in pattern.split("/")):
            yield f"{pattern!r} in archive has a / within brackets, but it may only stand between two names"
        if type(number) is not int or number < 1:
            yield f"archive.{pattern} must be a number of files, but is {number!r}"


def _errors_in(pattern: str) -> list[re.error]:
    """What is wrong with a regular expression, if anything is."""
    try:
        re.compile(pattern)
    except re.error as error:
        return [error]
    return []


def _problems_of_file_names(patterns: list[str], patients_from: str) -> Iterator[str]:
    if patients_from == "file name" and not patterns:
        yield "file_names is missing: the patient is to be told by the file name"
    for pattern in patterns:
        if errors := _errors_in(pattern):
            yield f"{pattern!r} in file_names is not a regular expression ({errors[0]})"
        elif patients_from == "file name" and "patient" not in re.compile(pattern).groupindex:
            yield f"{pattern!r} in file_names has no group 'patient'"


def _problems_of_counts(counts: dict[str, Any], task: str, classes: list[str]) -> Iterator[str]:
    for split, per_class in counts.items():
        if split not in SPLITS:
            yield f"counts.{split} must be counts.train, counts.val or counts.test"
        elif not isinstance(per_class, dict) or (task == "classification" and set(per_class) != set(classes)):
            yield f"counts.{split} must say how many images there are of each class: {', '.join(classes)}"
        else:
            yield from (
                f"counts.{split}.{name} must be a number of images, but is {number!r}"
                for name, number in per_class.items()
                if type(number) is not int or number < 0
            )
