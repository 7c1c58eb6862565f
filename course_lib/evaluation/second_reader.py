"""What a second reader would gain: simulated readers look at films alone, with the computer's prompts, and in twos.

A reader sees a lesion the likelier, the more it stands out. Afterwards the prompts of the computer come, and the reader
takes some of them over and takes nothing back: the computer is a second reader. Two readers mark what either marked.

The numbers of `ReaderModel` are those of eight radiologists and residents who read 300 chest films, 111 of them with a
nodule, each with a lateral film and an image without bones beside it: 74 % of the nodules at 0.25 false marks per film
alone, 80 % at 0.33 with a program that marked one healthy place per film; of 127 nodules which they had passed over and
the program showed, they took over 57. The simulated readers see single films. That a lesion is
the likelier to be seen, the higher its contrast above what surrounds it, was measured too; the logistic form and its
steepness are assumed. The readers differ: twelve found 46 to 78 % of the same nodules, and a standard deviation of 0.45
in the logit spreads twelve about as far.

Sources: S. Schalekamp et al., Computer-aided Detection Improves Detection of Pulmonary Nodules in Chest Radiographs
beyond the Support by Bone-suppressed Images, Radiology 272:252-261, 2014, and the abstract of the same study at RSNA
2012 (parts and marks per film, when 108 of the films counted as with a nodule), and Double reading improves detection
of small lung tumors in chest radiographs, ECR 2014 (the twelve readers). H. L. Kundel, G. Revesz, Lesion Conspicuity,
Structured Noise, and Film Reader Error, Am. J. Roentgenol. 126:1233-1238, 1976.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from course_lib.evaluation.detection import ClassNames, JudgedBoxes
from course_lib.evaluation.intervals import PairedDifference

ALONE, AIDED, TWO = "alone", "with the computer", "two readers"
SENSITIVITY, FALSE_MARKS = "sensitivity", "false marks per film"
SEEN_ALONE = 0.74  #: part of the nodules that radiologists marked without help, in the study above


@dataclass(frozen=True)
class ReadFilms:
    """Films to be read: the lesions in them, and where the computer would point.

    Raises:
        ValueError: the fields do not fit each other, or a contrast is not a number of 0 or more.
    """

    contrast_to_noise: NDArray[np.float64]  #: [lesions], contrast over the noise around it, 0 or more
    films: NDArray[np.int64]  #: [lesions], the film of each
    prompted: NDArray[np.bool_]  #: [lesions], whether the computer points at it
    false_prompts: NDArray[np.int64]  #: [films], how many other places the computer points at
    patients: NDArray[np.str_]  #: [films]

    def __post_init__(self) -> None:
        lesions, films = self.contrast_to_noise.shape, self.patients.shape
        if not lesions == self.films.shape == self.prompted.shape or self.false_prompts.shape != films:
            raise ValueError(
                "Expected contrast_to_noise, films and prompted of one length, false_prompts and patients of another, "
                f"but got {[list(field.shape) for field in (self.contrast_to_noise, self.films, self.prompted)]} and "
                f"{[list(field.shape) for field in (self.false_prompts, self.patients)]}."
            )
        _check_contrast(self.contrast_to_noise)


@dataclass(frozen=True)
class ReaderModel:
    """How a reader looks at films. Where the numbers come from: see the module."""

    half_seen: float  #: contrast-to-noise at which a typical reader sees half of the lesions, above 0
    steepness: float = 3.0  #: by how much the logit rises where the contrast grows e-fold; assumed
    spread: float = 0.45  #: of the readers, standard deviation of the logit
    false_marks: float = 0.25  #: per film and reader, where there is nothing
    accepts_true: float = 57 / 127  #: of the prompts at lesions that the reader has not marked
    accepts_false: float = 0.08  #: of the other prompts: 0.33 instead of 0.25 marks per film, at one prompt per film

    def __post_init__(self) -> None:
        rules = {
            "half_seen and steepness must be above 0": self.half_seen > 0 and self.steepness > 0,
            "spread and false_marks must be 0 or more": self.spread >= 0 and self.false_marks >= 0,
            "accepts_true and accepts_false must be from 0 to 1": 0 <= self.accepts_true <= 1
            and 0 <= self.accepts_false <= 1,
        }
        if broken := [rule for rule, holds in rules.items() if not holds]:
            raise ValueError(f"{'; '.join(broken)}. Got {self}.")

    def chance(self, contrast_to_noise: NDArray[np.float64], skill: float = 0.0) -> NDArray[np.float64]:
        """[lesions], how likely each is seen, 0 to 1; ``skill`` is the reader's own part of the logit."""
        with np.errstate(divide="ignore"):  # what has no contrast is never seen
            logit = self.steepness * np.log(contrast_to_noise / self.half_seen) + skill
        chance: NDArray[np.float64] = expit(logit)
        return chance


def fitted_reader(contrast_to_noise: NDArray[np.float64], sensitivity: float = SEEN_ALONE) -> ReaderModel:
    """A reader who sees this part of these lesions on average: only ``half_seen`` is fitted.

    It makes simulated films as hard as those of a study, whatever a contrast-to-noise ratio of 1 means in them.

    Raises:
        ValueError: a contrast is not a number of 0 or more, there is no lesion that could be seen, or the part is not
            above 0 and below that which could be.
    """
    _check_contrast(contrast_to_noise)
    visible = float(np.mean(contrast_to_noise > 0)) if len(contrast_to_noise) else 0.0
    if not 0 < sensitivity < visible:
        raise ValueError(
            f"Expected a part of the lesions above 0 and below the {visible:.2f} that have any contrast, but got "
            f"{sensitivity}."
        )
    start = ReaderModel(1.0)
    away = float(np.ptp(np.log(contrast_to_noise[contrast_to_noise > 0]))) + 50.0 / start.steepness
    centre = float(np.median(np.log(contrast_to_noise[contrast_to_noise > 0])))

    def too_many(log_half: float) -> float:
        return float(replace(start, half_seen=np.exp(log_half)).chance(contrast_to_noise).mean()) - sensitivity

    return replace(start, half_seen=float(np.exp(brentq(too_many, centre - away, centre + away))))


@dataclass(frozen=True)
class Reading:
    """What several readers marked in one way of reading."""

    found: NDArray[np.bool_]  #: [readers, lesions]
    false_marks: NDArray[np.int64]  #: [readers, films]


@dataclass(frozen=True)
class ReaderStudy:
    """The same readers and films, read in three ways: `ALONE`, `AIDED` and `TWO`."""

    films: ReadFilms
    readings: Mapping[str, Reading]

    def value(self, way: str, what: str = SENSITIVITY) -> float:
        """The `SENSITIVITY` or the `FALSE_MARKS` of one way of reading, the mean of all readers.

        Raises:
            ValueError: there is no such way, or no such measure.
        """
        above, below = self._sums(way, what)
        return float(above.mean(axis=0).sum() / below.sum()) if below.sum() else float("nan")

    def compare(
        self, first: str, second: str, what: str = SENSITIVITY, *, resamples: int = 1000, seed: int = 0
    ) -> PairedDifference:
        """How much higher the measure is in one way than in another, over the same readers and patients.

        Each draw takes readers and patients anew, with replacement, so that the 95 % interval is about other readers
        and other patients. With few readers it is a little too wide. In `TWO`, a drawn reader brings the second
        reader of `read_films` along.

        Raises:
            ValueError: there is no such way or measure, or there are fewer than two patients.

        Source: B. D. Gallas et al., A Framework for Random-Effects ROC Analysis: Biases with the Bootstrap and Other
        Variance Estimators, Commun. Stat. Theory Methods 38:2586-2603, 2009.
        """
        draws = np.stack([self._draws(way, what, resamples, seed) for way in (first, second)], axis=1)
        difference = self.value(first, what) - self.value(second, what)
        return PairedDifference(difference, *_middle(draws[:, 0] - draws[:, 1]), draws)

    def estimate(
        self, way: str, what: str = SENSITIVITY, *, resamples: int = 1000, seed: int = 0
    ) -> tuple[float, float, float]:
        """The `value`, and the ends of its 95 % interval over readers and patients, drawn as in `compare`.

        Raises:
            ValueError: there is no such way or measure, or there are fewer than two patients.
        """
        return self.value(way, what), *_middle(self._draws(way, what, resamples, seed))

    def _draws(self, way: str, what: str, resamples: int, seed: int) -> NDArray[np.float64]:
        """[resamples], the measure in each draw of readers and patients; the same draws for the same seed."""
        above, below = self._sums(way, what)
        if len(below) < 2:
            raise ValueError(f"An interval over patients needs two of them at least, but there are {len(below)}.")
        rng = np.random.default_rng(seed)
        readers, patients = (rng.multinomial(count, np.full(count, 1 / count), resamples) for count in above.shape)
        counted = ((readers @ above) * patients).sum(axis=1) / readers.sum(axis=1)
        whole = patients @ below
        shares: NDArray[np.float64] = np.divide(counted, whole, out=np.full(len(whole), np.nan), where=whole > 0)
        return shares

    def _sums(self, way: str, what: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What is counted [readers, patients], and out of how many [patients]: lesions, or films."""
        if way not in self.readings or what not in (SENSITIVITY, FALSE_MARKS):
            ways, measures = ", ".join(self.readings), f"{SENSITIVITY}, {FALSE_MARKS}"
            raise ValueError(f"Expected one of {ways} and one of {measures}, but got {way!r} and {what!r}.")
        names, of_film = np.unique(self.films.patients, return_inverse=True)
        of_row = of_film[self.films.films] if what == SENSITIVITY else of_film
        reading = self.readings[way]
        rows = reading.found if what == SENSITIVITY else reading.false_marks
        above = np.array([np.bincount(of_row, weights=row, minlength=len(names)) for row in rows], dtype=np.float64)
        return above, np.bincount(of_row, minlength=len(names)).astype(np.float64)


def films_to_read(
    judged: JudgedBoxes, contrast_to_noise: NDArray[np.float64], threshold: float, classes: ClassNames = None
) -> ReadFilms:
    """The films for readers, where the computer points with boxes of the score of the threshold or more.

    ``contrast_to_noise`` is that of each true box of any class, image after image. A computer that points twice at one
    lesion prompts once.

    Raises:
        ValueError: there is no such class, the threshold is not a number, there is not one ratio per true box, or one
            is not a number of 0 or more.
    """
    kinds = np.concatenate([np.empty(0, np.int64), *judged.true_classes])
    if contrast_to_noise.shape != kinds.shape:
        raise ValueError(
            f"Expected the contrast-to-noise ratio of each of {len(kinds)} true boxes, but got the shape "
            f"{list(contrast_to_noise.shape)}."
        )
    wanted = np.isin(kinds, judged.places_of(classes))
    films = np.repeat(np.arange(len(judged)), [len(of_image) for of_image in judged.hit_scores])
    return ReadFilms(
        contrast_to_noise=contrast_to_noise[wanted].astype(np.float64),
        films=films[wanted],
        prompted=judged.hit_from(threshold)[wanted],
        false_prompts=judged.false_alarms_from(threshold, classes),
        patients=judged.patients,
    )


def read_films(films: ReadFilms, model: ReaderModel, readers: int = 8, *, seed: int) -> ReaderStudy:
    """So many simulated readers read the films alone, then with the computer's prompts, and in twos.

    Each reader has a skill of their own. What a reader marks wrongly in a film is a Poisson number, and lies elsewhere
    than the prompts and than the marks of other readers, so that false marks of two add up: the worst case. The second
    of two readers is the next one.

    Raises:
        ValueError: there are fewer than two readers.
    """
    if readers < 2:
        raise ValueError(f"Expected two readers at least, but got {readers}.")
    rng = np.random.default_rng(seed)
    lesions, shots = len(films.contrast_to_noise), len(films.patients)
    skills = rng.normal(0, model.spread, readers)
    chances = np.stack([model.chance(films.contrast_to_noise, float(skill)) for skill in skills])
    seen = rng.random((readers, lesions)) < chances
    marks = rng.poisson(model.false_marks, (readers, shots))
    taken = (rng.random((readers, lesions)) < model.accepts_true) & films.prompted
    mistaken = rng.binomial(films.false_prompts, model.accepts_false, (readers, shots))
    return ReaderStudy(
        films,
        {
            ALONE: Reading(seen, marks),
            AIDED: Reading(seen | taken, marks + mistaken),
            TWO: Reading(seen | np.roll(seen, -1, axis=0), marks + np.roll(marks, -1, axis=0)),
        },
    )


def _check_contrast(contrast_to_noise: NDArray[np.float64]) -> None:
    if not (np.isfinite(contrast_to_noise) & (contrast_to_noise >= 0)).all():
        raise ValueError(
            "A contrast-to-noise ratio must be a number of 0 or more. What is darker than its surroundings stands out "
            "as well: take np.abs of it."
        )


def _middle(draws: NDArray[np.float64]) -> tuple[float, float]:
    """Between which two values the middle 95 % of the draws lie; NaN where no draw has a value."""
    there = draws[~np.isnan(draws)]
    if not len(there):
        return float("nan"), float("nan")
    low, high = np.quantile(there, [0.025, 0.975])
    return float(low), float(high)
