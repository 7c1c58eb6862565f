"""Labels that nobody gave: a network's own surest answers, for others to learn from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from course_lib.data.samples import LabelledImage
from course_lib.evaluation.predictions import Predictions


def labelled_by(predictions: Predictions, samples: Sequence[LabelledImage], part: float) -> list[LabelledImage]:
    """The images with the lowest scores as the first class, those with the highest as the second, the rest left out.

    ``part`` of all images, above 0 and at most 0.5, goes to each class, however rare it is in truth: where a class has
    fewer images than that, some of its new labels must be wrong. Ties fall to the earlier image. The labels that the
    samples come with play no part.

    Raises:
        ValueError: the part is out of range, there are too few images for it, or the predictions are of other images.

    Source: D.-H. Lee, Pseudo-Label, ICML workshop on challenges in representation learning, 2013.
    """
    if not 0 < part <= 0.5:
        raise ValueError(f"part must be above 0 and at most 0.5, but is {part}.")
    if predictions.files != tuple(sample.path.name for sample in samples):
        raise ValueError("The predictions must be of the same images as the samples, in the same order.")
    count = int(part * len(samples))
    if not count:
        raise ValueError(f"Of {len(samples)} images, {part:g} is not a single one. Take more images.")
    order = np.argsort(predictions.scores, kind="stable")
    label_of = dict.fromkeys(order[:count].tolist(), 0) | dict.fromkeys(order[-count:].tolist(), 1)
    return [replace(samples[i], label=label_of[i]) for i in sorted(label_of)]
