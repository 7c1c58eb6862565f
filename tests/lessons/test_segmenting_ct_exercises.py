"""Lesson 11: the answers agree with the libraries and the course's own loss, and find lungs where the simulator has."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_dilation, binary_fill_holes, label
from skimage.measure import regionprops
from skimage.segmentation import clear_border
from torch.nn import functional as F

from course_lib.exercises.exercise import Exercise
from course_lib.exercises.judging import judge
from course_lib.lessons.segmenting_ct.components import LUNGS, lungs
from course_lib.lessons.segmenting_ct.joining import UP_AND_JOIN, up_and_join
from course_lib.lessons.segmenting_ct.losses import SOFT_DICE_LOSS, soft_dice_loss
from course_lib.lessons.segmenting_ct.questions import METRIC_QUESTION, NOISE_QUESTION, USELESS_QUESTION
from course_lib.modalities.chest_ct.acquisition import Materials, acquire
from course_lib.modalities.chest_ct.beam import hounsfield
from course_lib.modalities.chest_ct.exposure import Exposure
from course_lib.modalities.chest_ct.scan import Scan, scan_chest
from course_lib.modalities.chest_ct.tomography import Geometry, filtered_back_projection
from course_lib.modalities.simulated_chest import Patient, draw_patient
from course_lib.modalities.simulated_chest.nodules import draw_nodule, place
from course_lib.modalities.simulated_chest.solid import Tissue
from course_lib.tasks.segmentation import dice_of_probabilities

SEEDS = range(20)
CLEAN = Exposure(
    thickness_mm=2.5,
    photons=200.0,
    kernel="hann",
    angles=180,
    contrast=False,
    padded=False,
    metal=False,
    motion_mm=0.0,
    randomise=0.0,
    seed=3,
)


def drawn(exercise: Exercise, seed: int) -> tuple[Any, ...]:
    return exercise.draw(np.random.default_rng(seed))


# --- lungs


@pytest.mark.parametrize("seed", SEEDS)
def test_the_lungs_are_those_of_scikit_image(seed: int) -> None:
    (values,) = drawn(LUNGS, seed)
    pieces = clear_border(label(values < -400)[0])
    largest = sorted(regionprops(pieces), key=lambda piece: piece.area)[-2:]
    assert np.array_equal(lungs(values), np.isin(pieces, [piece.label for piece in largest]))


def test_slices_are_drawn_with_two_lungs_with_one_and_with_none_and_no_two_pieces_are_of_one_size() -> None:
    found = set()
    for seed in SEEDS:
        (values,) = drawn(LUNGS, seed)
        pieces, _ = label(values < -400)
        sizes = np.bincount(pieces.ravel())
        assert len(set(sizes)) == len(sizes)
        found.add(min(2, int(clear_border(pieces).max() > 0) + int(label(lungs(values))[1] > 1)))
    assert found == {0, 1, 2}


def test_a_slice_of_bone_has_no_lungs() -> None:
    assert lungs(np.full((4, 5), 700.0)).tolist() == np.zeros((4, 5), bool).tolist()


def one_slice(patient: Patient, height_cm: float, exposure: Exposure = CLEAN) -> Scan:
    return scan_chest(patient, exposure, (height_cm - 0.125, height_cm + 0.125))


def adult(seed: int) -> Patient:
    return draw_patient(np.random.default_rng(seed), "normal", adult=True)


def inside_of_lungs(scan: Scan) -> np.ndarray:
    return np.isin(scan.labels[0], [Tissue.LUNG, Tissue.VESSEL, Tissue.NODULE])


def overlap(found: np.ndarray, true: np.ndarray) -> float:
    return float(2 * (found & true).sum() / (found.sum() + true.sum()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "exposure",
    [CLEAN, replace(CLEAN, photons=5.0), replace(CLEAN, metal=True), replace(CLEAN, contrast=True)],
    ids=["clean", "low dose", "metal", "contrast"],
)
def test_the_lungs_of_a_simulated_adult_are_found(exposure: Exposure) -> None:
    for height_cm in (-5.0, 5.0):
        scan = one_slice(adult(7), height_cm, exposure)
        assert overlap(lungs(scan.hounsfield[0]), inside_of_lungs(scan)) > 0.95


def test_where_a_wide_vessel_cuts_a_lung_in_two_a_part_of_it_is_lost() -> None:
    scan = one_slice(adult(107), 0.0)
    found, true = lungs(scan.hounsfield[0]), inside_of_lungs(scan)
    assert overlap(found, true) < 0.7
    pieces, _ = label(scan.hounsfield[0] < -400)
    sizes = np.bincount(pieces[true])[1:]
    assert np.sort(sizes)[-3] > 200  # pixels, of the third piece in the lungs


@pytest.mark.slow
def test_a_nodule_at_the_wall_is_cut_out_of_the_lung_and_one_inside_is_a_hole() -> None:
    kept = {}
    for seed in (304, 308):
        rng = np.random.default_rng(seed)
        patient = draw_patient(rng, "normal", adult=True)
        nodule = replace(draw_nodule(rng, patient), radius_mm=11.0, density="solid", spiculation=0.0, calcium=0.0)
        patient = replace(patient, nodules=(nodule,))
        scan = one_slice(patient, place(patient, nodule)[1])
        true = scan.nodules[0][0]
        at_the_wall = bool((binary_dilation(true) & ~inside_of_lungs(scan)).any())
        found = lungs(scan.hounsfield[0])
        assert found[true].mean() < 0.1
        kept[at_the_wall] = binary_fill_holes(found)[true].mean()
    assert kept[False] == 1
    assert kept[True] < 0.1


# --- joining


@pytest.mark.parametrize("seed", SEEDS)
def test_each_pixel_of_the_deep_map_lies_where_pooling_took_it_from(seed: int) -> None:
    deep, bridge = drawn(UP_AND_JOIN, seed)
    rows, columns = (
        (torch.arange(side) // 2).clamp(max=below - 1)
        for side, below in zip(bridge.shape[2:], deep.shape[2:], strict=True)
    )
    joined = up_and_join(deep, bridge)
    assert torch.equal(joined[:, : bridge.shape[1]], bridge)
    assert torch.equal(joined[:, bridge.shape[1] :], deep[:, :, rows][..., columns])
    assert F.max_pool2d(joined, 2).shape[2:] == deep.shape[2:]
    assert torch.equal(F.max_pool2d(joined, 2)[:, bridge.shape[1] :], deep)


def test_bridges_are_drawn_with_even_and_odd_sides() -> None:
    shapes = [drawn(UP_AND_JOIN, seed)[1].shape for seed in SEEDS]
    assert {(rows % 2, columns % 2) for *_, rows, columns in shapes} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_repeating_pixels_is_as_good_as_interpolating() -> None:
    def by_repeating(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
        large = deep.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        if bridge.shape[2] > large.shape[2]:
            large = torch.cat([large, large[:, :, -1:]], dim=2)
        if bridge.shape[3] > large.shape[3]:
            large = torch.cat([large, large[:, :, :, -1:]], dim=3)
        return torch.cat([bridge, large], dim=1)

    assert judge(UP_AND_JOIN, by_repeating, seed=0).text == "Exercise 11.4: correct."


# --- losses


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sharp", [False, True])
def test_the_loss_and_its_gradient_are_those_the_course_trains_with(seed: int, sharp: bool) -> None:
    said, true = drawn(SOFT_DICE_LOSS, seed)
    said = said.detach().clamp(min=0.01).requires_grad_()  # at 0 the smaller of two numbers has a corner
    ours = soft_dice_loss(said, true)
    courses = 1 - dice_of_probabilities(said[:, None], true[:, None], sharp=sharp).mean()
    assert torch.allclose(ours, courses)
    gradient, expected = (torch.autograd.grad(loss, said)[0] for loss in (ours, courses))
    assert torch.allclose(gradient, expected, atol=1e-7)


def test_an_image_with_nothing_in_it_costs_nothing_if_nothing_is_said() -> None:
    nothing = torch.zeros(1, 4, 4)
    assert soft_dice_loss(nothing, nothing).item() == 0
    assert 0 < soft_dice_loss(nothing + 0.01, nothing).item() < 0.2
    empties = [not drawn(SOFT_DICE_LOSS, seed)[1].flatten(1).any(1).all() for seed in SEEDS]
    silent = [not drawn(SOFT_DICE_LOSS, seed)[0].detach().flatten(1).any(1).all() for seed in SEEDS]
    assert 0 < sum(silent) < sum(empties) < len(SEEDS)


def test_the_smaller_of_both_is_an_overlap_too() -> None:
    def by_the_smaller(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
        common = torch.minimum(said, true).flatten(1).sum(1)
        return (1 - (2 * common + 1) / (said.flatten(1).sum(1) + true.flatten(1).sum(1) + 1)).mean()

    assert judge(SOFT_DICE_LOSS, by_the_smaller, seed=0).text == "Exercise 11.5: correct."


# --- questions


def test_a_quarter_of_the_photons_has_twice_the_noise() -> None:
    right = next(option for option in NOISE_QUESTION.options if option.right)
    assert "twice" in right.text
    geometry = Geometry(pixels=48, pixel_mm=5.0, angles=90)
    rows, columns = np.indices((48, 48)) - 23.5
    disc = (np.hypot(rows, columns) < 18).astype(np.float32)[None].repeat(4, axis=0)
    water = Materials(disc, np.zeros_like(disc), np.zeros_like(disc))
    spread = []
    for photons in (200_000, 50_000):
        sinograms = acquire(water, geometry, photons, np.random.default_rng(0))
        slices = hounsfield(filtered_back_projection(sinograms, geometry, "hann"))
        spread.append(np.std(slices - slices.mean(axis=0), axis=0)[np.hypot(rows, columns) < 12].mean())
    assert spread[1] / spread[0] == pytest.approx(2, rel=0.1)


def test_the_numbers_of_the_network_that_finds_nothing_are_true() -> None:
    part = 0.002
    entropy = -part * math.log(part) - (1 - part) * math.log(1 - part)
    texts = [option.text for option in USELESS_QUESTION.options]
    assert f"Its accuracy, {100 * (1 - part):.1f} %" in texts
    assert f"Its cross-entropy, {entropy:.3f}" in texts


def test_one_mm_too_much_costs_a_small_tumour_the_dice_that_is_said() -> None:
    said = METRIC_QUESTION.options[0].why
    large, small = (2 * radius**3 / (radius**3 + (radius + 1) ** 3) for radius in (30, 5))
    assert f"a Dice of {large:.2f} to a tumour of 60 mm and of {small:.2f} to one of 10 mm" in said
