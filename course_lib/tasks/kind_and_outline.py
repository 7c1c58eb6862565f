"""Kind and outline: one of several kinds per image, and which of its pixels show what is of that kind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from course_lib.evaluation.classification import auroc
from course_lib.evaluation.kinds_and_outlines import OUTLINED, KindsAndOutlines
from course_lib.evaluation.segmentation import mean_dice
from course_lib.tasks.classification import Classification
from course_lib.tasks.finite import check_finite
from course_lib.tasks.segmentation import Segmentation
from course_lib.tasks.task import Sample

NO_MASK = -1  #: in every pixel of an image whose outline no one drew
OUTLINING = Segmentation(OUTLINED)


class Answer(NamedTuple):
    """What a model says of a batch."""

    kind: torch.Tensor  #: logits [batch, kinds]
    outline: torch.Tensor  #: logits [batch, 2, height, width]: background and tumour


class Truth(NamedTuple):
    """What it should have said."""

    kind: torch.Tensor  #: int64 [batch], each the index of a kind
    outline: torch.Tensor  #: int64 [batch, height, width], 0 or 1; `NO_MASK` everywhere where there is no mask


@dataclass(frozen=True)
class KindAndOutline:
    """Say of which kind the tumour in an image is, and outline it. An image without a mask teaches its kind alone.

    A model answers with an `Answer`; the targets are a `Truth`.

    Source: R. Caruana, Multitask Learning, Machine Learning 28:41-75, 1997, on what one question teaches about another.
    """

    kinds: tuple[str, ...]

    @property
    def score_name(self) -> str:
        """What `score` measures."""
        return "mean of AUROC and Dice"

    @property
    def guessing_loss(self) -> float:
        """The loss of finding every kind as probable as any other, and every pixel as likely tumour as not."""
        return self._naming.guessing_loss + OUTLINING.guessing_loss

    def check_output(self, output: Answer, inputs: torch.Tensor) -> None:
        """Do nothing if a model's output is an `Answer` with a logit per kind, and two per pixel of the inputs.

        Raises:
            ValueError: it is not.
        """
        if not isinstance(output, Answer):
            raise ValueError(f"Expected the model to answer with an Answer, but got {type(output).__name__}.")
        self._naming.check_output(output.kind, inputs)
        OUTLINING.check_output(output.outline, inputs)

    def check_samples(self, samples: Sequence[Sample]) -> None:
        """Do nothing if the target of every sample is the index of a kind; masks are files, which reading looks at.

        Raises:
            DataError: one is not; the message names its file.
        """
        self._naming.check_samples(samples)

    def class_weights(self, targets: Sequence[int]) -> torch.Tensor:
        """What an image of each kind counts when kinds are told apart, so that all count alike: float32 [kinds].

        Raises:
            TrainingError: a kind has no image.
            DataError: a target is not the index of a kind.
        """
        return self._naming.class_weights(targets)

    def loss(
        self, output: Answer, targets: Truth, weights: torch.Tensor | None = None, label_smoothing: float = 0.0
    ) -> torch.Tensor:
        """The loss of the kind and that of the outline, one number; the outline's is 0 where there is no mask.

        ``weights``, float [kinds], and ``label_smoothing`` go to the kind.
        """
        of_kinds = self._naming.loss(output.kind, targets.kind, weights, label_smoothing)
        drawn = _drawn(targets)
        if not drawn.any():
            return of_kinds + 0 * output.outline.sum()  # in several processes, every parameter must have a gradient
        return of_kinds + drawn.float().mean() * OUTLINING.loss(output.outline[drawn], targets.outline[drawn])

    def predictions(self, output: Answer, targets: Truth, samples: Sequence[Sample]) -> KindsAndOutlines:
        """The probability of each kind and of each pixel, beside what is true.

        Raises:
            TrainingError: a probability, or the loss of an outline, is not a number; the message names files.
            DataError: a target is not the index of a kind; the message names files.
        """
        kinds = self._naming.predictions(output.kind, targets.kind, samples)
        places = _drawn(targets).nonzero()[:, 0]
        losses = np.full(len(samples), np.nan)
        if len(places):
            outlines = OUTLINING.predictions(
                output.outline[places], targets.outline[places], [samples[i] for i in places.tolist()]
            )
            losses[places.cpu().numpy()] = outlines.losses
        masks: list[NDArray[np.bool_] | None] = [None] * len(samples)
        for place in places.tolist():
            masks[place] = (targets.outline[place] > 0).cpu().numpy()
        tumours = output.outline.float().softmax(dim=1)[:, 1].to("cpu", torch.float16).numpy()
        return KindsAndOutlines(kinds, tuple(tumours), tuple(masks), losses)

    def join(self, parts: Sequence[KindsAndOutlines]) -> KindsAndOutlines:
        """The predictions of several batches, one after the other."""
        return KindsAndOutlines(
            self._naming.join([part.kinds for part in parts]),
            tuple(found for part in parts for found in part.tumours),
            tuple(mask for part in parts for mask in part.masks),
            np.concatenate([part.losses for part in parts]),
        )

    def loss_of(self, predictions: KindsAndOutlines) -> float:
        """The mean loss, without weights or smoothing.

        Raises:
            TrainingError: the loss of an outline is not a number.
        """
        drawn = predictions.has_mask
        files = [file for file, there in zip(predictions.files, drawn, strict=True) if there]
        check_finite(predictions.losses[drawn], files)
        return self._naming.loss_of(predictions.kinds) + float(predictions.losses[drawn].sum()) / len(predictions)

    def score(self, predictions: KindsAndOutlines) -> float:
        """The mean of two numbers from 0 to 1: the AUROC of the kinds, and the Dice of the images that have a mask."""
        return (auroc(predictions.kinds) + mean_dice(predictions.outlines)) / 2 if predictions.measurable else np.nan

    def baseline(self, predictions: KindsAndOutlines) -> KindsAndOutlines:
        """The same images by someone who does not look: the most frequent kind, and each pixel as in most others.

        What `Segmentation.baseline` outlines; nothing in images without a mask. Tumours lie anywhere, so that it mostly
        is nothing in the others too.
        """
        usual = iter(OUTLINING.baseline(predictions.outlines).predicted if predictions.has_mask.any() else ())
        tumours = tuple(
            (np.zeros(found.shape) if mask is None else next(usual)).astype(np.float16)
            for found, mask in zip(predictions.tumours, predictions.masks, strict=True)
        )
        kinds = self._naming.baseline(predictions.kinds)
        return replace(predictions, kinds=kinds, tumours=tumours, losses=np.full(len(predictions), np.nan))

    @property
    def _naming(self) -> Classification:
        return Classification(self.kinds)


def _drawn(targets: Truth) -> torch.Tensor:
    """Whether there is a mask, bool [batch]."""
    return targets.outline[:, 0, 0] != NO_MASK
