"""Images without a finding in the denominator: what "false alarms per image" becomes when there are more or fewer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.detection import ClassNames, Froc, JudgedBoxes


@dataclass(frozen=True)
class AlarmsByKind:
    """The false alarms per image at one threshold, in images with a finding and in those without."""

    with_finding: float  #: false alarms per image; NaN if there is no such image
    without_finding: float
    healthy_share: float  #: the part of the images that has no finding, 0 to 1; NaN if there is no image
    share_with_alarm: float  #: of the images without a finding, the part with at least one alarm, 0 to 1

    @property
    def together(self) -> float:
        """The false alarms per image of all images, as a FROC counts them; NaN if there is no image."""
        return float("nan") if np.isnan(self.healthy_share) else self.at_share(self.healthy_share)

    def at_share(self, healthy_share: float) -> float:
        """The false alarms per image, were so large a part of the images without a finding. 0: none of them is.

        Raises:
            ValueError: the share is not from 0 to 1.
        """
        _check_share(healthy_share)
        parts = ((1 - healthy_share, self.with_finding), (healthy_share, self.without_finding))
        return sum(share * alarms for share, alarms in parts if share)


def has_finding(judged: JudgedBoxes) -> NDArray[np.bool_]:
    """[images], whether an image has a true box of any class. The others are called healthy here.

    They are so only as far as someone looked: a film without a box may show what nobody boxes.
    """
    return np.array(judged.true_counts.any(axis=1), dtype=np.bool_)


def alarms_by_kind(judged: JudgedBoxes, threshold: float, classes: ClassNames = None) -> AlarmsByKind:
    """The false alarms per image of one class, or of several together, in images with and without a finding.

    Boxes with the score of the threshold or more count. A finding of any class makes an image one with a finding.

    Raises:
        ValueError: there is no such class, or the threshold is not a number.
    """
    alarms = judged.false_alarms_from(threshold, classes).astype(np.float64)
    sick = has_finding(judged)
    of_healthy = alarms[~sick]
    return AlarmsByKind(_mean(alarms[sick]), _mean(of_healthy), _mean(~sick), _mean(of_healthy > 0))


def froc_at_share(judged: JudgedBoxes, healthy_share: float, classes: ClassNames = None) -> Froc:
    """The FROC, were so large a part of the images without a finding; 0 counts only those that have one.

    The sensitivity at a threshold stays, and so do the false alarms of each kind of image; only their mix changes. So
    it answers what a set with more healthy people would have shown, if these were like those who are there.

    Raises:
        ValueError: there is no such class, the share is not from 0 to 1, or a kind of image has a share and no image.
    """
    _check_share(healthy_share)
    sick = has_finding(judged)
    for share, images, kind in ((1 - healthy_share, sick, "with"), (healthy_share, ~sick, "without")):
        if share and not images.any():
            raise ValueError(f"No image is {kind} a finding, so that none can stand for {share:.0%} of the images.")
    kinds = [judged.take(np.flatnonzero(images)) for images in (sick, ~sick)]
    curve = judged.froc(classes)
    alarms = np.zeros(len(curve.thresholds))
    for share, part in zip((1 - healthy_share, healthy_share), kinds, strict=True):
        if share:
            of_part = part.froc(classes)
            # At each threshold of the whole curve, the last point of this part's curve that is not yet below it.
            last = np.searchsorted(-of_part.thresholds, -curve.thresholds, side="right") - 1
            alarms += share * of_part.false_alarms[last]
    return Froc(curve.thresholds, alarms, curve.sensitivity)


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"The share of images without a finding must be from 0 to 1, but is {share}.")


def _mean(values: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")
