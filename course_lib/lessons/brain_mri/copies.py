"""Near copies that were turned or mirrored, which a comparison of files does not find."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 10.6 --- mirrored copies


def mirrored_copies(images: np.ndarray, distance: float) -> list[tuple[int, int]]:
    """The pairs (i, j), i < j, of square grey images [images, px, px] that are near copies, turned or mirrored or not.

    Near are those whose mean absolute difference is below ``distance`` in the best of the eight ways to lay one of
    them on the other. The pairs are sorted.
    """
    images = images.astype(float)
    pairs = []
    for i, first in enumerate(images):
        views = [np.rot90(side, turns) for side in (first, np.fliplr(first)) for turns in range(4)]
        for j in range(i + 1, len(images)):
            if min(np.abs(view - images[j]).mean() for view in views) < distance:
                pairs.append((i, j))
    return pairs


def _draw_images(rng: np.random.Generator) -> Inputs:
    """Three pictures, one of them faint; copies that differ in noise or in some pixels; and one that is too far."""
    first, second = rng.integers(70, 180, (2, 4, 4))
    faint = rng.integers(105, 136, (4, 4))
    changed = [
        *(_with_pixels(first + rng.integers(-4, 5, (4, 4)), rng, int(rng.choice([-60, 60]))) for _ in range(2)),
        _with_pixels(second, rng, 5, -5),
        _with_pixels(second, rng, 14),
        second + rng.choice([-25, 25], (4, 4)),
        faint + rng.integers(-3, 4, (4, 4)),
    ]
    images = [first, second, faint, *(_turned(image, int(rng.integers(8))) for image in changed)]
    return rng.permutation(np.stack(images).astype(np.uint8)), float(rng.choice([12.3, 13.3]))


def _with_pixels(image: np.ndarray, rng: np.random.Generator, *steps: int) -> np.ndarray:
    """With so many pixels, drawn anywhere, changed by these steps."""
    changed = image.copy()
    changed.flat[rng.choice(image.size, len(steps), replace=False)] += np.array(steps)
    return changed


def _turned(image: np.ndarray, way: int) -> np.ndarray:
    """In one of the eight ways."""
    return np.rot90(np.fliplr(image) if way >= 4 else image, way % 4)


Pairs = list[tuple[int, int]]
EIGHT, TURNS = range(8), range(4)
ACROSS = (0, 2, 4, 6)  # as it is, upside down, mirrored, both


def _distances(images: np.ndarray, ways: tuple[int, ...] | range = EIGHT, power: int = 1) -> np.ndarray:
    """[ways, images, images], the mean absolute difference."""
    images = images.astype(float)
    views = np.array([[_turned(image, way) for image in images] for way in ways])
    return np.asarray((np.abs(views[:, :, None] - images) ** power).mean(axis=(3, 4)))


def _below(distances: np.ndarray, distance: float) -> Pairs:
    return [(int(i), int(j)) for i, j in np.argwhere(distances < distance) if i < j]


def _as_they_lie(images: np.ndarray, distance: float) -> Pairs:
    return _below(_distances(images, (0,))[0], distance)


def _mirrored_only(images: np.ndarray, distance: float) -> Pairs:
    return _below(_distances(images, (0, 4)).min(axis=0), distance)


def _turned_only(images: np.ndarray, distance: float) -> Pairs:
    return _below(_distances(images, TURNS).min(axis=0), distance)


def _never_by_90(images: np.ndarray, distance: float) -> Pairs:
    return _below(_distances(images, ACROSS).min(axis=0), distance)


def _without_as_they_lie(images: np.ndarray, distance: float) -> Pairs:
    return _below(_distances(images, range(1, 8)).min(axis=0), distance)


def _bytes_wrap(images: np.ndarray, distance: float) -> Pairs:
    views = np.array([[_turned(image, way) for image in images] for way in EIGHT])
    return _below(np.abs(views[:, :, None] - images).mean(axis=(3, 4)).min(axis=0), distance)


def _in_all_ways(images: np.ndarray, distance: float) -> Pairs:
    return _below(_distances(images).max(axis=0), distance)


def _mean_of_ways(images: np.ndarray, distance: float) -> Pairs:
    return _below(_distances(images).mean(axis=0), distance)


def _sum_of_pixels(images: np.ndarray, distance: float) -> Pairs:
    return _below(_distances(images).min(axis=0) * images[0].size, distance)


def _squared(images: np.ndarray, distance: float) -> Pairs:
    return _below(_distances(images, power=2).min(axis=0), distance)


def _farthest_pixel(images: np.ndarray, distance: float) -> Pairs:
    values = images.astype(float)
    views = np.array([[_turned(image, way) for image in values] for way in EIGHT])
    return _below(np.abs(views[:, :, None] - values).max(axis=(3, 4)).min(axis=0), distance)


def _difference_of_means(images: np.ndarray, distance: float) -> Pairs:
    means = images.mean(axis=(1, 2))
    return _below(np.abs(means[:, None] - means), distance)


def _the_others(images: np.ndarray, distance: float) -> Pairs:
    near = mirrored_copies(images, distance)
    return [(i, j) for i in range(len(images)) for j in range(i + 1, len(images)) if (i, j) not in near]


def _both_orders(images: np.ndarray, distance: float) -> Pairs:
    near = mirrored_copies(images, distance)
    return sorted([*near, *((j, i) for i, j in near)])


def _with_itself(images: np.ndarray, distance: float) -> Pairs:
    near = mirrored_copies(images, distance)
    return sorted([*_both_orders(images, distance), *((i, i) for i in range(len(images)))] if near else [])


def _larger_first(images: np.ndarray, distance: float) -> Pairs:
    return sorted((j, i) for i, j in mirrored_copies(images, distance))


def _by_the_second(images: np.ndarray, distance: float) -> Pairs:
    return sorted(mirrored_copies(images, distance), key=lambda pair: pair[::-1])


def _first_copy_only(images: np.ndarray, distance: float) -> Pairs:
    found: dict[int, int] = {}
    for i, j in mirrored_copies(images, distance):
        found.setdefault(j, i)
    return sorted((i, j) for j, i in found.items())


MIRRORED_COPIES = Exercise(
    "10.6",
    "Mirrored copies",
    mirrored_copies,
    hints=(
        "A square can be turned by 0, 90, 180 or 270 degrees, and so can its mirror image: eight ways.",
        "np.rot90(image, turns) turns, np.fliplr mirrors. Of each pair keep the smallest of the eight distances.",
        "np.abs(view - other).mean() is the distance, but of floats: in uint8, 3 - 5 is 254. So astype(float) first.",
        "for i, for j in range(i + 1, len(images)): if min(np.abs(np.rot90(side, turns) - images[j]).mean() "
        "for side in (images[i], np.fliplr(images[i])) for turns in range(4)) < distance: pairs.append((i, j))",
    ),
    mistakes=(
        Mistake(_as_they_lie, "You compare the images only as they lie. Try all eight ways for each pair."),
        Mistake(_mirrored_only, "You mirror, but do not turn. Turn both the image and its mirror image by 90 degrees."),
        Mistake(
            _turned_only, "Four turns are half of the eight ways. Turn the mirror image too: no turn makes one of it."
        ),
        Mistake(
            _never_by_90,
            "Mirrored left to right, top to bottom and both are four ways. The four that are turned by 90 degrees are "
            "missing.",
        ),
        Mistake(_without_as_they_lie, "A copy may lie as it is, neither turned nor mirrored: one of the eight."),
        Mistake(
            _bytes_wrap,
            "The images are uint8, which knows no number below 0: 3 - 5 becomes 254. Convert them first: "
            "images.astype(float).",
        ),
        Mistake(_in_all_ways, "You ask for all eight ways to be near. One of them is enough: the smallest distance."),
        Mistake(_mean_of_ways, "You take the mean over the eight ways. The best one counts: the smallest distance."),
        Mistake(_sum_of_pixels, "You added up over the pixels. The distance is their mean."),
        Mistake(_squared, "You took the mean of the squares. The distance is the mean absolute difference: np.abs."),
        Mistake(_farthest_pixel, "A single pixel decides, such as a dead one. Take the mean over all of them."),
        Mistake(
            _difference_of_means,
            "You compare how bright the images are. Brighter and darker pixels cancel, unless np.abs comes before "
            "the mean.",
        ),
        Mistake(_the_others, "Those are the pairs that are no copies. A copy has a distance below the limit."),
        Mistake(_with_itself, "Each image is a copy of itself, and each pair is there twice. Keep those with i < j."),
        Mistake(_both_orders, "Each pair is there twice, as (i, j) and (j, i). Keep those with i < j."),
        Mistake(_larger_first, "The pairs are right, but turned round. The smaller number comes first: i < j."),
        Mistake(_by_the_second, "The pairs are right, but not in order: sorted(pairs)."),
        Mistake(_first_copy_only, "Three copies of one image are three pairs. You keep one partner for each."),
    ),
    draw=_draw_images,
    cases=10,
)
