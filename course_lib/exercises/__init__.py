"""The engine of the exercises: it checks answers, gives hints and solutions, asks questions, and keeps what is solved.

It knows no lesson: a `Workbook` is given some. `judging` tries an answer on fresh inputs, in a `child` process where
there can be one, within time `limits` and with the notebook `undisturbed`; `comparing` words the difference.
`quiz_widget` shows a question; `record` keeps which exercises are solved.
"""

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Lesson, Mistake, returned
from course_lib.exercises.questions import Option, Question
from course_lib.exercises.workbook import Workbook

__all__ = ["Answer", "Exercise", "Inputs", "Lesson", "Mistake", "Option", "Question", "Workbook", "returned"]
