"""Studies: what is too long for a lesson, run once and kept as a few numbers, which the notebooks draw.

`study` says what a study is and keeps its results, `methods` what those of X-rays share and `brain_slices` those of
brain tumours, `command` carries them out; each other module is one study.
"""

from course_lib.authoring.studies import (
    dimensions,
    finetuning,
    learning_curves,
    nodule_detectors,
    nodule_dimensions,
    nodule_losses,
    nodule_readers,
    phantoms_to_ct,
    real_nodules,
    sim_to_real,
    slice_splits,
    wrong_labels,
)

STUDIES = {
    module.STUDY.name: module.STUDY
    for module in (
        finetuning,
        learning_curves,
        wrong_labels,
        slice_splits,
        sim_to_real,
        dimensions,
        nodule_losses,
        nodule_dimensions,
        nodule_readers,
        phantoms_to_ct,
        nodule_detectors,
        real_nodules,
    )
}
