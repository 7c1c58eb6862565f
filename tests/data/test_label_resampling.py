"""Label maps on another grid: what is better when each label is resampled like a picture, and what is not."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch
import torchio
from numpy.typing import NDArray

from course_lib.data.label_resampling import OneHotResample

Floats = NDArray[np.float64]
FINE = np.eye(4)
THICK = np.diag([1.5, 1.5, 4.0, 1.0])  #: slices of 4 mm
Target = float | tuple[float, float, float] | tuple[Sequence[int], Floats]
SIDE_MM = 24
DRAWS = 20


def egg(affine: Floats, centre: Floats, radii: Floats) -> torchio.LabelMap:
    """Where an egg is, on a grid of 24 mm a side."""
    shape = [round(SIDE_MM / size) for size in np.diag(affine)[:3]]
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1) @ affine[:3, :3].T + affine[:3, 3]
    inside = (((places - centre) / radii) ** 2).sum(axis=-1) <= 1
    return torchio.LabelMap(tensor=torch.from_numpy(inside[None].astype(np.uint8)), affine=affine)


def eggs(smallest: float, largest: float) -> Iterator[tuple[Floats, Floats]]:
    """Centres and radii, mm."""
    rng = np.random.default_rng(0)
    for _ in range(DRAWS):
        yield rng.uniform(9, 14, 3), rng.uniform(smallest, largest) * rng.uniform(0.7, 1.3, 3)


def dice(one: torchio.LabelMap, other: torchio.LabelMap) -> float:
    both = (one.data & other.data).sum()
    return float(2 * both / (one.data.sum() + other.data.sum()))


def shifted(affine: Floats, shift_mm: Floats) -> Floats:
    moved = affine.copy()
    moved[:3, 3] += shift_mm
    return moved


def middle(labels: torchio.LabelMap) -> Floats:
    """The centre of what is labelled, mm."""
    place: Floats = np.argwhere(labels.numpy()[0]).mean(axis=0) @ labels.affine[:3, :3].T + labels.affine[:3, 3]
    return place


def both_ways(labels: torchio.LabelMap, target: Target) -> tuple[torchio.LabelMap, torchio.LabelMap]:
    """By the nearest voxel, and by the strongest label."""
    return torchio.Resample(target)(labels), OneHotResample(target)(labels)


def test_outlines_come_nearer_to_the_true_ones_from_thick_slices() -> None:
    nearest, strongest = [], []
    for centre, radii in eggs(4, 7):
        by_nearest, by_strongest = both_ways(egg(THICK, centre, radii), 1.0)
        true = egg(FINE, centre - by_nearest.affine[:3, 3], radii)
        nearest.append(dice(by_nearest, true))
        strongest.append(dice(by_strongest, true))
    assert np.mean(strongest) > np.mean(nearest) + 0.02


def test_volumes_come_out_some_per_cent_too_small_which_they_do_not_by_the_nearest_voxel() -> None:
    nearest, strongest = [], []
    for centre, radii in eggs(4, 7):
        by_nearest, by_strongest = both_ways(egg(THICK, centre, radii), 1.0)
        true_mm3 = 4 / 3 * np.pi * radii.prod()
        nearest.append(int(by_nearest.data.sum()) / true_mm3 - 1)
        strongest.append(int(by_strongest.data.sum()) / true_mm3 - 1)
    assert abs(np.mean(nearest)) < 0.01
    assert -0.1 < np.mean(strongest) < -0.03


def test_where_only_the_slices_become_thinner_it_is_the_nearest_voxel_again() -> None:
    by_nearest, by_strongest = both_ways(egg(THICK, np.full(3, 12.0), np.full(3, 6.0)), (1.5, 1.5, 1.0))
    assert torch.equal(by_strongest.data, by_nearest.data)


def test_a_shift_by_less_than_a_voxel_moves_a_structure_half_as_far() -> None:
    rng = np.random.default_rng(1)
    nearest, strongest = list[float](), list[float]()
    for centre, radii in eggs(3, 6):
        labels = egg(FINE, centre, radii)
        ways = both_ways(labels, (labels.spatial_shape, shifted(FINE, rng.uniform(0, 1, 3))))
        for moved, way in zip((nearest, strongest), ways, strict=True):
            moved.append(float(np.linalg.norm(middle(way) - middle(labels))))
    assert np.mean(strongest) < 0.6 * np.mean(nearest)


def test_a_small_structure_is_never_lost_where_the_nearest_voxel_keeps_it() -> None:
    rng = np.random.default_rng(2)
    kept = {"nearest": 0, "strongest": 0}
    for centre, radii in eggs(0.8, 2):
        by_nearest, by_strongest = both_ways(egg(FINE, centre, radii), tuple(rng.uniform(1.2, 2.6, 3)))
        kept["nearest"] += bool(by_nearest.data.any())
        kept["strongest"] += bool(by_strongest.data.any())
        assert by_strongest.data.any() or not by_nearest.data.any()
    assert kept["strongest"] >= kept["nearest"] > 0
    assert kept["nearest"] < DRAWS  # so that there was something to lose


def test_between_two_alike_the_nearest_voxel_decides_so_that_nothing_shrinks() -> None:
    half = torch.zeros(1, 6, 6, 6, dtype=torch.uint8)
    half[:, 2:4] = 1
    labels = torchio.LabelMap(tensor=half)
    by_nearest, by_strongest = both_ways(labels, ((6, 6, 6), shifted(FINE, np.array([0.5, 0, 0]))))
    assert torch.equal(by_strongest.data, by_nearest.data)
    assert by_strongest.data.sum() == half.sum()


@pytest.mark.parametrize("kind", [torch.uint8, torch.int16])
def test_a_subject_keeps_its_kinds_and_its_picture_is_resampled_as_by_torchio(kind: torch.dtype) -> None:
    random = torch.Generator().manual_seed(0)
    subject = torchio.Subject(
        image=torchio.ScalarImage(tensor=torch.rand(1, 8, 8, 8, generator=random), affine=THICK),
        labels=torchio.LabelMap(tensor=torch.randint(0, 5, (1, 8, 8, 8), generator=random).to(kind), affine=THICK),
    )
    ours, plain = OneHotResample(1)(subject), torchio.Resample(1)(subject)
    assert torch.equal(ours.get_image("image").data, plain.get_image("image").data)
    assert ours.get_image("labels").data.dtype == kind
    assert ours.get_image("labels").shape == plain.get_image("labels").shape == (1, 12, 12, 32)
    assert np.array_equal(ours.get_image("labels").affine, plain.get_image("labels").affine)


def test_the_same_grid_changes_nothing() -> None:
    labels = egg(FINE, np.array([10.0, 11, 12]), np.array([4.0, 5, 6]))
    assert torch.equal(OneHotResample(1)(labels).data, labels.data)
