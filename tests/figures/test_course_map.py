"""The map of the course."""

import matplotlib.pyplot as plt

from course_lib.figures.course_map import plot_lessons
from course_lib.figures.style import text_alternative


def test_the_map_of_the_course_says_which_lesson_leads_where() -> None:
    lessons = {"00 Start": "words", "01 Files": "tensors", "02 Net": "training", "03 Scores": "intervals"}
    axes = plot_lessons(lessons, [("00 Start", "01 Files"), ("00 Start", "03 Scores")], "Map")
    assert [text.get_text() for text in axes.texts][:2] == ["00 Start\nwords", "01 Files\ntensors"]
    assert len(axes.patches) == 4
    assert text_alternative(axes) == (
        "Map. 4 boxes: 00 Start, words; 01 Files, tensors; 02 Net, training; 03 Scores, intervals. "
        "Arrows lead from 00 Start to 01 Files, and from 00 Start to 03 Scores."
    )
    plt.close()
