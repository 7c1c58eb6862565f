"""How well sarcomas are outlined in CT: each patient by a network that never saw it, beside what needs no network.

The networks share nine of their ten patients, and intervals over patients do not count that another training would say
something else: with so few patients they are rather too narrow. The boxes are exact, as no hand draws them. And what is
called true was outlined on MR, so that part of the distance is that of the two scans.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from course_lib.authoring.measure import RESULTS
from course_lib.data.splits import folds_by_patient
from course_lib.data.volume_data import VolumeDataset
from course_lib.data.volume_folder import OutlinedVolume
from course_lib.evaluation.intervals import bootstrap_intervals, compare, with_interval
from course_lib.evaluation.segmentation import ImageScores, SegmentationPredictions
from course_lib.modalities.sarcoma_ct.contrast import contrast_of
from course_lib.modalities.sarcoma_ct.reader import read_patients
from course_lib.modalities.sarcoma_ct.recipe import Sarcomas, scored, soft_tissue
from course_lib.support.errors import DataError
from course_lib.support.files import digest
from course_lib.support.runtime import existing_folder
from course_lib.training.checkpoints import identity_of
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole

NETWORK = "a network that learned from others"
USUAL = "without looking (where others' tumours lie in their boxes)"
GREYS = "by grey values (soft tissue in the box, largest part)"
BOTH = "by both (soft tissue where others' tumours lie)"


def main(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``sarcomas``; prints one line a figure, and keeps them in build/measure/."""
    parser.add_argument("folder", help="real volumes, <patient>/CT_image.nii.gz with CT_mask.nii.gz")
    folder = parser.parse_args(arguments).folder
    if (root := existing_folder(folder)) is None:
        raise DataError(f"There is no folder {folder}. Name one that holds a folder for each patient.")
    RESULTS.mkdir(parents=True, exist_ok=True)
    page = measure(Sarcomas(), read_patients(root), RESULTS)
    print(page)
    (RESULTS / "sarcoma_ct.txt").write_text(page + "\n", encoding="utf-8")
    return 0


def measure(experiment: Sarcomas, samples: Sequence[OutlinedVolume], folder: Path) -> str:
    """One line a figure, with its 95 % interval over the patients; what is trained is kept in the folder.

    Raises:
        DataError: there are fewer patients than folds, or a file is not as expected.
    """
    contrast = contrast_of(samples)
    data = experiment.data(samples)
    said = left_out(experiment, samples, data, folder)
    answers = {who: scored(outlines) for who, outlines in {NETWORK: said, **without_network(said, data)}.items()}
    listed = digest([f"{sample.patient}: {sample.path.stat().st_size}" for sample in samples], 8)
    return "\n".join(
        [
            f"{len(samples)} volumes of {len(set(data.patients))} patients, each outlined within its box by one of "
            f"{experiment.folds} networks that learned from the others (list of files: {listed}).",
            *_each_patient(answers, contrast),
            *(line for who, scores in answers.items() for line in _lines(scores, who)),
            *_differences(answers),
            *_lines(contrast, f"mean of {len(contrast)} patients"),
        ]
    )


def left_out(
    experiment: Sarcomas, samples: Sequence[OutlinedVolume], data: VolumeDataset, folder: Path
) -> SegmentationPredictions:
    """What is said of each patient by the network of the fold that this patient is in, in the order of the data.

    Every epoch is kept in the folder, so that an interrupted call goes on; what is done is not done again.

    Raises:
        DataError: there are fewer patients than folds.
    """
    place = {sample.path: number for number, sample in enumerate(samples)}
    folds = folds_by_patient(samples, experiment.folds)
    learned_of = experiment.data(samples, changed=True)
    parts, places = [], []
    for number, (others, left) in enumerate(folds):
        learned, judged = ([place[sample.path] for sample in part] for part in (others, left))
        train, shown = learned_of.take(learned), data.take(learned[:1])  # the last epoch counts, so nothing is chosen
        model, config = experiment.new_network(number), replace(experiment.config, seed=number)
        print(f"Network {number + 1} of {len(folds)}: without {', '.join(one.patient for one in left)}", flush=True)
        key = digest(identity_of(model, train, shown, config), 16)
        fit_whole(model, train, shown, config, checkpoint=folder / f"{key}.pt")
        parts.append(predict(model, data.take(judged)))
        places += judged
    return data.task.join(parts).take(np.argsort(places))


def without_network(said: SegmentationPredictions, data: VolumeDataset) -> dict[str, SegmentationPredictions]:
    """What is reached without one, of the same volumes."""
    usual, greys = data.task.baseline(said), replace(said, predicted=soft_tissue(data))
    both = tuple(np.minimum(one, other) for one, other in zip(usual.predicted, greys.predicted, strict=True))
    return {USUAL: usual, GREYS: greys, BOTH: replace(said, predicted=both)}


def _each_patient(answers: Mapping[str, ImageScores], contrast: ImageScores) -> list[str]:
    """A line for each patient: the first metric of each answer, and how much the tumour stands out."""
    rows = []
    for number, patient in enumerate(contrast.patients):
        dice = ", ".join(f"{scores.values[number, 0]:.2f}" for scores in answers.values())
        rows.append(f"{patient}: {dice}; {contrast.values[number, 0]:+.1f} HU")
    first = next(iter(answers.values())).labels[0]
    return [f"{first} by {'; '.join(answers)}. Then {contrast.labels[0]}:", *rows]


def _lines(scores: ImageScores, who: str) -> list[str]:
    figures = {name: partial(ImageScores.mean, label=name) for name in scores.labels}
    ends = bootstrap_intervals(scores, figures)
    return [f"{name}, {who}: {with_interval(figure(scores), *ends[name])}" for name, figure in figures.items()]


def _differences(answers: Mapping[str, ImageScores]) -> list[str]:
    """How much higher the first metric of the network is than that of each other answer, on the same patients."""
    network, *others = answers
    name = answers[network].labels[0]
    apart = {
        other: compare(answers[network], answers[other], partial(ImageScores.mean, label=name)) for other in others
    }
    return [f"{name}, {network} less {other}: {difference}" for other, difference in apart.items()]
