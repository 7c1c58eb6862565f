"""What belongs to one lesson: its exercises and questions, and what no other lesson needs.

A notebook asks here: ``from course_lib.lessons import check, hint, solution, quiz, progress``. One module or package
per notebook bears its name.
"""

from course_lib.exercises import Workbook
from course_lib.lessons import (
    auditing_the_data,
    brain_mri,
    building_net,
    detecting_nodules,
    evaluation,
    explaining_predictions,
    finetuning_resnet,
    preprocessing,
    segmenting_ct,
    small_and_dirty_data,
    start_here,
    volumes,
    your_own_run,
)

WORKBOOK = Workbook(
    (
        start_here.LESSON,
        preprocessing.LESSON,
        auditing_the_data.LESSON,
        building_net.LESSON,
        finetuning_resnet.LESSON,
        evaluation.LESSON,
        explaining_predictions.LESSON,
        small_and_dirty_data.LESSON,
        your_own_run.LESSON,
        volumes.LESSON,
        brain_mri.LESSON,
        segmenting_ct.LESSON,
        detecting_nodules.LESSON,
    )
)
check, hint, solution = WORKBOOK.check, WORKBOOK.hint, WORKBOOK.solution
quiz, progress, reset_progress = WORKBOOK.quiz, WORKBOOK.progress, WORKBOOK.reset_progress
