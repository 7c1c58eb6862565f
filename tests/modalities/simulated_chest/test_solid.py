"""The chest in three dimensions: what fills its voxels, and that every box shows the same chest."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.modalities.simulated_chest import Patient, draw_patient, people
from course_lib.modalities.simulated_chest.anatomy import build_body
from course_lib.modalities.simulated_chest.disease import lobe_parts
from course_lib.modalities.simulated_chest.nodules import draw_nodule, place
from course_lib.modalities.simulated_chest.solid import ARMS_UP, Lobe, Solid, Tissue, build_solid
from course_lib.modalities.simulated_chest.volume import Axes, rays
from tests.modalities.simulated_chest.film_and_ct import axes_of


def somebody(seed: int = 0, adult: bool = True) -> Patient:
    return draw_patient(np.random.default_rng(seed), "normal", adult=adult)


@pytest.fixture(scope="module")
def grown_up() -> Solid:
    return build_solid(somebody(), axes_of(somebody(), 5.0, 5.0, 0.75))


def middle_of(there: np.ndarray, axes: Axes) -> tuple[float, float, float]:
    """x, y and z, cm."""
    y, z, x = (places.mean() for places in np.nonzero(there))
    return axes.x[round(x)], axes.y[round(y)], axes.z[round(z)]


def test_the_parts_of_each_voxel_make_up_the_whole(grown_up: Solid) -> None:
    assert set(grown_up.fractions) == set(Tissue)
    whole = sum(grown_up.fractions.values())
    assert np.allclose(whole, 1, atol=1e-5)
    for tissue, block in grown_up.fractions.items():
        assert block.shape == grown_up.axes.shape
        assert block.dtype == np.float32
        assert block.min() >= -1e-6, tissue
    assert grown_up.bone.max() <= 1


def test_everything_is_where_anatomy_has_it(grown_up: Solid) -> None:
    labels, axes, patient = grown_up.labels, grown_up.axes, somebody()
    at = {tissue: middle_of(labels == tissue, axes) for tissue in Tissue if (labels == tissue).any()}
    assert set(Tissue) - set(at) <= {Tissue.NODULE, Tissue.GAS}
    assert at[Tissue.LIVER][0] < 0 < at[Tissue.SPLEEN][0]
    assert at[Tissue.BLOOD][0] > 0  # the heart: to the left
    assert at[Tissue.SPONGY_BONE][2] > 0  # the spine: at the back
    assert at[Tissue.LIVER][1] > at[Tissue.LUNG][1] > at[Tissue.AIRWAY][1]
    assert labels[:, 0].max() == labels[:, -1].max() == Tissue.AIR
    half = np.abs(axes.x) < patient.half_width
    assert (labels[len(labels) // 2][:, half] == Tissue.FAT).any()


def test_skin_is_between_the_air_and_everything_else(grown_up: Solid) -> None:
    labels = grown_up.labels[4:-4]
    skin = grown_up.fractions[Tissue.SKIN][4:-4]
    body = labels != Tissue.AIR
    first = body.argmax(axis=1)  # along z, from the front
    rows, columns = np.nonzero(body.any(axis=1))
    in_front = np.stack([skin[rows, np.clip(first[rows, columns] + step, 0, None), columns] for step in (-1, 0, 1)])
    assert (in_front.sum(axis=0) > 0.05).mean() > 0.95


def test_the_lungs_hold_five_lobes_and_no_other_voxel_has_one(grown_up: Solid) -> None:
    lobes = grown_up.lobes
    ml = {lobe: (lobes == lobe).sum() * np.prod(grown_up.axes.voxel) for lobe in Lobe}
    for lobe in set(Lobe) - {Lobe.NONE}:
        assert 100 < ml[lobe] < 2500, lobe
    right = ml[Lobe.RIGHT_UPPER] + ml[Lobe.RIGHT_MIDDLE] + ml[Lobe.RIGHT_LOWER]
    assert right > ml[Lobe.LEFT_UPPER] + ml[Lobe.LEFT_LOWER]  # the heart takes its room on the left
    airy = grown_up.fractions[Tissue.LUNG] > 0.9
    assert ((lobes > 0)[airy]).mean() > 0.999
    assert not (lobes > 0)[grown_up.fractions[Tissue.AIR] > 0.5].any()


def test_the_lobes_are_those_of_the_film(grown_up: Solid) -> None:
    patient = replace(somebody(), arms=ARMS_UP)
    grid = rays(patient, grown_up.axes)
    body = build_body(patient, grid)
    on_film: tuple[people.Lobe, ...] = ("right upper", "right middle", "right lower", "left upper", "left lower")
    for label, lobe in enumerate(on_film, start=1):
        film = lobe_parts(patient, grid, body, lobe) * body.lungs[lobe.startswith("left")]
        ct = (grown_up.lobes == label).sum(axis=1) * grown_up.axes.voxel[2]
        assert Lobe(label).name == lobe.replace(" ", "_").upper()
        assert np.abs(ct - film)[film > 0.5].mean() < 0.07 * film[film > 0.5].mean(), lobe


def test_a_small_box_shows_what_a_large_one_shows_there() -> None:
    patient = somebody(3)
    x, y, z = (start + 0.2 * np.arange(count) for start, count in ((-9, 60), (-2, 12), (-8, 70)))
    large = build_solid(patient, Axes(x, y, z))
    small = build_solid(patient, Axes(x[20:45], y[3:9], z[15:50]))
    for tissue in Tissue:
        window = large.fractions[tissue][3:9, 15:50, 20:45]
        assert np.abs(window - small.fractions[tissue]).max() < 0.02, tissue
    assert np.abs(large.bone[3:9, 15:50, 20:45] - small.bone).max() < 0.02


@pytest.mark.parametrize("change", [{"vessels": 0.3}, {"wall": 0.3, "gas": 3.0}, {"bend": 1.0, "thymus": 1.0}])
def test_anybody_can_be_drawn(change: dict[str, float]) -> None:
    patient = replace(somebody(1, adult=False), **change)  # type: ignore[arg-type]
    solid = build_solid(patient, axes_of(patient, 12.0, 12.0), 0.8)
    assert np.allclose(sum(solid.fractions.values()), 1, atol=1e-5)
    assert (solid.labels == Tissue.LUNG).any()


def test_a_shallow_breath_raises_the_liver_and_shrinks_the_lungs() -> None:
    patient = somebody()
    axes = axes_of(patient, 12.0, 12.0)
    full, shallow = (build_solid(patient, axes, breath) for breath in (1.0, 0.8))
    air = [solid.fractions[Tissue.LUNG].sum() for solid in (full, shallow)]
    assert air[1] < 0.85 * air[0]
    assert shallow.fractions[Tissue.LIVER].sum() > full.fractions[Tissue.LIVER].sum()


def test_a_nodule_is_where_it_is_said_to_be_and_takes_the_place_of_lung() -> None:
    patient = somebody()
    nodule = draw_nodule(np.random.default_rng(3), patient)
    nodule = replace(nodule, radius_mm=8.0, density="ground glass", spiculation=0.0, calcium=0.0)
    at = place(patient, nodule)
    axes = Axes(*(one + np.arange(-1.5, 1.5, 0.1) for one in at))
    with_it, without = build_solid(replace(patient, nodules=(nodule,)), axes), build_solid(patient, axes)
    (inside,) = with_it.nodules
    assert without.nodules == ()
    assert np.allclose(middle_of(inside > 0.5, axes), at, atol=0.2)
    assert (with_it.labels[inside > 0.9] == Tissue.NODULE).all()
    put_in = with_it.fractions[Tissue.NODULE]
    assert 0.3 * inside.sum() < put_in.sum() < 0.5 * inside.sum()
    assert np.allclose(sum(with_it.fractions.values()), 1, atol=1e-5)
    unchanged = inside == 0
    assert np.array_equal(with_it.fractions[Tissue.LUNG][unchanged], without.fractions[Tissue.LUNG][unchanged])


@pytest.mark.parametrize("places", [np.zeros(1), np.array([0.0, 1.0, 3.0]), np.array([1.0, 0.0]), np.zeros((2, 2))])
def test_places_that_do_not_rise_evenly_are_refused(places: np.ndarray) -> None:
    even = np.arange(3.0)
    with pytest.raises(ValueError, match="y must be two or more places in one row, rising evenly"):
        Axes(even, places, even)


def test_pneumonia_is_refused_as_ct_does_not_show_it() -> None:
    even = np.arange(3.0)
    sick = draw_patient(np.random.default_rng(0), "bacteria", adult=True)
    with pytest.raises(ValueError, match=r"CT shows no pneumonia so far, but this patient's severity is 0\."):
        build_solid(sick, Axes(even, even, even))


def test_no_breath_at_all_is_refused() -> None:
    even = np.arange(3.0)
    with pytest.raises(ValueError, match=r"inspiration must be above 0, but is 0\.0"):
        build_solid(somebody(), Axes(even, even, even), 0.0)
