"""Simulated readers: what they see, what the computer adds, and how sure the gain is over readers and patients."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.evaluation.detection import judge
from course_lib.evaluation.hit_rules import centre_inside
from course_lib.evaluation.second_reader import (
    AIDED,
    ALONE,
    FALSE_MARKS,
    SEEN_ALONE,
    TWO,
    ReaderModel,
    ReaderStudy,
    ReadFilms,
    Reading,
    films_to_read,
    fitted_reader,
    read_films,
)
from tests.made_boxes import FAR, FARTHER, TRUE, boxes, detections_of


def some_films(seed: int = 0, films: int = 300, *, prompted: float = 0.74, alarms: float = 1.0) -> ReadFilms:
    """A third of the films has one lesion; the computer, too, finds those that stand out."""
    rng = np.random.default_rng(seed)
    lesions = np.arange(0, films, 3)
    contrast = rng.lognormal(0, 0.8, len(lesions))
    return ReadFilms(
        contrast_to_noise=contrast,
        films=lesions,
        prompted=contrast > np.quantile(contrast, 1 - prompted),
        false_prompts=rng.poisson(alarms, films),
        patients=np.array([f"p{film // 2}" for film in range(films)]),
    )


FILMS = some_films()
MODEL = fitted_reader(FILMS.contrast_to_noise)
STUDY = read_films(FILMS, MODEL, 8, seed=1)


def test_a_lesion_is_seen_the_likelier_the_more_it_stands_out() -> None:
    model = ReaderModel(half_seen=2.0)
    chance = model.chance(np.array([0, 1, 2, 4, 1000]))
    assert chance[0] == 0
    assert chance[2] == 0.5
    assert (np.diff(chance) > 0).all()
    assert chance[1] + chance[3] == pytest.approx(1)  # the same factor below and above
    assert (model.chance(np.array([2.0]), skill=1.0) > 0.5).all()


def test_a_fitted_reader_sees_the_part_that_radiologists_saw() -> None:
    assert MODEL.chance(FILMS.contrast_to_noise).mean() == pytest.approx(SEEN_ALONE)
    doubled = fitted_reader(2 * FILMS.contrast_to_noise)
    assert doubled.half_seen == pytest.approx(2 * MODEL.half_seen)
    assert STUDY.value(ALONE) == pytest.approx(SEEN_ALONE, abs=0.06)
    assert STUDY.value(ALONE, FALSE_MARKS) == pytest.approx(MODEL.false_marks, abs=0.05)


def test_the_computer_adds_what_was_passed_over_prompted_and_accepted() -> None:
    alone, aided = STUDY.readings[ALONE], STUDY.readings[AIDED]
    assert (aided.found >= alone.found).all()
    new = aided.found & ~alone.found
    assert FILMS.prompted[np.nonzero(new)[1]].all()
    could = FILMS.prompted & ~alone.found
    assert new.sum() / could.sum() == pytest.approx(MODEL.accepts_true, abs=0.12)
    extra = aided.false_marks - alone.false_marks
    assert (extra >= 0).all()
    assert (extra <= FILMS.false_prompts).all()
    assert extra.mean() == pytest.approx(MODEL.accepts_false * FILMS.false_prompts.mean(), abs=0.03)


def test_two_readers_mark_what_either_marks() -> None:
    alone, two = STUDY.readings[ALONE], STUDY.readings[TWO]
    assert (two.found[0] == (alone.found[0] | alone.found[1])).all()
    assert (two.found[-1] == (alone.found[-1] | alone.found[0])).all()
    assert STUDY.value(TWO, FALSE_MARKS) == pytest.approx(2 * STUDY.value(ALONE, FALSE_MARKS))
    assert STUDY.value(TWO) > STUDY.value(AIDED) > STUDY.value(ALONE)


def test_a_computer_that_never_points_or_is_never_believed_changes_nothing() -> None:
    silent = some_films(prompted=0.0, alarms=0.0)
    ignored = replace(MODEL, accepts_true=0.0, accepts_false=0.0)
    for study in (read_films(silent, MODEL, seed=1), read_films(FILMS, ignored, seed=1)):
        gain = study.compare(AIDED, ALONE, resamples=50)
        assert (gain.difference, gain.low, gain.high) == (0, 0, 0)
        assert study.value(AIDED, FALSE_MARKS) == study.value(ALONE, FALSE_MARKS)


def test_readers_and_patients_are_both_drawn() -> None:
    """If one reader of two gains all and the other nothing, the interval goes from nothing to all."""
    found = np.zeros((2, 100), dtype=np.bool_)
    films = ReadFilms(np.ones(100), np.arange(100), np.ones(100, bool), np.zeros(100, int), np.arange(100).astype(str))
    marks = np.zeros((2, 100), dtype=np.int64)
    helped = found.copy()
    helped[0] = True
    study = ReaderStudy(films, {ALONE: Reading(found, marks), AIDED: Reading(helped, marks)})
    gain = study.compare(AIDED, ALONE)
    assert (gain.difference, gain.low, gain.high) == (0.5, 0, 1)
    helped[:, :50] = True
    helped[:, 50:] = False
    study = ReaderStudy(films, {ALONE: Reading(found, marks), AIDED: Reading(helped, marks)})
    gain = study.compare(AIDED, ALONE)
    assert gain.difference == 0.5
    assert 0.3 < gain.low < 0.45 < 0.55 < gain.high < 0.7


def test_the_gain_is_paired_and_so_surer_than_either_sensitivity() -> None:
    gain = STUDY.compare(AIDED, ALONE)
    assert gain.low < gain.difference < gain.high
    spread = np.ptp(np.quantile(gain.draws[:, 1], [0.025, 0.975]))
    assert gain.high - gain.low < spread
    assert gain.difference == pytest.approx(STUDY.value(AIDED) - STUDY.value(ALONE))
    assert STUDY.compare(TWO, ALONE, FALSE_MARKS).low > 0.1
    value, low, high = STUDY.estimate(ALONE)
    assert (value, high - low) == pytest.approx((STUDY.value(ALONE), spread))


def test_the_same_seed_reads_the_same_films_alike() -> None:
    again, other = read_films(FILMS, MODEL, 8, seed=1), read_films(FILMS, MODEL, 8, seed=2)
    assert (again.readings[AIDED].found == STUDY.readings[AIDED].found).all()
    assert (other.readings[AIDED].found != STUDY.readings[AIDED].found).any()


def test_films_come_from_a_judged_detector() -> None:
    predictions = detections_of(
        (boxes(TRUE, FAR, scores=[0.9, 0.8]), boxes(TRUE, FARTHER)),
        (boxes(FAR, TRUE, classes=[1, 0], scores=[0.7, 0.2]), boxes(FAR, classes=[1])),
        (boxes(), boxes()),
    )
    judged = judge(predictions, centre_inside)
    films = films_to_read(judged, np.array([3.0, 2.0, 1.0]), 0.5)
    assert films.films.tolist() == [0, 0, 1]
    assert films.prompted.tolist() == [True, False, True]
    assert films.false_prompts.tolist() == [1, 0, 0]
    nodules = films_to_read(judged, np.array([3.0, 2.0, 1.0]), 0.1, "Nodule")
    assert nodules.contrast_to_noise.tolist() == [3, 2]
    assert nodules.false_prompts.tolist() == [1, 1, 0]
    with pytest.raises(ValueError, match="each of 3 true boxes"):
        films_to_read(judged, np.ones(2), 0.5)
    with pytest.raises(ValueError, match="threshold is NaN"):
        films_to_read(judged, np.ones(3), float("nan"))
    everything = films_to_read(judged, np.ones(3), -np.inf)
    assert everything.prompted.tolist() == [True, False, True], "what no box hits is not shown at any threshold"


def test_without_a_lesion_there_is_no_sensitivity() -> None:
    healthy = replace(FILMS, contrast_to_noise=np.empty(0), films=np.empty(0, np.int64), prompted=np.empty(0, np.bool_))
    study = read_films(healthy, MODEL, seed=0)
    assert np.isnan(study.value(ALONE))
    assert np.isnan(study.compare(AIDED, ALONE, resamples=5).low)
    assert study.value(ALONE, FALSE_MARKS) > 0


def test_what_does_not_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="of one length"):
        replace(FILMS, prompted=np.ones(3, bool))
    for wrong in (-1.0, float("nan")):
        with pytest.raises(ValueError, match=r"take np\.abs"):
            replace(FILMS, contrast_to_noise=np.full(len(FILMS.films), wrong))
    with pytest.raises(ValueError, match="two readers at least, but got 1"):
        read_films(FILMS, MODEL, 1, seed=0)
    with pytest.raises(ValueError, match="Expected one of alone"):
        STUDY.value("together")
    with pytest.raises(ValueError, match="'specificity'"):
        STUDY.value(ALONE, "specificity")
    one = replace(STUDY, films=replace(FILMS, patients=np.array(["p"] * len(FILMS.patients))))
    with pytest.raises(ValueError, match="two of them at least"):
        one.compare(AIDED, ALONE)
    for name, value, said in (
        ("half_seen", 0.0, "above 0"),
        ("steepness", float("nan"), "above 0"),
        ("false_marks", -1.0, "0 or more"),
        ("accepts_true", 2.0, "from 0 to 1"),
    ):
        with pytest.raises(ValueError, match=said):
            replace(MODEL, **{name: value})
    for contrast, part in ((np.empty(0), 0.5), (np.zeros(4), 0.5), (np.array([0.0, 1.0]), 0.6), (np.ones(3), 0.0)):
        with pytest.raises(ValueError, match="have any contrast"):
            fitted_reader(contrast, part)
    for wrong in (-1.0, float("nan")):
        with pytest.raises(ValueError, match=r"take np\.abs"):
            fitted_reader(np.array([1.0, 2.0, wrong]), 0.5)
