"""The exercises of the notebooks: checks, hints, solutions, and the learner's progress. All of them print.

`judging` tries an answer on fresh inputs, within a time `limit`, and `comparing` words the difference. One module per
notebook, such as `building_net`, holds its exercises and questions; `record` keeps which are solved.
"""

from course_lib.exercises import (
    auditing,
    building_net,
    evaluating,
    explaining,
    finetuning,
    own_run,
    preprocessing,
    small_and_dirty,
    starting,
)
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.judging import judge
from course_lib.exercises.record import add_solved, forget, solved

LESSONS = (
    starting.LESSON,
    preprocessing.LESSON,
    auditing.LESSON,
    building_net.LESSON,
    finetuning.LESSON,
    evaluating.LESSON,
    explaining.LESSON,
    small_and_dirty.LESSON,
    own_run.LESSON,
)
EXERCISES = {exercise.number: exercise for lesson in LESSONS for exercise in lesson.exercises}
QUESTIONS = {question.number: question for lesson in LESSONS for question in lesson.questions}

_hints_given: dict[str, int] = {}


def check(number: str, answer: object, *, seed: int | None = None) -> None:
    """Say whether the answer is right, on inputs that are new each time; with a seed, on the same ones again.

    Never fails and never takes longer than 2 s, whatever the answer is.
    """
    if not (exercise := _find(number)):
        return
    verdict = judge(exercise, answer, seed)
    print(verdict.text)
    if verdict.outcome == "correct" and (problem := add_solved(exercise.number)):
        print(problem)


def hint(number: str) -> None:
    """Help a little; each call goes one step further."""
    if exercise := _find(number):
        step = min(_hints_given.get(number, 0) + 1, len(exercise.hints))
        _hints_given[number] = step
        print(f"Hint {step} of {len(exercise.hints)}: {exercise.hints[step - 1]}")


def solution(number: str) -> None:
    """Show the reference answer as code that can stand in the exercise's cell."""
    if exercise := _find(number):
        print(exercise.solution, end="")


def progress() -> None:
    """Show how many exercises of each notebook are solved, and which."""
    done, problem = solved()
    width = max(len(lesson.title) for lesson in LESSONS)
    for lesson in LESSONS:
        numbers = [exercise.number for exercise in lesson.exercises]
        here = [number for number in numbers if number in done]
        line = f"{lesson.number} {lesson.title:{width}}  {len(here)} of {len(numbers)}  {' '.join(here)}"
        print(line.rstrip())
    if problem:
        print(problem)


def reset_progress() -> None:
    """Begin anew, with no exercise solved."""
    print(forget() or "Your progress is reset: no exercise is solved.")


def _find(number: object) -> Exercise | None:
    if isinstance(number, str) and number in EXERCISES:
        return EXERCISES[number]
    given = repr(number) if isinstance(number, str | int | float) else "something else"
    print(f"Expected the number of an exercise, one of {', '.join(EXERCISES)}, but got {given}.")
    return None
