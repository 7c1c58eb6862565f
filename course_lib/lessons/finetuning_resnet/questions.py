"""The questions on what phantom weights show, frozen batch norms, and reporting a comparison."""

from course_lib.exercises.questions import Option, Question

CLAIM_QUESTION = Question(
    "4.a",
    "Weights that were learned on phantoms reach an AUROC of 0.99 on other phantoms. What has been shown?",
    (
        Option(
            "That they will find pneumonia on real radiographs",
            "No real radiograph took part. The same simulator drew what was learned and what was asked.",
        ),
        Option(
            "That the network learned how this simulator draws disease",
            "That is all it says: other simulated people, the same simulator. For patients, measure on patients.",
            right=True,
        ),
        Option(
            "Nothing, since the network had seen these images before",
            "It had not: the people are others. The images come from the same source, which is a weaker fault.",
        ),
    ),
)

FROZEN_QUESTION = Question(
    "4.b",
    "All parameters but the head's are frozen. After an epoch the features of the same image are others. Why?",
    (
        Option(
            "The optimizer changed the frozen weights a little",
            "Without a gradient the optimizer leaves a parameter as it is, to the last bit.",
        ),
        Option(
            "Batch norm was in training mode and moved its running mean and variance",
            "They are no parameters, so freezing does not hold them. eval() for the frozen batch norms does.",
            right=True,
        ),
        Option(
            "The new head changed what the layers below it give",
            "Features are computed before the head. What the head makes of them does not reach back.",
        ),
    ),
)

COST_QUESTION = Question(
    "4.c",
    "On your patients a probe has AUROC 0.91 (0.85 to 0.96), fine-tuning 0.93 (0.88 to 0.97) and takes 40 times as "
    "long. What do you report?",
    (
        Option(
            "Fine-tuning is better",
            "Perhaps, but two separate intervals do not show it: that takes the interval of the difference.",
        ),
        Option(
            "Both, with intervals and times, and that the two intervals alone do not say which is better",
            "A reader can then choose. To compare the two, ask for the interval of their difference (lesson 05).",
            right=True,
        ),
        Option(
            "The probe, since it is faster",
            "It may be the right choice, but a report that hides the other number leaves the reader none.",
        ),
    ),
)

QUESTIONS = (CLAIM_QUESTION, FROZEN_QUESTION, COST_QUESTION)
