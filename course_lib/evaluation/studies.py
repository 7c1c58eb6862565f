"""The stored numbers of what takes too long for a lesson."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from course_lib.evaluation.intervals import with_interval
from course_lib.support.errors import DataError
from course_lib.support.foreign import understood
from course_lib.support.runtime import COURSE_ROOT

RESULTS = COURSE_ROOT / "datasets" / "studies"

SOURCES = ("phantom", "real")
Value = str | int | float
Row = Mapping[str, Value]


@dataclass(frozen=True)
class Results:
    """The rows of a study, and what they came from."""

    study: str
    question: str
    command: str
    data: str  #: the name of the data set
    simulated: bool
    factors: tuple[str, ...]  #: what differs from case to case, beside the seed: names in the rows
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
        measured = [name for name in self.rows[0] if name not in (*self.factors, "seed")]
        others = [name for name in measured if name not in ("auroc", "low", "high")]
        lines = [[*self.factors, "seeds", "AUROC (95 % interval)", "AUROC of single seeds", *others]]
        lines += [["---"] * len(lines[0])]
        seeds_of: dict[tuple[str, ...], list[Row]] = {}
        for row in self.rows:
            seeds_of.setdefault(tuple(str(row[name]) for name in self.factors), []).append(row)
        for case, rows in seeds_of.items():
            values = {name: [float(row[name]) for row in rows] for name in measured}
            mean = {name: f"{fmean(values[name]):.{0 if isinstance(rows[0][name], int) else 3}f}" for name in measured}
            apart = f"{min(values['auroc']):.3f} to {max(values['auroc']):.3f}"
            judged = with_interval(fmean(values["auroc"]), fmean(values["low"]), fmean(values["high"]))
            lines += [[*case, str(len(rows)), judged, apart, *(mean[name] for name in others)]]
        return "\n".join(f"| {' | '.join(line)} |".replace("_", " ") for line in lines)


def stored(name: str, source: str) -> Results:
    """The numbers of a study on ``"phantom"`` or ``"real"`` images, as `carry_out` wrote them.

    Raises:
        DataError: they are not there, or the file is damaged; the message says what to run.
    """
    path, remedy = RESULTS / file_of(name, source), f"Run: {command_of(name, source)}"
    if not path.exists():
        raise DataError(f"The study {name} has no results for {source} images. {remedy}")
    with understood(lambda reason: DataError(f"{path.name} is no whole file of results: {reason}. {remedy}")):
        return read_results(path)


def read_results(path: Path) -> Results:
    values = json.loads(path.read_text(encoding="utf-8"))
    return Results(**{**values, **{name: tuple(values[name]) for name in ("factors", "seeds", "rows")}})


def file_of(name: str, source: str) -> str:
    if source not in SOURCES:
        raise ValueError(f"source must be 'phantom' or 'real', but is {source!r}.")
    return f"{name}.{source}.json"


def command_of(name: str, source: str) -> str:
    """What an author types to carry out a study on ``"phantom"`` or ``"real"`` images."""
    folder = " <folder>" if source == "real" else ""
    return f"python -m course_lib.authoring studies{folder} --only {name}"
