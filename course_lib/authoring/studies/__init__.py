"""Studies: what is too long for a lesson, run once and kept as a few numbers, which the notebooks draw.

`study` says what a study is and keeps its results, `methods` what they share; each other module is one study.
"""

from course_lib.authoring.studies import finetuning, learning_curves, wrong_labels
from course_lib.authoring.studies.study import Study, carry_out
from course_lib.evaluation.studies import Results, Row, stored

STUDIES = {study.name: study for study in (finetuning.STUDY, learning_curves.STUDY, wrong_labels.STUDY)}

__all__ = ["STUDIES", "Results", "Row", "Study", "carry_out", "stored"]
