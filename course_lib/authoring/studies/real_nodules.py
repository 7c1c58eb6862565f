"""What simulated films and simulated nodules teach about real nodules: AUROC of films, and the part that is found.

Measured on the training patients of the real set; the test part stays closed. They are parted into halves by a hash of
their names. The films of a half are answered by a network that learned from the patients of the other one, and all
answers are judged together. So every film counts once, and no network has seen its patient. The scores of two networks
are not quite on one scale, which may cost a little. The one network that needs no real film does not pay that, nor does
who does not look.

The network and the recipe are those of `chest_findings.recipe`, with `EPOCHS`. It begins with what photographs taught
its encoder ("photographs"), or learns from simulated films first ("phantoms first"), by `ON_PHANTOMS`. "inserted" says
that simulated nodules and masses are inserted into the real training films. "phantoms" sees no real film at all.
Someone who does not look puts a box where other patients have theirs ("without looking"). A training on real films sees
each of them `EPOCHS` times; one from phantoms has seen the simulated ones besides.

The recipe's changes, and how strong and large what is inserted is, were chosen on these patients, so that the cases
with inserted nodules may look a little too good.

Cost: more than an hour on two cores, a quarter of it for the phantoms. What is trained is kept in build/.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from course_lib.authoring.kept_answers import kept
from course_lib.authoring.measure import RESULTS
from course_lib.authoring.studies.judged_rows import gains, with_ends
from course_lib.authoring.studies.study import UNFINISHED, Study
from course_lib.data.course_data import CourseData
from course_lib.data.outlines_and_boxes import BoxedImage
from course_lib.evaluation.detection import Boxes, DetectionPredictions
from course_lib.evaluation.studies import Row
from course_lib.modalities.chest_findings import inserted_nodules
from course_lib.modalities.chest_findings.modality import CHEST_FINDINGS
from course_lib.modalities.chest_findings.recipe import (
    CONFIG,
    FOUND,
    FROC,
    IMAGES,
    ON_PHANTOMS,
    ON_REAL_IMAGES,
    PHANTOM_FOLDER,
    SIZE,
    at_size,
)
from course_lib.modalities.chest_findings.recipe import (
    PHANTOMS as SIMULATED,
)
from course_lib.networks.packaged_weights import EFFICIENTNET_LITE0
from course_lib.support.files import digest
from course_lib.tasks.detection import Detection
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole
from course_lib.training.recipe import trained

NOT_LOOKING, PHANTOMS, PHOTOGRAPHS = "without looking", "phantoms", "photographs"
INSERTED = "photographs, inserted"
FIRST, FIRST_INSERTED = "phantoms first", "phantoms first, inserted"
STARTS = (NOT_LOOKING, PHANTOMS, PHOTOGRAPHS, INSERTED, FIRST, FIRST_INSERTED)
SEED = 0
FOLDS = 2
EPOCHS = 8
EXPERIMENT = replace(ON_REAL_IMAGES, recipe=at_size(SIZE, replace(CONFIG, epochs=EPOCHS)))
MEASURED = {"auroc": IMAGES, "found": FOUND, "froc": FROC}  #: names in the rows, and the recipe's figures
COLUMNS = 7  #: of a kept box: its film's place, four corners, its class, its score


def cases(_data: CourseData[Any]) -> list[Row]:
    """Every start, with one seed."""
    return [{"start": start, "seed": SEED} for start in STARTS]


def measure(data: CourseData[Any], case: Row) -> Row:
    """AUROC, the part found at one false alarm per film, and its mean over `FROC_RATES`; each with its 95 % interval
    over patients.

    ``gain`` is the AUROC over photographs alone, ``found_gain`` the part found; both on the same patients.
    """
    films = films_of(data)
    ours = EXPERIMENT.scored(_answers(films, str(case["start"])))
    figures = {name: EXPERIMENT.figures(ours)[figure] for name, figure in MEASURED.items()}
    row = with_ends(ours, figures, "auroc")
    if case["start"] == PHOTOGRAPHS:
        return row
    others = EXPERIMENT.scored(_answers(films, PHOTOGRAPHS))
    return row | gains(ours, others, {"gain": figures["auroc"], "found_gain": figures["found"]})


def films_of(data: CourseData[Any]) -> tuple[BoxedImage, ...]:
    """All films that may be learned from, with the recipe's labels; none is of the test part."""
    films = sorted([*data.train, *data.validation], key=lambda film: film.path.name)
    of = [EXPERIMENT.classes.index(name) for name in data.classes]
    return tuple(replace(film, labels=tuple(of[label] for label in film.labels)) for film in films)


def fold_of(film: BoxedImage) -> int:
    """The fold of its patient, by a hash of the name."""
    return int(digest(film.patient, 8), 16) % FOLDS


def _answers(films: tuple[BoxedImage, ...], start: str) -> DetectionPredictions:
    """What is found in each film by a network that has not seen its patient."""
    if start == NOT_LOOKING:
        return Detection(EXPERIMENT.classes).baseline(_predictions(films, []))
    if start == PHANTOMS:
        return _predictions(films, [_boxes_in(films, range(len(films)), start)])
    folds = [[place for place, film in enumerate(films) if fold_of(film) == fold] for fold in range(FOLDS)]
    return _predictions(films, [_boxes_in(films, held, start) for held in folds])


def _boxes_in(films: tuple[BoxedImage, ...], held: Sequence[int], start: str) -> NDArray[np.float64]:
    """What is found in the films at these places, [boxes, `COLUMNS`], by a network that learned from the others.

    No training is done twice.
    """
    out = set(held)
    learned = tuple(film for place, film in enumerate(films) if place not in out)

    def answer() -> NDArray[np.float64]:
        said = predict(_trained(start, learned), EXPERIMENT.as_they_are([films[place] for place in held]))
        rows = [
            np.column_stack([np.full(len(found), place), found.corners, found.classes, found.scores])
            for place, found in zip(held, said.found, strict=True)
        ]
        return np.concatenate(rows)

    key = _key(start, learned, films)
    return kept(UNFINISHED / "boxes", key, answer).reshape(-1, COLUMNS)


def _predictions(films: tuple[BoxedImage, ...], parts: Sequence[NDArray[np.float64]]) -> DetectionPredictions:
    """Kept boxes as the predictions that they were."""
    rows = np.concatenate([np.empty((0, COLUMNS)), *parts])
    of_film = [rows[rows[:, 0] == place] for place in range(len(films))]
    return DetectionPredictions(
        classes=EXPERIMENT.classes,
        found=tuple(Boxes(some[:, 1:5], some[:, 5].astype(np.int64), some[:, 6]) for some in of_film),
        true=_true_boxes(films),
        losses=np.full(len(films), np.nan),
        patients=np.array([film.patient for film in films], dtype=np.str_),
        files=tuple(film.path.name for film in films),
    )


@cache
def _true_boxes(films: tuple[BoxedImage, ...]) -> tuple[Boxes, ...]:
    """The boxes in the px in which the network sees the films."""
    _, targets = EXPERIMENT.as_they_are(films).batch(torch.arange(len(films)))
    return tuple(
        Boxes(one["boxes"].double().numpy(), one["labels"].numpy(), np.ones(len(one["labels"]))) for one in targets
    )


def _trained(start: str, learned: tuple[BoxedImage, ...]) -> nn.Module:
    """A network after this training, which goes on where it was interrupted."""
    if start == PHANTOMS:
        return trained(ON_PHANTOMS, SEED, *ON_PHANTOMS.training_data(PHANTOM_FOLDER), RESULTS)
    model = _trained(PHANTOMS, ()) if start in (FIRST, FIRST_INSERTED) else EXPERIMENT.new_network(SEED)
    changed = replace(EXPERIMENT, inserts=start in (INSERTED, FIRST_INSERTED)).changed(learned)
    key = _key(start, learned)
    file = UNFINISHED / "networks" / f"{key[:16]}.pt"
    config = replace(EXPERIMENT.config, seed=SEED)
    fit_whole(model, changed, EXPERIMENT.as_they_are(learned[:1]), config, checkpoint=file)
    return model


def _key(start: str, *several: Sequence[BoxedImage]) -> str:
    """Another one for other films or boxes, another training, other simulated films, other weights or another torch."""
    weights, phantoms = EFFICIENTNET_LITE0.sha256, (ON_PHANTOMS, SIMULATED.to_json())
    constants = {name: value for name, value in vars(inserted_nodules).items() if name.isupper()}
    inserted = inserted_nodules.InsertNodules(0, 1), constants
    told = [
        [(film.path.name, film.path.stat().st_size, film.patient, film.boxes, film.labels) for film in films]
        for films in several
    ]
    return digest((start, SEED, EXPERIMENT, phantoms, inserted, weights, torch.__version__, told))


STUDY = Study(
    name="real_nodules",
    question="What do simulated films and simulated nodules teach about real nodules?",
    factors=("start",),
    cases=cases,
    measure=measure,
    modality=CHEST_FINDINGS.name,
    sources=("real",),
)
