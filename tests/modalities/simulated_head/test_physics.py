"""The signal equations against values worked out by hand, and the order of tissues that every radiologist knows."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.modalities.simulated_head import Exposure, Tissue, draw_exposure
from course_lib.modalities.simulated_head.people import Contrast
from course_lib.modalities.simulated_head.physics import (
    RELAXIVITY,
    add_contrast_agent,
    csf_null_ms,
    flair,
    mprage,
    spin_echo,
    spoiled_gradient_echo,
)
from course_lib.modalities.simulated_head.scanner import signal, tissue_looks

HALF = float(np.log(2))  #: so many T1 (or T2) leave half of what was there


def exposure(seed: int = 0) -> Exposure:
    return draw_exposure(np.random.default_rng(seed))


def test_a_spoiled_gradient_echo_meets_values_worked_out_by_hand() -> None:
    # E1 = 1/2: at 90 degrees half of the density remains; at 60 degrees 0.8660 x 0.5 / 0.75
    assert spoiled_gradient_echo(500, 0.8, 500 * HALF, 90) == pytest.approx(0.4)
    assert spoiled_gradient_echo(500, 1.0, 500 * HALF, 60) == pytest.approx(0.57735, abs=1e-5)


def test_the_echoes_meet_values_worked_out_by_hand() -> None:
    assert spin_echo(800, 80, 0.8, 800 * HALF, 80 * HALF) == pytest.approx(0.2)  # a half recovered, a half decayed
    assert flair(800, 80, 0.8, 1600 * HALF, 80 * HALF, 1600 * HALF) == pytest.approx(0.8 * 0.75 / 2)  # 1 - 1/2 + 1/4
    assert mprage(800, 0.8, 1600 * HALF, 400 * HALF) == pytest.approx(0.8 * abs(1.25 - np.sqrt(2)))


def test_flair_leaves_no_signal_of_csf_at_its_null() -> None:
    settings = replace(exposure(), field_t=3.0, flair_tr_ms=9000, flair_ti_ms=csf_null_ms(9000, 3.0))
    assert signal(Tissue.CSF, settings, "FLAIR") == pytest.approx(0, abs=1e-12)
    assert signal(Tissue.GREY, settings, "FLAIR") > 0.05


def test_contrast_agent_shortens_t1_by_the_relaxivity() -> None:
    assert add_contrast_agent(500, 0.4, RELAXIVITY[3.0]) == pytest.approx(1000 / (2 + 4.97 * 0.4))
    assert add_contrast_agent(500, 0, RELAXIVITY[3.0]) == 500


@pytest.mark.parametrize("seed", range(6))
def test_white_grey_and_csf_stand_in_the_order_of_each_contrast(seed: int) -> None:
    def signals(contrast: Contrast) -> list[float]:
        return [signal(t, exposure(seed), contrast) for t in (Tissue.WHITE, Tissue.GREY, Tissue.CSF)]

    for contrast in ("T1", "MPRAGE"):
        white, grey, csf = signals(contrast)
        assert white > 1.2 * grey
        assert grey > 1.5 * csf
    white, grey, csf = signals("T2")
    assert csf > 1.5 * grey
    assert grey > 1.2 * white
    white, grey, csf = signals("FLAIR")
    assert grey > white > 5 * csf


def test_the_hippocampus_is_hardly_brighter_than_the_cortex_beside_it() -> None:
    looks = tissue_looks(exposure(), "MPRAGE")
    assert 0 < looks[Tissue.HIPPOCAMPUS].mean - looks[Tissue.GREY].mean < looks[Tissue.GREY].texture


def test_contrast_agent_brightens_tumours_but_not_fluid_or_white_matter() -> None:
    for seed in range(4):
        before, after = tissue_looks(exposure(seed), "T1"), tissue_looks(exposure(seed), "T1c")
        for tissue in (Tissue.GLIOMA, Tissue.MENINGIOMA, Tissue.ADENOMA):
            assert after[tissue].mean > 1.3 * before[tissue].mean
        for tissue in (Tissue.CSF, Tissue.WHITE, Tissue.OEDEMA):
            assert after[tissue].mean < 1.1 * before[tissue].mean


def test_a_tumour_that_takes_up_nothing_looks_the_same_after_contrast_agent() -> None:
    before, after = tissue_looks(exposure(), "T1"), tissue_looks(exposure(), "T1c", enhancement=0)
    assert after[Tissue.GLIOMA] == before[Tissue.GLIOMA]


def test_randomise_goes_from_the_physics_to_chance() -> None:
    physics = exposure()
    chance = replace(physics, randomise=1.0)
    looks = {part: tissue_looks(replace(physics, randomise=part), "T2") for part in (0.0, 0.5, 1.0)}
    grey = [looks[part][Tissue.GREY].mean for part in looks]
    assert grey[1] == pytest.approx((grey[0] + grey[2]) / 2)
    assert looks[1.0][Tissue.AIR].mean == 0
    orders = {
        tuple(np.argsort([look.mean for look in tissue_looks(replace(chance, look_seed=seed), "T2").values()]))
        for seed in range(5)
    }
    assert len(orders) == 5
