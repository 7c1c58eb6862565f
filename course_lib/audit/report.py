"""The whole audit of a folder, as findings in words: what was measured, what it does to a score, what to do."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from course_lib.audit.duplicates import find_duplicates
from course_lib.audit.inventory import Inventory, empty_classes, take_inventory
from course_lib.audit.labels import doubt_labels
from course_lib.audit.masks import check_masks
from course_lib.audit.people import count_people, measure_leak
from course_lib.audit.pictures import find_odd_pictures
from course_lib.audit.shift import compare_splits
from course_lib.audit.shortcuts import Shortcut, blind_model, corner_model, grey_scale_model
from course_lib.data.outlined_folder import MASK_SUFFIX, MASK_VALUES
from course_lib.evaluation.intervals import accuracy_interval
from course_lib.sources.dataset_card import DatasetCard
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of

Severity = Literal["ok", "look", "stop"]
MARKS: dict[Severity, str] = {"ok": "✓ ok", "look": "? look", "stop": "✗ stop"}
LOOK, STOP = 0.65, 0.85  #: AUROC that the lower end of an interval must pass; clean phantoms stayed below 0.63
FEW_IMAGES = 100  #: to choose anything by
DOUBTED = 0.13  #: part of the labels; of clean phantoms 8 to 11 % were doubted, with 6 % wrong labels 16 %
MOST_CHARACTERS = 3000  #: of what was measured
GOOD_ENOUGH = 0.7  #: AUROC below which a model's doubts say nothing


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    title: str
    severity: Severity
    measured: str
    effect: str = ""  #: on a score
    remedy: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "measured", printable(self.measured, MOST_CHARACTERS))  # it holds names of files

    def __str__(self) -> str:
        lines = [f"{MARKS[self.severity]:7} {self.title}: {self.measured}"]
        if self.severity != "ok":
            lines += [f"        {text}" for text in (self.effect, f"→ {self.remedy}" if self.remedy else "") if text]
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class AuditReport:
    """All findings about one folder. Prints as text, and shows itself in a notebook as a page."""

    folder: str
    findings: tuple[Finding, ...]

    def __getitem__(self, title: str) -> Finding:
        return next(finding for finding in self.findings if finding.title == title)

    def titles(self, severity: Severity) -> list[str]:
        """What was found to be of this severity."""
        return [finding.title for finding in self.findings if finding.severity == severity]

    def save(self, path: str | Path) -> Path:
        """Write the page as Markdown; gives the path."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._repr_markdown_() + "\n", encoding="utf-8")
        return path

    def _repr_markdown_(self) -> str:
        head = [f"## Audit of `{self.folder}`", "", self._summary(), "", "| | finding | measured |", "|---|---|---|"]
        rows = [f"| {MARKS[f.severity]} | {f.title} | {_cell(f.measured)} |" for f in self.findings]
        advice = [f"**{f.title}.** {f.effect} *What to do:* {f.remedy}\n" for f in self.findings if f.severity != "ok"]
        return "\n".join([*head, *rows, "", *advice]).rstrip()

    def __repr__(self) -> str:
        return "\n".join([f"Audit of {self.folder}", self._summary(), "", *map(str, self.findings)])

    def _summary(self) -> str:
        counts = {severity: len(self.titles(severity)) for severity in MARKS}
        return f"{counts['stop']} to stop for, {counts['look']} to look at, {counts['ok']} in order."


def audit(folder: str | Path, *, card: DatasetCard | None = None, only: Collection[Path] | None = None) -> AuditReport:
    """Everything in this package on one folder, which needs some seconds per thousand images; no file is changed.

    The folder is one of those that `image_folders` names; with ``only``, no other files of it are looked at.
    Shortcuts, leaks and labels are looked for in ``train`` (in all images, where there is no such folder); the test
    images only for counts, copies, and whether they are like the others. What the folder does not tell, such as whose
    an image is, becomes a finding.

    Raises:
        DataError: the folder is not there, there is no image in that layout, or none that can be read.
    """
    inventory = take_inventory(folder, card, only)
    if not inventory.files:
        raise DataError(
            f"None of the {len(inventory.unreadable)} images in {printable(inventory.root)} can be read (such as "
            f"{inventory.unreadable[0]}). Copy them again, or save them as JPEG or PNG."
        )
    train = inventory.split("train") if "train" in inventory.splits else inventory
    parts: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("people", lambda: _people(inventory)),
        ("class balance", lambda: _balance(train)),
        ("files", lambda: _files(inventory)),
        ("masks", lambda: _masks(inventory)),
        ("duplicates", lambda: _duplicates(inventory)),
        ("leaking patients", lambda: _leak(train)),
        ("file properties", lambda: _shortcut(blind_model(train), FILES_EFFECT, FILES_REMEDY)),
        ("grey scale", lambda: _shortcut(grey_scale_model(train), GREY_EFFECT, GREY_REMEDY, worst="look")),
        ("corners", lambda: _shortcut(corner_model(train), CORNERS_EFFECT, CORNERS_REMEDY)),
        ("train against test", lambda: _shift(inventory)),
        ("labels", lambda: _labels(train)),
    ]
    findings: list[Finding] = []
    for title, look in parts:
        try:
            findings += look()
        except DataError as reason:
            findings.append(Finding(title, "look", f"not measured. {reason}", UNKNOWN, "See there."))
    return AuditReport(printable(Path(folder).resolve().name), tuple(findings))


UNKNOWN = "What was not measured is not known to be in order."
FILES_EFFECT = "A model can tell the class from the file alone. A good score then says nothing about the disease."
FILES_REMEDY = "Save all images in one way (mode, size, quality) before training, and ask how each class was collected."
GREY_EFFECT = (
    "Three numbers about the grey scale tell the class: a disease may be bright, or a machine take one class only."
)
GREY_REMEDY = "Bring all images to one grey scale, and vary brightness and contrast in training."
CORNERS_EFFECT = "The corners tell the class: a letter, a border, or how the patient lay. A network will read it."
CORNERS_REMEDY = "Look at the corners of some images of each class; crop or black them out, in training and in use."


def _people(inventory: Inventory) -> Iterator[Finding]:
    people = count_people(inventory)
    said = "; ".join(
        f"{s.split} {s.images:,} images"
        + (f" of {s.patients:,} patients (up to {s.most_per_patient} each)" if people.knows_patients else "")
        for s in people.splits
    )
    yield Finding("who is in the data", "ok", f"{said}.")
    if people.knows_patients:
        yield _shared(inventory)
        yield Finding(
            "patients with two labels",
            "look" if people.two_classes else "ok",
            f"{people.two_classes} patients have images of more than one class.",
            "A patient can fall ill or recover; a wrong label looks the same.",
            "Look at these images side by side.",
        )
    else:
        folds = "the file names give the fold of a patient, and not who it is; a model is tried on whole folds, but "
        yield Finding(
            "patients",
            "look",
            f"{folds if inventory.knows_folds else 'the file names do not say whose image it is; '}every image counts "
            "as a patient here.",
            "Intervals are too narrow, and whether a patient is on both sides of a split can not be known.",
            "Ask for a list of patients, and describe the names in a data card (file_names).",
        )
    small = [s for s in people.splits if s.split != "train" and s.images < FEW_IMAGES]
    for split in small:
        low, high = accuracy_interval(round(0.9 * split.images), split.images)
        yield Finding(
            f"size of {split.split}",
            "look",
            f"with {split.images} images, an accuracy of 90 % has a 95 % interval from {low:.0%} to {high:.0%}.",
            "Two models that differ by less than that can not be ranked by it; chance would choose.",
            "Cut a larger validation list from train, by patient.",
        )


def _shared(inventory: Inventory) -> Finding:
    people = count_people(inventory)
    said = "; ".join(f"{first} and {second}: {n}" for (first, second), n in people.shared.items())
    apart = inventory.card is not None and inventory.card.splits_share_no_patient
    any_shared = any(people.shared.values())
    note = " The data card says that a number is another patient in each split." if apart and any_shared else ""
    return Finding(
        "patients in two splits",
        ("look" if apart else "stop") if any_shared else "ok",
        f"names of patients in both {said}.{note}" if people.shared else "there is only one split.",
        "A model may know these patients already: the score is too good.",
        "Check the claim of the card." if apart else "Move all images of a patient to one side.",
    )


def _balance(train: Inventory) -> Iterator[Finding]:
    counts = Counter(sorted(file.label for file in train.files))
    (largest, most), *_ = counts.most_common()
    share = most / len(train)
    lopsided = share > 0.9 or len(counts) < 2
    yield Finding(
        "class balance",
        "look" if lopsided else "ok",
        f"{', '.join(f'{name} {n:,}' for name, n in counts.items())}; always saying {largest} is right {share:.1%} of "
        "the time.",
        "Accuracy rewards whoever never finds the rare class.",
        "Report sensitivity, specificity and AUROC beside the accuracy; weight the classes.",
    )


def _files(inventory: Inventory) -> Iterator[Finding]:
    odd = find_odd_pictures(inventory)
    effect, remedy = "They train nothing or the wrong thing.", "Look at each; copy it again, mend it, or leave it out."
    bad = inventory.unreadable
    listed = f" ({some_of(bad)})" if bad else ""
    yield Finding("unreadable files", "stop" if bad else "ok", f"{len(bad)}{listed}.", "Loading stops there.", remedy)
    if inventory.other:
        said = f"{len(inventory.other)} are no JPEG or PNG ({some_of(inventory.other)})."
        yield Finding("other files", "look", said, "They are not read.", "Convert them, or take them out.")
    if empty := empty_classes(inventory):
        said = f"no file is to be seen in {some_of(empty)}."
        yield Finding("empty classes", "look", said, "Such a class is never learned.", "Add its images, or remove it.")
    for title, files in (
        ("blank pictures", odd.blank),
        ("negative films", odd.negative),
        ("blurred pictures", odd.blurred),
        ("odd sizes", odd.odd_size),
    ):
        named = f" ({some_of([file.name for file in files])})" if files else ""
        yield Finding(title, "look" if files else "ok", f"{len(files)}{named}.", effect, remedy)


def _masks(inventory: Inventory) -> Iterator[Finding]:
    """Nothing where no mask is to be seen."""
    if not inventory.lone_masks and not any(file.mask for file in inventory.files):
        return
    faults = check_masks(inventory)
    unusable = "It can not be laid over its image: loading stops there, or the wrong pixels are learned."
    drawn_here = "Take the mask that was drawn on this image."
    found: list[tuple[str, Sequence[str], Severity, str, str]] = [
        ("unreadable masks", faults.unreadable, "stop", "Loading stops there.", "Copy it again, or leave it out."),
        ("masks of another size", faults.other_size, "stop", unusable, drawn_here),
        (
            f"masks that are not {MASK_VALUES[0]} and {MASK_VALUES[1]}",
            faults.other_values,
            "stop",
            "They were saved as JPEG, made smaller with smooth edges, or mean something else.",
            "Find out what the values mean, and make them two by one rule in train and test.",
        ),
        (
            "empty masks",
            faults.empty,
            "look",
            "Either nothing is to be seen in the image, and its label is wrong, or it was not outlined.",
            "Find out which. An outline that was forgotten is no mask.",
        ),
        (
            "masks without an image",
            inventory.lone_masks,
            "look",
            "They are not read, and the image that they were drawn on may have another name.",
            f"A mask has the name of its image, with {MASK_SUFFIX}: rename it, or take it out.",
        ),
    ]
    missing = faults.missing
    named = f" ({some_of(missing)})" if missing else ""
    said = f"{faults.masks:,} images have a mask, {len(missing):,} have none{named}."
    yield Finding("images without a mask", "ok", said)
    for title, names, worst, effect, remedy in found:
        named = f" ({some_of(names)})" if names else ""
        yield Finding(title, worst if names else "ok", f"{len(names)}{named}.", effect, remedy)


def _duplicates(inventory: Inventory) -> Iterator[Finding]:
    found = find_duplicates(inventory)
    across = found.across_splits + found.across_classes
    mirrored = [f"{pair.first.name} = {pair.second.name} {pair.symmetry}" for pair in found.mirrored]
    named = f" ({some_of(mirrored)})" if mirrored else ""
    own = f"{found.of_one_patient} of them of one patient, " if found.of_one_patient else ""
    yield Finding(
        "duplicates",
        "stop" if across else "look" if found.exact or found.near else "ok",
        f"{found.extra} exact copies in {len(found.exact)} groups, {len(found.near)} pairs that are nearly the same "
        f"(of {found.compared:,} pairs), {own}{len(mirrored)} of them mirrored or turned{named}; "
        f"{found.across_splits} span two splits, {found.across_classes} two classes.",
        "A copy in the test is an answer that was given away, mirrored or not; a copy in train counts twice; with two "
        "labels, one is wrong.",
        "Keep one of each, and keep it out of the test.",
    )


def _leak(train: Inventory) -> Iterator[Finding]:
    effect = measure_leak(train)
    yield Finding(
        "split by image or by patient",
        "look" if effect.low > 0 else "ok",
        f"nearest neighbour, {effect}.",
        "A random split by image puts patients on both sides, and the score is too good by about that much.",
        "Split by patient: course_lib.data.split_by_patient.",
    )


def _shortcut(shortcut: Shortcut, effect: str, remedy: str, worst: Severity = "stop") -> Iterator[Finding]:
    score, best = shortcut.together, shortcut.single[0]
    measured = f"{str(score).removeprefix(f'{score.name}: ')}. Most telling: {best.name}, AUROC {best.auroc:.2f}."
    yield Finding(score.name, _by_auroc(max(score.low, best.low), worst), measured, effect, remedy)


def _shift(inventory: Inventory) -> Iterator[Finding]:
    shift = compare_splits(inventory)
    yield Finding(
        "train against test",
        _by_auroc(max(score.low for score in shift.scores), "look"),
        "; ".join(f"{score.name}: {score.area}" for score in shift.scores) + ".",
        "The test comes from another source than train: expect a lower score there than in validation.",
        "Find out how the two were collected. Choose nothing on the test, and report both scores.",
    )


def _labels(train: Inventory) -> Iterator[Finding]:
    noise = doubt_labels(train)
    share = len(noise.suspects) / noise.images
    yield Finding(
        "labels",
        "look" if share > DOUBTED and noise.auroc > GOOD_ENOUGH else "ok",
        f"a model with an AUROC of {noise.auroc:.2f} doubts {len(noise.suspects)} of {noise.images:,} labels, most of "
        f"all {some_of([suspect.file.name for suspect in noise.suspects])}.",
        "Wrong labels in train blur what is learned; in test they cap the score. A suspicion is no proof.",
        "Let a radiologist look at the first ones, without telling which label they have.",
    )


def _by_auroc(low: float, worst: Severity) -> Severity:
    return worst if low > STOP else "look" if low > LOOK else "ok"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
