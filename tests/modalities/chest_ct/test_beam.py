"""The beam: what comes through, how it hardens, and that Hounsfield units are what they are by definition."""

import numpy as np
import pytest

from course_lib.modalities.chest_ct.beam import (
    BONE,
    ENERGIES,
    METAL,
    MU_WATER,
    SPECTRUM,
    WATER,
    attenuate,
    correct_for_water,
    effective_attenuation,
    hounsfield,
)

WATER_CM = np.linspace(0, 60, 61, dtype=np.float32)
NOTHING = np.zeros_like(WATER_CM)


def test_the_shares_of_the_energies_make_a_whole_and_have_the_mean_energy_of_a_120_kv_beam() -> None:
    assert sum(SPECTRUM) == pytest.approx(1)
    assert np.dot(SPECTRUM, ENERGIES) == pytest.approx(64, abs=1)  # keV


def test_all_photons_come_through_nothing_and_the_sum_of_the_exponentials_through_a_centimetre() -> None:
    one, none = np.ones(1, dtype=np.float32), np.zeros(1, dtype=np.float32)
    assert attenuate(none, none, none)[0] == pytest.approx(1)
    for table, paths in ((WATER, (one, none, none)), (BONE, (none, one, none)), (METAL, (none, none, one))):
        expected = sum(share * np.exp(-mu) for share, mu in zip(SPECTRUM, table, strict=True))
        assert attenuate(*paths)[0] == pytest.approx(expected, rel=1e-6)


def test_the_beam_hardens_in_water_and_the_correction_undoes_it() -> None:
    raw = -np.log(attenuate(WATER_CM, NOTHING, NOTHING))
    per_cm = raw[1:] / WATER_CM[1:]
    assert (np.diff(per_cm) < 0).all()
    assert per_cm[35] < 0.95 * per_cm[0]
    np.testing.assert_allclose(correct_for_water(raw), MU_WATER * WATER_CM, atol=2e-4)


def test_a_ray_in_air_that_counted_too_many_photons_stays_below_zero() -> None:
    corrected = correct_for_water(np.array([-0.1, 0.0, 0.1], dtype=np.float32))
    assert corrected[0] == pytest.approx(-corrected[2], rel=0.02)
    assert corrected[1] == pytest.approx(0, abs=1e-6)


def test_bone_weakens_less_the_harder_the_beam_and_water_by_what_it_is_corrected_to() -> None:
    assert effective_attenuation(WATER, 0) == pytest.approx(MU_WATER)
    assert effective_attenuation(WATER, 35) == pytest.approx(MU_WATER)
    assert effective_attenuation(BONE, 0) > 1.1 * effective_attenuation(BONE, 35) > 2 * MU_WATER
    assert effective_attenuation(METAL) > 4 * effective_attenuation(BONE)


def test_water_has_0_hounsfield_units_and_air_minus_1000() -> None:
    mu = np.array([0, MU_WATER, 1.1 * MU_WATER], dtype=np.float32)
    np.testing.assert_allclose(hounsfield(mu), [-1000, 0, 100], atol=1e-3)
    np.testing.assert_allclose(hounsfield(np.array([0.38], dtype=np.float32), mu_water=0.19), [1000], atol=1e-3)
