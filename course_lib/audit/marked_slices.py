"""Slices that several readers marked: each file is opened once, and what is wrong with it is said in words.

A folder of them is ``<patient>/nodule-K/{images,mask-0,mask-1,…}/slice-J.png``, in the folder itself or in its folders
``train``, ``val`` and ``test``. Whatever can be read is looked at, so that all faults of a folder are named at once.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from course_lib.audit.image_folders import SPLITS
from course_lib.data.image_file import open_grey, open_mask
from course_lib.data.image_folder import hold_back_test
from course_lib.data.marked_slices import IMAGES, MASK_VALUES, NODULE, READER, SLICE
from course_lib.sources.foreign_image import ImageError, class_folders, entries_in, names_an_image
from course_lib.support.errors import DataError
from course_lib.support.files import digest_of_bytes
from course_lib.support.foreign import printable
from course_lib.support.runtime import progress

CORNERS_TOUCH = np.ones((3, 3), dtype=bool)  #: pixels that meet at a corner belong together


@dataclass(frozen=True)
class SliceFile:
    """One readable slice, and which of its readers marked something."""

    path: Path
    patient: str
    nodule: str
    split: str
    digest: str  #: SHA-256 of size and grey values
    marked: tuple[bool, ...]  #: for each reader whose mask can be read


@dataclass(frozen=True)
class MarkedInventory:
    """What was found in a folder of marked slices; texts are to be printed, each with a place below the folder first."""

    slices: list[SliceFile] = field(default_factory=list)
    masks: int = 0  #: that can be read
    silent: list[str] = field(default_factory=list)  #: readers who marked nothing in any slice of the folder
    readers: list[str] = field(default_factory=list)  #: nodules with another number of them than most have
    numbers: list[str] = field(default_factory=list)  #: of slices: missing or doubled
    missing: list[str] = field(default_factory=list)  #: slices without a mask of one of the readers
    alone: list[str] = field(default_factory=list)  #: masks without a slice
    unreadable: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)  #: files that are neither slice nor mask
    other_size: list[str] = field(default_factory=list)  #: masks, than their slice
    other_values: list[str] = field(default_factory=list)  #: masks, than `MASK_VALUES`
    at_border: list[str] = field(default_factory=list)  #: masks that touch the border of the crop
    specks: list[str] = field(default_factory=list)  #: masks in several pieces
