"""Looking at a data set before training on it: what is in a folder, and what in it would make a score a lie.

In reading order: `image_folders` (where images lie), `inventory` (every file is opened once), `people` (who is in the
data, leaks, small splits), `duplicates`, `quick_models` (how a suspicion is measured), `shortcuts` (what gives the
label away), `shift` (train against test), `labels` (which may be wrong), `pictures` (blank, negative, blurred),
`masks` (that do not fit their images), `report` (all of it, in words), `spoil` (a dirty folder to practise on) and
`wrong_labels` (labels flipped on purpose, and found again). The classes are whatever folders there are. For volumes
with label maps: `volume_folders` (what belongs together), `volumes` (each is read once), `volume_copies` (copies and
mirror images) and `volume_report` (all of it, in words). For slices that several readers marked: `marked_slices` (each
is read once) and `marked_report` (all of it, in words). For films with a table of boxes: `boxed_films` (films and rows,
each read once), `boxed_rows` (what is wrong with boxes) and `boxed_report` (all of it, in words). No network is trained
here; everything takes seconds.
"""

from course_lib.audit.boxed_films import BoxedInventory, take_boxed
from course_lib.audit.boxed_report import audit_boxed
from course_lib.audit.duplicates import (
    SYMMETRIES,
    Duplicates,
    Pair,
    difference_hash,
    find_duplicates,
    hash_distances,
    perceptual_hash,
)
from course_lib.audit.inventory import ImageFile, Inventory, take_inventory
from course_lib.audit.labels import LabelNoise, Suspect, doubt_labels
from course_lib.audit.marked_report import audit_marked
from course_lib.audit.marked_slices import MarkedInventory, SliceFile, take_marked
from course_lib.audit.masks import MaskFaults, check_masks
from course_lib.audit.people import LeakEffect, People, SplitCount, count_people, measure_leak
from course_lib.audit.pictures import OddPictures, find_odd_pictures
from course_lib.audit.quick_models import QuickScore
from course_lib.audit.report import AuditReport, Finding, audit
from course_lib.audit.shift import Shift, compare_splits
from course_lib.audit.shortcuts import (
    Shortcut,
    blind_model,
    corner_model,
    file_properties,
    grey_scale_model,
    judge_properties,
    picture_model,
    tile_scores,
)
from course_lib.audit.spoil import Dirt, DirtyFolder, make_dirty_copy
from course_lib.audit.volume_copies import VolumeCopies, find_mirrored, find_volume_copies
from course_lib.audit.volume_report import audit_volumes
from course_lib.audit.volumes import (
    LabelMapFile,
    Structure,
    VolumeFile,
    VolumeInventory,
    take_volumes,
)
from course_lib.audit.wrong_labels import doubted_places, flip_labels, judged_by_others, standing_out

__all__ = [
    "SYMMETRIES",
    "AuditReport",
    "BoxedInventory",
    "Dirt",
    "DirtyFolder",
    "Duplicates",
    "Finding",
    "ImageFile",
    "Inventory",
    "LabelMapFile",
    "LabelNoise",
    "LeakEffect",
    "MarkedInventory",
    "MaskFaults",
    "OddPictures",
    "Pair",
    "People",
    "QuickScore",
    "Shift",
    "Shortcut",
    "SliceFile",
    "SplitCount",
    "Structure",
    "Suspect",
    "VolumeCopies",
    "VolumeFile",
    "VolumeInventory",
    "audit",
    "audit_boxed",
    "audit_marked",
    "audit_volumes",
    "blind_model",
    "check_masks",
    "compare_splits",
    "corner_model",
    "count_people",
    "difference_hash",
    "doubt_labels",
    "doubted_places",
    "file_properties",
    "find_duplicates",
    "find_mirrored",
    "find_odd_pictures",
    "find_volume_copies",
    "flip_labels",
    "grey_scale_model",
    "hash_distances",
    "judge_properties",
    "judged_by_others",
    "make_dirty_copy",
    "measure_leak",
    "perceptual_hash",
    "picture_model",
    "standing_out",
    "take_boxed",
    "take_inventory",
    "take_marked",
    "take_volumes",
    "tile_scores",
]
