"""The questions on a map's resolution, random weights, proof, and what a doctor may take from it."""

from course_lib.exercises.questions import Option, Question

RESOLUTION_QUESTION = Question(
    "6.a",
    "A Grad-CAM map comes from a layer of 4 x 4. Enlarged to 64 x 64 it has soft, round borders. What do they show?",
    (
        Option("The borders of the disease", "The layer knows 16 places. Between them, the enlargement fills in."),
        Option(
            "Nothing: they come from enlarging 16 numbers",
            "A map can not be finer than its layer. Look at it once without the enlargement.",
            right=True,
        ),
        Option(
            "How sure the network is of each pixel",
            "The network has no opinion on a pixel. It has one number for each of 16 places, and those overlap.",
        ),
    ),
)

SANITY_QUESTION = Question(
    "6.b",
    "You give a network random weights again, and its map stays the same. What do you conclude?",
    (
        Option(
            "The network was robust", "It has lost all that it had learned. Whatever the map shows, it is not that."
        ),
        Option(
            "The map shows the image rather than what was learned",
            "A map that does not need the training can not explain it. Edges look convincing either way.",
            right=True,
        ),
        Option("The random weights were lucky", "Try another seed, by all means. With several seeds, luck is out."),
    ),
)

PROOF_QUESTION = Question(
    "6.c",
    "A map is brightest on the side marker. Which step shows that the network uses it?",
    (
        Option(
            "A second kind of map, which is brightest there too",
            "Two maps can share a mistake. That is agreement, no test.",
        ),
        Option(
            "Cover the marker, and as a control another place; compare how the scores change",
            "An intervention changes one thing and looks at the answer. The control tells what any patch would do.",
            right=True,
        ),
        Option(
            "A doctor who says that markers are irrelevant",
            "True, and it says nothing about what this network does.",
        ),
    ),
)

DOCTOR_QUESTION = Question(
    "6.d",
    "The network says PNEUMONIA, and the map lies on the right lower lobe. What may a doctor take from it?",
    (
        Option(
            "The right lower lobe is diseased",
            "The map says where the network's answer came from. The answer itself may be wrong.",
        ),
        Option(
            "The answer depended on that region; look there, and everywhere else too",
            "That is all. It is a reason to look, and no finding.",
            right=True,
        ),
        Option(
            "The left lung is healthy",
            "A map that is dark over the left lung says that the answer did not come from there. Nothing more.",
        ),
    ),
)

QUESTIONS = (RESOLUTION_QUESTION, SANITY_QUESTION, PROOF_QUESTION, DOCTOR_QUESTION)
