"""A detector at work: of 1,000 people who are screened, how many cancers and how many alarms."""

import numpy as np

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

PARTS = ("people with cancer", "cancers found", "people recalled", "the part of the recalled whose cancer is found")
Numbers = tuple[float, ...]

# 12.9 --- screening


def screened(sensitivity: float, alarm_share: float, prevalence: float) -> tuple[float, ...]:
    """Of 1,000 people, one film each: those with cancer, those whose cancer is found, those recalled, and the PPV.

    ``prevalence`` is the part of the people with cancer, one each, and ``sensitivity`` the part of the cancers that is
    found. ``alarm_share`` is the part of the films with a false alarm; it is the same with and without cancer, and
    whether the cancer is found or not. A person is recalled if the cancer is found, if there is a false alarm, or both.
    The PPV is the part of the recalled whose cancer is found, nan if no one is recalled.
    """
    cancers = 1000 * prevalence
    found = cancers * sensitivity
    recalled = found + (1000 - found) * alarm_share
    return cancers, found, recalled, found / recalled if recalled else float("nan")


def _draw_detector(rng: np.random.Generator) -> Inputs:
    """As measured on films, and now and then a detector that never says anything."""
    prevalence = float(rng.choice([0.002, 0.005, 0.01, 0.05, 0.2]))
    if rng.random() < 0.15:
        return 0.0, 0.0, prevalence
    return float(rng.integers(30, 96) / 100), float(rng.choice([0.0, *np.arange(5, 80, 5)]) / 100), prevalence


def _four_numbers(answer: Answer, inputs: Inputs) -> object:
    came = answer(*inputs)
    if came is None:
        return {PARTS[0]: None}
    if not isinstance(came, tuple | list) or len(came) != len(PARTS):
        return {"what is returned": came}
    return dict(zip(PARTS, came, strict=True))


def _with_recalled(sensitivity: float, prevalence: float, recalled: float) -> Numbers:
    """The four numbers, if so many are recalled."""
    found = 1000 * prevalence * sensitivity
    return 1000 * prevalence, found, recalled, found / recalled if recalled else float("nan")


def _healthy_and_found(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    healthy = 1000 * (1 - prevalence)
    return _with_recalled(sensitivity, prevalence, 1000 * prevalence * sensitivity + healthy * alarm_share)


def _counted_twice(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    return _with_recalled(sensitivity, prevalence, 1000 * prevalence * sensitivity + 1000 * alarm_share)


def _false_alarms_alone(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    return _with_recalled(sensitivity, prevalence, 1000 * alarm_share)


def _healthy_alone(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    return _with_recalled(sensitivity, prevalence, 1000 * (1 - prevalence) * alarm_share)


def _all_with_cancer(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    return _with_recalled(sensitivity, prevalence, 1000 * prevalence + 1000 * (1 - prevalence) * alarm_share)


def _as_a_specificity(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    return screened(sensitivity, 1 - alarm_share, prevalence)


def _of_the_alarmed(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    return _with_recalled(sensitivity, prevalence, 1000 * alarm_share * sensitivity)


def _ppv_of_all_with_cancer(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    cancers, found, recalled, _ = screened(sensitivity, alarm_share, prevalence)
    with_cancer = found + (cancers - found) * alarm_share
    return cancers, found, recalled, with_cancer / recalled if recalled else float("nan")


def _cancers_over_recalled(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    cancers, found, recalled, _ = screened(sensitivity, alarm_share, prevalence)
    return cancers, found, recalled, cancers / recalled if recalled else float("nan")


def _found_over_alarms(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    cancers, found, recalled, _ = screened(sensitivity, alarm_share, prevalence)
    return cancers, found, recalled, found / (recalled - found) if recalled - found else float("nan")


def _found_per_person(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    cancers, found, recalled, _ = screened(sensitivity, alarm_share, prevalence)
    return cancers, found, recalled, found / 1000


def _recalled_per_found(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    cancers, found, recalled, _ = screened(sensitivity, alarm_share, prevalence)
    return cancers, found, recalled, recalled / found if found else float("nan")


def _sensitivity_as_ppv(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    return *screened(sensitivity, alarm_share, prevalence)[:3], sensitivity


def _false_part(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    *counts, ppv = screened(sensitivity, alarm_share, prevalence)
    return *counts, 1 - ppv


def _of_all_people(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    found, cancers = 1000 * sensitivity, 1000 * prevalence
    recalled = found + (1000 - found) * alarm_share
    return cancers, found, recalled, found / recalled if recalled else float("nan")


def _whole_people(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    cancers, found, recalled, ppv = screened(sensitivity, alarm_share, prevalence)
    return round(cancers), round(found), round(recalled), ppv


def _whole_people_first(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    cancers = round(1000 * prevalence)
    found = round(cancers * sensitivity)
    recalled = found + round((1000 - found) * alarm_share)
    return cancers, found, recalled, found / recalled if recalled else float("nan")


def _of_one_person(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    *counts, ppv = screened(sensitivity, alarm_share, prevalence)
    return *(count / 1000 for count in counts), ppv


def _percent(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    *counts, ppv = screened(sensitivity, alarm_share, prevalence)
    return *counts, 100 * ppv


def _nobody_raises(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    cancers, found, recalled, _ = screened(sensitivity, alarm_share, prevalence)
    return cancers, found, recalled, found / recalled


def _nobody_is_0(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    *counts, ppv = screened(sensitivity, alarm_share, prevalence)
    return *counts, ppv if counts[2] else 0.0


def _nobody_is_1(sensitivity: float, alarm_share: float, prevalence: float) -> Numbers:
    *counts, ppv = screened(sensitivity, alarm_share, prevalence)
    return *counts, ppv if counts[2] else 1.0


NOBODY = "A detector that never says anything recalls no one, and 0 / 0 is not known: return nan. "
RECALLED = (
    "Everyone whose cancer is found is recalled, and alarm_share of all others, be it that they have no cancer or that "
    "it was missed."
)

SCREENED = Exercise(
    "12.9",
    "Screening",
    screened,
    hints=(
        "Take 1,000 people and part them: cancer found, cancer missed, no cancer. Who of each part is recalled?",
        "1000 * prevalence have cancer, and sensitivity of these are found. All who are found are recalled.",
        "Of all who are not found, be it that they have no cancer or that it was missed, alarm_share have a false "
        "alarm and are recalled as well.",
        "recalled = found + (1000 - found) * alarm_share, and the PPV is found / recalled if recalled else "
        'float("nan")',
    ),
    mistakes=(
        Mistake(
            _healthy_and_found,
            RECALLED + " A missed cancer may have a false alarm elsewhere on its film, and you leave these people out.",
        ),
        Mistake(
            _counted_twice,
            "People whose cancer is found and who have a false alarm as well are counted twice. " + RECALLED,
        ),
        Mistake(_false_alarms_alone, "You count the false alarms alone. " + RECALLED),
        Mistake(_healthy_alone, "You count only people without cancer. " + RECALLED),
        Mistake(_all_with_cancer, "You recall everyone with cancer, even where the detector misses it. " + RECALLED),
        Mistake(
            _as_a_specificity,
            "You took alarm_share for the part without an alarm. It is the part of the films that have one.",
        ),
        Mistake(_of_the_alarmed, "The sensitivity is for cancers. It has nothing to do with false alarms. " + RECALLED),
        Mistake(
            _ppv_of_all_with_cancer,
            "The counts are right. In the PPV, you count people whose cancer was missed and who are recalled for "
            "something else. Whether it is found then, nobody knows: found / recalled.",
        ),
        Mistake(_cancers_over_recalled, "The counts are right. In the PPV, only cancers count that are found."),
        Mistake(
            _found_over_alarms,
            "The counts are right. You divide by the false alarms alone; the PPV is a part of all who are recalled.",
        ),
        Mistake(_found_per_person, "The counts are right. You divide by all people; the PPV is of those recalled."),
        Mistake(_recalled_per_found, "The counts are right. The PPV is the other way round: found / recalled."),
        Mistake(
            _sensitivity_as_ppv,
            "The counts are right. The last number is not the sensitivity, which is of those with cancer. The PPV is "
            "of those recalled.",
        ),
        Mistake(_false_part, "The counts are right. The last number is the part that is recalled for nothing."),
        Mistake(_of_all_people, "You find sensitivity of all people. It is the part of those with cancer."),
        Mistake(_whole_people, "Expected numbers need not be whole: leave out round()."),
        Mistake(_whole_people_first, "Expected numbers need not be whole: leave out round()."),
        Mistake(_of_one_person, "Those are parts. Tell how many of 1,000 people."),
        Mistake(_percent, "The counts are right. The PPV is in percent: return it from 0 to 1."),
        Mistake(_nobody_raises, NOBODY + "Yours ends with an error."),
        Mistake(_nobody_is_0, NOBODY + "0 would say that all alarms were wrong."),
        Mistake(_nobody_is_1, NOBODY + "1 would say that all alarms were right."),
    ),
    draw=_draw_detector,
    observe=_four_numbers,
    cases=50,
)
