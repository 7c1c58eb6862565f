"""Lesson 12: a classifier asked about each window, and the film with the nodule that nobody finds."""

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.lessons.detecting_nodules import SlidingWindow, hidden_nodule, nms, opening_film, slide
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
