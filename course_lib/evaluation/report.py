"""All numbers of one model at once: each with an interval, each beside a baseline; and group by group."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.classification import (
    Metric,
    accuracy,
    auroc,
    auroc_by_ranks,
    average_precision,
    balanced_accuracy,
    bind,
    f1,
    precision,
    sensitivity,
    specificity,
)
from course_lib.evaluation.intervals import bootstrap_intervals, with_interval
from course_lib.evaluation.predictions import Predictions, always_said, baseline


@dataclass(frozen=True)
class Score:
    """One number of a report."""

    name: str
    value: float
    low: float  #: lower end of the patient bootstrap interval
    high: float
    baseline: float  #: what someone gets who does not look and always says the same

    def __str__(self) -> str:
        return with_interval(self.value, self.low, self.high)


@dataclass(frozen=True, repr=False)
class Report:
    """The numbers of one model on one set of images. Shows itself as a table."""

    title: str
    scores: tuple[Score, ...]
    always: str  #: the class that someone always names who does not look

    def __getitem__(self, name: str) -> Score:
        return next(score for score in self.scores if score.name == name)

    def _repr_markdown_(self) -> str:
        head = [f"**{self.title}**", "", f"| | value | 95 % interval | always {self.always} |", "|---|---|---|---|"]
        return "\n".join(
            head
            + [f"| {s.name} | {s.value:.3f} | {s.low:.3f} to {s.high:.3f} | {s.baseline:.3f} |" for s in self.scores]
        )

    def __repr__(self) -> str:
        width = max(18, *(len(s.name) for s in self.scores))
        rows = [
            f"{s.name:{width}} {s.value:6.3f}  [{s.low:.3f}, {s.high:.3f}]  baseline {s.baseline:.3f}"
            for s in self.scores
        ]
        return "\n".join([self.title, *rows])


def evaluate(predictions: Predictions, threshold: float | None, title: str, *, resamples: int = 1000) -> Report:
    """All the numbers at once, each with its 95 % interval over patients and beside the baseline.

    More than two classes need no threshold: the most probable class counts. The first numbers are then those of all
    classes, and after them come those of each class against the rest.

    Raises:
        ValueError: there is no threshold for two classes, or there is one for more.
    """
    metrics = _metrics(predictions.classes, threshold)
    images, patients = len(predictions), len(set(predictions.patients))
    cut = "" if threshold is None else f", threshold {threshold:.2f}"
    told = f"{title}: {images} images of {patients} patients{cut}"
    return Report(told, _scores(predictions, metrics, resamples), always_said(predictions))


@dataclass(frozen=True)
class Subgroup:
    """The numbers of one model on some of the patients."""

    name: str
    patients: Mapping[str, int]  #: how many there are of each class; of two classes as "sick" and "healthy"
    scores: tuple[Score, ...]

    @property
    def sick_patients(self) -> int:
        return self.patients["sick"]

    @property
    def healthy_patients(self) -> int:
        return self.patients["healthy"]


@dataclass(frozen=True, repr=False)
class SubgroupReport:
    """The numbers of one model for several groups of patients. Shows itself as a table."""

    groups: tuple[Subgroup, ...]

    def __getitem__(self, name: str) -> Subgroup:
        return next(group for group in self.groups if group.name == name)

    def _repr_markdown_(self) -> str:
        first = self.groups[0]
        names = [*(f"{name} patients" for name in first.patients), *(score.name for score in first.scores)]
        head = ["| " + " | ".join(["group", *names]) + " |"]
        return "\n".join([*head, "|---" * (1 + len(names)) + "|", *map(_row, self.groups)])

    def __repr__(self) -> str:
        return self._repr_markdown_()


def by_group(
    predictions: Predictions, threshold: float | None, groups: Mapping[str, NDArray[np.bool_]], *, resamples: int = 1000
) -> SubgroupReport:
    """Sensitivity, specificity and AUROC for each group [images], with intervals over its patients.

    For more than two classes, which need no threshold: accuracy, balanced accuracy and AUROC.

    Raises:
        ValueError: there is no group, or one lacks a class; or as in `evaluate`.
    """
    if not groups:
        raise ValueError("Expected at least one group of images, got none.")
    metrics = _metrics(predictions.classes, threshold)
    shown = ("accuracy", "balanced accuracy") if threshold is None else ("sensitivity", "specificity")
    metrics = {name: metrics[name] for name in (*shown, "AUROC")}
    return SubgroupReport(
        tuple(
            _subgroup(name, predictions.take(np.flatnonzero(mask)), metrics, resamples) for name, mask in groups.items()
        )
    )


def _metrics(classes: tuple[str, ...], threshold: float | None) -> dict[str, Metric]:
    if len(classes) == 2 and threshold is not None:
        return _of_two(threshold)
    if len(classes) > 2 and threshold is None:
        return _of_several(classes)
    if len(classes) == 2:
        raise ValueError("Two classes need a threshold. Choose one on the validation: choose_threshold(validation).")
    raise ValueError(
        f"There is no threshold between {len(classes)} classes ({', '.join(classes)}). Give None, or take one of them: "
        f"predictions.one_against_rest({classes[-1]!r})."
    )


def _of_two(threshold: float) -> dict[str, Metric]:
    at_threshold = (accuracy, balanced_accuracy, sensitivity, specificity, precision, f1)
    named: dict[str, Metric] = {"AUROC": auroc, "average precision": average_precision}
    for metric in at_threshold:
        named[metric.__name__.replace("_", " ").replace("f1", "F1")] = bind(metric, threshold)
    return named


def _of_several(classes: tuple[str, ...]) -> dict[str, Metric]:
    """The numbers of all classes, each counting alike, and then of each class against the rest."""
    named: dict[str, Metric] = {
        "AUROC": auroc,
        "average precision": average_precision,
        "accuracy": accuracy,
        "balanced accuracy": balanced_accuracy,
    }
    for class_name in classes:
        named[f"{class_name}: AUROC"] = partial(_auroc_of_one, class_name=class_name)
        for metric in (sensitivity, specificity, precision):
            named[f"{class_name}: {metric.__name__}"] = _of_decided(metric, class_name)
    return named


def _auroc_of_one(predictions: Predictions, class_name: str) -> float:
    one = predictions.one_against_rest(class_name)
    return auroc_by_ranks(one.labels == 1, one.scores)


def _of_decided(metric: Callable[[Predictions, float], float], class_name: str) -> Metric:
    """The metric of whether this class is the most probable one."""
    return lambda predictions: metric(predictions.decided().one_against_rest(class_name), 0.5)


def _scores(predictions: Predictions, metrics: Mapping[str, Metric], resamples: int) -> tuple[Score, ...]:
    blind, ends = baseline(predictions), bootstrap_intervals(predictions, metrics, resamples=resamples)
    return tuple(Score(name, metric(predictions), *ends[name], metric(blind)) for name, metric in metrics.items())


def _subgroup(name: str, predictions: Predictions, metrics: Mapping[str, Metric], resamples: int) -> Subgroup:
    two = len(predictions.classes) == 2
    named = {"sick": 1, "healthy": 0} if two else {name: place for place, name in enumerate(predictions.classes)}
    patients = {
        said: len(set(predictions.patients[predictions.labels == label].tolist())) for said, label in named.items()
    }
    if not all(patients.values()):
        counts = [f"{count} {said}" for said, count in patients.items()]
        raise ValueError(
            f"The group {name} has {', '.join(counts[:-1])} and {counts[-1]} patients; it needs "
            f"{'both' if two else 'some of each'}."
        )
    return Subgroup(name, patients, _scores(predictions, metrics, resamples))


def _row(group: Subgroup) -> str:
    cells = [with_interval(score.value, score.low, score.high, ".2f") for score in group.scores]
    return "| " + " | ".join([group.name, *map(str, group.patients.values()), *cells]) + " |"
