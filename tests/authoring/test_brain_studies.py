"""The studies of brain tumours: who is on which side, what each network sees, and that no test part is opened."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib.authoring.studies import brain_slices, dimensions, sim_to_real, slice_splits
from course_lib.authoring.studies.dimensions import Heads, build, make_stacks
from course_lib.data.course_data import CourseData
from course_lib.data.samples import LabelledImage
from course_lib.evaluation.studies import Row
from course_lib.modalities.brain_mri.phantoms import CLASSES
from course_lib.networks.frozen_features import Features
from course_lib.support.errors import DataError

FEW = Heads(learned=9, validation=3, test=6, spacing_mm=(8.0, 8.0, 20.0))
NAMED = "phantom{patient:04d}_axial_{place:02d}.png"
IN_FOLDS = "fold{fold}_{number:04d}.jpg"


def slices(form: str, patients: range) -> tuple[LabelledImage, ...]:
    """Three slices of each patient in consecutive numbers, the even patients in fold 1 and the odd ones in fold 2."""
    return tuple(
        LabelledImage(
            Path(form.format(patient=patient, place=place, fold=patient % 2 + 1, number=10 * patient + place)),
            patient // 2 % len(CLASSES),
            f"fold{patient % 2 + 1}" if form == IN_FOLDS else f"phantom{patient:04d}",
        )
        for patient in patients
        for place in range(3)
    )


def opened(form: str) -> CourseData[LabelledImage]:
    learned, validation, test = (slices(form, patients) for patients in (range(24), range(24, 36), range(36, 42)))
    return CourseData("Slices", False, CLASSES, learned, validation, test, "", None)


def looked_at(images: tuple[LabelledImage, ...], classes: tuple[str, ...]) -> Features:
    """In place of a network: whose a slice is can be told, and what it shows can be guessed."""
    patients = [int(image.path.stem.split("_")[1]) // 10 if "fold" in image.path.name else int(image.path.name[7:11])
                for image in images]  # fmt: skip
    rng = np.random.default_rng(0)
    values = np.eye(42, dtype=np.float32)[patients]
    values[:, -3:] += np.eye(3)[[image.label for image in images]] + rng.normal(0, 1, (len(images), 3))
    names = np.array([f"patient {patient}" for patient in patients])
    return Features(values, np.array([i.label for i in images]), names, tuple(i.path.name for i in images), classes)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (slice_splits, sim_to_real):
        monkeypatch.setattr(module, "seen_in", looked_at)
    monkeypatch.setattr(sim_to_real, "SLICES", 36)
    monkeypatch.setattr(brain_slices, "RESAMPLES", 50)


def numbers_of(row: Row) -> list[float]:
    return [float(value) for value in row.values()]


@pytest.mark.parametrize("form", [NAMED, IN_FOLDS])
def test_the_slices_of_a_study_are_never_those_of_the_test(form: str) -> None:
    data = opened(form)
    there = brain_slices.slices_to_learn(data)
    assert not set(there) & set(data.test)
    assert len(there) == len(data.train) + len(data.validation)


@pytest.mark.parametrize("form", [NAMED, IN_FOLDS])
def test_by_patient_no_patient_is_in_both_halves_and_by_slice_the_halves_are_as_large(form: str) -> None:
    images = brain_slices.slices_to_learn(opened(form))
    seen = looked_at(images, CLASSES)
    by_patient, by_slice = (slice_splits._second_half(images, seen, split, 0) for split in slice_splits.SPLITS)
    assert not set(seen.patients[by_patient]) & set(seen.patients[~by_patient])
    assert len(set(seen.patients[by_slice]) & set(seen.patients[~by_slice])) > 10
    assert by_patient.sum() == by_slice.sum() == len(images) / 2


def test_a_coin_is_tossed_once_for_each_patient() -> None:
    seen = slice_splits._tossed(looked_at(slices(NAMED, range(36)), CLASSES), seed=0)
    assert len(set(zip(seen.patients, seen.labels, strict=True))) == 36
    assert 6 < seen.labels[::3].sum() < 30


@pytest.mark.usefixtures("cheap")
def test_a_coin_is_known_by_slice_and_not_by_patient() -> None:
    said = {
        split: slice_splits.measure(opened(NAMED), {"labels": "coin", "split": split, "seed": 0})
        for split in slice_splits.SPLITS
    }
    assert float(said["by slice"]["auroc"]) > 0.8
    assert float(said["by patient"]["low"]) < 0.5


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("tested", sim_to_real.TESTED)
@pytest.mark.parametrize("learned", ["physics", "real"])
def test_from_one_to_the_other_is_measured(learned: str, tested: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim_to_real, "_simulated", lambda *_: looked_at(slices(NAMED, range(42)), CLASSES))
    row = sim_to_real.measure(opened(IN_FOLDS), {"tested": tested, "learned": learned, "seed": 0})
    assert 0 <= float(row["low"]) <= float(row["auroc"]) <= float(row["high"]) <= 1


def test_as_many_of_each_class_are_drawn_as_are_wanted() -> None:
    pool, wanted = np.arange(30) % 3, np.array([0, 0, 0, 2, 2, 1])
    drawn = sim_to_real._as_many_of_each(pool, wanted, np.random.default_rng(0))
    assert sorted(pool[drawn]) == sorted(wanted)
    assert len(set(drawn)) == len(wanted)


@pytest.mark.usefixtures("cheap")
def test_slices_without_folds_are_refused() -> None:
    with pytest.raises(DataError, match="does not say which fold a slice is in"):
        sim_to_real.measure(opened(NAMED), {"tested": "real", "learned": "real", "seed": 0})


@pytest.mark.parametrize("network", dimensions.NETWORKS)
def test_a_network_sees_its_neighbouring_slices_and_no_others(network: str) -> None:
    """A slice that is changed changes what the layers find in it and in its neighbours."""
    model = build(network).eval()
    layers = model[: 3 * len(dimensions.WIDTHS)]
    stack = torch.randn(1, 1, 15, 16, 16)
    other = stack.clone()
    other[:, :, 7] += 1
    with torch.inference_mode():
        changed = (layers(stack) != layers(other)).any(dim=4).any(dim=3).any(dim=1)[0]
    reach = {"2-D": 0, "2.5-D": 1, "3-D": 3}[network]
    assert changed.nonzero().flatten().tolist() == list(range(7 - reach, 8 + reach))


def test_the_networks_differ_in_nothing_but_that() -> None:
    shapes = {
        network: [(name, (*values.shape[:2], *values.shape[3:])) for name, values in build(network).named_parameters()]
        for network in dimensions.NETWORKS
    }
    assert shapes["2-D"] == shapes["2.5-D"] == shapes["3-D"]


def test_simulated_heads_are_all_kinds_and_only_those_to_learn_from_are_mirrored() -> None:
    learned, validation, test = make_stacks(FEW)
    everyone = [*learned.samples, *validation.samples, *test.samples]
    assert len({sample.patient for sample in everyone}) == 18
    assert [sample.label for sample in everyone] == [0, 1, 2] * 6
    (stack,) = test.inputs(torch.tensor([0]))
    assert stack.shape == (1, 8, 24, 20)
    assert stack.mean().item() == pytest.approx(0, abs=1e-5)
    assert torch.equal(stack, test.inputs(torch.tensor([0]))[0])
    assert len({learned.inputs(torch.tensor([0]))[0, 0, 4].sum(0)[0].item() for _ in range(20)}) == 2


@pytest.mark.slow
def test_a_network_is_compared_with_2d_on_the_same_patients(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(dimensions, "HEADS", FEW)
    monkeypatch.setattr(dimensions, "SEEDS", (0,))
    monkeypatch.setattr(dimensions, "LEARNING_RATES", (1e-3,))
    monkeypatch.setattr(dimensions, "TRAINING", replace(dimensions.TRAINING, epochs=1))
    monkeypatch.setattr(dimensions, "UNFINISHED", tmp_path)
    flat, deep = (dimensions.measure(opened(NAMED), {"network": name, "seed": 0}) for name in ("2-D", "3-D"))
    assert all(math.isfinite(number) for number in numbers_of(deep))
    assert float(deep["gain"]) == pytest.approx(float(deep["auroc"]) - float(flat["auroc"]))
    assert flat["accuracy_gain"] == flat["gain"] == 0
    assert int(deep["weights"]) > 2 * int(flat["weights"])
    assert float(deep["gflops"]) == pytest.approx(3 * float(flat["gflops"]), rel=0.2)
