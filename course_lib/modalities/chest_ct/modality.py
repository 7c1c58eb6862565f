"""CT of the chest as a modality: the real set, the simulated one, and how their files are read."""

from course_lib.data.marked_slices import find_marked
from course_lib.modalities.chest_ct import phantoms
from course_lib.modalities.chest_ct.reader import read_part
from course_lib.modalities.modality import Modality, made_on_first_use

REAL_SET = "lidc-nodules"
SIMULATED_SET = "phantom-chest-ct"

CHEST_CT = Modality(
    name="chest_ct",
    images="CT crops of lung nodules",
    real=REAL_SET,
    simulated=SIMULATED_SET,
    task="segmentation",
    read=read_part,
    simulated_folder=made_on_first_use(SIMULATED_SET, phantoms),
    counted="slices",
    as_pictures=find_marked,
)
