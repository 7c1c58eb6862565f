"""Data cards: what one should know about a data set before using it; needs no torch, so that downloads start fast."""

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

from course_lib.support.errors import DataError
from course_lib.support.runtime import COURSE_ROOT

CARDS_FOLDER = COURSE_ROOT / "datasets"
IMAGE_SUFFIXES = {".jpeg", ".jpg", ".png"}


@dataclass(frozen=True)
class DatasetCard:
    """What one should know about a data set before using it; read from ``datasets/<slug>.toml``."""

    slug: str
    name: str
    simulated: bool
    source: str
    handle: str  #: ``owner/name/version`` on Kaggle, empty if it is not there
    version: str
    licence: str
    citation: str
    doi: str
    patients: str  #: who they are
    labels: str  #: how they were made
    defects: tuple[str, ...]  #: known ones
    file_names: tuple[str, ...]  #: regular expressions with a group ``patient``
    splits_share_no_patient: bool  #: is person 7 in train another child than person 7 in test?
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  #: images per split and class

    def patient_of(self, file_name: str) -> str | None:
        """The patient that a file name gives away, or None if the name is not of this data set."""
        for pattern in self.file_names:
            if match := re.fullmatch(pattern, file_name):
                return match["patient"]
        return None


def load_card(slug: str) -> DatasetCard:
    """The card of one data set.

    Raises:
        DataError: there is no such card, or it lacks a field.
    """
    path = CARDS_FOLDER / f"{slug}.toml"
    if not path.is_file():
        raise DataError(f"No data card {slug!r}: expected one of {', '.join(card_slugs())} in {CARDS_FOLDER.name}/.")
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        values["defects"], values["file_names"] = tuple(values["defects"]), tuple(values["file_names"])
        return DatasetCard(**values)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} is no TOML in UTF-8: {error}. Compare it with the other cards.") from error
    except (TypeError, KeyError) as error:
        raise DataError(
            f"{path.name} is not a complete data card: {error}. Compare it with the other cards."
        ) from error


def card_slugs() -> list[str]:
    """The slugs of all cards, in alphabetical order."""
    return sorted(path.stem for path in CARDS_FOLDER.glob("*.toml"))
