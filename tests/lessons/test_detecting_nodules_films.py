"""Lesson 12: a classifier asked about each window, and the film with the nodule that nobody finds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from course_lib.data.outlines_and_boxes import BoxedImage
from course_lib.lessons.detecting_nodules import (
    SlidingWindow,
    cut_windows,
    hidden_nodule,
    nms,
    opening_film,
    prepared,
    slide,
)
from course_lib.modalities.chest_findings.phantoms import QUICK_SET, Settings, draw_findings
from course_lib.modalities.simulated_film.exposure import Exposure, draw_adult_exposure
from course_lib.modalities.simulated_film.marked_film import Mark, MarkedFilm
from course_lib.networks.costs import gflops

# --- sliding window


def classifier() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    ).train()


def test_the_windows_step_over_the_film_and_none_goes_beyond_its_edge() -> None:
    window = SlidingWindow(film_px=20, window_px=8, step_px=5)
    assert window.starts.tolist() == [0, 5, 10]
    assert window.count == len(window.corners) == 9
    assert window.corners[:4].tolist() == [[0, 0, 8, 8], [5, 0, 13, 8], [10, 0, 18, 8], [0, 5, 8, 13]]
    assert SlidingWindow(256, 32, 8).count == 29**2
    assert SlidingWindow(8, 8, 3).count == 1


def test_each_window_gets_the_answer_that_it_would_get_alone() -> None:
    network, window = classifier(), SlidingWindow(20, 8, 5)
    film = torch.rand(2, 20, 20)
    came = slide(network, film, window, of_class=1, batch_size=4)
    assert network.training
    network.eval()
    for (x0, y0, x1, y1), probability in zip(window.corners.astype(int), came, strict=True):
        with torch.no_grad():
            alone = network(film[None, :, y0:y1, x0:x1]).softmax(dim=1)[0, 1].item()
        assert probability == pytest.approx(alone, abs=1e-6)


def test_a_film_costs_as_much_as_all_its_windows() -> None:
    network, window = classifier(), SlidingWindow(20, 8, 5)
    assert window.gflops(network, channels=2) == pytest.approx(9 * gflops(network, (2, 8, 8)))
    finer = SlidingWindow(20, 8, 2)
    assert finer.gflops(network, channels=2) == pytest.approx(49 / 9 * window.gflops(network, channels=2))


class BrightOrNot(nn.Module):
    """Knows one thing: the brighter a window is, the likelier it is of class 1."""

    def __init__(self) -> None:
        super().__init__()
        self.steep = nn.Parameter(torch.tensor(5.0))

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        bright = self.steep * windows.mean(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(bright), bright], dim=1)


def test_with_suppression_a_classifier_is_a_detector() -> None:
    film = torch.zeros(1, 40, 40)
    for x, y, bright in ((6, 8, 1.0), (28, 24, 0.8)):
        film[:, y : y + 6, x : x + 6] = bright
    window = SlidingWindow(film_px=40, window_px=8, step_px=2)
    scores = torch.tensor(slide(BrightOrNot(), film, window, of_class=1))
    corners = torch.tensor(window.corners)
    surest = corners[nms(corners, scores, 0.1)][:2].tolist()
    assert [
        (x0 <= x and x + 6 <= x1 and y0 <= y and y + 6 <= y1)
        for (x0, y0, x1, y1), (x, y) in zip(surest, ((6, 8), (28, 24)), strict=True)
    ] == [True, True]


@pytest.mark.parametrize(
    ("sizes", "words"),
    [((20, 21, 5), "does not fit"), ((20, 8, 0), "1 px and more"), ((0, 0, 1), "1 px and more")],
)
def test_windows_that_do_not_fit_are_refused(sizes: tuple[int, int, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SlidingWindow(*sizes)


def test_a_film_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Expected a film \[channels, 20, 20\], got \[2, 20, 24\]"):
        slide(classifier(), torch.zeros(2, 20, 24), SlidingWindow(20, 8, 5), of_class=0)


# --- windows to learn from

WIDTH, HEIGHT = 61, 47  #: of a film whose greys say where a pixel was
SIDE = 12
NODULE, OTHER = 1, 4  #: labels


def told(path: Path, *boxes: tuple[float, float, float, float], labels: Sequence[int] = ()) -> BoxedImage:
    """A film, each of whose pixels has another grey than those right of it and below it, and its boxes."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    Image.fromarray((4 * x).astype(np.uint8) if path.stem == "across" else (5 * y).astype(np.uint8)).save(path)
    return BoxedImage(path, boxes, tuple(labels), path.stem)


def starts_of(windows: torch.Tensor, film: BoxedImage) -> list[int]:
    """Where each window begins in a film of `told`, px across or down, by the greys in its corner."""
    greys = prepared(np.asarray(Image.open(film.path)))[0]
    line = greys[0] if film.path.stem == "across" else greys[:, 0]
    return [int((line - window[0, 0, 0]).abs().argmin()) for window in windows]


def test_a_film_is_prepared_with_greys_of_mean_0_and_spread_1() -> None:
    film = np.random.default_rng(0).integers(30, 200, (20, 30), dtype=np.uint8)
    ready = prepared(film)
    assert ready.shape == (3, 20, 30)
    assert ready.dtype == torch.float32
    assert ready.mean().item() == pytest.approx(0, abs=1e-5)
    assert ready[0].std().item() == pytest.approx(1, abs=1e-5)
    assert torch.equal(ready[0], ready[2])
    assert torch.equal(ready[0].flatten().argsort(stable=True), torch.tensor(film.flatten()).argsort(stable=True))


def test_around_each_wanted_box_there_are_as_many_windows_as_in_a_film_without_one(tmp_path: Path) -> None:
    films = [
        told(tmp_path / "both.png", (5, 5, 9, 9), (30, 20, 40, 30), labels=(NODULE, NODULE)),
        told(tmp_path / "none.png"),
        told(tmp_path / "another.png", (5, 5, 9, 9), labels=(OTHER,)),
        told(tmp_path / "mixed.png", (5, 5, 9, 9), (30, 20, 40, 30), labels=(OTHER, NODULE)),
    ]
    windows, asked = cut_windows(films, (NODULE, 2), SIDE, each=3, seed=0)
    assert asked.tolist() == [1] * 6 + [0] * 6 + [1] * 3
    assert windows.shape == (15, 3, SIDE, SIDE)
    assert (windows.dtype, asked.dtype) == (torch.float32, torch.int64)


@pytest.mark.parametrize(("name", "low", "high"), [("across", 0, 2), ("down", 1, 3)])
def test_a_window_around_a_box_has_the_boxs_middle_in_it_and_no_other_place(
    tmp_path: Path, name: str, low: int, high: int
) -> None:
    extent = WIDTH if name == "across" else HEIGHT
    corners = ((0.0, 0.0, 4.0, 5.0), (57.0, 40.0, 61.0, 47.0))
    for box in ((20.0, 18.0, 30.0, 24.0), (2.0, 3.0, 60.0, 45.0), *corners):
        film = told(tmp_path / f"{name}.png", box, labels=(NODULE,))
        starts = starts_of(cut_windows([film], [NODULE], SIDE, each=60, seed=1)[0], film)
        middle = (box[low] + box[high]) / 2
        assert all(start <= middle < start + SIDE for start in starts)
        assert min(starts) >= 0
        assert max(starts) <= extent - SIDE
        usual = np.clip(middle - SIDE / 2, 0, extent - SIDE)
        assert all(abs(start - usual) <= 0.2 * SIDE + 1 for start in starts)
        if 0 < usual < extent - SIDE:
            assert min(starts) < usual - 1 < usual + 1 < max(starts), "aside in both directions"


@pytest.mark.parametrize(("name", "extent"), [("across", WIDTH), ("down", HEIGHT)])
def test_windows_without_a_wanted_box_come_from_anywhere(tmp_path: Path, name: str, extent: int) -> None:
    film = told(tmp_path / f"{name}.png", (20, 18, 30, 24), labels=(OTHER,))
    windows, asked = cut_windows([film], [NODULE], SIDE, each=600, seed=2)
    assert not asked.any()
    assert set(starts_of(windows, film)) == set(range(extent - SIDE + 1)), "the film's edges too"


def test_windows_are_cut_from_the_film_as_it_is_prepared(tmp_path: Path) -> None:
    film = told(tmp_path / "across.png")
    ready = prepared(np.asarray(Image.open(film.path)))
    windows, _ = cut_windows([film], [NODULE], SIDE, each=5, seed=0)
    for window, start in zip(windows, starts_of(windows, film), strict=True):
        assert torch.equal(window, ready[:, :SIDE, start : start + SIDE])


def test_one_seed_gives_one_set_of_windows(tmp_path: Path) -> None:
    film = told(tmp_path / "across.png", (20, 18, 30, 24), labels=(NODULE,))
    first, again, other = (cut_windows([film, film], [NODULE], SIDE, each=4, seed=seed)[0] for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[:4], first[4:]), "each film has its own"


def test_without_a_film_or_a_window_nothing_can_be_cut(tmp_path: Path) -> None:
    film = told(tmp_path / "across.png")
    for films, side, each in (([], SIDE, 1), ([film], 0, 1), ([film], SIDE, 0)):
        with pytest.raises(ValueError, match=rf"got {len(films)} films, side={side}, each={each}\."):
            cut_windows(films, [NODULE], side, each, seed=0)


@pytest.mark.parametrize("boxes", [(), ((20, 18, 30, 24),)])
def test_a_film_that_is_smaller_than_a_window_is_named(tmp_path: Path, boxes: tuple[tuple[int, int, int, int]]) -> None:
    film = told(tmp_path / "across.png", *boxes, labels=[NODULE] * len(boxes))
    assert cut_windows([film], [NODULE], HEIGHT, each=1, seed=0)[0].shape == (1, 3, HEIGHT, HEIGHT)
    with pytest.raises(ValueError, match=rf"window of {HEIGHT + 1} px does not fit into across\.png, of 61 x 47 px"):
        cut_windows([film], [NODULE], HEIGHT + 1, each=1, seed=0)


def test_a_film_of_one_grey_is_refused_and_named(tmp_path: Path) -> None:
    Image.new("L", (WIDTH, HEIGHT), 90).save(tmp_path / "empty.png")
    films = [told(tmp_path / "across.png"), BoxedImage(tmp_path / "empty.png", (), (), "empty")]
    with pytest.raises(ValueError, match=r"^empty\.png: Expected two greys or more, .* 2867 pixels .* Leave it out\.$"):
        cut_windows(films, [NODULE], SIDE, each=1, seed=0)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((4, 5), "two greys or more"),
        ((0, 5), "two greys or more"),
        ((4, 5, 3), r"\[height, width\], but got the shape \[4, 5, 3\]"),
        ((4,), "shape"),
    ],
)
def test_what_is_no_film_can_not_be_prepared(shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        prepared(np.full(shape, 7, np.uint8))


# --- the hidden nodule


def mark(finding: str, subtlety: str) -> Mark:
    return Mark(finding, np.ones((4, 4), dtype=bool), (1, 2, 3, 4), 0.5, subtlety)


def patients_with_a_nodule(count: int) -> list[int]:
    of_set = (number for number in range(100_000) if only_a_nodule(number))
    return [next(of_set) for _ in range(count)]


def only_a_nodule(number: int) -> bool:
    return draw_findings(np.random.default_rng([QUICK_SET.seed, number])) == ("Nodule",)


@pytest.fixture
def films(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[list[Mark]]]:
    """The marks on the films of each patient; whose are asked for and not set, has one film without a mark."""
    of_patient: dict[int, list[list[Mark]]] = {}

    def draw(settings: Settings, number: int) -> list[tuple[Exposure, MarkedFilm]]:
        exposure = draw_adult_exposure(np.random.default_rng(settings.seed))
        image = np.full((4, 4), number % 256, np.uint8)
        return [(exposure, MarkedFilm(image, tuple(marks))) for marks in of_patient.get(number, [[]])]

    monkeypatch.setattr(opening_film, "draw_films", draw)
    return of_patient


def test_the_first_film_with_one_such_nodule_and_nothing_else_is_taken(films: dict[int, list[list[Mark]]]) -> None:
    first, second, third, fourth = patients_with_a_nodule(4)
    films[first] = [[mark("Nodule", "obvious")]]
    films[second] = [[mark("Nodule", "subtle"), mark("Nodule", "subtle")], []]
    films[third] = [[mark("Mass", "subtle")], [mark("Nodule", "subtle")]]
    films[fourth] = [[mark("Nodule", "subtle")]]
    found = hidden_nodule(QUICK_SET, range(fourth + 1))
    assert (found.patient, found.box, found.contrast_to_noise) == (third, (1, 2, 3, 4), 0.5)
    assert hidden_nodule(QUICK_SET, range(third + 1, fourth + 1)).patient == fourth
    assert hidden_nodule(QUICK_SET, range(fourth + 1), "obvious").patient == first


@pytest.mark.usefixtures("films")
def test_where_there_is_no_such_film_or_word_it_is_said() -> None:
    with pytest.raises(ValueError, match="one subtle nodule alone"):
        hidden_nodule(QUICK_SET, patients_with_a_nodule(1))
    with pytest.raises(ValueError, match="Expected one of obvious, moderate, subtle, invisible, but got 'hard'"):
        hidden_nodule(QUICK_SET, range(3), "hard")


def test_only_patients_with_a_nodule_alone_are_drawn(films: dict[int, list[list[Mark]]]) -> None:
    others = [number for number in range(60) if not only_a_nodule(number)]
    films.update({number: [[mark("Nodule", "subtle")]] for number in others})
    with pytest.raises(ValueError, match="None of these patients"):
        hidden_nodule(QUICK_SET, others)


def test_the_film_that_the_lesson_opens_with_is_the_same_as_when_its_words_were_written() -> None:
    """Another film here means that the films of the set have changed: look at it, and read the lesson's words again."""
    found = hidden_nodule(QUICK_SET, range(QUICK_SET.patients["train"]))
    assert (found.patient, found.box) == (3, (157, 66, 185, 98))
    assert found.contrast_to_noise == pytest.approx(0.48, abs=0.005)
    assert found.image.shape == (QUICK_SET.pixels, QUICK_SET.pixels)
