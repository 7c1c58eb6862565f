"""A volume that is too large is cut into patches that overlap; where each of them begins."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 9.8 --- where the patches begin


def patch_starts(side: int, patch: int, overlap: int) -> list[int]:
    """The first voxel of each patch along one axis, in order: the last patch ends where the volume ends."""
    last = side - patch
    return [*range(0, last, patch - overlap), last]


def _draw_patches(rng: np.random.Generator) -> Inputs:
    patch = 2 * int(rng.integers(4, 9))
    overlap = 2 * int(rng.integers(1, patch // 4 + 1))
    if rng.integers(3) == 0:  # the steps fit
        return patch + (patch - overlap) * int(rng.integers(2, 6)), patch, overlap
    return int(rng.integers(2 * patch, 6 * patch)), patch, overlap


def _hangs_over(side: int, patch: int, overlap: int) -> list[int]:
    return list(range(0, side - overlap, patch - overlap))


def _to_the_edge(side: int, patch: int, overlap: int) -> list[int]:
    return list(range(0, side, patch - overlap))


def _rest_is_missing(side: int, patch: int, overlap: int) -> list[int]:
    return list(range(0, side - patch + 1, patch - overlap))


def _last_is_missing(side: int, patch: int, overlap: int) -> list[int]:
    return list(range(0, side - patch, patch - overlap))


def _last_twice(side: int, patch: int, overlap: int) -> list[int]:
    return [*range(0, side - patch + 1, patch - overlap), side - patch]


def _without_overlap(side: int, patch: int, overlap: int) -> list[int]:  # noqa: ARG001  # the mistake
    return patch_starts(side, patch, 0)


def _step_of_overlap(side: int, patch: int, overlap: int) -> list[int]:
    return patch_starts(side, patch, patch - overlap)


def _twice_the_overlap(side: int, patch: int, overlap: int) -> list[int]:
    return patch_starts(side, patch, min(2 * overlap, patch - 1))


def _spread_evenly(side: int, patch: int, overlap: int) -> list[int]:
    starts = np.linspace(0, side - patch, len(patch_starts(side, patch, overlap)))
    return [int(start) for start in starts.round()]


def _one_too_far(side: int, patch: int, overlap: int) -> list[int]:
    return [*patch_starts(side, patch, overlap)[:-1], side - patch + 1]


def _ends(side: int, patch: int, overlap: int) -> list[int]:
    return [start + patch for start in patch_starts(side, patch, overlap)]


def _pairs(side: int, patch: int, overlap: int) -> list[tuple[int, int]]:
    return [(start, start + patch) for start in patch_starts(side, patch, overlap)]


OVER_THE_EDGE = "The last patch hangs over the edge. Move it back, so that it ends where the volume ends."

PATCH_STARTS = Exercise(
    "9.8",
    "Where the patches begin",
    patch_starts,
    hints=(
        "From one patch to the next it is patch - overlap voxels. And where does the very last one have to begin, so "
        "that it ends at the edge?",
        "The last one begins at side - patch, whether the steps lead there or not.",
        "range(0, side - patch, patch - overlap) gives all those before the last one.",
        "return [*range(0, side - patch, patch - overlap), side - patch]",
    ),
    mistakes=(
        Mistake(_hangs_over, OVER_THE_EDGE),
        Mistake(_to_the_edge, OVER_THE_EDGE),
        Mistake(
            _rest_is_missing,
            "Where the steps do not fit, the end of the volume is in no patch. Add a last one that ends at the edge.",
        ),
        Mistake(
            _last_is_missing, "The last patch is missing: range stops before side - patch, and that one belongs to it."
        ),
        Mistake(_last_twice, "Where the steps fit, the last patch is there twice."),
        Mistake(_without_overlap, "The patches do not overlap yet: one step is patch - overlap voxels."),
        Mistake(_step_of_overlap, "The step is the overlap. It is what is left of the patch: patch - overlap."),
        Mistake(_twice_the_overlap, "Two neighbours share overlap voxels, not twice as many."),
        Mistake(
            _spread_evenly,
            "That covers everything too, but GridSampler keeps to equal steps and moves only the last patch.",
        ),
        Mistake(_one_too_far, "The last patch ends one voxel too far: side - patch is its first voxel."),
        Mistake(_ends, "Those are the ends of the patches. Where do they begin?"),
        Mistake(_pairs, "The starts are right. Return them alone, without the ends."),
    ),
    draw=_draw_patches,
)
