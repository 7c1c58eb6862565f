"""The metric breaker: both goals can be reached, the numbers are the course's, and words say what is wrong."""

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from course_lib.evaluation.lesion_counts import LesionCounts
from course_lib.evaluation.segmentation import dice, iou
from course_lib.evaluation.surfaces import hausdorff_distance, surface_dice
from course_lib.figures.widgets.metric_breaker import (
    STRUCTURES,
    OutlineNumbers,
    Spoiling,
    StructureName,
    draw_outlines,
    measure,
    metric_breaker,
    outlines,
)
from tests.counted import count_calls

GOAL_1 = "Goal 1: Dice above 0.9, though HD95 is 10 mm or more"
GOAL_2 = "Goal 2: Dice below 0.6, though HD95 is 2 mm or less"
AS_IT_IS = {"right_mm": 0.0, "up_mm": 0.0, "growth_mm": 0.0, "tail_left_out": 0.0, "speck_mm": 0.0, "speck_away_mm": 15}


def measured(structure: StructureName, spoiling: Spoiling) -> OutlineNumbers:
    shape = STRUCTURES[structure]
    return measure(outlines(shape, spoiling), outlines(shape, Spoiling()), (shape.spacing_mm,) * 2)


@pytest.mark.parametrize(
    ("structure", "spoiling"),
    [
        ("large", Spoiling(tail_left_out=1)),
        ("large", Spoiling(speck_mm=4)),
        ("large", Spoiling(speck_mm=6, up_mm=0.5, growth_mm=0.25)),
        ("small", Spoiling(speck_mm=1)),
    ],
)
def test_dice_is_good_and_something_lies_far_away(structure: StructureName, spoiling: Spoiling) -> None:
    numbers = measured(structure, spoiling)
    assert numbers.dice > 0.9
    assert numbers.hd95_mm >= 10
    assert numbers.good_overlap_far_away
    assert not numbers.near_with_bad_overlap


@pytest.mark.parametrize("spoiling", [Spoiling(up_mm=2), Spoiling(right_mm=1, up_mm=1.5), Spoiling(growth_mm=1.5)])
def test_nothing_lies_far_away_and_dice_is_bad_with_the_small_one_alone(spoiling: Spoiling) -> None:
    numbers = measured("small", spoiling)
    assert numbers.dice < 0.6
    assert numbers.hd95_mm <= 2
    assert numbers.near_with_bad_overlap
    assert not numbers.good_overlap_far_away
    assert not measured("large", spoiling).near_with_bad_overlap


@pytest.mark.parametrize(
    ("structure", "said", "value", "goal"),
    [
        ("large", "tail left out", 1, GOAL_1),
        ("large", "speck, mm across", 4, GOAL_1),
        ("small", "speck, mm across", 1, GOAL_1),
        ("small", "up, mm", 2, GOAL_2),
        ("small", "growth, mm", 1.5, GOAL_2),
    ],
)
def test_a_slider_reaches_a_goal(structure: StructureName, said: str, value: float, goal: str) -> None:
    explorer = metric_breaker()
    choice, *sliders, _ = explorer.children
    (slider,) = (one for one in sliders if one.description == said)
    assert repr(explorer).count("not yet") == 2
    choice.value, slider.value = structure, value
    assert slider.value == value
    steps = (slider.value - slider.min) / slider.step
    assert steps == pytest.approx(round(steps))
    assert f"{goal}: reached." in repr(explorer)


def spoilt() -> Iterator[tuple[StructureName, Spoiling]]:
    for structure in STRUCTURES:
        for spoiling in (
            Spoiling(),
            Spoiling(right_mm=-1.5, up_mm=1, growth_mm=0.5, tail_left_out=0.4, speck_mm=2),
            Spoiling(growth_mm=-3),
        ):
            yield structure, spoiling


@pytest.mark.parametrize(("structure", "spoiling"), list(spoilt()))
def test_the_numbers_are_the_courses(structure: StructureName, spoiling: Spoiling) -> None:
    shape = STRUCTURES[structure]
    masks, spacing = (outlines(shape, spoiling), outlines(shape, Spoiling())), (shape.spacing_mm,) * 2
    numbers = measured(structure, spoiling)
    assert (numbers.dice, numbers.iou) == (dice(*masks), iou(*masks))
    assert numbers.surface_dice == surface_dice(*masks, spacing, 1)
    assert numbers.hd95_mm == hausdorff_distance(*masks, spacing)
    assert numbers.hd_mm == hausdorff_distance(*masks, spacing, 100)
    assert numbers.area_mm2 == pytest.approx(masks[0].sum() * shape.spacing_mm**2)


def test_nothing_wrong_is_perfect_and_the_area_is_that_of_the_disc_and_its_tail() -> None:
    numbers = measured("large", Spoiling())
    assert (numbers.dice, numbers.surface_dice, numbers.hd_mm) == (1, 1, 0)
    assert numbers.lesions == LesionCounts(1, 0, 0)
    assert numbers.true_area_mm2 == pytest.approx(np.pi * 18**2 + 24 * 2, rel=0.01)


def test_each_part_of_the_spoiling_does_what_it_says() -> None:
    shape = STRUCTURES["large"]
    true = outlines(shape, Spoiling())
    moved = outlines(shape, Spoiling(right_mm=3, up_mm=2))
    assert np.array_equal(np.roll(true, (-4, 6), axis=(0, 1)), moved)
    assert measured("large", Spoiling(tail_left_out=0.5)).hd_mm == pytest.approx(12, abs=0.5)
    assert measured("large", Spoiling(tail_left_out=1)).hd_mm == pytest.approx(24, abs=0.5)
    assert measured("large", Spoiling(growth_mm=1)).area_mm2 > measured("large", Spoiling()).area_mm2 + 100
    speck = outlines(shape, Spoiling(speck_mm=4)) & ~true
    assert speck.sum() * 0.25 == pytest.approx(np.pi * 2**2, rel=0.1)
    assert measured("large", Spoiling(speck_mm=4)).lesions == LesionCounts(1, 0, 1)


def test_no_setting_of_the_sliders_reaches_the_border_of_the_slice() -> None:
    ends = dict.fromkeys(("right_mm", "up_mm"), (-6.0, 6.0))
    assert {(slider.min, slider.max) for slider in metric_breaker().children[1:3]} == {*ends.values()}
    for shape in STRUCTURES.values():
        for right in ends["right_mm"]:
            for up in ends["up_mm"]:
                mask = outlines(shape, Spoiling(right, up, growth_mm=3, speck_mm=6, speck_away_mm=20))
                assert not mask[[0, -1]].any()
                assert not mask[:, [0, -1]].any()


def test_the_words_say_what_is_wrong_and_nothing_else() -> None:
    assert "a predicted one: the same. Dice 1.00" in draw_outlines("large", **AS_IT_IS)[1]
    changed = {**AS_IT_IS, "right_mm": -1.5, "up_mm": 2, "growth_mm": -0.5, "tail_left_out": 0.5, "speck_mm": 3}
    words = draw_outlines("small", **changed)[1]
    assert (
        "of a small nodule with a thin tail, and a predicted one: 1.5 mm too far left, 2 mm too far up, 0.5 mm too "
        "small on all sides, without 50 % of the tail, with a speck of 3 mm that lies 15 mm away. Dice "
    ) in words
    assert "1 false alarm." in words


def test_an_empty_outline_counts_as_missed_and_far() -> None:
    picture, words = draw_outlines("small", **{**AS_IT_IS, "growth_mm": -3})
    assert picture.shape == (350, 720, 3)
    assert "HD95 48.8 mm" in words
    assert "0 found, 1 missed, 0 false alarms. Nothing is outlined" in words
    assert words.count("not yet") == 2


def test_every_slider_changes_the_picture_which_is_drawn_and_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = count_calls(monkeypatch, sys.modules[measure.__module__], "pixels_of")
    measures = count_calls(monkeypatch, sys.modules[measure.__module__], "measure")
    explorer = metric_breaker()
    *controls, shown = explorer.children
    for control, value in zip(controls, ("small", 1, 1, 0.5, 0.5, 2, 5), strict=True):
        before = shown.value
        control.value = value
        assert shown.value.split("src=")[1] != before.split("src=")[1]
    assert len(drawn) == len(measures) == 1 + len(controls)
