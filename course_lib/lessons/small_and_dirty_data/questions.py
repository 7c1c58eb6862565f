"""The questions on flat curves, labels learned by heart, cleaning a test, and sureness elsewhere."""

from course_lib.exercises.questions import Option, Question

FLAT_QUESTION = Question(
    "7.a",
    "From 100 to 200 patients of one hospital, the validation AUROC goes from 0.90 to 0.91. What now?",
    (
        Option("Collect 2,000 patients there", "The curve is flat already: ten times as many would buy little."),
        Option(
            "Look at what it gets wrong, before paying for more of the same",
            "A flat curve says that more of the same helps little. Other children, better labels, larger images or "
            "another network may.",
            right=True,
        ),
        Option("Stop: 0.91 is all there is in the images", "It is what this network makes of them at this size."),
    ),
)

SEEN_QUESTION = Question(
    "7.b",
    "Why must the loss of an image come from a model that has not trained on its patient?",
    (
        Option("Because it is faster", "It is slower: several models are trained instead of one."),
        Option(
            "Because a model can learn a wrong label by heart",
            "Then its loss is small, and the wrong label looks as right as any other.",
            right=True,
        ),
        Option(
            "Because the loss is not defined on training images",
            "It is defined there. It just does not tell much about the label.",
        ),
    ),
)

TEST_QUESTION = Question(
    "7.c",
    "Your model doubts 20 labels of the test. You drop these images and measure again. What have you measured?",
    (
        Option("The model on clean labels", "Some of the 20 are right labels that the model gets wrong."),
        Option(
            "The model on images on which it agrees with the labels",
            "Of course it does better there. Doubted test labels go to a reader who does not know what the model said.",
            right=True,
        ),
        Option("Nothing has changed", "The score rises, and the model is the same."),
    ),
)

UNSURE_QUESTION = Question(
    "7.d",
    "At its own hospital, a network abstains on 20 % of the images and is right on 98 % of the rest. Now it moves.",
    (
        Option("It will notice by itself, and abstain more often", "It may. It may also be sure and wrong."),
        Option(
            "The 98 % holds, since the unsure ones are left out", "It was measured on children of its own hospital."
        ),
        Option(
            "Both numbers have to be measured there",
            "How sure a network is says how much an image is like what it has learned to tell apart; a new scanner was "
            "not part of that.",
            right=True,
        ),
    ),
)

QUESTIONS = (FLAT_QUESTION, SEEN_QUESTION, TEST_QUESTION, UNSURE_QUESTION)
