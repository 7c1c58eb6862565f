"""CT of the chest as a modality: the real set, the simulated one, and how their files are read."""

from pathlib import Path

from course_lib.data.marked_slices import find_marked
from course_lib.modalities.chest_ct import phantoms
from course_lib.modalities.chest_ct.reader import read_part
from course_lib.modalities.modality import Modality
from course_lib.support.runtime import COURSE_ROOT, Profile

REAL_SET = "lidc-nodules"
SIMULATED_SET = "phantom-chest-ct"


def simulated_folder(profile: Profile) -> Path:
    """The folder of this profile's phantoms, made in some ten seconds if it is not there yet; `full` takes longer.

    Raises:
        PhantomError: their folder holds others.
    """
    settings = phantoms.QUICK_SET if profile.phantom_patients is None else phantoms.FULL_SET
    root = COURSE_ROOT / "datasets" / SIMULATED_SET / f"v{phantoms.VERSION}-{profile.name}"
    return phantoms.make_dataset(root, settings)


CHEST_CT = Modality(
    name="chest_ct",
    images="CT crops of lung nodules",
    real=REAL_SET,
    simulated=SIMULATED_SET,
    task="segmentation",
    read=read_part,
    simulated_folder=simulated_folder,
    counted="slices",
    as_pictures=find_marked,
)
