"""Findings in boxes as a modality: the real set, the simulated one, and how their films are read."""

from course_lib.data.boxed_folder import find_boxed
from course_lib.modalities.chest_findings import phantoms
from course_lib.modalities.chest_findings.reader import read_part
from course_lib.modalities.modality import Modality, made_on_first_use

REAL_SET = "nih-chest-xrays"
SIMULATED_SET = "phantom-chest-findings"

CHEST_FINDINGS = Modality(
    name="chest_findings",
    images="findings in boxes on chest X-rays",
    real=REAL_SET,
    simulated=SIMULATED_SET,
    task="detection",
    read=read_part,
    simulated_folder=made_on_first_use(SIMULATED_SET, phantoms),
    counted="films",
    as_pictures=find_boxed,
)
