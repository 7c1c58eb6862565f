"""Non-maximum suppression: of boxes that lie on each other, the surest remains."""

import numpy as np
import torch
from torchvision.ops import box_iou

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

SIDE, STEP = 12, 4  #: of the boxes and from one to the next, in pixels: two in a row have an IoU of exactly 0.5

# 12.6 --- non-maximum suppression


def nms(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    """The places of the boxes that are kept, the surest first.

    ``boxes`` are float [boxes, 4] as x0, y0, x1, y1, ``scores`` float [boxes]. From the surest box down, a box is kept
    if its IoU with each box that is kept already is ``most_iou`` or less.
    """
    overlaps = box_iou(boxes, boxes)
    kept: list[int] = []
    for place in scores.argsort(descending=True).tolist():
        if all(overlaps[place, other] <= most_iou for other in kept):
            kept.append(place)
    return kept


def _draw_boxes(rng: np.random.Generator) -> Inputs:
    """Rows of boxes, each of which lies on the next; no two are equally sure. Now and then there is none."""
    count = int(rng.choice([0, 1, 4, 5, 6], p=[0.15, 0.05, 0.2, 0.3, 0.3]))
    rows = int(rng.integers(1, 3))
    places = [(n // rows, n % rows) for n in range(count - 1)] + [(8, int(rng.integers(2)))]
    low = STEP * np.array(places[-count:] if count else np.zeros((0, 2), dtype=int))
    sure = rng.permutation(np.arange(5, 100, 6))[:count] / 100
    if rng.random() < 0.5:
        sure = np.sort(sure)[::-1]  # along the row
    order = rng.permutation(count)
    boxes = torch.tensor(np.concatenate([low, low + SIDE], axis=1)[order], dtype=torch.float32)
    most_iou = float(rng.choice([0.1, 0.25, 0.5], p=[0.4, 0.3, 0.3]))
    return boxes, torch.tensor(sure[order], dtype=torch.float32), most_iou


def _as_list(answer: Answer, inputs: Inputs) -> object:
    """Places in a tensor or an array are as good as in a list, and so are places that are tensors themselves."""
    came = answer(*inputs)
    if type(came) in (list, tuple):
        return [_plain(place) for place in came]  # type: ignore[attr-defined]
    return _plain(came)


def _plain(came: object) -> object:
    """Whole numbers as Python's own."""
    if isinstance(came, torch.Tensor) and not came.is_floating_point():
        return came.tolist() if came.ndim < 2 else came
    return came.tolist() if isinstance(came, np.ndarray) and came.dtype.kind in "iu" else came


def _by_score(scores: torch.Tensor) -> list[int]:
    return [int(place) for place in scores.argsort(descending=True)]


def _greedy(order: list[int], overlaps: torch.Tensor, most: float) -> list[int]:
    kept: list[int] = []
    for place in order:
        if all(overlaps[place, other] <= most for other in kept):
            kept.append(place)
    return kept


def _as_they_come(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:  # noqa: ARG001
    return _greedy(list(range(len(boxes))), box_iou(boxes, boxes), most_iou)


def _as_they_come_then_sorted(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    kept = _as_they_come(boxes, scores, most_iou)
    return [place for place in _by_score(scores) if place in kept]


def _least_sure_first(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    return _greedy(_by_score(-scores), box_iou(boxes, boxes), most_iou)


def _by_place(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    return sorted(nms(boxes, scores, most_iou))


def _backwards(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    return nms(boxes, scores, most_iou)[::-1]


def _also_by_suppressed(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    order, overlaps = _by_score(scores), box_iou(boxes, boxes)
    return [place for n, place in enumerate(order) if all(overlaps[place, other] <= most_iou for other in order[:n])]


def _with_the_one_before(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    order, overlaps = _by_score(scores), box_iou(boxes, boxes)
    return [place for n, place in enumerate(order) if n == 0 or overlaps[place, order[n - 1]] <= most_iou]


def _with_the_last_kept(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    kept: list[int] = []
    for place in _by_score(scores):
        if not kept or box_iou(boxes[[place]], boxes[[kept[-1]]]) <= most_iou:
            kept.append(place)
    return kept


def _with_the_surest(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    order, overlaps = _by_score(scores), box_iou(boxes, boxes)
    return [place for n, place in enumerate(order) if n == 0 or overlaps[place, order[0]] <= most_iou]


def _any_will_do(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    overlaps = box_iou(boxes, boxes)
    kept: list[int] = []
    for place in _by_score(scores):
        if not kept or any(overlaps[place, other] <= most_iou for other in kept):
            kept.append(place)
    return kept


def _equal_goes(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    return _greedy(_by_score(scores), box_iou(boxes, boxes), most_iou - 1e-4)


def _the_far_go(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    return _greedy(_by_score(scores), -box_iou(boxes, boxes), -most_iou)


def _over_one_box(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    overlaps = box_iou(boxes, boxes)
    return _greedy(_by_score(scores), 2 * overlaps / (1 + overlaps), most_iou)  # all boxes have one size


def _no_overlap_at_all(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:  # noqa: ARG001
    return _greedy(_by_score(scores), box_iou(boxes, boxes), 0.0)


def _nothing_goes(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:  # noqa: ARG001
    return _by_score(scores)


def _surest_alone(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:  # noqa: ARG001
    return _by_score(scores)[:1]


def _places_in_the_order(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    order = _by_score(scores)
    return [order.index(place) for place in nms(boxes, scores, most_iou)]


def _scores_below_go(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    return [place for place in nms(boxes, scores, most_iou) if scores[place] >= most_iou]


def _the_boxes(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> torch.Tensor:
    return boxes[nms(boxes, scores, most_iou)]


def _their_scores(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[float]:
    return [round(float(scores[place]), 6) for place in nms(boxes, scores, most_iou)]


def _as_a_mask(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[bool]:
    kept = nms(boxes, scores, most_iou)
    return [place in kept for place in range(len(boxes))]


def _not_for_none(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    surest = int(scores.argmax())
    return nms(boxes, scores, most_iou) if len(boxes) else [surest]


def _those_that_go(boxes: torch.Tensor, scores: torch.Tensor, most_iou: float) -> list[int]:
    kept = nms(boxes, scores, most_iou)
    return [place for place in _by_score(scores) if place not in kept]


SUREST_FIRST = "The surest box must choose first: scores.argsort(descending=True) gives the places in that order."
EACH_KEPT = "A box must be held against each box that is kept already. "

NMS = Exercise(
    "12.6",
    "Non-maximum suppression",
    nms,
    hints=(
        "Go through the boxes, the surest first, with a list of those that are kept. When may a box join them?",
        "scores.argsort(descending=True).tolist() gives the places of the boxes, the surest first. box_iou(boxes, "
        "boxes) from torchvision.ops has the IoU of each box with each.",
        "A box joins if all(overlaps[place, other] <= most_iou for other in kept). For the first one the list is "
        "empty, and all of nothing is True.",
        "kept = [], then for place in scores.argsort(descending=True).tolist(): if the condition holds, "
        "kept.append(place)",
    ),
    mistakes=(
        Mistake(_as_they_come, "You go through the boxes as they come. " + SUREST_FIRST),
        Mistake(
            _as_they_come_then_sorted,
            "You go through the boxes as they come, and put only the result in order. " + SUREST_FIRST,
        ),
        Mistake(_least_sure_first, "You begin with the least sure box: argsort goes upwards. " + SUREST_FIRST),
        Mistake(_by_place, "The right boxes are kept, in the order of their places. The surest comes first."),
        Mistake(_backwards, "The right boxes are kept, the least sure first. The surest comes first."),
        Mistake(
            _also_by_suppressed,
            "You let a box go because of a box that has gone itself. In a row of three, the middle one goes because "
            "of the first, and then nothing speaks against the third. Hold it against those that are kept.",
        ),
        Mistake(_with_the_one_before, EACH_KEPT + "You look only at the one that is next surer."),
        Mistake(_with_the_last_kept, EACH_KEPT + "You look only at the one that was kept last."),
        Mistake(_with_the_surest, EACH_KEPT + "You look only at the surest one of the film."),
        Mistake(_any_will_do, EACH_KEPT + "You keep it if it is away from one of them: take all, not any."),
        Mistake(_equal_goes, "A box with an IoU of exactly most_iou is kept: it goes only above that."),
        Mistake(_the_far_go, "You keep what overlaps and drop what lies elsewhere: <= rather than >=."),
        Mistake(
            _over_one_box,
            "You divide the overlap by one box and not by the union, so more boxes go. box_iou is in torchvision.ops.",
        ),
        Mistake(_no_overlap_at_all, "You drop each box that overlaps at all. Up to most_iou it may."),
        Mistake(_nothing_goes, "All boxes are kept, in the order of their scores. Which ones overlap too much?"),
        Mistake(_surest_alone, "Only the surest box is kept. A film may have several nodules."),
        Mistake(
            _places_in_the_order,
            "Those are places in the sorted list. Return the places in boxes: order[n] rather than n.",
        ),
        Mistake(_scores_below_go, "You compare most_iou with the scores too. It is about the overlap alone."),
        Mistake(_the_boxes, "Those are the boxes themselves. Return their places, so that scores can be looked up."),
        Mistake(_their_scores, "Those are the scores. Return the places of the boxes."),
        Mistake(_as_a_mask, "You say of each box whether it is kept. Return the places, the surest first."),
        Mistake(_not_for_none, "A film may have no box at all. Then the list is empty."),
        Mistake(_those_that_go, "Those are the boxes that go. Return those that are kept."),
    ),
    draw=_draw_boxes,
    observe=_as_list,
    cases=60,
)
