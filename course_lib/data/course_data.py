"""The three lists of images that a lesson works on, and what is known about them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from course_lib.data.samples import Radiograph
from course_lib.sources.dataset_card import DatasetCard


@dataclass(frozen=True)
class CourseData:
    """Three lists of radiographs that share no patient, and what is known about them. Prints as a small table."""

    name: str
    simulated: bool
    classes: tuple[str, ...]
    train: tuple[Radiograph, ...]
    validation: tuple[Radiograph, ...]
    test: tuple[Radiograph, ...]
    note: str  #: how the three lists came about
    card: DatasetCard | None  #: None for a folder that no card describes

    @property
    def title(self) -> str:
        """The name for figures, which says so if the images are simulated."""
        return f"{self.name} (simulated)" if self.simulated else self.name

    def __str__(self) -> str:
        rows = [f"{'':12}{'images':>8}{'patients':>10}" + "".join(f"{name:>12}" for name in self.classes)]
        for split in ("train", "validation", "test"):
            images: Sequence[Radiograph] = getattr(self, split)
            per_class = Counter(r.label for r in images)
            counts = "".join(f"{per_class[label]:>12}" for label in range(len(self.classes)))
            rows.append(f"{split:12}{len(images):>8}{len({r.patient for r in images}):>10}{counts}")
        notice = [self.card.notice] if self.card and self.card.notice else []
        return "\n".join([self.title, *rows, self.note, *notice])
