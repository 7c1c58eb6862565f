"""The page that goes with a network: what it is for, what it was measured on, and where it must not be used."""

from dataclasses import dataclass, fields

from course_lib.evaluation.report import Report, SubgroupReport

OPEN = "..."  #: stands for what nobody has written yet


@dataclass(frozen=True)
class ModelCard:
    """What someone must know before using a network. Shows itself as a page.

    Source: M. Mitchell et al., Model Cards for Model Reporting, FAT* 2019, arXiv:1810.03993.
    """

    name: str
    intended_use: str  #: who may use it, on whom, for what
    not_for: str  #: uses that suggest themselves and are wrong
    training_data: str
    evaluation_data: str
    decision: str  #: the threshold, how it was chosen, on whom
    results: Report
    subgroups: SubgroupReport
    calibration: str
    limits: tuple[str, ...]  #: one sentence each
    simulated: bool  #: the images are no children's

    @property
    def still_open(self) -> tuple[str, ...]:
        """The fields that nobody has filled in."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) in (OPEN, ""))

    def to_markdown(self) -> str:
        """The page, as Markdown."""
        warning = "**Measured on simulated images.** No number on this page says anything about children."
        sections = {
            "Intended use": self.intended_use,
            "Not for": self.not_for,
            "Training data": self.training_data,
            "Evaluation data": self.evaluation_data,
            "Decision": self.decision,
            "Results": self.results._repr_markdown_(),
            "Groups of patients": self.subgroups._repr_markdown_(),
            "Calibration": self.calibration,
            "Limits": "\n".join(f"- {limit}" for limit in self.limits),
        }
        parts = [f"# Model card: {self.name}", *([warning] if self.simulated else [])]
        for heading, text in sections.items():
            parts += [f"## {heading}", "*Still open.*" if text in (OPEN, "") else text]
        return "\n\n".join(parts) + "\n"

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def __repr__(self) -> str:
        return self.to_markdown()
