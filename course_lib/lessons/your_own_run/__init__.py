"""Lesson 08, Your own run: what is chosen at its beginning, what others have published, and what comes after it.

`choices` builds images, network and training from a few decisions; `published` puts a result beside those of others;
`exercises` holds the exercises and questions. The reference answers bear the names that the notebook asks for.
"""

from course_lib.lessons.your_own_run.choices import (
    CARD_FILE,
    Choices,
    build_network,
    choose,
    open_chosen,
    shelf_for,
    times_opened,
)
from course_lib.lessons.your_own_run.exercises import LESSON, sick_children_needed, weeks_to_look_at
from course_lib.lessons.your_own_run.published import beside_published

__all__ = [
    "CARD_FILE",
    "LESSON",
    "Choices",
    "beside_published",
    "build_network",
    "choose",
    "open_chosen",
    "shelf_for",
    "sick_children_needed",
    "times_opened",
    "weeks_to_look_at",
]
