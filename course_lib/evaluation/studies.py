"""The stored numbers of what takes too long for a lesson."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median_low

from course_lib.evaluation.intervals import with_interval
from course_lib.support.errors import DataError
from course_lib.support.foreign import understood
from course_lib.support.runtime import COURSE_ROOT

RESULTS = COURSE_ROOT / "datasets" / "studies"

SOURCES = ("phantom", "real")
#: What a study may be about, by its name in the rows, and what to call it.
SCORES = {"auroc": "AUROC", "dice": "Dice", "froc": "FROC score"}
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
    score: str = "auroc"  #: the one of `SCORES` that ``low``, ``high`` and ``gain`` belong to

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

        An interval is that of test patients: it goes from the mean lower to the mean upper end. A ``gain`` is a paired
        difference of the score, and has its own, as has every number with a ``_low`` and a ``_high`` of its name. What
        was ``chosen`` is the median, a value that was there to choose. A case may lack a number that others have; it is
        then left empty.
        """
        title = SCORES[self.score]
        names = dict.fromkeys(name for row in self.rows for name in row)
        measured = [name for name in names if name not in (*self.factors, "seed")]
        bounded = [name for name in measured if f"{name}_low" in measured]
        bounds = {f"{name}_{end}" for name in bounded for end in ("low", "high")}
        others = [name for name in measured if name not in {self.score, "low", "high"} | bounds]
        headings = [f"{name} (95 % interval)" if name in bounded else name for name in others]
        lines = [[*self.factors, "seeds", f"{title} (95 % interval)", f"{title} of single seeds", *headings]]
        lines += [["---"] * len(lines[0])]
        seeds_of: dict[tuple[str, ...], list[Row]] = {}
        for row in self.rows:
            seeds_of.setdefault(tuple(str(row[name]) for name in self.factors), []).append(row)
        for case, rows in seeds_of.items():
            mean = {name: fmean(float(row[name]) for row in rows) for name in measured if name in rows[0]}
            if "chosen" in mean:
                mean["chosen"] = median_low(float(row["chosen"]) for row in rows)
            form = {name: ".0f" if isinstance(value, int) else ".3f" for name, value in rows[0].items()}
            form["chosen"] = "g"  # a learning rate, say, which may be far below 0.001
            shown = {name: f"{mean[name]:{form[name]}}" for name in mean}
            for name in filter(mean.__contains__, bounded):
                sign = "+" if name.endswith("gain") else ""
                shown[name] = with_interval(mean[name], mean[f"{name}_low"], mean[f"{name}_high"], f"{sign}.3f")
            seeds = [float(row[self.score]) for row in rows]
            judged = with_interval(mean[self.score], mean["low"], mean["high"])
            apart = f"{min(seeds):.3f} to {max(seeds):.3f}"
            lines += [[*case, str(len(rows)), judged, apart, *(shown.get(name, "") for name in others)]]
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
