"""The audit of films with boxes: every fault that is planted is found and named, and nothing where there is none."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_lib.audit import AuditReport, audit_boxed, take_boxed
from course_lib.audit.__main__ import main
from course_lib.audit.boxed_films import LONGEST_LINE
from course_lib.audit.boxed_rows import readings_of
from course_lib.data.boxed_folder import MOST_BYTES, read_boxed
from course_lib.data.image_folder import hold_back_test
from course_lib.support.errors import DataError
from course_lib.support.files import digest_of_file
from tests.audit.boxed_folder import (
    FINDINGS,
    HEADER,
    HEIGHT,
    WIDTH,
    add_rows,
    card,
    film,
    name,
    row,
    write_boxed,
    write_film,
    write_table,
)

TOO_FEW = {"file properties", "grey scale", "corners", "boxes of each finding"}  #: patients, in the small folder
TABLE_LINE = 6  #: of the row that a test adds to the small folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_boxed(tmp_path / "set")


def audited(root: Path) -> AuditReport:
    return audit_boxed(root, card=card())


def found(report: AuditReport) -> set[str]:
    """What is not in order, besides what small folders always have."""
    return set(report.titles("stop") + report.titles("look")) - TOO_FEW


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_boxed(tmp_path_factory.mktemp("large") / "set", patients=60)


@pytest.mark.slow
def test_what_is_in_order_is_said_to_be_and_no_file_is_touched(large: Path) -> None:
    before = {path: digest_of_file(path) for path in large.rglob("*.*")}
    report = audited(large)
    assert not report.titles("stop") + report.titles("look")
    train, test = hold_back_test(read_boxed(large, FINDINGS, card()))
    parts = [
        ("train", train, sum(bool(one.boxes) for one in train)),
        ("test", test, sum(bool(one.boxes) for one in test)),
    ]
    said = "; ".join(f"{part} {len(f)} films of {len(f)} patients, {n} of them with boxes" for part, f, n in parts)
    held_back = "There is no folder test/: the test part is a fixed fifth of the patients."
    assert report["who is in the data"].measured == f"{said}. {held_back}"
    assert report["films without a box"].measured.startswith("30 of 60;")
    assert report["formats"].measured == (
        "of 30 rows with numbers make sense: 30 as corners in px (a row may count more than once)."
    )
    nodules = [one for one in train if one.labels == (0,)]
    sides = [np.sqrt((right - left) * (lower - upper)) for one in nodules for left, upper, right, lower in one.boxes]
    low, middle, high = np.quantile(sides, [0, 0.5, 1])
    assert f"Nodule {len(sides)} boxes of {len(sides)} patients, {low:.0f}/{middle:.0f}/{high:.0f}" in (
        report["boxes of each finding"].measured
    )
    assert {path: digest_of_file(path) for path in large.rglob("*.*")} == before


def test_the_small_folder_has_no_fault_but_its_size(root: Path) -> None:
    assert found(audited(root)) == set()


# file, finding, box and view of one more row; what is found, and how the first of these begins
ROWS: dict[str, tuple[str, list[str], str]] = {
    "x2 before x1": (row(name(2), box="80,30,70,75"), ["boxes of no size"], "1 (boxes.csv line 6: 80 30 70 75)."),
    "y2 before y1": (row(name(2), box="70,75,80,50"), ["boxes of no size"], "1 (boxes.csv line 6: 70 75 80 50)."),
    "no width": (row(name(2), box="70,30,70,75"), ["boxes of no size"], "1 (boxes.csv line 6: 70 30 70 75)."),
    "zeros": (row(name(2), box="0,0,0,0"), ["boxes of no size"], "1 (boxes.csv line 6: 0 0 0 0)."),
    "negative": (row(name(2), box="-0.25,30,50,75"), ["negative numbers"], "1 (boxes.csv line 6: -0.25 30 50 75)."),
    "negative, and beyond": (
        row(name(2), box="-4,30,50,75"),
        ["boxes beyond the edge", "negative numbers"],
        "1 (boxes.csv line 6: -4 30 50 75 by 4 px).",
    ),
    "beyond": (
        row(name(2), box="66,40,80,90.5"),
        ["boxes beyond the edge"],
        "1 (boxes.csv line 6: 66 40 80 90.5 by 10.5",
    ),
    "beyond, sideways": (
        row(name(2), box="66,40,97,70"),
        ["boxes beyond the edge"],
        "1 (boxes.csv line 6: 66 40 97 70 by 1 px)",
    ),
    "beyond all measure": (
        row(name(2), box="-1e308,20,1e308,42"),
        ["boxes beyond the edge", "negative numbers"],
        "1 (boxes.csv line 6: -1e308 20 1e308 42 by 1e+308 px).",
    ),
    "outside": (row(name(2), box="100,40,120,70"), ["boxes outside the film"], "1 (boxes.csv line 6: 100 40 120 70)."),
    "outside, above": (
        row(name(2), box="66,-30,80,-5"),
        ["boxes outside the film", "negative numbers"],
        "1 (boxes.csv line 6: 66 -30 80 -5).",
    ),
    "far away": (row(name(2), box="1e308,40,1.5e308,70"), ["boxes outside the film"], "1 (boxes.csv line 6: 1e308 40"),
    "not a number": (
        row(name(2), box="nan,40,80,70"),
        ["boxes without numbers"],
        "1 (boxes.csv line 6: nan 40 80 70).",
    ),
    "infinite": (row(name(2), box="60,40,inf,70"), ["boxes without numbers"], "1 (boxes.csv line 6: 60 40 inf 70)."),
    "a word": (row(name(2), box="left,40,80,70"), ["boxes without numbers"], "1 (boxes.csv line 6: left 40 80 70)."),
    "nothing": (row(name(2), box=",,,"), ["boxes without numbers"], "1 (boxes.csv line 6:    )."),
    "too large for a number": (
        row(name(2), box="60,40,1e999,70"),
        ["boxes without numbers"],
        "1 (boxes.csv line 6: 60",
    ),
    "as Python writes it": (row(name(2), box="6_0,40,80,70"), ["boxes without numbers"], "1 (boxes.csv line 6: 6_0 40"),
    "large": (row(name(2), box="4,12,95,78"), ["large boxes"], "1 (boxes.csv line 6: 4 12 95 78)."),
    "small": (row(name(2), box="66,20,69,42"), ["small boxes"], "1 (boxes.csv line 6: 66 20 69 42)."),
    "of a missing film": (row("0009_0.png"), ["rows of missing films"], "1 (boxes.csv 0009_0.png)."),
    "of another ending": (
        row("00000002_000.jpg"),
        ["rows of missing films"],
        "1 (boxes.csv 00000002_000.jpg (there is 00000002_000.png)).",
    ),
    "of a path": (
        row("../images/00000002_000.png"),
        ["rows of missing films"],
        "1 (boxes.csv ../images/00000002_000.png",
    ),
    "of no film": (row(""), ["rows of missing films"], "1 (boxes.csv no name)."),
    "of an unknown finding": (row(name(2), "Fracture"), ["names of findings"], "1 (Fracture in 1 rows)."),
    "spelled otherwise": (row(name(2), "nodule"), ["names of findings"], "1 (nodule in 1 rows, perhaps Nodule)."),
    "of no finding's name": (row(name(2), ""), ["names of findings"], "1 (no name in 1 rows)."),
    "without finding": (row(name(2), "No Finding", ",,,"), ["rows without a box"], "1 rows say No Finding."),
    "boxed and without finding": (
        row(name(1), "No finding", ",,,", ""),
        ["boxed, and without finding", "rows without a box"],
        f"1 (boxes.csv line 6: {name(1)}).",
    ),
    "in fractions": (
        row(name(2), box="0.5,0.4,0.7,0.9"),
        ["formats"],
        "of 5 rows with numbers make sense: 4 as corners in px",
    ),
    "in fractions, beyond the edge": (
        row(name(2), box="0.2,0.3,1.02,0.9"),
        ["formats"],
        "of 5 rows with numbers make sense: 4 as corners in px; 1 as corners in fractions",
    ),
    "as width and height": (
        row(name(2), box="60,40,20,30"),
        ["boxes of no size", "formats"],
        "1 (boxes.csv line 6: 60 40 20 30).",
    ),
    "another view": (
        row(name(1), view="AP"),
        ["films with two views"],
        f"1 (images/{name(1)} AP, PA).",
    ),
    "with a column too many": (row(name(2)) + ",", ["broken rows"], "1 (boxes.csv line 6 has 8 columns, not 7)."),
    "with a column too few": (f"{name(2)},Nodule", ["broken rows"], "1 (boxes.csv line 6 has 2 columns, not 7)."),
    "with an open quote": (
        f'"{row(name(2))}',
        ["broken rows"],
        "1 (boxes.csv line 6 can not be parted (unexpected end",
    ),
    "very long": (row("x" * 3_000_000), ["broken rows"], "1 (boxes.csv line 6 has 3,000,0"),
}


@pytest.mark.parametrize("fault", ROWS)
def test_a_row_with_a_fault_is_named_and_nothing_else(fault: str, root: Path) -> None:
    line, titles, said = ROWS[fault]
    assert add_rows(root, line) == TABLE_LINE
    report = audited(root)
    assert found(report) == set(titles)
    assert report[titles[0]].measured.startswith(said)
    assert "\n" not in report[titles[0]].measured
    assert len(report[titles[0]].measured) < 1000


@pytest.mark.parametrize("fault", sorted(set(ROWS) - {"small", "large"}))
def test_what_the_reader_refuses_is_something_to_stop_for(fault: str, root: Path) -> None:
    add_rows(root, ROWS[fault][0])
    with pytest.raises(DataError):
        read_boxed(root, FINDINGS, card())
    assert audited(root).titles("stop")


@pytest.mark.parametrize("fault", ["small", "large"])
def test_what_the_reader_takes_is_nothing_to_stop_for(fault: str, root: Path) -> None:
    add_rows(root, ROWS[fault][0])
    assert read_boxed(root, FINDINGS, card())
    assert not audited(root).titles("stop")


def test_boxes_of_one_film_that_are_nearly_the_same_are_doubled(root: Path) -> None:
    add_rows(root, row(name(2)), row(name(2), box="66,20.5,80,42"), row(name(2), box="66,24,80,42"), row(name(4)))
    report = audited(root)
    assert found(report) == {"doubled boxes"}
    assert report["doubled boxes"].measured == "1 (boxes.csv line 7: 66 20.5 80 42 = boxes.csv line 6)."
    assert report["doubled boxes"].severity == "look"
    add_rows(root, row(name(2), box="66,20.5,80,42"))
    assert audited(root)["doubled boxes"].severity == "stop", "the reader refuses two rows that are the same"


def test_one_box_with_two_findings_is_named_with_both(root: Path) -> None:
    add_rows(root, row(name(2)), row(name(2), "Mass"), row(name(2), "Mass", "66,20.5,80,42"))
    report = audited(root)
    assert found(report) == {"one box, two findings", "doubled boxes"}
    assert report["one box, two findings"].measured.startswith("2 (boxes.csv line 7: 66 20 80 42 = boxes.csv line 6, ")
    assert report["one box, two findings"].measured.endswith("They are Mass and Nodule 2.")
    assert report["doubled boxes"].measured == "1 (boxes.csv line 8: 66 20.5 80 42 = boxes.csv line 7)."


def in_format(root: Path, change: Callable[[list[float]], list[float]], rows: slice) -> None:
    """Write the numbers of some rows in another format."""
    table = list(csv.reader((root / "boxes.csv").read_text().splitlines()))[1:]
    for cells in table[rows]:
        cells[2:6] = [f"{number:g}" for number in change(list(map(float, cells[2:6])))]
    write_table(root, [",".join(cells) for cells in table])


FORMATS: dict[str, Callable[[list[float]], list[float]]] = {
    "x, y, width, height in px": lambda c: [c[0], c[1], c[2] - c[0], c[3] - c[1]],
    "corners in fractions": lambda c: [c[0] / WIDTH, c[1] / HEIGHT, c[2] / WIDTH, c[3] / HEIGHT],
    "centre, width, height in fractions": lambda c: [
        (c[0] + c[2]) / 2 / WIDTH,
        (c[1] + c[3]) / 2 / HEIGHT,
        (c[2] - c[0]) / WIDTH,
        (c[3] - c[1]) / HEIGHT,
    ],
}


@pytest.mark.parametrize("kind", FORMATS)
def test_another_format_of_all_rows_is_recognised(kind: str, root: Path) -> None:
    in_format(root, FORMATS[kind], slice(None))
    others = ([2.0, 60, 40, 79], [80.0, 60, 96, 80])  # near the edges, where only one format fits
    add_rows(root, *(row(name(2), box=",".join(f"{v:g}" for v in FORMATS[kind](corners))) for corners in others))
    finding = audited(root)["formats"]
    assert finding.severity == "stop"
    assert f"6 as {kind}" in finding.measured
    assert finding.measured.split("Likeliest are ")[1] == f"{kind}."


@pytest.mark.parametrize("kind", FORMATS)
def test_a_few_rows_in_another_format_are_named(kind: str, root: Path) -> None:
    in_format(root, FORMATS[kind], slice(1))
    finding = audited(root)["formats"]
    assert finding.severity == "stop"
    assert " 3 as corners in px;" in finding.measured
    assert f"1 as {kind}" in finding.measured
    assert "Likeliest are corners in px. 1 rows must then be in another format (boxes.csv line 2: " in finding.measured


def test_rows_that_also_make_sense_otherwise_are_doubted(root: Path) -> None:
    write_table(root, [row(name(n), box=f"10,{10 + n},{30 + n},40") for n in range(1, 6)])
    finding = audited(root)["formats"]
    assert finding.severity == "look"
    assert "Likeliest are corners in px or x, y, width, height in px" in finding.measured


def test_readings_do_not_need_the_size_of_the_film() -> None:
    numbers, unknown = np.array([[50.0, 40, 60, 70], [0.5, 0.5, 0.2, 0.2]]), np.full((2, 2), np.nan)
    made = readings_of(numbers, unknown)
    assert made["corners in px"].tolist() == [True, False]
    assert made["x, y, width, height in px"].tolist() == [False, False]
    assert made["centre, width, height in fractions"].tolist() == [False, True]


def test_boxes_of_larger_films_are_recognised_by_their_number(root: Path) -> None:
    in_format(root, lambda c: [1.3 * edge for edge in c], slice(None))
    finding = audited(root)["boxes beyond the edge"]
    assert finding.severity == "stop"
    assert finding.measured.endswith("The largest number of all boxes is 102.7, the longest side of a film 96 px.")
    assert finding.remedy.startswith("The boxes may have been drawn on films of another size")


def test_a_thousand_boxes_on_one_film_are_named(root: Path) -> None:
    grid = [(x, y) for x in range(0, 80, 2) for y in range(40, 70, 1)]
    add_rows(root, *(row(name(2), box=f"{x + 0.5},{y + 0.5},{x + 8},{y + 9}") for x, y in grid))
    report = audited(root)
    assert report["films with many boxes"].measured == f"1 (images/{name(2)} 1,200). The most on one film is 1,200."
    assert report["films with many boxes"].severity == "look"
    assert report["doubled boxes"].measured.endswith("Of each film, no more than 1,000 boxes were compared.")


def test_a_folder_without_any_box_is_something_to_stop_for(root: Path) -> None:
    write_table(root, [])
    report = audited(root)
    assert found(report) == {"films without a box"}
    assert report["films without a box"].severity == "stop"
    assert report["films without a box"].measured.startswith("8 of 8;")


def test_a_folder_in_which_every_film_has_a_box_is_worth_a_look(root: Path) -> None:
    add_rows(root, *(row(name(patient)) for patient in (2, 4, 6, 8)))
    assert audited(root)["films without a box"].severity == "look"


def test_findings_with_like_names_are_doubted_where_no_card_knows_them(tmp_path: Path) -> None:
    for number in range(4):
        write_film(tmp_path, f"case{number}_1.png", film(number))
    names = ("Infiltrate", "Infiltrate", "Infiltration", "Mass")
    write_table(tmp_path, [row(f"case{number}_1.png", finding) for number, finding in enumerate(names)])
    finding = audit_boxed(tmp_path)["names of findings"]
    assert finding.measured == "1 (Infiltration in 1 rows, perhaps Infiltrate)."
    assert finding.severity == "look"


def test_unreadable_blank_and_foreign_files_are_named(root: Path) -> None:
    (root / "images" / name(1)).write_bytes(b"nothing")
    (root / "images" / "notes.txt").write_text("hello")
    (root / "images" / "more").mkdir()
    write_film(root, name(2), np.full((HEIGHT, WIDTH), 90, np.uint8))
    report = audited(root)
    assert report["unreadable films"].measured == f"1 (images/{name(1)}: is no JPEG or PNG)."
    assert report["other files"].measured == "2 (images/notes.txt, images/more)."
    assert report["blank films"].measured == f"1 (images/{name(2)})."
    assert found(report) == {"unreadable films", "other files", "blank films"}


def test_a_film_with_two_endings_or_in_two_parts_is_named(tmp_path: Path) -> None:
    train, test = (write_boxed(tmp_path / part, first=n) for part, n in (("train", 1), ("test", 11)))
    assert found(audited(tmp_path)) == set()
    Image.fromarray(film(99)).save(train / "images" / name(3).replace("png", "jpg"))
    write_film(test, name(5), film(98))
    report = audited(tmp_path)
    assert found(report) == {"films with two files", "patients in two splits"}
    assert report["films with two files"].measured == (
        "2 (train/images/00000003_000.jpg = train/images/00000003_000.png, "
        "train/images/00000005_000.png = test/images/00000005_000.png)."
    )
    assert report["patients in two splits"].measured == "1 (00000005)."


def test_copies_are_named_across_patients_and_parts_and_where_only_one_is_boxed(tmp_path: Path) -> None:
    train, test = (write_boxed(tmp_path / part, first=n) for part, n in (("train", 1), ("test", 11)))
    shutil.copy(train / "images" / name(2), train / "images" / name(4))
    finding = audited(tmp_path)["duplicates"]
    assert finding.severity == "look"
    assert finding.measured.startswith("1 groups of films with the same grey values, 0 pairs of nearly the same (")
    assert finding.measured.endswith(
        "1 of them of two patients, 0 span two splits, in 0 one has a box and the other none."
    )
    shutil.copy(train / "images" / name(1), test / "images" / name(12))
    finding = audited(tmp_path)["duplicates"]
    assert finding.severity == "stop"
    assert f"(train/images/{name(1)} = test/images/{name(12)}, " in finding.measured, "the graver one comes first"
    assert finding.measured.endswith(
        "2 of them of two patients, 1 span two splits, in 1 one has a box and the other none."
    )


def test_patients_with_and_without_boxes_are_counted(root: Path) -> None:
    write_film(root, name(1, study=1), film(50))
    finding = audited(root)["patients with and without boxes"]
    assert (finding.severity, finding.measured) == ("ok", "1 (00000001) have films of both kinds.")


def test_films_whose_names_tell_no_patient_are_worth_a_look(tmp_path: Path) -> None:
    for number in range(6):
        write_film(tmp_path, f"img_{number}.png", film(number))
    write_table(tmp_path, [row("img_0.png"), row("img_1.png")])
    report = audit_boxed(tmp_path)
    assert "patients" in report.titles("look")
    assert report["who is in the data"].measured.split(".")[0].endswith("with boxes")
    assert "patients" not in report["who is in the data"].measured.split(" with boxes")[0]


def test_a_view_that_gives_a_finding_away_is_named_and_views_that_are_unknown_are_counted(tmp_path: Path) -> None:
    for patient in range(1, 27):
        write_film(tmp_path / "train", name(patient), film(patient))
    seen = {"Nodule": "PA", "Mass": "AP"}
    rows = [row(name(patient), FINDINGS[patient % 2], view=seen[FINDINGS[patient % 2]]) for patient in range(1, 25)]
    write_table(tmp_path / "train", rows)
    write_boxed(tmp_path / "test", first=30)
    finding = audited(tmp_path)["views"]
    assert finding.severity == "look"
    assert finding.effect.startswith("Mass, Nodule: chance hardly explains")
    assert finding.measured in (
        f"films of the view {usual} in train: Mass {masses} of 12; Nodule {12 - masses} of 12. The table does not tell "
        "the view of 2 films without a box."
        for usual, masses in (("AP", 12), ("PA", 0))
    )
    write_table(tmp_path / "train", [line.replace("AP", "PA") for line in rows])
    assert audited(tmp_path)["views"].severity == "ok"


@pytest.mark.slow
def test_a_marker_in_a_corner_of_boxed_films_gives_them_away(large: Path) -> None:
    root = shutil.copytree(large, large.parent / "marked")
    for patient in range(1, 61, 2):
        pixels = film(patient)
        pixels[2:12, 2:12] = 255
        write_film(root, name(patient), pixels)
    finding = audited(root)["corners"]
    assert finding.severity == "stop"
    assert "Most telling: upper left" in finding.measured


TABLES: dict[str, tuple[Callable[[str], bytes], str]] = {
    "empty": (lambda _: b"", "1 (boxes.csv is empty)."),
    "blank": (lambda _: b" \n\n", "1 (boxes.csv is empty)."),
    "Latin-1": (
        lambda text: text.replace("Mass", "Knötchen").encode("latin-1"),
        "1 (boxes.csv is no UTF-8 from line 3 on)",
    ),
    "UTF-16": (lambda text: text.encode("utf-16"), "1 (boxes.csv is UTF-16)."),
    "half of UTF-16": (lambda text: text.encode("utf-16")[:-1], "1 (boxes.csv is broken UTF-16 ("),
    "no text": (
        lambda _: b"PK\x03\x04\0\0boxes",
        "1 (boxes.csv is no text, perhaps a spreadsheet under another name).",
    ),
    "semicolons": (lambda text: text.replace(",", ";").encode(), "1 (boxes.csv has ';' between its columns)."),
    "no header": (
        lambda text: text.split("\n", 1)[1].encode(),
        "1 (boxes.csv has no line with the names of its columns;",
    ),
    "other columns": (
        lambda text: text.replace(HEADER, "Image Index,Finding Label,Bbox [x,y,w,h]").encode(),
        "1 (boxes.csv lacks file, finding, xmin, ymin, xmax, ymax; it has Image Index,Finding Label,Bbox [x,y,w,h]).",
    ),
    "other letters": (
        lambda text: text.replace("file", "File").encode(),
        "1 (boxes.csv writes file in other letters).",
    ),
    "a column twice": (lambda text: text.replace("view", "file").encode(), "1 (boxes.csv has file twice; the first is"),
    "an open quote": (lambda text: b'"' + text.encode(), "1 (boxes.csv line 1 can not be parted ("),
    "one long line": (
        lambda _: b"file," * 2_000_000,
        "1 (boxes.csv lacks finding, xmin, ymin, xmax, ymax; it has file,",
    ),
    "too large": (lambda text: text.encode() + b"\n" * MOST_BYTES, "1 (boxes.csv has more than 20,000,000 bytes"),
    "noise": (lambda _: np.random.default_rng(0).integers(1, 256, 5000, np.uint8).tobytes(), ""),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_that_can_not_be_read_or_only_guessed_is_named(kind: str, root: Path) -> None:
    table, (change, said) = root / "boxes.csv", TABLES[kind]
    table.write_bytes(change(table.read_text(encoding="utf-8")))
    finding = audited(root)["tables"]
    assert finding.severity == "stop"
    assert finding.measured.startswith(said)
    assert finding.measured.isprintable()


@pytest.mark.parametrize("kind", ["Latin-1", "UTF-16", "semicolons", "no header", "other letters", "a column twice"])
def test_what_can_be_guessed_of_a_table_is_looked_at_all_the_same(kind: str, root: Path) -> None:
    table = root / "boxes.csv"
    add_rows(root, row(name(2), box="80,30,70,75"))
    table.write_bytes(TABLES[kind][0](table.read_text(encoding="utf-8")))
    assert audited(root)["boxes of no size"].measured.startswith("1 (boxes.csv line ")


def test_a_table_with_a_mark_of_its_order_of_bytes_and_carriage_returns_is_in_order(root: Path) -> None:
    table = root / "boxes.csv"
    table.write_bytes(table.read_text(encoding="utf-8").replace("\n", "\r\n").encode("utf-8-sig"))
    assert found(audited(root)) == set()


def test_a_part_without_table_is_named(tmp_path: Path) -> None:
    write_boxed(tmp_path / "train")
    write_film(tmp_path / "test", name(20), film(20))
    assert audited(tmp_path)["tables"].measured == "1 (test/boxes.csv is not there, beside 1 films)."


def test_a_line_is_read_up_to_its_longest(root: Path) -> None:
    padded = row(name(2)) + " " * (LONGEST_LINE - len(row(name(2))))
    add_rows(root, padded, padded + " ")
    assert audited(root)["broken rows"].measured == "1 (boxes.csv line 7 has 10,001 characters)."


def test_the_command_knows_the_layout_also_where_it_was_packed_deeper(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("course_lib.audit.__main__.COURSE_ROOT", root.parent)
    monkeypatch.setattr("course_lib.audit.__main__.PAGE", root.parent / "build" / "report.md")
    for folder in (root, root.parent):
        assert main([str(folder)]) == 0
        assert "films without a box: 4 of 8" in capsys.readouterr().out


def test_a_folder_without_films_or_readable_films_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"There is no film to audit in .*empty\. Expected images/ with films beside"):
        take_boxed(tmp_path / "empty")
    for path in (root / "images").iterdir():
        path.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"None of the 8 films in .*set can be read \(such as images/00000001_000\.png"):
        audit_boxed(root)
