"""The healthy head: volumes and sizes against published ones, left against right, and where things lie."""

from functools import lru_cache

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, label

from course_lib.modalities.simulated_head import (
    Grid,
    Patient,
    Scan,
    Structure,
    Tissue,
    draw_exposure,
    draw_patient,
    hippocampus_centre,
    render,
)
from course_lib.modalities.simulated_head.warp import Side

SEEDS = range(8)
HIPPOCAMPUS = (Structure.HIPPOCAMPUS_ANTERIOR, Structure.HIPPOCAMPUS_POSTERIOR)


@lru_cache
def patient(seed: int) -> Patient:
    return draw_patient(np.random.default_rng(seed), "none")


@lru_cache
def head(seed: int) -> Scan:
    return render(patient(seed), draw_exposure(np.random.default_rng(seed)), Grid.head(3.0))


@lru_cache
def box(seed: int, side: Side) -> Scan:
    grid = Grid.around(hippocampus_centre(patient(seed), side), (40, 56, 44), 1.5)
    return render(patient(seed), draw_exposure(np.random.default_rng(seed)), grid)


def brain_ml(scan: Scan) -> float:
    return sum(scan.volumes_ml[name] for name in ("grey", "white", "deep grey", "hippocampus"))


def test_brain_and_fluid_have_published_volumes() -> None:
    """Source: M. Matsumae et al., J Neurosurg 84:982, 1996 (49 people of 24 to 80 years).

    Brain 1302 ± 112 ml in men and 1143 ± 105 ml in women; 11.4 % of the space in the skull is fluid.
    """
    brains = np.array([brain_ml(head(seed)) for seed in SEEDS])
    fluid = np.array([head(seed).volumes_ml["csf"] for seed in SEEDS])
    assert 1143 < brains.mean() < 1302
    assert brains.min() > 1143 - 2.5 * 105
    assert brains.max() < 1302 + 2.5 * 112
    assert 0.09 < (fluid / (fluid + brains)).mean() < 0.17


def test_hippocampi_have_the_volume_of_real_ones() -> None:
    """Sources: the 112 training patients of the Decathlon's Task 04 have 1.73 ml in front and 1.59 ml behind; 43 people
    of 50 to 77 years had 3.43 ± 0.32 ml on the right and 3.26 ± 0.34 ml on the left (PMC3773349).
    """
    front, behind = (
        np.array([box(seed, side).volumes_ml[name] for seed in SEEDS for side in ("right", "left")])
        for name in ("hippocampus anterior", "hippocampus posterior")
    )
    assert front.mean() == pytest.approx(1.73, rel=0.15)
    assert behind.mean() == pytest.approx(1.59, rel=0.15)
    assert (front + behind).min() > 2.2
    assert (front + behind).max() < 4.6


def test_hippocampi_are_as_long_wide_and_high_as_real_ones() -> None:
    """Source: the mean over the same 112 patients is 22 x 39 x 25 mm (to the right, to the front, up)."""
    extents = []
    for seed in SEEDS:
        places = np.argwhere(np.isin(box(seed, "left").structures, HIPPOCAMPUS))
        extents.append((np.ptp(places, axis=0) + 1) * 1.5)
    assert np.mean(extents, axis=0) == pytest.approx([22, 39, 25], rel=0.12)


def test_the_head_of_the_hippocampus_lies_in_front_and_its_tail_higher_and_further_inside() -> None:
    structures = box(0, "left").structures
    front, behind = (np.argwhere(structures == part) for part in HIPPOCAMPUS)
    assert front[:, 1].min() >= behind[:, 1].max() - 1  # about a coronal plane
    assert behind[:, 2].mean() > front[:, 2].mean() + 2
    tail = behind[behind[:, 1] <= behind[:, 1].min() + 2]
    assert tail[:, 0].mean() > behind[:, 0].mean()  # on the left, inside is to the right


def test_each_hippocampus_is_one_piece_beside_fluid_white_and_grey_matter() -> None:
    for seed in SEEDS:
        scan = box(seed, "right")
        mask = np.isin(scan.structures, HIPPOCAMPUS)
        _, pieces = label(mask, np.ones((3, 3, 3)))
        assert pieces == 1
        around = scan.tissues[binary_dilation(mask) & ~mask]
        for tissue in (Tissue.CSF, Tissue.WHITE, Tissue.GREY):
            assert (around == tissue).mean() > 0.05
        assert (scan.structures == Structure.AMYGDALA).any()


def test_left_is_not_right() -> None:
    for seed in SEEDS:
        tissues = head(seed).tissues
        cortex = np.isin(tissues, (Tissue.GREY, Tissue.WHITE))
        assert ((tissues != tissues[::-1]) & cortex).sum() > 0.15 * cortex.sum()
        right, left = (
            sum(box(seed, side).volumes_ml[f"hippocampus {part}"] for part in ("anterior", "posterior"))
            for side in ("right", "left")
        )
        assert 0 < abs(right - left) < 0.25 * right


def test_no_two_brains_fold_alike() -> None:
    first, second = head(0).tissues == Tissue.GREY, head(1).tissues == Tissue.GREY
    assert 2 * (first & second).sum() / (first.sum() + second.sum()) < 0.65  # Dice


def test_from_the_outside_in_come_skin_bone_fluid_grey_and_white() -> None:
    upwards = np.diag([1.0, 1.0, 0.5, 1.0])
    upwards[0, 3] = 22  # beside the middle
    exposure = draw_exposure(np.random.default_rng(2))
    column = render(patient(2), exposure, Grid((1, 1, 180), upwards)).tissues[0, 0]
    order = [
        int(np.flatnonzero(column == tissue).max())
        for tissue in (Tissue.SKIN, Tissue.FAT, Tissue.BONE, Tissue.DURA, Tissue.CSF, Tissue.GREY, Tissue.WHITE)
    ]
    assert order == sorted(order, reverse=True)


def test_every_structure_is_there_and_of_a_likely_size() -> None:
    """Ranges in ml over both sides, wide enough for all healthy adults; by eye from volumetric studies."""
    likely = {
        "lateral ventricle": (5, 70),
        "third ventricle": (0.3, 4),
        "fourth ventricle": (0.5, 4),
        "thalamus": (8, 20),
        "caudate": (4, 12),
        "putamen": (5, 14),
        "cerebellum": (100, 200),
        "brain stem": (17, 38),
        "eye": (9, 25),
        "amygdala": (2, 6),
    }
    for seed in SEEDS:
        for name, (low, high) in likely.items():
            assert low < head(seed).volumes_ml[name] < high, (name, head(seed).volumes_ml[name])


def test_a_side_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="side must be"):
        hippocampus_centre(patient(0), "middle")  # type: ignore[arg-type]
