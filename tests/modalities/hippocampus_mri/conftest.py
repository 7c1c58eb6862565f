"""A stand-in of the Decathlon's folder: small volumes with an outlined block, and what else its archive holds."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from course_lib.modalities.hippocampus_mri.phantoms import as_nifti

SHAPE = (16, 20, 16)


def write_volume(folder: Path, name: str, *, layout: tuple[str, str] = ("imagesTr", "labelsTr"), seed: int = 0) -> None:
    """A volume in which both parts are brighter than the rest, and its label map."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(SHAPE, np.uint8)
    labels[5:10, 10:16, 4:9], labels[5:10, 4:10, 6:11] = 1, 2
    image = (rng.normal(100, 10, SHAPE) + 60 * labels).astype(np.int16)
    for part, file in zip(layout, (as_nifti(image), as_nifti(labels)), strict=True):
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / name).write_bytes(file)


Maker = Callable[[Iterable[int]], Path]


@pytest.fixture
def decathlon(tmp_path: Path) -> Maker:
    """Makes the folder with the volumes of these numbers."""

    def make(numbers: Iterable[int]) -> Path:
        root = tmp_path / "Task04_Hippocampus"
        for number in numbers:
            write_volume(root, f"hippocampus_{number:03d}.nii.gz", seed=number)
        for hidden in ("imagesTr/._hippocampus_001.nii.gz", "labelsTr/._hippocampus_001.nii.gz", "._dataset.json"):
            (root / hidden).write_bytes(b"\0\5\x16\7")
        (root / "dataset.json").write_text("{}", encoding="utf-8")
        (root / "imagesTs").mkdir()
        (root / "imagesTs" / "hippocampus_002.nii.gz").write_bytes(b"no label map")
        return root

    return make
