"""Lesson 10: the answers agree with the simulator's physics, with the course's own metrics and with the libraries."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import recall_score, roc_auc_score
from sklearn.model_selection import GroupKFold

from course_lib.evaluation.classification import auroc
from course_lib.evaluation.intervals import accuracy_interval
from course_lib.evaluation.predictions import Predictions
from course_lib.exercises.judging import judge
from course_lib.lessons.brain_mri import (
    LESSON,
    folds_of_patients,
    inversion_time,
    macro_auroc,
    mirrored_copies,
    neighbours_as_channels,
    patient_answers,
    seen_patients,
    sensitivities,
    spin_echo,
    t1_after_agent,
)
from course_lib.modalities.simulated_head import physics
from course_lib.modalities.simulated_head.physics import RELAXIVITY, TISSUES, Tissue

EXERCISES = {exercise.name: exercise for exercise in LESSON.exercises}
SEEDS = range(10)


def drawn(name: str, seed: int) -> tuple[Any, ...]:
    return EXERCISES[name].draw(np.random.default_rng(seed))


def told(name: str, answer: object) -> str:
    return judge(EXERCISES[name], answer, seed=0).text


# --- relaxation


@pytest.mark.parametrize("seed", SEEDS)
def test_the_spin_echo_is_the_simulators_for_one_tissue_and_for_several(seed: int) -> None:
    pd, t1_ms, t2_ms, tr_ms, te_ms = drawn("spin_echo", seed)
    signals = spin_echo(pd, t1_ms, t2_ms, tr_ms, te_ms)
    assert np.shape(signals) == np.shape(pd)
    tissues = np.broadcast(pd, t1_ms, t2_ms)
    assert np.allclose(signals, [physics.spin_echo(t1, t2, density, tr_ms, te_ms) for density, t1, t2 in tissues])


def test_both_kinds_of_input_are_drawn() -> None:
    assert {np.shape(drawn("spin_echo", seed)[0]) for seed in SEEDS} == {(), (3,)}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tissue_is_silent_at_its_inversion_time(seed: int) -> None:
    t1_ms, tr_ms = drawn("inversion_time", seed)
    silent = inversion_time(t1_ms, tr_ms)
    assert physics.flair(t1_ms, 100, 1.0, tr_ms, 0, silent) == pytest.approx(0)
    assert physics.flair(t1_ms, 100, 1.0, tr_ms, 0, silent + 0.05 * t1_ms) > 0.02


@pytest.mark.parametrize("field_t", [1.5, 3.0])
def test_the_simulators_flair_silences_csf_at_the_same_time(field_t: float) -> None:
    t1_ms = TISSUES[Tissue.CSF].t1_ms * physics.T1_GROWS[field_t]
    assert inversion_time(t1_ms, 9000) == pytest.approx(physics.csf_null_ms(9000, field_t))


@pytest.mark.parametrize("seed", SEEDS)
def test_contrast_agent_does_what_it_does_in_the_simulator(seed: int) -> None:
    t1_ms, relaxivity, concentration = drawn("t1_after_agent", seed)
    after = t1_after_agent(t1_ms, relaxivity, concentration)
    assert after == pytest.approx(physics.add_contrast_agent(t1_ms, concentration, relaxivity))
    assert 1 / (1 / t1_ms + relaxivity * concentration) < 10  # as the diagnosis says of mixed units


def test_a_glioma_is_darker_than_grey_matter_before_the_agent_and_brighter_after() -> None:
    """In a spin echo with short TR and TE, as the first question says."""
    glioma, grey = TISSUES[Tissue.GLIOMA], TISSUES[Tissue.GREY]
    after = t1_after_agent(glioma.t1_ms, RELAXIVITY[1.5], glioma.uptake_mmol_l)
    before, enhanced, beside = (
        float(spin_echo(tissue.proton_density, t1_ms, tissue.t2_ms, 500, 15))
        for tissue, t1_ms in ((glioma, glioma.t1_ms), (glioma, after), (grey, grey.t1_ms))
    )
    assert before < beside - 0.04 < beside + 0.15 < enhanced


# --- patients


def test_slices_dealt_out_at_random_are_of_known_patients_and_folds_are_not() -> None:
    patients = [f"phantom{n:04d}" for n in range(40) for _ in range(6)]
    order = np.random.default_rng(0).permutation(patients).tolist()
    assert seen_patients(order[48:], order[:48]) == 1
    fold = folds_of_patients(patients, 5)
    train, test = ([p for p, n in zip(patients, fold, strict=True) if (n == 0) == known] for known in (False, True))
    assert len(test) == 48
    assert seen_patients(train, test) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_part_of_known_slices_is_numpys(seed: int) -> None:
    train, test = drawn("seen_patients", seed)
    assert seen_patients(train, test) == pytest.approx(np.isin(test, train).mean())


def by_sklearn(patients: list[str], folds: int) -> np.ndarray:
    fold = np.zeros(len(patients), dtype=int)
    for number, (_, test) in enumerate(GroupKFold(folds).split(patients, groups=patients)):
        fold[test] = number
    return fold


@pytest.mark.parametrize("seed", SEEDS)
def test_the_folds_are_as_large_as_sklearns(seed: int) -> None:
    patients, folds = drawn("folds_of_patients", seed)
    ours, sklearns = (np.bincount(deal(patients, folds)) for deal in (folds_of_patients, by_sklearn))
    assert sorted(ours) == sorted(sklearns)


def to_the_emptiest(patients: list[str], folds: int) -> np.ndarray:
    """Patients by name, not by size."""
    sizes, fold_of = [0] * folds, {}
    for patient in sorted(set(patients)):
        fold_of[patient] = int(np.argmin(sizes))
        sizes[fold_of[patient]] += patients.count(patient)
    return np.array([fold_of[patient] for patient in patients])


@pytest.mark.parametrize("deal", [by_sklearn, to_the_emptiest])
def test_other_folds_that_part_patients_are_right_too(deal: object) -> None:
    assert told("folds_of_patients", deal) == "Exercise 10.5: correct."


def at_random(patients: list[str], folds: int) -> np.ndarray:
    return np.random.default_rng(len(patients)).integers(0, folds, len(patients))


def by_first_coming(patients: list[str], folds: int) -> np.ndarray:
    names = list(dict.fromkeys(patients))
    return np.array([names.index(patient) % folds for patient in patients])


@pytest.mark.parametrize(
    ("deal", "looked_at", "diagnosis"),
    [
        (at_random, "whether each patient is in one fold", "Slices were dealt out"),
        (by_first_coming, "whether the folds are of like size", "some folds have many more"),
        (lambda *_: {"phantom0001": 0}, "what is returned", "A dict from patient to fold is half of the way"),
        (lambda patients, _: folds_of_patients(patients, 1), "whether each fold has a slice", "without any slice"),
        (lambda patients, folds: -folds_of_patients(patients, folds), "between 0 and folds - 1", "numbered from 0"),
    ],
)
def test_folds_that_are_wrong_are_told_what_is_wrong(deal: object, looked_at: str, diagnosis: str) -> None:
    text = told("folds_of_patients", deal)
    assert looked_at in text
    assert diagnosis in text


@pytest.mark.parametrize("seed", SEEDS)
def test_the_answers_for_patients_are_the_mean_rows_of_a_table_that_adds_them_up(seed: int) -> None:
    probabilities, patients = drawn("patient_answers", seed)
    names, place, slices = np.unique(patients, return_inverse=True, return_counts=True)
    sums = np.zeros((len(names), probabilities.shape[1]))
    np.add.at(sums, place, probabilities)
    came, means = patient_answers(probabilities, patients)
    assert came == names.tolist()
    assert np.allclose(means, sums / slices[:, None])
    assert np.allclose(means.sum(axis=1), 1)


@pytest.mark.parametrize("named", [np.unique, lambda patients: sorted(set(patients))])
def test_patients_may_be_named_in_numpys_way(named: Callable[[np.ndarray], Sequence[str]]) -> None:
    def so_named(probabilities: np.ndarray, patients: np.ndarray) -> tuple[Sequence[str], np.ndarray]:
        names = named(patients)
        return names, np.stack([probabilities[patients == name].mean(axis=0) for name in names])

    assert told("patient_answers", so_named) == "Exercise 10.9: correct."


# --- copies


def test_a_copy_is_found_in_each_of_the_eight_ways() -> None:
    image = np.random.default_rng(0).integers(0, 256, (16, 16)).astype(np.uint8)
    ways = [np.rot90(side, turns) for side in (image, image[::-1]) for turns in range(4)]
    assert len({way.tobytes() for way in ways}) == 8
    for way in ways:
        assert mirrored_copies(np.stack([way, 255 - image, image]), 1.0) == [(0, 2)]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_copies_stay_the_same_however_the_images_are_turned(seed: int) -> None:
    images, distance = drawn("mirrored_copies", seed)
    pairs = mirrored_copies(images, distance)
    assert len(pairs) >= 4
    assert pairs == sorted(pairs)
    turned = np.stack([np.rot90(image, n).T if n % 3 else image for n, image in enumerate(images)])
    assert mirrored_copies(turned, distance) == pairs


# --- scores


def without_warnings(score: Any, *arguments: Any, **more: Any) -> Any:
    """sklearn warns of a class without images; here it is meant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return score(*arguments, **more)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_sensitivities_are_sklearns(seed: int) -> None:
    labels, answers, classes = drawn("sensitivities", seed)
    recalls = without_warnings(recall_score, labels, answers, labels=range(classes), average=None, zero_division=np.nan)
    assert np.allclose(sensitivities(labels, answers, classes), recalls, equal_nan=True)


def test_some_inputs_lack_a_class() -> None:
    lacking = [np.isnan(sensitivities(*drawn("sensitivities", seed))).sum() for seed in SEEDS]
    assert set(lacking) == {0, 1}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_macro_auroc_is_sklearns_and_the_courses(seed: int) -> None:
    labels, probabilities = drawn("macro_auroc", seed)
    here = macro_auroc(labels, probabilities)
    assert here == pytest.approx(roc_auc_score(labels, probabilities, multi_class="ovr"))
    files = tuple(f"{n}.png" for n in range(len(labels)))
    predictions = Predictions(probabilities, labels, np.array(files), files, ("glioma", "meningioma", "pituitary"))
    assert here == pytest.approx(auroc(predictions))


# --- neighbours


@pytest.mark.parametrize("seed", SEEDS)
def test_the_neighbours_are_torchs_windows_over_a_stack_that_repeats_its_ends(seed: int) -> None:
    (stack,) = drawn("neighbours_as_channels", seed)
    flat = torch.from_numpy(stack).reshape(len(stack), -1).T[None]
    windows = torch.nn.functional.pad(flat, (1, 1), mode="replicate")[0].unfold(1, 3, 1)  # pixels, slices, 3
    expected = windows.permute(1, 2, 0).reshape(len(stack), 3, *stack.shape[1:])
    assert np.array_equal(neighbours_as_channels(stack), expected.numpy())


def test_a_single_slice_is_its_own_neighbour() -> None:
    stack = np.arange(6.0).reshape(1, 2, 3)
    assert np.array_equal(neighbours_as_channels(stack), np.stack([stack, stack, stack], axis=1))
    assert any(len(drawn("neighbours_as_channels", seed)[0]) == 1 for seed in range(20))


# --- questions


def test_the_interval_in_the_last_question_is_that_of_99_percent_of_the_test_images() -> None:
    low, high = accuracy_interval(round(0.99 * 1311), 1311)
    said = next(option.why for option in LESSON.questions[-1].options if "interval" in option.text)
    assert f"{100 * low:.1f} to {100 * high:.1f} %" in said
