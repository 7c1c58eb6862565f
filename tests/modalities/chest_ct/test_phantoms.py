"""Simulated crops as files: in the real set's layout, the same each time, whole or not at all."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_lib.modalities.chest_ct import phantoms
from course_lib.modalities.chest_ct.phantoms import (
    ENTRY,
    FULL_SET,
    QUICK_SET,
    MarkedCrop,
    Settings,
    as_grey,
    draw_nodules,
    make_dataset,
)
from course_lib.modalities.chest_ct.simulated_readers import READERS
from course_lib.modalities.phantom_files import PhantomError, check_set, number_patients
from course_lib.modalities.simulated_chest.people import draw_patient
from course_lib.support.files import write_whole

FEW = Settings({"train": 2, "test": 1}, seed=5, pixels=32, pixel_mm=1.4)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two slices of noise a nodule in the place of scanned ones; the list grows by the number of each patient drawn."""
    drawn: list[int] = []

    def draw(settings: Settings, number: int) -> list[list[MarkedCrop]]:
        drawn.append(number)
        rng = np.random.default_rng([settings.seed, number])
        true = rng.random((4, 4)) < 0.5
        one = MarkedCrop(rng.integers(0, 256, (4, 4), np.uint8), np.stack([true] * READERS), true)
        return [[one, one], [one]]

    monkeypatch.setattr(phantoms, "draw_nodules", draw)
    return drawn


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_each_slice_is_a_file_with_the_masks_of_four_readers_beside_it(tmp_path: Path) -> None:
    files = contents(make_dataset(tmp_path / "set", FEW))
    assert all(ENTRY.fullmatch(name) for name in files)
    expected = {"manifest.json"}
    for split, number in number_patients(FEW.patients):
        for k, crops in enumerate(draw_nodules(FEW, number)):
            for j, crop in enumerate(crops):
                folder = f"{split}/phantom{number:04d}/nodule-{k}"
                names = [
                    f"{folder}/{part}/slice-{j}.png" for part in ("images", *(f"mask-{r}" for r in range(READERS)))
                ]
                image, *masks = (np.asarray(Image.open(io.BytesIO(files[name]))) for name in names)
                assert (image == crop.image).all()
                assert (np.stack(masks) == 255 * crop.marks).all()
                expected |= set(names)
    assert set(files) == expected


@pytest.mark.slow
def test_every_slice_is_marked_by_a_reader_and_its_nodule_lies_in_the_middle() -> None:
    crops = [crop for number in range(6) for nodule in draw_nodules(FEW, number) for crop in nodule]
    assert all(crop.marks.any() for crop in crops)
    assert all(crop.image.min() == 0 and crop.image.max() == 255 for crop in crops)
    places = np.concatenate([np.argwhere(crop.true) for crop in crops])
    assert np.abs(places.mean(axis=0) - (FEW.pixels - 1) / 2).max() < 1.5


@pytest.mark.usefixtures("cheap")
def test_the_same_settings_give_the_same_bytes_and_what_is_whole_is_left_alone(tmp_path: Path) -> None:
    one, other = make_dataset(tmp_path / "one", FEW), make_dataset(tmp_path / "other", FEW)
    assert contents(one) == contents(other)
    before = contents(one)
    make_dataset(one, FEW)
    assert contents(one) == before
    assert check_set(one) == FEW.to_json()


def test_what_was_interrupted_goes_on_with_the_patients_that_are_missing(
    tmp_path: Path, cheap: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[Path] = []

    def stop(path: Path, content: bytes) -> Path:
        if len(writes) == 20:  # in the middle of the second patient
            raise KeyboardInterrupt
        writes.append(path)
        return write_whole(path, content)

    monkeypatch.setattr(phantoms, "write_whole", stop)
    with pytest.raises(KeyboardInterrupt):
        make_dataset(tmp_path / "set", FEW)
    assert not (tmp_path / "set").exists()
    monkeypatch.setattr(phantoms, "write_whole", write_whole)
    cheap.clear()
    resumed = contents(make_dataset(tmp_path / "set", FEW))
    assert cheap == [1, 2]
    assert resumed == contents(make_dataset(tmp_path / "other", FEW))


@pytest.mark.usefixtures("cheap")
def test_other_settings_do_not_go_into_the_folder(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "set", FEW)
    with pytest.raises(PhantomError, match="other settings"):
        make_dataset(root, Settings({"train": 3}, seed=5, pixels=32))


def test_a_slice_is_scaled_by_itself_and_one_of_a_single_value_is_black() -> None:
    assert as_grey(np.array([[-1000.0, 0.0, 500.0]], np.float32)).tolist() == [[0, 170, 255]]
    assert as_grey(np.full((2, 2), 40.0, np.float32)).max() == 0


@pytest.mark.parametrize(
    "wrong", [{"pixels": 8}, {"pixel_mm": 0.0}, {"patients": {"train": 0}}, {"patients": {"val": 1}}]
)
def test_settings_that_can_not_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        Settings(**{"patients": {"train": 1}, "seed": 0, **wrong})  # type: ignore[arg-type]


def test_the_small_and_the_large_set_show_different_people() -> None:
    first = [draw_patient(np.random.default_rng([settings.seed, 0])) for settings in (QUICK_SET, FULL_SET)]
    assert first[0] != first[1]


@pytest.mark.slow
def test_all_nodules_of_a_patient_are_in_the_same_scan_and_none_runs_into_another() -> None:
    for number in range(8):
        nodules = draw_nodules(FEW, number)
        assert 1 <= len(nodules) <= 3
        firsts = [nodule[0].image.tobytes() for nodule in nodules]
        assert len(set(firsts)) == len(firsts)
