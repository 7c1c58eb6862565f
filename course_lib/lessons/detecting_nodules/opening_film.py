"""The film that the lesson opens with: there is a nodule on it, which a learner hardly finds, and here is where."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.chest_findings.phantoms import Settings, draw_films, draw_findings
from course_lib.modalities.simulated_film.marked_film import SUBTLETIES


@dataclass(frozen=True)
class HiddenNodule:
    """A simulated film with one nodule and no other finding."""

    image: NDArray[np.uint8]  #: [height, width]
    box: tuple[int, int, int, int]  #: x0, y0, x1, y1 in px; x1 and y1 are the first outside
    contrast_to_noise: float
    patient: int  #: number in the set of phantoms


def hidden_nodule(settings: Settings, patients: Iterable[int], subtlety: str = "subtle") -> HiddenNodule:
    """The first film of these patients of a set of phantoms that shows one nodule, so hard to see, and nothing else.

    A patient who has a nodule takes a quarter of a second or more, the others next to nothing.

    Raises:
        ValueError: there is no such subtlety, or none of the patients has such a film.
    """
    if subtlety not in SUBTLETIES:
        raise ValueError(f"Expected one of {', '.join(SUBTLETIES)}, but got {subtlety!r}.")
    for patient in patients:
        if draw_findings(np.random.default_rng([settings.seed, patient])) != ("Nodule",):
            continue
        for _, film in draw_films(settings, patient):
            if [(mark.finding, mark.subtlety) for mark in film.marks] == [("Nodule", subtlety)]:
                (mark,) = film.marks
                return HiddenNodule(film.image, mark.box, mark.contrast_to_noise, patient)
    raise ValueError(f"None of these patients has a film with one {subtlety} nodule alone. Look at more of them.")
