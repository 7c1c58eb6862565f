"""The hippocampus in MRI as a modality: the real set, the simulated one, and how their files are read."""

from pathlib import Path

from course_lib.modalities.hippocampus_mri import phantoms
from course_lib.modalities.hippocampus_mri.reader import REMARK, read_part
from course_lib.modalities.modality import Modality
from course_lib.support.runtime import COURSE_ROOT, Profile

REAL_SET = "hippocampus-mri"
SIMULATED_SET = "phantom-hippocampus"


def simulated_folder(profile: Profile) -> Path:
    """The folder of this profile's phantoms, made in some ten seconds if it is not there yet; `full` takes longer.

    Raises:
        PhantomError: their folder holds others.
    """
    settings = phantoms.QUICK_SET if profile.phantom_patients is None else phantoms.FULL_SET
    root = COURSE_ROOT / "datasets" / SIMULATED_SET / f"v{phantoms.VERSION}-{profile.name}"
    return phantoms.make_dataset(root, settings)


HIPPOCAMPUS_MRI = Modality(
    name="hippocampus_mri",
    images="volumes of the hippocampus",
    real=REAL_SET,
    simulated=SIMULATED_SET,
    task="segmentation",
    read=read_part,
    simulated_folder=simulated_folder,
    counted="volumes",
    remark=REMARK,
)
