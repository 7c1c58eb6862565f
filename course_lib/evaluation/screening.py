"""What a detector does to people who are screened: from false alarms per film to people who are called back."""

import math
from dataclasses import dataclass

from course_lib.evaluation.decisions import Counts, expected_counts

PLCO_PER_1000 = {"cancers found": 1.9, "called back": 89.0}
"""Of 1,000 people of 55 to 74 years, after one chest film each, read by radiologists; 2.1 % of the alarms were right.

Source: M. M. Oken et al., Baseline Chest Radiograph for Lung Cancer Detection in the Randomized Prostate, Lung,
Colorectal and Ovarian Cancer Screening Trial, J. Natl. Cancer Inst. 97:1832-1839, 2005.
"""


@dataclass(frozen=True)
class Screened:
    """What happens to so many people, one film each; expected numbers, so they need not be whole."""

    found: float  #: with cancer, and an alarm at it
    elsewhere: float  #: with cancer, called back for an alarm where none is; whether it is then found is not known
    missed: float  #: with cancer, without an alarm
    alarmed: float  #: without cancer, called back
    spared: float  #: without cancer, without an alarm

    @property
    def people(self) -> float:
        """How many are screened."""
        return self.found + self.elsewhere + self.missed + self.alarmed + self.spared

    @property
    def cancers(self) -> float:
        """How many of them have cancer."""
        return self.found + self.elsewhere + self.missed

    @property
    def called_back(self) -> float:
        """How many have an alarm."""
        return self.found + self.elsewhere + self.alarmed

    @property
    def positive_predictive_value(self) -> float:
        """Of those called back, the part with an alarm at a cancer, 0 to 1; NaN if no one is called back."""
        return self.found / self.called_back if self.called_back else float("nan")

    @property
    def counts(self) -> Counts:
        """By people alone: an alarm anywhere counts as found."""
        return Counts(self.found + self.elsewhere, self.missed, self.alarmed, self.spared)


def share_with_alarm(false_alarms_per_image: float) -> float:
    """The part of the films with a false alarm at least, 0 to 1, if they fall on films at random: 1 - exp(-rate).

    Real ones do not: a film with a pacemaker has five, and others have none. Then fewer films have one, so that this is
    about the most. `alarms_by_kind` measures the part: its ``share_with_alarm``.

    Raises:
        ValueError: the rate is not a number of 0 or more.
    """
    if not 0 <= false_alarms_per_image < math.inf:
        raise ValueError(f"Expected false alarms per image, a number of 0 or more, but got {false_alarms_per_image}.")
    return -math.expm1(-false_alarms_per_image)


def screen(sensitivity: float, alarm_share: float, prevalence: float, people: int = 1000) -> Screened:
    """What happens to so many people at one threshold of a detector.

    ``sensitivity`` is the part of the lesions that is found, and ``alarm_share`` the part of the films with a false
    alarm at least, measured on healthy films or from `share_with_alarm`. Assumed: one lesion in each person with
    cancer; false alarms in their films as often as in others, and independent of whether the lesion is found;
    sensitivity and alarms as they were measured, though a screened cancer is smaller than one in a hospital's films.

    Raises:
        ValueError: a share is not from 0 to 1.
    """
    if not 0 <= alarm_share <= 1:
        raise ValueError(f"alarm_share must be from 0 to 1, but is {alarm_share}.")
    counts = expected_counts(sensitivity, 1 - alarm_share, prevalence, people)
    return Screened(
        found=counts.found,
        elsewhere=counts.missed * alarm_share,
        missed=counts.missed * (1 - alarm_share),
        alarmed=counts.alarmed,
        spared=counts.spared,
    )
