"""The hippocampus in MRI as a modality: the real set, the simulated one, and how their files are read."""

from course_lib.modalities.hippocampus_mri import phantoms
from course_lib.modalities.hippocampus_mri.reader import REMARK, read_part
from course_lib.modalities.modality import Modality, made_on_first_use

REAL_SET = "hippocampus-mri"
SIMULATED_SET = "phantom-hippocampus"

HIPPOCAMPUS_MRI = Modality(
    name="hippocampus_mri",
    images="volumes of the hippocampus",
    real=REAL_SET,
    simulated=SIMULATED_SET,
    task="segmentation",
    read=read_part,
    simulated_folder=made_on_first_use(SIMULATED_SET, phantoms),
    counted="volumes",
    remark=REMARK,
)
