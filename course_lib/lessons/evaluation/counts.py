"""The four counts of a threshold, the four shares made of them, and what an alarm is worth."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

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
