"""The three lists of images that a lesson works on, and what is known about them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.transforms import Preprocessing
from course_lib.sources.dataset_card import DatasetCard


@dataclass(frozen=True)
class CourseData:
    """Three lists of radiographs that share no patient, and what is known about them. Prints as a small table."""

    name: str
    simulated: bool
    classes: tuple[str, ...]
    train: tuple[LabelledImage, ...]
    validation: tuple[LabelledImage, ...]
    test: tuple[LabelledImage, ...]
    note: str  #: how the three lists came about
    card: DatasetCard | None  #: None for a folder that no card describes

    @property
    def title(self) -> str:
        """The name for figures, which says so if the images are simulated."""
        return f"{self.name} (simulated)" if self.simulated else self.name

    def cached(
        self,
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
        rows = [f"{'':12}{'images':>8}{'patients':>10}" + "".join(f"{name:>12}" for name in self.classes)]
        for split in ("train", "validation", "test"):
            images: Sequence[LabelledImage] = getattr(self, split)
            per_class = Counter(r.label for r in images)
            counts = "".join(f"{per_class[label]:>12}" for label in range(len(self.classes)))
            rows.append(f"{split:12}{len(images):>8}{len({r.patient for r in images}):>10}{counts}")
        notice = [self.card.notice] if self.card and self.card.notice else []
        return "\n".join([self.title, *rows, self.note, *notice])
