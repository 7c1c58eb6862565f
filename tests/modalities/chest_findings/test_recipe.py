"""The recipe for findings in boxes: what it learns from and measures, on films that take seconds."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_lib.authoring import measure
from course_lib.authoring.__main__ import main
from course_lib.authoring.measure import experiment_of
from course_lib.evaluation.classification import auroc
from course_lib.evaluation.detection import Boxes, DetectionPredictions
from course_lib.evaluation.intervals import bootstrap_intervals
from course_lib.modalities.chest_findings import inserted_nodules, phantoms, recipe
from course_lib.modalities.chest_findings.reader import CLASSES
from course_lib.modalities.chest_findings.recipe import ALL_FOUND, ALL_FROC, FOUND, FROC, IMAGES
from course_lib.training.inference import predict

PATIENTS, FILMS, SIDE = 15, 2, 64
NAMED = (FOUND, FROC, IMAGES, ALL_FOUND, ALL_FROC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Patients with a bright square on the first film, in turn of each finding, and nothing on the second."""
    rng = np.random.default_rng(0)
    images = tmp_path / "films" / "images"
    images.mkdir(parents=True)
    rows = ["file,finding,xmin,ymin,xmax,ymax,view"]
    for patient in range(PATIENTS):
        for film in range(FILMS):
            pixels = rng.integers(0, 60, (SIDE, SIDE), dtype=np.uint8)
            name = f"{patient + 1:08d}_{film:03d}.png"
            if film == 0:
                x, y = rng.integers(4, SIDE - 24, 2)
                pixels[y : y + 20, x : x + 20] = 200
                rows.append(f"{name},{CLASSES[patient % len(CLASSES)]},{x},{y},{x + 20},{y + 20},PA")
            Image.fromarray(pixels).save(images / name)
    (images.parent / "boxes.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return images.parent


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The same experiments from a random start, on 32 px and with one epoch; gives where results go."""
    before = recipe.ON_REAL_IMAGES
    quick = replace(
        before.recipe,
        how=replace(before.recipe.how, size=32),
        config=replace(before.config, epochs=1, batch_size=8, mixed_precision=False),
    )
    experiment = replace(before, recipe=quick, weights=None)
    few = phantoms.Settings({"train": 6, "test": 4}, seed=3, pixels=64)
    monkeypatch.setattr(recipe, "ON_REAL_IMAGES", experiment)
    monkeypatch.setattr(recipe, "ON_PHANTOMS", replace(experiment, inserts=False, phantoms=few))
    monkeypatch.setattr(recipe, "LOOKED_AT", 3)
    monkeypatch.setattr(recipe, "PHANTOM_FOLDER", tmp_path / "phantoms")
    monkeypatch.setattr(inserted_nodules, "DIFFERENT", 3)
    monkeypatch.setattr(measure, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(measure, "bootstrap_intervals", partial(bootstrap_intervals, resamples=20))
    inserted_nodules._drawn.cache_clear()
    return tmp_path / "results"


@pytest.mark.slow
def test_every_figure_is_one_line_with_its_interval_beside_who_does_not_look(small: Path, folder: Path) -> None:
    assert main(["measure", "chest_findings", str(folder), "--networks", "2"]) == 0
    about, *lines = (small / "chest_findings-real.txt").read_text(encoding="utf-8").splitlines()
    assert "the last epoch kept" in about
    for name in NAMED:
        for who in ("one network", "2 networks together", "without looking"):
            (line,) = (line for line in lines if line.startswith(f"{name}, {who}: "))
            assert re.search(r"(\d\.\d{3}|nan) \(", line)
    assert any(line.startswith("Cardiomegaly localised, IoBB 0.1, at 0.35 false alarms") for line in lines)


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_nothing_of_the_test_part_is_learned_from_and_all_of_the_others_is(folder: Path) -> None:
    learned, shown = recipe.ON_REAL_IMAGES.training_data(folder)
    tested = recipe.ON_REAL_IMAGES.test_data(folder)
    assert tested.patients
    assert not {*tested.patients} & {*learned.patients}
    assert len(learned) + len(tested) == PATIENTS * FILMS
    assert {*shown.samples} < {*learned.samples}
    assert shown.change is None
    assert tested.change is None
    assert learned.change is not None


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_an_experiment_of_phantoms_needs_no_real_film_to_learn_from(folder: Path) -> None:
    data, held_out = recipe.ON_PHANTOMS.training_data(folder)
    assert all(sample.patient.startswith("phantom") for sample in (*data.samples, *held_out.samples))
    assert {*held_out.samples} < {*data.samples}
    tested = recipe.ON_PHANTOMS.test_data(folder)
    assert tested.task == data.task
    judged = recipe.ON_PHANTOMS.scored(predict(recipe.ON_PHANTOMS.new_network(0), tested))
    assert list(recipe.ON_PHANTOMS.figures(judged))[:5] == list(NAMED)


def test_nothing_chooses_an_epoch() -> None:
    assert experiment_of("chest_findings", phantoms_only=False) is recipe.ON_REAL_IMAGES
    assert experiment_of("chest_findings", phantoms_only=True) is recipe.ON_PHANTOMS
    assert recipe.ON_REAL_IMAGES.config.keep == "last"
    assert recipe.ON_PHANTOMS.config.keep == "last"
    assert not recipe.ON_PHANTOMS.inserts, "only real films are without simulated nodules"


def said(found: list[Boxes], true: list[Boxes]) -> DetectionPredictions:
    count = len(found)
    names = tuple(f"{number}.png" for number in range(count))
    patients = np.array([f"p{number}" for number in range(count)])
    return DetectionPredictions(CLASSES, tuple(found), tuple(true), np.zeros(count), patients, names)


def boxes(*rows: tuple[float, float, float, float, str, float]) -> Boxes:
    corners = np.array([row[:4] for row in rows], dtype=np.float64).reshape(-1, 4)
    classes = np.array([CLASSES.index(row[4]) for row in rows], dtype=np.int64)
    return Boxes(corners, classes, np.array([row[5] for row in rows], dtype=np.float64))


def test_a_mass_that_is_called_a_nodule_is_found_as_one_of_both_but_not_by_its_name() -> None:
    here = said([boxes((10, 10, 20, 20, "Nodule", 0.9)), boxes()], [boxes((10, 10, 20, 20, "Mass", 1)), boxes()])
    films = recipe.ON_REAL_IMAGES.scored(here)
    figures = recipe.ON_REAL_IMAGES.figures(films)
    assert figures[FOUND](films) == 1
    assert figures[ALL_FOUND](films) == 0
    assert figures[IMAGES](films) == 1


def test_films_with_another_finding_do_not_count_against_those_with_a_nodule() -> None:
    found = [boxes((10, 10, 20, 20, "Nodule", score)) for score in (0.5, 0.9, 0.1)]
    true = [boxes((10, 10, 20, 20, "Nodule", 1)), boxes((10, 10, 60, 60, "Effusion", 1)), boxes()]
    films = recipe.ON_REAL_IMAGES.scored(said(found, true))
    assert auroc(films.images) == 0.5
    assert recipe.ON_REAL_IMAGES.figures(films)[IMAGES](films) == 1
    healthy = films.take(np.array([1, 2]))
    assert not healthy.measurable
    assert np.isnan(recipe.ON_REAL_IMAGES.figures(films)[IMAGES](healthy))


def test_a_finding_is_localised_at_the_false_alarms_that_were_published_on_films_with_a_box() -> None:
    far = (40.0, 40.0, 50.0, 50.0, "Nodule", 0.9)
    found = [boxes((10, 10, 20, 20, "Nodule", 0.8), far), boxes(far), boxes(far)]
    true = [boxes((10, 10, 20, 20, "Nodule", 1)), boxes((40, 40, 50, 50, "Nodule", 1)), boxes()]
    films = recipe.ON_REAL_IMAGES.scored(said(found, true))
    name = "Nodule localised, IoBB 0.1, at 0.60 false alarms per film with a box"
    # one false alarm on two films with a box; the healthy one's does not count
    assert recipe.ON_REAL_IMAGES.figures(films)[name](films) == 1


def test_of_boxes_about_the_same_thing_the_surest_stays() -> None:
    first = said([boxes((10, 10, 20, 20, "Nodule", 0.6), (40, 40, 50, 50, "Nodule", 0.3))], [boxes()])
    second = said([boxes((11, 10, 21, 20, "Nodule", 0.8), (10, 10, 20, 20, "Mass", 0.5))], [boxes()])
    (together,) = recipe.ON_REAL_IMAGES.together([first, second]).found
    assert together.scores.tolist() == [0.8, 0.5, 0.3]
    assert [CLASSES[place] for place in together.classes] == ["Nodule", "Mass", "Nodule"]
