"""A file is opened as grey, upright and whole, or refused with a sentence that says what to do."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_lib.data.image_file import open_grey
from course_lib.data.image_folder import read_split
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.transforms import Preprocessing
from course_lib.support.errors import DataError
from tests.conftest import write_image
from tests.sources.odd_images import (
    POSTSCRIPT,
    cut_and_closed,
    forbid_postscript,
    long_note,
    noise,
    png,
    saved,
    turned,
    without_permission,
)


def _not_an_image(path: Path) -> None:
    path.write_text("This is a shopping list.")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _truncated(path: Path) -> None:
    write_image(path, bright=True, size=(200, 200))
    path.write_bytes(path.read_bytes()[:2000])


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [(_not_an_image, "is no JPEG or PNG"), (_empty, "is no JPEG or PNG"), (_truncated, "can not be decoded")],
)
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, spoil: Callable[[Path], None], problem: str) -> None:
    path = tmp_path / "person1_virus_1.jpeg"
    spoil(path)
    with pytest.raises(DataError, match=rf"person1_virus_1\.jpeg {problem} .*copy it again"):
        open_grey(path)


@pytest.mark.parametrize(
    ("mode", "suffix", "named"), [("I;16", "png", "I;16"), ("CMYK", "jpeg", "CMYK"), ("RGBA", "png", "RGBA")]
)
def test_an_image_of_another_kind_is_refused_not_guessed(tmp_path: Path, mode: str, suffix: str, named: str) -> None:
    path = tmp_path / f"x.{suffix}"
    Image.new(mode, (8, 8)).save(path)
    with pytest.raises(DataError, match=f"of mode {named}; expected 8-bit grey or 8-bit colour. Convert it first"):
        open_grey(path)


def test_colour_files_of_grey_pictures_are_read_as_grey(tmp_path: Path) -> None:
    grey = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    grey.convert("RGB").save(tmp_path / "x.png")
    assert np.array_equal(np.asarray(open_grey(tmp_path / "x.png")), np.asarray(grey))


def test_a_turned_picture_is_upright_whatever_the_size_at_which_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "x.jpeg"
    path.write_bytes(turned(noise(400, 200), 6))
    assert open_grey(path).size == (200, 400)
    assert open_grey(path, at_least=50).size == (50, 100)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (png(48, 40, extra=long_note()), "can not be decoded"),
        (png(1, 30_000), "has 1 x 30000 pixels"),
        (cut_and_closed(saved(noise())), "can not be decoded"),
        (png(48, 40, depth=16, colour=2), "is an image of mode RGB with 16 bits"),
        (POSTSCRIPT, "is no JPEG or PNG"),
    ],
    ids=["a long text", "a thin line", "cut and closed", "16 bits", "PostScript"],
)
def test_what_may_not_be_read_is_named_and_left_out_where_one_asks_for_it(
    folder: Path,
    content: bytes,
    problem: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    asked = forbid_postscript(monkeypatch)
    samples, classes = read_split(folder, "train")
    samples[5].path.write_bytes(content)
    left = PixelCache(samples, classes, Preprocessing(size=16), folder=tmp_path / "cache", skip_unreadable=True)
    assert len(left) == len(samples) - 1
    assert f"{samples[5].path.name} {problem}" in capsys.readouterr().out
    assert not asked


def test_a_link_to_nothing_or_a_closed_folder_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = folder / "train" / "NORMAL" / "phantom0001_normal_9.jpeg"
    link.symlink_to(folder / "gone.jpeg")
    with pytest.raises(DataError, match=r"1 of 17 images in .*NORMAL are no files, .*\(phantom0001_normal_9\.jpeg\)"):
        read_split(folder, "train")
    link.unlink()
    without_permission(folder / "train" / "PNEUMONIA", monkeypatch)
    with pytest.raises(DataError, match=r"PNEUMONIA can not be listed \(.*Permission denied"):
        read_split(folder, "train")
