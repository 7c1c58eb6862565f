"""Figures of detectors: what is drawn is what was measured, and the words give it."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Rectangle

from course_lib.evaluation.box_strata import Stratum, in_steps, sensitivity_by, sides_px, step_names
from course_lib.evaluation.detection import FROC_RATES, judge
from course_lib.evaluation.froc_bands import froc_band
from course_lib.evaluation.hit_rules import centre_inside
from course_lib.evaluation.screening import screen
from course_lib.figures.detection import (
    FOUND_LINE,
    TRUE_LINE,
    plot_boxes,
    plot_froc,
    plot_heat,
    plot_screened,
    plot_strata,
)
from course_lib.figures.style import text_alternative
from tests.made_boxes import CLASSES, FAR, TRUE, boxes, detections_of, some_detections

JUDGED = judge(some_detections(), centre_inside)
BAND = froc_band(JUDGED, resamples=40)
FILM = np.zeros((80, 100), dtype=np.uint8)


@pytest.fixture(autouse=True)
def closed() -> None:
    plt.close("all")


def test_each_detector_has_a_curve_a_band_and_seven_marks() -> None:
    worse = froc_band(judge(some_detections(found_share=0.3), centre_inside), resamples=40)
    axes = plot_froc({"centres": BAND, "anchors": worse}, "Nodules\n(simulated)")
    curves = [line for line in axes.lines if line.get_marker() == "None"]
    marks = [line for line in axes.lines if line.get_marker() != "None"]
    assert [np.asarray(line.get_ydata()).tolist() for line in curves] == [
        BAND.sensitivity.tolist(),
        worse.sensitivity.tolist(),
    ]
    assert [np.asarray(line.get_xdata()).tolist() for line in marks] == [list(FROC_RATES)] * 2
    assert len({line.get_linestyle() for line in curves}) == 2
    assert len(axes.collections) == 2
    assert (axes.get_xscale(), [tick.get_text() for tick in axes.get_xticklabels()]) == (
        "log",
        ["1/8", "1/4", "1/2", "1", "2", "4", "8"],
    )
    words = text_alternative(axes)
    assert words.startswith("Nodules: (simulated). FROC curves with 95 % bands over patients")
    value, low, high = BAND.mean
    at_one = JUDGED.froc().sensitivity_at(1)
    assert f"centres: mean {value:.2f} ({low:.2f} to {high:.2f}); " in words
    assert f"{at_one:.2f} at 1, " in words


def test_a_curve_of_few_rates_says_and_marks_those_it_has() -> None:
    axes = plot_froc({"centres": froc_band(JUDGED, (0.5, 1, 2), resamples=10)}, "Short")
    (marks,) = [line for line in axes.lines if line.get_marker() != "None"]
    assert np.asarray(marks.get_xdata()).tolist() == [0.5, 1, 2]
    assert "at 1/8" not in text_alternative(axes).split("8. ", 1)[1]


def test_too_many_detectors_and_a_rate_of_0_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 5 detectors, got 6"):
        plot_froc(dict.fromkeys("abcdef", BAND), "Many")
    with pytest.raises(ValueError, match="rates above 0"):
        plot_froc({"a": froc_band(JUDGED, (0, 1), resamples=5)}, "From 0")


def test_true_and_found_boxes_have_two_lines_and_lie_on_the_edges_of_their_pixels() -> None:
    found = boxes(FAR, TRUE, classes=[1, 0], scores=[0.9, 0.3])
    true = [boxes(TRUE), boxes()]
    grid = plot_boxes([FILM] * 2, true, [found, boxes()], CLASSES, ["a", "b\nc"], "Two films", threshold=0.5)
    there, said = [patch for patch in grid[0, 0].patches if isinstance(patch, Rectangle)]
    assert (there.get_linestyle(), said.get_linestyle()) == (TRUE_LINE[1], FOUND_LINE[1])
    assert there.get_edgecolor() != said.get_edgecolor()
    assert (there.get_xy(), there.get_width(), there.get_height()) == ((-0.5, -0.5), 10, 10)
    assert [text.get_text() for text in grid[0, 0].texts] == ["Nodule", "Mass 0.90"]
    assert not grid[0, 1].patches
    assert (grid[0, 0].get_xlim(), grid[0, 0].get_ylim()) == ((-0.5, 99.5), (79.5, -0.5))
    legend = [text.get_text() for text in grid[0, 0].figure.legends[0].get_texts()]
    assert legend == ["true", "found, with its score"]
    assert text_alternative(grid[0, 0]) == (
        "Two films. 2 grey images with true boxes, and found ones of a score of 0.50 or more. a: there is Nodule; "
        "found is Mass 0.90; b: c: there is nothing; found is nothing."
    )


def test_boxes_that_leave_the_image_do_not_widen_it() -> None:
    grid = plot_boxes([FILM], [boxes((-20, -20, 200, 200))], [boxes()], CLASSES, ["a"], "Out")
    assert (grid[0, 0].get_xlim(), grid[0, 0].get_ylim()) == ((-0.5, 99.5), (79.5, -0.5))
    with pytest.raises(ValueError, match="got 1 images, 2 times true boxes, 1 times found ones and 1 titles"):
        plot_boxes([FILM], [boxes(), boxes()], [boxes()], CLASSES, ["a"], "Many")


def test_each_stratum_has_its_marker_interval_and_number_of_boxes() -> None:
    predictions = some_detections()
    names = step_names((30, 300), "px")
    sizes = in_steps(sides_px(predictions), (30, 300), "px")
    strata = sensitivity_by(JUDGED, sizes, JUDGED.froc().threshold_at(1), names=names)
    axes = plot_strata({"centres": strata, "again": strata}, "By size", "side")
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in axes.lines]
    assert np.array_equal(drawn[0], [stratum.sensitivity for stratum in strata], equal_nan=True)
    assert axes.lines[0].get_marker() != axes.lines[1].get_marker()
    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    assert ticks[0] == f"below 30 px\n{strata[0].boxes} boxes"
    assert [text.get_text() for text in axes.texts] == ["no box"]
    words = text_alternative(axes)
    value, low, high = strata[0].estimate
    assert f"centres: below 30 px {value:.2f} ({low:.2f} to {high:.2f}) of {strata[0].boxes} boxes" in words
    assert "300 px or more has no box" in words


def test_detectors_with_other_strata_are_refused() -> None:
    (one,) = sensitivity_by(JUDGED, ["a"] * int(JUDGED.true_counts.sum()), 0.5, resamples=5)
    wrong: list[dict[str, list[Stratum]]] = [{}, {"a": []}, {"a": [one], "b": [replace(one, name="b")]}]
    for groups in wrong:
        with pytest.raises(ValueError, match="the same strata"):
            plot_strata(groups, "Other", "x")
    with pytest.raises(ValueError, match="at most 5 detectors, got 6"):
        plot_strata({name: [one] for name in "abcdef"}, "Many", "x")


def test_everyone_who_is_screened_has_a_square() -> None:
    axes = plot_screened(screen(0.6, 0.3, 0.01), "Of 1,000")
    drawn = {str(line.get_label()): np.size(line.get_xdata()) for line in axes.lines}
    assert drawn == {
        "cancer, found: 6.0": 6,
        "cancer, called back for another place: 1.2": 1,
        "cancer, missed: 2.8": 3,
        "healthy, called back: 297": 297,
        "healthy, left alone: 693": 693,
    }
    assert len({line.get_marker() for line in axes.lines}) == 5
    assert text_alternative(axes) == (
        "Of 1,000. Of 1,000 people, 10.0 have cancer: 6.0 are found, 1.2 are called back for another place, 2.8 are "
        "missed. Of the healthy, 297 are called back and 693 left alone. 304 are called back, 2.0% of them at "
        "the cancer."
    )
    assert text_alternative(plot_screened(screen(0, 0, 0), "None")).endswith("0 are called back, so no alarm is right.")


def test_a_heat_map_has_a_cross_at_its_highest_point_in_pixels_of_the_image() -> None:
    heat = np.zeros((8, 10))
    heat[1, 6] = 0.9  # of cells of 10 px: the middle lies at x 65, y 15 in a box, half a pixel less in the picture
    axes = plot_heat(FILM, heat, "Centres", true=boxes((60, 10, 70, 20)))
    assert [np.asarray(line.get_data()).ravel().tolist() for line in axes.lines] == [[64.5, 14.5]] * 2
    assert (
        "A map of 10 x 8 cells over a grey image, from 0.00 to 0.90; its highest point lies inside the true box."
        in (text_alternative(axes))
    )
    outside = plot_heat(FILM, heat, "Centres", true=boxes(TRUE))
    assert text_alternative(outside).endswith("lies outside the true box.")
    assert text_alternative(plot_heat(FILM, heat, "Centres")).endswith("to 0.90.")
    assert text_alternative(plot_heat(FILM, heat, "Centres", true=boxes())).endswith("to 0.90.")


@pytest.mark.parametrize(
    ("image", "heat"),
    [
        (FILM, np.full((4, 4), 1.5)),
        (FILM, np.full((4, 4), -0.1)),
        (FILM, np.full((4, 4), np.nan)),
        (FILM, np.zeros((0, 4))),
        (FILM, np.zeros((2, 4, 4))),
        (np.zeros((4, 4, 3)), np.zeros((4, 4))),
    ],
)
def test_what_is_no_map_is_refused(image: np.ndarray, heat: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"an image and a map of 0 to 1, both \[rows, columns\]"):
        plot_heat(image, heat, "Wrong")


def test_a_film_with_a_thousand_boxes_is_drawn() -> None:
    crowd = boxes(*[(i % 90, i // 90, i % 90 + 5, i // 90 + 5) for i in range(1000)], scores=[0.9, *[0.1] * 999])
    grid = plot_boxes([FILM], [boxes()], [crowd], CLASSES, ["crowd"], "Many", threshold=0.5)
    assert len(grid[0, 0].patches) == 1
    images = detections_of((crowd, boxes(TRUE)), (boxes(), boxes()))
    plot_froc({"crowd": froc_band(judge(images, centre_inside), resamples=5)}, "Many")
