"""What a model said of each image about two questions at once, the kind and the outline, beside what is true."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.predictions import Predictions, mean_of
from course_lib.evaluation.segmentation import SegmentationPredictions, dice, per_image

OUTLINED = ("background", "tumour")  #: the labels of an outline

#: Above this probability a pixel belongs to the outline. If probabilities are right, the threshold of the highest Dice
#: is half that Dice; those of a network that learned by Dice are too sure, and of 0.2 to 0.5 the lowest was best, in
#: real slices of folds 1 and 2.
#: Source: Z. C. Lipton et al., Thresholding Classifiers to Maximize F1 Score, 2014, arXiv:1402.1892; F1 is Dice.
SURE_ENOUGH = 0.2


@dataclass(frozen=True)
class KindsAndOutlines:
    """The probability of each kind and of each pixel; there need not be a mask of every image.

    Raises:
        ValueError: the fields do not fit each other.
    """

    kinds: Predictions
    tumours: tuple[NDArray[np.float16], ...]  #: one map [rows, columns] per image: how probably tumour, 0 to 1
    masks: tuple[NDArray[np.bool_] | None, ...]  #: the true outlines, of the same shapes; None where no one drew one
    losses: NDArray[np.float64]  #: [images], of the outlines alone; NaN where there is no mask

    def __post_init__(self) -> None:
        if any(len(field) != len(self.kinds) for field in (self.tumours, self.masks, self.losses)):
            lengths = ", ".join(str(len(field)) for field in (self.tumours, self.masks, self.losses))
            raise ValueError(f"Expected {len(self.kinds)} of each, one per file, but got {lengths}.")
        for found, mask, file in zip(self.tumours, self.masks, self.files, strict=True):
            if mask is not None and mask.shape != found.shape:
                raise ValueError(f"{file}: the map is {found.shape}, the mask {mask.shape}.")

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def patients(self) -> NDArray[np.str_]:
        """[images], whose each is."""
        return self.kinds.patients

    @property
    def files(self) -> tuple[str, ...]:
        """Names, in the same order."""
        return self.kinds.files

    @property
    def has_mask(self) -> NDArray[np.bool_]:
        """[images], whether someone drew the outline."""
        return np.array([mask is not None for mask in self.masks], dtype=np.bool_)

    @property
    def measurable(self) -> bool:
        """Whether every kind has an image, and one image has a mask."""
        return self.kinds.measurable and bool(self.has_mask.any())

    @property
    def outlines(self) -> SegmentationPredictions:
        """The outlines of those images that have a mask, and only of these; distances are in pixels.

        Every metric and figure of outlines takes them.
        """
        pairs = [(found, mask) for found, mask in zip(self.tumours, self.masks, strict=True) if mask is not None]
        chosen = self.has_mask
        return SegmentationPredictions(
            labels=OUTLINED,
            predicted=tuple((found > SURE_ENOUGH).astype(np.uint8) for found, _ in pairs),
            true=tuple(mask.astype(np.uint8) for _, mask in pairs),
            spacings=((1.0, 1.0),) * len(pairs),
            losses=self.losses[chosen],
            patients=self.patients[chosen],
            files=tuple(file for file, there in zip(self.files, chosen, strict=True) if there),
        )

    def take(self, indices: NDArray[np.int64]) -> "KindsAndOutlines":
        """The predictions of some images, in the order of ``indices``; an image may come more than once."""
        return replace(
            self,
            kinds=self.kinds.take(indices),
            tumours=tuple(self.tumours[i] for i in indices),
            masks=tuple(self.masks[i] for i in indices),
            losses=self.losses[indices],
        )

    def measured(self) -> "KindsAndDice":
        """The same kinds, and the Dice of each outline, measured once: patients can be drawn from it fast."""
        values = np.full(len(self), np.nan)
        values[self.has_mask] = per_image(self.outlines, lambda found, true, _: dice(found, true)).values[:, 0]
        return KindsAndDice(self.kinds, values)


def together(several: Sequence[KindsAndOutlines]) -> KindsAndOutlines:
    """What several models say together about the same images: the mean of their probabilities, of kinds and of pixels.

    The losses are the mean of theirs.
    """
    kinds = mean_of([said.kinds for said in several])
    maps = zip(*(said.tumours for said in several), strict=True)
    tumours = tuple(np.stack(each).mean(axis=0, dtype=np.float32).astype(np.float16) for each in maps)
    return replace(several[0], kinds=kinds, tumours=tumours, losses=np.mean([said.losses for said in several], axis=0))


@dataclass(frozen=True)
class KindsAndDice:
    """The probability of each kind, and how well each image was outlined."""

    kinds: Predictions
    dice: NDArray[np.float64]  #: [images], 0 to 1; NaN where there is no mask

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def patients(self) -> NDArray[np.str_]:
        """[images], whose each is."""
        return self.kinds.patients

    @property
    def files(self) -> tuple[str, ...]:
        """Names, in the same order."""
        return self.kinds.files

    @property
    def measurable(self) -> bool:
        """Whether every kind has an image, and one image has a mask."""
        return self.kinds.measurable and not bool(np.isnan(self.dice).all())

    def take(self, indices: NDArray[np.int64]) -> "KindsAndDice":
        """The numbers of some images, in the order of ``indices``; an image may come more than once."""
        return KindsAndDice(self.kinds.take(indices), self.dice[indices])

    def mean_dice(self, kind: str | None = None) -> float:
        """The mean over the images that have a mask, or over those of one kind; NaN where there is none."""
        of_kind = np.ones(len(self), np.bool_) if kind is None else self.kinds.labels == self.kinds.classes.index(kind)
        values = self.dice[of_kind & ~np.isnan(self.dice)]
        return float(values.mean()) if len(values) else float("nan")

    def recall(self, kind: str) -> float:
        """Of the images of one kind, the part that is called so, 0 to 1: its sensitivity; NaN where there is none."""
        called = self.kinds.most_probable[self.kinds.labels == self.kinds.classes.index(kind)]
        return float((called == self.kinds.classes.index(kind)).mean()) if len(called) else float("nan")
