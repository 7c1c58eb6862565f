"""What a study is, how it is carried out, and the small file that keeps its numbers."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from course_lib.data.course_data import CourseData
from course_lib.data.samples import LabelledImage
from course_lib.evaluation import studies as stored_studies
from course_lib.evaluation.studies import SOURCES, Results, Row, Value, command_of, file_of, read_results
from course_lib.modalities.chest_xray.modality import CHEST_XRAY
from course_lib.support.errors import DataError
from course_lib.support.files import digest, write_whole
from course_lib.support.runtime import COURSE_ROOT, DISTRIBUTION

UNFINISHED = COURSE_ROOT / "build" / "studies"  #: a study that was interrupted goes on from here


@dataclass(frozen=True)
class Study:
    """A question that takes too long for a lesson, answered case by case: one case, one row of numbers."""

    name: str
    question: str
    factors: tuple[str, ...]  #: what differs from case to case, beside the seed, for example method and patients
    cases: Callable[[CourseData[LabelledImage]], Sequence[Row]]  #: a value for each factor, and a seed
    measure: Callable[
        [CourseData[LabelledImage], Row], Row
    ]  #: the numbers of one case, the same each time but for rounding
    sample: tuple[Row, ...] = ()  #: a few cases that take seconds on phantoms, if any do; a test measures them again
    tolerance: float = 0.02  #: of any number, from one processor to another
    modality: str = CHEST_XRAY.name  #: of the images that it is measured on
    sources: tuple[str, ...] = SOURCES  #: which of simulated and real ones
    score: str = "auroc"  #: what it is about, one of `SCORES`; every row has it, with its interval as low and high


def carry_out(study: Study, data: CourseData[LabelledImage]) -> Path:
    """Measure every case and write the file, which appears when all are there; gives its path.

    A file that is there already is left as it is. What an interrupted call has measured is not measured again, if
    versions, images and question are the same.

    Raises:
        DataError: the study is not for simulated, or not for real images.
        ValueError: a case is not one of the study's factors and a seed, or what was measured is not a number.
    """
    if _source(data) not in study.sources:
        needed = "real images: name their folder" if data.simulated else "simulated images: name no folder"
        raise DataError(f"{study.name} needs {needed}.")
    file = file_of(study.name, _source(data))
    path, part = stored_studies.RESULTS / file, UNFINISHED / f"{_fingerprint(data)}-{file}"
    if path.exists():
        print(f"{study.name}: {path.name} is there already. Delete it to measure anew.", flush=True)
        return path
    cases = _checked_cases(study, data)
    rows = _rows_so_far(study, data, cases, part)
    for number, case in enumerate(cases[len(rows) :], start=len(rows) + 1):
        print(f"{study.name}, {number} of {len(cases)}: {_say(case)}", flush=True)
        rows.append({**case, **study.measure(data, case)})
        _write(part, _results(study, data, cases, rows))
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)
    return path


def _checked_cases(study: Study, data: CourseData[LabelledImage]) -> Sequence[Row]:
    cases, wanted = study.cases(data), {*study.factors, "seed"}
    if wrong := [case for case in cases if set(case) != wanted]:
        raise ValueError(f"A case of {study.name} must say {', '.join(sorted(wanted))}, but one says {_say(wrong[0])}.")
    return cases


def _source(data: CourseData[LabelledImage]) -> str:
    return "phantom" if data.simulated else "real"


def _fingerprint(data: CourseData[LabelledImage]) -> str:
    """The same for the same images with the same targets."""
    parts = (data.train, data.validation, data.test)
    names = [[(r.path.name, r.target, r.patient) for r in part] for part in parts]
    return digest(names, 8)


def _results(study: Study, data: CourseData[LabelledImage], cases: Sequence[Row], rows: Sequence[Row]) -> Results:
    return Results(
        study=study.name,
        question=study.question,
        command=command_of(study.name, _source(data)),
        data=data.name,
        simulated=data.simulated,
        factors=study.factors,
        seeds=tuple(sorted({int(case["seed"]) for case in cases})),
        versions={name: metadata.version(name).partition("+")[0] for name in ("torch", "torchvision", DISTRIBUTION)}
        | {"data": data.card.version if data.card else ""},
        rows=tuple({name: _rounded(value) for name, value in row.items()} for row in rows),
        score=study.score,
    )


def _rows_so_far(study: Study, data: CourseData[LabelledImage], cases: Sequence[Row], part: Path) -> list[Row]:
    """The rows of an interrupted call, none if it asked something else; the file then begins anew."""
    try:
        before = read_results(part)
    except (OSError, ValueError, TypeError, KeyError):
        before = None
    rows = list(before.rows) if before else []
    alike = all(case.items() <= row.items() for case, row in zip(cases, rows, strict=False))
    if before == _results(study, data, cases, rows) and alike:
        return rows
    _write(part, _results(study, data, cases, []))
    return []


def _write(path: Path, results: Results) -> None:
    """Put the results into a file that appears whole; one line per row, so that a difference can be read."""
    values = asdict(results)
    rows = ",\n  ".join(json.dumps(row) for row in values.pop("rows"))
    head = json.dumps(values, indent=1, ensure_ascii=False).removesuffix("\n}")
    write_whole(path, f'{head},\n "rows": [\n  {rows}\n ]\n}}\n')


def _rounded(value: Value) -> Value:
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        raise ValueError("A study measured something that is not a number. Leave such a case out.")
    return round(value, 4)


def _say(case: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in case.items())
