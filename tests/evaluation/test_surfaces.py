"""The definitions of HD95: the first is the course's, all differ where a speck is outlined, and empty masks are out."""

import numpy as np
import pytest

from course_lib.evaluation.surfaces import Mask, hausdorff_distance, hd95_definitions, surface_distances

SPACING_MM = (0.5, 2.0)


def with_a_speck() -> tuple[Mask, Mask]:
    true = np.zeros((60, 90), dtype=bool)
    true[10:50, 10:50] = True
    predicted = true.copy()
    predicted[28:32, 70:73] = True
    return predicted, true


def test_the_first_definition_is_that_of_the_hausdorff_distance() -> None:
    random = np.random.default_rng(0)
    for _ in range(5):
        predicted, true = random.random((2, 12, 15)) < 0.2
        distances = surface_distances(predicted, true, SPACING_MM)
        first = next(iter(hd95_definitions(*distances).values()))
        assert first == hausdorff_distance(predicted, true, SPACING_MM) > 0


def test_the_definitions_of_hd95_are_apart_where_a_speck_is_outlined() -> None:
    said = hd95_definitions(*surface_distances(*with_a_speck(), (1, 1)))
    assert said == {
        "the larger of the directions": 21.0,
        "both directions in one list": 0.0,
        "the mean of the directions": 10.5,
    }


def test_each_definition_from_two_lists_by_hand() -> None:
    said = hd95_definitions(np.arange(101.0), np.zeros(899))
    assert list(said.values()) == [95, pytest.approx(50.05), 47.5]
    assert list(hd95_definitions(np.zeros(899), np.arange(101.0)).values()) == list(said.values())


def test_distances_of_an_empty_mask_are_refused() -> None:
    predicted, true = with_a_speck()
    for masks in ((predicted & False, true), (predicted, true & False), (predicted & False, true & False)):
        with pytest.raises(ValueError, match="finite distances in both directions"):
            hd95_definitions(*surface_distances(*masks, (1, 1)))
    with pytest.raises(ValueError, match="2 and 1 with 1 that are not finite"):
        hd95_definitions(np.array([1.0, 2.0]), np.array([np.inf]))
