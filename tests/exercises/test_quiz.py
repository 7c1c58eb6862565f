"""The questions: one right option each, an explanation for all, and a plain text where no widget shows."""

import pytest

from course_lib.exercises.questions import Option, Question, answer
from course_lib.lessons import WORKBOOK, quiz

QUESTION = Question(
    "0.a", "Is <b> bold?", (Option("yes", "It is a & b."), Option("no", "Right <i>so</i>.", right=True))
)
each_question = pytest.mark.parametrize("question", WORKBOOK.questions.values(), ids=lambda question: question.number)


def test_an_answer_says_right_or_not_and_why() -> None:
    assert answer(QUESTION, 0) == "✗ Not this one. It is a & b."
    assert answer(QUESTION, 1) == "✓ Right. Right <i>so</i>."


@pytest.mark.parametrize("right", [(), (True,), (True, True), (False, False)])
def test_a_question_has_one_right_option_of_several(right: tuple[bool, ...]) -> None:
    with pytest.raises(ValueError, match="exactly one of them right"):
        Question("0.a", "?", tuple(Option("x", "y", right=r) for r in right))


@each_question
def test_the_plain_text_has_all_options_and_no_answer(question: Question) -> None:
    text = quiz(question.number)._repr_mimebundle_()["text/plain"]
    assert text.splitlines()[0] == f"Question {question.number}: {question.text}"
    assert [line[5:] for line in text.splitlines()[1:]] == [option.text for option in question.options]
    assert text.splitlines()[1].startswith("  a) ")
    assert not any(option.why in text for option in question.options)


@each_question
def test_a_click_explains_the_option(question: Question) -> None:
    _, options, told = quiz(question.number).children
    assert options.value is None
    assert told.value == ""
    for place in reversed(range(len(question.options))):
        options.value = place
        assert told.value.startswith("✓ Right." if question.options[place].right else "✗ Not this one.")


def test_no_text_of_a_question_is_taken_for_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WORKBOOK.questions, "0.a", QUESTION)
    asked, options, told = quiz("0.a").children
    options.value = 1
    assert asked.value == "<b>Is &lt;b&gt; bold?</b>"
    assert told.value == "✓ Right. Right &lt;i&gt;so&lt;/i&gt;."


def test_an_unknown_question_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"one of .*3\.a, 3\.b.*, but got '9\.z'"):
        quiz("9.z")
