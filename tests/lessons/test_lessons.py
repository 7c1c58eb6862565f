"""The lessons: one for each notebook, by its name."""

import re
from importlib import import_module
from pkgutil import iter_modules

from course_lib import lessons
from course_lib.authoring.notebook_form import course_notebooks
from course_lib.lessons import WORKBOOK


def test_each_notebook_has_one_module_or_package_and_there_are_no_others() -> None:
    numbered = {re.sub(r"^\d+_", "", path.stem): path.stem[:2] for path in course_notebooks()}
    numbers = {
        found.name: import_module(f"{lessons.__name__}.{found.name}").LESSON.number
        for found in iter_modules(lessons.__path__)
    }
    assert numbers == numbered


def test_the_workbook_has_the_lessons_in_the_order_of_the_notebooks() -> None:
    assert [lesson.number for lesson in WORKBOOK.lessons] == [path.stem[:2] for path in course_notebooks()]
