"""From simulated to real nodules: who measures, who is learned from, what is compared, and that no test is opened."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from course_lib.authoring.studies import phantoms_to_ct
from course_lib.authoring.studies.phantoms_to_ct import (
    NOT_LOOKING,
    PHANTOMS,
    PHOTOGRAPHS,
    READERS,
    STUDY,
    cases,
    draw,
    measure,
    parted,
)
from course_lib.data.course_data import CourseData
from course_lib.data.marked_slices import MarkedSlice, read_marked
from course_lib.evaluation.studies import Row
from course_lib.modalities.chest_ct.phantoms import Settings, make_dataset
from course_lib.modalities.chest_ct.recipe import at_size
from course_lib.networks.lite_unet import LiteUNet
from course_lib.support.errors import DataError
from course_lib.support.runtime import seeded
from course_lib.training.config import TrainConfig

PX = 32
AS_REAL = Settings({"train": 10}, seed=3, pixels=PX, pixel_mm=1.4)  #: patients who stand in for real ones


def named(patients: int) -> CourseData[Any]:
    """Two slices of each patient; their files are nowhere."""
    slices = [
        MarkedSlice(Path(f"patient{number}/nodule-0/images/slice-{place}.png"), (), f"patient{number}", "nodule", place)
        for number in range(patients)
        for place in range(2)
    ]
    slices = [replace(one, nodule=f"{one.patient}/nodule-0") for one in slices]
    end = 2 * (4 * patients // 5)
    return CourseData("CT", False, (), tuple(slices[:end]), tuple(slices[end:]), (), "", None)


def patients_of(slices: list[MarkedSlice]) -> set[str]:
    return {one.patient for one in slices}


def test_a_fifth_measures_whoever_else_is_there_and_however_validation_was_parted() -> None:
    data = named(100)
    learned, held = parted(data)
    assert not patients_of(learned) & patients_of(held)
    assert len(learned) + len(held) == 200
    assert 10 < len(patients_of(held)) < 32
    everything = (*data.train, *data.validation)
    assert parted(replace(data, train=everything[::-1], validation=())) == (learned, held)
    fewer = replace(data, validation=())
    assert patients_of(parted(fewer)[1]) == patients_of(held) & patients_of(list(data.train))


def test_too_few_patients_are_refused() -> None:
    with pytest.raises(DataError, match=r"at least 30 patients and measures on others, but .* there are \d+ and \d+"):
        parted(named(20))


def test_fewer_patients_are_some_of_more_and_a_seed_draws_others() -> None:
    learned, _ = parted(named(100))
    drawn = [patients_of(draw(learned, count, seed=0)) for count in (0, 1, 3, 10)]
    assert [len(some) for some in drawn] == [0, 1, 3, 10]
    assert all(fewer < more for fewer, more in pairwise(drawn))
    assert patients_of(draw(learned, 10, seed=1)) != drawn[-1]
    assert len(draw(learned, 3, seed=0)) == 6


def test_those_who_choose_the_learning_rate_are_not_learned_from_by_then() -> None:
    learned, held = parted(named(100))
    choosers = patients_of(phantoms_to_ct._choosers(learned))
    assert len(choosers) == phantoms_to_ct.CHOOSERS
    assert not choosers & patients_of(draw(learned, phantoms_to_ct.TUNED_WITH, phantoms_to_ct.SEEDS[0]))
    assert not choosers & patients_of(held)


def test_both_starts_have_the_same_patients() -> None:
    data = named(100)
    everyone = len(patients_of(parted(data)[0]))
    counts = {
        start: sorted((int(case["patients"]), int(case["seed"])) for case in cases(data) if case["start"] == start)
        for start in (PHOTOGRAPHS, PHANTOMS)
    }
    alone = [(0, seed) for seed in phantoms_to_ct.SEEDS]
    assert counts[PHANTOMS] == alone + counts[PHOTOGRAPHS]
    assert {count for count, _ in counts[PHOTOGRAPHS]} == {1, 3, 10, 30, everyone}
    assert all(set(case) == {*STUDY.factors, "seed"} for case in cases(data))


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> CourseData[Any]:
    """Simulated patients in the place of real ones; the files of the test part are nowhere."""
    root = make_dataset(tmp_path_factory.mktemp("as real") / "set", AS_REAL)
    slices = tuple(read_marked(root / "train"))
    missing = tuple(replace(one, path=Path("closed.png"), masks=(Path("closed.png"),) * 4) for one in slices[:3])
    return CourseData("CT", False, ("background", "nodule"), slices, (), missing, "", None)


@pytest.fixture(scope="module")
def cheap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[nn.Module]]:
    """Small crops, a few slices seen, a random start; the list gets each network that was trained."""
    begun: list[nn.Module] = []
    trained = phantoms_to_ct._fitted

    def new_network(seed: int) -> LiteUNet:
        with seeded(seed):
            return LiteUNet(1, weights=None)

    def fitted(model: LiteUNet, *arguments: Any) -> LiteUNet:
        begun.append(trained(model, *arguments))
        return model

    recipe = at_size(PX, phantoms_to_ct.EXPERIMENT.config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phantoms_to_ct, "UNFINISHED", tmp_path_factory.mktemp("unfinished"))
        patch.setattr(phantoms_to_ct, "SIMULATED", Settings({"train": 2}, seed=4, pixels=PX, pixel_mm=1.4))
        patch.setattr(phantoms_to_ct, "EXPERIMENT", replace(phantoms_to_ct.EXPERIMENT, recipe=recipe))
        patch.setattr(phantoms_to_ct, "CROP", PX)
        patch.setattr(phantoms_to_ct, "SLICES_SEEN", 20)
        patch.setattr(phantoms_to_ct, "TUNED_WITH", 2)
        patch.setattr(phantoms_to_ct, "CHOOSERS", 2)
        patch.setattr(phantoms_to_ct, "HELD_OUT", 2)
        patch.setattr(phantoms_to_ct, "_new_network", new_network)
        patch.setattr(phantoms_to_ct, "_fitted", fitted)
        yield begun


def ends_hold(row: Row, name: str) -> bool:
    return float(row[f"{name}_low"]) <= float(row[name]) <= float(row[f"{name}_high"])


@pytest.mark.slow
def test_what_needs_no_network_trains_only_what_it_is_held_against(
    few: CourseData[Any], cheap: list[nn.Module]
) -> None:
    before = len(cheap)
    readers = measure(few, {"start": READERS, "patients": 0, "seed": 0})
    assert len(cheap) == before
    assert set(readers) == {"dice", "low", "high"}
    assert 0.5 < float(readers["dice"]) < 0.95
    without = measure(few, {"start": NOT_LOOKING, "patients": 0, "seed": 0})
    assert 0.05 < float(without["dice"]) < 0.7
    assert ends_hold(without, "over_phantoms_gain")
    assert float(without["over_readers_gain"]) < 0


@pytest.mark.slow
def test_both_starts_are_compared_on_the_same_patients_and_trained_once(
    few: CourseData[Any], cheap: list[nn.Module]
) -> None:
    said = {start: measure(few, {"start": start, "patients": 2, "seed": 0}) for start in (PHOTOGRAPHS, PHANTOMS)}
    alone = measure(few, {"start": PHANTOMS, "patients": 0, "seed": 0})
    first, second = said[PHANTOMS], said[PHOTOGRAPHS]
    assert float(first["gain"]) == pytest.approx(float(first["dice"]) - float(second["dice"]))
    assert float(second["over_phantoms_gain"]) == pytest.approx(float(second["dice"]) - float(alone["dice"]))
    assert "gain" not in second
    assert "over_phantoms_gain" not in alone
    assert ends_hold(first, "gain")
    assert ends_hold(first, "over_readers_gain")
    assert first["chosen"] in phantoms_to_ct.LEARNING_RATES
    assert first["slices"] == second["slices"]
    trained = len(cheap)
    assert measure(few, {"start": PHANTOMS, "patients": 2, "seed": 0}) == first
    assert len(cheap) == trained


@pytest.mark.slow
@pytest.mark.usefixtures("cheap")
def test_each_slice_is_seen_about_as_often_as_any_other(few: CourseData[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    learned = phantoms_to_ct._look_at(few.train[:7])
    shown: list[int] = []

    def fit(_: nn.Module, train: Any, shows: Any, __: TrainConfig) -> None:
        shown.extend([few.train.index(one) for one in train.samples])
        assert train.mirror
        assert train.change
        assert not shows.mirror

    monkeypatch.setattr(phantoms_to_ct, "fit_whole", fit)
    phantoms_to_ct._fitted(phantoms_to_ct._new_network(0), learned, 1e-3, 0)
    assert len(shown) == phantoms_to_ct.SLICES_SEEN
    assert {shown.count(one) for one in range(7)} == {2, 3}
