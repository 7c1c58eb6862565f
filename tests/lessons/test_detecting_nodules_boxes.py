"""Lesson 12: the answers on boxes agree with torchvision's and the course's own, as do those on maps of centres."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.ops import box_convert, box_iou
from torchvision.ops import nms as torchvisions_nms

from course_lib.evaluation import hit_rules
from course_lib.exercises.judging import judge
from course_lib.lessons.detecting_nodules import LESSON, focal_loss, heat_map, iou, nms, peaks, to_corners
from course_lib.tasks import centres

EXERCISES = {exercise.name: exercise for exercise in LESSON.exercises}
SEEDS = range(30)


def drawn(name: str, seed: int) -> Any:
    return EXERCISES[name].draw(np.random.default_rng(seed))


def told(name: str, answer: object) -> str:
    return judge(EXERCISES[name], answer, seed=0).text


# --- corners


@pytest.mark.parametrize("seed", SEEDS)
def test_the_corners_are_torchvisions(seed: int) -> None:
    boxes, form = drawn("to_corners", seed)
    if form in ("xyxy", "xywh", "cxcywh"):
        assert torch.equal(to_corners(boxes, form), box_convert(boxes, form, "xyxy"))
    else:
        with pytest.raises(ValueError, match="Expected xyxy, xywh or cxcywh"):
            to_corners(boxes, form)


def test_torchvisions_answer_is_right_too() -> None:
    assert told("to_corners", lambda boxes, form: box_convert(boxes, form, "xyxy")) == "Exercise 12.1: correct."


def test_all_three_formats_and_others_are_drawn_and_films_without_boxes() -> None:
    pairs = [drawn("to_corners", seed) for seed in range(100)]
    assert {"xyxy", "xywh", "cxcywh"} < {form for _, form in pairs}
    assert {len(boxes) for boxes, _ in pairs} == {0, 1, 2, 3}
    assert all((to_corners(boxes, form)[:, :2] >= 0).all() for boxes, form in pairs if form in ("xywh", "cxcywh"))


def test_the_same_numbers_are_a_box_in_each_format() -> None:
    """As the words for an answer that guesses the format say."""
    boxes = torch.tensor([[30.0, 30, 50, 60]])
    corners = {form: to_corners(boxes, form)[0].tolist() for form in ("xyxy", "xywh", "cxcywh")}
    assert corners == {"xyxy": [30, 30, 50, 60], "xywh": [30, 30, 80, 90], "cxcywh": [5, 0, 55, 60]}


# --- overlap


@pytest.mark.parametrize("seed", SEEDS)
def test_the_overlap_is_the_courses_and_torchvisions(seed: int) -> None:
    first, second = drawn("iou", seed)
    one, other = (np.array([box], dtype=float) for box in (first, second))
    assert iou(first, second) == pytest.approx(hit_rules.box_iou(one, other)[0, 0])
    if (one[:, 2:] > one[:, :2]).all() or (other[:, 2:] > other[:, :2]).all():  # else torchvision divides 0 by 0
        of_torch = box_iou(torch.tensor(one), torch.tensor(other)).item()
        assert iou(first, second) == pytest.approx(of_torch)
    assert iou(first, second) == iou(second, first)


def test_boxes_that_meet_that_are_apart_and_of_no_area_all_come_often() -> None:
    pairs = [drawn("iou", seed) for seed in range(200)]
    gaps = [[max(a[k], b[k]) - min(a[k + 2], b[k + 2]) for k in (0, 1)] for a, b in pairs]
    assert sum(iou(*pair) > 0 for pair in pairs) > 40
    assert sum(min(gap) > 0 for gap in gaps) > 20  # apart both ways: two negative sides
    assert sum(max(gap) > 0 > min(gap) for gap in gaps) > 20
    assert sum((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) == 0 for a, b in pairs) > 10


def test_a_tiny_number_below_is_right_too() -> None:
    def with_epsilon(first: tuple[float, ...], second: tuple[float, ...]) -> float:
        sides = [max(0.0, min(first[k + 2], second[k + 2]) - max(first[k], second[k])) for k in (0, 1)]
        areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
        return sides[0] * sides[1] / (sum(areas) - sides[0] * sides[1] + 1e-9)

    assert told("iou", with_epsilon) == "Exercise 12.2: correct."


# --- maps


@pytest.mark.parametrize("seed", SEEDS)
def test_the_map_is_the_courses(seed: int) -> None:
    cells, sides, shape = drawn("heat_map", seed)
    labels = torch.zeros(len(cells), dtype=torch.int64)
    (expected,) = centres.bumps(cells, labels, sides, torch.zeros(1, *shape))
    assert torch.allclose(heat_map(cells, sides, shape), expected)


def test_films_are_drawn_without_a_box_and_with_bumps_that_meet() -> None:
    films = [drawn("heat_map", seed) for seed in range(60)]
    assert {len(cells) for cells, _, _ in films} == {0, 1, 2, 3}
    meeting = [centres.bumps(c, torch.arange(len(c)), s, torch.zeros(3, *shape)) for c, s, shape in films]
    assert sum(bool(((maps > 0.01).sum(dim=0) > 1).any()) for maps in meeting) > 20


def test_a_map_without_a_loop_is_right_too() -> None:
    def at_once(cells: torch.Tensor, sides: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
        (x, y), (wide, high) = cells.T[:, :, None, None], sides.T[:, :, None, None] / 6
        rows, columns = torch.arange(shape[0])[:, None], torch.arange(shape[1])
        bumps = torch.exp(-(((columns - x) / wide) ** 2) / 2 - ((rows - y) / high) ** 2 / 2)
        return torch.cat([torch.zeros(1, *shape), bumps]).amax(dim=0)

    assert told("heat_map", at_once) == "Exercise 12.3: correct."


@pytest.mark.parametrize("seed", SEEDS)
def test_the_loss_and_its_gradient_are_those_the_course_trains_with(seed: int) -> None:
    said, wanted = drawn("focal_loss", seed)
    said = said.detach().clamp(0.01, 0.99).requires_grad_()
    boxes = max(int((wanted == 1).sum()), 1)
    losses = focal_loss(said, wanted), centres.focal_loss(said.logit(), wanted).sum() / boxes
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-5)
    ours, courses = (torch.autograd.grad(loss, said)[0] for loss in losses)
    assert torch.allclose(ours, courses, rtol=1e-4, atol=1e-6)


def test_a_cell_that_is_quite_sure_and_wrong_costs_a_finite_amount() -> None:
    said = torch.tensor([[0.0, 1.0]], requires_grad=True)
    loss = focal_loss(said, torch.tensor([[1.0, 0.0]]))
    assert loss.item() == pytest.approx(-2 * 0.9999**2 * np.log(1e-4), rel=1e-4)
    assert torch.isfinite(torch.autograd.grad(loss, said)[0]).all()
    drawn_sure = [bool(((drawn("focal_loss", seed)[0] % 1) == 0).any()) for seed in SEEDS]
    assert 3 < sum(drawn_sure) < 25


def test_maps_without_a_centre_are_drawn() -> None:
    without = [not (drawn("focal_loss", seed)[1] == 1).any() for seed in range(100)]
    assert 15 < sum(without) < 50


@pytest.mark.parametrize("seed", SEEDS)
def test_the_peaks_are_those_of_the_course(seed: int) -> None:
    heat, least = drawn("peaks", seed)
    rows, columns = heat.shape
    nothing = torch.zeros(2, rows, columns)
    output = centres.CentreMap(heat[None].clamp(min=1e-6).logit(), nothing, nothing, stride=1)
    corners, _, scores = centres.peaks(output, rows * columns, least - 1e-4)  # a sigmoid of a logit is rounded
    x, y = corners[:, :2].long().unbind(dim=1)
    found = torch.zeros_like(heat, dtype=torch.bool)
    found[y, x] = True
    assert torch.equal(peaks(heat, least), found)
    assert torch.allclose(scores, heat[y, x])


def test_plateaus_peaks_at_the_border_and_cells_at_the_threshold_are_drawn() -> None:
    maps = [(*drawn("peaks", seed),) for seed in SEEDS]
    inner = [peaks(heat, least)[1:-1, 1:-1] for heat, least in maps]
    at_the_border = [int(peaks(*one).sum() - within.sum()) for one, within in zip(maps, inner, strict=True)]
    assert sum(count > 0 for count in at_the_border) > 10
    assert sum(bool((peaks(heat, least) & (heat == least)).any()) for heat, least in maps) > 3
    beside = [peaks(*one)[:, 1:] & peaks(*one)[:, :-1] for one in maps]
    assert sum(bool(pairs.any()) for pairs in beside) > 5


def test_a_loop_over_the_cells_is_right_too() -> None:
    def by_loop(heat: torch.Tensor, least: float) -> torch.Tensor:
        found = torch.zeros(heat.shape, dtype=torch.bool)
        for y in range(heat.shape[0]):
            for x in range(heat.shape[1]):
                window = heat[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
                found[y, x] = heat[y, x].item() >= max(window.max().item(), least)
        return found

    assert told("peaks", by_loop) == "Exercise 12.5: correct."


# --- suppression


@pytest.mark.parametrize("seed", SEEDS)
def test_the_boxes_that_are_kept_are_torchvisions(seed: int) -> None:
    boxes, scores, most_iou = drawn("nms", seed)
    assert nms(boxes, scores, most_iou) == torchvisions_nms(boxes, scores, most_iou).tolist()


def test_torchvisions_suppression_is_right_too() -> None:
    assert told("nms", torchvisions_nms) == "Exercise 12.6: correct."


@pytest.mark.parametrize("kind", [np.array, torch.tensor, tuple, lambda places: [torch.tensor(n) for n in places]])
def test_the_places_may_be_numbers_of_numpy_and_torch(kind: Callable[[list[int]], object]) -> None:
    def answer(*film: Any) -> object:
        places = nms(*film)
        return kind(places) if places else places

    assert told("nms", answer) == "Exercise 12.6: correct."


def test_rows_of_boxes_are_drawn_in_which_the_third_is_kept_and_overlaps_of_exactly_the_limit() -> None:
    films = [drawn("nms", seed) for seed in range(100)]
    assert any(len(boxes) == 0 for boxes, _, _ in films)
    overlaps = [(box_iou(boxes, boxes), most_iou) for boxes, _, most_iou in films]
    assert sum(bool((values == most_iou).any()) for values, most_iou in overlaps) > 10
    saved = 0  # films on which a box is kept that overlaps a surer one, because that has gone itself
    for boxes, scores, most_iou in films:
        overlap, kept = box_iou(boxes, boxes), nms(boxes, scores, most_iou)
        saved += any(bool(((overlap[place] > most_iou) & (scores > scores[place])).any()) for place in kept)
    assert saved > 10
