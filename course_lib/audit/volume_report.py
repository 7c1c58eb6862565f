"""The whole audit of a folder of volumes and label maps, as findings in words."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from course_lib.audit.pictures import robust_distance
from course_lib.audit.report import AuditReport, Finding, Severity
from course_lib.audit.volume_copies import Groups, find_mirrored, find_volume_copies
from course_lib.audit.volumes import Structure, VolumeInventory, by, take_volumes
from course_lib.sources.dataset_card import DatasetCard
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of

SAME_SPACING = 0.05  #: by which part spacings may differ; a network that allows for patients of all sizes allows for it
TILTED = 1.0  #: degrees; at one end of a head of 200 mm, this is a shift of 3 mm against the other
ONE_SCALE = 10.0  #: how many times the contrast of one volume may be that of another
GAP = 3.0  #: times the contrast of the next lower volume, from which on a volume is of another group
SPECKS = 0.01  #: part of a label's voxels; to lose them costs 0.005 of the Dice, and scores are given to 0.01
FAR = 3.5  #: robust standard deviations from the median; Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993


def audit_volumes(
    folder: str | Path, *, card: DatasetCard | None = None, only: Collection[Path] | None = None
) -> AuditReport:
    """Everything that is looked at in a folder of volumes, which needs some seconds; no file is changed.

    The folder, the card and ``only`` are those of `take_volumes`. What most volumes have counts as usual, so a fault
    that all of them share is not found.

    Raises:
        DataError: the folder is not there, there is no volume in one of the layouts, or none that can be read.
    """
    inventory = take_volumes(folder, card, only)
    if not inventory.files:
        raise DataError(
            f"None of the {len(inventory.unreadable)} volumes in {printable(inventory.root)} can be read (such as "
            f"{inventory.unreadable[0]}). Copy them again from their source."
        )
    parts = (_people, _files, _grids, _values, _label_maps, _structures, _copies)
    findings = [finding for look in parts for finding in look(inventory)]
    return AuditReport(printable(Path(folder).resolve().name), tuple(findings))


def _people(inventory: VolumeInventory) -> Iterator[Finding]:
    patients: dict[str, set[str]] = {}
    for file in inventory.files:
        patients.setdefault(file.split, set()).add(file.patient)
    counts = Counter(file.split for file in inventory.files)
    said = "; ".join(
        f"{split} {n:,} volumes" + (f" of {len(patients[split]):,} patients" if inventory.knows_patients else "")
        for split, n in counts.items()
    )
    mapped = sum(file.label_map is not None for file in inventory.files)
    yield Finding("who is in the data", "ok", f"{said}; {mapped:,} of {len(inventory.files):,} have a label map.")
    if not inventory.knows_patients:
        yield Finding(
            "patients",
            "look",
            "the file names do not say whose volume it is; every volume counts as a patient here.",
            "Whether a patient is on both sides of a split can not be known.",
            "Ask for a list of patients, and describe the names in a data card (file_names).",
        )
    shared = sorted({name for one, other in combinations(patients.values(), 2) for name in one & other})
    yield _finding(
        "patients in two splits",
        shared,
        "A model may know these patients already: the score is too good.",
        "Move all volumes of a patient to one side.",
        "stop",
    )


def _files(inventory: VolumeInventory) -> Iterator[Finding]:
    again = "Copy it again from its source, or leave it out."
    yield _finding("unreadable files", inventory.unreadable, "Loading stops there.", again, "stop")
    if inventory.other:
        remedy = "Convert them to NIfTI, or take them out."
        yield _finding("other files", inventory.other, "They are not read.", remedy)
    yield _finding(
        "volumes without label map",
        inventory.without_label_map,
        "Nothing can be learned from them, or measured.",
        "Find the label map; it must have the name of its volume.",
    )
    yield _finding(
        "label maps without volume",
        inventory.without_volume,
        "A patient is missing, or a name was changed on one side only.",
        "Find the volume, or take the label map out.",
    )


def _grids(inventory: VolumeInventory) -> Iterator[Finding]:
    files = inventory.files
    axes = Counter(file.axes for file in files)
    yield Finding(
        "orientation",
        "look" if len(axes) > 1 else "ok",
        _counts(axes) + _named([file.shown for file in files if file.axes != axes.most_common(1)[0][0]]) + ".",
        "The first axis of one array runs to another side of the patient than that of the next.",
        "Turn all of them on reading: torchio.ToCanonical().",
    )
    yield _finding(
        "tilted volumes",
        [f"{file.shown} by {file.tilt_degrees:.0f}°" for file in files if file.tilt_degrees > TILTED],
        "The axes of the array are not those of the patient. Whoever reads only the spacing loses the angle.",
        "Decide whether it matters; if so, resample all volumes to one grid with torchio.Resample.",
    )
    spacing = np.array([file.spacing_mm for file in files])
    usual = np.median(spacing, axis=0)
    odd = [f for f, own in zip(files, spacing, strict=True) if (np.abs(own / usual - 1) > SAME_SPACING).any()]
    yield Finding(
        "spacing",
        "look" if odd else "ok",
        f"mostly {by(usual)} mm, from {by(spacing.min(axis=0))} to {by(spacing.max(axis=0))}; others {len(odd)}"
        f"{_named([f'{file.shown} {by(file.spacing_mm)}' for file in odd])}.",
        "A voxel is not the same length everywhere, and one structure has many sizes for a network.",
        "Bring all to one spacing: torchio.Resample, linear for volumes, nearest for label maps.",
    )
    shapes = np.array([file.shape for file in files])
    different = len({file.shape for file in files})
    yield Finding(
        "size",
        "look" if different > 1 else "ok",
        f"{different} different, from {by(shapes.min(axis=0))} to {by(shapes.max(axis=0))} voxels.",
        "A batch needs one shape.",
        "Cut or fill up after resampling: torchio.CropOrPad. Check that no structure is cut off.",
    )


def _values(inventory: VolumeInventory) -> Iterator[Finding]:
    files = inventory.files
    yield _finding(
        "constant volumes",
        [file.shown for file in files if file.constant],
        "There is nothing to see, and whoever divides by the spread gets no numbers.",
        "Copy them again, or leave them out.",
    )
    contrast = np.sort([file.contrast for file in files if file.contrast > 0])
    groups = np.split(contrast, np.flatnonzero(contrast[1:] > GAP * contrast[:-1]) + 1) if len(contrast) else []
    said = ", ".join(f"{group[0]:,.0f} to {group[-1]:,.0f} in {len(group)}" for group in groups)
    yield Finding(
        "range of values",
        "look" if len(contrast) and contrast[-1] > ONE_SCALE * contrast[0] else "ok",
        f"from the darkest 1 % of the voxels to the brightest 1 % it is {said or '0 in all'} volumes.",
        "The numbers of one scanner mean something else than those of another; the largest drown the rest.",
        "Normalise each volume by itself, with torchio.ZNormalization for example. In CT, find out which unit it is.",
    )
    yield _finding(
        "mirrored volumes",
        [f"{files[i].shown} {how}" for i, how in find_mirrored(inventory.small).items()],
        "They look more like the others when they are mirrored: the affine may not tell the truth.",
        "Look at them beside another one. If they are mirrored, mend the file. Left and right can not be guessed.",
    )


def _label_maps(inventory: VolumeInventory) -> Iterator[Finding]:
    mapped = [(file, file.label_map) for file in inventory.files if file.label_map]
    if not mapped:
        return
    yield _finding(
        "label maps on another grid",
        [f"{file.shown} {label_map.elsewhere}" for file, label_map in mapped if label_map.elsewhere],
        "The outline lies on something else than what was outlined.",
        "Find the label map that was drawn on this volume. Resample it only if both affines are right.",
        "stop",
    )
    known = {0, *inventory.labels}
    strange = [(file, [value for value in label_map.values if value not in known]) for file, label_map in mapped]
    yield _finding(
        "values that are no label",
        [f"{file.shown} {some_of([f'{value:g}' for value in values])}" for file, values in strange if values],
        "Training stops there, or learns a structure that is none. Fractions come from linear resampling.",
        "Make it again with nearest neighbours; find out what an extra value stands for.",
        "stop",
    )
    yield _finding(
        "empty label maps",
        [file.shown for file, label_map in mapped if label_map.values == (0.0,)],
        "Either nothing is there, or nobody outlined it; a network learns the first.",
        "Ask which. Leave out what was not outlined.",
    )
    yield _finding(
        "missing labels",
        [
            f"{file.shown} {name}"
            for value, name in inventory.labels.items()
            for file, label_map in mapped
            if label_map.structures and value not in label_map.structures
        ],
        "The same doubt for one label alone. Its Dice there is 0 or 1, and nothing between.",
        "Ask whether it was taken out, can not be seen, or was forgotten.",
    )
    complete = [bool(f.label_map and f.label_map.structures.keys() >= inventory.labels.keys()) for f in inventory.files]
    small = inventory.small_labels * np.array(complete)[:, None, None, None]
    yield _finding(
        "mirrored label maps",
        [f"{inventory.files[i].shown} {how}" for i, how in find_mirrored(small).items()],
        "They look more like the others when they are mirrored. If the volume does not, one of the two is wrong.",
        "Lay the outline over the volume and look.",
    )


def _structures(inventory: VolumeInventory) -> Iterator[Finding]:
    """Each label against itself in the other label maps."""
    found = {
        printable(name): [
            (file.shown, file.label_map.structures[value])
            for file in inventory.files
            if file.label_map and value in file.label_map.structures
        ]
        for value, name in inventory.labels.items()
    }
    found = {name: structures for name, structures in found.items() if structures}
    if not found:
        return
    usual = {name: Counter(one.pieces for _, one in each).most_common(1)[0][0] for name, each in found.items()}
    odd = [
        f"{file} {name} {one.pieces} and {one.specks:.1%} in specks"
        for name, each in found.items()
        for file, one in each
        if one.specks > SPECKS or one.pieces != usual[name]
    ]
    specks = len({file for each in found.values() for file, one in each if one.specks})
    yield Finding(
        "pieces",
        "look" if odd else "ok",
        f"{', '.join(f'{name} mostly {n}' for name, n in usual.items())}; label maps with specks {specks}; with "
        f"more than {SPECKS:.0%} of a label in them, or another number of pieces {len(odd)}{_named(odd)}.",
        "A speck far from the structure is a slip of the pen, or the work of a threshold.",
        "Look at them. Remove what is too small to be the structure, by one rule in train and test.",
    )
    yield _finding(
        "cut off at the edge",
        [f"{f} {name} {one.at_edge} voxels" for name, each in found.items() for f, one in each if one.at_edge],
        "The structure goes on beyond the volume, or was cut off: its ml are too few.",
        "Look for the whole volume. Leave these out where ml are measured.",
    )
    yield _outliers(
        "volume of the structures",
        found,
        lambda one: float(np.log(one.ml)),
        lambda logarithm: f"{np.exp(logarithm):.2f} ml",
        "Half a structure, another structure, or a patient who is ill: the last one is no fault.",
        "Look at them, and keep those that are right.",
    )
    yield _outliers(
        "side of the structures",
        found,
        lambda one: one.right,
        lambda right: f"{right:.0%}",
        "One side may not have been outlined, or left and right were exchanged.",
        "Look at them, with left and right as the affine says.",
        of="part in the right half of the volume: ",
    )


def _copies(inventory: VolumeInventory) -> Iterator[Finding]:
    copies = find_volume_copies(inventory)
    kinds = {"the same voxels": copies.exact, "mirror images": copies.mirrored, "the same label map": copies.outlines}
    said = "; ".join(f"groups with {kind} {len(groups)}{_named(_joined(groups))}" for kind, groups in kinds.items())
    yield Finding(
        "duplicates",
        "stop" if copies.across_splits else "look" if any(kinds.values()) else "ok",
        f"{said}; {copies.across_splits} span two splits.",
        "A copy in the test is an answer that was given away, mirrored or not; a copy in train counts twice.",
        "Keep one of each, and keep it out of the test.",
    )


def _outliers(
    title: str,
    found: dict[str, list[tuple[str, Structure]]],
    measure: Callable[[Structure], float],
    shown: Callable[[float], str],
    effect: str,
    remedy: str,
    of: str = "",
) -> Finding:
    """What lies far from the median of its label."""
    usual, far = [], []
    for name, each in found.items():
        values: NDArray[np.float64] = np.array([measure(one) for _, one in each])
        low, middle, high = (shown(float(value)) for value in np.quantile(values, [0, 0.5, 1]))
        usual.append(f"{name} {middle} ({low} to {high})")
        distance = np.abs(robust_distance(values, np.ones(len(values), dtype=bool)))
        far += [f"{each[i][0]} {name} {shown(float(values[i]))}" for i in np.flatnonzero(distance > FAR)]
    severity: Severity = "look" if far else "ok"
    return Finding(title, severity, f"{of}{'; '.join(usual)}; far from it {len(far)}{_named(far)}.", effect, remedy)


def _finding(title: str, found: Sequence[str], effect: str, remedy: str, worst: Severity = "look") -> Finding:
    """Whatever was found, counted, with the names of the first."""
    return Finding(title, worst if found else "ok", f"{len(found)}{_named(found)}.", effect, remedy)


def _named(names: Sequence[str]) -> str:
    return f" ({some_of(names)})" if names else ""


def _joined(groups: Groups) -> list[str]:
    return [" = ".join(file.shown for file in group) for group in groups]


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.most_common())
