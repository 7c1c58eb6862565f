"""The three lists of images or volumes that a lesson works on, and what is known about them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import torch

from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.transforms import Preprocessing
from course_lib.sources.dataset_card import DatasetCard
from course_lib.tasks.task import Sample

S = TypeVar("S", bound=Sample, covariant=True)


@dataclass(frozen=True)
class CourseData(Generic[S]):
    """Three lists of samples that share no patient, and what is known about them. Prints as a small table."""

    name: str
    simulated: bool
    classes: tuple[str, ...]  #: in the order of their labels; of a segmentation the background is first
    train: tuple[S, ...]
    validation: tuple[S, ...]
    test: tuple[S, ...]
    note: str  #: how the three lists came about
    card: DatasetCard | None  #: None for a folder that no card describes
    counted: str = "images"  #: what the samples are

    @property
    def title(self) -> str:
        """The name for figures, which says so if the images are simulated."""
        return f"{self.name} (simulated)" if self.simulated else self.name

    def cached(
        self: "CourseData[LabelledImage]",
        part: Literal["train", "validation", "test"] | Sequence[LabelledImage],
        how: Preprocessing,
        change: Callable[[torch.Tensor], torch.Tensor] | None = None,
        *,
        skip_unreadable: bool = False,
    ) -> PixelCache:
        """One of the three lists, or some images of them, decoded once and ready for a network, see `PixelCache`.

        Raises:
            UnreadableError: images can not be read (with ``skip_unreadable`` they are named and left out).
            DataError: a file is missing, or the pixels can not be kept.
        """
        images: Sequence[LabelledImage] = getattr(self, part) if isinstance(part, str) else part
        return PixelCache(images, self.classes, how, change, skip_unreadable=skip_unreadable)

    def __str__(self) -> str:
        of_a_class = all(isinstance(sample, LabelledImage) for sample in self.train)
        classes = self.classes if of_a_class else ()  # a mask may hold all of them
        rows = [f"{'':12}{self.counted:>8}{'patients':>10}" + "".join(f"{name:>12}" for name in classes)]
        for split in ("train", "validation", "test"):
            samples: Sequence[S] = getattr(self, split)
            per_class = Counter(getattr(sample, "label", None) for sample in samples)
            counts = "".join(f"{per_class[label]:>12}" for label in range(len(classes)))
            rows.append(f"{split:12}{len(samples):>8}{len({r.patient for r in samples}):>10}{counts}")
        labels = [] if of_a_class else [f"labels: {', '.join(self.classes)}"]
        notice = [self.card.notice] if self.card and self.card.notice else []
        return "\n".join([self.title, *rows, *labels, self.note, *notice])
