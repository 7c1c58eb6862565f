"""The questions on contrast agent, labels by coin, planes as a shortcut, and a figure that is too good."""

from course_lib.exercises.questions import Option, Question

AGENT_QUESTION = Question(
    "10.a",
    "Some minutes after contrast agent was given, the tumour is bright in the T1 image. Why?",
    (
        Option(
            "The agent in the tumour gives a signal of its own",
            "The signal comes from the protons of water, before and after. The agent changes how fast they relax.",
        ),
        Option(
            "The agent makes T1 shorter, so more has recovered when the next pulse comes",
            "TR is short, so most tissues have recovered only in part. Where T1 is shorter it is more, and that is "
            "bright. In healthy brain hardly any agent leaves the vessels.",
            right=True,
        ),
        Option(
            "The agent makes T2 longer, so the signal lasts until the echo",
            "It makes T2 shorter as well, which takes a little signal away. With a short TE that hardly shows.",
        ),
        Option(
            "The tumour holds more water than before",
            "In some minutes its water hardly changes, so proton density can not be the reason.",
        ),
    ),
)

COIN_QUESTION = Question(
    "10.b",
    "For each patient a coin is tossed, heads or tails. All slices of a patient get that label. Then the slices are "
    "split at random into training and test, and a network learns to say heads or tails. Which accuracy do you expect "
    "on the test slices?",
    (
        Option(
            "About 0.5, because nothing in an image tells how the coin fell",
            "That is what a test on new patients gives. But here nearly every test slice has neighbours in training, "
            "from the same head and with the same label.",
        ),
        Option(
            "A little above 0.5, because a few patients are easy",
            "No patient is easier than another, since the coin knows nothing of them. What helps the network is the "
            "same for all: their other slices.",
        ),
        Option(
            "Far above 0.5, because it can know the patient again",
            "A head looks like itself. Whoever knows whose slice it is, also knows the label from training, and needs "
            "to learn nothing about tumours. Yagis et al. (2021) measured about 96 % in this way, and 50 % on new "
            "patients.",
            right=True,
        ),
    ),
)

PLANE_QUESTION = Question(
    "10.c",
    "In a data set, pituitary tumours are mostly shown in sagittal and coronal slices, gliomas mostly in axial ones. A "
    "network has an accuracy of 0.9 on slices of new patients. Which experiment tells whether it uses the plane?",
    (
        Option(
            "Draw heat maps, and see whether they lie on the tumour",
            "The plane shows everywhere in the picture, the tumour too. A map that lies on it does not say what was "
            "read there.",
        ),
        Option(
            "Count the accuracy in each plane by itself",
            "Where most sagittal slices are of pituitary tumours, a network that reads nothing but the plane is mostly "
            "right in that plane as well.",
        ),
        Option(
            "Show it the same tumours in all three planes alike",
            "Then the tumour stays and only the plane changes. If the answer changes with it, the plane was used. "
            "Where nobody has scanned all planes, a test with equally many of each class in each plane comes near.",
            right=True,
        ),
        Option(
            "Repeat the test on more patients of the same hospital",
            "They are shown in the same planes for the same reasons, so the shortcut works there too. Only the "
            "interval becomes narrower.",
        ),
    ),
)

PAPER_QUESTION = Question(
    "10.d",
    "A paper reports an accuracy of 99 % on the 7,023 brain MRI images that are most used on Kaggle, split as they are "
    "served there. What do you ask first?",
    (
        Option(
            "Which test images have a copy, a mirror image or a slice of the same patient in training",
            "An audit of this set, as it was served in 2025, found a copy in training for 979 of the 1,311 test "
            "images, as they are or mirrored. Of the patients it says nothing. Until that is answered, the 99 % may be "
            "memory.",
            right=True,
        ),
        Option(
            "Which network it is, and whether it was trained on ImageNet first",
            "That matters once the test is a test. On images that are known from training, any network that can learn "
            "them by heart comes near 100 %.",
        ),
        Option(
            "How wide the interval is",
            "With 1,311 images it is narrow, about 98.3 to 99.4 %. It says how much chance there is in these images, "
            "and nothing about whether they are new.",
        ),
        Option(
            "What the sensitivity of each class is",
            "A good second question. But where the test images are known, each of the sensitivities is too good, just "
            "as the accuracy is.",
        ),
    ),
)

QUESTIONS = (AGENT_QUESTION, COIN_QUESTION, PLANE_QUESTION, PAPER_QUESTION)
