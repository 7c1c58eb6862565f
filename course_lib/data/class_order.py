"""The order of the classes: which of two is the disease, label 1, as a card, a person or the folders' names say it."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from course_lib.sources.dataset_card import DatasetCard
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable

DISEASE_VARIABLE = "COURSE_DISEASE"
HEALTHY = {"normal", "healthy", "negative", "control", "controls", "no disease", "no finding", "no findings"}


def order_classes(
    names: Sequence[str],
    card: DatasetCard | None = None,
    disease: str | None = None,
    *,
    where: Path | str = "the folder",
) -> tuple[str, ...]:
    """The names in the order of their labels; of two, the second is the disease, whose sensitivity is measured.

    A card with just these classes says the order. Else more than two are in alphabetical order, since each of them is
    judged against the rest; and of two, the disease is the one that ``disease`` or ``COURSE_DISEASE`` names, or the one
    beside a class with a name for the healthy, such as NORMAL. ``where`` is the place that a message speaks of.

    Raises:
        DataError: nothing tells which of the two is the disease, or what was told does not fit.
    """
    fits = card is not None and sorted(card.classes) == sorted(names)
    if card and fits and disease is None:
        return card.classes
    told, by_whom = _told(disease)
    if told is not None:
        _check_told(told, by_whom, names, where)
    elif len(names) == 2:
        told = _by_names(names) or _ask(names, where)
    if card and fits and told != card.classes[1]:
        raise DataError(
            f"{by_whom} says that the disease is {told}, but the card of {card.name} says {card.classes[1]}. Leave it "
            "out, or correct the card."
        )
    return tuple(sorted(names, key=lambda name: (name == told, name)))


def describe_order(classes: Sequence[str], card: DatasetCard | None = None, disease: str | None = None) -> str:
    """How label 1 became the disease, for a note; empty where a card says it, and for more classes than two."""
    if len(classes) != 2 or (card and card.classes == tuple(classes)):
        return ""
    healthy, sick = map(printable, classes)
    told, by_whom = _told(disease)
    reason = f"as {by_whom} says" if told else f"since {healthy} names the healthy"
    return f"Label 1, the disease, is {sick}, {reason}."


def _told(disease: str | None) -> tuple[str | None, str]:
    """What a person has said the disease is, if anything, and where."""
    if disease is not None:
        return disease, "disease=…"
    return os.environ.get(DISEASE_VARIABLE) or None, DISEASE_VARIABLE


def _check_told(told: str, by_whom: str, names: Sequence[str], where: Path | str) -> None:
    listed = ", ".join(map(printable, names))
    if len(names) > 2:
        raise DataError(
            f"{by_whom} names one of two classes, but {where} has {len(names)} ({listed}), each of which is judged "
            "against the rest. Leave it out, or keep two of the folders."
        )
    if told not in names:
        raise DataError(
            f"{by_whom} must be one of the class folders in {where} ({listed}), letter by letter, but is "
            f"{printable(told)}. Correct it, or rename the folder."
        )


def _by_names(names: Sequence[str]) -> str:
    """The one beside a class that is called as healthy classes are; empty if none of the two is, or both are."""
    sick = [name for name in names if re.sub(r"[\s_-]+", " ", name).strip().casefold() not in HEALTHY]
    return sick[0] if len(sick) == 1 else ""


def _ask(names: Sequence[str], where: Path | str) -> NoReturn:
    one, other = map(printable, names)
    raise DataError(
        f"Which of the two classes in {where} is the disease, {one} or {other}? No data card has these classes, and "
        "their names do not tell. If the wrong one had label 1, sensitivity and specificity would change places. So "
        f"set the variable {DISEASE_VARIABLE} to the name of that folder before you start, or call "
        f"open_dataset(…, disease={one!r}) or open_dataset(…, disease={other!r})."
    )
