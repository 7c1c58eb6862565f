"""NIfTI files that are made for a test: any values, and headers that nibabel itself would not write."""

import struct
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from course_lib.data.volume_folder import OutlinedVolume

AFFINE = np.array([[-1.5, 0, 0, 40], [0, 2, 0, -30], [0, 0, 3, -20], [0, 0, 0, 1]], np.float64)  #: from L to R first
SPACED = np.diag([2.0, 2.0, 2.0, 1.0])
AT = {
    "dim": (40, "8h"),
    "pixdim": (76, "8f"),
    "vox_offset": (108, "f"),
    "scl_slope": (112, "2f"),
    "sform_code": (254, "h"),
    "srow": (280, "12f"),
}


def write(path: Path, values: NDArray[Any], affine: NDArray[np.float64] = AFFINE, **header: Any) -> Path:
    """A NIfTI-1 file with these values; ``header`` are fields of the header, set before it is written."""
    image = nibabel.Nifti1Image(values, affine, dtype=values.dtype)
    image.set_qform(None, code=0)
    for name, value in header.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def patch(path: Path, name: str, *numbers: float) -> Path:
    """Write other numbers into the header of an uncompressed file, from where this field begins."""
    content = bytearray(path.read_bytes())
    place, form = AT[name]
    struct.pack_into(f"<{len(numbers)}{form[-1]}", content, place, *numbers)
    path.write_bytes(content)
    return path


def outlined_balls(folder: Path, patients: int, side: int = 16, seed: int = 0) -> list[OutlinedVolume]:
    """Noise with a bright ball anywhere, of voxels of 2 mm, and its label map."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    places = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), axis=-1)
    samples = []
    for number in range(patients):
        centre, radius = rng.uniform(5, side - 6, 3), rng.uniform(3, 4.5)
        ball = ((places - centre) ** 2).sum(axis=-1) <= radius**2
        image = write(
            folder / f"b{seed}{number}.nii", (100 + 60 * ball + rng.normal(0, 20, ball.shape)).astype(np.int16), SPACED
        )
        mask = write(folder / f"b{seed}{number}_mask.nii.gz", ball.astype(np.uint8), SPACED)
        samples.append(OutlinedVolume(image, mask, f"p{seed}{number}"))
    return samples
