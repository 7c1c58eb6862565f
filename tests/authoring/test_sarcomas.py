"""The measurement that leaves patients out: each is outlined by a network that never saw it."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from course_lib.authoring import sarcomas
from course_lib.authoring.__main__ import main
from course_lib.data.volume_data import VolumeDataset
from course_lib.evaluation.intervals import bootstrap_intervals, compare
from course_lib.evaluation.segmentation import SegmentationPredictions
from course_lib.modalities.sarcoma_ct import recipe
from course_lib.modalities.sarcoma_ct.contrast import QUANTITIES
from course_lib.modalities.sarcoma_ct.reader import read_patients
from course_lib.modalities.sarcoma_ct.recipe import METRICS, Sarcomas
from course_lib.training.history import History
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole
from tests.modalities.sarcoma_ct.conftest import write_patient

PATIENTS = 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(1, PATIENTS + 1):
        write_patient(tmp_path / "sarcomas", number, radius=6 + number)
    return tmp_path / "sarcomas"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sarcomas:
    """The same experiment with a tiny network, one epoch and small frames; it is what the command measures."""
    monkeypatch.setattr(recipe, "SHAPE", (12, 12, 12))
    monkeypatch.setattr(sarcomas, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(sarcomas, "bootstrap_intervals", partial(bootstrap_intervals, resamples=20))
    monkeypatch.setattr(sarcomas, "compare", partial(compare, resamples=20))
    experiment = Sarcomas(replace(recipe.CONFIG, epochs=1, mixed_precision=False), folds=2, width=4, depth=1)
    monkeypatch.setattr(sarcomas, "Sarcomas", lambda: experiment)
    return experiment


@pytest.mark.slow
def test_every_figure_is_one_line_with_its_interval_beside_what_needs_no_network(
    small: Sarcomas, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sarcomas", str(folder)]) == 0
    page = (tmp_path / "results" / "sarcoma_ct.txt").read_text(encoding="utf-8")
    assert page in capsys.readouterr().out
    about, _, *lines = page.splitlines()
    assert f"4 volumes of 4 patients, each outlined within its box by one of {small.folds} networks" in about
    assert [line[:7] for line in lines[:PATIENTS]] == [f"STS_00{number}" for number in range(1, PATIENTS + 1)]
    names = [line.rpartition(": ")[0] for line in lines[PATIENTS:] if re.search(r"\d \(-?\d.* to ", line)]
    answers = (sarcomas.NETWORK, sarcomas.USUAL, sarcomas.GREYS, sarcomas.BOTH)
    assert names == [
        *(f"{metric}, {who}" for who in answers for metric in METRICS),
        *(f"{quantity}, mean of 4 patients" for quantity in QUANTITIES),
    ]
    assert [line.split(": difference")[0] for line in lines if ": difference" in line] == [
        f"Dice, {sarcomas.NETWORK} less {who}" for who in answers[1:]
    ]


@pytest.mark.slow
def test_nobody_is_outlined_by_a_network_that_learned_from_them(
    small: Sarcomas, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[set[str]] = []
    said_of: list[set[str]] = []

    def fitting(model: nn.Module, train: VolumeDataset, *rest: Any, **options: Any) -> History:
        learned.append(set(train.patients))
        return fit_whole(model, train, *rest, **options)

    def saying(model: nn.Module, data: VolumeDataset) -> SegmentationPredictions:
        said_of.append(set(data.patients))
        return predict(model, data)

    monkeypatch.setattr(sarcomas, "fit_whole", fitting)
    monkeypatch.setattr(sarcomas, "predict", saying)
    samples = read_patients(folder)
    said = sarcomas.left_out(small, samples, small.data(samples), tmp_path)
    assert all(not a & b and len(a | b) == PATIENTS for a, b in zip(learned, said_of, strict=True))
    assert said.patients.tolist() == [sample.patient for sample in samples]


def test_fewer_patients_than_folds_are_refused(
    small: Sarcomas, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sarcomas, "Sarcomas", lambda: replace(small, folds=5))
    assert main(["sarcomas", str(folder)]) == 1
    assert "there must be images of at least 5 patients, but there are 4" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sarcomas", "nowhere at all"]) == 1
    assert "There is no folder nowhere at all" in capsys.readouterr().err
