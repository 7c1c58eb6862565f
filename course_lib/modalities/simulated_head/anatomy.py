"""The whole head from the outside in: coats of tissue, each of which covers what lies beneath."""

from collections.abc import Iterator

from course_lib.modalities.simulated_head.brain import cerebellum, cerebrum
from course_lib.modalities.simulated_head.coats import Coat, Points
from course_lib.modalities.simulated_head.deep import lateral_ventricles, midline, nuclei
from course_lib.modalities.simulated_head.hippocampus import hippocampi
from course_lib.modalities.simulated_head.people import Patient
from course_lib.modalities.simulated_head.skull import folds_of_dura, membranes, scalp_and_skull
from course_lib.modalities.simulated_head.tumours import grow_tumour, spread_oedema


def build_head(patient: Patient, displaced: Points, points: Points) -> Iterator[Coat]:
    """All coats, outermost first.

    ``points`` are the places of the standard head that lie at the voxels; ``displaced`` are the places from which the
    tumour has pushed what lies there now. Without a tumour the two are the same.
    """
    yield from scalp_and_skull(patient, points)
    if not (points.inside < points.edge_mm).any():
        return
    yield from membranes(points)
    for coat in cerebrum(patient, displaced):
        yield coat
        last = coat
    if patient.tumour is not None:
        yield spread_oedema(patient, patient.tumour, points, last)
    yield from folds_of_dura(displaced)
    yield from cerebellum(patient, displaced)
    yield from lateral_ventricles(patient, displaced)
    yield from nuclei(displaced)
    yield from midline(patient, displaced)
    yield from hippocampi(patient, displaced)
    if patient.tumour is not None:
        yield from grow_tumour(patient, patient.tumour, points)
