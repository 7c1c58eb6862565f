"""Counting lesions instead of voxels: which are found, which are missed, and what was outlined where nothing is."""

import numpy as np
from scipy.ndimage import label

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

SHAPES = ((4, 6), (4, 6), (5, 5), (2, 3, 3))  #: small enough that a learner sees every voxel

# 11.8 --- lesions


def lesions(predicted: np.ndarray, true: np.ndarray) -> tuple[int, int, int]:
    """How many lesions of two boolean masks, 2-D or 3-D, are found, are missed, and are false alarms.

    A lesion is a component of ``true``, as scipy.ndimage.label finds them. It is found if the prediction touches it in
    at least one voxel. A false alarm is a component of ``predicted`` that touches nothing true.
    """
    numbered, there = label(true)
    outlined, drawn = label(predicted)
    found = np.unique(numbered[predicted & true]).size
    touching = np.unique(outlined[predicted & true]).size
    return found, there - found, drawn - touching


def _draw_masks(rng: np.random.Generator) -> Inputs:
    """Several small lesions, some of them outlined, together or in pieces, and others that are not there."""
    shape = SHAPES[rng.integers(len(SHAPES))]
    true = rng.random(shape) < 0.35
    kept = true & (rng.random(shape) < 0.5)
    predicted = kept | (rng.random(shape) < rng.choice([0.1, 0.3]))
    kind = rng.integers(8)
    if kind == 0:
        predicted[...] = False
    if kind == 1:
        true[...] = False
    return predicted, true


def _named(answer: Answer, inputs: Inputs) -> object:
    came = answer(*inputs)
    if came is None:
        return {"the number found": None}
    if not isinstance(came, tuple | list) or len(came) != 3:
        return {"what is returned": came}
    return dict(zip(("the number found", "the number missed", "the number of false alarms"), came, strict=True))


Counts = tuple[int, int, int]
Masks = np.ndarray


def _touching(labels: Masks, mask: Masks) -> int:
    """How many of the numbered components have a voxel in the mask."""
    return int(np.unique(labels[mask & (labels > 0)]).size)


def _with(structure: Masks | None, predicted: Masks, true: Masks) -> Counts:
    (numbered, there), (outlined, drawn) = label(true, structure), label(predicted, structure)
    found = _touching(numbered, predicted)
    return found, there - found, drawn - _touching(outlined, true)


def _outlines_as_found(predicted: Masks, true: Masks) -> Counts:
    outlined, drawn = label(predicted)
    touching = _touching(outlined, true)
    return touching, label(true)[1] - touching, drawn - touching


def _outlines_as_found_misses_right(predicted: Masks, true: Masks) -> Counts:
    _, missed, false_alarms = lesions(predicted, true)
    return _touching(label(predicted)[0], true), missed, false_alarms


def _voxels(predicted: Masks, true: Masks) -> Counts:
    return int((predicted & true).sum()), int((true & ~predicted).sum()), int((predicted & ~true).sum())


def _joined(predicted: Masks, true: Masks) -> Counts:
    """The components of both masks together."""
    together, count = label(predicted | true)
    in_true = {n for n in range(1, count + 1) if true[together == n].any()}
    in_predicted = {n for n in range(1, count + 1) if predicted[together == n].any()}
    return len(in_true & in_predicted), len(in_true - in_predicted), len(in_predicted - in_true)


def _once_for_each_outline(predicted: Masks, true: Masks) -> Counts:
    """An outline finds a single lesion, the one with the lowest number."""
    (numbered, there), (outlined, drawn) = label(true), label(predicted)
    firsts = {int(numbered[(outlined == n) & true].min(initial=there + 1)) for n in range(1, drawn + 1)}
    found = len(firsts - {there + 1})
    return found, there - found, lesions(predicted, true)[2]


def _drawn_minus_found(predicted: Masks, true: Masks) -> Counts:
    found, missed, _ = lesions(predicted, true)
    return found, missed, label(predicted)[1] - found


def _drawn_minus_there(predicted: Masks, true: Masks) -> Counts:
    found, missed, _ = lesions(predicted, true)
    return found, missed, label(predicted)[1] - label(true)[1]


def _drawn_minus_there_or_0(predicted: Masks, true: Masks) -> Counts:
    found, missed, difference = _drawn_minus_there(predicted, true)
    return found, missed, max(difference, 0)


def _all_drawn(predicted: Masks, true: Masks) -> Counts:
    return *lesions(predicted, true)[:2], label(predicted)[1]


def _rests_of_outlines(predicted: Masks, true: Masks) -> Counts:
    return *lesions(predicted, true)[:2], label(predicted & ~true)[1]


def _rests_of_lesions(predicted: Masks, true: Masks) -> Counts:
    found, _, false_alarms = lesions(predicted, true)
    return found, label(true & ~predicted)[1], false_alarms


def _pieces(predicted: Masks, true: Masks) -> Counts:
    return label(predicted & true)[1], label(true & ~predicted)[1], label(predicted & ~true)[1]


def _pieces_of_overlap(predicted: Masks, true: Masks) -> Counts:
    _, missed, false_alarms = lesions(predicted, true)
    return label(predicted & true)[1], missed, false_alarms


def _diagonal(predicted: Masks, true: Masks) -> Counts:
    return _with(np.ones((3,) * true.ndim), predicted, true)


def _background_too(predicted: Masks, true: Masks) -> Counts:
    (numbered, there), (outlined, drawn) = label(true), label(predicted)
    found, touching = np.unique(numbered[predicted]).size, np.unique(outlined[true]).size
    return found, there - found, drawn - touching


def _background_as_found(predicted: Masks, true: Masks) -> Counts:
    numbered, there = label(true)
    found = np.unique(numbered[predicted]).size
    return found, there - found, lesions(predicted, true)[2]


def _half_covered(predicted: Masks, true: Masks) -> Counts:
    numbered, there = label(true)
    found = sum(2 * int(predicted[numbered == n].sum()) >= int((numbered == n).sum()) for n in range(1, there + 1))
    return found, there - found, lesions(predicted, true)[2]


def _wholly_covered(predicted: Masks, true: Masks) -> Counts:
    numbered, there = label(true)
    found = sum(bool(predicted[numbered == n].all()) for n in range(1, there + 1))
    return found, there - found, lesions(predicted, true)[2]


def _found_and_all(predicted: Masks, true: Masks) -> Counts:
    found, missed, false_alarms = lesions(predicted, true)
    return found, found + missed, false_alarms


def _other_order(predicted: Masks, true: Masks) -> Counts:
    found, missed, false_alarms = lesions(predicted, true)
    return found, false_alarms, missed


def _masks_swapped(predicted: Masks, true: Masks) -> Counts:
    return lesions(true, predicted)


def _parts(predicted: Masks, true: Masks) -> tuple[float, ...]:
    found, missed, false_alarms = lesions(predicted, true)
    return found / max(found + missed, 1), missed / max(found + missed, 1), false_alarms / max(label(predicted)[1], 1)


DIFFERENCE = (
    "Found and missed are right. For the false alarms you took a difference, but two outlines may touch one lesion, "
    "and one outline may touch two. Count the outlines that touch nothing true."
)
PIECES = "An outline that is a little off leaves rests at the border. "

LESIONS = Exercise(
    "11.8",
    "Lesions",
    lesions,
    hints=(
        "Number the lesions first: label(true) gives an array in which each has a number of its own, and how many "
        "there are.",
        "predicted & true are the voxels in which the two touch. Which numbers stand there? np.unique names each once.",
        "Found are the different numbers of label(true) in the overlap. What is left of all is missed.",
        "The false alarms are the same from the other side: of label(predicted), those whose number is not in the "
        "overlap. So drawn - np.unique(outlined[predicted & true]).size, with outlined, drawn = label(predicted).",
    ),
    mistakes=(
        Mistake(
            _outlines_as_found,
            "You counted the outlines that touch a lesion. Two outlines on one lesion find one, and one outline over "
            "two finds two. Number the true lesions, and count those.",
        ),
        Mistake(
            _outlines_as_found_misses_right,
            "Missed and false alarms are right. For those found you counted the outlines that touch a lesion: two of "
            "them on one lesion find one. Count the true lesions.",
        ),
        Mistake(
            _voxels,
            "Those are voxels, so one large lesion outweighs ten small ones. Number the lesions with label and count "
            "them.",
        ),
        Mistake(
            _joined,
            "You numbered both masks together, where one outline joins two lesions to a single one. Number each mask "
            "by itself.",
        ),
        Mistake(_once_for_each_outline, "An outline that touches two lesions has found both. Count the lesions."),
        Mistake(_drawn_minus_found, DIFFERENCE),
        Mistake(_drawn_minus_there, DIFFERENCE),
        Mistake(_drawn_minus_there_or_0, DIFFERENCE),
        Mistake(_all_drawn, "The last number is that of all outlines. Only those that touch nothing true are false."),
        Mistake(
            _rests_of_outlines,
            f"{PIECES}You count those as false alarms. Count whole outlines that touch nothing true.",
        ),
        Mistake(
            _rests_of_lesions,
            f"{PIECES}You count those as missed. A lesion that is touched in one voxel counts as found.",
        ),
        Mistake(
            _pieces,
            f"{PIECES}You numbered the pieces of the overlap and of the rests. Number the two masks themselves.",
        ),
        Mistake(
            _pieces_of_overlap,
            "A lesion that two outlines touch was counted twice. Number the true lesions, and ask of each whether it "
            "is touched.",
        ),
        Mistake(
            _diagonal,
            "You let voxels that only meet at a corner or an edge belong together. label(mask) alone joins voxels "
            "that share a face.",
        ),
        Mistake(
            _background_too,
            "The background has the number 0, and you counted it as one more. Look only where predicted & true.",
        ),
        Mistake(
            _background_as_found,
            "The background has the number 0, and you counted it as a lesion that is found. Look only where "
            "predicted & true.",
        ),
        Mistake(
            _half_covered,
            "You ask for half of a lesion to be covered. That is another rule, which some use; here a single voxel is "
            "enough.",
        ),
        Mistake(_wholly_covered, "You ask for a whole lesion to be covered. Here a single voxel is enough."),
        Mistake(_found_and_all, "The second number is that of all lesions. Take away those that are found."),
        Mistake(_other_order, "The numbers are right, in another order: found, missed, false alarms."),
        Mistake(_masks_swapped, "You took the prediction for the truth. The lesions are the components of true."),
        Mistake(_parts, "Those are parts from 0 to 1. Return the three counts."),
    ),
    draw=_draw_masks,
    observe=_named,
    cases=40,
)
