"""How different a tumour is from what surrounds it, in Hounsfield units: whether CT can show its border at all."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from sklearn.metrics import roc_auc_score

from course_lib.data.volume_folder import OutlinedVolume
from course_lib.data.volumes import read_label_map, read_volume
from course_lib.evaluation.segmentation import ImageScores
from course_lib.modalities.sarcoma_ct.reader import LABELS
from course_lib.modalities.sarcoma_ct.recipe import SOFT_TISSUE_HU
from course_lib.support.errors import DataError
from course_lib.support.foreign import LONGEST_PATH, printable

SHELL_MM = 5.0  #: on either side of the outline
QUANTITIES = (
    "tumour minus soft tissue around it, in HU",
    "the same, whichever is brighter",
    "spread of the tumour, in HU",
    "part of the border that has soft tissue outside",
    "AUROC of a voxel's HU, tumour against soft tissue",
)


def border_contrast(
    hounsfield: NDArray[np.float32], tumour: NDArray[np.bool_], spacing: Sequence[float]
) -> list[float]:
    """The `QUANTITIES` of one volume, in their order.

    Two shells are compared, of `SHELL_MM` inside and outside the outline. Of the outer one, only the soft tissue counts
    where two means are subtracted, for against fat, bone and air a tumour is easily seen. The AUROC is 0.5 where grey
    values tell nothing; whether the tumour is the brighter or the darker of both does not matter for it.

    Raises:
        ValueError: one of the shells has no soft tissue.
    """
    to_border = distance_transform_edt(tumour, spacing) - distance_transform_edt(~tumour, spacing)
    low, high = SOFT_TISSUE_HU
    soft = (hounsfield >= low) & (hounsfield <= high)
    outer = (to_border < 0) & (to_border >= -SHELL_MM)
    within, beside = hounsfield[tumour & soft & (to_border <= SHELL_MM)], hounsfield[outer & soft]
    if not len(within) or not len(beside):
        raise ValueError("Expected soft tissue on both sides of the outline, but one side has none.")
    difference = float(within.mean() - beside.mean())
    auroc = roc_auc_score(np.repeat([1, 0], [len(within), len(beside)]), np.concatenate([within, beside]))
    spread = float(within.std())
    return [difference, abs(difference), spread, float(soft[outer].mean()), max(auroc, 1 - auroc)]


def contrast_of(samples: Sequence[OutlinedVolume]) -> ImageScores:
    """The `border_contrast` of each patient.

    Raises:
        DataError: a file can not be read, or nothing is outlined in it.
    """
    rows = []
    for sample in samples:
        image = read_volume(sample.path)
        tumour = read_label_map(sample.mask, image, LABELS).numpy()[0] > 0
        if not tumour.any():
            raise DataError(
                f"{printable(sample.mask, LONGEST_PATH)} outlines nothing, so that nobody says where to look. Expected "
                "a tumour in every mask: leave the patient out."
            )
        rows.append(border_contrast(image.numpy()[0], tumour, image.spacing))
    patients = np.array([sample.patient for sample in samples])
    return ImageScores(np.array(rows), QUANTITIES, patients, tuple(patients.tolist()))
