"""A film and CT of one patient agree along their rays: in the trunk and the windpipe exactly, in the lungs and the
heart to some percent, in the bones and the vessels of the lungs on average.

The margins are a little above what ``python -m tests.modalities.simulated_chest.film_and_ct`` prints.
"""

import pytest

from tests.modalities.simulated_chest.film_and_ct import PEOPLE, axes_of, compare, draw_person

EXACT = ("trunk", "windpipe and main bronchi")
#: the mean difference and the mean of its size, parts of the length on the film
MARGINS = {
    "right lung": (0.035, 0.035),  # ribs reach into the lungs where the wall is thin
    "left lung": (0.035, 0.035),
    "heart and great vessels": (0.05, 0.06),  # the spine lies in it; the aorta is added
    "vessels of the lungs": (0.25, 0.45),  # a film shows one of two that lie behind each other; the finest are drawn
    "bones, as cortical bone": (0.15, 0.4),  # a film's ribs are flat rings; it has no breastbone
}
NODULE_OFF = 0.2  #: mm, mean size of the difference: part of a voxel


@pytest.mark.slow
@pytest.mark.parametrize("who", PEOPLE)
def test_film_and_ct_agree_structure_by_structure(who: str) -> None:
    patient = draw_person(*PEOPLE[who])
    agreements = compare(patient, axes_of(patient, 5.0, 2.0))
    assert len(agreements) == len(EXACT) + len(MARGINS) + len(patient.nodules)
    for name in EXACT:
        assert agreements[name].most < 0.02, name
    for name, (mean, off) in MARGINS.items():
        one = agreements[name]
        assert abs(one.difference) < mean * one.film, name
        assert one.off < off * one.film, name
    for name, one in agreements.items():
        if name.startswith("nodule"):
            assert one.film > 1
            assert one.off < NODULE_OFF, name
