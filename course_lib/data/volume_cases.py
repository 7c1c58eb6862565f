"""Outlined volumes as plain arrays for a plan, and their preparation as a plan wants it."""

import math
from collections.abc import Iterator, Sequence

import torchio

from course_lib.data.cases import Case
from course_lib.data.label_resampling import OneHotResample
from course_lib.data.volume_folder import OutlinedVolume
from course_lib.data.volumes import read_label_map, read_volume


def cases_of_volumes(samples: Sequence[OutlinedVolume], labels: Sequence[str]) -> Iterator[Case]:
    """The volumes with their axes turned to Right, Anterior, Superior, as the preparation turns them, read one by one.

    Raises:
        DataError: a file can not be read, see `read_volume` and `read_label_map`.
    """
    turn = torchio.ToCanonical()
    for sample in samples:
        image = read_volume(sample.path)
        outlined = read_label_map(sample.mask, image, labels)
        image, outlined = turn(image), turn(outlined)
        yield Case(image.numpy()[0], outlined.numpy()[0], tuple(image.spacing), sample.patient, sample.path.name)


def volume_preparation(
    spacing_mm: Sequence[float], shape: Sequence[int], window_hu: tuple[float, float] | None = None
) -> torchio.Compose:
    """The transform for a `VolumeDataset` that brings all volumes to one orientation, spacing, range and shape.

    With a window, its Hounsfield units become -1 to 1, and what is beyond counts as its edge; without, each volume
    gets greys of mean 0 and spread 1. What a volume lacks of the shape, in voxels, repeats its last values.

    Raises:
        ValueError: spacing or shape have not three numbers above 0, or the window does not rise.
    """
    for name, sides in (("spacing_mm", spacing_mm), ("shape", shape)):
        if len(sides) != 3 or not all(0 < side < math.inf for side in sides):
            raise ValueError(
                f"{name} must be three numbers above 0, for Right, Anterior and Superior, but is {tuple(sides)}. A "
                "plan for volumes has them as spacing_mm and shape_voxels."
            )
    if window_hu is not None and not -math.inf < window_hu[0] < window_hu[1] < math.inf:
        raise ValueError(
            f"window_hu must rise from a lower to a higher Hounsfield unit, but is {window_hu}. Give None for images "
            "whose intensities have no unit."
        )
    scale: Sequence[torchio.Transform] = [torchio.ZNormalization()]
    if window_hu is not None:
        scale = [torchio.Clamp(*window_hu), torchio.RescaleIntensity((-1, 1), in_min_max=window_hu)]
    right, anterior, superior = spacing_mm
    to_grid = [torchio.ToCanonical(), OneHotResample((right, anterior, superior))]
    return torchio.Compose([*to_grid, *scale, torchio.CropOrPad(tuple(shape), padding_mode="edge")])
