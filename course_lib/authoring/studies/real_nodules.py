"""What simulated films and simulated nodules teach about real nodules: AUROC of films, and the part that is found.

Measured on the training patients of the real set; the test part stays closed. They are parted into `FOLDS` by a hash of
their names. The films of a fold are answered by a network that learned from the patients of the other folds, and the
answers of all folds are judged together. So every film counts once, and no network has seen its patient. The scores of
different networks are not quite on one scale, which costs all cases alike a little, but for the one that needs no real
film and has one network.

The network and the recipe are those of `chest_findings.recipe`, with `EPOCHS`. It begins with what photographs taught
its encoder ("photographs"), or learns from simulated films first ("phantoms first"). "inserted" says that simulated
nodules and masses are inserted into the real training films. "phantoms" sees no real film at all. Someone who does not
look puts a box where other patients have theirs ("without looking"). A training on real films sees each of them
`EPOCHS` times; one from phantoms has seen the simulated ones besides.

The strength of the changes and of what is inserted was chosen on a quarter of these patients, so that the cases with
inserted nodules may look a little too good.

Cost: about an hour and a half on two cores. What is trained is kept in build/studies/.
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
from course_lib.authoring.studies.study import UNFINISHED, Study
from course_lib.data.course_data import CourseData
from course_lib.data.outlines_and_boxes import BoxedImage
from course_lib.evaluation.detection import Boxes, DetectionPredictions
from course_lib.evaluation.intervals import bootstrap_intervals, compare
from course_lib.evaluation.studies import Row
from course_lib.modalities.chest_findings.modality import CHEST_FINDINGS, SIMULATED_SET
from course_lib.modalities.chest_findings.phantoms import VERSION, Settings, make_dataset
from course_lib.modalities.chest_findings.reader import read_part
from course_lib.modalities.chest_findings.recipe import CONFIG, FOUND, FROC, IMAGES, SIZE, BoxedFindings, at_size
from course_lib.networks.packaged_weights import EFFICIENTNET_LITE0
from course_lib.sources.dataset_card import load_card
from course_lib.support.files import digest
from course_lib.training.checkpoints import load_checkpoint, save_checkpoint
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole

NOT_LOOKING, PHANTOMS, PHOTOGRAPHS = "without looking", "phantoms", "photographs"
INSERTED, FIRST, FIRST_INSERTED = "photographs, inserted", "phantoms first", "phantoms first, inserted"
STARTS = (NOT_LOOKING, PHANTOMS, PHOTOGRAPHS, INSERTED, FIRST, FIRST_INSERTED)
SEED = 0
FOLDS = 3
EPOCHS = 8
SIMULATED = Settings({"train": 700}, seed=11, pixels=SIZE)  #: other people than in the sets of `phantoms`
EXPERIMENT = BoxedFindings(at_size(SIZE, replace(CONFIG, epochs=EPOCHS, mixed_precision=False)))
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
    row: dict[str, str | int | float] = {name: figure(ours) for name, figure in figures.items()}
    for name, (low, high) in bootstrap_intervals(ours, figures).items():
        ends = ("low", "high") if name == "auroc" else (f"{name}_low", f"{name}_high")
        row |= dict(zip(ends, (low, high), strict=True))
    if case["start"] != PHOTOGRAPHS:
        others = EXPERIMENT.scored(_answers(films, PHOTOGRAPHS))
        for name, figure in (("gain", figures["auroc"]), ("found_gain", figures["found"])):
            gained = compare(ours, others, figure)
            row |= {name: gained.difference, f"{name}_low": gained.low, f"{name}_high": gained.high}
    return row


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
        return EXPERIMENT.as_they_are(films).task.baseline(_predictions(films, []))
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

    key = _key(start, [film.path.name for film in learned], [film.path.name for film in films])
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
    """A network after this training."""
    model = EXPERIMENT.new_network(SEED)
    if start in (PHANTOMS, FIRST, FIRST_INSERTED):
        path = UNFINISHED / "networks" / f"{_key(PHANTOMS)[:16]}.pt"
        if not path.is_file():
            save_checkpoint(_fitted(model, _simulated(), inserts=False), path)
        load_checkpoint(model, path)
    return model if start == PHANTOMS else _fitted(model, learned, inserts=start in (INSERTED, FIRST_INSERTED))


def _fitted(model: nn.Module, films: Sequence[BoxedImage], *, inserts: bool) -> nn.Module:
    changed = replace(EXPERIMENT, inserts=inserts).changed(films)
    fit_whole(model, changed, EXPERIMENT.as_they_are(films[:1]), replace(EXPERIMENT.config, seed=SEED))
    return model


def _simulated() -> list[BoxedImage]:
    """The simulated films, made on first use, with the recipe's labels."""
    root = make_dataset(UNFINISHED / "films" / f"v{VERSION}-{digest(SIMULATED.to_json(), 8)}", SIMULATED)
    return EXPERIMENT.told(*read_part(root, "train", load_card(SIMULATED_SET)))


def _key(start: str, *more: object) -> str:
    """Another one for another training, other simulated films, other weights to start from, or another torch."""
    return digest((start, SEED, EXPERIMENT, SIMULATED.to_json(), EFFICIENTNET_LITE0.sha256, torch.__version__, more))


STUDY = Study(
    name="real_nodules",
    question="What do simulated films and simulated nodules teach about real nodules?",
    factors=("start",),
    cases=cases,
    measure=measure,
    modality=CHEST_FINDINGS.name,
    sources=("real",),
)
