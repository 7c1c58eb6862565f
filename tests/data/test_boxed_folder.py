"""Which boxes a film has, and what is said where a folder or a table is not as it should be."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from course_lib.data import boxed_folder
from course_lib.data.boxed_folder import boxed_images_of, files_of_boxed, find_boxed, holds_boxed, read_boxed
from course_lib.data.image_folder import holds_a_set, recognise_card
from course_lib.data.outlines_and_boxes import BoxedDataset
from course_lib.data.transforms import Preprocessing
from course_lib.sources.dataset_card import load_card
from course_lib.support.errors import DataError
from tests.modalities.chest_findings.made_films import (
    HEADER,
    SIZE,
    write_film,
    write_patients,
    write_phantoms,
    write_table,
)
from tests.sources.odd_images import LATIN, noise, only_linux, turned, without_permission

CARD = load_card("nih-chest-xrays")
FIRST, SECOND, EMPTY = "00000001_000.png", "00000001_001.jpg", "00000002_000.png"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two films with a box each, and one without."""
    for seed, name in enumerate((FIRST, SECOND, EMPTY)):
        write_film(tmp_path / "set" / "images" / name, seed)
    write_table(tmp_path / "set", [row(FIRST), row(SECOND, finding="Mass")])
    return tmp_path / "set"


def row(file: str = FIRST, finding: str = "Nodule", box: tuple[Any, ...] = (1, 2, 11.5, 12), view: str = "PA") -> Any:
    return (file, finding, *box, view)


def read(folder: Path) -> Any:
    return read_boxed(folder, CARD.classes, CARD)


def refused(root: Path, said: str, *rows: Any, header: tuple[str, ...] = HEADER) -> str:
    """What is said of a table with these rows; it can be printed, and names the table."""
    if rows:
        write_table(root, rows, header)
    with pytest.raises(DataError, match=said) as error:
        read(root)
    assert str(error.value).isprintable()
    assert "boxes.csv" in str(error.value)
    return str(error.value)


def test_each_film_has_its_boxes_and_its_patient_and_one_without_a_row_has_none(root: Path) -> None:
    write_table(root, [row(SECOND, "Mass"), row(), row(finding="Effusion", box=(0, 0, *SIZE))])
    first, second, empty = read(root)
    assert [film.path for film in (first, second, empty)] == [root / "images" / name for name in (FIRST, SECOND, EMPTY)]
    assert first.boxes == ((1, 2, 11.5, 12), (0, 0, *SIZE))
    assert [CARD.classes[label] for label in first.labels] == ["Nodule", "Effusion"]
    assert (second.boxes, second.labels) == (((1, 2, 11.5, 12),), (1,))
    assert (first.patient, second.patient, empty.patient) == ("00000001", "00000001", "00000002")
    assert (first.view, empty.view) == ("PA", "")
    assert (empty.boxes, empty.labels, empty.subtlety) == ((), (), ())


def test_what_is_read_can_be_trained_on(root: Path) -> None:
    data = BoxedDataset(read(root), CARD.classes, Preprocessing(size=32))
    inputs, targets = data.batch(torch.arange(3))
    assert inputs.shape[2:] == (32, 32)
    assert [len(target["boxes"]) for target in targets] == [1, 1, 0]


def test_columns_may_stand_in_another_order_and_others_are_passed_over(root: Path) -> None:
    header = ("nobody", "ymax", "xmax", "ymin", "xmin", "finding", "file")
    write_table(root, [("x", 12, 11, 2, 1, "Nodule", FIRST)], header)
    assert (read(root)[0].boxes, read(root)[0].view) == (((1, 2, 11, 12),), "")


def test_how_hard_a_finding_is_to_see_comes_with_its_box(root: Path) -> None:
    header = (*HEADER, "subtlety", "contrast_to_noise")
    write_table(root, [(*row(), "subtle", 0.75), (*row(finding="Mass"), "obvious", -3)], header)
    assert (read(root)[0].subtlety, read(root)[0].contrast_to_noise) == (("subtle", "obvious"), (0.75, -3.0))
    refused(root, r"Line 2 of .* has nan as contrast_to_noise", (*row(), "subtle", "nan"), header=header)


def test_the_table_may_begin_with_the_mark_of_a_spreadsheet_and_end_with_empty_lines(root: Path) -> None:
    table = root / "boxes.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes() + b"\r\n\r\n")
    assert [len(film.boxes) for film in read(root)] == [1, 1, 0]


def test_no_film_is_decoded(root: Path) -> None:
    for name in (FIRST, SECOND):
        path = root / "images" / name
        path.write_bytes(path.read_bytes()[:700])
    (root / "images" / EMPTY).write_bytes(b"no image")
    assert [len(film.boxes) for film in read(root)] == [1, 1, 0]


def test_all_films_may_be_without_a_box(root: Path) -> None:
    write_table(root, [])
    assert [film.boxes for film in read(root)] == [(), (), ()]


def test_a_thousand_boxes_on_one_film_are_read(root: Path) -> None:
    write_table(root, [row(box=(x / 100, 1, x / 100 + 5, 20)) for x in range(1000)])
    assert len(read(root)[0].boxes) == 1000


def test_half_a_pixel_beyond_the_edge_is_rounding_and_is_cut_off(root: Path) -> None:
    width, height = SIZE
    write_table(root, [row(box=(1, 2, width + 0.5, height + 0.4))])
    assert read(root)[0].boxes == ((1, 2, width, height),)
    refused(root, r"Line 2 of boxes\.csv \(00000001_000\.png, Nodule\) reaches beyond the film, which has 48 x 40 px, "
            r"with xmin 1, ymin 2, xmax 48\.6, ymax 40\. Were .* Scale them", row(box=(1, 2, 48.6, 40)))  # fmt: skip
    refused(root, "reaches beyond the film", row(box=(1, 2, 40, 40.51)))
    refused(root, "reaches beyond the film", row(box=(48.1, 2, 48.4, 40)))


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_film_that_a_viewer_turns_has_the_size_that_the_viewer_shows(root: Path, orientation: int) -> None:
    (root / "images" / SECOND).write_bytes(turned(noise(48, 40), orientation))
    inside, beyond = (30, 2, 47, 12), (2, 30, 12, 47)
    if orientation == 6:
        inside, beyond = beyond, inside
    write_table(root, [row(SECOND, box=inside)])
    assert read(root)[1].boxes == (inside,)
    refused(root, "reaches beyond the film", row(SECOND, box=beyond))


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((11, 2, 11, 12), r"Line 3 of boxes\.csv .* has a box of no size, xmin 11, .* xmax must be above xmin"),
        ((20, 2, 11, 12), r"has a box of no size, .* Are they in another order, or width and height"),
        ((1, 22, 11, 12), r"has a box of no size"),
        ((-1, 2, 11, 12), r"Line 3 of boxes\.csv .* has a negative edge, xmin -1, .*, 0 or more\. Correct the line"),
        ((1, 2, 11, -12), r"has a negative edge"),
        (("nan", 2, 11, 12), r"Line 3 of .*boxes\.csv has nan as xmin, but a finite number is expected"),
        ((1, "inf", 11, 12), r"has inf as ymin"),
        ((1, 2, "", 12), r"has nothing as xmax"),
        ((1, 2, 11, "12 px"), r"has 12 px as ymax"),
        ((1, 2, 11, "1_2"), r"has 1_2 as ymax"),
        ((1, 2, 11, "9" * 999), r"has 9{200}… as ymax"),
        ((1, 2, 1100, 1200), r"reaches beyond the film, which has 48 x 40 px"),
    ],
)
def test_a_box_that_can_not_be_is_named_with_its_line(root: Path, box: tuple[Any, ...], said: str) -> None:
    refused(root, said, row(SECOND), row(box=box))


def test_fractions_are_refused_alone_and_mixed_with_pixels(root: Path) -> None:
    fractions = row(box=(0.1, 0.2, 0.5, 1))
    refused(root, r"All 1 boxes in .*boxes\.csv have no number above 1\.5, .* Multiply x by the width", fractions)
    said = r"mixes two formats: 1 of its 2 boxes .* the first in line 3 \(00000001_000\.png\), and the others are in px"
    refused(root, said, row(SECOND), fractions)
    refused(root, said, row(SECOND), row(box=(0.2, 0.3, 1.02, 0.9)))
    write_table(root, [row(box=(0, 0, 1, 1.6))])
    assert read(root)[0].boxes == ((0, 0, 1, 1.6),), "as small as a box in px can be taken for one"


def test_an_unknown_finding_is_named_with_those_that_are_known(root: Path) -> None:
    said = r"has 2 boxes of unknown findings \(Infiltration, nodule\), the first in line 3\. Expected Nodule, Mass, "
    refused(root, said, row(SECOND), row(finding="Infiltration"), row(finding="nodule"))


@pytest.mark.parametrize("name", ["00000009_000.png", f"images/{FIRST}", f"../images/{FIRST}", "", f"{FIRST}\0", LATIN])
def test_a_table_that_names_missing_files_is_refused(root: Path, name: str) -> None:
    name = name.encode("utf-8", "replace").decode()
    refused(root, r"boxes\.csv names 1 files that are not in images/ \(.*\)\. Copy these films there", row(), row(name))


def test_a_box_that_is_there_twice_is_named_with_both_lines(root: Path) -> None:
    said = r"Line 4 of boxes\.csv \(00000001_000\.png, Nodule\) is the same box as line 2 .* remove one of both"
    refused(root, said, row(), row(SECOND), row(box=("1.0", 2, "1.15e1", 12)))
    write_table(root, [row(), row(finding="Mass")])
    assert len(read(root)[0].boxes) == 2, "two findings may share a place"


def test_a_film_with_two_views_is_named(root: Path) -> None:
    refused(
        root, r"00000001_000\.png has several views in boxes\.csv \(AP, PA, ", row(), row(finding="Mass", view="AP")
    )


def test_a_film_that_is_there_twice_is_named(root: Path) -> None:
    write_film(root / "images" / FIRST.replace(".png", ".jpeg"))
    with pytest.raises(DataError, match=r"2 files whose names differ only in their endings \(00000001_000\.jpeg, 0000"):
        read(root)


def test_a_name_that_gives_no_patient_is_named(root: Path) -> None:
    write_film(root / "images" / "anna.jpg")
    with pytest.raises(DataError, match=r"anna\.jpg does not say whose image it is"):
        read(root)


def test_a_film_that_is_no_image_is_named_where_it_has_a_box(root: Path) -> None:
    (root / "images" / FIRST).write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    with pytest.raises(DataError, match=r"00000001_000\.png can not be measured \(.*Expected a whole JPEG or PNG"):
        read(root)


@pytest.mark.parametrize("header", [("file", "finding", "x", "y", "w", "h"), row(), ("",), HEADER[:5]])
def test_a_table_without_its_header_is_refused(root: Path, header: tuple[str, ...]) -> None:
    refused(root, r"The first line of .*boxes\.csv must name the columns file, finding, xmin, .* but lacks ", row(),
            header=tuple(map(str, header)))  # fmt: skip


def test_a_column_that_is_there_twice_is_named(root: Path) -> None:
    refused(root, r"must name the columns .* but has xmin twice", (*row(), 3), header=(*HEADER, "xmin"))


def test_columns_parted_by_semicolons_are_refused(root: Path) -> None:
    table = root / "boxes.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    refused(root, r"with a comma between, but lacks file, finding")


@pytest.mark.parametrize("cells", [row()[:-1], (*row(), "more")])
def test_a_line_with_other_columns_is_named(root: Path, cells: Any) -> None:
    refused(root, rf"Line 3 of .*boxes\.csv has {len(cells)} columns, but the first line 7 \(", row(), cells)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"must name the columns .* but lacks file, .*: it is empty"),
        (b"file,finding\xff\n", r"can not be read as a table \('utf-8' codec can't decode byte 0xff"),
        ("file,finding\n".encode("utf-16"), r"can not be read as a table \('utf-8' codec"),
        (",".join(HEADER).encode() + b'\n"never ends,1,2\n', r"can not be read as a table \(unexpected end of data"),
        (b'"' + b"x" * 200_000 + b'",finding\n', r"can not be read as a table \(field larger than field limit"),
        (b"\x1b[31m,\n", r"but lacks file, .*: it is \\x1b\[31m,\. Correct"),
    ],
)
def test_what_is_no_table_is_refused(root: Path, content: bytes, said: str) -> None:
    (root / "boxes.csv").write_bytes(content)
    refused(root, said)


def test_a_huge_table_is_refused_before_it_is_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (root / "boxes.csv").stat().st_size
    monkeypatch.setattr(boxed_folder, "MOST_BYTES", size)
    read(root)
    monkeypatch.setattr(boxed_folder, "MOST_BYTES", size - 1)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    refused(root, rf"has {size} bytes, more than a table of boxes can have")


def test_a_missing_table_says_what_it_must_hold(root: Path) -> None:
    (root / "boxes.csv").unlink()
    refused(root, r"There is no .*boxes\.csv\. Expected one with the columns file, .* the header alone will do")


@pytest.mark.skipif(os.name != "posix", reason="pipes and links are POSIX")
def test_a_table_that_is_no_file_is_refused_and_one_behind_a_link_is_read(root: Path) -> None:
    table = root / "boxes.csv"
    table.rename(root / "elsewhere.csv")
    table.symlink_to("elsewhere.csv")
    assert [len(film.boxes) for film in read(root)] == [1, 1, 0]
    table.unlink()
    os.mkfifo(table)
    refused(root, r"boxes\.csv is no file\. Expected a table in CSV")
    table.unlink()
    table.mkdir()
    refused(root, r"boxes\.csv is no file")


def test_a_link_to_nothing_among_the_films_is_named(root: Path) -> None:
    (root / "images" / "00000003_000.png").symlink_to("nowhere.png")
    with pytest.raises(DataError, match=r"1 of 4 images in .* are no files, .* \(00000003_000\.png\)"):
        read(root)


def test_a_folder_without_films_says_what_it_must_hold(root: Path) -> None:
    shutil.rmtree(root / "images")
    refused(root, r"must hold films in images/ and their boxes in boxes\.csv, but has no film")
    (root / "images").mkdir()
    refused(root, r"but has no film of the kinds \.jpeg, \.jpg, \.png")


def test_a_folder_is_recognised_alone_or_in_train_and_test(root: Path, tmp_path: Path) -> None:
    phantoms = write_phantoms(tmp_path / "phantoms", patients=2)
    assert holds_boxed(root)
    assert holds_a_set(root)
    assert holds_boxed(phantoms)
    assert not holds_boxed(tmp_path / "nowhere")
    assert not holds_boxed(root / "images")
    assert [path.name for path in boxed_images_of(root)] == [FIRST, SECOND, EMPTY]
    assert [path.name for path in files_of_boxed(root)][3:] == ["boxes.csv"]
    assert len(boxed_images_of(phantoms)) == 3 + 5
    assert recognise_card(root) == CARD
    assert recognise_card(phantoms) == load_card("phantom-chest-findings")
    (root / "boxes.csv").unlink()
    assert not holds_boxed(root)
    assert not holds_a_set(root)


def test_the_films_of_a_part_are_counted_once(tmp_path: Path) -> None:
    write_phantoms(tmp_path, patients=10)
    write_film(tmp_path / "train" / "images" / "anna.jpg")
    with pytest.raises(DataError, match=r"1 of its 21 names have another form \(train/images/anna\.jpg\)"):
        recognise_card(tmp_path)


def test_a_folder_that_was_packed_one_level_deeper_is_found(root: Path) -> None:
    assert find_boxed(root) == root
    assert find_boxed(root.parent) == root
    shutil.copytree(root, root.with_name("other"))
    assert find_boxed(root.parent) == root.parent, "which of the two is meant?"
    assert find_boxed(root / "nowhere") == root / "nowhere"


def test_a_folder_that_can_not_be_listed_is_passed_over_where_it_can_not_hold_films(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root.parent / "lost+found").mkdir()
    without_permission(root.parent / "lost+found", monkeypatch)
    assert find_boxed(root.parent) == root


def test_hidden_files_do_not_count(root: Path) -> None:
    (root / "images" / f"._{FIRST}").write_bytes(b"\0\5\x16\7")
    (root / ".DS_Store").write_bytes(b"")
    assert len(read(root)) == len(boxed_images_of(root)) == 3


@only_linux
def test_a_folder_with_a_name_in_another_encoding_is_read_and_named(root: Path) -> None:
    other = root.with_name(LATIN)
    root.rename(other)
    assert len(read(other)) == 3
    assert re.search(r"R\\udcf6ntgen", refused(other, "boxes of unknown findings", row(finding="Rib")))


def test_without_a_card_the_name_of_any_card_tells_the_patient(tmp_path: Path) -> None:
    root = write_patients(tmp_path, "phantom{:04d}_{:03d}.jpg", patients=2)
    assert {film.patient for film in read_boxed(root, CARD.classes)} == {"phantom0001", "phantom0002"}
