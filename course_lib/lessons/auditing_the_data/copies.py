"""Copies of an image: exact ones by their bytes, near ones by the distance of two hashes."""

import hashlib

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 2.3 --- exact copies


def count_copies(images: list[np.ndarray]) -> int:
    """How many images must go so that every picture is left once."""
    hashes = {hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest() for image in images}
    return len(images) - len(hashes)


def _draw_images(rng: np.random.Generator) -> Inputs:
    one, two = (rng.integers(0, 200, (2, 3)).astype(np.uint8) for _ in range(2))
    turned = [picture.reshape(3, 2) for picture in (one, two)]  # the same bytes, other pictures
    nearly = one.copy()
    nearly[-1, -1] += 1
    alike = [nearly, one[::-1], one[:, ::-1], two[::-1]]  # the same beginning; the same pixels in another order
    even = np.full((2, 3), rng.integers(200, 250), np.uint8)
    images = [one, two, *turned, *alike, even, one, one] + [two] * int(rng.integers(2))
    return ([images[i].copy() for i in rng.permutation(len(images))],)


def _by_object(images: list[np.ndarray]) -> int:
    return len(images) - len({id(image) for image in images})


def _by_sum(images: list[np.ndarray]) -> int:
    return len(images) - len({(image.shape, int(image.sum())) for image in images})


def _by_bytes(images: list[np.ndarray]) -> int:
    return len(images) - len({image.tobytes() for image in images})


def _by_shape(images: list[np.ndarray]) -> int:
    return len(images) - len({image.shape for image in images})


def _pairs_of_copies(images: list[np.ndarray]) -> int:
    return sum(np.array_equal(a, b) for i, a in enumerate(images) for b in images[:i])


def _all_members(images: list[np.ndarray]) -> int:
    return sum(sum(np.array_equal(a, b) for b in images) > 1 for a in images)


def _different_pictures(images: list[np.ndarray]) -> int:
    return len(images) - count_copies(images)


COUNT_COPIES = Exercise(
    "2.3",
    "Exact copies",
    count_copies,
    hints=(
        "Comparing every picture with every other is slow. A set keeps each value once: what could you put into it?",
        "An array does not go into a set, but its bytes do: image.tobytes(). SHA-256 makes them short.",
        "A 2 x 3 and a 3 x 2 picture can have the same bytes. What else must go into the hash?",
        "len(images) - len({(image.shape, hashlib.sha256(image.tobytes()).hexdigest()) for image in images})",
    ),
    mistakes=(
        Mistake(
            _by_object,
            "You compare objects, and each is another one, as a file name is. Compare pixels, or their hexdigest().",
        ),
        Mistake(_by_sum, "Different pictures can have the same sum. Compare all the pixels."),
        Mistake(_by_bytes, "Two pictures of different shape can have the same bytes: put the shape into the hash too."),
        Mistake(_by_shape, "Many different pictures have the same shape. Compare the pixels as well."),
        Mistake(_pairs_of_copies, "You counted pairs. Three equal pictures are three pairs, but only two must go."),
        Mistake(_all_members, "You counted all that have a copy. One of each group may stay."),
        Mistake(_different_pictures, "That is how many different pictures there are. How many images must go?"),
    ),
    draw=_draw_images,
)

# 2.4 --- the distance of two hashes


def hash_distance(first: int, second: int) -> int:
    """In how many of 64 bits two hashes differ."""
    return (first ^ second).bit_count()


def _draw_hashes(rng: np.random.Generator) -> Inputs:
    first = int.from_bytes(rng.bytes(8), "big") >> int(rng.integers(8))  # hashes may begin with zeros
    second = first
    for bit in rng.choice(64, int(rng.integers(3, 12)), replace=False).tolist():
        second ^= 1 << bit
    return first, second


def _difference_of_numbers(first: int, second: int) -> int:
    return abs(first - second)


def _bits_of_the_difference(first: int, second: int) -> int:
    return abs(first - second).bit_count()


def _common_ones(first: int, second: int) -> int:
    return (first & second).bit_count()


def _not_counted(first: int, second: int) -> int:
    return first ^ second


def _counted_alone(first: int, second: int) -> int:
    return abs(first.bit_count() - second.bit_count())


def _as_text(first: int, second: int) -> int:
    return sum(a != b for a, b in zip(bin(first), bin(second), strict=False))


def _agreeing(first: int, second: int) -> int:
    return 64 - hash_distance(first, second)


HASH_DISTANCE = Exercise(
    "2.4",
    "The distance of two hashes",
    hash_distance,
    hints=(
        "Take 5 = 0b101 and 6 = 0b110. In which bits do they differ?",
        "The operator ^ compares bit by bit: 1 where they differ, 0 where they agree. Try bin(5 ^ 6).",
        "Then count the ones: a whole number has bit_count().",
        "return (first ^ second).bit_count()",
    ),
    mistakes=(
        Mistake(_difference_of_numbers, "A difference of numbers says nothing about bits: one bit can be worth 2**63."),
        Mistake(_bits_of_the_difference, "Subtracting carries over from bit to bit. Compare with ^ instead."),
        Mistake(_common_ones, "& keeps the ones that both have. ^ keeps the bits in which they differ."),
        Mistake(_not_counted, "The bits that differ are right. Now count them."),
        Mistake(_counted_alone, "Equally many ones can stand in different places. Compare first, then count."),
        Mistake(_as_text, "bin leaves out the zeros at the front, so the two texts may be shifted. Compare with ^."),
        Mistake(_agreeing, "That is in how many bits they agree. Count those that differ."),
    ),
    draw=_draw_hashes,
)
