"""What others have published on these chest X-rays, to hold beside the end of a run."""

from dataclasses import dataclass

from course_lib.data.course_data import CourseData
from course_lib.data.samples import LabelledImage
from course_lib.evaluation.intervals import with_interval
from course_lib.evaluation.report import Report, Score
from course_lib.modalities.chest_xray.modality import REAL_SET


@dataclass(frozen=True)
class Published:
    """What somebody reports for the official test split of the chest X-rays; None where they do not say."""

    network: str
    source: str  #: as a Markdown link
    auroc: float
    accuracy: float
    sensitivity: float | None = None
    specificity: float | None = None


PUBLISHED = (
    Published(
        "Inception-V3, ImageNet weights",
        "[Kermany et al. 2018](https://doi.org/10.1016/j.cell.2018.02.010)",
        auroc=0.968,
        accuracy=0.928,
        sensitivity=0.932,
        specificity=0.901,
    ),
    Published(
        "ResNet-18, 28 px",
        "[MedMNIST v2](https://doi.org/10.1038/s41597-022-01721-8)",
        auroc=0.944,
        accuracy=0.854,
    ),
    Published(
        "Google AutoML Vision, 28 px",
        "[MedMNIST v2](https://doi.org/10.1038/s41597-022-01721-8)",
        auroc=0.991,
        accuracy=0.946,
    ),
)


@dataclass(frozen=True, repr=False)
class BesidePublished:
    """A report beside published figures, and whether they may stand side by side. Shows itself as a table."""

    report: Report
    test_images: int
    may_compare: bool  #: the test images are the same
    verdict: str

    def _repr_markdown_(self) -> str:
        names = ("AUROC", "accuracy", "sensitivity", "specificity")
        rows = [f"| | test images | {' | '.join(names)} |", "|---" * (2 + len(names)) + "|"]
        rows.append(f"| this run | {self.test_images} | {' | '.join(_cell(self.report[name]) for name in names)} |")
        for other in PUBLISHED:
            values = [getattr(other, name.lower()) for name in names]
            cells = " | ".join("" if value is None else f"{value:.3f}" for value in values)
            rows.append(f"| {other.network}, {other.source} | 624 | {cells} |")
        return "\n".join([*rows, "", f"**{self.verdict}**"])

    def __repr__(self) -> str:
        return self._repr_markdown_()


def beside_published(report: Report, data: CourseData[LabelledImage]) -> BesidePublished:
    """The report of a test beside `PUBLISHED`, with a sentence on what may be compared."""
    images = len(data.test)
    official = sum(data.card.counts["test"].values()) if data.card and data.card.slug == REAL_SET else 0
    if data.simulated:
        verdict = "Nothing may be compared: the images of this run are simulated, the others are of children."
    elif not official:
        verdict = "Nothing may be compared: this run was tested on other images, with other labels."
    elif images != official:
        verdict = (
            f"A mark, and no match: this run was tested on {images} images, the others on {official}. Those that only "
            "one side has may be easier or harder."
        )
    else:
        verdict = (
            f"The {official} test images are the same, so the figures may stand side by side. How often others have "
            "looked at them before, nobody knows."
        )
    return BesidePublished(report, images, bool(official) and images == official, verdict)


def _cell(score: Score) -> str:
    return with_interval(score.value, score.low, score.high)
