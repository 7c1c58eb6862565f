"""Brain tumours in MRI as a modality: the real set, the simulated one, and how their files are read."""

from pathlib import Path

from course_lib.modalities.brain_mri import phantoms
from course_lib.modalities.brain_mri.figshare import REAL_SET, as_pictures
from course_lib.modalities.brain_mri.reader import read_part
from course_lib.modalities.modality import Modality
from course_lib.support.runtime import COURSE_ROOT, Profile

SIMULATED_SET = "phantom-brain-mri"


def simulated_folder(profile: Profile) -> Path:
    """The folder of this profile's phantoms, made in some ten seconds if it is not there yet; `full` takes longer.

    Raises:
        PhantomError: their folder holds others.
    """
    settings = phantoms.QUICK_SET if profile.phantom_patients is None else phantoms.FULL_SET
    root = COURSE_ROOT / "datasets" / SIMULATED_SET / f"v{phantoms.VERSION}-{profile.name}"
    return phantoms.make_dataset(root, settings)


BRAIN_MRI = Modality(
    name="brain_mri",
    images="slices of brain tumours",
    real=REAL_SET,
    simulated=SIMULATED_SET,
    task="classification",
    read=read_part,
    simulated_folder=simulated_folder,
    as_pictures=as_pictures,
)
