"""Simulated slices as files: in the set's layout, the same each time, whole or not at all, planes by the odds."""

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_lib.modalities.brain_mri import phantoms
from course_lib.modalities.brain_mri.phantoms import (
    CLASSES,
    ENTRY,
    FULL_SET,
    PLANE_ODDS,
    QUICK_SET,
    TWO_SERIES,
    Settings,
    draw_slices,
    kind_of,
    make_dataset,
    planes_of,
)
from course_lib.modalities.brain_mri.slices import PLANES, Plane, SimulatedSlice
from course_lib.modalities.phantom_files import PhantomError, check_set, number_patients
from course_lib.modalities.simulated_head import Kind
from course_lib.support.files import write_whole

FEW = Settings({"train": 3, "test": 1}, seed=5, pixels=16)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two slices of noise a plane in the place of scanned ones; the list grows by the number of each patient drawn."""
    drawn: list[int] = []

    def draw(settings: Settings, number: int, planes: Sequence[Plane] | None = None) -> list[SimulatedSlice]:
        drawn.append(number)
        rng = np.random.default_rng([settings.seed, number])
        return [
            SimulatedSlice(
                rng.integers(0, 256, (4, 4), np.uint8), rng.random((4, 4)) < 0.5, kind_of(number), plane, number, place
            )
            for plane in planes or planes_of(settings, number)
            for place in range(2)
        ]

    monkeypatch.setattr(phantoms, "draw_slices", draw)
    return drawn


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def same(one: SimulatedSlice, other: SimulatedSlice) -> bool:
    return one.image.tobytes() == other.image.tobytes() and one.mask.tobytes() == other.mask.tobytes()


def test_each_slice_is_a_file_with_its_mask_beside_it(tmp_path: Path) -> None:
    files = contents(make_dataset(tmp_path / "set", FEW))
    assert all(ENTRY.fullmatch(name) for name in files)
    expected = {"manifest.json"}
    for split, number in number_patients(FEW.patients):
        for one in draw_slices(FEW, number):
            name = f"{one.kind}/phantom{number:04d}_{one.plane}_{one.position:02d}.png"
            image, mask = (Image.open(io.BytesIO(files[f"{split}/{part}/{name}"])) for part in ("images", "masks"))
            assert image.mode == mask.mode == "L"
            assert (np.asarray(image) == one.image).all()
            assert (np.asarray(mask) == 255 * one.mask).all()
            expected |= {f"{split}/images/{name}", f"{split}/masks/{name}"}
    assert set(files) == expected


@pytest.mark.usefixtures("cheap")
def test_the_same_settings_give_the_same_bytes_and_what_is_whole_is_left_alone(tmp_path: Path) -> None:
    one, other = make_dataset(tmp_path / "one", FEW), make_dataset(tmp_path / "other", FEW)
    assert contents(one) == contents(other)
    assert check_set(one) == FEW.to_json()
    before = one.stat().st_mtime_ns
    assert make_dataset(one, FEW) == one
    assert one.stat().st_mtime_ns == before
    with pytest.raises(PhantomError, match=r'(?s)other settings.*"seed": 5.*wanted: .*"seed": 6'):
        make_dataset(one, Settings(FEW.patients, seed=6, pixels=16))


def test_an_interrupted_call_goes_on_with_the_patient_that_was_not_whole(
    tmp_path: Path, cheap: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def interrupted(path: Path, content: bytes) -> Path:
        if "phantom0002" in path.name and written and "phantom0002" in written[-1]:
            raise KeyboardInterrupt  # after the first file of this patient
        written.append(path.name)
        return write_whole(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(phantoms, "write_whole", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make_dataset(tmp_path / "set", FEW)
    assert not (tmp_path / "set").exists()
    assert cheap == [0, 1, 2]
    root = make_dataset(tmp_path / "set", FEW)
    assert cheap == [0, 1, 2, 2, 3]
    assert contents(root) == contents(make_dataset(tmp_path / "other", FEW))


def test_a_plane_gives_the_same_slices_whichever_others_are_taken() -> None:
    settings = Settings({"train": 9}, seed=2, pixels=32)
    for number in range(4):
        all_three = draw_slices(settings, number, PLANES)
        assert {one.plane for one in all_three} == set(PLANES)
        taken = draw_slices(settings, number)
        assert tuple(dict.fromkeys(one.plane for one in taken)) == planes_of(settings, number)
        counterparts = [one for plane in planes_of(settings, number) for one in all_three if one.plane == plane]
        assert all(same(one, other) for one, other in zip(taken, counterparts, strict=True))


def test_another_seed_or_number_gives_other_slices_and_random_contrast_the_same_masks() -> None:
    first = draw_slices(FEW, 0, ["axial"])[0]
    assert same(first, draw_slices(FEW, 0, ["axial"])[0])
    for settings, number in ((Settings(FEW.patients, seed=6, pixels=16), 0), (FEW, 3)):
        assert not same(first, draw_slices(settings, number, ["axial"])[0])
    chance = draw_slices(Settings(FEW.patients, seed=5, randomise=1.0, pixels=16), 0, ["axial"])[0]
    assert (chance.mask == first.mask).all()
    assert (chance.image != first.image).mean() > 0.2


def test_planes_are_taken_as_often_as_the_odds_of_the_kind_say() -> None:
    count = 3000
    firsts = Counter((kind_of(number), planes_of(QUICK_SET, number)[0]) for number in range(count))
    for kind in CLASSES:
        for plane, odds in zip(PLANES, PLANE_ODDS[kind], strict=True):
            assert firsts[kind, plane] / (count / 3) == pytest.approx(odds, abs=0.05)
    series = [planes_of(QUICK_SET, number) for number in range(count)]
    assert np.mean([len(planes) == 2 for planes in series]) == pytest.approx(TWO_SERIES, abs=0.03)
    assert all(len(set(planes)) == len(planes) for planes in series)


def test_the_kind_decides_the_plane_by_its_odds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phantoms, "PLANE_ODDS", dict.fromkeys(CLASSES, (0.2, 0.3, 0.5)))

    def taken(kind: Kind) -> list[tuple[Plane, ...]]:
        monkeypatch.setattr(phantoms, "kind_of", lambda _: kind)
        return [planes_of(FEW, number) for number in range(50)]

    assert taken("glioma") == taken("meningioma") == taken("pituitary")


@pytest.mark.parametrize("settings", [QUICK_SET, FULL_SET])
def test_a_third_of_the_patients_of_each_part_is_of_each_class(settings: Settings) -> None:
    kinds = Counter((split, kind_of(number)) for split, number in number_patients(settings.patients))
    for split, patients in settings.patients.items():
        assert {kinds[split, kind] for kind in CLASSES} == {patients / 3}


def test_settings_name_the_parts_and_how_large_a_slice_is() -> None:
    with pytest.raises(ValueError, match="Expected a number of patients for train and test"):
        Settings({"val": 2}, seed=0)
    with pytest.raises(ValueError, match="pixels must be at least 16, but is 8"):
        Settings({"train": 2}, seed=0, pixels=8)
