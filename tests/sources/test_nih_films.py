"""Which films of ChestX-ray14 are fetched, and what its tables must say; no network."""

import io
from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from course_lib.sources.archive import MANIFEST
from course_lib.sources.nih_films import (
    FOLDERS,
    Box,
    choose_films,
    film_of,
    forget_work,
    is_part_of_work,
    path_at_kaggle,
    read_boxes,
    read_entries,
    table_of,
)
from course_lib.support.errors import DataError
from tests.sources import nih_set
from tests.sources.nih_set import BOX_LINES, BOXED, HEALTHY, SICK, box_table, entry_line, entry_table, film

LOWEST = [f"{patient:08}_000.png" for patient in (2, 1336, 20946, 30805)]  # of `HEALTHY`, by the SHA-256 of the name


def test_a_box_becomes_corners_with_its_view() -> None:
    boxes, entries = read_boxes(box_table()), read_entries(entry_table())
    assert boxes[1] == Box(BOXED[0], "Infiltrate", 0, 10.5, 100, 210.5)
    lines = table_of(boxes, entries).splitlines()
    assert lines[0] == "file,finding,xmin,ymin,xmax,ymax,view"
    assert lines[1] == f"{BOXED[0]},Nodule,225.1,547.0,311.9,626.2,PA"
    assert table_of([boxes[0], *boxes], entries).splitlines() == lines, "nobody reads a box twice"
    assert lines[5] == f"{BOXED[3]},Effusion,900.0,800.0,1024.0,900.0,AP", "cut at the edge of the film"


def test_a_mark_of_the_encoding_and_empty_cells_are_no_columns() -> None:
    assert read_boxes(b"\xef\xbb\xbf" + box_table()) == read_boxes(box_table())
    bare = box_table(tuple(line.rstrip(",") for line in BOX_LINES), nih_set.BOXES_HEADING.rstrip(","))
    assert read_boxes(bare) == read_boxes(box_table())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("../../00000032_001.png,Nodule,1,2,30,40,,,", "expected a film"),
        ("/etc/passwd,Nodule,1,2,30,40,,,", "expected a film"),
        ("00000032_001.png\x1b[2J,Nodule,1,2,30,40,,,", r"00000032_001\.png\\x1b\[2J,Nodule"),
        ("00000032_001.jpg,Nodule,1,2,30,40,,,", "expected a film"),
        ("\u0660\u0660000032_001.png,Nodule,1,2,30,40,,,", "expected a film"),
        ("00000032_001.png,Kidney,1,2,30,40,,,", "one of the eight findings"),
        ("00000032_001.png,Nodule,1,2,30,,,,", "four numbers"),
        ("00000032_001.png,Nodule,1,2,30", "four numbers"),
        ("00000032_001.png,Nodule,1,2,nan,40,,,", "four numbers"),
        ("00000032_001.png,Nodule,1,2,inf,40,,,", "four numbers"),
        ("00000032_001.png,Nodule,1,2,1e3,40,,,", "four numbers"),
        ("00000032_001.png,Nodule,1,2,30,40,50,,", "four numbers"),
        ("00000032_001.png,Nodule,1,2,-30,40,,,", "a box on a film of 1024 x 1024"),
        ("00000032_001.png,Nodule,1,2,0,40,,,", "a box on a film"),
        ("00000032_001.png,Nodule,0.1,0.2,0.3,0.4,,,", "a box on a film"),
        ("00000032_001.png,Nodule,900,2,500,40,,,", "a box on a film"),
        ("00000032_001.png,Nodule,2000,2000,30,40,,,", "a box on a film"),
        ("00000032_001.png,Nodule,-90,2,300,40,,,", "a box on a film"),
    ],
)
def test_a_row_that_is_no_box_is_refused_with_its_number(line: str, reason: str) -> None:
    with pytest.raises(DataError, match=rf"Line 3 of BBox_List_2017\.csv is .*{reason}"):
        read_boxes(box_table((BOX_LINES[0], line)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has 0 lines"),
        (box_table(()), "has no rows"),
        (box_table(heading="Image Index,Finding Label,Bbox [x,y,w"), "begins with .*expected"),
        (box_table(heading="Image Index,Finding Label,Bbox [x,y,w,h],area,,"), "begins with .*expected"),
        (box_table(heading="Finding Label,Image Index,Bbox [x,y,w,h],,,"), "begins with .*expected"),
        (box_table().decode().encode("utf-16"), "is no table of commas in UTF-8"),
        (b"<html>sign in</html>", "begins with .*html"),
        (box_table() + b'"00000032_001.png', "is no table of commas"),
        (b"\n" * 200_001, "has 200,001 lines"),
        (film(1), "is no table of commas in UTF-8"),
    ],
    ids=range(10),
)
def test_what_is_no_table_of_boxes_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=f"BBox_List_2017.csv {reason}"):
        read_boxes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (entry_table(heading="Image Index,Finding Labels,Patient ID"), "begins with .*View Position in it"),
        (entry_table(heading=nih_set.ENTRIES_HEADING + "View Position"), "begins with .*View Position in it"),
        (entry_table(extra=(entry_line(SICK[0], "Edema"),)), "Line 16 .* expected a new film"),
        (entry_table(extra=(entry_line("../x.png", "Edema"),)), "Line 16 .* expected a new film"),
        (entry_table(extra=(entry_line("00000009_000.png", "Edema", "LL"),)), "Line 16 .* PA or AP"),
        (entry_table(extra=(entry_line("00000009_000.png", ""),)), "Line 16 .* its findings"),
        (entry_table(extra=("00000009_000.png",)), "Line 16"),
        (entry_table(extra=("",)), "Line 16"),
    ],
    ids=range(8),
)
def test_what_is_no_table_of_films_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read_entries(content)


def test_as_many_films_without_a_finding_as_with_boxes_and_always_the_same() -> None:
    boxes, entries = read_boxes(box_table()), read_entries(entry_table())
    chosen = choose_films(boxes, entries)
    assert chosen == sorted(chosen)
    assert {*BOXED} < {*chosen} < {*BOXED, *HEALTHY}
    assert len(chosen) == 2 * len(BOXED)
    assert choose_films(boxes, dict(reversed(entries.items()))) == chosen
    assert {*chosen} - {*BOXED} == {*LOWEST}, "another choice would be another set"
    counts = Counter(entries[name].without_finding for name in chosen)
    assert counts == {True: 4, False: 4}


def test_a_boxed_film_that_is_called_healthy_is_not_counted_twice() -> None:
    entries = read_entries(entry_table())
    entries[BOXED[0]] = entries[HEALTHY[0]]
    assert len(choose_films(read_boxes(box_table()), entries)) == 2 * len(BOXED)


def test_tables_that_do_not_fit_together_are_refused() -> None:
    boxes, entries = read_boxes(box_table()), read_entries(entry_table())
    with pytest.raises(DataError, match=r"names 00000032_001\.png, which Data_Entry_2017\.csv does not know"):
        choose_films(boxes, {name: entry for name, entry in entries.items() if name != BOXED[0]})
    few = {name: entry for name, entry in entries.items() if name not in HEALTHY[1:]}
    with pytest.raises(DataError, match="names 1 films without a finding; expected at least 4"):
        choose_films(boxes, few)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("00000001_000.png", "images_001"),
        ("00001335_006.png", "images_001"),
        ("00001336_000.png", "images_002"),
        ("00003923_013.png", "images_002"),
        ("00003923_014.png", "images_003"),
        ("00028173_002.png", "images_011"),
        ("00028173_003.png", "images_012"),
        ("00030805_000.png", "images_012"),
    ],
)
def test_each_folder_at_kaggle_holds_a_range_of_names(name: str, folder: str) -> None:
    assert path_at_kaggle(name) == f"{folder}/images/{name}"
    assert len(FOLDERS) == 12
    assert sorted(FOLDERS) == list(FOLDERS)


def test_a_film_is_kept_as_it_came_and_a_fourth_channel_is_dropped() -> None:
    assert film_of(film(1)) == film(1)
    assert film_of(film(1, "RGB")) == film(1, "RGB")
    grey = Image.open(io.BytesIO(film_of(film(1, "RGBA"))))
    assert grey.mode == "L"
    assert np.array_equal(np.asarray(grey), np.asarray(Image.open(io.BytesIO(film(1)))))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is no JPEG or PNG"),
        (b"GIF89a", "is no JPEG or PNG"),
        (film(1)[:-200], "can not be decoded"),
        (film(1, side=512), "is an image of 512 x 512 pixels; expected a PNG of 1024 x 1024"),
        (film(1, "I;16"), "is an image of mode I;16"),
    ],
    ids=range(5),
)
def test_what_is_no_film_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(DataError, match=f"^{problem}"):
        film_of(content)


def test_only_what_the_course_puts_there_is_part_of_its_work() -> None:
    ours = ["tables/BBox_List_2017.csv", "tables.coming/Data_Entry_2017.csv.part", f"set/images/{BOXED[0]}"]
    ours += [f"set.coming/images_{BOXED[0]}{ending}" for ending in ("", ".lock", ".part", ".part.json")]
    ours += ["set/boxes.csv", f"set/{MANIFEST}", f"set/images/.{BOXED[0]}.0123abcd.part"]
    assert all(is_part_of_work(PurePosixPath(path)) for path in ours)
    others = ["thesis.txt", "tables/thesis.csv", "set/thesis.png", "set/images/thesis.png", f"set/{BOXED[0]}", "set"]
    others += [f"set.coming/{BOXED[0]}.part", f"set.coming/images_{BOXED[0]}.bak", f"other/images/{BOXED[0]}"]
    assert not any(is_part_of_work(PurePosixPath(path)) for path in others)


def test_what_was_kept_of_a_set_that_is_whole_goes_and_what_others_put_there_stays(tmp_path: Path) -> None:
    for path in ("tables/BBox_List_2017.csv", "tables/thesis.txt", f"set.coming/images_{BOXED[0]}.part"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    forget_work(tmp_path)
    assert (tmp_path / "tables" / "thesis.txt").is_file()
    assert not (tmp_path / "set.coming").exists()
