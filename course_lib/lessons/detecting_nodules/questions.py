"""The questions on films without boxes, on COCO's precision of small boxes, and on two works with two rules."""

from course_lib.exercises.questions import Option, Question

HEALTHY_QUESTION = Question(
    "12.a",
    "A team leaves out all films without a box, since there is nothing to be found on them: it trains on the others, "
    "and counts false alarms per film on the others. The detector shall work in screening. What is wrong with that?",
    (
        Option(
            "Little, because the rest of each film is healthy as well",
            "A film with a nodule does show what healthy lung looks like. But people who are sent for a film because "
            "they are ill look different from those who are screened, and the network has seen none of these.",
        ),
        Option(
            "Only the training: the number of false alarms is the same on any film",
            "It is not. A film with an effusion or a mass gives other occasions for an alarm than a healthy one, so "
            "the number goes up or down with the mix of films. That is why the mix belongs beside it.",
        ),
        Option(
            "Only the counting: where no box is, a network has nothing to learn",
            "It learns there what looks like a nodule and is none. In a heat map, each cell that says something on "
            "such a film costs something; only sizes and places of boxes can not be learned from it.",
        ),
        Option(
            "Both: it has not learned what is no nodule on such films, and its alarms on them were not counted",
            "In screening nearly all films have no nodule. So nearly all false alarms come from films of a kind that "
            "was neither trained on nor counted. The number per film that was measured holds for ill people alone.",
            right=True,
        ),
        Option(
            "The sensitivity, which becomes too high",
            "The sensitivity counts true boxes, and a film without any has none to count. At the same threshold it "
            "stays what it is.",
        ),
    ),
)

COCO_QUESTION = Question(
    "12.b",
    "A detector finds every nodule, and has no false alarm. Its boxes have the right size, 15 px, but each lies 4 px "
    "too far right. COCO's average precision (AP) is 0.2 of 1. Why so low?",
    (
        Option(
            "AP counts the false alarms on healthy films too, and there are many of these films",
            "There is no false alarm here. And AP does not ask how many films were healthy: it divides by the found "
            "boxes and by the true ones, never by films.",
        ),
        Option(
            "AP is the mean over ten limits of the IoU from 0.5 to 0.95, and these boxes have an IoU of 0.58",
            "They pass at 0.5 and 0.55, and at the other eight all of them are misses and false alarms at once. A mass "
            "of 60 px that lies 4 px aside has 0.875 and passes at eight limits. A doctor who is shown either box "
            "looks at the right place. So ask whether the centre lies in the nodule, and count alarms per film.",
            right=True,
        ),
        Option(
            "4 px are too much: the boxes no longer touch the nodules",
            "They cover 11 of 15 px of each nodule's width, and all of its height. The centre of each box lies well "
            "inside the nodule.",
        ),
        Option(
            "A precision of small boxes is always low, because there are so many places where they may lie",
            "Found at the right place, a small box counts as much as a large one, and the AP is 1. The number of "
            "places makes them hard to find, but here all are found.",
        ),
    ),
)

RULES_QUESTION = Question(
    "12.c",
    "Two works look for nodules in films of the same hospital. One counts a hit where a tenth of the found box lies in "
    "the true one (IoBB 0.1), and finds 75 % at one false alarm per film. The other asks for the centre of the found "
    "box to lie in the true one, and finds 60 %. What can you say?",
    (
        Option(
            "The first detector is better, because the false alarms are equal",
            "They are equal only in name. What is a hit by one rule may be a false alarm by the other, so the rule "
            "changes both numbers.",
        ),
        Option(
            "The second may be as good, because its rule is the stricter one for each box",
            "For most boxes it is, but not for each. A large box around a small nodule has its centre inside, and less "
            "than a tenth of the box lies in the nodule. And even so you would not know what the difference is worth.",
        ),
        Option(
            "Each number can be compared within its own work, but not with the other one",
            "In one work, two detectors judged by one rule on the same films can be compared, by the difference. "
            "Across the works, somebody must judge the boxes of both anew, by one rule, on the same films, with the "
            "same healthy ones among them. Until then, 75 and 60 answer two questions.",
            right=True,
        ),
        Option(
            "After dividing by the part that a box at a random place would reach by each rule, they can be compared",
            "It says how lenient a rule is to chance, but a detector does not guess. How much it gains from a lenient "
            "rule depends on how its own boxes lie, so they have to be judged anew.",
        ),
    ),
)

QUESTIONS = (HEALTHY_QUESTION, COCO_QUESTION, RULES_QUESTION)
