"""The whole audit of a folder of films with boxes, as findings in words."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path

from course_lib.audit.boxed_films import (
    BOXED,
    UNBOXED,
    BoxedInventory,
    take_boxed,
)
from course_lib.audit.boxed_rows import counted, look_at_boxes, named
from course_lib.audit.duplicates import find_duplicates
from course_lib.audit.image_folders import SPLITS
from course_lib.audit.inventory import ImageFile
from course_lib.audit.pictures import find_odd_pictures
from course_lib.audit.report import LOOK, STOP, AuditReport, Finding, Severity
from course_lib.audit.shortcuts import Shortcut, blind_model, corner_model, grey_scale_model
from course_lib.data.image_folder import describe_test_part
from course_lib.sources.dataset_card import DatasetCard
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of

ALIKE = 0.8  #: part of the letters that two names of findings share, in their order


def audit_boxed(folder: str | Path, *, card: DatasetCard | None = None) -> AuditReport:
    """Everything that is looked at in a folder of films with boxes, which needs some seconds; no file is changed.

    The folder and the card are those of `take_boxed`. What may give a finding away is looked for in ``train`` alone,
    and sizes are those of its boxes; faults and copies are looked for everywhere.

    Raises:
        DataError: the folder is not there, there is no film in that layout, or none that can be read.
    """
    inventory = take_boxed(folder, card)
    if not len(inventory.films):
        unreadable = inventory.films.unreadable
        raise DataError(
            f"None of the {len(unreadable):,} films in {printable(inventory.root)} can be read (such as "
            f"{unreadable[0]}). Copy them again from their source."
        )
    parts = (_people, _unboxed, _tables, _files, _contradictions, _names, look_at_boxes, _shortcuts, _copies)
    findings = [finding for look in parts for finding in look(inventory)]
    return AuditReport(printable(Path(folder).resolve().name), tuple(findings))


def _people(inventory: BoxedInventory) -> Iterator[Finding]:
    films = inventory.films
    parts = {split: [film for film in films.files if film.split == split] for split in SPLITS}
    said = [
        f"{split} {len(there):,} films"
        + (f" of {len({film.patient for film in there}):,} patients" if films.knows_patients else "")
        + f", {sum(film.label == BOXED for film in there):,} of them with boxes"
        for split, there in parts.items()
        if there
    ]
    held_back = describe_test_part(inventory.root, films.files) if parts["test"] else ""
    yield Finding("who is in the data", "ok", f"{'; '.join(said)}. {held_back}".rstrip())
    if not films.knows_patients:
        yield Finding(
            "patients",
            "look",
            "the file names do not say whose film it is; every film counts as a patient here.",
            "Intervals are too narrow, and whether a patient is on both sides of a split can not be known.",
            "Ask for a list of patients. Name films <patient>_<number>, or describe their names in a data card.",
        )
    patients = [{film.patient for film in there} for there in parts.values() if there]
    yield counted(
        "patients in two splits",
        sorted({name for one, other in combinations(patients, 2) for name in one & other}),
        "A model may know these patients already: the score is too good.",
        "Move all films of a patient to one side.",
        "stop",
        "" if len(patients) > 1 else " There is only one split.",
    )
    kinds = {label: {film.patient for film in films.files if film.label == label} for label in (BOXED, UNBOXED)}
    both = sorted(kinds[BOXED] & kinds[UNBOXED])
    yield Finding("patients with and without boxes", "ok", f"{len(both):,}{named(both)} have films of both kinds.")


def _unboxed(inventory: BoxedInventory) -> Iterator[Finding]:
    files = inventory.films.files
    without = sum(film.label == UNBOXED for film in files)
    nothing, all_boxed = without == len(files), not without
    yield Finding(
        "films without a box",
        "stop" if nothing else "look" if all_boxed else "ok",
        f"{without:,} of {len(files):,}; they count as films without a finding.",
        "There is nothing to be learned, and nothing to be found."
        if nothing
        else "Nobody here is healthy: the false alarms on healthy people can not be counted.",
        "Look whether the table belongs to these films." if nothing else "Add films without a finding.",
    )


def _tables(inventory: BoxedInventory) -> Iterator[Finding]:
    faults = inventory.faults
    stops = "Loading stops there, or reads something else than was meant."
    yield counted(
        "tables",
        faults.tables,
        stops,
        "Save it as CSV in UTF-8, with commas, and with the names of the columns in the first line: "
        "file,finding,xmin,ymin,xmax,ymax,view.",
        "stop",
    )
    yield counted("broken rows", faults.broken, stops, "Mend the row, or take it out; then count the boxes.", "stop")
    yield counted(
        "rows of missing films",
        faults.missing,
        "Loading stops there: a box without its film can not be learned or found.",
        "Copy the film, or correct its name in the table, with the ending.",
        "stop",
    )


def _files(inventory: BoxedInventory) -> Iterator[Finding]:
    films, remedy = inventory.films, "Look at each; copy it again, mend it, or leave it out with its rows."
    yield counted("unreadable films", films.unreadable, "Loading stops there.", remedy, "stop")
    if films.other:
        yield counted("other files", films.other, "They are not read.", "Convert them to JPEG or PNG, or move them.")
    yield counted(
        "films with two files",
        inventory.faults.twice,
        "It counts twice; the boxes belong to one of the two, and the other seems to have no finding.",
        "Keep one of each, the one that the table names.",
        "stop",
    )
    odd = find_odd_pictures(films)
    for title, files in (
        ("blank films", odd.blank),
        ("negative films", odd.negative),
        ("blurred films", odd.blurred),
        ("odd sizes", odd.odd_size),
    ):
        yield counted(title, [f.shown for f in files], "They train nothing or the wrong thing.", remedy)


def _contradictions(inventory: BoxedInventory) -> Iterator[Finding]:
    nothing = [row for row in inventory.rows if row.says_nothing]
    boxed = {row.film for row in inventory.boxes if row.film is not None}
    yield counted(
        "boxed, and without finding",
        [f"{row.place}: {printable(row.file)}" for row in nothing if row.film in boxed],
        "The table says both, and one of the two is wrong.",
        "Look at the film, or ask who wrote the table; remove the rows that are wrong.",
        "stop",
    )
    if nothing:
        shown = [printable(row.finding) for row in nothing]
        yield Finding(
            "rows without a box",
            "stop",
            f"{len(nothing):,} rows say {some_of(sorted(set(shown)))}.",
            "That is taken for the name of a finding, and loading stops there.",
            "Take these rows out: a film without a row is one without a finding.",
        )


def _names(inventory: BoxedInventory) -> Iterator[Finding]:
    """Against the card where there is one; else the rarer of two names that are alike is doubted."""
    counts = Counter(row.finding for row in inventory.boxes)
    card = inventory.films.card
    known = card.classes if card else ()
    doubted = []
    for name, times in counts.items():
        others = known or [other for other in counts if (counts[other], other) > (times, name)]
        like = max(others, key=lambda other: _likeness(name, other), default="")
        alike = bool(like) and _likeness(name, like) >= ALIKE
        if name not in known and (card or alike or not name):
            hint = f", perhaps {printable(like)}" if alike else ""
            doubted.append(f"{printable(name) or 'no name'} in {times:,} rows{hint}")
    yield counted(
        "names of findings",
        doubted,
        "Loading stops at an unknown finding." if card else "One finding would be learned as two.",
        "Correct the name, or take these rows out; a finding of its own needs a data card that names it."
        if card
        else "If both mean the same, give them one name.",
        "stop" if card or any(not name for name in counts) else "look",
    )


def _likeness(one: str, other: str) -> float:
    """The part of their letters that two names share in their order, 0 to 1; capitals do not count."""
    return SequenceMatcher(None, one[:100].casefold(), other[:100].casefold()).ratio()


def _shortcuts(inventory: BoxedInventory) -> Iterator[Finding]:
    """What tells films with boxes from those without, without any medicine."""
    train = inventory.films.split("train")
    looks: list[tuple[str, Callable[..., Shortcut], Severity, str, str]] = [
        ("file properties", blind_model, "stop", FILES_EFFECT, FILES_REMEDY),
        ("grey scale", grey_scale_model, "look", GREY_EFFECT, GREY_REMEDY),
        ("corners", corner_model, "stop", CORNERS_EFFECT, CORNERS_REMEDY),
    ]
    for title, look, worst, effect, remedy in looks:
        try:
            shortcut = look(train)
        except DataError as reason:
            unknown = "What was not measured is not known to be in order."
            yield Finding(title, "look", f"not measured. {reason}", unknown, "See there.")
            continue
        score, best = shortcut.together, shortcut.single[0]
        low = max(score.low, best.low)
        yield Finding(
            title,
            worst if low > STOP else "look" if low > LOOK else "ok",
            f"films with boxes told from others: {score.area}. Most telling: {best.name}, AUROC {best.auroc:.2f}.",
            effect,
            remedy,
        )


FILES_EFFECT = "Whether a film has a box can be told from its file alone, without looking at a pixel."
FILES_REMEDY = "Save all films in one way (mode, size, quality), and ask how those without a box were collected."
GREY_EFFECT = "Three numbers about the grey scale tell films with boxes: another machine, view or exposure may be why."
GREY_REMEDY = "Bring all films to one grey scale, and vary brightness and contrast in training."
CORNERS_EFFECT = "The corners tell films with boxes: a letter, a border, or how the patient lay. A network reads it."
CORNERS_REMEDY = (
    "Look at the corners of some films of each kind. Crop or black out letters and borders, in training and in use; if "
    "it is how the patient lay, compare films of one view."
)


def _copies(inventory: BoxedInventory) -> Iterator[Finding]:
    found = find_duplicates(inventory.films)
    groups: list[tuple[ImageFile, ...]] = [*found.exact, *((pair.first, pair.second) for pair in found.near)]
    others = sum(len({film.patient for film in group}) > 1 for group in groups)
    across = found.across_splits + found.across_classes
    names = [" = ".join(film.shown for film in group) for group in sorted(groups, key=_graver)]
    yield Finding(
        "duplicates",
        "stop" if across else "look" if groups else "ok",
        f"{len(found.exact):,} groups of films with the same grey values, {len(found.near):,} pairs of nearly the "
        f"same{named(names)}; {others:,} of them of two patients, {found.across_splits:,} span two splits, in "
        f"{found.across_classes:,} one has a box and the other none.",
        "A copy in the test is an answer that was given away; in train it counts twice; if only one has a box, what is "
        "found on the other counts as a false alarm.",
        "Look at them. Keep one of each, with all boxes, and keep it out of the test.",
    )


def _graver(group: Sequence[ImageFile]) -> tuple[bool, ...]:
    """What sorts the groups that span two splits first, then those with two labels, then those of two patients."""
    kinds = ({f.split for f in group}, {f.label for f in group}, {f.patient for f in group})
    return tuple(len(kind) == 1 for kind in kinds)
