"""What an image file may hold is read to the last byte; everything else is refused by name, and starts no program."""

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from course_lib.sources.archive import ArchiveError, images_of_a_set, is_whole, unpack
from course_lib.sources.dataset_card import load_card
from course_lib.sources.foreign_image import (
    JPEG_START,
    MOST_BYTES,
    PNG_START,
    ImageError,
    Picture,
    class_folders,
    image_bytes,
    read_bits,
    read_image,
)
from course_lib.support.errors import DataError
from course_lib.support.runtime import COURSE_ROOT
from tests.sources.kaggle_fixtures import SMALL_COUNTS
from tests.sources.odd_images import (
    POSTSCRIPT,
    cut_and_closed,
    forbid_postscript,
    long_note,
    noise,
    part,
    png,
    saved,
    turned,
    without_permission,
)
from tests.sources.xray_archive import write_archive

DAMAGED = 5000 if os.environ.get("COURSE_THOROUGH") else 200  #: files
some = settings(max_examples=400 if os.environ.get("COURSE_THOROUGH") else 60, deadline=None)
sides = st.integers(16, 70)


@some
@given(
    sides,
    sides,
    st.sampled_from(["L", "RGB"]),
    st.integers(1, 100),
    st.sampled_from([0, 1, 2]),
    st.sampled_from([0, 1, 5]),
    st.booleans(),
    st.sampled_from([None, 8, 30]),
    st.binary(max_size=40),
)
def test_whole_jpegs_of_every_make_are_read_as_pillow_reads_them(
    width: int,
    height: int,
    mode: str,
    quality: int,
    subsampling: int,
    restarts: int,
    progressive: bool,
    at_least: int | None,
    behind: bytes,
) -> None:
    made = saved(
        noise(width, height, mode),
        quality=quality,
        subsampling=subsampling,
        restart_marker_blocks=restarts,
        progressive=progressive,
    )
    with Image.open(io.BytesIO(made)) as image:
        if at_least:
            image.draft("L", (at_least, at_least))
        expected = image.convert("L")
    found = read_image(made + behind, "x.jpeg", at_least)
    assert np.array_equal(np.asarray(found.grey), np.asarray(expected))
    assert (found.grey.mode, found.mode) == ("L", mode)


@some
@given(
    st.integers(40, 70),
    st.integers(40, 70),
    st.sampled_from(["L", "RGB"]),
    st.integers(30, 100),
    st.sampled_from([0, 5]),
    st.sampled_from([None, 8]),
    st.floats(0, 0.75),
)
def test_a_jpeg_that_was_cut_is_refused_though_it_has_an_end(
    width: int, height: int, mode: str, quality: int, restarts: int, at_least: int | None, share: float
) -> None:
    made = saved(noise(width, height, mode), quality=quality, restart_marker_blocks=restarts)
    with pytest.raises(ImageError, match=r"x\.jpeg can not be decoded \(image file is truncated"):
        read_image(cut_and_closed(made, share), "x.jpeg", at_least)


def test_what_stands_behind_a_cut_jpeg_does_not_make_it_whole() -> None:
    made = saved(noise(90, 70, "L"))
    for behind in (b"\xff\xd9", made, b"\0" * 100 + b"\xff\xd9"):
        with pytest.raises(ImageError, match=r"x\.jpeg can not be decoded \(image file is truncated"):
            read_image(cut_and_closed(made, 0.4) + behind, "x.jpeg")
        assert read_image(made + behind, "x.jpeg").grey == read_image(made, "x.jpeg").grey


def test_a_whole_picture_of_one_grey_is_not_taken_for_a_cut_one() -> None:
    made = saved(Image.new("L", (64, 48), 128))
    assert np.unique(np.asarray(read_image(made, "x.jpeg").grey)).tolist() == [128]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright_as_a_viewer_shows_it(orientation: int, mode: str, kind: str) -> None:
    made = turned(noise(40, 20, mode), orientation, kind)
    with Image.open(io.BytesIO(made)) as image:
        expected = ImageOps.exif_transpose(image).convert("L")
    assert expected.size == ((20, 40) if orientation >= 5 else (40, 20))
    assert np.array_equal(np.asarray(read_image(made, "x").grey), np.asarray(expected))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow says so of the last
@pytest.mark.parametrize("notes", [b"Exif\0\0", b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_notes_that_make_no_sense_leave_a_whole_picture_as_it_is(notes: bytes) -> None:
    made = saved(noise(), exif=notes)
    assert np.array_equal(np.asarray(read_image(made, "x").grey), np.asarray(read_image(saved(noise()), "x").grey))


@pytest.mark.parametrize(("width", "height"), [(1, 30_000), (1, 300_000), (30_000, 1), (10, 101), (101, 10), (1, 11)])
def test_a_thin_line_is_refused_before_it_is_made_huge(width: int, height: int) -> None:
    with pytest.raises(ImageError, match=rf"x\.png has {width} x {height} pixels: .* more than 10 times .* Cut out"):
        read_image(png(width, height), "x.png")


@pytest.mark.parametrize(("width", "height"), [(1, 10), (10, 100), (100, 10), (1, 1)])
def test_ten_times_as_long_as_wide_is_allowed(width: int, height: int) -> None:
    assert read_image(png(width, height), "x.png").grey.size == (width, height)


def test_more_pixels_than_any_image_has_are_refused_before_they_are_decoded() -> None:
    with pytest.raises(ImageError, match="8000 x 8000 pixels, more than any image of the course"):
        read_image(png(8000, 8000), "x.png")


def test_more_bytes_than_any_image_has_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(png(8, 8))
    os.truncate(path, MOST_BYTES + 1)
    with pytest.raises(ImageError, match=r"x\.png has 50,000,001 bytes, more than any image"):
        image_bytes(path)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "WEBP", "ICO", "TGA", "PCX", "SGI", "JPEG2000", "DDS"])
def test_other_kinds_of_images_are_refused_whatever_they_are_called(kind: str) -> None:
    with pytest.raises(ImageError, match=r"x\.jpeg is no JPEG or PNG \(it begins with b.*\)\. Expected a whole JPEG"):
        read_image(saved(noise(mode="RGB"), kind), "x.jpeg")


def test_a_text_that_begins_like_postscript_starts_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = forbid_postscript(monkeypatch)
    with pytest.raises(ImageError, match=r"x\.jpeg is no JPEG or PNG \(it begins with b'%!PS-Ado'\)"):
        read_image(POSTSCRIPT, "x.jpeg")
    assert not asked


def test_nothing_else_opens_images_that_the_course_did_not_make() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (COURSE_ROOT / "course_lib").rglob("*.py")}
    assert {name for name, text in texts.items() if "Image.open(" in text} == {"augmentation.py", "style.py"}


def test_an_archive_with_postscript_in_it_is_refused_and_starts_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, card = forbid_postscript(monkeypatch), replace(load_card("chest-xray-pneumonia"), counts=SMALL_COUNTS)
    monkeypatch.setattr("tests.sources.xray_archive.jpeg", lambda *_: POSTSCRIPT)
    with pytest.raises(ArchiveError, match=r"\.jpeg in the archive is no JPEG or PNG"):
        unpack(write_archive(tmp_path / "x.zip", card), tmp_path / "set", card)
    assert not asked


@pytest.mark.parametrize("colour", [0, 2])
def test_sixteen_bits_are_refused_not_cut(colour: int) -> None:
    with pytest.raises(ImageError, match=r"is an image of mode .*16.*; expected 8-bit grey or 8-bit .*\. Convert"):
        read_image(png(8, 8, depth=16, colour=colour), "x.png")


@pytest.mark.parametrize(
    "content",
    [
        png(8, 8, extra=long_note()),
        png(8, 8, extra=part(b"iCCP", b"x")),
        PNG_START + part(b"tEXt", b"a\0b") + png(8, 8)[8:],
        png(8, 8)[:40],
        JPEG_START,
        saved(noise())[:600],
        saved(noise(mode="RGB"), "PNG")[:3000],
    ],
    ids=["a long text", "an odd profile", "text first", "half a header", "a beginning", "a cut JPEG", "a cut PNG"],
)
def test_whatever_the_parser_says_becomes_one_refusal_that_names_the_file(content: bytes) -> None:
    with pytest.raises(ImageError, match=r"^x\.png can not be decoded \(.*\)\. Expected a whole JPEG or PNG: copy it"):
        read_image(content, "x.png")


def test_damaged_files_are_read_or_refused_and_nothing_else_happens() -> None:
    random = np.random.default_rng(0)
    whole = [
        saved(noise(40, 30)),
        saved(noise(40, 30, "RGB"), progressive=True),
        turned(noise(40, 30), 6),
        saved(noise(40, 30, "RGB"), "PNG"),
        turned(noise(40, 30), 6, "PNG"),
    ]
    read = 0
    for i in range(DAMAGED):
        damaged = bytearray(whole[i % len(whole)])
        for place in random.integers(0, min(len(damaged), 700 if i % 3 else len(damaged)), random.integers(1, 6)):
            damaged[place] = random.integers(256)
        try:
            found = read_image(bytes(damaged[: random.integers(8, len(damaged))] if i % 4 == 3 else damaged), "x.jpeg")
        except ImageError:
            continue
        assert isinstance(found, Picture)
        assert found.grey.mode == "L"
        read += 1
    assert 0 < read < DAMAGED


def test_a_mask_of_bits_is_read_and_another_kind_refused() -> None:
    mask = noise().point(lambda grey: 255 * (grey > 99)).convert("1")
    assert np.array_equal(np.asarray(read_bits(saved(mask, "PNG"), "x.png")), np.asarray(mask))
    with pytest.raises(ImageError, match=r"x\.png is an image of mode L; expected one bit per pixel"):
        read_bits(saved(noise(), "PNG"), "x.png")
    with pytest.raises(ImageError, match=r"x\.png can not be decoded"):
        read_bits(saved(mask, "PNG")[:100], "x.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has none")
def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.jpeg")
    with pytest.raises(ImageError, match=r"x\.jpeg is no file, but has the name of an image"):
        image_bytes(tmp_path / "x.jpeg")
    with pytest.raises(ImageError, match=r"y\.jpeg can not be read \(.*No such file"):
        image_bytes(tmp_path / "y.jpeg")


def test_links_to_nothing_among_the_images_are_named(folder: Path) -> None:
    counts = {split: {"NORMAL": n, "PNEUMONIA": n} for split, n in (("train", 16), ("test", 6))}
    card = replace(load_card("phantom"), counts=counts)
    assert is_whole(folder, card)
    assert len(images_of_a_set(folder)) == 44
    assert images_of_a_set(folder / "nowhere") == []
    for name in ("a.jpeg", "b.png"):
        (folder / "test" / "NORMAL" / name).symlink_to(folder / "gone.jpeg")
    (folder / "test" / "NORMAL" / "._c.jpeg").symlink_to(folder / "gone.jpeg")  # not an image by its name
    with pytest.raises(DataError, match=r"2 of 8 images in .*NORMAL are no files, .*\(a\.jpeg, b\.png\)\. Copy"):
        images_of_a_set(folder)
    assert not is_whole(folder, card)


@pytest.mark.parametrize("name", ["test", "test/NORMAL"])
def test_a_folder_that_may_not_be_read_is_named(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_permission(folder / name, monkeypatch)
    with pytest.raises(DataError, match=rf"{name} can not be listed \(.*Permission denied.*\)\. Make it readable"):
        images_of_a_set(folder)


def test_class_folders_are_those_that_no_dot_and_no_underscore_hides(folder: Path) -> None:
    for name in (".cache", "_rejected"):
        (folder / "test" / name).mkdir()
    assert [path.name for path in class_folders(folder / "test")] == ["NORMAL", "PNEUMONIA"]
    assert class_folders(folder / "nowhere") == []
