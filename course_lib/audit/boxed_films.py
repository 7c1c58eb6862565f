"""What the audit knows of a folder of films with boxes: each film is opened once, and each row of a table is read once.

A folder of them is ``images/`` beside ``boxes.csv``, in the folder itself or in its folders ``train``, ``val`` and
``test``. Whatever can be understood is looked at, so that all faults of a folder are named at once.
"""

import csv
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from course_lib.audit.image_folders import SPLITS, ImagePlace
from course_lib.audit.inventory import ImageFile, Inventory, read_files
from course_lib.data.boxed_folder import CORNERS, IMAGES, MOST_BYTES, NEEDED, TABLE, find_boxed, holds_boxed
from course_lib.data.image_folder import hold_back_test, likely_card
from course_lib.sources.dataset_card import DatasetCard
from course_lib.sources.foreign_image import files_in, folders_in, names_an_image
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of, understood
from course_lib.support.runtime import expanded

BOXED, UNBOXED = "boxed", "unboxed"  #: the labels of the films
NO_FINDING = ("no finding", "no findings", "normal", "healthy", "none")  #: how tables say it, in small letters
LONGEST_LINE = 10_000  #: characters of a row
SEPARATORS = ",;\t|"
VIEW = "view"
NAME = re.compile(r"(?P<patient>.+)_\d+\.\w+", re.ASCII)  #: of a film, where no data card tells how they are named


@dataclass(frozen=True)
class Row:
    """One row of a table, as far as it can be understood."""

    place: str  #: table and line, to be printed
    file: str  #: as it stands there
    finding: str
    view: str  #: empty where the table does not tell it
    written: tuple[str, ...]  #: what stands there for the four numbers
    film: int | None  #: which of the films it names; None if this is missing or can not be read

    @property
    def numbers(self) -> tuple[float, ...] | None:
        """The four numbers; None if one of them is none, or is infinite."""
        with suppress(ValueError):
            values = tuple(math.nan if "_" in text else float(text) for text in self.written)
            return values if all(map(math.isfinite, values)) else None
        return None

    @property
    def says_nothing(self) -> bool:
        """Whether the row stands for a film without finding, and not for a box."""
        return self.finding.casefold() in NO_FINDING

    @property
    def shown(self) -> str:
        """Place and numbers, to be printed."""
        return f"{self.place}: {printable(' '.join(self.written), 60)}"


@dataclass(frozen=True)
class BoxedFaults:
    """What is wrong with the tables and the names of the files; texts that are to be printed."""

    tables: list[str] = field(default_factory=list)  #: that can not be read, or only by guessing
    broken: list[str] = field(default_factory=list)  #: rows that can not be parted into columns
    missing: list[str] = field(default_factory=list)  #: files that a row names, each once, with one that is like it
    twice: list[str] = field(default_factory=list)  #: films with two files, by their names


@dataclass(frozen=True)
class BoxedInventory:
    """All films and rows of a folder."""

    root: Path
    films: Inventory  #: those that can be read; their labels are `BOXED` and `UNBOXED`
    rows: tuple[Row, ...]
    faults: BoxedFaults

    @property
    def boxes(self) -> list[Row]:
        """The rows that stand for a box."""
        return [row for row in self.rows if not row.says_nothing]

    def film_of(self, row: Row) -> ImageFile | None:
        """The film that a row names, if it can be read."""
        return None if row.film is None else self.films.files[row.film]


def take_boxed(folder: str | Path, card: DatasetCard | None = None) -> BoxedInventory:
    """Every film of a folder, opened once, and every row of its tables; no file is changed.

    Without a card, the one whose file names fit is taken; if there is none, a film is named ``<patient>_<number>``.
    Where no film is to test on, `hold_back_test` chooses some of those in ``train``, as for training. What can not be
    read or understood is listed, not raised.

    Raises:
        DataError: the folder is not there, may not be read, or there is no film in that layout.
    """
    root = find_boxed(expanded(folder))
    card = card or likely_card(root)
    faults = BoxedFaults()
    paths = {part: _films_in(root / part) for part in ("", *SPLITS)}
    if not holds_boxed(root) or not any(paths.values()):
        raise DataError(
            f"There is no film to audit in {printable(root)}. Expected {IMAGES}/ with films beside {TABLE}, in the "
            "folder itself or in train/, val/ and test/."
        )
    told = [row for part, there in paths.items() for row in _rows_of_part(root, part, there, faults)]
    boxed = {path for path, row in told if path and not row.says_nothing}
    films = _read_films(root, _places(root, paths, boxed, card), card)
    faults.twice.extend(_named_twice(root, [path for there in paths.values() for path in there]))
    places = {film.path: place for place, film in enumerate(films.files)}
    rows = tuple(replace(row, film=places.get(path)) if path else row for path, row in told)
    return BoxedInventory(root, films, rows, faults)


def _films_in(part: Path) -> list[Path]:
    folder = part / IMAGES
    return [path for path in files_in(folder) if names_an_image(path)] if folder.is_dir() else []


def _read_films(root: Path, places: Sequence[ImagePlace], card: DatasetCard | None) -> Inventory:
    films, pixels, unreadable = read_files(places, [card] if card else [], "film")
    return Inventory(
        root=root,
        card=card,
        knows_patients=any(film.patient != film.name for film in films),
        files=films,
        pixels=pixels,
        unreadable=unreadable,
        other=tuple(printable(path.relative_to(root).as_posix()) for path in _other_files(root)),
    )


def _places(
    root: Path, paths: Mapping[str, Sequence[Path]], boxed: set[Path], card: DatasetCard | None
) -> list[ImagePlace]:
    """The films in the order of part and name."""
    patients = _patients({path.name for there in paths.values() for path in there}, card)
    places = []
    for part, there in paths.items():
        for path in there:
            name = path.relative_to(root).as_posix()
            label = BOXED if path in boxed else UNBOXED
            places.append(ImagePlace(path, name, part or "train", label, patients.get(path.name) or name, None))
    if not any(place.split == "test" for place in places):
        with suppress(DataError):  # too few patients for a test part
            held_back = {place.path for place in hold_back_test([p for p in places if p.split == "train"])[1]}
            places = [replace(place, split="test") if place.path in held_back else place for place in places]
    return places


def _patients(names: set[str], card: DatasetCard | None) -> dict[str, str | None]:
    """Whose the films are; nothing where no card knows the names, and all would be of one patient."""
    if card and card.file_names:
        return {name: card.patient_of(name) for name in names}
    found = {name: match["patient"] for name in names if (match := NAME.fullmatch(name))}
    return dict(found) if len(set(found.values())) > 1 else {}


def _other_files(root: Path) -> Iterator[Path]:
    for part in ("", *SPLITS):
        if (folder := root / part / IMAGES).is_dir():
            yield from (path for path in files_in(folder) if not names_an_image(path))
            yield from (path for path in folders_in(folder) if not names_an_image(path))


def _named_twice(root: Path, paths: Sequence[Path]) -> Iterator[str]:
    """Films that have one name in two folders or with two endings."""
    named = defaultdict(list)
    for path in paths:
        named[path.stem.casefold()].append(printable(path.relative_to(root).as_posix()))
    return (" = ".join(same) for same in named.values() if len(same) > 1)


def _rows_of_part(
    root: Path, part: str, films: Sequence[Path], faults: BoxedFaults
) -> Iterator[tuple[Path | None, Row]]:
    """The rows of a table, each with the file of its film."""
    table = root / part / TABLE
    shown = printable(table.relative_to(root).as_posix())
    if not table.is_file():
        if films:
            faults.tables.append(f"{shown} is not there, beside {len(films):,} films")
        return
    exact = {path.name: path for path in films}
    alike = {path.stem.casefold(): path for path in films}
    missing: dict[str, str] = {}
    for row in _parsed(shown, table, faults):
        path = exact.get(row.file)
        if path is None:
            path = alike.get(_stem(row.file))
            missing[row.file] = f" (there is {printable(path.name)})" if path else ""
        yield path, row
    faults.missing.extend(f"{shown} {printable(name) or 'no name'}{like}" for name, like in missing.items())


def _stem(name: str) -> str:
    """The name of a file without folders and ending, in small letters."""
    return Path(re.split(r"[/\\]", name)[-1]).stem.casefold()


def _parsed(shown: str, table: Path, faults: BoxedFaults) -> Iterator[Row]:
    """What can be understood of a table, row by row; the rest goes to the faults."""
    try:
        text = _text_of(shown, table, faults)
    except DataError as error:
        faults.tables.append(str(error))
        return
    lines = re.split(r"\r\n|\n|\r", text)
    separator = max(SEPARATORS, key=lines[0].count)
    columns, width, first = _columns(shown, lines[0][:LONGEST_LINE], separator, faults)
    if not columns:
        return
    for number, line in enumerate(lines[first:], first + 1):
        if not line.strip():
            continue
        cells = _cells(line, separator)
        if isinstance(cells, str) or len(cells) != width:
            why = cells if isinstance(cells, str) else f"has {len(cells)} columns, not {width}"
            faults.broken.append(f"{shown} line {number:,} {why}")
            continue
        told = {name: cells[place].strip() for name, place in columns.items()}
        written = tuple(told[name] for name in CORNERS)
        yield Row(f"{shown} line {number:,}", told["file"], told["finding"], told.get(VIEW, ""), written, None)


def _text_of(shown: str, table: Path, faults: BoxedFaults) -> str:
    with understood(lambda reason: DataError(f"{shown} can not be read ({reason})")), table.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise DataError(f"{shown} has more than {MOST_BYTES:,} bytes, too many for boxes")
    if not content.strip():
        raise DataError(f"{shown} is empty")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        with understood(lambda reason: DataError(f"{shown} is broken UTF-16 ({reason})")):
            text = content.decode("utf-16")
        faults.tables.append(f"{shown} is UTF-16")
        return text
    if b"\0" in content:
        raise DataError(f"{shown} is no text, perhaps a spreadsheet under another name")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        faults.tables.append(f"{shown} is no UTF-8 from line {line:,} on")
        return content.decode("latin-1")


def _columns(shown: str, header: str, separator: str, faults: BoxedFaults) -> tuple[dict[str, int], int, int]:
    """The place of each column, how many there are, and with which line the rows begin; no places if it is unknown."""
    cells = _cells(header, separator)
    if isinstance(cells, str):
        faults.tables.append(f"{shown} line 1 {cells}")
        return {}, 0, 0
    if separator != "," and len(cells) > 1:
        faults.tables.append(f"{shown} has {separator!r} between its columns")
    names = [cell.strip().casefold() for cell in cells]
    places = {name: names.index(name) for name in (*NEEDED, VIEW) if name in names}
    if places.keys() >= set(NEEDED):
        if twice := [name for name in places if names.count(name) > 1]:
            faults.tables.append(f"{shown} has {some_of(twice)} twice; the first is taken")
        if strange := [name for name in places if name not in [cell.strip() for cell in cells]]:
            faults.tables.append(f"{shown} writes {some_of(strange)} in other letters")
        return places, len(cells), 1
    if len(cells) >= len(NEEDED) and names_an_image(Path(cells[0].strip())):
        faults.tables.append(f"{shown} has no line with the names of its columns; {', '.join(NEEDED)} are supposed")
        return dict(zip((*NEEDED, VIEW), range(len(cells)), strict=False)), len(cells), 0
    lacking = [name for name in NEEDED if name not in places]
    faults.tables.append(f"{shown} lacks {some_of(lacking, len(lacking))}; it has {printable(header) or 'nothing'}")
    return {}, 0, 0


def _cells(line: str, separator: str) -> list[str] | str:
    """The columns of a line, or what is wrong with it."""
    if len(line) > LONGEST_LINE:
        return f"has {len(line):,} characters"
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error as error:
        return f"can not be parted ({printable(error)})"
