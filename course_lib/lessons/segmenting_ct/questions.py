"""The questions on photons and noise, a network that finds nothing, and which metric answers whose question."""

from course_lib.exercises.questions import Option, Question

NOISE_QUESTION = Question(
    "11.a",
    "A scan is repeated with a quarter of the photons, and all else stays as it was. What happens to the noise, which "
    "is the standard deviation of a voxel in Hounsfield units?",
    (
        Option(
            "It becomes four times as large",
            "The dose is a quarter, but a count of N photons varies by √N, not by N. A quarter of the photons vary by "
            "half as much, and that is twice as much in relation to how many they are.",
        ),
        Option(
            "It becomes twice as large",
            "A count of N photons varies by √N, which is 1/√N of it. With N / 4 that is twice as much. The logarithm "
            "turns it into an error of the line integral, and back-projection adds up these errors as before. So half "
            "the noise costs four times the dose.",
            right=True,
        ),
        Option(
            "It becomes 1.4 times as large, √2",
            "That would be so with half of the photons. The noise goes with one over the square root of their number, "
            "and √4 is 2.",
        ),
        Option(
            "It hardly changes, since a voxel is made of rays from all angles",
            "Many rays do make the noise of a voxel smaller, but before as well as now, and by the same factor. Each "
            "of them is noisier than it was.",
        ),
    ),
)

USELESS_QUESTION = Question(
    "11.b",
    "In some slices, 0.2 % of the voxels belong to a nodule. A network has seen no nodule yet, and gives each voxel "
    "the same probability, 0.002. So it calls every voxel background. Which number tells that it is useless?",
    (
        Option(
            "Its accuracy, 99.8 %",
            "That is the part of the background, which everybody reaches who marks nothing at all. A network that "
            "finds half of the nodules' voxels reaches 99.9 %.",
        ),
        Option(
            "Its cross-entropy, 0.014",
            "It looks small. It is the smallest that the same probability for all voxels can reach, but the number "
            "does not say so: you would have to know what a good network has on the same slices.",
        ),
        Option(
            "Its specificity, 100 %",
            "It is at its best here: who marks nothing gives no false alarm. The background says nothing about what "
            "was missed.",
        ),
        Option(
            "Its Dice, 0",
            "Dice looks at what is marked and at what should be, and leaves out the background that both agree on. No "
            "voxel is in both here, so it can not be worse. That is why it is a metric for small structures, and part "
            "of the loss.",
            right=True,
        ),
    ),
)

METRIC_QUESTION = Question(
    "11.c",
    "Two people ask about the same outlines of nodules. A planner of radiotherapy wants to know how much of an outline "
    "is to be redrawn by hand. A screening programme wants to know whether nodules are missed. Which numbers answer "
    "them?",
    (
        Option(
            "The mean Dice, for both",
            "It is the usual number, but it answers neither. One mm too much all around leaves a Dice of 0.95 to a "
            "tumour of 60 mm and of 0.73 to one of 10 mm, though both outlines are off by the same. And where all "
            "voxels are counted together, a small nodule that is missed hardly shows.",
        ),
        Option(
            "The surface Dice for the planner, the sensitivity per nodule with its false alarms for the programme",
            "The surface Dice is the part of both outlines that lies within a tolerance of the other one (Nikolov et "
            "al., 2021), so the rest is what may have to be redrawn. A programme counts nodules, each alike, and the "
            "false alarms that it has for that. First the question, then the metric, say Maier-Hein et al. and Reinke "
            "et al. (2024).",
            right=True,
        ),
        Option(
            "The distance HD95 for the planner, the accuracy of the voxels for the programme",
            "HD95 says how far off the worst places are, but not how much of the outline is off. And the accuracy is "
            "above 99 % for a network that marks nothing.",
        ),
        Option(
            "The volume in ml for the planner, the Dice of each nodule for the programme",
            "An outline may have the right volume and lie beside the tumour. The Dice of each nodule is nearer: 0 is "
            "a missed one. But the mean of it mixes what is missed with what is outlined badly, and false alarms "
            "belong to no nodule.",
        ),
    ),
)

QUESTIONS = (NOISE_QUESTION, USELESS_QUESTION, METRIC_QUESTION)
