"""The scan: water at 0 HU in any body, noise by the dose, streaks, motion, and a small field inside a whole body."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.modalities.chest_ct.acquisition import Materials, Paths, acquire, outside_of, trace
from course_lib.modalities.chest_ct.beam import MU_WATER, attenuate, hounsfield
from course_lib.modalities.chest_ct.tomography import Geometry, Images, Sinograms, filtered_back_projection
from tests.modalities.chest_ct.test_tomography import disc

GEOMETRY = Geometry(pixels=96, pixel_mm=4.0, angles=120)
NOTHING = np.zeros((1, 96, 96), dtype=np.float32)
NO_NOISE = float("inf")


def round_body(centimetres: float) -> Materials:
    return Materials(disc(96, centimetres / 2 / GEOMETRY.pixel_cm), NOTHING, NOTHING)


def slice_of(sinograms: Sinograms, geometry: Geometry = GEOMETRY) -> Images:
    return np.asarray(hounsfield(filtered_back_projection(sinograms, geometry))[0])


def scan(materials: Materials, photons: float = NO_NOISE, seed: int = 0, motion: Materials | None = None) -> Images:
    return slice_of(acquire(materials, GEOMETRY, photons, np.random.default_rng(seed), motion=motion))


@pytest.mark.parametrize("centimetres", [20, 35])
def test_water_is_0_hu_from_the_middle_to_the_edge_and_would_not_be_without_correction(centimetres: float) -> None:
    body = round_body(centimetres)
    radius = centimetres / 2 / GEOMETRY.pixel_cm
    middle, edge = disc(96, 5)[0] == 1, (disc(96, radius - 2)[0] == 1) & (disc(96, radius - 5)[0] == 0)
    corrected = scan(body)
    assert corrected[middle].mean() == pytest.approx(0, abs=1)
    assert corrected[edge].mean() == pytest.approx(0, abs=2)
    assert corrected[:5, :5].mean() == pytest.approx(-1000, abs=3)
    paths = trace(body, GEOMETRY)
    raw = slice_of(-np.log(attenuate(paths.water, paths.bone, paths.metal)))
    assert raw[middle].mean() < raw[edge].mean() - 10 < -20  # the middle too dark, and all of it


def test_lung_and_soft_tissue_keep_their_density_and_bone_lies_where_bone_lies() -> None:
    lung, soft, bone = disc(96, 8, -9, 0), disc(96, 5, 0, 12), disc(96, 4, 12, 0)
    body = Materials(disc(96, 25) - 0.74 * lung + 0.06 * soft - bone, bone, NOTHING)
    picture = scan(body)
    assert picture[disc(96, 6, -9, 0)[0] == 1].mean() == pytest.approx(-740, abs=5)
    assert picture[disc(96, 3, 0, 12)[0] == 1].mean() == pytest.approx(60, abs=10)
    assert 1400 < picture[disc(96, 2, 12, 0)[0] == 1].mean() < 1900


def test_noise_falls_with_the_square_root_of_the_photons_and_grows_with_the_body() -> None:
    middle = disc(96, 20)[0] == 1

    def noise(centimetres: float, photons: float) -> float:
        body = round_body(centimetres)
        return float((scan(body, photons, 1) - scan(body, photons, 2))[middle].std() / np.sqrt(2))

    assert noise(20, 1e4) / noise(20, 1e6) == pytest.approx(10, rel=0.1)
    assert noise(35, 1e5) > 3 * noise(20, 1e5)


def test_the_same_seed_gives_the_same_scan() -> None:
    np.testing.assert_array_equal(scan(round_body(20), 1e4, seed=3), scan(round_body(20), 1e4, seed=3))
    assert np.ptp(scan(round_body(20), 1e4, seed=3) - scan(round_body(20), 1e4, seed=4)) > 20


def test_rays_on_which_no_photon_arrives_count_one_so_that_all_stays_finite() -> None:
    implant = replace(round_body(35), metal=disc(96, 8))
    sinogram = acquire(implant, GEOMETRY, 100, np.random.default_rng(0))
    assert np.isfinite(sinogram).all()
    darkest = sinogram.max()
    assert (sinogram == darkest).mean() > 0.05  # all behind the metal at one value: -ln(1 / 100), corrected
    assert MU_WATER * 20 < darkest < MU_WATER * 30


def test_dark_streaks_lie_between_two_pieces_of_metal() -> None:
    metal = disc(96, 2, -8, 0) + disc(96, 2, 8, 0)
    body = Materials(disc(96, 25) - metal, NOTHING, metal)
    picture = scan(body)
    assert picture[46:50, 44:52].mean() < -100
    assert picture[66:70, 44:52].mean() == pytest.approx(0, abs=40)
    assert picture.max() > 5000


def test_a_body_that_moves_late_is_seen_twice() -> None:
    here, there = (Materials(disc(96, 25) + disc(96, 4, 0, down), NOTHING, NOTHING) for down in (-5, 5))
    still, moved = scan(here), scan(here, motion=there)
    both = [picture[[43, 53], 48] for picture in (still, moved)]
    assert both[0][0] - both[0][1] > 900
    assert abs(both[1][0] - both[1][1]) < 200  # half of the angles saw it above, half below
    before, after = (
        acquire(here, GEOMETRY, NO_NOISE, np.random.default_rng(0), motion=there, moves_at=part) for part in (1, 0)
    )
    np.testing.assert_array_equal(before, acquire(here, GEOMETRY, NO_NOISE, np.random.default_rng(0)))
    np.testing.assert_array_equal(after, acquire(there, GEOMETRY, NO_NOISE, np.random.default_rng(0)))


SMALL = Geometry(pixels=32, pixel_mm=4.0, angles=120)


def chest() -> Materials:
    """Two lungs, one with a nodule, a spine and a rib; the nodule is 10 pixels left of the middle and 2 above."""
    spine, rib = disc(96, 4, 0, 18), disc(96, 2, -34, -4)
    lungs = disc(96, 13, -16, -2) + disc(96, 13, 16, -2)
    water = disc(96, 38) - 0.75 * lungs + 0.75 * disc(96, 2, -10, -2) - spine - rib
    return Materials(np.maximum(0, water), spine + rib, NOTHING)


def small_field(body: Materials) -> Materials:
    rows, columns = slice(30, 62), slice(22, 54)  # around the nodule
    return Materials(*(stack[:, rows, columns] for stack in vars(body).values()))


CENTRE_MM = (-40.0, -8.0)


def test_a_small_field_gives_what_the_whole_field_gives_there() -> None:
    body = chest()
    whole = scan(body)[30:62, 22:54]
    beyond = outside_of(body, GEOMETRY, SMALL, CENTRE_MM)
    sinogram = acquire(small_field(body), SMALL, NO_NOISE, np.random.default_rng(0), outside=beyond)
    difference = (slice_of(sinogram, SMALL) - whole)[3:-3, 3:-3]
    assert difference.mean() == pytest.approx(0, abs=6)
    assert difference.std() < 25
    assert whole.max() - whole.min() > 700


def test_a_coarse_body_serves_as_well_and_one_slice_of_it_serves_all() -> None:
    body = chest()
    coarse = Materials(*(stack.reshape(1, 48, 2, 48, 2).mean(axis=(2, 4)) for stack in vars(body).values()))
    fine = outside_of(body, GEOMETRY, SMALL, CENTRE_MM)
    beyond = outside_of(coarse, Geometry(48, 8.0, 120), SMALL, CENTRE_MM)
    assert np.abs(beyond.water - fine.water).mean() < 0.2  # cm, of some 20
    assert beyond.water.mean() == pytest.approx(fine.water.mean(), rel=0.01)
    two = Materials(*(np.repeat(stack, 2, axis=0) for stack in vars(small_field(body)).values()))
    sinograms = acquire(two, SMALL, NO_NOISE, np.random.default_rng(0), outside=beyond)
    np.testing.assert_array_equal(sinograms[0], sinograms[1])


def test_the_body_beyond_a_small_field_brings_its_noise() -> None:
    part, beyond = small_field(chest()), outside_of(chest(), GEOMETRY, SMALL, CENTRE_MM)

    def noise(outside: Paths | None) -> float:
        a, b = (
            slice_of(acquire(part, SMALL, 1e5, np.random.default_rng(seed), outside=outside), SMALL) for seed in (1, 2)
        )
        return float((a - b)[8:24, 8:24].std() / np.sqrt(2))

    whole = (scan(chest(), 1e5, 1) - scan(chest(), 1e5, 2))[38:54, 30:46].std() / np.sqrt(2)
    assert noise(beyond) == pytest.approx(whole, rel=0.15)
    assert noise(None) < noise(beyond) / 2


def test_nothing_lies_outside_of_a_field_as_large_as_the_body() -> None:
    beyond = outside_of(round_body(30), GEOMETRY, GEOMETRY)
    assert all(sinogram.max() == 0 for sinogram in vars(beyond).values())


def test_what_can_not_be_scanned_is_refused() -> None:
    body, rng = round_body(20), np.random.default_rng(0)
    for photons in (0, -5, float("nan")):
        with pytest.raises(ValueError, match="photons must be a positive number"):
            acquire(body, GEOMETRY, photons, rng)
    with pytest.raises(ValueError, match=r"images must have the shape \[slices, 32, 32\]"):
        acquire(body, SMALL, 1e5, rng)
    with pytest.raises(ValueError, match="moves_at is a part of the angles"):
        acquire(body, GEOMETRY, 1e5, rng, motion=body, moves_at=1.5)
    twice = Materials(*(np.repeat(stack, 2, axis=0) for stack in vars(body).values()))
    with pytest.raises(ValueError, match="motion has 2 slices, but there are 1"):
        acquire(body, GEOMETRY, 1e5, rng, motion=twice)
    with pytest.raises(ValueError, match=r"outside\.water must have the shape"):
        acquire(body, GEOMETRY, 1e5, rng, outside=trace(small_field(body), SMALL))
    with pytest.raises(ValueError, match=r"outside\.water needs 1 slice or 1, not 2"):
        acquire(body, GEOMETRY, 1e5, rng, outside=trace(twice, GEOMETRY))
    with pytest.raises(ValueError, match="same angles, not 120"):
        outside_of(body, GEOMETRY, Geometry(32, 4.0, 60))


def test_materials_that_can_not_be_are_refused() -> None:
    good = disc(16, 5)
    with pytest.raises(ValueError, match=r"bone must have the shape \[slices, 16, 16\]"):
        Materials(good, good[:, 1:], good)
    with pytest.raises(ValueError, match="metal has 2 slices, water 1"):
        Materials(good, good, np.repeat(good, 2, axis=0))
    with pytest.raises(ValueError, match="water must be 0 or more, not -1"):
        Materials(-good, good, good)
    with pytest.raises(ValueError, match="NaN"):
        Materials(good * np.float32("nan"), good, good)
