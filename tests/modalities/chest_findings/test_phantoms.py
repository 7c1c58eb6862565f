"""Simulated films as files: in the real set's layout, the same each time, whole or not at all."""

import csv
import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_lib.data.boxed_folder import read_boxed
from course_lib.modalities.chest_findings import phantoms
from course_lib.modalities.chest_findings.phantoms import (
    ENTRY,
    FULL_SET,
    HEADER,
    ODDS,
    QUICK_SET,
    Settings,
    draw_films,
    draw_findings,
    make_dataset,
)
from course_lib.modalities.phantom_files import PhantomError, check_set, number_patients
from course_lib.modalities.simulated_chest.findings import FINDINGS
from course_lib.modalities.simulated_film.exposure import Exposure, draw_adult_exposure
from course_lib.modalities.simulated_film.marked_film import SUBTLETIES, Mark, MarkedFilm
from course_lib.sources.dataset_card import load_card
from course_lib.support.files import write_whole

FEW = Settings({"train": 3, "test": 2}, seed=5, pixels=64)
CARD = load_card("phantom-chest-findings")


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Films of noise in the place of simulated ones; the list grows by the number of each patient drawn.

    A patient has one film or two, and as many marks on each as the number's rest by three.
    """
    drawn: list[int] = []

    def draw(settings: Settings, number: int) -> list[tuple[Exposure, MarkedFilm]]:
        drawn.append(number)
        rng = np.random.default_rng([settings.seed, number])
        side = settings.pixels
        marks = tuple(
            Mark(FINDINGS[k], np.ones((side, side), dtype=bool), (k, 2, 20 + k, 31), 1.234 + number, SUBTLETIES[k])
            for k in range(number % 3)
        )
        exposure = replace(draw_adult_exposure(rng), view="PA" if number % 2 else "AP")
        films = [MarkedFilm(rng.integers(0, 256, (side, side), np.uint8), marks) for _ in range(1 + number % 2)]
        return [(exposure, film) for film in films]

    monkeypatch.setattr(phantoms, "draw_films", draw)
    return drawn


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("cheap")
def test_each_film_is_a_file_and_each_mark_a_row(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "set", FEW)
    files = contents(root)
    assert all(ENTRY.fullmatch(name) for name in files)
    assert set(files) == {
        "manifest.json",
        "train/boxes.csv",
        "test/boxes.csv",
        *(f"train/images/phantom{name}.jpg" for name in ("0000_000", "0001_000", "0001_001", "0002_000")),
        *(f"test/images/phantom{name}.jpg" for name in ("0003_000", "0003_001", "0004_000")),
    }
    assert not (root / "train" / "rows").exists()
    rows = list(csv.reader(io.StringIO(files["train/boxes.csv"].decode())))
    assert rows[0] == list(HEADER)
    assert rows[1] == ["phantom0001_000.jpg", "Nodule", "0", "2", "20", "31", "PA", "obvious", "2.23"]
    assert [row[0] for row in rows[1:]] == [
        "phantom0001_000.jpg",
        "phantom0001_001.jpg",
        "phantom0002_000.jpg",
        "phantom0002_000.jpg",
    ]


@pytest.mark.usefixtures("cheap")
def test_what_is_written_is_what_the_reader_reads(tmp_path: Path) -> None:
    films = read_boxed(make_dataset(tmp_path / "set", FEW) / "train", CARD.classes, CARD)
    assert [len(film.boxes) for film in films] == [0, 1, 1, 2]
    assert list(films[3].boxes) == [(0, 2, 20, 31), (1, 2, 21, 31)]
    assert list(films[3].labels) == [0, 1]
    assert films[3].subtlety == ("obvious", "moderate")
    assert films[3].contrast_to_noise == (3.23, 3.23)
    assert films[3].patient == "phantom0002"
    assert [film.view for film in films] == ["", "PA", "PA", "AP"]
    with Image.open(films[0].path) as image:
        assert (image.size, image.mode) == ((FEW.pixels, FEW.pixels), "L")


@pytest.mark.usefixtures("cheap")
def test_the_same_settings_give_the_same_bytes_and_what_is_whole_is_left_alone(tmp_path: Path) -> None:
    one, other = make_dataset(tmp_path / "one", FEW), make_dataset(tmp_path / "other", FEW)
    assert contents(one) == contents(other)
    before = contents(one)
    make_dataset(one, FEW)
    assert contents(one) == before
    assert check_set(one) == FEW.to_json()


@pytest.mark.parametrize("after", range(14))
def test_what_was_interrupted_goes_on_with_the_patients_that_are_missing(
    tmp_path: Path, cheap: list[int], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    writes: list[Path] = []

    def stop(path: Path, content: bytes) -> Path:
        if len(writes) == after:
            raise KeyboardInterrupt
        writes.append(path)
        return write_whole(path, content)

    monkeypatch.setattr(phantoms, "write_whole", stop)
    with pytest.raises(KeyboardInterrupt):
        make_dataset(tmp_path / "set", FEW)
    assert not (tmp_path / "set").exists()
    monkeypatch.setattr(phantoms, "write_whole", write_whole)
    whole = [number for number in range(5) if any(path.name == f"phantom{number:04d}.csv" for path in writes)]
    cheap.clear()
    resumed = contents(make_dataset(tmp_path / "set", FEW))
    assert cheap == [number for number in range(5) if number not in whole]
    assert resumed == contents(make_dataset(tmp_path / "other", FEW))


@pytest.mark.usefixtures("cheap")
def test_a_call_that_was_interrupted_while_it_cleared_up_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink
    removed: list[Path] = []

    def stop(path: Path, missing_ok: bool = False) -> None:
        if path.parent.name == "rows":
            if removed:
                raise KeyboardInterrupt
            removed.append(path)
        unlink(path, missing_ok)

    with monkeypatch.context() as interrupted:
        interrupted.setattr(Path, "unlink", stop)
        with pytest.raises(KeyboardInterrupt):
            make_dataset(tmp_path / "set", FEW)
    resumed = contents(make_dataset(tmp_path / "set", FEW))
    assert resumed == contents(make_dataset(tmp_path / "other", FEW))


@pytest.mark.usefixtures("cheap")
def test_other_settings_do_not_go_into_the_folder(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "set", FEW)
    with pytest.raises(PhantomError, match="other settings"):
        make_dataset(root, Settings({"train": 3}, seed=5, pixels=64))


@pytest.mark.parametrize(
    "wrong",
    [{"pixels": 8}, {"pixels": 4096}, {"pixels": 100.5}, {"patients": {"train": 0}}, {"patients": {"val": 1}}],
)
def test_settings_that_can_not_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        Settings(**{"patients": {"train": 1}, "seed": 0, **wrong})  # type: ignore[arg-type]


def test_half_of_the_patients_have_nothing_and_nodules_are_the_most_frequent() -> None:
    drawn = [draw_findings(np.random.default_rng([9, number])) for number in range(2000)]
    by = Counter(len(findings) for findings in drawn)
    assert set(by) == {0, 1, 2}
    assert by[0] / len(drawn) == pytest.approx(phantoms.HEALTHY, abs=0.04)
    assert by[2] / (by[1] + by[2]) == pytest.approx(phantoms.TWO_FINDINGS, abs=0.05)
    assert all(len(set(findings)) == len(findings) for findings in drawn)
    first = Counter(findings[0] for findings in drawn if findings)
    for name, odds in ODDS.items():
        assert first[name] / sum(first.values()) == pytest.approx(odds, abs=0.05)
    assert sum(ODDS.values()) == pytest.approx(1)
    assert set(ODDS) == set(FINDINGS)


def test_the_small_and_the_large_set_show_different_people() -> None:
    assert QUICK_SET.seed != FULL_SET.seed


@pytest.mark.slow
def test_films_show_the_findings_of_their_patient_and_a_second_film_shows_them_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(phantoms, "TWO_FILMS", 1.0)
    shown: set[str] = set()
    for number in range(5):
        findings = draw_findings(np.random.default_rng([FEW.seed, number]))
        (one, film), (other, second) = films = draw_films(FEW, number)
        assert one != other
        assert (film.image != second.image).any()
        for _, each in films:
            assert each.image.shape == (FEW.pixels, FEW.pixels)
            assert each.image.dtype == np.uint8
            assert {mark.finding for mark in each.marks} <= set(findings)
            assert all(mark.subtlety in SUBTLETIES for mark in each.marks)
            shown |= {mark.finding for mark in each.marks}
    assert shown
    again = draw_films(FEW, 4)
    assert [exposure for exposure, _ in again] == [one, other]
    assert all((each.image == before.image).all() for (_, each), before in zip(again, (film, second), strict=True))


@pytest.mark.usefixtures("cheap")
def test_of_two_marks_with_the_same_box_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = Mark("Nodule", np.ones((64, 64), dtype=bool), (1, 2, 3, 4), 2.0, "obvious")
    film = MarkedFilm(np.zeros((64, 64), np.uint8), (mark, replace(mark, contrast_to_noise=1.0)))
    exposure = draw_adult_exposure(np.random.default_rng(0))
    monkeypatch.setattr(phantoms, "draw_films", lambda *_: [(exposure, film)])
    films = read_boxed(make_dataset(tmp_path / "set", FEW) / "train", CARD.classes, CARD)
    assert [len(film.boxes) for film in films] == [1, 1, 1]


def test_half_of_the_quick_set_has_a_finding() -> None:
    for split in ("train", "test"):
        numbers = [number for part, number in number_patients(QUICK_SET.patients) if part == split]
        ill = [bool(draw_findings(np.random.default_rng([QUICK_SET.seed, number]))) for number in numbers]
        assert 0.4 < np.mean(ill) < 0.6
