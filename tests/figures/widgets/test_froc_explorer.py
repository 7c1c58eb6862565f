"""The explorer of a detector's threshold: boxes come and go, and the point moves along the curve."""

import sys

import numpy as np
import pytest

from course_lib.evaluation.detection import froc
from course_lib.evaluation.hit_rules import centre_inside
from course_lib.figures.widgets.froc_explorer import draw_operating_point, froc_explorer, operating_point
from tests.counted import count_calls
from tests.made_boxes import FAR, FARTHER, TRUE, boxes, detections_of

PREDICTIONS = detections_of(
    (boxes(TRUE, FAR, scores=[0.9, 0.6]), boxes(TRUE)),
    (boxes(FAR, FARTHER, scores=[0.4, 0.3]), boxes(FAR)),
    (boxes(TRUE, scores=[0.2]), boxes()),
)
FILMS = [np.full((100, 100), grey, dtype=np.uint8) for grey in (20, 60, 90)]
CURVE = froc(PREDICTIONS, centre_inside)


def draw(threshold: float, film: int) -> tuple[np.ndarray, str]:
    return draw_operating_point(FILMS, PREDICTIONS, CURVE, centre_inside, threshold, film)


def test_the_words_tell_the_film_and_the_point() -> None:
    picture, words = draw(0.5, 0)
    assert picture.shape == (360, 760, 3)
    assert words == (
        "0.png at a threshold of 0.50: 1 true box, 1 of them found; 1 false alarm. In all films, the sensitivity is "
        "0.50 at 0.33 false alarms per image."
    )
    assert "2.png at a threshold of 0.10: 0 true boxes, 0 of them found; 1 false alarm." in draw(0.1, 2)[1]


@pytest.mark.parametrize(
    ("threshold", "point"),
    [(1.0, (0, 0)), (0.9, (0, 0.5)), (0.61, (0, 0.5)), (0.4, (1 / 3, 1)), (0.0, (1, 1)), (np.inf, (0, 0))],
)
def test_the_point_is_that_of_all_boxes_with_the_score_or_more(threshold: float, point: tuple[float, float]) -> None:
    assert operating_point(CURVE, threshold) == pytest.approx(point)


def test_sliders_change_picture_and_words_and_draw_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = count_calls(monkeypatch, sys.modules[froc_explorer.__module__], "pixels_of")
    explorer = froc_explorer(FILMS, PREDICTIONS, CURVE, centre_inside)
    threshold, film, shown = explorer.children
    assert repr(explorer).startswith("0.png at a threshold of 0.50")
    for control, value, words in ((threshold, 0.95, "0 of them found"), (film, 1, "1.png at a threshold of 0.95")):
        before = shown.value
        control.value = value
        assert shown.value.split("src=")[1] != before.split("src=")[1]
        assert words in repr(explorer)
    assert len(drawn) == 3
    assert all(len(control.description) <= 16 for control in (threshold, film))
    assert [name for name, _ in film.options] == ["1: 0.png", "2: 1.png", "3: 2.png"]


def test_a_detector_that_finds_nothing_and_films_without_a_box_are_drawn() -> None:
    blind = detections_of((boxes(), boxes(TRUE)))
    assert (
        "0 of them found; 0 false alarms. In all films, the sensitivity is 0.00"
        in (draw_operating_point(FILMS[:1], blind, froc(blind, centre_inside), centre_inside, 0.5, 0)[1])
    )
    healthy = detections_of((boxes(FAR, scores=[0.9]), boxes()))
    assert (
        "the sensitivity is nan at 1.00"
        in (draw_operating_point(FILMS[:1], healthy, froc(healthy, centre_inside), centre_inside, 0.5, 0)[1])
    )


def test_films_that_do_not_fit_are_refused() -> None:
    for images in ([], FILMS[:2]):
        with pytest.raises(ValueError, match=f"got 3 for {len(images)}"):
            froc_explorer(images, PREDICTIONS, CURVE, centre_inside)
    for threshold, film in ((float("nan"), 0), (0.5, 3), (0.5, -1)):
        with pytest.raises(ValueError, match="a film from 0 to 2"):
            draw(threshold, film)
