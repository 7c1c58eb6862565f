"""The studies: what is kept, what is measured twice and what is not, and whether the stored numbers still hold."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from course_lib.authoring.__main__ import main
from course_lib.authoring.studies import STUDIES, command, methods, study
from course_lib.authoring.studies.command import PROFILE
from course_lib.authoring.studies.study import Study, carry_out
from course_lib.data.course_data import CourseData
from course_lib.data.samples import LabelledImage
from course_lib.evaluation import studies as stored_studies
from course_lib.evaluation.studies import Row, stored
from course_lib.modalities.brain_mri.modality import BRAIN_MRI
from course_lib.modalities.registry import open_dataset
from course_lib.networks.backbones import preprocessing_for
from course_lib.support.errors import DataError
from course_lib.support.runtime import COURSE_ROOT

CASES = tuple({"method": method, "seed": seed} for method in "ab" for seed in (0, 1))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Row]:
    """What `trial` was asked to measure; results go to a folder of the test's own."""
    monkeypatch.setattr(stored_studies, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(study, "UNFINISHED", tmp_path / "unfinished")
    return []


@pytest.fixture
def trial(calls: list[Row]) -> Study:
    def measure(_: CourseData[LabelledImage], case: Row) -> Row:
        calls.append(case)
        return {"images": 7 + int(case["seed"]), "auroc": 0.123456 + 0.1 * int(case["seed"]), "low": 0.1, "high": 0.4}

    return Study("trial", "Does it work?", ("method",), lambda _: CASES, measure)


@pytest.fixture(scope="module")
def phantoms() -> CourseData[LabelledImage]:
    return open_dataset(source="phantom", profile=PROFILE)


def interrupted(trial: Study, after: int) -> Study:
    """The same study, broken off after so many cases."""
    left: Iterator[int] = iter(range(after))

    def measure(data: CourseData[LabelledImage], case: Row) -> Row:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return trial.measure(data, case)

    return replace(trial, measure=measure)


def test_a_file_holds_the_numbers_and_what_they_came_from(trial: Study, phantoms: CourseData[LabelledImage]) -> None:
    path = carry_out(trial, phantoms)
    assert path.name == "trial.phantom.json"
    assert str(COURSE_ROOT) not in path.read_text(encoding="utf-8")
    results = stored("trial", "phantom")
    assert results.rows[0] == {"method": "a", "seed": 0, "images": 7, "auroc": 0.1235, "low": 0.1, "high": 0.4}
    assert len(results.rows) == len(CASES)
    assert results.seeds == (0, 1)
    assert {"torch", "torchvision", "medical-imaging-course"} < results.versions.keys()
    assert results.command == "python -m course_lib.authoring studies --only trial"
    assert results.title == "Phantom chest radiographs (simulated)"
    assert results.select(method="a", seed=1) == [results.rows[1]]
    assert results.values("auroc", method="a") == [0.1235, 0.2235]


def test_the_table_has_one_line_for_all_seeds(trial: Study, phantoms: CourseData[LabelledImage]) -> None:
    carry_out(trial, phantoms)
    assert stored("trial", "phantom").table().splitlines() == [
        "| method | seeds | AUROC (95 % interval) | AUROC of single seeds | images |",
        "| --- | --- | --- | --- | --- |",
        "| a | 2 | 0.173 (0.100 to 0.400) | 0.123 to 0.224 | 8 |",
        "| b | 2 | 0.173 (0.100 to 0.400) | 0.123 to 0.224 | 8 |",
    ]


@pytest.mark.parametrize(("score", "title"), [("dice", "Dice"), ("froc", "FROC score")])
def test_the_table_is_about_the_score_of_the_study(
    trial: Study, phantoms: CourseData[LabelledImage], score: str, title: str
) -> None:
    judged = {score: 0.7, "low": 0.6, "high": 0.8, "gain": 0.1, "gain_low": -0.1, "gain_high": 0.2, "auroc": 0.9}
    carry_out(replace(trial, measure=lambda *_: judged, score=score), phantoms)
    heading, _, line, _ = stored("trial", "phantom").table().splitlines()
    assert heading == (
        f"| method | seeds | {title} (95 % interval) | {title} of single seeds | gain (95 % interval) | auroc |"
    )
    assert line == "| a | 2 | 0.700 (0.600 to 0.800) | 0.700 to 0.700 | +0.100 (-0.100 to +0.200) | 0.900 |"


def test_results_that_name_no_score_are_of_auroc(trial: Study, phantoms: CourseData[LabelledImage]) -> None:
    path = carry_out(trial, phantoms)
    values = json.loads(path.read_text(encoding="utf-8"))
    table = stored("trial", "phantom").table()
    del values["score"]
    path.write_text(json.dumps(values), encoding="utf-8")
    assert stored("trial", "phantom").table() == table


def test_the_table_shows_the_interval_of_every_number_that_has_one(
    trial: Study, phantoms: CourseData[LabelledImage]
) -> None:
    judged = {"accuracy": 0.7, "accuracy_low": 0.6, "accuracy_high": 0.8, "auroc": 0.9, "low": 0.8, "high": 1.0}
    gained = {"accuracy_gain": 0.1, "accuracy_gain_low": -0.05, "accuracy_gain_high": 0.2, "images": 3}
    carry_out(replace(trial, measure=lambda *_: judged | gained), phantoms)
    heading, _, line, _ = stored("trial", "phantom").table().splitlines()
    assert heading.endswith("| accuracy (95 % interval) | accuracy gain (95 % interval) | images |")
    assert line.endswith("| 0.700 (0.600 to 0.800) | +0.100 (-0.050 to +0.200) | 3 |")


def test_the_table_leaves_empty_what_a_case_does_not_have(trial: Study, phantoms: CourseData[LabelledImage]) -> None:
    judged = {"auroc": 0.9, "low": 0.8, "high": 1.0}
    more = {"gain": 0.1, "gain_low": 0.0, "gain_high": 0.2, "chosen": 0.003, "images": 3}
    carry_out(replace(trial, measure=lambda _, case: judged | (more if case["method"] == "b" else {})), phantoms)
    heading, _, less, line = stored("trial", "phantom").table().splitlines()
    assert heading.endswith("| AUROC of single seeds | gain (95 % interval) | chosen | images |")
    assert less.endswith("| 0.900 to 0.900 |  |  |  |")
    assert line.endswith("| 0.900 to 0.900 | +0.100 (+0.000 to +0.200) | 0.003 | 3 |")


def test_the_table_needs_no_order_of_rows_or_names(trial: Study, phantoms: CourseData[LabelledImage]) -> None:
    carry_out(trial, phantoms)
    results = stored("trial", "phantom")
    turned = tuple({"seed": row["seed"], **row} for row in (*results.rows[::2], *results.rows[1::2]))
    assert replace(results, rows=turned).table() == results.table()


def test_a_case_is_its_factors_and_a_seed(trial: Study, phantoms: CourseData[LabelledImage]) -> None:
    with pytest.raises(ValueError, match=r"must say method, patients, seed, but one says method a, seed 0\."):
        carry_out(replace(trial, factors=("method", "patients")), phantoms)


def test_a_finished_study_is_left_alone(trial: Study, phantoms: CourseData[LabelledImage], calls: list[Row]) -> None:
    assert carry_out(trial, phantoms).read_bytes() == carry_out(trial, phantoms).read_bytes()
    assert calls == list(CASES)


def test_an_interrupted_study_goes_on_where_it_stopped(
    trial: Study, phantoms: CourseData[LabelledImage], calls: list[Row]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        carry_out(interrupted(trial, after=3), phantoms)
    assert not (stored_studies.RESULTS / "trial.phantom.json").exists()
    carry_out(trial, phantoms)
    assert calls == list(CASES)
    assert len(stored("trial", "phantom").rows) == len(CASES)


def test_rows_of_another_question_are_not_gone_on_with(
    trial: Study, phantoms: CourseData[LabelledImage], calls: list[Row]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        carry_out(interrupted(trial, after=3), phantoms)
    carry_out(replace(trial, question="Does it work now?"), phantoms)
    assert calls == [*CASES[:3], *CASES]


def test_rows_of_other_images_are_not_gone_on_with(
    trial: Study, phantoms: CourseData[LabelledImage], calls: list[Row]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        carry_out(interrupted(trial, after=3), replace(phantoms, train=phantoms.train[:10]))
    carry_out(trial, phantoms)
    assert calls == [*CASES[:3], *CASES]


def test_real_images_have_a_file_of_their_own(trial: Study, phantoms: CourseData[LabelledImage]) -> None:
    carry_out(trial, replace(phantoms, simulated=False, name="X-rays"))
    assert stored("trial", "real").command == "python -m course_lib.authoring studies <folder> --only trial"
    assert not (stored_studies.RESULTS / "trial.phantom.json").exists()


def test_a_study_is_not_measured_on_images_that_it_is_not_for(
    trial: Study, phantoms: CourseData[LabelledImage], calls: list[Row]
) -> None:
    with pytest.raises(DataError, match=r"^trial needs real images: name their folder\.$"):
        carry_out(replace(trial, sources=("real",)), phantoms)
    with pytest.raises(DataError, match=r"^trial needs simulated images: name no folder\.$"):
        carry_out(replace(trial, sources=("phantom",)), replace(phantoms, simulated=False))
    assert not calls


def test_what_is_no_number_is_not_kept(trial: Study, phantoms: CourseData[LabelledImage]) -> None:
    with pytest.raises(ValueError, match="not a number"):
        carry_out(replace(trial, measure=lambda *_: {"auroc": float("nan")}), phantoms)


@pytest.mark.parametrize("content", [None, "{", "[]", "[" * 90_000, '{"study": "trial"}'])
def test_missing_and_damaged_results_say_what_to_run(
    trial: Study, phantoms: CourseData[LabelledImage], content: str | None
) -> None:
    path = carry_out(trial, phantoms)
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(DataError, match=r"python -m course_lib.authoring studies --only trial"):
        stored("trial", "phantom")
    with pytest.raises(ValueError, match="'phantom' or 'real', but is 'kaggle'"):
        stored("trial", "kaggle")


def test_the_command_runs_one_study_or_says_what_is_wrong(
    trial: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(STUDIES, "trial", trial)
    assert main(["studies", "--only", "trial"]) == 0
    said = capsys.readouterr().out
    assert "trial, 4 of 4: method b, seed 1" in said
    assert "Phantom chest radiographs (simulated): Does it work?\n\n| method | seeds |" in said
    assert main(["studies", str(tmp_path / "none"), "--only", "trial"]) == 1
    assert "There is no folder" in capsys.readouterr().err


def test_all_studies_are_those_that_there_are_for_such_images(
    trial: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    flat, deep = trial, replace(trial, modality=BRAIN_MRI.name, sources=("real",))
    monkeypatch.setattr(command, "STUDIES", {"flat": flat, "deep": deep})
    assert command.all_for("phantom") == [flat]
    assert command.all_for("kaggle") == [flat, deep]
    slices = tmp_path / "images" / "glioma"
    slices.mkdir(parents=True)
    Image.new("L", (8, 8)).save(slices / "fold1_0718.jpg")
    assert command.all_for(str(tmp_path)) == [deep]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, study in STUDIES.items() if study.sample])
def test_a_sample_of_each_study_measures_what_is_stored(name: str) -> None:
    study = STUDIES[name]
    phantoms = open_dataset(study.modality, source="phantom", profile=PROFILE)
    cases = study.cases(phantoms)
    for case in study.sample:
        assert case in cases
        measured = study.measure(phantoms, case)
        assert json.loads(json.dumps(measured)) == measured  # plain numbers and words
        (row,) = stored(name, "phantom").select(**case)
        assert {**case, **measured} == pytest.approx(row, abs=study.tolerance)


@pytest.mark.parametrize(("name", "source"), [(name, source) for name in STUDIES for source in STUDIES[name].sources])
def test_the_stored_studies_are_those_of_the_course(name: str, source: str) -> None:
    results = stored(name, source)
    assert results.question == STUDIES[name].question
    assert results.factors == STUDIES[name].factors
    assert results.simulated == (source == "phantom")
    assert results.rows


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("finetuning", "real"),
        ("slice_splits", "real"),
        ("sim_to_real", "real"),
        ("dimensions", "phantom"),
        ("nodule_dimensions", "phantom"),
        ("nodule_readers", "phantom"),
        ("nodule_losses", "phantom"),
        ("phantoms_to_ct", "real"),
        ("nodule_detectors", "phantom"),
        ("real_nodules", "real"),
    ],
)
def test_the_page_of_results_quotes_the_study(name: str, source: str) -> None:
    assert stored(name, source).table() in (COURSE_ROOT / "docs" / "results.md").read_text(encoding="utf-8")


def test_the_study_looks_at_images_as_its_weights_were_learned() -> None:
    assert preprocessing_for("resnet18", "phantom") == methods.HOW
