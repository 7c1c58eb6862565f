"""What a plan is worth that makes voxels coarser where time is short: beside the same minutes at the usual spacing.

python -m tests.benchmarks.planned_volumes [FOLDER] [--minutes 1 3]

FOLDER holds volumes of the hippocampus; without it they are simulated. All are training patients: some are learned
from, the validation patients say which epoch is kept, and Dice is measured on others, in the voxels of the files.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from unittest import mock

import torch
import torchio

from course_lib.authoring.folder_argument import real_folder
from course_lib.data.fingerprint import fingerprint
from course_lib.data.label_resampling import OneHotResample
from course_lib.data.patches import PatchDataset
from course_lib.data.splits import split_by_patient
from course_lib.data.volume_cases import cases_of_volumes, volume_preparation
from course_lib.data.volume_data import VolumeDataset
from course_lib.data.volume_folder import OutlinedVolume
from course_lib.data.volumes import read_label_map, read_volume
from course_lib.evaluation.intervals import bootstrap_interval, compare, with_interval
from course_lib.evaluation.segmentation import ImageScores, SegmentationPredictions, dice, per_image
from course_lib.modalities.registry import open_dataset
from course_lib.support.runtime import seeded
from course_lib.training import plan_budget
from course_lib.training.inference import predict
from course_lib.training.loop import fit
from course_lib.training.planning import Plan, make_plan, network_of, patches_of, training_of


@dataclass(frozen=True)
class Trained:
    """A plan, what its training took, and what came of it."""

    plan: Plan
    minutes: float
    scores: ImageScores


def run(folder: str | None, minutes: Sequence[float]) -> list[str]:
    """A table in Markdown."""
    data = open_dataset("hippocampus_mri", folder or "phantom")
    learned, validation = split_by_patient(data.train, seed=1)
    parts = learned, validation, data.validation
    found = fingerprint(cases_of_volumes(learned, data.classes), data.classes)
    speed = plan_budget.measure_speed(3)
    counts = " / ".join(str(len(part)) for part in parts)
    lines = [
        f"{data.title}: {counts} volumes to learn from, choose by and measure; {speed:,.0f} voxels a second.",
        "",
        "| minutes given | spacing, mm | minutes planned | minutes taken | steps | Dice |",
        "|---|---|---|---|---|---|",
    ]
    for given in minutes:
        coarser = _trained(make_plan(found, given, speed), parts, data.classes)
        rows = [coarser]
        if coarser.plan.coarsened:
            with mock.patch.object(plan_budget, "COARSER", (1.0,)):
                rows.append(_trained(make_plan(found, given, speed), parts, data.classes))
        for row in rows:
            shown = with_interval(row.scores.mean(), *bootstrap_interval(row.scores, ImageScores.mean))
            plan = row.plan
            lines.append(
                f"| {given:g} | {plan.spacing_mm} | {plan.minutes:.2g} | {row.minutes:.2g} | {plan.steps} | {shown} |"
            )
        if len(rows) == 2:
            lines.append(f"| {given:g} | | | | | {compare(rows[0].scores, rows[1].scores, ImageScores.mean)} |")
        print(lines[-1], flush=True)
    return lines


def _trained(plan: Plan, parts: Sequence[Sequence[OutlinedVolume]], labels: Sequence[str]) -> Trained:
    assert plan.spacing_mm is not None
    how = volume_preparation(plan.spacing_mm, plan.shape_voxels, plan.window_hu)
    learned, validation, measured = (VolumeDataset(part, labels, how) for part in parts)
    with seeded(0):
        network = network_of(plan)
    started = time.perf_counter()
    patches: PatchDataset[SegmentationPredictions] = patches_of(plan, learned)
    fit(network, patches, validation, training_of(plan))
    taken = (time.perf_counter() - started) / 60
    answers = in_voxels_of_the_files(predict(network, measured), measured, parts[2], labels)
    return Trained(plan, taken, per_image(answers, lambda found, true, _: dice(found, true)))


def in_voxels_of_the_files(
    answers: SegmentationPredictions, data: VolumeDataset, samples: Sequence[OutlinedVolume], labels: Sequence[str]
) -> SegmentationPredictions:
    """The same answers on the grid of each file, beside what the file says: no coarse measuring."""
    predicted, true, spacings = [], [], []
    for index, sample in enumerate(samples):
        given = read_label_map(sample.mask, read_volume(sample.path), labels)
        affine = data.subject(index).get_image("labels").affine
        answer = torchio.LabelMap(tensor=torch.from_numpy(answers.predicted[index])[None], affine=affine)
        predicted.append(OneHotResample((given.spatial_shape, given.affine))(answer).numpy()[0])
        true.append(given.numpy()[0].astype("uint8"))
        spacings.append(tuple(given.spacing))
    return replace(answers, predicted=tuple(predicted), true=tuple(true), spacings=tuple(spacings))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=real_folder)
    parser.add_argument("--minutes", nargs="+", type=float, default=[1, 3])
    options = parser.parse_args()
    print("\n".join(run(options.folder, options.minutes)))
