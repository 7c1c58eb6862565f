"""Three detectors for the same simulated nodules and masses: what each finds, and what it costs.

Each learns from the same films, as often, by the recipe `chest_findings.recipe.ON_PHANTOMS`, and the last epoch counts,
so that nothing is chosen; no rate was tuned for any of them. "U-Net, heat map" is the network that the lesson builds,
from a random start. The other two begin with the same encoder, which has learned from photographs. Someone who does not
look puts a box where other patients have theirs ("without looking").

What is found in the films of the other patients is kept beside the table, see `detecting_nodules.kept_boxes`, so that
the lesson can judge it in seconds.

Cost: about an hour on two cores. What is trained is kept in build/measure/.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from torch import nn

from course_lib.authoring.measure import RESULTS
from course_lib.authoring.studies.judged_rows import gains, with_ends
from course_lib.authoring.studies.study import Study
from course_lib.data.course_data import CourseData
from course_lib.data.outlines_and_boxes import BoxedDataset
from course_lib.evaluation.coco_precision import coco_average_precision
from course_lib.evaluation.detection import DetectionPredictions, merged
from course_lib.evaluation.studies import Row
from course_lib.lessons.detecting_nodules.kept_boxes import keep_films
from course_lib.modalities.chest_findings.modality import CHEST_FINDINGS
from course_lib.modalities.chest_findings.phantoms import make_dataset
from course_lib.modalities.chest_findings.recipe import (
    FOUND,
    FROC,
    LESION,
    LESIONS,
    ON_PHANTOMS,
    PHANTOM_FOLDER,
    PHANTOMS,
    SIZE,
    BoxedFindings,
)
from course_lib.networks.anchor_detectors import LiteRetinaNet
from course_lib.networks.costs import count_parameters, gflops
from course_lib.networks.detector import HeatmapDetector
from course_lib.networks.lite_detector import LiteHeatmapDetector
from course_lib.support.runtime import seeded
from course_lib.tasks.detection import Detection
from course_lib.training.inference import predict
from course_lib.training.recipe import trained

NOT_LOOKING, COMPARED_WITH = "without looking", "Lite0, heat map"
DETECTORS: Mapping[str, Callable[[int], nn.Module]] = {
    "U-Net, heat map": lambda classes: HeatmapDetector(classes, channels=3),
    COMPARED_WITH: lambda classes: LiteHeatmapDetector(classes, weights="imagenet"),
    "Lite0, RetinaNet": lambda classes: LiteRetinaNet(classes, weights="imagenet"),
}
SEED = 0


@dataclass(frozen=True)
class OneDetector(BoxedFindings):
    """The same experiment with one of `DETECTORS`."""

    detector: str = COMPARED_WITH

    def new_network(self, seed: int) -> nn.Module:
        """The detector before training."""
        with seeded(seed):
            return DETECTORS[self.detector](len(self.classes))


def cases(_: CourseData[Any]) -> list[Row]:
    """Who does not look, and each detector."""
    return [{"detector": name, "seed": SEED} for name in (NOT_LOOKING, *DETECTORS)]


def measure(_: CourseData[Any], case: Row) -> Row:
    """FROC score of nodules and masses as one class and the part found at one false alarm per film, each with its 95 %
    interval over patients; average precision at the same hits, and COCO's; and the costs.

    ``gain`` is the difference of the FROC score to `COMPARED_WITH`, ``found_gain`` that of the part found, on the same
    patients. With the last detector, what all have found is kept for the lesson.
    """
    name, compared = str(case["detector"]), _said(COMPARED_WITH)
    said = Detection(ON_PHANTOMS.classes).baseline(compared) if name == NOT_LOOKING else _said(name)
    ours, other = ON_PHANTOMS.scored(said), ON_PHANTOMS.scored(compared)
    froc, found = (ON_PHANTOMS.figures(ours)[figure] for figure in (FROC, FOUND))
    row = {
        **with_ends(ours, {"froc": froc, "found": found}, "froc"),
        "average_precision": ours.lesions.average_precision(LESION),
        "coco_average_precision": coco_average_precision(merged(said, LESIONS, LESION), LESION),
    }
    if name != COMPARED_WITH:
        row |= gains(ours, other, {"gain": froc, "found_gain": found})
    if name != NOT_LOOKING:
        network = OneDetector(ON_PHANTOMS.recipe, detector=name).new_network(SEED)
        row |= {"weights": count_parameters(network), "gflops": gflops(network, SIZE)}
    if name == [*DETECTORS][-1]:
        keep_films(_tested().samples, {detector: _said(detector) for detector in DETECTORS}, PHANTOMS)
    return row


@cache
def _said(detector: str) -> DetectionPredictions:
    """What the trained detector finds in the test films of the phantoms."""
    experiment = OneDetector(ON_PHANTOMS.recipe, inserts=False, phantoms=PHANTOMS, detector=detector)
    learned, shown = experiment.training_data(PHANTOM_FOLDER)
    said: DetectionPredictions = predict(trained(experiment, SEED, learned, shown, RESULTS), _tested())
    return said


@cache
def _tested() -> BoxedDataset:
    """The films of the patients whom nobody learned from."""
    make_dataset(PHANTOM_FOLDER, PHANTOMS)
    return ON_PHANTOMS.test_data(PHANTOM_FOLDER)


STUDY = Study(
    name="nodule_detectors",
    question="Which detector finds more simulated nodules and masses, and what does it cost?",
    factors=("detector",),
    cases=cases,
    measure=measure,
    modality=CHEST_FINDINGS.name,
    sources=("phantom",),
    score="froc",
)
