"""The questions on attenuation, bit depth, and augmentations that lie."""

from course_lib.exercises.questions import Option, Question

BONE_QUESTION = Question(
    "1.a",
    "A lobe of the lung fills with pus. The detector counts the photons behind it. What happens to these counts?",
    (
        Option(
            "They fall",
            "Pus stops more rays than air, so fewer photons arrive. The film turns that round and shows it lighter.",
            right=True,
        ),
        Option(
            "They rise, since the film gets lighter there",
            "The film does get lighter, but it is a negative: light means that few photons arrived.",
        ),
        Option(
            "They stay: pus is soft tissue",
            "It attenuates like soft tissue, but what it displaces is air, which hardly attenuates at all.",
        ),
    ),
)

DIVIDE_QUESTION = Question(
    "1.b",
    "A program divides every image by 255. One day it gets a DICOM file with values from 0 to 4095. What does the "
    "network see?",
    (
        Option("The same picture, only sharper", "More bits are finer steps, not sharper edges, and the scale is off."),
        Option(
            "Numbers up to 16, of which it has never seen any above 1",
            "4095 / 255 is 16. No error is raised; the answers are just wrong. Know your file's bits and its window.",
            right=True,
        ),
        Option("An error", "Division works for all numbers. That is why this mistake stays unseen for long."),
    ),
)

LIE_QUESTION = Question(
    "1.c",
    "Which of these changes may be shown to a network that learns to find pneumonia in children?",
    (
        Option(
            "Turned by 5 degrees, a little darker",
            "Children do not lie straight, and exposures differ. Such a picture could have been taken.",
            right=True,
        ),
        Option(
            "Left and right exchanged",
            "The heart would be on the wrong side. About one person in ten thousand is built so, not every second one.",
        ),
        Option(
            "Shifted by half the picture, so that one lung is outside",
            "If the diseased lung is outside, the label PNEUMONIA is no longer true of what is shown.",
        ),
        Option(
            "So bright that the lungs are white",
            "Then air looks like fluid. The change has put in what the label says is not there.",
        ),
    ),
)

QUESTIONS = (BONE_QUESTION, DIVIDE_QUESTION, LIE_QUESTION)
