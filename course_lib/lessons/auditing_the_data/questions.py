"""The questions on sixteen images, a model of corners, and what an audit says about labels."""

from course_lib.exercises.questions import Option, Question

SIXTEEN_QUESTION = Question(
    "2.a",
    "On 16 validation images, model A is right for 15 and model B for 14. Which one do you take?",
    (
        Option("A: it has 94 %, B has 88 %", "That is one image. The interval of each reaches far over the other."),
        Option(
            "These images can not decide",
            "Both intervals are about 30 points wide. Cut a larger validation list from training, by patient.",
            right=True,
        ),
        Option(
            "Whichever is better on the test",
            "Then the test took part in the choice, and what it says afterwards is too good.",
        ),
    ),
)

CORNER_QUESTION = Question(
    "2.b",
    "A model that sees only the corners of the radiographs has an AUROC of 0.9. What do you know?",
    (
        Option(
            "There is a marker in the corner, and a network reads it",
            "There may be one. It may also be a border, an arm, or how the child lay. Look at the corners.",
        ),
        Option(
            "Something in the corners goes along with the class",
            "No more than that. What it is, you have to see; whether a network uses it is another question.",
            right=True,
        ),
        Option(
            "Pneumonia can be seen in the corners",
            "Hardly any lung is in the upper corners. What tells the class there is probably not the disease.",
        ),
    ),
)

LABEL_QUESTION = Question(
    "2.c",
    "The report says: labels, ok. What does that say about the labels?",
    (
        Option(
            "They are right", "It says only that a simple model doubts no more of them than it doubts of right ones."
        ),
        Option(
            "At most 13 % are wrong", "13 % is how many a simple model may doubt. It can miss any number of errors."
        ),
        Option(
            "A simple model doubts no more of them than usual",
            "That is all. Errors that follow a pattern, or that look typical, do not stand out.",
            right=True,
        ),
    ),
)

QUESTIONS = (SIXTEEN_QUESTION, CORNER_QUESTION, LABEL_QUESTION)
