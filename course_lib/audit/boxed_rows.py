"""What the audit finds in the rows of a table of boxes: their numbers, their format, and what they say of the films."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from course_lib.audit.boxed_films import UNBOXED, BoxedInventory, Row
from course_lib.audit.report import Finding, Severity
from course_lib.data.boxed_folder import ROUNDING_PX, is_in_fractions
from course_lib.support.foreign import printable, some_of

AS_NAMED = "corners in px"  #: the reading that the columns are named after
DOUBLE = 0.9  #: intersection over union, above which two boxes count as one
LARGE = 0.5  #: part of the film
SMALL_PX = 4  #: of the shorter side
MANY = 20  #: boxes on one film
MOST_COMPARED = 1000  #: boxes of one film with each other: a million pairs
FEW_PATIENTS = 10  #: with one finding; an interval over so few is as wide as the question
UNLIKELY = 0.05  #: chance of such a difference between views, shared among the findings (Bonferroni)
BOTH_MAY_FIT = 5  #: rows, from which on it is worth a look that all of them have a second reading
OFTEN = 0.1  #: part of the boxes


def look_at_boxes(inventory: BoxedInventory) -> Iterator[Finding]:
    """What there is to say of the boxes, in words; faults of all films, and sizes and views of those in ``train``."""
    boxes = TableBoxes.of(inventory)
    for look in (_numbers, _formats, _edges, _doubles, _sizes, _each_finding, _views):
        yield from look(boxes)


@dataclass(frozen=True)
class TableBoxes:
    """The rows that stand for a box, as arrays."""

    inventory: BoxedInventory
    rows: list[Row]  #: those with four numbers
    no_numbers: list[Row]
    numbers: NDArray[np.float64]  #: [rows, 4], as they stand in the table
    sizes: NDArray[np.float64]  #: [rows, 2], width and height of the film in px; not-a-number where it is not there
    readings: dict[str, NDArray[np.bool_]]  #: see `readings_of`, [rows] each

    @classmethod
    def of(cls, inventory: BoxedInventory) -> "TableBoxes":
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


def readings_of(numbers: NDArray[np.float64], sizes: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """By which readings the four numbers of each row make a box on its film, [rows] each.

    ``numbers`` [rows, 4]; ``sizes`` [rows, 2] are width and height of the film in px, not-a-number where unknown. What
    `is_in_fractions` is not in pixels. Corners may lie outside the film, because that is what the columns are named
    after; another reading must bring the box onto it.
    """
    fractions = np.array([is_in_fractions(row) for row in numbers.tolist()], dtype=bool)
    first, second = numbers[:, :2], numbers[:, 2:]
    made = {}
    for unit, chosen, edges, slack in (("px", ~fractions, sizes, 1.0), ("fractions", fractions, np.ones(2), 0.01)):
        for order, low, high in (
            ("corners", first, second),
            ("x, y, width, height", first, first + second),
            ("centre, width, height", first - second / 2, first + second / 2),
        ):
            inside = ((low >= -slack) & (high <= edges + slack)).all(axis=1) | (order == "corners")
            made[f"{order} in {unit}"] = np.asarray(chosen & inside & (high > low).all(axis=1))
    return made


def counted(
    title: str, found: Sequence[str], effect: str, remedy: str, worst: Severity = "look", more: str = ""
) -> Finding:
    """Whatever was found, counted, with the names of the first, and ``more`` about it."""
    return Finding(title, worst if found else "ok", f"{len(found):,}{named(found)}.{more}", effect, remedy)


def named(names: Sequence[str]) -> str:
    """The first of the names in brackets, for a sentence; nothing where there are none."""
    return f" ({some_of(names)})" if names else ""


def _numbers(boxes: TableBoxes) -> Iterator[Finding]:
    yield counted(
        "boxes without numbers",
        [row.shown for row in boxes.no_numbers],
        "Loading stops there; and a box of not-a-number would make every loss after it not-a-number.",
        "Find the numbers, written with a point as 84.5, or take the row out.",
        "stop",
    )
    yield counted(
        "negative numbers",
        boxes.shown(np.asarray((boxes.numbers < 0).any(axis=1))),
        "Loading stops there. A film begins at 0; what is left of it or above can not be seen.",
        "Set it to 0 if the box was drawn over the edge. If there are many, find out where the numbers begin.",
        "stop",
    )
    yield counted(
        "boxes of no size",
        boxes.shown(np.asarray((boxes.numbers[:, 2:] <= boxes.numbers[:, :2]).any(axis=1))),
        "Loading stops there: xmax must be above xmin, and ymax above ymin.",
        "Exchange the two where they stand the wrong way round. Width and height may stand there instead: see formats.",
        "stop",
    )


def _formats(boxes: TableBoxes) -> Iterator[Finding]:
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
        guess += f" {elsewhere.sum():,} rows must then be in another format{named(boxes.shown(elsewhere))}."
    yield Finding(
        "formats",
        "stop" if wrong else "look" if doubt else "ok",
        f"of {rows:,} rows with numbers make sense: {said} (a row may count more than once).{guess}",
        "Whoever reads all rows as corners in px puts boxes where nothing is, and often no message says so.",
        "Draw some boxes on their films. Write all of them as corners in px: x + width and y + height are the other "
        "corner, and a fraction times the width or height of the film is px.",
    )


def _any(boxes: TableBoxes, readings: Sequence[str]) -> NDArray[np.bool_]:
    """Which rows make sense by one of the readings, [rows]."""
    each = np.array([boxes.readings[name] for name in readings], dtype=bool)
    return np.asarray(each.reshape(len(readings), len(boxes.rows)).any(axis=0))


def _edges(boxes: TableBoxes) -> Iterator[Finding]:
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
    yield counted(
        "boxes outside the film", boxes.shown(outside), "Nothing is there, and loading stops.", hint, "stop", said
    )
    yield counted(
        "boxes beyond the edge",
        [f"{boxes.rows[i].shown} by {beyond[i]:.4g} px" for i in np.flatnonzero(partly)],
        f"Loading stops where it is more than {ROUNDING_PX:g} px, which rounding explains.",
        hint if often else "Cut the box off at the edge, if it was drawn over it.",
        "stop",
        said,
    )


def _doubles(boxes: TableBoxes) -> Iterator[Finding]:
    films = _by_film(boxes)
    same = [pair for group in films.values() for pair in _pairs(boxes, group, of_one_finding=True)]
    other = [pair for group in films.values() for pair in _pairs(boxes, group, of_one_finding=False)]
    doubted = [boxes.rows[place] for place in {place for pair in same for place in pair}]
    told = [(row.film, row.finding, row.numbers) for row in doubted]
    capped = any(len(group) == MOST_COMPARED for group in films.values())
    note = f" Of each film, no more than {MOST_COMPARED:,} boxes were compared." if capped else ""
    yield counted(
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
    yield counted(
        "one box, two findings",
        [f"{boxes.rows[two].shown} = {boxes.rows[one].place}" for one, two in other],
        "Both may be right. A detector that gives a place one name misses one of them.",
        "Find out whether the findings exclude each other; if so, keep one.",
        more=mostly + note,
    )


def _by_film(boxes: TableBoxes) -> dict[int, list[int]]:
    """The rows of each film whose second corner is beyond the first, no more than `MOST_COMPARED` of each."""
    films: dict[int, list[int]] = defaultdict(list)
    for place in np.flatnonzero((boxes.numbers[:, 2:] > boxes.numbers[:, :2]).all(axis=1)):
        film = boxes.rows[place].film
        if film is not None and len(films[film]) < MOST_COMPARED:
            films[film].append(int(place))
    return films


def _pairs(boxes: TableBoxes, group: Sequence[int], *, of_one_finding: bool) -> Iterator[tuple[int, int]]:
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


def _sizes(boxes: TableBoxes) -> Iterator[Finding]:
    chosen = boxes.in_px & np.isfinite(boxes.sizes).all(axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        sides = np.minimum(boxes.numbers[:, 2:], boxes.sizes) - np.maximum(boxes.numbers[:, :2], 0)
        large = chosen & (np.maximum(sides, 0).prod(axis=1) > LARGE * boxes.sizes.prod(axis=1))
        small = chosen & ((boxes.numbers[:, 2:] - boxes.numbers[:, :2]).min(axis=1) < SMALL_PX)
    yield counted(
        "large boxes",
        boxes.shown(large),
        f"More than {LARGE:.0%} of the film: almost any box hits it, so it is found without being seen.",
        "Look whether it was drawn on a larger film, or stands for the whole film.",
    )
    yield counted(
        "small boxes",
        boxes.shown(small),
        f"A side below {SMALL_PX} px: a slip of the mouse, numbers of another unit, or films too small to show it.",
        "Draw it on its film. Correct the row, take it out, or take larger films.",
    )
    counts = Counter(row.film for row in boxes.rows if row.film is not None)
    many = [f"{boxes.inventory.films.files[film].shown} {n:,}" for film, n in counts.most_common() if n > MANY]
    most = f" The most on one film is {max(counts.values()):,}." if counts else ""
    yield counted(
        "films with many boxes",
        many,
        f"More than {MANY}: one film would weigh as much as many, in training and in the score.",
        "Look whether a search grid or the answers of a detector were saved for what a reader saw.",
        "look",
        most,
    )


def _each_finding(boxes: TableBoxes) -> Iterator[Finding]:
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


def _views(boxes: TableBoxes) -> Iterator[Finding]:
    inventory = boxes.inventory
    views: dict[int, set[str]] = defaultdict(set)
    for row in inventory.rows:
        if row.film is not None and (row.view or not row.says_nothing):
            views[row.film].add(row.view)
    yield counted(
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


def _view_table(boxes: TableBoxes, view_of: Mapping[int, str]) -> Finding:
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
