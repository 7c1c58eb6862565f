"""Which of the boxes that a detector tells are hits, which are false alarms, and which point where one has pointed."""

import numpy as np

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

CELL = 20  #: px of the grid in which the true boxes of a film are drawn, one in a cell at most

# 12.7 --- hits


def hits(found: np.ndarray, scores: np.ndarray, true: np.ndarray) -> list[str]:
    """What each found box is, in the order of ``found``: "hit", "double" or "false alarm".

    ``found`` [n, 4] and ``true`` [m, 4] are x0, y0, x1, y1 in pixels, ``scores`` [n] how sure each found box is. The
    surest box chooses first. A box whose centre lies in a true one, edges included, hits it, unless a surer box has hit
    it already: then it is a double. All others are false alarms. No two true boxes overlap, no two scores are equal.
    """
    words, taken = ["false alarm"] * len(found), set()
    for place in np.argsort(-scores):
        x, y = (found[place, :2] + found[place, 2:]) / 2
        for number, (x0, y0, x1, y1) in enumerate(true):
            if x0 <= x <= x1 and y0 <= y <= y1:
                words[place] = "double" if number in taken else "hit"
                taken.add(number)
    return words


def _draw_film(rng: np.random.Generator) -> Inputs:
    """None to three true boxes, and found ones with their centres in them, at an edge, just outside, or elsewhere."""
    cells = rng.permutation(6)[: int(rng.choice(4, p=[0.15, 0.3, 0.3, 0.25]))]
    low = CELL * np.stack([cells % 3, cells // 3], axis=1) + rng.integers(2, 5, (len(cells), 2))
    true = np.concatenate([low, low + 2 * rng.integers(4, 7, low.shape)], axis=1).astype(float)
    found = [_found_near(rng, box) for box in true for _ in range(int(rng.integers(0, 4)))]
    elsewhere = int(rng.integers(0, 2 if len(true) else 3))
    found += [_around(rng, place) for place in rng.integers(0, 3 * CELL, (elsewhere, 2)) + 0.5]
    order = rng.permutation(len(found))
    boxes = np.array(found).reshape(-1, 4)[order]
    return boxes, rng.permutation(np.arange(5, 100, 6))[: len(boxes)] / 100, true


def _found_near(rng: np.random.Generator, box: np.ndarray) -> np.ndarray:
    """A box with its centre within this one, on its edge, or a little outside; or one that hardly touches it."""
    low, high = box[:2], box[2:]
    centre = low + rng.uniform(0.1, 0.9, 2) * (high - low)
    kind, axis = rng.choice(["in", "edge", "out", "brush"], p=[0.5, 0.2, 0.2, 0.1]), rng.integers(2)
    centre = np.round(2 * centre) / 2
    if kind != "in":
        beyond = {"edge": 0.0, "out": 1.0, "brush": 5.5}[str(kind)]
        centre[axis] = rng.choice([low[axis] - beyond, high[axis] + beyond])
    return np.concatenate([centre - 6, centre + 6]) if kind == "brush" else _around(rng, centre)


def _around(rng: np.random.Generator, centre: np.ndarray) -> np.ndarray:
    half = rng.integers(2, 13, 2) / 2
    return np.concatenate([centre - half, centre + half])


def _plain_words(answer: Answer, inputs: Inputs) -> object:
    """Words of numpy's are as good as Python's."""
    came = answer(*inputs)
    if type(came) is np.ndarray:
        return came.tolist()
    words = came if type(came) in (list, tuple) else None
    return came if words is None else [str(word) if type(word) is np.str_ else word for word in words]  # type: ignore[attr-defined]


Boxes = np.ndarray


def _judged(fits: Boxes, order: list[int] | Boxes) -> list[str]:
    """The words, if ``fits`` [found, true] says which box may hit which, and the boxes choose in this order."""
    words, taken = ["false alarm"] * len(fits), set()
    for place in order:
        for number in np.flatnonzero(fits[place]):
            words[place] = "double" if number in taken else "hit"
            taken.add(number)
    return words


def _centres(boxes: Boxes) -> Boxes:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _inside(points: Boxes, true: Boxes) -> Boxes:
    """[points, true], whether each point lies in each box."""
    within = (true[None, :, :2] <= points[:, None]) & (points[:, None] <= true[None, :, 2:])
    return np.asarray(within.all(axis=2))


def _overlaps(found: Boxes, true: Boxes) -> Boxes:
    low = np.maximum(found[:, None, :2], true[None, :, :2])
    high = np.minimum(found[:, None, 2:], true[None, :, 2:])
    return (high - low).clip(min=0).prod(axis=2)


def _areas(boxes: Boxes) -> Boxes:
    return (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


def _doubles_as_hits(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    return ["hit" if word == "double" else word for word in hits(found, scores, true)]


def _doubles_as_alarms(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    return ["false alarm" if word == "double" else word for word in hits(found, scores, true)]


def _as_they_come(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    return _judged(_inside(_centres(found), true), list(range(len(scores))))


def _least_sure_first(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    return _judged(_inside(_centres(found), true), np.argsort(scores))


def _words_in_order_of_scores(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    words = hits(found, scores, true)
    return [words[place] for place in np.argsort(-scores)]


def _nearest_first(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    away = np.linalg.norm(_centres(found)[:, None] - _centres(true)[None], axis=2).min(axis=1, initial=1e9)
    return _judged(_inside(_centres(found), true), np.lexsort((-scores, away)))


def _edge_left_out(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    points = _centres(found)[:, None]
    within = (true[None, :, :2] < points) & (points < true[None, :, 2:])
    return _judged(np.asarray(within.all(axis=2)), np.argsort(-scores))


def _true_centre_inside(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    return _judged(_inside(_centres(true), found).T, np.argsort(-scores))


def _corner_inside(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    return _judged(_inside(found[:, :2], true), np.argsort(-scores))


def _sum_as_centre(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    return _judged(_inside(2 * _centres(found), true), np.argsort(-scores))


def _half_size_as_centre(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    return _judged(_inside((found[:, 2:] - found[:, :2]) / 2, true), np.argsort(-scores))


def _one_axis_is_enough(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    points = _centres(found)[:, None]
    within = (true[None, :, :2] <= points) & (points <= true[None, :, 2:])
    return _judged(np.asarray(within.any(axis=2)), np.argsort(-scores))


def _whole_box_inside(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    return _judged(_inside(found[:, :2], true) & _inside(found[:, 2:], true), np.argsort(-scores))


def _any_touch(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    return _judged(_overlaps(found, true) > 0, np.argsort(-scores))


def _half_iou(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    overlap = _overlaps(found, true)
    return _judged(2 * overlap >= _areas(found)[:, None] + _areas(true) - overlap, np.argsort(-scores))


def _tenth_of_the_found(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    return _judged(_overlaps(found, true) >= 0.1 * _areas(found)[:, None], np.argsort(-scores))


def _one_hit_for_a_film(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    words, some = hits(found, scores, true), False
    for place in np.argsort(-scores):
        if words[place] == "hit":
            words[place], some = "double" if some else "hit", True
    return words


def _for_each_true(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    inside = _inside(_centres(found), true)
    del scores
    return ["hit" if found_by.any() else "false alarm" for found_by in inside.T]


def _healthy_raises(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    if not len(true):
        raise ValueError("attempt to get argmax of an empty sequence")
    return hits(found, scores, true)


def _healthy_is_empty(found: Boxes, scores: Boxes, true: Boxes) -> list[str]:
    return hits(found, scores, true) if len(true) else []


def _counts(found: Boxes, scores: Boxes, true: Boxes) -> tuple[int, ...]:
    words = hits(found, scores, true)
    return tuple(words.count(word) for word in ("hit", "double", "false alarm"))


def _yes_or_no(found: Boxes, scores: Boxes, true: Boxes) -> list[bool]:
    return [word == "hit" for word in hits(found, scores, true)]


HEALTHY = "On a film without a true box, each found box is a false alarm. "
IN_TURN = "The surest box chooses first, whichever place it has in the list: for place in np.argsort(-scores). "

HITS = Exercise(
    "12.7",
    "Hits",
    hits,
    hints=(
        "Begin with all boxes as false alarms. Then go through them, the surest first, and keep in mind which true "
        "boxes are taken.",
        "np.argsort(-scores) gives the places of the found boxes, the surest first. The centre of a box is "
        "(found[place, :2] + found[place, 2:]) / 2.",
        'For each true box x0, y0, x1, y1: if x0 <= x <= x1 and y0 <= y <= y1, then words[place] is "double" if the '
        'true box is taken, and else "hit".',
        'words[place] = "double" if number in taken else "hit", then taken.add(number), in a loop over '
        "enumerate(true) within one over np.argsort(-scores)",
    ),
    mistakes=(
        Mistake(
            _doubles_as_hits,
            "You count a second box on the same nodule as a hit, so ten boxes on one nodule would find ten. Each "
            'true box is hit once; the others are "double".',
        ),
        Mistake(
            _doubles_as_alarms,
            "You count a second box on the same nodule as a false alarm, as COCO does. But it shows the doctor "
            'a place where something is, so here it is neither: "double".',
        ),
        Mistake(_as_they_come, IN_TURN + "You go through them as they come."),
        Mistake(_least_sure_first, IN_TURN + "You begin with the least sure box, because argsort goes upwards."),
        Mistake(
            _words_in_order_of_scores,
            "The words are right, but in the order of the scores. Write each to its own place: words[place] = ...",
        ),
        Mistake(_nearest_first, IN_TURN + "Yours begins with the box that is nearest to the middle."),
        Mistake(_edge_left_out, "A centre on the edge of a true box counts as inside: <= rather than <."),
        Mistake(
            _true_centre_inside,
            "You ask whether the true centre lies in the found box, and a box around the whole film passes that. The "
            "found centre must lie in the true box.",
        ),
        Mistake(_corner_inside, "You took the left upper corner. The centre is (x0 + x1) / 2 and (y0 + y1) / 2."),
        Mistake(_sum_as_centre, "The centre is half of x0 + x1, and half of y0 + y1: the / 2 is missing."),
        Mistake(
            _half_size_as_centre,
            "(x1 - x0) / 2 is half of the width. The centre is (x0 + x1) / 2, and so for y.",
        ),
        Mistake(_one_axis_is_enough, "The centre must lie in the true box both from left to right and from top down."),
        Mistake(
            _whole_box_inside, "You ask for the whole found box to lie in the true one. Here the centre is enough."
        ),
        Mistake(_any_touch, "You count any overlap as a hit. That is another rule; here the centre must lie inside."),
        Mistake(
            _half_iou,
            "You ask for an IoU of 0.5. That is another rule, which few boxes of nodules pass. Take the centre.",
        ),
        Mistake(
            _tenth_of_the_found,
            "You ask for a tenth of the found box to lie in the true one (IoBB 0.1). Here the centre must lie inside.",
        ),
        Mistake(
            _one_hit_for_a_film,
            "After the first hit of a film, you take all others for doubles. A film may have several nodules: keep in "
            "mind which of them are taken.",
        ),
        Mistake(_for_each_true, "You say of each true box whether it is found. Say of each found box what it is."),
        Mistake(_healthy_raises, HEALTHY + "Yours ends with an error there."),
        Mistake(_healthy_is_empty, HEALTHY + "Yours says nothing of them."),
        Mistake(_counts, "Those are the three counts. Return the word of each found box."),
        Mistake(_yes_or_no, 'You say yes or no. There are three answers: "hit", "double" and "false alarm".'),
    ),
    draw=_draw_film,
    observe=_plain_words,
    cases=60,
)
