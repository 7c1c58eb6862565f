"""Lesions counted one by one: found in one voxel, missed, and false alarms."""

import numpy as np
import pytest

from course_lib.evaluation.lesion_counts import LesionCounts, count_lesions


def row(marked: str) -> np.ndarray:
    return np.array([[letter == "x" for letter in marked]])


@pytest.mark.parametrize(
    ("predicted", "true", "counts"),
    [
        ("x.x.x", "x...x", (2, 0, 1)),
        ("xxxxx", "x.x.x", (3, 0, 0)),  # one outline over three lesions finds them all
        ("x.x.x", "xxxxx", (1, 0, 0)),  # three outlines on one lesion find one
        (".....", "x.x..", (0, 2, 0)),
        ("x.x..", ".....", (0, 0, 2)),
        (".....", ".....", (0, 0, 0)),
        (".xx..", "..xx.", (1, 0, 0)),  # what lies beside the lesion is no false alarm
    ],
)
def test_lesions_are_counted(predicted: str, true: str, counts: tuple[int, int, int]) -> None:
    assert count_lesions(row(predicted), row(true)) == LesionCounts(*counts)


def test_voxels_that_meet_at_an_edge_alone_are_two_lesions_in_3_d() -> None:
    true = np.zeros((2, 2, 2), dtype=bool)
    true[0, 0, 0] = true[1, 1, 0] = True
    assert count_lesions(true, true) == LesionCounts(2, 0, 0)


def test_counts_add_up_and_give_a_sensitivity() -> None:
    both = LesionCounts(2, 1, 0) + LesionCounts(1, 0, 3)
    assert both == LesionCounts(3, 1, 3)
    assert both.sensitivity == 0.75
    assert np.isnan(LesionCounts(0, 0, 2).sensitivity)


def test_label_maps_are_refused() -> None:
    with pytest.raises(ValueError, match="boolean masks"):
        count_lesions(row("x").astype(np.uint8), row("x"))
