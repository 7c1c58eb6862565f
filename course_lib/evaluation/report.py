"""All numbers of one model at once: each with an interval, each beside a baseline; and group by group."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.classification import (
    Metric,
    accuracy,
    auroc,
    average_precision,
    balanced_accuracy,
    bind,
    f1,
    precision,
    sensitivity,
    specificity,
)
from course_lib.evaluation.intervals import bootstrap_interval
from course_lib.evaluation.predictions import Predictions, baseline
from course_lib.support.runtime import progress


@dataclass(frozen=True)
class Score:
    """One number of a report."""

    name: str
    value: float
    low: float  #: lower end of the patient bootstrap interval
    high: float
    baseline: float  #: what someone gets who always says "disease"


@dataclass(frozen=True, repr=False)
class Report:
    """The numbers of one model on one set of images. Shows itself as a table."""

    title: str
    scores: tuple[Score, ...]
    disease: str = "PNEUMONIA"  #: what someone always says who does not look

    def __getitem__(self, name: str) -> Score:
        return next(score for score in self.scores if score.name == name)

    def _repr_markdown_(self) -> str:
        head = [f"**{self.title}**", "", f"| | value | 95 % interval | always {self.disease} |", "|---|---|---|---|"]
        return "\n".join(
            head
            + [f"| {s.name} | {s.value:.3f} | {s.low:.3f} to {s.high:.3f} | {s.baseline:.3f} |" for s in self.scores]
        )

    def __repr__(self) -> str:
        rows = [
            f"{s.name:18} {s.value:6.3f}  [{s.low:.3f}, {s.high:.3f}]  baseline {s.baseline:.3f}" for s in self.scores
        ]
        return "\n".join([self.title, *rows])


def evaluate(predictions: Predictions, threshold: float, title: str, *, resamples: int = 1000) -> Report:
    """All the numbers at once, each with its 95 % interval over patients and beside the baseline."""
    at_threshold = (accuracy, balanced_accuracy, sensitivity, specificity, precision, f1)
    named: dict[str, Metric] = {"AUROC": auroc, "average precision": average_precision}
    for metric in at_threshold:
        named[metric.__name__.replace("_", " ").replace("f1", "F1")] = bind(metric, threshold)
    blind = baseline(predictions)
    scores = []
    for name, metric_of in progress(named.items(), "Bootstrap", "metric"):
        low, high = bootstrap_interval(predictions, metric_of, resamples=resamples)
        scores.append(Score(name, metric_of(predictions), low, high, metric_of(blind)))
    images, patients = len(predictions), len(set(predictions.patients))
    told = f"{title}: {images} images of {patients} patients, threshold {threshold:.2f}"
    return Report(told, tuple(scores), predictions.classes[1])


@dataclass(frozen=True)
class Subgroup:
    """The numbers of one model on some of the patients."""

    name: str
    sick_patients: int
    healthy_patients: int
    scores: tuple[Score, ...]


@dataclass(frozen=True, repr=False)
class SubgroupReport:
    """The numbers of one model for several groups of patients. Shows itself as a table."""

    groups: tuple[Subgroup, ...]

    def __getitem__(self, name: str) -> Subgroup:
        return next(group for group in self.groups if group.name == name)

    def _repr_markdown_(self) -> str:
        names = [score.name for score in self.groups[0].scores]
        head = ["| " + " | ".join(["group", "sick patients", "healthy patients", *names]) + " |"]
        return "\n".join([*head, "|---" * (3 + len(names)) + "|", *map(_row, self.groups)])

    def __repr__(self) -> str:
        return self._repr_markdown_()


def by_group(
    predictions: Predictions, threshold: float, groups: Mapping[str, NDArray[np.bool_]], *, resamples: int = 1000
) -> SubgroupReport:
    """Sensitivity, specificity and AUROC for each group [images], with intervals over its patients.

    Raises:
        ValueError: there is no group, or one lacks the sick or the healthy.
    """
    if not groups:
        raise ValueError("Expected at least one group of images, got none.")
    return SubgroupReport(
        tuple(
            _subgroup(name, predictions.take(np.flatnonzero(mask)), threshold, resamples)
            for name, mask in groups.items()
        )
    )


def _subgroup(name: str, predictions: Predictions, threshold: float, resamples: int) -> Subgroup:
    sick, healthy = (len(set(predictions.patients[predictions.labels == label])) for label in (1, 0))
    if not sick or not healthy:
        raise ValueError(f"The group {name} has {sick} sick and {healthy} healthy patients; it needs both.")
    metric_of = {
        "sensitivity": bind(sensitivity, threshold),
        "specificity": bind(specificity, threshold),
        "AUROC": auroc,
    }
    blind = baseline(predictions)
    scores = tuple(
        Score(said, metric(predictions), *bootstrap_interval(predictions, metric, resamples=resamples), metric(blind))
        for said, metric in metric_of.items()
    )
    return Subgroup(name, sick, healthy, scores)


def _row(group: Subgroup) -> str:
    cells = [f"{score.value:.2f} ({score.low:.2f} to {score.high:.2f})" for score in group.scores]
    return "| " + " | ".join([group.name, str(group.sick_patients), str(group.healthy_patients), *cells]) + " |"
