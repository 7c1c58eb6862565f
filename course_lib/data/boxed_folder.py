"""From a folder of films with a table of boxes to samples: which boxes a film has, of what, and whose it is."""

import csv
import io
import math
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from course_lib.data.outlines_and_boxes import BoxedImage
from course_lib.data.volume_folder import patient_of
from course_lib.sources.dataset_card import DatasetCard, card_slugs, load_card
from course_lib.sources.foreign_image import (
    IMAGE_SUFFIXES,
    JPEG_START,
    TURNS,
    ImageError,
    class_folders,
    entries_in,
    images_in,
    names_an_image,
)
from course_lib.support.errors import DataError
from course_lib.support.foreign import LONGEST_PATH, printable, some_of, understood

IMAGES, TABLE = "images", "boxes.csv"
PARTS = ("", "train", "test")  #: where both may lie
CORNERS = ("xmin", "ymin", "xmax", "ymax")  #: px of the film; the right and the lower edge do not belong to the box
NEEDED = ("file", "finding", *CORNERS)  #: columns of the table
OPTIONAL = ("view", "subtlety", "contrast_to_noise")  #: are read where the table has them; others are passed over
MOST_BYTES = 20_000_000  #: of a table; the 984 boxes of the NIH have 50,000
ROUNDING_PX = 0.5  #: by which a box may lie beyond the film: its edges were rounded when the film was made smaller
MOST_FRACTION = 1.5  #: the largest number of a box in fractions of a film, which may reach beyond the edge a little
SIDEWAYS = {turn for turn in TURNS.values() if turn.name in ("TRANSPOSE", "TRANSVERSE", "ROTATE_90", "ROTATE_270")}
Corners = tuple[float, float, float, float]


def holds_boxed(root: Path) -> bool:
    """Whether ``images/`` lies beside ``boxes.csv``: in the folder, or in its folders ``train`` and ``test``."""
    return any(True for _ in _parts_of(root))


def find_boxed(folder: Path) -> Path:
    """The folder that `holds_boxed`: this one, or the only one in it that does, as archives are often packed."""
    if not folder.is_dir() or holds_boxed(folder):
        return folder
    within = [path for path in class_folders(folder) if holds_boxed(path)]
    return within[0] if len(within) == 1 else folder


def boxed_images_of(root: Path) -> list[Path]:
    """The films of all parts, by their names; hidden files do not count."""
    return [path for part in _parts_of(root) for path in entries_in(part / IMAGES, names_an_image)]


def files_of_boxed(root: Path) -> list[Path]:
    """The same, and the tables."""
    return [*boxed_images_of(root), *(part / TABLE for part in _parts_of(root))]


def is_in_fractions(box: Sequence[float]) -> bool:
    """Whether the four numbers of a box are parts of the film: in px, it would be a dot in the corner."""
    return all(abs(number) <= MOST_FRACTION for number in box)


def read_boxed(folder: Path, classes: Sequence[str], card: DatasetCard | None = None) -> list[BoxedImage]:
    """The films in ``images/``, sorted by their names, each with its boxes from ``boxes.csv``, in the table's order.

    A film without a row has no finding. Its patient comes from its name, by the pattern of the card (of all cards,
    where none is given). Corners are px of the film as a viewer shows it. What is beyond its edge by no more than
    `ROUNDING_PX` is cut off. Of a film with boxes the header is read, so that its size is known; none is decoded.

    Raises:
        DataError: a film or the table is missing, broken or too large; two files are one film; a name gives no patient;
            or a row names no film or an unknown finding, is there twice, or has no box in px of its film. The message
            names the line.
    """
    films = _films_in(folder)
    rows = _rows_of(folder / TABLE)
    _check_rows(folder / TABLE, rows, films, classes)
    cards = [card] if card else [load_card(slug) for slug in card_slugs()]
    of_film: dict[str, list[_Row]] = {name: [] for name in films}
    for row in rows:
        of_film[row.file].append(row)
    return [_sample(path, of_film[name], classes, patient_of(path, cards)) for name, path in films.items()]


@dataclass(frozen=True)
class _Row:
    """One row of the table, as it stands there."""

    line: int  #: where it ends in the file, from 1
    file: str
    finding: str
    box: Corners
    view: str
    subtlety: str | None  #: None where the table has no such column
    contrast_to_noise: float | None

    @property
    def where(self) -> str:
        """How a message begins that is about it."""
        return f"Line {self.line:,} of {TABLE} ({printable(self.file)}, {printable(self.finding)})"


def _parts_of(root: Path) -> Iterator[Path]:
    for part in PARTS:
        if (root / part / IMAGES).is_dir() and (root / part / TABLE).is_file():
            yield root / part


def _films_in(folder: Path) -> dict[str, Path]:
    """The films by their names, sorted."""
    images = folder / IMAGES
    paths = images_in(images) if images.is_dir() else []
    if not paths:
        raise DataError(
            f"{printable(folder, LONGEST_PATH)} must hold films in {IMAGES}/ and their boxes in {TABLE}, but has no "
            f"film of the kinds {', '.join(sorted(IMAGE_SUFFIXES))} there. Point COURSE_DATA at the folder that holds "
            f"both, or train/ and test/ with both in each."
        )
    named = Counter(path.stem for path in paths)
    if twice := [path.name for path in paths if named[path.stem] > 1]:
        raise DataError(
            f"{printable(images, LONGEST_PATH)} holds {len(twice):,} files whose names differ only in their endings "
            f"({some_of(twice)}), so one film is there twice. Keep one file of each."
        )
    return {path.name: path for path in paths}


def _rows_of(table: Path) -> list[_Row]:
    """The rows of the table; whether they fit the films is not known yet."""
    shown = printable(table, LONGEST_PATH)
    again = "Copy it again from its source, or save it as CSV in UTF-8 with a comma between the columns."
    with understood(lambda reason: DataError(f"{shown} can not be read as a table ({reason}). {again}")):
        lines = csv.reader(io.StringIO(_text_of(table), newline=""), strict=True)
        header = next(lines, [])
        below = [(lines.line_num, cells) for cells in lines if cells]
    columns = _columns_of(shown, header)
    rows = [_row(shown, line, cells, columns, len(header)) for line, cells in below]
    _check_no_fractions(shown, rows)
    return rows


def _text_of(table: Path) -> str:
    shown = printable(table, LONGEST_PATH)
    if not table.exists():
        raise DataError(
            f"There is no {shown}. Expected one with the columns {', '.join(NEEDED)}, and a row for each box: copy it "
            "there. Where no film has a box, the header alone will do."
        )
    found = table.stat()
    if not stat.S_ISREG(found.st_mode):
        raise DataError(f"{shown} is no file. Expected a table in CSV: copy it there.")
    if found.st_size > MOST_BYTES:
        raise DataError(
            f"{shown} has {found.st_size:,} bytes, more than a table of boxes can have ({MOST_BYTES:,} at most). Is it "
            "another file? Take out what is no box."
        )
    return table.read_bytes().decode("utf-8-sig")


def _columns_of(shown: str, header: Sequence[str]) -> dict[str, int]:
    """The place of each column that is read."""
    names = [name.strip() for name in header]
    missing = [name for name in NEEDED if name not in names]
    twice = sorted(name for name in {*NEEDED, *OPTIONAL} if names.count(name) > 1)
    if missing or twice:
        wrong = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(twice)} twice"
        raise DataError(
            f"The first line of {shown} must name the columns {', '.join(NEEDED)}, each once and with a comma between, "
            f"but {wrong}: it is {printable(','.join(header)) or 'empty'}. Correct the first line, or add it."
        )
    return {name: names.index(name) for name in (*NEEDED, *OPTIONAL) if name in names}


def _row(shown: str, line: int, cells: Sequence[str], columns: Mapping[str, int], width: int) -> _Row:
    if len(cells) != width:
        raise DataError(
            f"Line {line:,} of {shown} has {len(cells)} columns, but the first line {width} "
            f"({printable(','.join(cells))}). Correct the line, or remove it."
        )
    told = {name: cells[place].strip() for name, place in columns.items()}
    where = f"Line {line:,} of {shown}"
    left, top, right, bottom = (_number(where, name, told[name]) for name in CORNERS)
    contrast = told.get("contrast_to_noise")
    return _Row(
        line,
        told["file"],
        told["finding"],
        (left, top, right, bottom),
        told.get("view", ""),
        told.get("subtlety"),
        None if contrast is None else _number(where, "contrast_to_noise", contrast),
    )


def _number(where: str, name: str, text: str) -> float:
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(
            f"{where} has {printable(text) or 'nothing'} as {name}, but a finite number is expected, such as 84.5. "
            "Correct the line, or remove it."
        )
    return value


def _check_no_fractions(shown: str, rows: Sequence[_Row]) -> None:
    """Do nothing unless boxes are given in parts of the film's width and height, all of them or some."""
    fractions = [row for row in rows if is_in_fractions(row.box)]
    if not fractions:
        return
    remedy = "Multiply x by the width of the film and y by its height, in px."
    if len(fractions) == len(rows):
        raise DataError(
            f"All {len(rows):,} boxes in {shown} have no number above {MOST_FRACTION:g}, so they are fractions of the "
            f"film, but px are expected. {remedy}"
        )
    raise DataError(
        f"{shown} mixes two formats: {len(fractions):,} of its {len(rows):,} boxes have no number above "
        f"{MOST_FRACTION:g}, so they are fractions of the film, the first in line {fractions[0].line:,} "
        f"({printable(fractions[0].file)}), and the others are in px. All must be in px. {remedy}"
    )


def _check_rows(table: Path, rows: Sequence[_Row], films: Mapping[str, Path], classes: Sequence[str]) -> None:
    """Do nothing if each row is of a film that is there and of a known finding, and none is there twice."""
    shown = printable(table, LONGEST_PATH)
    if missing := list(dict.fromkeys(row.file for row in rows if row.file not in films)):
        raise DataError(
            f"{shown} names {len(missing):,} files that are not in {IMAGES}/ ({some_of(missing)}). Copy these films "
            "there, with the names that the table has, or remove their lines."
        )
    known = set(classes)
    if strange := [row for row in rows if row.finding not in known]:
        names = list(dict.fromkeys(row.finding for row in strange))
        raise DataError(
            f"{shown} has {len(strange):,} boxes of unknown findings ({some_of(names)}), the first in line "
            f"{strange[0].line:,}. Expected {', '.join(classes)}: correct the names, or remove these lines."
        )
    first: dict[tuple[str, str, Corners], int] = {}
    for row in rows:
        before = first.setdefault((row.file, row.finding, row.box), row.line)
        if before != row.line:
            raise DataError(
                f"{row.where} is the same box as line {before:,} in {shown}. It would count twice: remove one of both."
            )


def _sample(path: Path, rows: Sequence[_Row], classes: Sequence[str], patient: str) -> BoxedImage:
    if not rows:
        return BoxedImage(path, (), (), patient)
    views = sorted({row.view for row in rows})
    if len(views) > 1:
        raise DataError(
            f"{printable(path.name)} has several views in {TABLE} ({some_of(views)}, the last of its lines is "
            f"{rows[-1].line:,}). A film has one: correct its lines."
        )
    size = _size_of(path)
    return BoxedImage(
        path,
        tuple(_within(row, size) for row in rows),
        tuple(classes.index(row.finding) for row in rows),
        patient,
        view=views[0],
        subtlety=tuple(row.subtlety for row in rows if row.subtlety is not None),
        contrast_to_noise=tuple(row.contrast_to_noise for row in rows if row.contrast_to_noise is not None),
    )


def _within(row: _Row, size: tuple[int, int]) -> Corners:
    """The box of a row, on its film of this width and height."""
    left, top, right, bottom = row.box
    if min(row.box) < 0:
        raise DataError(
            f"{row.where} has a negative edge, {_told(row)}. Edges are px from the left and upper edge of the film, 0 "
            "or more. Correct the line, or remove it."
        )
    if right <= left or bottom <= top:
        raise DataError(
            f"{row.where} has a box of no size, {_told(row)}. xmax must be above xmin and ymax above ymin. Are they "
            "in another order, or width and height? Correct the line, or remove it."
        )
    width, height = size
    if max(right - width, bottom - height) > ROUNDING_PX or left >= width or top >= height:
        raise DataError(
            f"{row.where} reaches beyond the film, which has {width} x {height} px, with {_told(row)}. Were the boxes "
            "drawn on films of another size? Scale them, correct the line, or remove it."
        )
    return left, top, min(right, float(width)), min(bottom, float(height))


def _told(row: _Row) -> str:
    return ", ".join(f"{name} {edge:g}" for name, edge in zip(CORNERS, row.box, strict=True))


def _size_of(path: Path) -> tuple[int, int]:
    """Width and height of a film as a viewer shows it, from its header."""
    with (
        understood(lambda reason: ImageError(path, "can not be measured", reason=reason)),
        path.open("rb") as file,
    ):
        start = file.read(len(JPEG_START))
        file.seek(0)
        image: JpegImageFile | PngImageFile = (JpegImageFile if start == JPEG_START else PngImageFile)(file)
        width, height = image.size
        return (height, width) if _is_turned_sideways(image) else (width, height)


def _is_turned_sideways(image: Image.Image) -> bool:
    """Whether a viewer turns the picture by a quarter, as far as its header says; damaged notes turn nothing."""
    try:  # PNG's own getexif would decode the picture
        return TURNS.get(Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)) in SIDEWAYS
    except Exception:  # noqa: BLE001  # as in `read_image`, which shows the picture as it lies in the file then
        return False
