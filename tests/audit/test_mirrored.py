"""Copies that were mirrored or turned are found, with the right name for what was done to them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_lib.audit import SYMMETRIES, Dirt, audit, find_duplicates, make_dirty_copy, take_inventory
from course_lib.audit.duplicates import AS_IT_IS
from tests.audit.slices import of_patients, picture

WAYS = {
    Image.Transpose.FLIP_LEFT_RIGHT: "mirrored left to right",
    Image.Transpose.FLIP_TOP_BOTTOM: "mirrored top to bottom",
    Image.Transpose.ROTATE_180: "turned by 180 degrees",
    Image.Transpose.ROTATE_90: "turned by 90 degrees to the left",
    Image.Transpose.ROTATE_270: "turned by 90 degrees to the right",
    Image.Transpose.TRANSPOSE: "mirrored along the falling diagonal",
    Image.Transpose.TRANSVERSE: "mirrored along the rising diagonal",
}


def write(path: Path, image: Image.Image, quality: int = 95) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=quality)
    return path


def test_the_names_are_those_of_the_eight_symmetries() -> None:
    square = np.arange(12.0).reshape(3, 4)
    as_image = Image.fromarray(square.astype(np.uint8))
    assert len(SYMMETRIES) == 8 == len({move(square[:, :3]).tobytes() for move in SYMMETRIES.values()})
    for way, name in WAYS.items():
        assert np.array_equal(SYMMETRIES[name](square), np.asarray(as_image.transpose(way)))


@pytest.mark.parametrize("others", [3, 60])  # few pictures, and enough for the hash
def test_mirrored_and_turned_copies_are_found_after_scaling_and_saving(tmp_path: Path, others: int) -> None:
    expected = {}
    for seed in range(others + len(WAYS)):
        write(tmp_path / "train" / "a" / f"{seed:02d}.png", Image.fromarray(picture(seed, 80, 64)))
    for seed, (way, name) in enumerate(WAYS.items()):
        image = Image.fromarray(picture(seed, 80, 64)).transpose(way)
        smaller = image.resize((image.width * 3 // 4, image.height * 3 // 4), Image.Resampling.BICUBIC)
        write(tmp_path / "train" / "b" / f"{seed:02d}.jpeg", smaller, quality=60)
        expected[f"train/a/{seed:02d}.png", f"train/b/{seed:02d}.jpeg"] = name
    found = find_duplicates(take_inventory(tmp_path))
    assert {(pair.first.name, pair.second.name): pair.symmetry for pair in found.near} == expected
    assert found.mirrored == found.near
    assert found.across_classes == len(WAYS)


def test_a_picture_with_two_equal_halves_is_found_once_and_as_it_is(tmp_path: Path) -> None:
    half = picture(0, 64, 32)
    image = Image.fromarray(np.hstack([half, half[:, ::-1]]))
    write(tmp_path / "train" / "a" / "1.png", image)
    write(tmp_path / "train" / "a" / "2.jpeg", image, quality=70)
    (pair,) = find_duplicates(take_inventory(tmp_path)).near
    assert pair.symmetry == AS_IT_IS


@pytest.mark.parametrize(("place", "severity"), [("train/a", "look"), ("train/b", "stop"), ("test/a", "stop")])
def test_a_mirrored_copy_stops_where_it_gives_an_answer_away(tmp_path: Path, place: str, severity: str) -> None:
    write(tmp_path / "train" / "a" / "1.png", Image.fromarray(picture(0)))
    write(tmp_path / "train" / "b" / "1.png", Image.fromarray(picture(1)))
    write(tmp_path / place / "2.png", Image.fromarray(picture(0)).transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    finding = audit(tmp_path)["duplicates"]
    assert finding.severity == severity
    assert f"1 of them mirrored or turned (train/a/1.png = {place}/2.png mirrored left to right);" in finding.measured


def test_every_mirrored_copy_that_was_planted_is_found_and_nothing_else(tmp_path: Path) -> None:
    dirt = Dirt.only(mirrored_copies=14)
    folder = make_dirty_copy(of_patients(tmp_path / "clean"), tmp_path / "dirty", dirt)
    found = find_duplicates(take_inventory(folder.root))
    planted = set(folder.done["mirrored_copies"])
    assert [len({pair.first.name, pair.second.name} & planted) for pair in found.near] == [1] * 14
    assert sorted(pair.symmetry for pair in found.mirrored) == sorted(2 * list(WAYS.values()))
    assert found.across_splits == 7
    assert str(folder) == "mirrored_copies: 14"
