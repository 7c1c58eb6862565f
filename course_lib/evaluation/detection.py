"""Boxes found beside the true ones, and the numbers that compare them: hits, false alarms, average precision, FROC.

What counts as a hit is a `Rule`, and a score says little without it: two works with different rules, or with different
thresholds of one rule, can not be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.hit_rules import Rule

FALSE_ALARM = -1  #: a found box that hits nothing
DOUBLE = -2  #: a found box that hits only what a surer box has already hit

RECALLS = np.linspace(0, 1, 101)  #: where COCO reads precision off
ClassNames = str | Sequence[str] | None  #: one class, several together, or all
FROC_RATES = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)  #: false alarms per image, where LUNA16 reads sensitivity off


@dataclass(frozen=True)
class Boxes:
    """The boxes of one image. No box at all is corners of shape [0, 4].

    Raises:
        ValueError: the fields do not fit each other, a corner is not a number, or a box ends before it begins.
    """

    corners: NDArray[np.float64]  #: [boxes, 4] as x0, y0, x1, y1 in pixels; the area is (x1 - x0) (y1 - y0)
    classes: NDArray[np.int64]  #: [boxes], index of the class
    scores: NDArray[np.float64]  #: [boxes], how sure the model is; 1 for true boxes

    def __post_init__(self) -> None:
        count = len(self.corners)
        if self.corners.shape != (count, 4) or self.classes.shape != (count,) or self.scores.shape != (count,):
            raise ValueError(
                "Expected corners [boxes, 4], classes [boxes] and scores [boxes], but got "
                f"{self.corners.shape}, {self.classes.shape} and {self.scores.shape}."
            )
        if np.isnan(self.corners).any():
            raise ValueError(f"{np.isnan(self.corners).any(axis=1).sum()} of {count} boxes have a corner that is NaN.")
        backwards = (self.corners[:, 2:] < self.corners[:, :2]).any(axis=1)
        if backwards.any():
            raise ValueError(f"Expected x0 <= x1 and y0 <= y1, but a box is {self.corners[backwards][0].tolist()}.")

    def __len__(self) -> int:
        return len(self.corners)

    def from_score(self, threshold: float) -> "Boxes":
        """The boxes with the score of the threshold or more."""
        kept = self.scores >= threshold
        return Boxes(self.corners[kept], self.classes[kept], self.scores[kept])


@dataclass(frozen=True)
class DetectionPredictions:
    """What a model found in each image, beside what is there. An image may have no box at all.

    Raises:
        ValueError: the fields do not fit each other, or a box has a class without a name.
    """

    classes: tuple[str, ...]
    found: tuple[Boxes, ...]  #: one per image
    true: tuple[Boxes, ...]  #: one per image
    losses: NDArray[np.float64]  #: [images]
    patients: NDArray[np.str_]  #: [images]
    files: tuple[str, ...]  #: names, in the same order

    def __post_init__(self) -> None:
        fields = (self.found, self.true, self.losses, self.patients)
        if any(len(field) != len(self.files) for field in fields):
            lengths = ", ".join(str(len(field)) for field in fields)
            raise ValueError(f"Expected {len(self.files)} of each, one per file, but got {lengths}.")
        for boxes, file in zip(self.found + self.true, self.files * 2, strict=True):
            if len(boxes) and not 0 <= boxes.classes.min() <= boxes.classes.max() < len(self.classes):
                raise ValueError(f"{file}: the classes end at {len(self.classes) - 1}, but got {boxes.classes}.")

    def __len__(self) -> int:
        return len(self.files)

    @property
    def measurable(self) -> bool:
        """Whether there is anything to find: at least one true box."""
        return any(len(boxes) for boxes in self.true)

    def take(self, indices: NDArray[np.int64]) -> "DetectionPredictions":
        """The predictions of some images, in the order of ``indices``; an image may come more than once."""
        return replace(
            self,
            found=tuple(self.found[i] for i in indices),
            true=tuple(self.true[i] for i in indices),
            losses=self.losses[indices],
            patients=self.patients[indices],
            files=tuple(self.files[i] for i in indices),
        )


def match(found: Boxes, true: Boxes, rule: Rule) -> NDArray[np.int64]:
    """[found], the index of the true box that each found box hits, or `FALSE_ALARM`, or `DOUBLE`.

    The surest box chooses first, and takes the true box of its own class that fits best and is still free. So each
    true box is hit once at most. Of equal scores, the better fit chooses first.

    Raises:
        ValueError: a score is not a number, so that there is no order.
    """
    if np.isnan(found.scores).any():
        raise ValueError(f"{np.count_nonzero(np.isnan(found.scores))} of {len(found)} scores are not a number.")
    fit = rule(found.corners, true.corners) * (found.classes[:, None] == true.classes[None, :])
    free = np.ones(len(true), dtype=np.bool_)
    hits = np.where((fit > 0).any(axis=1), DOUBLE, FALSE_ALARM).astype(np.int64)
    for i in np.lexsort((-fit.max(axis=1, initial=0.0), -found.scores)):
        best = np.where(free, fit[i], 0.0)
        if (best > 0).any():
            hits[i] = best.argmax()
            free[hits[i]] = False
    return hits


@dataclass(frozen=True)
class Froc:
    """How many true boxes are found, and at the price of how many false alarms, from the highest threshold down."""

    thresholds: NDArray[np.float64]  #: [points], boxes with this score or more count; the first is infinite: none does
    false_alarms: NDArray[np.float64]  #: [points], per image, those without any true box among them
    sensitivity: NDArray[np.float64]  #: [points], the part of the true boxes that is hit, 0 to 1

    def sensitivity_at(self, false_alarms: float) -> float:
        """The sensitivity at so many false alarms per image, on straight lines between the points.

        Beyond the last point it stays as it is there: who makes few false alarms gets no worse by more.
        """
        return float(np.interp(false_alarms, self.false_alarms, self.sensitivity))

    def threshold_at(self, false_alarms: float) -> float:
        """The lowest threshold that makes no more than so many false alarms per image; infinite if only none will do.

        Choose it on validation patients and use it on others: there it makes a few more false alarms, or fewer.

        Raises:
            ValueError: the number is not 0 or more, or the curve is of no image.
        """
        if not false_alarms >= 0:
            raise ValueError(f"Expected a number of false alarms per image of 0 or more, but got {false_alarms}.")
        if np.isnan(self.false_alarms).any():
            raise ValueError("Expected the curve of one image at least: of none there are no false alarms per image.")
        return float(self.thresholds[np.flatnonzero(self.false_alarms <= false_alarms)[-1]])


def class_places(every: Sequence[str], wanted: ClassNames) -> NDArray[np.int64]:
    """The indices of the wanted classes, in rising order: of one, of several, or of every class for None.

    Raises:
        ValueError: there is no such class, or none is named.
    """
    names = every if wanted is None else (wanted,) if isinstance(wanted, str) else wanted
    if not names or set(names) - set(every):
        unknown = ", ".join(repr(name) for name in names if name not in every)
        said = f"No class is called {unknown}." if names else "Expected a class, got none."
        raise ValueError(f"{said} There are: {', '.join(every)}.")
    return np.array(sorted({every.index(name) for name in names}), dtype=np.int64)


@dataclass(frozen=True)
class JudgedBoxes:
    """Each found box, and whether it is a hit. Patients can be drawn from it without matching the boxes again."""

    classes: tuple[str, ...]
    scores: tuple[NDArray[np.float64], ...]  #: per image [found]
    found_classes: tuple[NDArray[np.int64], ...]  #: per image [found], index of the class
    hits: tuple[NDArray[np.int64], ...]  #: per image [found], as `match` gives them
    true_counts: NDArray[np.int64]  #: [images, classes], how many true boxes
    patients: NDArray[np.str_]  #: [images]
    files: tuple[str, ...]  #: names, in the same order
    true_classes: tuple[NDArray[np.int64], ...]  #: per image [true], index of the class
    hit_scores: tuple[NDArray[np.float64], ...]
    """Per image [true], the score of the found box that hits each true one; minus infinity where none does."""

    def __len__(self) -> int:
        return len(self.files)

    @property
    def measurable(self) -> bool:
        """Whether there is anything to find: at least one true box."""
        return bool(self.true_counts.any())

    def take(self, indices: NDArray[np.int64]) -> "JudgedBoxes":
        """The boxes of some images, in the order of ``indices``; an image may come more than once."""
        return replace(
            self,
            scores=tuple(self.scores[i] for i in indices),
            found_classes=tuple(self.found_classes[i] for i in indices),
            hits=tuple(self.hits[i] for i in indices),
            true_counts=self.true_counts[indices],
            patients=self.patients[indices],
            files=tuple(self.files[i] for i in indices),
            true_classes=tuple(self.true_classes[i] for i in indices),
            hit_scores=tuple(self.hit_scores[i] for i in indices),
        )

    def hit_from(self, threshold: float) -> NDArray[np.bool_]:
        """[true boxes], image after image: whether a box with the score of the threshold or more hits it.

        Raises:
            ValueError: the threshold is not a number.
        """
        scores = np.concatenate([np.empty(0), *self.hit_scores])
        return (scores >= _checked(threshold)) & (scores > -np.inf)

    def false_alarms_from(self, threshold: float, classes: ClassNames = None) -> NDArray[np.int64]:
        """[images], the false alarms of these classes with the score of the threshold or more.

        Raises:
            ValueError: there is no such class, or the threshold is not a number.
        """
        places, least = self.places_of(classes), _checked(threshold)
        boxes = zip(self.scores, self.found_classes, self.hits, strict=True)
        alarms = [((score >= least) & np.isin(kind, places) & (hit == FALSE_ALARM)).sum() for score, kind, hit in boxes]
        return np.array(alarms, dtype=np.int64)

    def average_precision(self, class_name: str) -> float:
        """The mean precision over recalls, 0 to 1; NaN without a true box of the class. See `average_precision`."""
        scores, hits, true = self._of(class_name)
        if not true:
            return float("nan")
        _, found, alarms = _counts(scores, hits >= 0, hits < 0)
        precision = found / (found + alarms)
        best_from_here = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
        return float(best_from_here[np.searchsorted(found / true, RECALLS)].mean())

    def mean_average_precision(self) -> float:
        """The mean over those classes of which there is a true box, 0 to 1; NaN if there is none."""
        there = [name for name, count in zip(self.classes, self.true_counts.sum(axis=0), strict=True) if count]
        return float(np.mean([self.average_precision(name) for name in there])) if there else float("nan")

    def froc(self, classes: ClassNames = None) -> Froc:
        """Sensitivity and false alarms per image at each threshold. See `froc`."""
        scores, hits, true = self._of(classes)
        thresholds, found, alarms = _counts(scores, hits >= 0, hits == FALSE_ALARM)
        return Froc(np.append(np.inf, thresholds), _shares(alarms, len(self)), _shares(found, true))

    def froc_score(self, classes: ClassNames = None) -> float:
        """The mean sensitivity at `FROC_RATES`, 0 to 1; NaN if there is no true box. See `froc_score`."""
        curve = self.froc(classes)
        return float(np.mean([curve.sensitivity_at(rate) for rate in FROC_RATES]))

    def places_of(self, classes: ClassNames) -> NDArray[np.int64]:
        """The indices of the classes: of one, of several, or of all. See `class_places`."""
        return class_places(self.classes, classes)

    def _of(self, classes: ClassNames) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
        """Scores and hits of the found boxes of some classes or of all, and the number of true ones."""
        places = self.places_of(classes)
        scores = np.concatenate([np.empty(0), *self.scores])
        hits = np.concatenate([np.empty(0, np.int64), *self.hits])
        true = int(self.true_counts[:, places].sum())
        if len(places) == len(self.classes):
            return scores, hits, true
        chosen = np.isin(np.concatenate([np.empty(0, np.int64), *self.found_classes]), places)
        return scores[chosen], hits[chosen], true


def judge(predictions: DetectionPredictions, rule: Rule) -> JudgedBoxes:
    """Every found box matched with the true ones of its image.

    A bootstrap asks a thousand times, so match first, then draw:
    ``bootstrap_interval(judge(predictions, centre_inside), JudgedBoxes.froc_score)``.
    """
    pairs = list(zip(predictions.found, predictions.true, strict=True))
    counts = [np.bincount(true.classes, minlength=len(predictions.classes)) for true in predictions.true]
    hits = [match(found, true, rule) for found, true in pairs]
    return JudgedBoxes(
        classes=predictions.classes,
        scores=tuple(found.scores for found in predictions.found),
        found_classes=tuple(found.classes for found in predictions.found),
        hits=tuple(hits),
        true_counts=np.array(counts, dtype=np.int64).reshape(len(predictions), len(predictions.classes)),
        patients=predictions.patients,
        files=predictions.files,
        true_classes=tuple(true.classes for true in predictions.true),
        hit_scores=tuple(_hit_scores(*pair, hit) for pair, hit in zip(pairs, hits, strict=True)),
    )


def merged(predictions: DetectionPredictions, names: Sequence[str], called: str) -> DetectionPredictions:
    """The boxes of some classes alone, as one class: a box of any of them then hits a true box of any of them.

    Without it, `JudgedBoxes.froc` of several classes asks for the right name too: a mass that is called a nodule is a
    miss and a false alarm. Two boxes of one lesion, one with each name, become a hit and a double hit.

    The other classes are gone: an image with one of them alone then counts as one without a finding.

    Raises:
        ValueError: there is no such class, or none is named.
    """
    places = class_places(predictions.classes, names)
    return replace(
        predictions,
        classes=(called,),
        found=tuple(_as_one_class(boxes, places) for boxes in predictions.found),
        true=tuple(_as_one_class(boxes, places) for boxes in predictions.true),
    )


def average_precision(predictions: DetectionPredictions, class_name: str, rule: Rule) -> float:
    """The mean precision over the recalls 0, 0.01 ... 1, from 0 to 1.

    The precision at a recall is the highest that is reached there or at any higher recall, and 0 beyond the last: that
    is COCO's interpolation. A double hit is a false alarm, as in COCO. Unlike there, an image may have more than
    100 boxes, and boxes of equal score come in together, so that the order of the images does not matter.

    No true box of the class: NaN, where COCO says -1. No found box: 0.

    Source: T.-Y. Lin et al., Microsoft COCO: Common Objects in Context, arXiv:1405.0312, and its evaluation code.
    """
    return judge(predictions, rule).average_precision(class_name)


def mean_average_precision(predictions: DetectionPredictions, rule: Rule) -> float:
    """The mean of `average_precision` over the classes that the truth has, 0 to 1; NaN if there is no true box at all.

    False alarms of a class that no image has do not show in it. They do in `froc`.
    """
    return judge(predictions, rule).mean_average_precision()


def froc(predictions: DetectionPredictions, rule: Rule, classes: ClassNames = None) -> Froc:
    """Sensitivity and false alarms per image at each threshold: the free-response ROC curve.

    Of one class, or of several or all together: then a box is a hit only on a true box of its own class (`merged` makes
    one class of several). Every image counts, the healthy too, so the mix of healthy and sick belongs beside the
    number. A double hit is ignored, as in LUNA16: it points where something is. Boxes of equal score come in together.

    No true box: the sensitivity is NaN, the false alarms are right. No found box: one point, 0 and 0.

    Source: A. A. A. Setio et al., The LUNA16 challenge, Med. Image Anal. 42:1-13, 2017, arXiv:1612.08012.
    """
    return judge(predictions, rule).froc(classes)


def froc_score(predictions: DetectionPredictions, rule: Rule, classes: ClassNames = None) -> float:
    """The mean sensitivity at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false alarms per image, 0 to 1; NaN without a true box.

    Source: as `froc`; first in M. Niemeijer et al., On combining computer-aided detection systems,
    IEEE Trans. Med. Imaging 30:215-223, 2011.
    """
    return judge(predictions, rule).froc_score(classes)


def _checked(threshold: float) -> float:
    if np.isnan(threshold):
        raise ValueError("The threshold is NaN, but must be a number. See where it comes from.")
    return threshold


def _hit_scores(found: Boxes, true: Boxes, hits: NDArray[np.int64]) -> NDArray[np.float64]:
    """[true], the score of the box that hits each, minus infinity where none does."""
    scores = np.full(len(true), -np.inf)
    scores[hits[hits >= 0]] = found.scores[hits >= 0]
    return scores


def _as_one_class(boxes: Boxes, places: NDArray[np.int64]) -> Boxes:
    chosen = np.isin(boxes.classes, places)
    return Boxes(boxes.corners[chosen], np.zeros(int(chosen.sum()), dtype=np.int64), boxes.scores[chosen])


def _counts(
    scores: NDArray[np.float64], hit: NDArray[np.bool_], alarm: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """The different scores from high to low, and how many hits and false alarms have that score or more."""
    order = np.argsort(-scores, kind="stable")
    descending = scores[order]
    last_of_equals = np.flatnonzero(np.diff(descending, append=-np.inf))
    return (
        descending[last_of_equals],
        np.cumsum(hit[order], dtype=np.int64)[last_of_equals],
        np.cumsum(alarm[order], dtype=np.int64)[last_of_equals],
    )


def _shares(counts: NDArray[np.int64], whole: int) -> NDArray[np.float64]:
    """0 and then the counts, each divided by the whole; NaN where there is nothing to divide by."""
    return np.append(0.0, counts) / (whole if whole else np.nan)
