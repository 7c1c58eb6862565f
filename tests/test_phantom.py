"""The simulator: its geometry, its disease, and folders that are whole or not there."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from course_lib import phantom
from course_lib.dataset import check_patients_apart, read_split
from course_lib.phantom import Patient, draw_exposure, draw_patient, make_dataset, render, render_layers


def patient_and_exposure(kind: phantom.Kind = "bacteria", seed: int = 3) -> tuple[Patient, phantom.Exposure]:
    rng = np.random.default_rng(seed)
    return replace(draw_patient(rng, kind), severity=0.0 if kind == "normal" else 0.8), draw_exposure(rng)


def test_the_length_inside_an_ellipsoid_is_right() -> None:
    x, y = np.meshgrid(np.linspace(-3, 3, 13, dtype=np.float32), np.linspace(-3, 3, 13, dtype=np.float32))
    z = np.linspace(-6, 6, 24001)
    inside = (x[..., None] / 2) ** 2 + (y[..., None] / 2.5) ** 2 + (z / 5) ** 2 <= 1
    assert np.allclose(phantom._ellipsoid(x, y, (2, 2.5, 5)), inside.sum(-1) * (z[1] - z[0]), atol=2e-3)


def test_the_same_child_gives_the_same_picture() -> None:
    patient, exposure = patient_and_exposure()
    first, second = render(patient, exposure, 64), render(patient, exposure, 64)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
    assert first[0].shape == first[1].shape == (64, round(64 * exposure.aspect))
    other, _ = render(patient, replace(exposure, noise_seed=exposure.noise_seed + 1), 64)
    assert not np.array_equal(first[0], other)


@pytest.mark.parametrize("kind", ["bacteria", "virus"])
def test_disease_whitens_the_lung_where_the_mask_says(kind: phantom.Kind) -> None:
    for seed in range(5):
        patient, exposure = patient_and_exposure(kind, seed)
        sick, mask = render(patient, exposure, 96)
        well, no_mask = render(replace(patient, severity=0.0), exposure, 96)
        change = sick.astype(int) - well
        assert mask.any()
        assert not no_mask.any()
        assert change[mask].mean() > 8 > abs(change[~mask].mean()) + 2


def test_more_severity_is_more_disease() -> None:
    patient, exposure = patient_and_exposure()
    added = [render_layers(replace(patient, severity=s), exposure, 64)["disease"].sum() for s in (0.0, 0.3, 0.6, 1.0)]
    assert added[0] == 0
    assert sorted(added) == added
    assert added[1] < added[3] / 2


def test_normal_children_have_no_disease() -> None:
    patient, exposure = patient_and_exposure("normal")
    assert not render(patient, exposure, 64)[1].any()


def test_the_picture_is_the_last_layer() -> None:
    patient, exposure = patient_and_exposure()
    layers = render_layers(patient, exposure, 64)
    assert list(layers) == ["soft tissue", "lungs", "bone", "disease", "photons", "film"]
    assert np.array_equal(render(patient, exposure, 64)[0], np.round(255 * layers["film"]).astype(np.uint8))
    assert (layers["lungs"] <= layers["bone"] + 1e-5).all()
    assert layers["film"].min() >= 0
    assert layers["film"].max() <= 1


def test_bone_is_whiter_than_lung_and_air_is_black() -> None:
    patient, exposure = patient_and_exposure("normal")
    layers = render_layers(patient, replace(exposure, shift=(0, 0), rotation=0), 128)
    film, lung = layers["film"], layers["soft tissue"] - layers["lungs"]
    spine = film[:, film.shape[1] // 2]
    assert np.median(film[lung > 0.6]) < np.median(spine[20:100]) - 0.2
    assert film[layers["soft tissue"] < 0.01].mean() < 0.2


def test_severity_and_kind_are_checked() -> None:
    patient, _ = patient_and_exposure()
    with pytest.raises(ValueError, match=r"severity must be from 0 to 1, but is 1\.5"):
        replace(patient, severity=1.5)
    with pytest.raises(ValueError, match="kind must be one of"):
        replace(patient, kind="flu")  # type: ignore[arg-type]


@pytest.mark.parametrize("size_px", [0, -3])
def test_a_picture_needs_a_size(size_px: int) -> None:
    with pytest.raises(ValueError, match=f"size_px must be at least 1, but is {size_px}"):
        render(*patient_and_exposure(), size_px)


def make_small(root: Path, seed: int = 0) -> Path:
    return make_dataset(root, train_patients=8, test_patients=4, size_px=24, seed=seed, progress=False)


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*.jpeg"))}


def test_a_dataset_has_the_layout_and_keeps_patients_apart(tmp_path: Path) -> None:
    root = make_small(tmp_path / "set")
    train, classes = read_split(root, "train")
    test, _ = read_split(root, "test")
    assert classes == ("NORMAL", "PNEUMONIA")
    assert len({r.patient for r in train}) == 8
    assert len({r.patient for r in test}) == 4
    check_patients_apart(train, test, ("train", "test"))


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    assert contents(make_small(tmp_path / "a")) == contents(make_small(tmp_path / "b"))
    assert contents(make_small(tmp_path / "a2", seed=1)) != contents(tmp_path / "a")


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_dataset_is_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    made = iter(range(1000))

    def fails_half_way(*arguments: object) -> object:
        if next(made) == 6:
            raise failure
        return render(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(phantom, "render", fails_half_way)
    with pytest.raises(type(failure)):
        make_small(tmp_path / "set")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(phantom, "render", render)
    assert make_small(tmp_path / "set").is_dir()


def test_what_another_process_made_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "set"

    def make_theirs_first(*arguments: object) -> object:
        if not root.exists():
            root.mkdir()
            (root / "theirs").touch()
        return render(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(phantom, "render", make_theirs_first)
    make_small(root)
    assert [p.name for p in root.iterdir()] == ["theirs"]
    assert [p.name for p in tmp_path.iterdir()] == ["set"]


def test_an_existing_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(FileExistsError, match="exists already"):
        make_small(tmp_path / "set")


def test_a_place_that_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"Can not write to .*nowhere.*Choose a folder that you may write to"):
        make_small(tmp_path / "nowhere" / "set")


def test_a_dataset_needs_patients(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one patient per split"):
        make_dataset(tmp_path / "set", train_patients=0, test_patients=1, size_px=24, seed=0)
