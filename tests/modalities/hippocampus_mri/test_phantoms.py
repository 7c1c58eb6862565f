"""Simulated hippocampi as files: cut out as the real ones are, the same each time, whole or not at all."""

import gzip
import io
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from course_lib.data.volumes import read_label_map, read_volume
from course_lib.modalities.hippocampus_mri import phantoms
from course_lib.modalities.hippocampus_mri.phantoms import Settings, as_nifti, make_dataset, make_volume
from course_lib.modalities.hippocampus_mri.reader import LABELS
from course_lib.modalities.phantom_files import PhantomError, check_set

FEW = Settings({"train": 3, "test": 1}, seed=5)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Small volumes of noise in the place of scanned ones; the list grows by the number of each that is made."""
    made: list[int] = []

    def make(settings: Settings, number: int) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
        made.append(number)
        rng = np.random.default_rng([settings.seed, number])
        return rng.integers(0, 999, (5, 6, 7), np.int16), rng.integers(0, 3, (5, 6, 7), np.uint8)

    monkeypatch.setattr(phantoms, "make_volume", make)
    return made


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def volumes() -> list[tuple[NDArray[np.int16], NDArray[np.uint8]]]:
    return [make_volume(FEW, number) for number in range(5)]


Volumes = list[tuple[NDArray[np.int16], NDArray[np.uint8]]]


def test_a_volume_is_a_box_around_both_parts_with_a_margin(volumes: Volumes) -> None:
    for image, labels in volumes:
        assert image.shape == labels.shape
        assert image.dtype == np.int16
        assert set(np.unique(labels)) == {0, 1, 2}
        inside = np.argwhere(labels)
        margins = np.concatenate([inside.min(axis=0), np.array(labels.shape) - 1 - inside.max(axis=0)])
        assert margins.min() >= 3


def test_all_lie_as_left_ones_do_and_no_scale_of_greys_is_common(volumes: Volumes) -> None:
    middles = np.array([[np.argwhere(labels == part).mean(axis=0) for part in (1, 2)] for _, labels in volumes])
    to_the_right, to_the_front, _ = (middles[:, 0] - middles[:, 1]).T
    assert (to_the_right > 0).sum() >= 4, "the anterior part is nearer to the middle of the head"
    assert (to_the_front > 5).all()
    brightest = [image.max() for image, _ in volumes]
    assert max(brightest) > 5 * min(brightest)


@pytest.mark.usefixtures("cheap")
def test_files_are_read_as_volumes_of_one_millimetre_towards_right_front_and_up(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "set", FEW)
    names = {path.as_posix() for path in (p.relative_to(root) for p in root.rglob("*")) if path.suffix == ".gz"}
    assert names == {
        f"{split}/{part}/phantom{number:04d}.nii.gz"
        for split, number in (("train", 0), ("train", 1), ("train", 2), ("test", 3))
        for part in ("images", "labels")
    }
    image = read_volume(root / "test/images/phantom0003.nii.gz")
    labels = read_label_map(root / "test/labels/phantom0003.nii.gz", image, LABELS)
    assert nibabel.aff2axcodes(image.affine) == ("R", "A", "S")
    assert np.allclose(image.spacing, 1)
    made = phantoms.make_volume(FEW, 3)
    assert (image.numpy()[0] == made[0]).all()
    assert (labels.numpy()[0] == made[1]).all()


@pytest.mark.usefixtures("cheap")
def test_the_same_settings_give_the_same_bytes_and_what_is_whole_is_left_alone(tmp_path: Path) -> None:
    one, other = make_dataset(tmp_path / "one", FEW), make_dataset(tmp_path / "other", FEW)
    assert contents(one) == contents(other)
    assert check_set(one) == FEW.to_json()
    before = one.stat().st_mtime_ns
    assert make_dataset(one, FEW) == one
    assert one.stat().st_mtime_ns == before
    with pytest.raises(PhantomError, match=r'(?s)other settings.*"seed": 5.*wanted: .*"seed": 6'):
        make_dataset(one, Settings(FEW.patients, seed=6))


def test_an_interrupted_call_goes_on_with_what_is_missing(
    tmp_path: Path, cheap: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = phantoms.make_volume

    def interrupted(settings: Settings, number: int) -> object:
        if number == 2:
            raise KeyboardInterrupt
        return make(settings, number)

    with monkeypatch.context() as patched:
        patched.setattr(phantoms, "make_volume", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make_dataset(tmp_path / "set", FEW)
    assert not (tmp_path / "set").exists()
    assert cheap == [0, 1]
    root = make_dataset(tmp_path / "set", FEW)
    assert cheap == [0, 1, 2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".set.lock", "set"]
    assert contents(root) == contents(make_dataset(tmp_path / "other", FEW))


def test_a_file_is_the_same_at_any_time() -> None:
    voxels = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    file = as_nifti(voxels)
    assert file[4:8] == bytes(4), "where gzip keeps the time"
    read = nibabel.Nifti1Image.from_stream(io.BytesIO(gzip.decompress(file)))
    assert (np.asarray(read.dataobj) == voxels).all()


@pytest.mark.parametrize("patients", [{}, {"val": 2}, {"train": 0}])
def test_settings_name_the_parts_and_how_many_are_in_each(patients: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="Expected a number of patients for train and test"):
        Settings(patients, seed=0)
    with pytest.raises(ValueError, match="There are names for 10,000 patients"):
        Settings({"train": 10_001}, seed=0)
