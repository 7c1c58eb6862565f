"""The exercises and questions of several lessons, and what a learner can ask of them. All of it prints."""

from collections.abc import Sequence

import numpy as np

from course_lib.exercises.exercise import Exercise, Lesson
from course_lib.exercises.judging import judge
from course_lib.exercises.quiz_widget import Quiz
from course_lib.exercises.record import add_solved, forget, solved
from course_lib.support.foreign import printable

SEEDS = 2**32  #: so many there are


class Workbook:
    """Lessons with their exercises and questions; numbers such as "3.2" and "3.a" name one of them."""

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        self.lessons = tuple(lessons)
        self.exercises = {exercise.number: exercise for lesson in lessons for exercise in lesson.exercises}
        self.questions = {question.number: question for lesson in lessons for question in lesson.questions}
        self._hints_given: dict[str, int] = {}

    def check(self, number: str, answer: object, *, seed: int | None = None) -> None:
        """Say whether the answer is right, on inputs that are new each time; with a seed, on the same ones again.

        Never fails, whatever the answer is. Takes little more than two seconds at most, twice that where the answer
        loads a library; only C code that never lets go is waited for where it must run in this process (see `judge`).
        """
        if not (exercise := self._find(number)):
            return
        if seed is not None and not (_is_whole(seed) and 0 <= seed < SEEDS):
            print(f"Expected a whole number from 0 to {SEEDS - 1} as the seed, but got {_shown(seed)}.")
            return
        verdict = judge(exercise, answer, seed)
        print(verdict.text)
        if verdict.outcome == "correct" and (problem := add_solved(exercise.number)):
            print(problem)

    def hint(self, number: str) -> None:
        """Help a little; each call goes one step further."""
        if exercise := self._find(number):
            step = min(self._hints_given.get(number, 0) + 1, len(exercise.hints))
            self._hints_given[number] = step
            print(f"Hint {step} of {len(exercise.hints)}: {exercise.hints[step - 1]}")

    def solution(self, number: str) -> None:
        """Show the reference answer as code that can stand in the exercise's cell."""
        if exercise := self._find(number):
            print(exercise.solution, end="")

    def quiz(self, number: str) -> Quiz:
        """A question to answer with a click.

        Raises:
            ValueError: there is no such question.
        """
        if number not in self.questions:
            expected = ", ".join(self.questions)
            raise ValueError(f"Expected the number of a question, one of {expected}, but got {number!r}.")
        return Quiz(self.questions[number])

    def progress(self) -> None:
        """Show how many exercises of each lesson are solved, and which."""
        done, problem = solved()
        width = max(len(lesson.title) for lesson in self.lessons)
        for lesson in self.lessons:
            numbers = [exercise.number for exercise in lesson.exercises]
            here = [number for number in numbers if number in done]
            line = f"{lesson.number} {lesson.title:{width}}  {len(here)} of {len(numbers)}  {' '.join(here)}"
            print(line.rstrip())
        if problem:
            print(problem)

    def reset_progress(self) -> None:
        """Begin anew, with no exercise solved."""
        print(forget() or "Your progress is reset: no exercise is solved.")

    def _find(self, number: object) -> Exercise | None:
        if type(number) is str and number in self.exercises:
            return self.exercises[number]
        print(f"Expected the number of an exercise, one of {', '.join(self.exercises)}, but got {_shown(number)}.")
        return None


def _is_whole(seed: object) -> bool:
    return type(seed) is int or issubclass(type(seed), np.integer)


def _shown(given: object) -> str:
    """The text or number that was given; anything else may not let itself be looked at, nor a number without end."""
    if _is_whole(given):
        return str(given) if -SEEDS < given < SEEDS else "a very large number"  # type: ignore[operator]
    return printable(repr(given)) if type(given) in (str, float, bool) else "something else"
