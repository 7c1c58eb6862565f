"""Studies: what is too long for a lesson, run once and kept as a few numbers, which the notebooks draw.

`study` says what a study is and keeps its results, `methods` what they share, `command` carries them out; each other
module is one study.
"""

from course_lib.authoring.studies import finetuning, learning_curves, wrong_labels

STUDIES = {study.name: study for study in (finetuning.STUDY, learning_curves.STUDY, wrong_labels.STUDY)}
