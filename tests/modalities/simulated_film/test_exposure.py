"""How films of adults are taken: from behind or from in front."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.modalities.simulated_film.exposure import Exposure, draw_adult_exposure, draw_exposure


def test_films_of_adults_are_square_and_differ_by_the_way_of_the_beam() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_adult_exposure(rng) for _ in range(400)]
    standing, in_bed = ([one for one in drawn if one.view == view] for view in ("PA", "AP"))
    assert len(standing) + len(in_bed) == 400
    assert len(in_bed) / 400 == pytest.approx(0.45, abs=0.08)
    assert {one.aspect for one in drawn} == {1.0}
    assert {one.heart_enlarged for one in standing} == {1.0}
    assert np.mean([one.heart_enlarged for one in in_bed]) == pytest.approx(1 / (0.79 + 0.00099 * 110), abs=0.01)

    def mean(exposures: list[Exposure], name: str) -> float:
        return float(np.mean([abs(getattr(one, name)) for one in exposures]))

    for name in ("tilt", "turn", "leads", "scatter"):
        assert mean(in_bed, name) > 1.3 * mean(standing, name), name
    assert mean(in_bed, "inspiration") < mean(standing, "inspiration") - 0.05


def test_the_same_seed_draws_the_same_exposure() -> None:
    first, second, other = (draw_adult_exposure(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == second != other


def test_an_exposure_that_can_not_be_is_refused() -> None:
    exposure = draw_exposure(np.random.default_rng(0))
    assert exposure.heart_enlarged == 1
    with pytest.raises(ValueError, match=r"view must be one of .*'lateral'"):
        replace(exposure, view="lateral")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="heart_enlarged must be above 0"):
        replace(exposure, heart_enlarged=0.0)
