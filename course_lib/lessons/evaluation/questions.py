"""The questions on prevalence, AUROC, overlapping intervals, and the test that is opened once."""

from course_lib.exercises.questions import Option, Question

PREVALENCE_QUESTION = Question(
    "5.a",
    "A network with sensitivity 0.90 and specificity 0.90 leaves a ward where half of the children are sick, and "
    "screens a school where 1 in 100 is. The children look alike in all else. What becomes of an alarm?",
    (
        Option(
            "Nine in ten are right, as before",
            "That was the ward. In the school, 1,000 children have 10 sick and 990 healthy, who give 99 false alarms.",
        ),
        Option(
            "About one in twelve is right",
            "Of 1,000 children, 9 alarms are right and 99 are false. The network is the same; its alarm is not.",
            right=True,
        ),
        Option(
            "Sensitivity falls to 0.01",
            "Sensitivity is a part of the sick, and they are found as before. What falls is the value of an alarm.",
        ),
    ),
)

AUROC_QUESTION = Question(
    "5.b",
    "A network has an AUROC of 0.90. Which sentence follows?",
    (
        Option("It is right for 90 % of the images", "That would be accuracy, and needs a threshold. AUROC has none."),
        Option(
            "A score of 0.90 means sick with 90 % certainty",
            "AUROC sees only the order of the scores. Divide them all by ten, and it stays the same.",
        ),
        Option(
            "In 90 of 100 pairs, the sick child scores above the healthy one",
            "One sick, one healthy, drawn at random. It says nothing on where to put the threshold.",
            right=True,
        ),
    ),
)

OVERLAP_QUESTION = Question(
    "5.c",
    "On the same patients, A has an AUROC of 0.93 (0.89 to 0.96) and B of 0.90 (0.85 to 0.94). The intervals "
    "overlap. What do you know about the difference?",
    (
        Option(
            "A and B are equally good",
            "Overlap proves nothing. Both intervals are wide for a common reason: some patients are hard for both.",
        ),
        Option(
            "A is better, since 0.93 is more than 0.90",
            "With other patients it might be the other way round. How often, the two numbers do not say.",
        ),
        Option(
            "Not enough: ask for the interval of the difference",
            "Measured on the same draws of patients, it can leave out 0 although the two intervals overlap.",
            right=True,
        ),
    ),
)

TEST_QUESTION = Question(
    "5.d",
    "The test is done, and specificity is lower than you hoped. A higher threshold would have given more. What now?",
    (
        Option(
            "Raise the threshold and report the better number",
            "Then the test chose the threshold, and what it says of it is too good.",
        ),
        Option(
            "Report the number, and say what you saw",
            "A new threshold needs new patients who have chosen nothing. That may be the next study.",
            right=True,
        ),
        Option(
            "Leave out the images that were hardest",
            "Who leaves out the hard patients describes a hospital that does not exist.",
        ),
    ),
)

QUESTIONS = (PREVALENCE_QUESTION, AUROC_QUESTION, OVERLAP_QUESTION, TEST_QUESTION)
