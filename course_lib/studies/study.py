"""What a study is, how it is carried out, and the small file that keeps its numbers."""

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from statistics import fmean

from course_lib.cards import DataError
from course_lib.runtime import COURSE_ROOT, DISTRIBUTION
from course_lib.sources import CourseData

RESULTS = COURSE_ROOT / "datasets" / "studies"
UNFINISHED = COURSE_ROOT / "build" / "studies"  #: a study that was interrupted goes on from here

SOURCES = ("phantom", "real")
Value = str | int | float
Row = Mapping[str, Value]


@dataclass(frozen=True)
class Study:
    """A question that takes too long for a lesson, answered case by case: one case, one row of numbers."""

    name: str
    question: str
    cases: Callable[[CourseData], Sequence[Row]]  #: what to try, for example method, number of patients, seed
    measure: Callable[[CourseData, Row], Row]  #: the numbers of one case, the same each time but for rounding
    sample: tuple[Row, ...]  #: a few cases that take seconds on phantoms; a test measures them again
    tolerance: float = 0.02  #: of any number, from one processor to another


@dataclass(frozen=True)
class Results:
    """The rows of a study, and what they came from."""

    study: str
    question: str
    command: str
    data: str  #: the name of the data set
    simulated: bool
    seeds: tuple[int, ...]
    versions: Mapping[str, str]
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """The name of the data for figures, which says so if the images are simulated."""
        return f"{self.data} (simulated)" if self.simulated else self.data

    def select(self, **case: Value) -> list[Row]:
        """The rows of these cases, ``select(method="probe", patients=50)`` for example; empty if there are none."""
        return [row for row in self.rows if all(row.get(name) == value for name, value in case.items())]

    def values(self, name: str, **case: Value) -> list[float]:
        """One number of these cases, ``values("auroc", method="probe", patients=50)`` for example: one per seed."""
        return [float(row[name]) for row in self.select(**case)]

    def table(self) -> str:
        """Markdown with one line for all seeds of a case: the means of what was measured, and how far seeds lie apart.

        The interval is that of test patients: it goes from the mean lower to the mean upper end.
        """
        names = list(self.rows[0])
        case, measured = names[: names.index("seed")], names[names.index("seed") + 1 :]
        others = [name for name in measured if name not in ("auroc", "low", "high")]
        lines = [[*case, "seeds", "AUROC (95 % interval)", "AUROC of single seeds", *others]]
        lines += [["---"] * len(lines[0])]
        for said, group in itertools.groupby(self.rows, lambda row: [str(row[name]) for name in case]):
            rows = list(group)
            values = {name: [float(row[name]) for row in rows] for name in measured}
            mean = {name: f"{fmean(values[name]):.{0 if isinstance(rows[0][name], int) else 3}f}" for name in measured}
            apart = f"{min(values['auroc']):.3f} to {max(values['auroc']):.3f}"
            judged = f"{mean['auroc']} ({mean['low']} to {mean['high']})"
            lines += [[*said, str(len(rows)), judged, apart, *(mean[name] for name in others)]]
        return "\n".join(f"| {' | '.join(line)} |".replace("_", " ") for line in lines)


def stored(name: str, source: str) -> Results:
    """The numbers of a study on ``"phantom"`` or ``"real"`` images, as `carry_out` wrote them.

    Raises:
        DataError: they are not there, or the file is damaged; the message says what to run.
    """
    path = RESULTS / _file_of(name, source)
    try:
        return _read(path)
    except FileNotFoundError:
        raise DataError(f"The study {name} has no results for {source} images. {_remedy(name, source)}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path.name} is no whole file of results: {error}. {_remedy(name, source)}") from error


def carry_out(study: Study, data: CourseData) -> Path:
    """Measure every case and write the file, which appears when all are there; gives its path.

    A file that is there already is left as it is. What an interrupted call has measured is not measured again, if
    versions, images and question are the same.
    """
    file = _file_of(study.name, "phantom" if data.simulated else "real")
    path, part = RESULTS / file, UNFINISHED / f"{_fingerprint(data)}-{file}"
    if path.exists():
        print(f"{study.name}: {path.name} is there already. Delete it to measure anew.", flush=True)
        return path
    cases = study.cases(data)
    rows = _rows_so_far(study, data, cases, part)
    for number, case in enumerate(cases[len(rows) :], start=len(rows) + 1):
        print(f"{study.name}, {number} of {len(cases)}: {_say(case)}", flush=True)
        rows.append({**case, **study.measure(data, case)})
        _write(part, _results(study, data, cases, rows))
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)
    return path


def _fingerprint(data: CourseData) -> str:
    """The same for the same images with the same labels."""
    parts = (data.train, data.validation, data.test)
    names = [[(r.path.name, r.label, r.patient) for r in part] for part in parts]
    return hashlib.sha256(repr(names).encode()).hexdigest()[:8]


def _results(study: Study, data: CourseData, cases: Sequence[Row], rows: Sequence[Row]) -> Results:
    return Results(
        study=study.name,
        question=study.question,
        command=f'make studies{"" if data.simulated else " DATA=<folder>"} ARGS="--only {study.name}"',
        data=data.name,
        simulated=data.simulated,
        seeds=tuple(sorted({int(case["seed"]) for case in cases if "seed" in case})),
        versions={name: metadata.version(name).partition("+")[0] for name in ("torch", "torchvision", DISTRIBUTION)}
        | {"data": data.card.version if data.card else ""},
        rows=tuple({name: _rounded(value) for name, value in row.items()} for row in rows),
    )


def _rows_so_far(study: Study, data: CourseData, cases: Sequence[Row], part: Path) -> list[Row]:
    """The rows of an interrupted call, none if it asked something else; the file then begins anew."""
    try:
        before = _read(part)
    except (OSError, ValueError, TypeError, KeyError):
        before = None
    rows = list(before.rows) if before else []
    alike = all(case.items() <= row.items() for case, row in zip(cases, rows, strict=False))
    if before == _results(study, data, cases, rows) and alike:
        return rows
    _write(part, _results(study, data, cases, []))
    return []


def _read(path: Path) -> Results:
    values = json.loads(path.read_text(encoding="utf-8"))
    return Results(**{**values, "seeds": tuple(values["seeds"]), "rows": tuple(values["rows"])})


def _write(path: Path, results: Results) -> None:
    """Put the results into a file that appears whole; one line per row, so that a difference can be read."""
    values = asdict(results)
    rows = ",\n  ".join(json.dumps(row) for row in values.pop("rows"))
    head = json.dumps(values, indent=1, ensure_ascii=False).removesuffix("\n}")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".writing")
    unfinished.write_text(f'{head},\n "rows": [\n  {rows}\n ]\n}}\n', encoding="utf-8")
    unfinished.replace(path)


def _rounded(value: Value) -> Value:
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        raise ValueError("A study measured something that is not a number. Leave such a case out.")
    return round(value, 4)


def _file_of(name: str, source: str) -> str:
    if source not in SOURCES:
        raise ValueError(f"source must be 'phantom' or 'real', but is {source!r}.")
    return f"{name}.{source}.json"


def _remedy(name: str, source: str) -> str:
    folder = " DATA=<folder>" if source == "real" else ""
    return f'Run: make studies{folder} ARGS="--only {name}"'


def _say(case: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in case.items())
