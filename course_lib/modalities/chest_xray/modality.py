"""Chest X-rays as a modality: the real set, the simulated one, and how their files are read."""

from dataclasses import replace
from pathlib import Path

from course_lib.data.image_folder import read_part
from course_lib.modalities.chest_xray import simulator
from course_lib.modalities.modality import Modality
from course_lib.support.runtime import COURSE_ROOT, Profile

REAL_SET = "chest-xray-pneumonia"
SIMULATED_SET = "phantom"


def simulated_folder(profile: Profile) -> Path:
    """The folder of this profile's phantoms, unpacked or made now if it is not there yet.

    Raises:
        PhantomError: the phantoms of the course are missing or damaged, or their folder holds others.
    """
    root = COURSE_ROOT / "datasets" / SIMULATED_SET / f"v{simulator.VERSION}-{profile.name}"
    if profile.phantom_patients is None:
        return simulator.unpack_dataset(simulator.QUICK_ARCHIVE, root)
    train = profile.phantom_patients
    patients = {"train": train, "val": max(2, train // 10), "test": max(2, train // 3)}
    return simulator.make_dataset(root, replace(simulator.QUICK_SET, patients=patients))


CHEST_XRAY = Modality(
    name="chest_xray",
    images="chest X-rays",
    real=REAL_SET,
    simulated=SIMULATED_SET,
    task="classification",
    read=read_part,
    simulated_folder=simulated_folder,
)
