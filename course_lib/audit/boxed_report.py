"""The whole audit of a folder of films with boxes, as findings in words."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from course_lib.audit.boxed_films import (
    AS_NAMED,
    BOXED,
    UNBOXED,
    BoxedInventory,
    Row,
    readings_of,
    take_boxed,
)
from course_lib.audit.duplicates import find_duplicates
from course_lib.audit.image_folders import SPLITS
from course_lib.audit.inventory import ImageFile
from course_lib.audit.pictures import find_odd_pictures
from course_lib.audit.report import LOOK, STOP, AuditReport, Finding, Severity
from course_lib.audit.shortcuts import Shortcut, blind_model, corner_model, grey_scale_model
from course_lib.data.boxed_folder import ROUNDING_PX
from course_lib.data.image_folder import describe_test_part
from course_lib.sources.dataset_card import DatasetCard
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of

DOUBLE = 0.9  #: intersection over union, from which on two boxes are one; two readers of one finding agree less
LARGE = 0.5  #: part of the film
SMALL_PX = 4  #: of the shorter side; a network that works on every 4th or 8th pixel has no cell of its own for it
MANY = 20  #: boxes on one film
MOST_COMPARED = 1000  #: boxes of one film with each other: a million pairs
FEW_PATIENTS = 10  #: with one finding; an interval over so few is as wide as the question
ALIKE = 0.8  #: part of the letters that two names of findings share, in their order
UNLIKELY = 0.05  #: chance of such a difference between views, shared among the findings (Bonferroni)
BOTH_MAY_FIT = 5  #: rows, from which on it is worth a look that all of them have a second reading
OFTEN = 0.1  #: part of the boxes


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
    boxes = _Boxes.of(inventory)
    at_inventory = (_people, _unboxed, _tables, _files, _contradictions, _names)
    at_boxes = (_numbers, _formats, _edges, _doubles, _sizes, _each_finding, _views)
    findings = [finding for look in at_inventory for finding in look(inventory)]
    findings += [finding for look in at_boxes for finding in look(boxes)]
    return AuditReport(printable(Path(folder).resolve().name), (*findings, *_shortcuts(inventory), _copies(inventory)))


@dataclass(frozen=True)
class _Boxes:
    """The rows that stand for a box, as arrays."""

    inventory: BoxedInventory
    rows: list[Row]  #: those with four numbers
    no_numbers: list[Row]
    numbers: NDArray[np.float64]  #: [rows, 4], as they stand in the table
    sizes: NDArray[np.float64]  #: [rows, 2], width and height of the film in px; not-a-number where it is not there
    readings: dict[str, NDArray[np.bool_]]  #: see `readings_of`, [rows] each

    @classmethod
    def of(cls, inventory: BoxedInventory) -> "_Boxes":
        told = [(row, row.numbers) for row in inventory.boxes]
        rows = [row for row, numbers in told if numbers]
        films = [inventory.film_of(row) for row in rows]
        numbers = np.array([numbers for _, numbers in told if numbers], dtype=np.float64).reshape(-1, 4)
        sizes = np.array([(f.width, f.height) if f else (np.nan, np.nan) for f in films], dtype=np.float64)
        sizes = sizes.reshape(-1, 2)
        with np.errstate(over="ignore", invalid="ignore"):  # the numbers may be as large as they like
            readings = readings_of(numbers, sizes)
        return cls(inventory, rows, [row for row, n in told if not n], numbers, sizes, readings)

    @property
    def in_px(self) -> NDArray[np.bool_]:
        """[rows], those that make sense as the columns are named."""
        return self.readings[AS_NAMED]

    def shown(self, chosen: NDArray[np.bool_]) -> list[str]:
        return [self.rows[place].shown for place in np.flatnonzero(chosen)]


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
    yield _finding(
        "patients in two splits",
        sorted({name for one, other in combinations(patients, 2) for name in one & other}),
        "A model may know these patients already: the score is too good.",
        "Move all films of a patient to one side.",
        "stop",
        "" if len(patients) > 1 else " There is only one split.",
    )
    kinds = {label: {film.patient for film in films.files if film.label == label} for label in (BOXED, UNBOXED)}
    both = sorted(kinds[BOXED] & kinds[UNBOXED])
    yield Finding("patients with and without boxes", "ok", f"{len(both):,}{_named(both)} have films of both kinds.")


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
    yield _finding(
        "tables",
        faults.tables,
        stops,
        "Save it as CSV in UTF-8, with commas, and with the names of the columns in the first line: "
        "file,finding,xmin,ymin,xmax,ymax,view.",
        "stop",
    )
    yield _finding("broken rows", faults.broken, stops, "Mend the row, or take it out; then count the boxes.", "stop")
    yield _finding(
        "rows of missing films",
        faults.missing,
        "Loading stops there: a box without its film can not be learned or found.",
        "Copy the film, or correct its name in the table, with the ending.",
        "stop",
    )


def _files(inventory: BoxedInventory) -> Iterator[Finding]:
    films, remedy = inventory.films, "Look at each; copy it again, mend it, or leave it out with its rows."
    yield _finding("unreadable films", films.unreadable, "Loading stops there.", remedy, "stop")
    if films.other:
        yield _finding("other files", films.other, "They are not read.", "Convert them to JPEG or PNG, or move them.")
    yield _finding(
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
        yield _finding(title, [f.shown for f in files], "They train nothing or the wrong thing.", remedy)


def _contradictions(inventory: BoxedInventory) -> Iterator[Finding]:
    nothing = [row for row in inventory.rows if row.says_nothing]
    boxed = {row.film for row in inventory.boxes if row.film is not None}
    yield _finding(
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
    yield _finding(
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


def _numbers(boxes: _Boxes) -> Iterator[Finding]:
    yield _finding(
        "boxes without numbers",
        [row.shown for row in boxes.no_numbers],
        "Loading stops there; and a box of not-a-number would make every loss after it not-a-number.",
        "Find the numbers, written with a point as 84.5, or take the row out.",
        "stop",
    )
    yield _finding(
        "negative numbers",
        boxes.shown(np.asarray((boxes.numbers < 0).any(axis=1))),
        "Loading stops there. A film begins at 0; what is left of it or above can not be seen.",
        "Set it to 0 if the box was drawn over the edge. If there are many, find out where the numbers begin.",
        "stop",
    )
    yield _finding(
        "boxes of no size",
        boxes.shown(np.asarray((boxes.numbers[:, 2:] <= boxes.numbers[:, :2]).any(axis=1))),
        "Loading stops there: xmax must be above xmin, and ymax above ymin.",
        "Exchange the two where they stand the wrong way round. Width and height may stand there instead: see formats.",
        "stop",
    )


def _formats(boxes: _Boxes) -> Iterator[Finding]:
    counts = {name: int(fits.sum()) for name, fits in boxes.readings.items()}
    most, rows = max(counts.values()), len(boxes.rows)
    likeliest = [name for name, n in counts.items() if n == most > 0]
    fits = _any(boxes, likeliest)
    elsewhere = _any(boxes, list(counts)) & ~fits
    wrong = bool(likeliest) and (AS_NAMED not in likeliest or bool(elsewhere.any()))
    doubt = len(likeliest) > 1 and rows >= BOTH_MAY_FIT
    said = "; ".join(f"{n:,} as {name}" for name, n in counts.items() if n) or "none"
    guess = f" Likeliest are {' or '.join(likeliest)}." if wrong or doubt else ""
    if elsewhere.any():
        guess += f" {elsewhere.sum():,} rows must then be in another format{_named(boxes.shown(elsewhere))}."
    yield Finding(
        "formats",
        "stop" if wrong else "look" if doubt else "ok",
        f"of {rows:,} rows with numbers make sense: {said} (a row may count more than once).{guess}",
        "Whoever reads all rows as corners in px puts boxes where nothing is, and often no message says so.",
        "Draw some boxes on their films. Write all of them as corners in px: x + width and y + height are the other "
        "corner, and a fraction times the width or height of the film is px.",
    )


def _any(boxes: _Boxes, readings: Sequence[str]) -> NDArray[np.bool_]:
    """Which rows make sense by one of the readings, [rows]."""
    each = np.array([boxes.readings[name] for name in readings], dtype=bool)
    return np.asarray(each.reshape(len(readings), len(boxes.rows)).any(axis=0))


def _edges(boxes: _Boxes) -> Iterator[Finding]:
    numbers, sizes, known = boxes.numbers, boxes.sizes, boxes.in_px & np.isfinite(boxes.sizes).all(axis=1)
    with np.errstate(invalid="ignore"):
        outside = np.asarray(known & ((numbers[:, 2:] <= 0) | (numbers[:, :2] >= sizes)).any(axis=1))
        beyond = np.maximum(-numbers[:, :2], numbers[:, 2:] - sizes).max(axis=1)
        partly = np.asarray(known & ~outside & (beyond > ROUNDING_PX))
    often = (outside | partly).sum() > OFTEN * max(known.sum(), 1)
    if often:
        farthest = numbers[known].max()
        said = f" The largest number of all boxes is {farthest:g}, the longest side of a film {np.nanmax(sizes):g} px."
        hint = "The boxes may have been drawn on films of another size: multiply them by the ratio of the sizes."
    else:
        said, hint = "", "Draw it on its film; correct the row, or take it out."
    yield _finding(
        "boxes outside the film", boxes.shown(outside), "Nothing is there, and loading stops.", hint, "stop", said
    )
    yield _finding(
        "boxes beyond the edge",
        [f"{boxes.rows[i].shown} by {beyond[i]:.1f} px" for i in np.flatnonzero(partly)],
        f"Loading stops where it is more than {ROUNDING_PX:g} px, which rounding explains.",
        hint if often else "Cut the box off at the edge, if it was drawn over it.",
        "stop",
        said,
    )


def _doubles(boxes: _Boxes) -> Iterator[Finding]:
    films = _by_film(boxes)
    same = [pair for group in films.values() for pair in _pairs(boxes, group, of_one_finding=True)]
    other = [pair for group in films.values() for pair in _pairs(boxes, group, of_one_finding=False)]
    doubted = [boxes.rows[place] for place in {place for pair in same for place in pair}]
    told = [(row.film, row.finding, row.numbers) for row in doubted]
    capped = any(len(group) == MOST_COMPARED for group in films.values())
    note = f" Of each film, no more than {MOST_COMPARED:,} boxes were compared." if capped else ""
    yield _finding(
        "doubled boxes",
        [f"{boxes.rows[two].shown} = {boxes.rows[one].place}" for one, two in same],
        f"Two boxes of one finding with an IoU above {DOUBLE:g}: it counts twice in training, and of the two in a test "
        "one is always missed. If all four numbers are the same, loading stops.",
        "Keep one of the two.",
        "stop" if len(set(told)) < len(told) else "look",
        note,
    )
    kinds = Counter(" and ".join(sorted(printable(boxes.rows[place].finding) for place in pair)) for pair in other)
    mostly = f" They are {', '.join(f'{names} {n:,}' for names, n in kinds.most_common(3))}." if kinds else ""
    yield _finding(
        "one box, two findings",
        [f"{boxes.rows[two].shown} = {boxes.rows[one].place}" for one, two in other],
        "Both may be right. A detector that gives a place one name misses one of them.",
        "Find out whether the findings exclude each other; if so, keep one.",
        more=mostly + note,
    )


def _by_film(boxes: _Boxes) -> dict[int, list[int]]:
    """The rows of each film whose second corner is beyond the first, no more than `MOST_COMPARED` of each."""
    films: dict[int, list[int]] = defaultdict(list)
    for place in np.flatnonzero((boxes.numbers[:, 2:] > boxes.numbers[:, :2]).all(axis=1)):
        film = boxes.rows[place].film
        if film is not None and len(films[film]) < MOST_COMPARED:
            films[film].append(int(place))
    return films


def _pairs(boxes: _Boxes, group: Sequence[int], *, of_one_finding: bool) -> Iterator[tuple[int, int]]:
    """For each row of a film, an earlier one with the same box, of the same finding or of another; if there is one."""
    corners = np.clip(boxes.numbers[group], -1e6, 1e6)  # no film is as large, and the areas stay finite
    names = np.array([boxes.rows[place].finding for place in group])
    area, free = np.prod(corners[:, 2:] - corners[:, :2], axis=1), np.ones(len(group), dtype=bool)
    for i in range(len(group) - 1):
        low, high = np.maximum(corners[i, :2], corners[:, :2]), np.minimum(corners[i, 2:], corners[:, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        alike = free & (shared > DOUBLE * (area[i] + area - shared)) & ((names == names[i]) == of_one_finding)
        alike[: i + 1] = False
        free &= ~alike
        yield from ((group[i], group[int(j)]) for j in np.flatnonzero(alike))


def _sizes(boxes: _Boxes) -> Iterator[Finding]:
    chosen = boxes.in_px & np.isfinite(boxes.sizes).all(axis=1)
    with np.errstate(invalid="ignore"):
        sides = np.minimum(boxes.numbers[:, 2:], boxes.sizes) - np.maximum(boxes.numbers[:, :2], 0)
        large = chosen & (np.maximum(sides, 0).prod(axis=1) > LARGE * boxes.sizes.prod(axis=1))
        small = chosen & ((boxes.numbers[:, 2:] - boxes.numbers[:, :2]).min(axis=1) < SMALL_PX)
    yield _finding(
        "large boxes",
        boxes.shown(large),
        f"More than {LARGE:.0%} of the film: almost any box hits it, so it is found without being seen.",
        "Look whether it was drawn on a larger film, or stands for the whole film.",
    )
    yield _finding(
        "small boxes",
        boxes.shown(small),
        f"A side below {SMALL_PX} px: a slip of the mouse, or numbers of another unit; nothing can be seen in it.",
        "Draw it on its film; correct the row, or take it out.",
    )
    counts = Counter(row.film for row in boxes.rows if row.film is not None)
    many = [f"{boxes.inventory.films.files[film].shown} {n:,}" for film, n in counts.most_common() if n > MANY]
    most = f" The most on one film is {max(counts.values()):,}." if counts else ""
    yield _finding(
        "films with many boxes",
        many,
        f"More than {MANY}: one film would weigh as much as many, in training and in the score.",
        "Look whether a search grid or the answers of a detector were saved for what a reader saw.",
        "look",
        most,
    )


def _each_finding(boxes: _Boxes) -> Iterator[Finding]:
    """Of the part to train on, and of boxes that lie on their films."""
    sides: dict[str, list[float]] = defaultdict(list)
    patients: dict[str, list[str]] = defaultdict(list)
    with np.errstate(invalid="ignore"):
        low, high = boxes.numbers[:, :2], boxes.numbers[:, 2:]
        on_film = boxes.in_px & (low >= 0).all(axis=1) & (high <= boxes.sizes + ROUNDING_PX).all(axis=1)
    for place in np.flatnonzero(on_film):
        row, film = boxes.rows[place], boxes.inventory.film_of(boxes.rows[place])
        if film and film.split == "train":
            left, top, right, bottom = boxes.numbers[place]
            sides[row.finding].append(float(np.sqrt((right - left) * (bottom - top))))
            patients[row.finding].append(film.patient)
    said = [
        f"{printable(name)} {len(each):,} boxes of {len(set(patients[name])):,} patients, {_range(each)}"
        for name, each in sorted(sides.items())
    ]
    each_has = Counter(name for names in patients.values() for name in names).values()
    mean = f" A patient with boxes has {np.mean(list(each_has)):.1f}, at most {max(each_has):,}." if said else ""
    few = [name for name, who in sorted(patients.items()) if len(set(who)) < FEW_PATIENTS]
    yield Finding(
        "boxes of each finding",
        "look" if few else "ok",
        f"in train, with smallest, median and largest root of the area in px: {'; '.join(said) or 'none'}.{mean}",
        f"{some_of(few)}: with fewer than {FEW_PATIENTS} patients, hardly anything can be learned or measured.",
        "Leave these findings out of the comparison, or report them together with others.",
    )


def _range(values: Sequence[float]) -> str:
    return "/".join(f"{value:.0f}" for value in np.quantile(values, [0, 0.5, 1]))


def _views(boxes: _Boxes) -> Iterator[Finding]:
    inventory = boxes.inventory
    views: dict[int, set[str]] = defaultdict(set)
    for row in inventory.rows:
        if row.film is not None and (row.view or not row.says_nothing):
            views[row.film].add(row.view)
    yield _finding(
        "films with two views",
        [
            f"{inventory.films.files[film].shown} {some_of([view or 'none' for view in sorted(each)])}"
            for film, each in views.items()
            if len(each) > 1
        ],
        "A film was taken one way; loading stops where its rows do not agree.",
        "Correct the rows.",
        "stop",
    )
    view_of = {film: told.pop() for film, told in views.items() if len(told) == 1}
    view_of = {film: view for film, view in view_of.items() if view and inventory.films.files[film].split == "train"}
    if view_of:
        yield _view_table(boxes, view_of)


def _view_table(boxes: _Boxes, view_of: Mapping[int, str]) -> Finding:
    """How often each view is among films with a finding, and among the others whose view is known."""
    files = boxes.inventory.films.files
    with_finding: dict[str, set[int]] = defaultdict(set)
    for row in boxes.rows:
        if row.film is not None and row.film in view_of:
            with_finding[row.finding].add(row.film)
    usual = Counter(view_of.values()).most_common(1)[0][0]
    unboxed = [film for film in view_of if files[film].label == UNBOXED]
    untold = sum(film.label == UNBOXED and film.split == "train" for film in files) - len(unboxed)
    tells = [name for name, films in with_finding.items() if _differs(view_of, films, usual, len(with_finding))]
    said = [f"{printable(name)} {_share(view_of, films, usual)}" for name, films in sorted(with_finding.items())]
    if unboxed:
        said.append(f"films without a box {_share(view_of, unboxed, usual)}")
    silent = f" The table does not tell the view of {untold:,} films without a box." if untold else ""
    return Finding(
        "views",
        "look" if tells else "ok",
        f"films of the view {printable(usual)} in train: {'; '.join(said)}.{silent}",
        f"{some_of(sorted(tells))}: chance hardly explains how far the views differ from those of the other films of "
        "known view. A detector can guess from the view what there is to be found.",
        "Report the score of each view apart.",
    )


def _share(view_of: Mapping[int, str], films: Collection[int], usual: str) -> str:
    return f"{sum(view_of[film] == usual for film in films):,} of {len(films):,}"


def _differs(view_of: Mapping[int, str], films: set[int], usual: str, findings: int) -> bool:
    """Whether the usual view is rarer or more frequent on these films than on the others, more than by chance."""
    inside = [view_of[film] == usual for film in films]
    others = [view == usual for film, view in view_of.items() if film not in films]
    table = [[sum(each), len(each) - sum(each)] for each in (inside, others)]
    return bool(fisher_exact(table).pvalue < UNLIKELY / findings)


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


def _copies(inventory: BoxedInventory) -> Finding:
    found = find_duplicates(inventory.films)
    groups: list[tuple[ImageFile, ...]] = [*found.exact, *((pair.first, pair.second) for pair in found.near)]
    others = sum(len({film.patient for film in group}) > 1 for group in groups)
    across = found.across_splits + found.across_classes
    named = [" = ".join(film.shown for film in group) for group in sorted(groups, key=_graver)]
    return Finding(
        "duplicates",
        "stop" if across else "look" if groups else "ok",
        f"{len(found.exact):,} groups of films with the same grey values, {len(found.near):,} pairs of nearly the "
        f"same{_named(named)}; {others:,} of them of two patients, {found.across_splits:,} span two splits, in "
        f"{found.across_classes:,} one has a box and the other none.",
        "A copy in the test is an answer that was given away; in train it counts twice; if only one has a box, what is "
        "found on the other counts as a false alarm.",
        "Look at them. Keep one of each, with all boxes, and keep it out of the test.",
    )


def _graver(group: Sequence[ImageFile]) -> tuple[bool, ...]:
    """What sorts the groups that span two splits first, then those with two labels, then those of two patients."""
    kinds = ({f.split for f in group}, {f.label for f in group}, {f.patient for f in group})
    return tuple(len(kind) == 1 for kind in kinds)


def _finding(
    title: str, found: Sequence[str], effect: str, remedy: str, worst: Severity = "look", more: str = ""
) -> Finding:
    """Whatever was found, counted, with the names of the first, and ``more`` about it."""
    return Finding(title, worst if found else "ok", f"{len(found):,}{_named(found)}.{more}", effect, remedy)


def _named(names: Sequence[str]) -> str:
    return f" ({some_of(names)})" if names else ""
