"""The films of ChestX-ray14 that have boxes, and as many without a finding, fetched one by one from Kaggle.

The whole set has 112,120 films of 1024 x 1024 pixels, 45 GB at Kaggle. Its table of boxes has 984 on 880 of them.
Source: Wang et al., ChestX-ray8, CVPR 2017, arXiv:1705.02315; the figures are what Kaggle and readers of the table say.
"""

import bisect
import contextlib
import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from course_lib.sources.archive import BOXES as COURSE_TABLE
from course_lib.sources.archive import MANIFEST, check_counts, write_manifest
from course_lib.sources.dataset_card import DatasetCard
from course_lib.sources.download import DownloadError, Patience, disk_problem, say_bytes
from course_lib.sources.foreign_image import PNG_START, READABLE_MODES, ImageError, read_image
from course_lib.sources.kaggle_address import KaggleAddresses
from course_lib.sources.single_files import COMING, Limits, fetch_files, is_coming
from course_lib.support.errors import DataError
from course_lib.support.files import digest_of_bytes, write_whole
from course_lib.support.foreign import printable, understood
from course_lib.support.own_files import files_below, finished, remove_half_made

BOXES, ENTRIES = "BBox_List_2017.csv", "Data_Entry_2017.csv"
TABLES, SET = "tables", "set"  #: folders, beside the lock, in which the tables and the films are put together
BOXES_HEADER = ["Image Index", "Finding Label", "Bbox [x", "y", "w", "h]"]
BOXED_FINDINGS = {
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltrate",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
}
NO_FINDING = "No Finding"
VIEWS = ("PA", "AP")
FILM = re.compile(r"[0-9]{8}_[0-9]{3}\.png")
NUMBER = re.compile(r"-?[0-9]{1,4}(\.[0-9]{1,20})?")
FILM_SIDE_PX = 1024  #: of every film on Kaggle, in whose pixels the boxes are
MOST_OUTSIDE_PX = 32.0  #: by which a box may reach over the edge; it is cut there
MOST_ROWS = 200_000
TABLE_LIMITS = Limits(most_bytes=50_000_000, usual_bytes=4_000_000)
USUAL_FILM_BYTES = 400_000  #: 45 GB / 112,120
MOST_FILM_BYTES = 6_000_000  #: four channels of 1024 x 1024 pixels that can not be made smaller have 4 MB
FOLDERS = (  #: the first film in each of images_001 to images_012; they hold 4,999, ten times 10,000 and 7,121 films
    "00000001_000.png",
    "00001336_000.png",
    "00003923_014.png",
    "00006585_007.png",
    "00009232_004.png",
    "00011558_008.png",
    "00013774_026.png",
    "00016051_010.png",
    "00018387_035.png",
    "00020945_050.png",
    "00024718_000.png",
    "00028173_003.png",
)
COURSE_HEADER = ("file", "finding", "xmin", "ymin", "xmax", "ymax", "view")


@dataclass(frozen=True)
class Box:
    """One box of the table, by its corners in pixels of the film; the right and the lower edge are outside."""

    film: str
    finding: str
    xmin: float
    ymin: float
    xmax: float
    ymax: float


@dataclass(frozen=True)
class Entry:
    """What the set's other table says of a film."""

    without_finding: bool
    view: str  #: one of `VIEWS`


def fetch_nih_films(
    card: DatasetCard, work: Path, target: Path, at_most_mb: float | None = None, patience: Patience | None = None
) -> Path:
    """The folder ``target`` with `choose_films` as ``images/<film>`` and their boxes as ``boxes.csv``, all at once.

    What has come is kept in the folder ``work`` until then. Only for who holds the lock of the data set.

    Raises:
        DownloadError: Kaggle can not be reached or says no, the films are too large, or the disk is full.
        DataError: the tables are not what they should be, or name another number of films than the card.
    """
    most_bytes = math.inf if at_most_mb is None else at_most_mb * 1e6
    needed = sum(card.archive.values()) * USUAL_FILM_BYTES
    _check_allowed(card, needed, most_bytes)
    print(f"Asking Kaggle for single files of {card.name}, about {say_bytes(needed)} …", flush=True)
    with KaggleAddresses(card, patience or Patience()) as addresses:
        fetch_files(addresses, {name: name for name in (BOXES, ENTRIES)}, work / TABLES, TABLE_LIMITS)
        places, table = _planned(work / TABLES, card)
        limits = Limits(MOST_FILM_BYTES, USUAL_FILM_BYTES, most_bytes)
        sums = fetch_files(addresses, places, work / SET, limits, made_of=film_of)
    try:
        _complete(work / SET, sums, table)
        (work / SET).rename(target)
    except OSError as error:
        raise disk_problem(error, target.parent, card.name, "What has come is kept. ") from error
    forget_work(work)
    return target


def forget_work(work: Path) -> None:
    """Remove what was kept of a set that is whole by now; a folder stays where somebody else has put something."""
    for name in (TABLES, SET, TABLES + COMING, SET + COMING):
        top = PurePosixPath(name)
        with contextlib.suppress(OSError, DataError):
            remove_half_made(work / name, lambda path, top=top: is_part_of_work(top / path))  # type: ignore[misc]


def is_part_of_work(path: PurePosixPath) -> bool:
    """Whether the folder in which such a set is put together may have a file at this place."""
    if len(path.parts) < 2:
        return False
    top, below = path.parts[0], finished(PurePosixPath(*path.parts[1:]))
    if top == TABLES:
        return str(below) in (BOXES, ENTRIES)
    if top == SET:
        return str(below) in (COURSE_TABLE, MANIFEST) or (str(below.parent) == "images" and _names_a_film(below.name))
    if top == TABLES + COMING:
        return is_coming(below, (BOXES, ENTRIES))
    film = FILM.search(str(below))
    return top == SET + COMING and film is not None and is_coming(below, [f"images/{film[0]}"])


def choose_films(boxes: Sequence[Box], entries: Mapping[str, Entry]) -> list[str]:
    """The films that have a box, and as many that show no finding; sorted by name.

    Those without a finding are the ones whose names have the lowest SHA-256. So the choice is the same everywhere and
    has nothing to do with what a film shows, and a patient with many such films may be in it with several. Their mix of
    views is that of the set, and not that of the films with boxes.

    Raises:
        DataError: a film with a box is not in the table of films, or there are too few films without a finding.
    """
    boxed = {box.film for box in boxes}
    if strange := sorted(boxed - entries.keys()):
        raise DataError(f"{BOXES} names {strange[0]}, which {ENTRIES} does not know. {CHANGED}")
    others = [name for name in entries if entries[name].without_finding and name not in boxed]
    if len(others) < len(boxed):
        raise DataError(
            f"{ENTRIES} names {len(others):,} films without a finding; expected at least {len(boxed):,}, as many as "
            f"have boxes. {CHANGED}"
        )
    others.sort(key=lambda name: digest_of_bytes(name.encode()))
    return sorted(boxed | {*others[: len(boxed)]})


CHANGED = "Kaggle's copy has changed or was damaged on its way: call again, else take the newest course."


def path_at_kaggle(film: str) -> str:
    """Where a film lies in the set, such as ``images_001/images/00000001_000.png``; each folder holds a range of names.

    Source: two programs of others that read the unpacked set name the same twelve films, and so does Kaggle's page.
    """
    return f"images_{bisect.bisect_right(FOLDERS, film):03}/images/{film}"


def read_boxes(content: bytes) -> list[Box]:
    """The boxes of BBox_List_2017.csv, in the order of the table, cut at the edge of the film.

    The heading of the table is ``Image Index,Finding Label,Bbox [x,y,w,h],,,``; its lines end in empty cells as well.

    Raises:
        DataError: a column is missing or there is more, or a row is no box on a film of 1024 x 1024 pixels.
    """
    heading, *rows = _rows(content, BOXES)
    if heading[: len(BOXES_HEADER)] != BOXES_HEADER or any(heading[len(BOXES_HEADER) :]):
        raise DataError(f"{BOXES} begins with {printable(heading)}; expected {BOXES_HEADER}. {CHANGED}")
    if not rows:
        raise DataError(f"{BOXES} has no rows. {CHANGED}")
    return [_box(row, number) for number, row in enumerate(rows, start=2)]


def read_entries(content: bytes) -> dict[str, Entry]:
    """What Data_Entry_2017.csv says of each film.

    Raises:
        DataError: a column is missing, a film stands there twice, or a row is none of a film.
    """
    heading, *rows = _rows(content, ENTRIES)
    wanted = ("Image Index", "Finding Labels", "View Position")
    if any(heading.count(name) != 1 for name in wanted):
        raise DataError(f"{ENTRIES} begins with {printable(heading)}; expected {', '.join(wanted)} in it. {CHANGED}")
    columns = [heading.index(name) for name in wanted]
    entries: dict[str, Entry] = {}
    for number, row in enumerate(rows, start=2):
        film, findings, view = (row[column] if column < len(row) else "" for column in columns)
        if not _names_a_film(film) or not findings or view not in VIEWS or film in entries:
            raise _strange_row(ENTRIES, number, row, "a new film, its findings and its view, PA or AP")
        entries[film] = Entry(findings == NO_FINDING, view)
    return entries


def table_of(boxes: Sequence[Box], entries: Mapping[str, Entry]) -> str:
    """The course's ``boxes.csv``: one line a box, in pixels of the film, to a tenth; what stands there twice, once."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COURSE_HEADER)
    for box in dict.fromkeys(boxes):
        corners = (f"{value:.1f}" for value in (box.xmin, box.ymin, box.xmax, box.ymax))
        lines.writerow((box.film, box.finding, *corners, entries[box.film].view))
    return text.getvalue()


def film_of(content: bytes) -> bytes:
    """The film as the course keeps it: as it came, or as a grey PNG if it has a fourth channel, which says nothing.

    Raises:
        DataError: it is no PNG of 1024 x 1024 pixels; the message is the end of a sentence.
    """
    try:
        picture = read_image(content, "it", modes=READABLE_MODES | {"RGBA": "four channels"})
    except ImageError as error:
        raise DataError(error.problem) from error
    if picture.grey.size != (FILM_SIDE_PX, FILM_SIDE_PX) or not content.startswith(PNG_START):
        size = f"{picture.grey.width} x {picture.grey.height} pixels"
        raise DataError(f"is an image of {size}; expected a PNG of {FILM_SIDE_PX} x {FILM_SIDE_PX}")
    if picture.mode != "RGBA":
        return content
    file = io.BytesIO()
    picture.grey.save(file, "PNG")
    return file.getvalue()


def _check_allowed(card: DatasetCard, needed: float, most_bytes: float) -> None:
    if needed > most_bytes:
        raise DownloadError(
            f"{card.name} is a download of about {say_bytes(needed)}, at {say_bytes(USUAL_FILM_BYTES)} a film, and no "
            f"more than {say_bytes(most_bytes)} were allowed here. Run `make data CARD={card.slug}` in a terminal, or "
            "call again without the limit."
        )


def _planned(tables: Path, card: DatasetCard) -> tuple[dict[str, str], str]:
    """Where each film belongs, by its path at Kaggle, and the course's table; tables of no use are removed."""
    try:
        boxes, entries = read_boxes((tables / BOXES).read_bytes()), read_entries((tables / ENTRIES).read_bytes())
        places = {path_at_kaggle(film): f"images/{film}" for film in choose_films(boxes, entries)}
        expected = [PurePosixPath(place) for place in (*places.values(), COURSE_TABLE)]
        check_counts(expected, card, "What Kaggle's tables name", CHANGED)
    except DataError:
        for name in (BOXES, ENTRIES):
            (tables / name).unlink()
        raise
    return places, table_of(boxes, entries)


def _complete(folder: Path, sums: Mapping[str, str], table: str) -> None:
    """Write the table and the manifest, once nothing else is there but the films."""
    expected = {*sums, COURSE_TABLE, MANIFEST}
    if strange := [path for path in files_below(folder) if str(finished(path)) not in expected]:
        raise DataError(
            f"{printable(folder / strange[0])} is none of the films that were asked for, but lies among them. Move it "
            "away, and call again."
        )
    write_whole(folder / COURSE_TABLE, table)
    sums = {COURSE_TABLE: digest_of_bytes(table.encode()), **sums}
    write_manifest(folder, {PurePosixPath(place): sums[place] for place in sorted(sums)})


def _rows(content: bytes, table: str) -> list[list[str]]:
    """The lines of a table, the heading first."""
    with understood(lambda reason: DataError(f"{table} is no table of commas in UTF-8 ({reason}). {CHANGED}")):
        rows = list(_lines(content))
    if not rows or len(rows) > MOST_ROWS:
        raise DataError(f"{table} has {len(rows):,} lines; expected a heading and up to {MOST_ROWS:,}. {CHANGED}")
    return rows


def _lines(content: bytes) -> Iterable[list[str]]:
    return csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)


def _box(row: Sequence[str], number: int) -> Box:
    film, finding, *numbers = row[: len(BOXES_HEADER)] if len(row) >= len(BOXES_HEADER) else [""] * len(BOXES_HEADER)
    known = _names_a_film(film) and finding in BOXED_FINDINGS and not any(row[len(BOXES_HEADER) :])
    if not known or not all(map(NUMBER.fullmatch, numbers)):
        raise _strange_row(BOXES, number, row, "a film, one of the eight findings, and four numbers")
    x, y, width, height = map(float, numbers)
    corners = [x, y, x + width, y + height]
    cut = [min(max(value, 0.0), float(FILM_SIDE_PX)) for value in corners]
    inside = all(abs(value - other) <= MOST_OUTSIDE_PX for value, other in zip(corners, cut, strict=True))
    if not inside or cut[2] - cut[0] < 1 or cut[3] - cut[1] < 1:
        raise _strange_row(BOXES, number, row, f"a box on a film of {FILM_SIDE_PX} x {FILM_SIDE_PX} pixels")
    return Box(film, finding, *cut)


def _names_a_film(name: str) -> bool:
    return FILM.fullmatch(name) is not None


def _strange_row(table: str, number: int, row: Sequence[str], expected: str) -> DataError:
    return DataError(f"Line {number:,} of {table} is {printable(','.join(row))}; expected {expected}. {CHANGED}")
