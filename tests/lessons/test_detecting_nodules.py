"""Lesson 12 by itself, as long as no workbook has it: each mistake gets its words, each answer and stub is known."""

import re
from typing import NoReturn

import pytest

from course_lib.exercises import judging
from course_lib.exercises.child import NoChildError
from course_lib.exercises.exercise import Exercise, Mistake
from course_lib.exercises.judging import judge
from course_lib.lessons.detecting_nodules import LESSON

each_exercise = pytest.mark.parametrize("exercise", LESSON.exercises, ids=lambda exercise: exercise.number)


@pytest.fixture(autouse=True)
def in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_child(*_: object) -> NoReturn:
        raise NoChildError

    monkeypatch.setattr(judging, "in_child", no_child)


@each_exercise
def test_the_reference_answer_is_correct_and_so_is_the_printed_solution(exercise: Exercise) -> None:
    namespace: dict[str, object] = {}
    exec(exercise.solution, namespace)
    for seed in (0, 1, 2):
        for answer in (exercise.reference, namespace[exercise.name]):
            assert judge(exercise, answer, seed).text == f"Exercise {exercise.number}: correct."


@pytest.mark.parametrize(
    ("exercise", "mistake"),
    [
        pytest.param(exercise, mistake, id=f"{exercise.number}-{mistake.answer.__name__}")
        for exercise in LESSON.exercises
        for mistake in exercise.mistakes
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_mistake_gets_its_words(exercise: Exercise, mistake: Mistake, seed: int) -> None:
    text = judge(exercise, mistake.answer, seed).text
    assert text.startswith(f"Exercise {exercise.number}: not yet.\n  input ")
    assert re.search(r"\n  expected   .+\n  came       .+\n", text)
    assert text.splitlines()[-1] == f"  → {mistake.diagnosis}"
    assert mistake.diagnosis == mistake.diagnosis.strip()


@each_exercise
@pytest.mark.parametrize("body", ["...", "pass", "return ...", "x = ...; return x"])
def test_a_stub_is_not_attempted(exercise: Exercise, body: str) -> None:
    namespace: dict[str, object] = {}
    exec(f"def {exercise.name}({', '.join(exercise.parameters)}):\n    {body}", namespace)
    assert judge(exercise, namespace[exercise.name], 0).outcome == "not attempted"


@each_exercise
def test_a_forgotten_return_and_an_error_are_named(exercise: Exercise) -> None:
    def forgotten(*inputs: object) -> None:
        exercise.reference(*inputs)

    def failing(*_: object) -> NoReturn:
        raise ZeroDivisionError("no")

    assert judge(exercise, forgotten, 0).text.endswith("→ Nothing was returned: is there a return at the end?")
    text = judge(exercise, failing, 0).text
    assert "\n  came       ZeroDivisionError: no" in text
    assert not re.search(r"expected   {|grad_fn", text)


def test_the_exercises_are_numbered_in_their_order() -> None:
    assert [exercise.number for exercise in LESSON.exercises] == [f"12.{n}" for n in range(1, 10)]
    assert all(len(exercise.mistakes) >= 3 and 3 <= len(exercise.hints) <= 4 for exercise in LESSON.exercises)
