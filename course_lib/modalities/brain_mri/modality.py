"""Brain tumours in MRI as a modality: the real set, the simulated one, and how their files are read."""

from course_lib.modalities.brain_mri import phantoms
from course_lib.modalities.brain_mri.figshare import REAL_SET, as_pictures
from course_lib.modalities.brain_mri.reader import read_part
from course_lib.modalities.modality import Modality, made_on_first_use

SIMULATED_SET = "phantom-brain-mri"

BRAIN_MRI = Modality(
    name="brain_mri",
    images="slices of brain tumours",
    real=REAL_SET,
    simulated=SIMULATED_SET,
    task="classification",
    read=read_part,
    simulated_folder=made_on_first_use(SIMULATED_SET, phantoms),
    as_pictures=as_pictures,
)
