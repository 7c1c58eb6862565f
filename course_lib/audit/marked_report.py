"""The whole audit of a folder of slices that several readers marked, as findings in words."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from course_lib.audit.image_folders import SPLITS
from course_lib.audit.marked_slices import MarkedInventory, SliceFile, take_marked
from course_lib.audit.report import AuditReport, Finding, Severity
from course_lib.data.outlined_folder import MASK_VALUES
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of

FROM_THE_FRONT = 0.9  #: part of the nodules that some readers left out; of four readers by chance it is 0.25 at most
FEWEST = 10  #: such nodules, or it may be chance


def audit_marked(folder: str | Path) -> AuditReport:
    """Everything that is looked at in a folder of marked slices, which needs some seconds; no file is changed.

    The folder is one of those that `take_marked` reads.

    Raises:
        DataError: the folder is not there, there is no nodule in that layout, or no slice that can be read.
    """
    inventory = take_marked(folder)
    if not inventory.slices:
        raise DataError(
            f"None of the slices in {printable(inventory.root)} can be read (such as "
            f"{some_of(inventory.faults.unreadable) or 'none'}). Copy them again from their source."
        )
    parts = (_people, _files, _masks, _outlines, _readers, _order_of_readers, _copies)
    findings = [finding for look in parts for finding in look(inventory)]
    return AuditReport(printable(Path(folder).resolve().name), tuple(findings))


def _people(inventory: MarkedInventory) -> Iterator[Finding]:
    parts = {split: [one for one in inventory.slices if one.split == split] for split in SPLITS}
    said = [
        f"{split} {len(there):,} slices of {len({one.nodule for one in there}):,} nodules of "
        f"{len({one.patient for one in there}):,} patients"
        for split, there in parts.items()
        if there
    ]
    yield Finding("who is in the data", "ok", f"{'; '.join(said)}; {len(inventory.readers)} readers.")
    patients = [{one.patient for one in there} for there in parts.values()]
    yield _finding(
        "patients in two splits",
        sorted({name for one, other in combinations(patients, 2) for name in one & other}),
        "A model may know these patients already: the score is too good.",
        "Move all nodules of a patient to one side.",
        "stop",
    )


def _files(inventory: MarkedInventory) -> Iterator[Finding]:
    faults = inventory.faults
    stops, again = "Loading stops there.", "Copy it again from its source, or leave the nodule out."
    yield _finding("unreadable files", faults.unreadable, stops, again, "stop")
    if faults.other:
        remedy = "Expected slice-0.png, slice-1.png, …: rename them, or take them out."
        yield _finding("other files", faults.other, "They are not read, or loading stops there.", remedy)
    yield _finding(
        "numbers of slices",
        faults.numbers,
        "Loading stops there: what lies above and below a slice would be something else.",
        "Numbers begin at 0 and have no gap. Find the slice that was lost, or keep one of the two.",
        "stop",
    )
    yield _finding("numbers of readers", faults.readers, stops, "Add masks of 0 where one marked nothing.", "stop")
    yield _finding("missing masks", faults.missing, stops, "Copy it, or make it of 0 if nothing was marked.", "stop")
    yield _finding("masks without a slice", faults.lone, stops, "Find the slice, or take the mask out.", "stop")


def _masks(inventory: MarkedInventory) -> Iterator[Finding]:
    faults = inventory.faults
    yield _finding(
        "masks of another size",
        faults.other_size,
        "It can not be laid over its slice.",
        "Take the mask that was drawn on this slice.",
        "stop",
    )
    yield _finding(
        f"masks that are not {MASK_VALUES[0]} and {MASK_VALUES[1]}",
        faults.other_values,
        "They were saved as JPEG, made smaller with smooth edges, or mean something else.",
        "Find out what the values mean, and make them two by one rule in train and test.",
        "stop",
    )


def _outlines(inventory: MarkedInventory) -> Iterator[Finding]:
    faults = inventory.faults
    yield _finding(
        "slices that nobody marked",
        [one.shown for one in inventory.slices if one.marked and not any(one.marked.values())],
        "A Dice score is 0 or 1, whatever the outline looks like, or does not exist.",
        "Decide whether they count; a mean over slices should say so.",
    )
    yield _finding(
        "masks at the border",
        faults.at_border,
        "The nodule goes on beyond the crop: it is larger than its mask.",
        "Leave these out where sizes are measured.",
    )
    yield _finding(
        "masks in several pieces",
        faults.pieces,
        "A speck far from the nodule is a slip of the pen; but a nodule can look like two in one slice.",
        "Look at them. Remove what is too small to be the nodule, by one rule in train and test.",
    )


def _readers(inventory: MarkedInventory) -> Iterator[Finding]:
    slices, readers = inventory.slices, inventory.readers
    marks = {number: sum(one.marked.get(number, False) for one in slices) for number in readers}
    together = Counter(sum(one.marked.values()) for one in slices)
    silent = [number for number in readers if not marks[number]]
    yield Finding(
        "what the readers marked",
        "look" if silent else "ok",
        f"of {len(slices):,} slices {', '.join(f'mask-{number} {n:,}' for number, n in marks.items())}; slices by how "
        f"many readers marked them: {', '.join(f'{n} {together[n]:,}' for n in sorted(together, reverse=True))}.",
        f"{some_of([f'mask-{number}' for number in silent])} is empty everywhere: nothing can be learned from it.",
        "Find out whether its files were lost; else leave this reader out everywhere.",
    )


def _order_of_readers(inventory: MarkedInventory) -> Iterator[Finding]:
    slices, readers = inventory.slices, inventory.readers
    left_out = [who for who in _marked_by(slices).values() if 0 < len(who) < len(readers)]
    first = sum(who == set(readers[: len(who)]) for who in left_out)
    filled = len(left_out) >= FEWEST and first > FROM_THE_FRONT * len(left_out)
    yield Finding(
        "whose masks they are",
        "look" if filled else "ok",
        f"in {first:,} of {len(left_out):,} nodules that some but not all readers marked, the empty masks come last.",
        "The folders were filled from the front: mask-0 is not one reader, but whoever came first.",
        "Do not compare readers by their folders. Take what most of them marked, or all of them at once.",
    )


def _marked_by(slices: Sequence[SliceFile]) -> dict[tuple[str, str], set[int]]:
    """The readers who marked something in a nodule."""
    who: dict[tuple[str, str], set[int]] = defaultdict(set)
    for one in slices:
        who[one.split, one.nodule] |= {number for number, marked in one.marked.items() if marked}
    return who


def _copies(inventory: MarkedInventory) -> Iterator[Finding]:
    same: dict[str, list[SliceFile]] = defaultdict(list)
    for one in inventory.slices:
        same[one.digest].append(one)
    groups = [group for group in same.values() if len(group) > 1]
    across, apart = (sum(_spans(group)[which] for group in groups) for which in (0, 1))
    named = [" = ".join(one.shown for one in group) for group in sorted(groups, key=_spans, reverse=True)]
    yield Finding(
        "duplicates",
        "stop" if across else "look" if groups else "ok",
        f"{len(groups)} groups of slices with the same grey values{_named(named)}; {apart} of them of two "
        f"patients; {across} span two splits.",
        "A copy in the test is an answer that was given away; one in train counts twice.",
        "Keep one of each, and keep it out of the test. In one patient, look whether two nodules are one.",
    )


def _spans(group: Sequence[SliceFile]) -> tuple[bool, bool]:
    """Whether the slices are of two splits, and of two patients."""
    return len({one.split for one in group}) > 1, len({one.patient for one in group}) > 1


def _finding(title: str, found: Sequence[str], effect: str, remedy: str, worst: Severity = "look") -> Finding:
    """Whatever was found, counted, with the names of the first."""
    return Finding(title, worst if found else "ok", f"{len(found):,}{_named(found)}.", effect, remedy)


def _named(names: Sequence[str]) -> str:
    return f" ({some_of(names)})" if names else ""
