"""Label maps are voted on, not averaged: at half the resolution, and over other patients."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 9.6 --- half the resolution


def halve_labels(labels: np.ndarray) -> np.ndarray:
    """The label map at half the resolution: the most frequent label of each 2 x 2 x 2 block, the lower one of equals.

    The sides of the array are even.
    """
    corners = [labels[i::2, j::2, k::2] for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    votes = [sum(corner == label for corner in corners) for label in range(labels.max() + 1)]
    return np.argmax(votes, axis=0)


def _draw_labels(rng: np.random.Generator) -> Inputs:
    """Two blocks: of two or three labels each, now and then in equal parts."""
    shape = rng.permutation([2, 2, 4])
    labels = np.zeros(shape, dtype=int)
    halves = np.split(labels, 2, axis=int(shape.argmax()))
    for half in halves:
        names = rng.permutation(4)[: rng.integers(2, 4)]
        counts = [4, 4] if len(names) == 2 and rng.integers(2) else _parts_of_8(rng, len(names))
        half[...] = rng.permutation(np.repeat(names, counts)).reshape(2, 2, 2)
    return (labels,)


def _parts_of_8(rng: np.random.Generator, parts: int) -> list[int]:
    cuts = np.sort(rng.choice(np.arange(1, 8), parts - 1, replace=False))
    return [int(part) for part in np.diff([0, *cuts, 8])]


def _corners(labels: np.ndarray) -> np.ndarray:
    """The eight voxels of each block along the first axis."""
    return np.stack([labels[i::2, j::2, k::2] for i in (0, 1) for j in (0, 1) for k in (0, 1)])


def _mean(labels: np.ndarray) -> np.ndarray:
    return np.asarray(_corners(labels).mean(axis=0))


def _rounded_mean(labels: np.ndarray) -> np.ndarray:
    return _mean(labels).round().astype(int)


def _mean_cut_down(labels: np.ndarray) -> np.ndarray:
    return _mean(labels).astype(int)


def _median(labels: np.ndarray) -> np.ndarray:
    return np.asarray(np.median(_corners(labels), axis=0).astype(int))


def _highest(labels: np.ndarray) -> np.ndarray:
    return np.asarray(_corners(labels).max(axis=0))


def _every_second(labels: np.ndarray) -> np.ndarray:
    return labels[::2, ::2, ::2]


def _higher_of_equals(labels: np.ndarray) -> np.ndarray:
    votes = np.stack([(_corners(labels) == label).sum(axis=0) for label in range(labels.max() + 1)])
    return np.asarray(labels.max() - votes[::-1].argmax(axis=0))


def _without_background(labels: np.ndarray) -> np.ndarray:
    votes = np.stack([(_corners(labels) == label).sum(axis=0) for label in range(1, labels.max() + 1)])
    return np.asarray(votes.argmax(axis=0) + 1)


def _number_of_votes(labels: np.ndarray) -> np.ndarray:
    votes = np.stack([(_corners(labels) == label).sum(axis=0) for label in range(labels.max() + 1)])
    return np.asarray(votes.max(axis=0))


INVENTED = "The mean of the labels 1 and 3 is 2, which nobody drew there. Labels are names: let each block vote."

HALVE_LABELS = Exercise(
    "9.6",
    "Half the resolution",
    halve_labels,
    hints=(
        "Which eight voxels become one? And which of their labels is the most frequent?",
        "labels[::2, ::2, ::2] is one corner of all the blocks at once; labels[1::2, ::2, ::2] is its neighbour along "
        "i. There are eight such arrays.",
        "For each label, add up over the eight corners where corner == label. These are its votes in each block.",
        "np.argmax(votes, axis=0), where votes has one array for each label from 0 on: it takes the first of equals.",
    ),
    mistakes=(
        Mistake(_rounded_mean, INVENTED),
        Mistake(_mean_cut_down, INVENTED),
        Mistake(_mean, INVENTED),
        Mistake(
            _median,
            "The median puts the labels into an order, and the one in the middle wins. Labels are names without an "
            "order: count them.",
        ),
        Mistake(
            _highest, "The highest label wins each block, so everything that is drawn grows. The most frequent wins."
        ),
        Mistake(
            _every_second,
            "One of the eight voxels speaks for all, as it does when a label map is resampled with nearest. Let all "
            "eight vote.",
        ),
        Mistake(_higher_of_equals, "Where two labels have equally many votes, take the lower one."),
        Mistake(_without_background, "The background may vote too: where 0 is the most frequent, the block becomes 0."),
        Mistake(_number_of_votes, "That is how many votes the winner has. Which label is it: argmax in place of max?"),
    ),
    draw=_draw_labels,
)

# 9.9 --- the usual outline


def usual_outline(label_maps: list[np.ndarray], patient: int) -> np.ndarray:
    """The most frequent label at each voxel among the other patients, the lower one of equals.

    There is a label map for each patient, all of one shape; ``patient`` is the place of the one to be outlined.
    """
    others = np.stack(label_maps[:patient] + label_maps[patient + 1 :])
    votes = [(others == label).sum(axis=0) for label in range(others.max() + 1)]
    return np.argmax(votes, axis=0)


def _draw_label_maps(rng: np.random.Generator) -> Inputs:
    patients = int(rng.integers(4, 7))
    maps = [rng.choice(4, size=(1, 2, 3), p=[0.4, 0.2, 0.1, 0.3]) for _ in range(patients)]
    return maps, int(rng.integers(1, patients))


Maps = list[np.ndarray]


def _with_the_patient(label_maps: Maps, patient: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return _majority(np.stack(label_maps))


def _majority(maps: np.ndarray) -> np.ndarray:
    return np.asarray(np.stack([(maps == label).sum(axis=0) for label in range(maps.max() + 1)]).argmax(axis=0))


def _others(label_maps: Maps, patient: int) -> np.ndarray:
    return np.delete(np.stack(label_maps), patient, axis=0)


def _those_before(label_maps: Maps, patient: int) -> np.ndarray:
    return _majority(np.stack(label_maps[:patient]))


def _own_outline(label_maps: Maps, patient: int) -> np.ndarray:
    return label_maps[patient]


def _rounded_mean_of_others(label_maps: Maps, patient: int) -> np.ndarray:
    return _others(label_maps, patient).mean(axis=0).round().astype(int)


def _mean_of_others(label_maps: Maps, patient: int) -> np.ndarray:
    return np.asarray(_others(label_maps, patient).mean(axis=0))


def _median_of_others(label_maps: Maps, patient: int) -> np.ndarray:
    return np.asarray(np.median(_others(label_maps, patient), axis=0).astype(int))


def _highest_of_others(label_maps: Maps, patient: int) -> np.ndarray:
    return np.asarray(_others(label_maps, patient).max(axis=0))


def _first_other(label_maps: Maps, patient: int) -> np.ndarray:
    return np.asarray(_others(label_maps, patient)[0])


def _drawn_by_half(label_maps: Maps, patient: int) -> np.ndarray:
    return np.asarray((_others(label_maps, patient) > 0).mean(axis=0) > 0.5)


def _never_background(label_maps: Maps, patient: int) -> np.ndarray:
    others = _others(label_maps, patient)
    votes = np.stack([(others == label).sum(axis=0) for label in range(1, others.max() + 1)])
    return np.asarray(votes.argmax(axis=0) + 1)


NO_MEAN = "The mean of the labels 1 and 3 is 2, which nobody drew there. Count the votes for each label."

USUAL_OUTLINE = Exercise(
    "9.9",
    "The usual outline",
    usual_outline,
    hints=(
        "Leave one patient out, then let the others vote at each voxel, as the eight voxels of a block did.",
        "label_maps[:patient] + label_maps[patient + 1:] are the others; np.stack makes one array of them.",
        "(others == label).sum(axis=0) counts the votes for a label at each voxel.",
        "np.argmax([(others == label).sum(axis=0) for label in range(others.max() + 1)], axis=0)",
    ),
    mistakes=(
        Mistake(
            _with_the_patient,
            "The patient's own outline has a vote. A baseline may know only what is known before: leave it out.",
        ),
        Mistake(_own_outline, "That is the patient's own outline, which is what we look for. Ask the others."),
        Mistake(_those_before, "Only the patients before this one vote. Those after it are others too."),
        Mistake(_rounded_mean_of_others, NO_MEAN),
        Mistake(_mean_of_others, NO_MEAN),
        Mistake(_median_of_others, "The median puts the labels into an order. Count the votes for each label."),
        Mistake(
            _highest_of_others,
            "The highest label of all wins, so a voxel that a single patient has is drawn. The most frequent wins.",
        ),
        Mistake(_first_other, "That is the outline of a single other patient. Let all of them vote."),
        Mistake(_drawn_by_half, "That says where most of them have any label. Which one is the most frequent?"),
        Mistake(_never_background, "The background may win too: where most of the others have 0, the outline is 0."),
    ),
    draw=_draw_label_maps,
)
