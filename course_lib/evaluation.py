"""Predictions, and the numbers that summarise them: each with an interval, each beside a baseline."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn import metrics
from torch import nn

from course_lib.dataset import ImageData
from course_lib.runtime import progress
from course_lib.stages import evaluating

Metric = Callable[["Predictions"], float]


@dataclass(frozen=True)
class Predictions:
    """What a model said about each image, beside what is true."""

    probabilities: NDArray[np.float64]  #: [images, classes], each row sums to 1
    labels: NDArray[np.int64]  #: [images], index of the true class
    patients: NDArray[np.str_]  #: [images]
    files: tuple[str, ...]  #: names, in the same order
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def scores(self) -> NDArray[np.float64]:
        """[images], from 0 to 1: how probable the model finds the second class, the disease.

        Raises:
            ValueError: there are more than two classes, so that no single one is the disease.
        """
        if len(self.classes) != 2:
            raise ValueError(f"scores need exactly two classes, but there are {len(self.classes)}: {self.classes}.")
        scores: NDArray[np.float64] = self.probabilities[:, 1]
        return scores

    def take(self, indices: NDArray[np.int64]) -> "Predictions":
        """The predictions of some images, in the order of ``indices``; an image may come more than once."""
        return replace(
            self,
            probabilities=self.probabilities[indices],
            labels=self.labels[indices],
            patients=self.patients[indices],
            files=tuple(self.files[i] for i in indices),
        )


def predict(
    model: nn.Module, data: ImageData, *, device: torch.device | str = "cpu", batch_size: int = 64
) -> Predictions:
    """The model's class probabilities for every image. Each layer is left in the mode it was in.

    Raises:
        ValueError: the model answers with another number of classes than the data have.
    """
    model.to(device)
    batches = torch.arange(len(data)).split(batch_size)  # type: ignore[no-untyped-call]
    with evaluating(model), torch.inference_mode():
        logits = [
            model(data.inputs(chosen, device)).float().cpu() for chosen in progress(batches, "Predicting", "batch")
        ]
    probabilities = torch.cat(logits).double().softmax(dim=1).numpy()
    check_class_count(probabilities.shape, data.classes)
    return Predictions(
        probabilities=probabilities,
        labels=np.array(data.labels),
        patients=np.array(data.patients),
        files=tuple(radiograph.path.name for radiograph in data.radiographs),
        classes=data.classes,
    )


def mean_of(several: Sequence[Predictions]) -> Predictions:
    """What several models say together about the same images: the mean of their probabilities, an ensemble.

    Source: B. Lakshminarayanan et al., Simple and Scalable Predictive Uncertainty Estimation, arXiv:1612.01474.
    """
    _check_same_images(several)
    return replace(several[0], probabilities=np.mean([p.probabilities for p in several], axis=0))


def check_class_count(output_shape: Sequence[int], classes: Sequence[str]) -> None:
    """Do nothing if a model's output has one column per class.

    Raises:
        ValueError: it has not.
    """
    if len(output_shape) != 2 or output_shape[1] != len(classes):
        raise ValueError(
            f"The data have {len(classes)} classes ({', '.join(classes)}), so the model must answer with shape "
            f"[batch, {len(classes)}], but it answered with {list(output_shape)}. "
            f"Build it with classes={len(classes)}."
        )


def baseline(predictions: Predictions) -> Predictions:
    """The same images, judged by someone who does not look: always the disease, with certainty."""
    always = np.zeros_like(predictions.probabilities)
    always[:, 1] = 1.0
    return replace(predictions, probabilities=always)


def confusion(predictions: Predictions, threshold: float) -> NDArray[np.int64]:
    """Counts of images, rows true and columns predicted: [[true neg., false pos.], [false neg., true pos.]]."""
    called = predictions.scores >= threshold
    return np.bincount(2 * predictions.labels + called, minlength=4).reshape(2, 2)


def sensitivity(predictions: Predictions, threshold: float) -> float:
    """Of the sick, the part that is called sick, 0 to 1; also called recall. NaN if no one is sick."""
    _, (missed, found) = confusion(predictions, threshold)
    return _ratio(found, found + missed)


def specificity(predictions: Predictions, threshold: float) -> float:
    """Of the healthy, the part that is called healthy, 0 to 1. NaN if no one is healthy."""
    (spared, alarmed), _ = confusion(predictions, threshold)
    return _ratio(spared, spared + alarmed)


def precision(predictions: Predictions, threshold: float) -> float:
    """Of those called sick, the part that is sick, 0 to 1; NaN if no one is. Doctors say positive predictive value."""
    (_, alarmed), (_, found) = confusion(predictions, threshold)
    return _ratio(found, found + alarmed)


def negative_predictive_value(predictions: Predictions, threshold: float) -> float:
    """Of those called healthy, the part that is healthy, 0 to 1. NaN if no one is called healthy."""
    (spared, _), (missed, _) = confusion(predictions, threshold)
    return _ratio(spared, spared + missed)


def accuracy(predictions: Predictions, threshold: float) -> float:
    """The part of all images that is called right, 0 to 1."""
    counts = confusion(predictions, threshold)
    return _ratio(counts.trace(), counts.sum())


def balanced_accuracy(predictions: Predictions, threshold: float) -> float:
    """The mean of sensitivity and specificity, 0 to 1; 0.5 for anyone who does not look."""
    return (sensitivity(predictions, threshold) + specificity(predictions, threshold)) / 2


def f1(predictions: Predictions, threshold: float) -> float:
    """The harmonic mean of precision and sensitivity, 0 to 1."""
    (_, alarmed), (missed, found) = confusion(predictions, threshold)
    return _ratio(2 * found, 2 * found + alarmed + missed)


def auroc(predictions: Predictions) -> float:
    """The area under the ROC curve: how often a sick image scores above a healthy one, 0 to 1; 0.5 is chance."""
    return float(metrics.roc_auc_score(predictions.labels, predictions.scores))


def average_precision(predictions: Predictions) -> float:
    """The area under the precision-recall curve, 0 to 1; chance is the part of the images that is sick."""
    return float(metrics.average_precision_score(predictions.labels, predictions.scores))


def choose_threshold(validation: Predictions) -> float:
    """The threshold with the highest balanced accuracy. Give it validation patients, never the test.

    It lies half-way between the two scores that it separates, so that it does not hang on a single image.

    Source: W. J. Youden, Index for rating diagnostic tests, Cancer 3:32-35, 1950.
    """
    scores = np.unique(validation.scores)
    if len(scores) < 2:
        raise ValueError(f"All {len(validation)} scores are the same, so no threshold can separate them.")
    candidates = (scores[1:] + scores[:-1]) / 2
    return float(max(candidates, key=lambda threshold: balanced_accuracy(validation, threshold)))


def bootstrap_interval(
    predictions: Predictions, metric: Metric, *, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """The interval that holds ``level`` of the metric's values when patients are drawn anew, with replacement.

    Patients are drawn, not images: two images of one child are not two independent pieces of evidence.
    Draws in which the metric does not exist (a class is missing) are left out.

    Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile interval).
    """
    values = [metric(predictions.take(drawn)) for drawn in _draws(predictions, resamples, seed)]
    return _middle(values, level)


@dataclass(frozen=True)
class Comparison:
    """Two models on the same images: how much higher the first one's metric is, and how sure that is."""

    difference: float  #: first minus second
    low: float  #: lower end of the paired interval
    high: float
    draws: NDArray[np.float64]  #: [resamples, 2], the metric of both on the same patients

    @property
    def wins(self) -> float:
        """The part of the draws in which the first is better, 0 to 1; ties count half.

        Draws in which the metric of one does not exist are left out.
        """
        gained = self.draws[:, 0] - self.draws[:, 1]
        gained = gained[~np.isnan(gained)]
        return float((gained > 0).mean() + (gained == 0).mean() / 2)

    def __str__(self) -> str:
        return (
            f"difference {self.difference:+.3f}, 95 % interval {self.low:+.3f} to {self.high:+.3f}; "
            f"better in {self.wins:.0%} of the draws"
        )


def compare(
    first: Predictions, second: Predictions, metric: Metric, *, resamples: int = 1000, seed: int = 0
) -> Comparison:
    """A paired bootstrap: in each draw, both models are measured on the same patients. The interval holds 95 %.

    Raises:
        ValueError: the models did not look at the same images in the same order.

    Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 8.
    """
    _check_same_images((first, second))
    drawn = _draws(first, resamples, seed)
    draws = np.array([(metric(first.take(indices)), metric(second.take(indices))) for indices in drawn]).reshape(-1, 2)
    low, high = _middle((draws[:, 0] - draws[:, 1]).tolist(), 0.95)
    return Comparison(metric(first) - metric(second), low, high, draws)


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


def bind(metric: Callable[[Predictions, float], float], threshold: float) -> Metric:
    """The metric at this threshold, as a function of the predictions alone."""
    return lambda predictions: metric(predictions, threshold)


def _check_same_images(several: Sequence[Predictions]) -> None:
    if len({predictions.files for predictions in several}) != 1:
        raise ValueError("The models must have looked at the same images, in the same order.")


def _draws(predictions: Predictions, resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """The images of patients drawn with replacement, again and again; draws that lack a class are left out."""
    _, codes = np.unique(predictions.patients, return_inverse=True)
    images_of = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        drawn = rng.integers(len(images_of), size=len(images_of))
        indices = np.concatenate([images_of[i] for i in drawn])
        if len(np.unique(predictions.labels[indices])) == len(predictions.classes):
            yield indices


def _middle(values: Sequence[float], level: float) -> tuple[float, float]:
    """Between which two values the middle part of them lies."""
    if not values:
        raise ValueError("No interval: every resample lacked a class. There are too few patients.")
    tail = (1 - level) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)


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


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
