"""Films from before there were marks stay as they are: stored studies and a shipped archive depend on it."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.modalities.simulated_chest.nodules import draw_nodule
from course_lib.modalities.simulated_chest.people import Kind, draw_patient
from course_lib.modalities.simulated_film.exposure import draw_exposure
from course_lib.modalities.simulated_film.radiograph import render

SIZE_PX = 96
#: kind, grown up, number of nodules; the place in the list is the seed, and its rest by 3 the number of leads
PEOPLE: tuple[tuple[Kind, bool, int], ...] = (
    ("normal", False, 0),
    ("bacteria", False, 0),
    ("virus", False, 0),
    ("bacteria", True, 0),
    ("virus", True, 0),
    ("normal", True, 3),
    ("normal", False, 2),
)
#: each film: the mean greys of twelve parts of it, and the area of the mask
OLD: tuple[tuple[list[float], int], ...] = (
    ([53.96, 154.56, 45.45, 115.72, 145.73, 110.77, 106.04, 163.96, 102.77, 141.99, 213.94, 124.16], 0),
    ([98.62, 136.44, 96.81, 105.03, 154.31, 84.88, 80.23, 173.72, 103.6, 154.66, 211.32, 164.35], 1784),
    ([88.61, 132.79, 87.35, 62.29, 163.4, 69.45, 54.55, 177.92, 56.83, 75.38, 209.33, 84.3], 2088),
    ([86.44, 113.31, 86.06, 84.82, 145.71, 87.74, 68.17, 172.81, 63.05, 102.12, 220.37, 78.69], 506),
    ([96.96, 130.3, 90.57, 127.93, 177.52, 132.31, 119.97, 189.15, 119.36, 98.15, 173.03, 102.73], 3708),
    ([116.45, 150.65, 99.01, 82.54, 166.05, 80.31, 64.14, 191.85, 67.29, 89.02, 235.83, 98.77], 0),
    ([84.11, 114.01, 79.53, 89.01, 156.96, 80.1, 74.48, 200.17, 61.24, 146.03, 225.72, 110.56], 0),
)
#: processors round a little differently, which changes single photons
MARGIN = 0.03
PATIENT_SEED, NOISE_SEED, NODULE_SEED = 11494708, 266896304, 477722748  #: the last numbers that are drawn of each


def old_film(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A film and its mask, as any version of the course drew them."""
    kind, adult, nodules = PEOPLE[seed]
    rng = np.random.default_rng(seed)
    patient = draw_patient(rng, kind, adult=adult)
    exposure = replace(draw_exposure(rng), leads=seed % 3)
    patient = replace(patient, nodules=tuple(draw_nodule(rng, patient) for _ in range(nodules)))
    return render(patient, exposure, SIZE_PX)


def thumbnail(film: np.ndarray) -> np.ndarray:
    """The mean greys of twelve parts of a film."""
    rows = np.array_split(film.astype(float), 4)
    return np.array([part.mean() for row in rows for part in np.array_split(row, 3, axis=1)])


@pytest.mark.parametrize("seed", range(len(PEOPLE)))
def test_old_films_stay_as_they_were(seed: int) -> None:
    film, mask = old_film(seed)
    greys, area = OLD[seed]
    assert thumbnail(film) == pytest.approx(greys, abs=MARGIN)
    assert abs(int(mask.sum()) - area) <= 2


def test_what_is_drawn_takes_the_same_random_numbers_as_ever() -> None:
    rng = np.random.default_rng(0)
    patient, exposure = draw_patient(rng), draw_exposure(rng)
    assert patient.anatomy_seed == PATIENT_SEED
    assert exposure.noise_seed == NOISE_SEED
    assert draw_nodule(rng, patient).seed == NODULE_SEED
