"""The questions on receptive fields, the first loss, and learning curves."""

from course_lib.exercises.questions import Option, Question

FIELD_QUESTION = Question(
    "3.a",
    "An opacity is 20 pixels wide. One pixel after the last convolution sees 10 x 10 pixels. What can it not tell?",
    (
        Option(
            "Whether the opacity is there at all",
            "Brightness and texture inside the opacity fit into 10 x 10 pixels, and they may be enough.",
        ),
        Option(
            "Where both edges of the opacity are",
            "No single pixel there sees both edges. A later layer, or pooling, must put them together.",
            right=True,
        ),
        Option(
            "Which class is more frequent",
            "A convolution is not needed for that: the bias of the last layer learns it.",
        ),
    ),
)

LN2_QUESTION = Question(
    "3.b",
    "Two classes, a fresh network, and a first loss of 2.9. What do you do?",
    (
        Option("Train: it will fall", "It may fall, but a bug stays. Guessing costs ln 2 = 0.69: ask first why not."),
        Option(
            "Look at the last layer and at the scale of the images",
            "Guessing costs ln 2 = 0.69. With 2.9 the network is sure, and wrong: huge logits, often from images in "
            "0 to 255 or large first weights.",
            right=True,
        ),
        Option(
            "Nothing: the loss of two classes is near 2.9",
            "It is -ln(1/2) = ln 2 = 0.69. A loss of 2.9 would be guessing among 18 classes.",
        ),
    ),
)

CURVES_QUESTION = Question(
    "3.c",
    "The training loss falls and falls. The validation loss falls for 6 epochs, then rises. Which weights do you keep?",
    (
        Option("Those of the last epoch", "Its training loss is lowest, but it begins to learn the images by heart."),
        Option(
            "Those of epoch 6",
            "New patients decide. From there on the network learns what holds for the training images only.",
            right=True,
        ),
        Option(
            "Those of the epoch that is best on the test images",
            "Then the test images took part in the choice, and their score is no longer honest.",
        ),
    ),
)

QUESTIONS = (FIELD_QUESTION, LN2_QUESTION, CURVES_QUESTION)
