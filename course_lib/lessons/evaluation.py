"""The exercises and questions of notebook 05, Evaluation: counts, chances, costs, and draws of patients."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Lesson, Mistake
from course_lib.exercises.questions import Option, Question

# 5.1 --- the four counts


def four_counts(labels: list[int], scores: list[float], threshold: float) -> list[list[int]]:
    """The confusion matrix, rows true and columns called: [[spared, alarmed], [missed, found]]."""
    counts = [[0, 0], [0, 0]]
    for label, score in zip(labels, scores, strict=True):
        called = 1 if score >= threshold else 0
        counts[label][called] += 1
    return counts


def _draw_scores(rng: np.random.Generator) -> Inputs:
    threshold = round(float(rng.uniform(0.3, 0.7)), 1)
    sick = [threshold, 0.9, 0.8, 0.1, *np.round(rng.random(2), 1).tolist()]
    healthy = [0.2, 0.1, 0.2, 0.1, 0.9, *np.round(rng.random(2), 1).tolist()]
    places = rng.permutation(13)
    labels, scores = [1] * 6 + [0] * 7, sick + healthy
    return [labels[i] for i in places], [scores[i] for i in places], threshold


def _tie_is_healthy(labels: list[int], scores: list[float], threshold: float) -> list[list[int]]:
    return four_counts(labels, [score if score != threshold else 0.0 for score in scores], threshold)


def _transposed(labels: list[int], scores: list[float], threshold: float) -> list[list[int]]:
    (spared, alarmed), (missed, found) = four_counts(labels, scores, threshold)
    return [[spared, missed], [alarmed, found]]


def _sick_first(labels: list[int], scores: list[float], threshold: float) -> list[list[int]]:
    (spared, alarmed), (missed, found) = four_counts(labels, scores, threshold)
    return [[found, missed], [alarmed, spared]]


def _columns_swapped(labels: list[int], scores: list[float], threshold: float) -> list[list[int]]:
    return [row[::-1] for row in four_counts(labels, scores, threshold)]


def _as_shares(labels: list[int], scores: list[float], threshold: float) -> list[list[float]]:
    return [[count / len(labels) for count in row] for row in four_counts(labels, scores, threshold)]


def _always_a_half(labels: list[int], scores: list[float], _threshold: float) -> list[list[int]]:
    return four_counts(labels, scores, 0.5)


def _one_row(labels: list[int], scores: list[float], threshold: float) -> list[int]:
    healthy, sick = four_counts(labels, scores, threshold)
    return healthy + sick


FOUR_COUNTS = Exercise(
    "5.1",
    "The four counts",
    four_counts,
    hints=(
        "Each image adds one to exactly one of the four places.",
        "The row is the label. The column is the call: 1 if the score reaches the threshold, else 0.",
        "Begin with counts = [[0, 0], [0, 0]], and go through zip(labels, scores).",
        "counts[label][1 if score >= threshold else 0] += 1",
    ),
    mistakes=(
        Mistake(_tie_is_healthy, "A score equal to the threshold counts as sick: from the threshold on, >= and not >."),
        Mistake(_transposed, "Rows and columns are exchanged: the row is the truth, the column the call."),
        Mistake(_sick_first, "The sick come first in yours. Healthy is 0, so it has the first row and column."),
        Mistake(_columns_swapped, "The columns are exchanged: the first is for the images called healthy."),
        Mistake(_as_shares, "These are shares of all images. Give the counts."),
        Mistake(_always_a_half, "You compare with 0.5. The threshold comes in as the third argument."),
        Mistake(_one_row, "Right counts, in one row. Give two rows: the healthy first, then the sick."),
    ),
    draw=_draw_scores,
)

# 5.2 --- four questions to four counts


def four_shares(spared: int, alarmed: int, missed: int, found: int) -> dict[str, float]:
    """What part of the sick, of the healthy, of the alarms and of the all-clears is right."""
    return {
        "sensitivity": found / (found + missed),
        "specificity": spared / (spared + alarmed),
        "PPV": found / (found + alarmed),
        "NPV": spared / (spared + missed),
    }


def _draw_counts(rng: np.random.Generator) -> Inputs:
    alarmed, missed, found, spared = np.cumsum(rng.integers(3, 30, 4)).tolist()
    return spared, alarmed, missed, found


def _rows_for_columns(spared: int, alarmed: int, missed: int, found: int) -> dict[str, float]:
    right = four_shares(spared, alarmed, missed, found)
    return dict(zip(right, [right[name] for name in ("PPV", "NPV", "sensitivity", "specificity")], strict=True))


def _wrong_all_clears(spared: int, alarmed: int, missed: int, found: int) -> dict[str, float]:
    return {**four_shares(spared, alarmed, missed, found), "NPV": missed / (spared + missed)}


def _false_alarm_rate(spared: int, alarmed: int, missed: int, found: int) -> dict[str, float]:
    return {**four_shares(spared, alarmed, missed, found), "specificity": alarmed / (spared + alarmed)}


def _of_everyone(spared: int, alarmed: int, missed: int, found: int) -> dict[str, float]:
    everyone = spared + alarmed + missed + found
    values = (found / everyone, spared / everyone, found / everyone, spared / everyone)
    return dict(zip(("sensitivity", "specificity", "PPV", "NPV"), values, strict=True))


def _in_percent(spared: int, alarmed: int, missed: int, found: int) -> dict[str, float]:
    return {name: 100 * share for name, share in four_shares(spared, alarmed, missed, found).items()}


FOUR_SHARES = Exercise(
    "5.2",
    "Four questions to four counts",
    four_shares,
    hints=(
        "All four are a part of a group. Ask each time: a part of whom?",
        "Sensitivity is a part of the sick, who are found + missed. Specificity is a part of the healthy.",
        "PPV is a part of the alarms: found + alarmed. NPV is a part of the all-clears: spared + missed.",
        'return {"sensitivity": found / (found + missed), "specificity": …, "PPV": found / (found + alarmed), …}',
    ),
    mistakes=(
        Mistake(_rows_for_columns, "You divided by the calls where the truth was asked for, and the other way round."),
        Mistake(_wrong_all_clears, "That is the part of the all-clears that is wrong. NPV is the part that is right."),
        Mistake(_false_alarm_rate, "That is the part of the healthy who are alarmed. Specificity is the others."),
        Mistake(_of_everyone, "You divided by everyone. Each share has a group of its own."),
        Mistake(_in_percent, "The values are right, in percent. Return them from 0 to 1."),
    ),
    draw=_draw_counts,
)

# 5.3 --- what an alarm is worth


def value_of_an_alarm(sensitivity: float, specificity: float, prevalence: float) -> float:
    """The positive predictive value where this part of the children is sick."""
    found = prevalence * sensitivity
    alarmed = (1 - prevalence) * (1 - specificity)
    return found / (found + alarmed)


def _draw_shares(rng: np.random.Generator) -> Inputs:
    sensitivity, specificity = rng.choice([0.7, 0.75, 0.8, 0.85, 0.9, 0.95], 2, replace=False)
    return float(sensitivity), float(specificity), float(rng.choice([0.01, 0.02, 0.05, 0.1, 0.2]))


def _without_prevalence(sensitivity: float, specificity: float, _prevalence: float) -> float:
    return sensitivity / (sensitivity + 1 - specificity)


def _alarms_are_right(sensitivity: float, specificity: float, prevalence: float) -> float:
    found = prevalence * sensitivity
    return found / (found + (1 - prevalence) * specificity)


def _all_healthy_and_sick(sensitivity: float, specificity: float, prevalence: float) -> float:
    return prevalence * sensitivity / (prevalence * sensitivity + 1 - specificity)


def _found_of_everyone(sensitivity: float, _specificity: float, prevalence: float) -> float:
    return prevalence * sensitivity


def _value_of_an_all_clear(sensitivity: float, specificity: float, prevalence: float) -> float:
    spared, missed = (1 - prevalence) * specificity, prevalence * (1 - sensitivity)
    return spared / (spared + missed)


VALUE_OF_AN_ALARM = Exercise(
    "5.3",
    "What an alarm is worth",
    value_of_an_alarm,
    hints=(
        "Think of 1,000 children. How many are sick, and how many of those raise an alarm?",
        "How many are healthy, and which part of them raises an alarm? It is 1 - specificity.",
        "The value of an alarm is found / (found + alarmed). The 1,000 cancels out, so a share of 1 child will do.",
        "found = prevalence * sensitivity; alarmed = (1 - prevalence) * (1 - specificity)",
    ),
    mistakes=(
        Mistake(_without_prevalence, "The prevalence is missing: that holds only where half of the children are sick."),
        Mistake(_alarms_are_right, "The healthy who raise an alarm are 1 - specificity; specificity are the others."),
        Mistake(_all_healthy_and_sick, "False alarms come from the healthy only, and they are 1 - prevalence."),
        Mistake(_found_of_everyone, "That is the part of all children who are found. Divide by all alarms."),
        Mistake(_value_of_an_all_clear, "That is the NPV, the value of an all-clear. An alarm was asked for."),
    ),
    draw=_draw_shares,
)

# 5.4 --- AUROC by pairs


def share_of_pairs(sick: list[float], healthy: list[float]) -> float:
    """How often a sick image scores above a healthy one, over all pairs; a tie counts one half."""
    won = 0.0
    for s in sick:
        for h in healthy:
            if s > h:
                won += 1
            elif s == h:
                won += 0.5
    return won / (len(sick) * len(healthy))


def _draw_two_groups(rng: np.random.Generator) -> Inputs:
    sick = [0.5, 0.9, 0.7, *np.round(rng.uniform(0.3, 1, int(rng.integers(1, 3))), 1).tolist()]
    healthy = [0.5, 0.1, 0.6, 0.2, *np.round(rng.uniform(0, 0.7, int(rng.integers(1, 3))), 1).tolist()]
    return rng.permutation(sick).tolist(), rng.permutation(healthy).tolist()


def _tie_is_lost(sick: list[float], healthy: list[float]) -> float:
    return float(np.mean([s > h for s in sick for h in healthy]))


def _tie_is_won(sick: list[float], healthy: list[float]) -> float:
    return float(np.mean([s >= h for s in sick for h in healthy]))


def _healthy_win(sick: list[float], healthy: list[float]) -> float:
    return 1 - share_of_pairs(sick, healthy)


def _pairs_in_order(sick: list[float], healthy: list[float]) -> float:
    return float(np.mean([s > h for s, h in zip(sick, healthy, strict=False)]))


def _not_divided(sick: list[float], healthy: list[float]) -> float:
    return share_of_pairs(sick, healthy) * len(sick) * len(healthy)


def _divided_by_images(sick: list[float], healthy: list[float]) -> float:
    return _not_divided(sick, healthy) / (len(sick) + len(healthy))


SHARE_OF_PAIRS = Exercise(
    "5.4",
    "AUROC by pairs",
    share_of_pairs,
    hints=(
        "Each sick image meets each healthy one. How many meetings are there?",
        "Two loops, one inside the other. A meeting that the sick image wins counts 1.",
        "A tie counts one half. At the end divide by len(sick) * len(healthy).",
        "won += 1 if s > h else 0.5 if s == h else 0",
    ),
    mistakes=(
        Mistake(_tie_is_lost, "A tie counts one half; yours counts nothing."),
        Mistake(_tie_is_won, "A tie counts one half; yours counts as won."),
        Mistake(_healthy_win, "You counted how often the healthy image scores higher."),
        Mistake(
            _pairs_in_order, "You compared the first with the first, and so on. Every sick one meets every healthy."
        ),
        Mistake(
            _divided_by_images, "You divided by the number of images. Pairs are more: each sick meets each healthy."
        ),
        Mistake(_not_divided, "That is the number of pairs that are won. Divide by the number of all pairs."),
    ),
    draw=_draw_two_groups,
)

# 5.5 --- F1


def f1_score(precision: float, sensitivity: float) -> float:
    """The harmonic mean: near the smaller of the two."""
    return 2 * precision * sensitivity / (precision + sensitivity)


def _draw_two_shares(rng: np.random.Generator) -> Inputs:
    first, second = rng.choice(np.arange(1, 20), 2, replace=False) / 20
    return float(first), float(second)


def _arithmetic(precision: float, sensitivity: float) -> float:
    return (precision + sensitivity) / 2


def _geometric(precision: float, sensitivity: float) -> float:
    return float(np.sqrt(precision * sensitivity))


def _no_two(precision: float, sensitivity: float) -> float:
    return precision * sensitivity / (precision + sensitivity)


def _smaller(precision: float, sensitivity: float) -> float:
    return min(precision, sensitivity)


F1_SCORE = Exercise(
    "5.5",
    "F1",
    f1_score,
    hints=(
        "The harmonic mean of two numbers: one divided by the mean of one divided by each.",
        "1 / ((1 / precision + 1 / sensitivity) / 2). It can be written shorter.",
        "return 2 * precision * sensitivity / (precision + sensitivity)",
    ),
    mistakes=(
        Mistake(_arithmetic, "That is the arithmetic mean. It forgives a precision of 0.05 if all the sick are found."),
        Mistake(_geometric, "That is the geometric mean; the harmonic mean lies lower."),
        Mistake(_no_two, "That is half of it. Two equal numbers have themselves as their mean."),
        Mistake(_smaller, "F1 lies near the smaller one, and a little above it."),
    ),
    draw=_draw_two_shares,
)

# 5.6 --- the Brier score


def brier(labels: list[int], scores: list[float]) -> float:
    """The mean squared distance from score to label."""
    return sum((score - label) ** 2 for label, score in zip(labels, scores, strict=True)) / len(labels)


def _draw_labels_and_scores(rng: np.random.Generator) -> Inputs:
    labels = [0, 1, 1, *rng.integers(0, 2, 3).tolist()]
    return labels, np.round(rng.uniform(0.05, 0.95, 6), 2).tolist()


def _absolute(labels: list[int], scores: list[float]) -> float:
    return float(np.mean(np.abs(np.array(scores) - labels)))


def _root(labels: list[int], scores: list[float]) -> float:
    return float(np.sqrt(brier(labels, scores)))


def _summed(labels: list[int], scores: list[float]) -> float:
    return brier(labels, scores) * len(labels)


def _entropy(labels: list[int], scores: list[float]) -> float:
    of_the_truth = [score if label else 1 - score for label, score in zip(labels, scores, strict=True)]
    return float(-np.mean(np.log(of_the_truth)))


def _share_wrong(labels: list[int], scores: list[float]) -> float:
    return float(np.mean([(score >= 0.5) != label for label, score in zip(labels, scores, strict=True)]))


def _of_the_other_class(labels: list[int], scores: list[float]) -> float:
    return brier(labels, [1 - score for score in scores])


BRIER = Exercise(
    "5.6",
    "The Brier score",
    brier,
    hints=(
        "A sick child has the label 1. How far is the score 0.7 from it?",
        "Square each distance, score - label, and take the mean.",
        "sum((score - label) ** 2 for label, score in zip(labels, scores)) / len(labels)",
    ),
    mistakes=(
        Mistake(_absolute, "Square the distances. With plain ones it pays to say 0 or 1 and never anything between."),
        Mistake(_root, "No root at the end: the Brier score stays squared."),
        Mistake(_summed, "That is the sum. The mean does not grow with the number of images."),
        Mistake(_entropy, "That is the cross-entropy. It judges the same, but punishes a sure mistake without limit."),
        Mistake(
            _of_the_other_class, "Yours is 0 for who is always wrong. The distance is from the score to the label."
        ),
        Mistake(_share_wrong, "That is the part of wrong calls at 0.5. Here no threshold is needed."),
    ),
    draw=_draw_labels_and_scores,
)

# 5.7 --- temperature


def soften(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities [images, classes], from logits that are divided by the temperature first."""
    powers = np.exp(logits / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def _draw_logits(rng: np.random.Generator) -> Inputs:
    logits = np.round(rng.normal(0, 2, (3, 2)), 1)
    return logits + np.array([0.3, 1.0]), float(rng.choice([0.5, 1.5, 2.0, 3.0]))


def _hardened(logits: np.ndarray, temperature: float) -> np.ndarray:
    return soften(logits, 1 / temperature)


def _ignores_the_temperature(logits: np.ndarray, _temperature: float) -> np.ndarray:
    return soften(logits, 1.0)


def _no_sum(logits: np.ndarray, temperature: float) -> np.ndarray:
    return np.asarray(np.exp(logits / temperature))


def _over_images(logits: np.ndarray, temperature: float) -> np.ndarray:
    return soften(logits.T, temperature).T


def _divided_too_late(logits: np.ndarray, temperature: float) -> np.ndarray:
    return soften(logits, 1.0) / temperature


SOFTEN = Exercise(
    "5.7",
    "Softening with a temperature",
    soften,
    hints=(
        "Softmax takes the exponential of each logit, and divides by the sum over the classes. What comes before?",
        "Divide the logits by the temperature, then np.exp. The classes of an image are in one row.",
        "powers.sum(axis=1, keepdims=True) is the sum of each row, in a shape that divides.",
        "powers = np.exp(logits / temperature); return powers / powers.sum(axis=1, keepdims=True)",
    ),
    mistakes=(
        Mistake(_hardened, "You multiply by the temperature: above 1, the network becomes surer, not less sure."),
        Mistake(
            _ignores_the_temperature,
            "The temperature plays no part in yours, or cancels out. Divide the logits, before np.exp.",
        ),
        Mistake(_no_sum, "Each row must add up to 1: divide by its sum."),
        Mistake(_over_images, "Your columns add up to 1. The classes of an image are in one row: axis=1."),
        Mistake(_divided_too_late, "Divide the logits, before the softmax. Afterwards the rows no longer add up to 1."),
    ),
    draw=_draw_logits,
)

# 5.8 --- what a child costs


def cost_of_a_child(
    sensitivity: float, specificity: float, prevalence: float, miss_cost: float, alarm_cost: float
) -> float:
    """The mean cost of a child, where this part of the children is sick."""
    missed = prevalence * (1 - sensitivity)
    alarmed = (1 - prevalence) * (1 - specificity)
    return missed * miss_cost + alarmed * alarm_cost


def _draw_costs(rng: np.random.Generator) -> Inputs:
    sensitivity, specificity = rng.choice([0.6, 0.7, 0.8, 0.9], 2, replace=False)
    prevalence = float(rng.choice([0.1, 0.2, 0.3]))
    return float(sensitivity), float(specificity), prevalence, float(rng.integers(4, 21)), float(rng.integers(1, 4))


def _costs_swapped(
    sensitivity: float, specificity: float, prevalence: float, miss_cost: float, alarm_cost: float
) -> float:
    return cost_of_a_child(sensitivity, specificity, prevalence, alarm_cost, miss_cost)


def _right_ones_pay(
    sensitivity: float, specificity: float, prevalence: float, miss_cost: float, alarm_cost: float
) -> float:
    return cost_of_a_child(1 - sensitivity, 1 - specificity, prevalence, miss_cost, alarm_cost)


def _no_prevalence(
    sensitivity: float, specificity: float, _prevalence: float, miss_cost: float, alarm_cost: float
) -> float:
    return (1 - sensitivity) * miss_cost + (1 - specificity) * alarm_cost


def _all_can_be_alarmed(
    sensitivity: float, specificity: float, prevalence: float, miss_cost: float, alarm_cost: float
) -> float:
    return prevalence * (1 - sensitivity) * miss_cost + (1 - specificity) * alarm_cost


COST_OF_A_CHILD = Exercise(
    "5.8",
    "What a child costs",
    cost_of_a_child,
    hints=(
        "Only mistakes cost. There are two kinds: a sick child that is missed, a healthy one that is alarmed.",
        "Of all children, the part prevalence * (1 - sensitivity) is missed. Which part is alarmed?",
        "The healthy are 1 - prevalence, and the part 1 - specificity of them is alarmed.",
        "return prevalence * (1 - sensitivity) * miss_cost + (1 - prevalence) * (1 - specificity) * alarm_cost",
    ),
    mistakes=(
        Mistake(_costs_swapped, "The two costs are exchanged: a sick child that is called healthy is a miss."),
        Mistake(_right_ones_pay, "You let the right answers pay. The missed are 1 - sensitivity of the sick."),
        Mistake(_no_prevalence, "How many are sick matters: weigh the two kinds by prevalence and 1 - prevalence."),
        Mistake(_all_can_be_alarmed, "Only the healthy can be alarmed for nothing, and they are 1 - prevalence."),
    ),
    draw=_draw_costs,
)

# 5.9 --- one draw of the bootstrap


def images_of_draw(patients: list[str], drawn: list[str]) -> list[int]:
    """The places of all images of the drawn patients, patient by patient; who is drawn twice comes twice."""
    places = []
    for name in drawn:
        places += [place for place, patient in enumerate(patients) if patient == name]
    return places


def _draw_patients(rng: np.random.Generator) -> Inputs:
    patients = [*"ABCABC", *rng.choice(list("ABCD"), 2).tolist()]
    names = sorted(set(patients))
    others = rng.choice(names, len(names) - 2).tolist()
    return patients, [names[2], *others, names[2]]


def _each_once(patients: list[str], drawn: list[str]) -> list[int]:
    return [place for place, patient in enumerate(patients) if patient in drawn]


def _each_once_in_order(patients: list[str], drawn: list[str]) -> list[int]:
    return images_of_draw(patients, list(dict.fromkeys(drawn)))


def _first_image_only(patients: list[str], drawn: list[str]) -> list[int]:
    return [patients.index(name) for name in drawn]


def _names_for_places(patients: list[str], drawn: list[str]) -> list[str]:
    return [patients[place] for place in images_of_draw(patients, drawn)]


def _sorted(patients: list[str], drawn: list[str]) -> list[int]:
    return sorted(images_of_draw(patients, drawn))


def _one_list_each(patients: list[str], drawn: list[str]) -> list[list[int]]:
    return [images_of_draw(patients, [name]) for name in drawn]


IMAGES_OF_DRAW = Exercise(
    "5.9",
    "One draw of the bootstrap",
    images_of_draw,
    hints=(
        "Go through the drawn patients, one after the other. A patient who is drawn twice is met twice.",
        "For each, go through all images and keep the places where this patient stands.",
        "enumerate(patients) gives the place and the patient of each image.",
        "places += [place for place, patient in enumerate(patients) if patient == name]",
    ),
    mistakes=(
        Mistake(_each_once, "A patient who is drawn twice comes twice, with all images."),
        Mistake(_each_once_in_order, "A patient who is drawn twice comes twice. You dropped the second time."),
        Mistake(_first_image_only, "You took one image of each patient. All images of a drawn patient come along."),
        Mistake(_names_for_places, "These are names. The places of the images were asked for."),
        Mistake(_one_list_each, "Yours has a list for each patient. Put all places into one: += in place of append."),
        Mistake(_sorted, "Right images, other order: patient by patient, as they were drawn."),
    ),
    draw=_draw_patients,
)

# --- questions

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

LESSON = Lesson(
    "05",
    "Evaluation",
    (
        FOUR_COUNTS,
        FOUR_SHARES,
        VALUE_OF_AN_ALARM,
        SHARE_OF_PAIRS,
        F1_SCORE,
        BRIER,
        SOFTEN,
        COST_OF_A_CHILD,
        IMAGES_OF_DRAW,
    ),
    (PREVALENCE_QUESTION, AUROC_QUESTION, OVERLAP_QUESTION, TEST_QUESTION),
)
