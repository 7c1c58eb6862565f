"""What a threshold does to children, and what it costs: counts for any prevalence, and the cheapest threshold."""

from dataclasses import dataclass

import numpy as np

from course_lib.evaluation.classification import sensitivity, specificity
from course_lib.evaluation.predictions import Predictions


@dataclass(frozen=True)
class Counts:
    """How many children get which answer; expected numbers, so they need not be whole."""

    found: float  #: sick, called sick
    missed: float  #: sick, called healthy
    alarmed: float  #: healthy, called sick
    spared: float  #: healthy, called healthy

    @property
    def positive_predictive_value(self) -> float:
        """Of those called sick, the part that is sick, 0 to 1; also called precision. NaN if no one is called sick."""
        called = self.found + self.alarmed
        return self.found / called if called else float("nan")

    @property
    def negative_predictive_value(self) -> float:
        """Of those called healthy, the part that is healthy, 0 to 1. NaN if no one is called healthy."""
        called = self.missed + self.spared
        return self.spared / called if called else float("nan")


def expected_counts(sensitivity: float, specificity: float, prevalence: float, children: int = 1000) -> Counts:
    """What happens to so many children, if sensitivity and specificity stay what they are where this many are sick.

    Raises:
        ValueError: a share is not from 0 to 1.
    """
    for name, share in (("sensitivity", sensitivity), ("specificity", specificity), ("prevalence", prevalence)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must be from 0 to 1, but is {share}.")
    sick, healthy = children * prevalence, children * (1 - prevalence)
    return Counts(sick * sensitivity, sick * (1 - sensitivity), healthy * (1 - specificity), healthy * specificity)


@dataclass(frozen=True)
class Costs:
    """What mistakes cost, in any unit, and how many of the children are sick where the classifier will work."""

    miss: float  #: of a sick child that is called healthy
    alarm: float  #: of a healthy child that is called sick
    prevalence: float  #: 0 to 1

    def __str__(self) -> str:
        return f"a miss costs {self.miss:g}, a false alarm {self.alarm:g}, and {self.prevalence:.0%} are sick"

    def of(self, predictions: Predictions, threshold: float) -> float:
        """The mean cost of a child there, in the unit of the costs."""
        return self.prevalence * self.miss * (1 - sensitivity(predictions, threshold)) + (
            1 - self.prevalence
        ) * self.alarm * (1 - specificity(predictions, threshold))


def cheapest_threshold(validation: Predictions, costs: Costs) -> float:
    """The threshold with the lowest mean cost. Give it validation patients, never the test.

    It lies half-way between two scores, or at 0 or above 1, where everyone or no one is called sick.
    """
    scores = np.unique(validation.scores)
    candidates = [0.0, *((scores[1:] + scores[:-1]) / 2), float(np.nextafter(1, 2))]
    return float(min(candidates, key=lambda threshold: costs.of(validation, threshold)))
