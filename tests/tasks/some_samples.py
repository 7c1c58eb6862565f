"""Samples that are no files: whose they are and what they are called, for what a task makes of its outputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class NamedSample:
    """What a task asks of a sample."""

    path: Path
    patient: str
    spacing: tuple[float, ...]
    target: object = None


def samples(
    patients: Sequence[str], files: Sequence[str], spacing: tuple[float, ...] = (1.0, 1.0)
) -> list[NamedSample]:
    """One sample per name."""
    return [NamedSample(Path(file), patient, spacing) for patient, file in zip(patients, files, strict=True)]
