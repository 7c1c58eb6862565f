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
    beside a class with a name for the healthy, such as NORMAL. The variable is meant for one folder and seen by all, so
    it counts only where it names one of two. ``where`` is the place that a message speaks of.

    Raises:
        DataError: nothing tells which of the two is the disease, or what was told does not fit.
    """
    fits = card is not None and sorted(card.classes) == sorted(names)
    if card and fits and disease is None:
        return card.classes
    if disease is not None:
        _check_told(disease, names, where)
    told = _told(names, disease)
    if len(names) == 2:
        told = told or _by_names(names) or _ask(names, where)
    if card and fits and told != card.classes[1]:
        raise DataError(
            f"disease=… says that the disease is {told}, but the card of {card.name} says {card.classes[1]}. Leave it "
            "out, or correct the card."
        )
    return tuple(sorted(names, key=lambda name: (name == told, name)))


def describe_order(classes: Sequence[str], card: DatasetCard | None = None, disease: str | None = None) -> str:
    """How label 1 became the disease, for a note; empty where a card says it, and for more classes than two."""
    if len(classes) != 2 or (card and card.classes == tuple(classes)):
        return ""
    healthy, sick = map(printable, classes)
    told = _told(classes, disease)
    by_whom = "disease=…" if disease is not None else DISEASE_VARIABLE
    reason = f"as {by_whom} says" if told else f"since {healthy} names the healthy"
    return f"Label 1, the disease, is {sick}, {reason}."


def _told(names: Sequence[str], disease: str | None) -> str | None:
    """What a person has said the disease is: in the call, or in the variable if that names one of two."""
    if disease is not None:
        return disease
    found = os.environ.get(DISEASE_VARIABLE)
    return found if len(names) == 2 and found in names else None


def _check_told(told: str, names: Sequence[str], where: Path | str) -> None:
    listed = ", ".join(map(printable, names))
    if len(names) > 2:
        raise DataError(
            f"disease=… names one of two classes, but {printable(where)} has {len(names)} ({listed}), each of which is "
            "judged against the rest. Leave it out, or keep two of the folders."
        )
    if told not in names:
        raise DataError(
            f"disease=… must be one of the class folders in {printable(where)} ({listed}), letter by letter, but is "
            f"{printable(told)}. Correct it, or rename the folder."
        )


def _by_names(names: Sequence[str]) -> str:
    """The one beside a class that is called as healthy classes are; empty if none of the two is, or both are."""
    sick = [name for name in names if re.sub(r"[\s_-]+", " ", name).strip().casefold() not in HEALTHY]
    return sick[0] if len(sick) == 1 else ""


def _ask(names: Sequence[str], where: Path | str) -> NoReturn:
    one, other = map(printable, names)
    came = os.environ.get(DISEASE_VARIABLE)
    so_far = f" {DISEASE_VARIABLE} is {printable(came)}, which is none of them." if came else ""
    raise DataError(
        f"Which of the two classes in {printable(where)} is the disease, {one} or {other}? No data card has these "
        "classes, and their names do not tell. If the wrong one had label 1, sensitivity and specificity would change "
        f"places.{so_far} So set the variable {DISEASE_VARIABLE} to the name of that folder before you start, or call "
        f"open_dataset(…, disease={one!r}) or open_dataset(…, disease={other!r})."
    )
