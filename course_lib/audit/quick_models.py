"""Quick models for suspicions: made in seconds, tried on patients they have not seen, scored with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from course_lib.data.image_folder import FOLD
from course_lib.evaluation.classification import auroc_by_ranks
from course_lib.evaluation.intervals import bootstrap_interval
from course_lib.evaluation.predictions import Predictions
from course_lib.support.errors import DataError

Folds = tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]
FOLDS = 5
RESAMPLES = 200


@dataclass(frozen=True)
class QuickScore:
    """How well a quick model tells the classes, on patients that it has not seen."""

    name: str
    auroc: float  #: 0.5 is chance
    low: float  #: lower end of the 95 % interval of the AUROC, over patients
    high: float
    accuracy: float  #: of the class that the model finds most probable
    larger_class: float  #: accuracy of someone who always says the larger class

    @property
    def area(self) -> str:
        """The AUROC and its interval, in words."""
        return f"AUROC {self.auroc:.2f} [{self.low:.2f}, {self.high:.2f}]"

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.area}, accuracy {self.accuracy:.1%} (always the larger class: {self.larger_class:.1%})"
        )


def forest() -> Any:
    """Randomised trees, for few numbers of any scale and order."""
    return ExtraTreesClassifier(60, min_samples_leaf=3, random_state=0)


def tree() -> Any:
    """One tree with at most eight leaves, for a single number."""
    return DecisionTreeClassifier(max_leaf_nodes=8, min_samples_leaf=5, random_state=0)


def linear(images: int) -> Any:
    """Logistic regression on the principal components of small pictures; fewer of them where images are few."""
    components = PCA(max(2, min(60, images // 8)), random_state=0)
    return make_pipeline(components, StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))


def linear_of_few() -> Any:
    """Logistic regression on at most some hundred numbers, held back strongly."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=1000))


def outlines(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """How strong edges of eight directions are in 4 x 4 tiles, decorrelated; unit vectors [images, up to 100].

    Of pictures that are all alike nothing is left: [images, 1] zeros.

    Source: N. Dalal, B. Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005 (in a short form).
    """
    down, right = np.gradient(images, axis=(1, 2))
    strength, direction = np.hypot(down, right), (np.arctan2(down, right) / (2 * np.pi) % 1) * 8
    histograms = np.zeros((len(images), 8, 4, 4))
    for i in range(8):
        away = np.abs(direction - i)
        share = np.maximum(0, 1 - np.minimum(away, 8 - away)) * strength
        histograms[:, i] = share.reshape(len(images), 4, 16, 4, 16).sum(axis=(2, 4))
    histograms /= np.sqrt((histograms**2).sum(axis=1, keepdims=True)) + 0.01
    flat = histograms.reshape(len(images), -1)
    if not np.ptp(flat, axis=0).any():
        return np.zeros((len(images), 1))
    white = PCA(min(100, len(images) // 4), whiten=True, random_state=0).fit_transform(flat)
    return np.asarray(white / np.maximum(np.linalg.norm(white, axis=1, keepdims=True), 1e-9))


def cross_validate(
    model: Any,
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    patients: NDArray[np.str_],
    classes: tuple[str, ...],
    *,
    seed: int = 0,
) -> Predictions:
    """What the model says of each image when it has learned from other patients only (five parts, each left out once).

    ``features`` [images, numbers]; ``labels`` [images] index the ``classes``. Where all ``patients`` are names that
    begin with a fold (``fold1_``), each fold is left out once, since nothing else is known to keep patients apart.

    Raises:
        DataError: there is only one class, or one has fewer than five patients or is in one fold only.
    """
    check_can_be_tried(labels, patients, classes)
    folds = _folds(tuple(labels.tolist()), tuple(patients.tolist()), seed)
    probabilities = cross_val_predict(model, features, labels, cv=folds, method="predict_proba")
    return Predictions(np.asarray(probabilities, dtype=np.float64), labels, patients, ("",) * len(labels), classes)


def check_can_be_tried(labels: NDArray[np.int64], patients: NDArray[np.str_], classes: tuple[str, ...]) -> None:
    """Each class has enough patients for a model to learn from some of them and to be tried on the others.

    Raises:
        DataError: there is only one class, or one has fewer than five patients or is in one fold only.
    """
    if len(classes) < 2:
        only = f"only one, {classes[0]}" if classes else "none"
        raise DataError(f"To tell classes apart there must be two at least, but here is {only}. Add images of another.")
    folds = np.array(_folds_named(patients.tolist()), dtype=np.str_)
    for label, name in enumerate(classes):
        if folds.size and len(within := set(folds[labels == label].tolist())) == 1:
            raise DataError(
                "The file names give folds and no patients, so a model can be tried only on a fold that it has not "
                f"seen, but all images of {name} are in {within.pop()}. Put the patients into the names."
            )
    for label, name in enumerate(classes):
        if (there := len(set(patients[labels == label].tolist()))) < FOLDS:
            raise DataError(
                f"To try a model on patients it has not seen, each class needs {FOLDS} patients, but {name} has "
                f"{there}. Add images, or leave this class out."
            )


@lru_cache(maxsize=4)
def _folds(labels: tuple[int, ...], patients: tuple[str, ...], seed: int) -> Folds:
    """Places to learn from and to be tried on, several times; kept, since many models are tried on the same images."""
    if named := _folds_named(patients):
        return tuple(LeaveOneGroupOut().split(labels, groups=named))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    return tuple(folds.split(np.zeros(len(labels)), labels, patients))


def _folds_named(patients: Sequence[str]) -> list[str]:
    """The folds with which all the names begin, or none."""
    found = [FOLD.match(patient) for patient in patients]
    return [f"fold {fold[1]}" for fold in found if fold] if all(found) else []


def summarise(predictions: Predictions, name: str) -> QuickScore:
    """The AUROC with its interval over patients, and the accuracy beside that of the larger class.

    With more than two classes, the AUROC is the mean over the classes, each against the others.
    """
    counts = np.bincount(predictions.labels)
    low, high = bootstrap_interval(predictions, auroc_of, resamples=RESAMPLES)
    correct = predictions.most_probable == predictions.labels
    return QuickScore(name, auroc_of(predictions), low, high, float(correct.mean()), float(counts.max() / counts.sum()))


def auroc_of(predictions: Predictions) -> float:
    """The AUROC by ranks; with more than two classes, the mean over the classes, each against the others."""
    columns = (1,) if len(predictions.classes) == 2 else range(len(predictions.classes))
    areas = [auroc_by_ranks(predictions.labels == column, predictions.probabilities[:, column]) for column in columns]
    return float(np.mean(areas))
