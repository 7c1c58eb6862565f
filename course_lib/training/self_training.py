"""Labels that nobody gave: a network's own surest answers, for others to learn from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from course_lib.data.samples import LabelledImage
from course_lib.evaluation.predictions import Predictions


def labelled_by(predictions: Predictions, samples: Sequence[LabelledImage], fraction: float) -> list[LabelledImage]:
    """The samples with new labels: the lowest scores get the first class, the highest the second; others are left out.

    So many go to each class, as a ``fraction`` of all images, above 0 and at most 0.5, however rare the class is in
    truth: where it has fewer images than that, some of its new labels must be wrong. Ties fall to the earlier image.
    The labels that the samples come with play no part.

    Raises:
        ValueError: the fraction is out of range, there are too few images for it, or the predictions are of other
            images.

    Source: D.-H. Lee, Pseudo-Label, ICML workshop on challenges in representation learning, 2013.
    """
    if not 0 < fraction <= 0.5:
        raise ValueError(f"fraction must be above 0 and at most 0.5, but is {fraction}.")
    if predictions.files != tuple(sample.path.name for sample in samples):
        raise ValueError("The predictions must be of the same images as the samples, in the same order.")
    count = int(fraction * len(samples))
    if not count:
        raise ValueError(f"Of {len(samples)} images, {fraction:g} is not a single one. Take more images.")
    order = np.argsort(predictions.scores, kind="stable")
    label_of = dict.fromkeys(order[:count].tolist(), 0) | dict.fromkeys(order[-count:].tolist(), 1)
    return [replace(samples[i], label=label_of[i]) for i in sorted(label_of)]
