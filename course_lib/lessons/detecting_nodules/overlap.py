"""How much two boxes overlap: intersection over union, also where they are apart or have no area."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

Box = tuple[float, ...]  #: x0, y0, x1, y1
KINDS = ("meeting", "inside", "beside", "apart", "touching", "one is a line", "both are lines", "a point twice")

# 12.2 --- intersection over union


def iou(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """The area that two boxes have in common, over the area that they cover together, 0 to 1; 0.0 if that is nothing.

    A box is x0, y0, x1, y1, with x0 <= x1 and y0 <= y1, and its area is (x1 - x0) (y1 - y0).
    """
    width = max(0, min(first[2], second[2]) - max(first[0], second[0]))
    height = max(0, min(first[3], second[3]) - max(first[1], second[1]))
    overlap = width * height
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (first, second)]
    union = sum(areas) - overlap
    return overlap / union if union else 0.0


def _draw_pair(rng: np.random.Generator) -> Inputs:
    """Two boxes of whole pixels, in any order."""
    kind = rng.choice(KINDS, p=[0.2, 0.1, 0.15, 0.2, 0.1, 0.07, 0.1, 0.08])
    x, y = (int(n) for n in rng.integers(0, 9, 2))
    wide, high = (int(n) for n in rng.permutation(9)[:2] + 4)
    right, down = (int(n) for n in rng.integers(1, 4, 2))
    first = (x, y, x + wide, y + high)
    second = {
        "meeting": (x + right, y + down, x + right + high, y + down + wide),
        "inside": (x + 1, y + 1, x + wide - 1, y + high - 2),
        "beside": (x + wide + right, y + 1, x + wide + right + 5, y + high + 2),
        "apart": (x + wide + right, y + high + down, x + wide + right + 4, y + high + down + 6),
        "touching": (x + wide, y + 1, x + wide + 3, y + high),
        "one is a line": (x + 1, y + 1, x + 1, y + high - 1),
        "both are lines": (x + 3, y + 2, x + 3, y + high),
        "a point twice": (x, y, x, y),
    }[str(kind)]
    if kind in ("both are lines", "a point twice"):
        first = (x, y, x, y if kind == "a point twice" else y + high)
    return (first, second) if rng.random() < 0.5 else (second, first)


def _sides(first: Box, second: Box) -> tuple[float, float]:
    """Width and height of what is common, below 0 where the boxes are apart."""
    return min(first[2], second[2]) - max(first[0], second[0]), min(first[3], second[3]) - max(first[1], second[1])


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _common(first: Box, second: Box) -> float:
    width, height = _sides(first, second)
    return max(0, width) * max(0, height)


def _part(part: float, whole: float, nothing: float = 0.0) -> float:
    return part / whole if whole else nothing


def _over_union(common: float, first: Box, second: Box) -> float:
    return _part(common, _area(first) + _area(second) - common)


def _negatives_multiplied(first: Box, second: Box) -> float:
    width, height = _sides(first, second)
    return _over_union(width * height, first, second)


def _clipped_too_late(first: Box, second: Box) -> float:
    width, height = _sides(first, second)
    return _over_union(max(0, width * height), first, second)


def _absolute(first: Box, second: Box) -> float:
    width, height = _sides(first, second)
    return _over_union(abs(width * height), first, second)


def _around(first: Box, second: Box) -> float:
    """The area of the smallest box around both."""
    return (max(first[2], second[2]) - min(first[0], second[0])) * (max(first[3], second[3]) - min(first[1], second[1]))


def _over_the_box_around(first: Box, second: Box) -> float:
    return _part(_common(first, second), _around(first, second))


def _box_around_as_common(first: Box, second: Box) -> float:
    return _over_union(_around(first, second), first, second)


def _common_counted_twice(first: Box, second: Box) -> float:
    return _part(_common(first, second), _area(first) + _area(second))


def _dice(first: Box, second: Box) -> float:
    return 2 * _common_counted_twice(first, second)


def _of_the_first(first: Box, second: Box) -> float:
    return _part(_common(first, second), _area(first))


def _of_the_second(first: Box, second: Box) -> float:
    return _part(_common(first, second), _area(second))


def _of_the_smaller(first: Box, second: Box) -> float:
    return _part(_common(first, second), min(_area(first), _area(second)))


def _of_the_larger(first: Box, second: Box) -> float:
    return _part(_common(first, second), max(_area(first), _area(second)))


def _last_pixels(first: Box, second: Box) -> float:
    return iou((first[0], first[1], first[2] + 1, first[3] + 1), (second[0], second[1], second[2] + 1, second[3] + 1))


def _as_sizes(first: Box, second: Box) -> float:
    one, other = ((x, y, x + wide, y + high) for x, y, wide, high in (first, second))
    return iou(one, other)


def _smaller_sides(first: Box, second: Box) -> float:
    sides = [(x1 - x0, y1 - y0) for x0, y0, x1, y1 in (first, second)]
    common = min(sides[0][0], sides[1][0]) * min(sides[0][1], sides[1][1])
    return _over_union(common, first, second)


def _no_area_raises(first: Box, second: Box) -> float:
    common = _common(first, second)
    return common / (_area(first) + _area(second) - common)


def _no_area_nan(first: Box, second: Box) -> float:
    return iou(first, second) if _area(first) + _area(second) else float("nan")


def _no_area_1(first: Box, second: Box) -> float:
    return iou(first, second) if _area(first) + _area(second) else 1.0


def _same_is_1(first: Box, second: Box) -> float:
    return 1.0 if first == second else iou(first, second)


def _apart_is_nan(first: Box, second: Box) -> float:
    return iou(first, second) or float("nan")


def _apart_is_none(first: Box, second: Box) -> float | None:
    return iou(first, second) or None


def _the_union(first: Box, second: Box) -> float:
    return _area(first) + _area(second) - _common(first, second)


def _distance(first: Box, second: Box) -> float:
    return 1 - iou(first, second)


def _percent(first: Box, second: Box) -> float:
    return 100 * iou(first, second)


NEGATIVE = (
    "Where two boxes are apart both ways, both sides of the overlap are negative, and their product is "
    "above 0, as if the boxes overlapped. "
)
NO_AREA = "All is right but for two boxes of no area, where 0 is divided by 0. Nothing overlaps there: return 0.0."

IOU = Exercise(
    "12.2",
    "Intersection over union",
    iou,
    hints=(
        "Draw two boxes that overlap. The overlap is a box too: between which two numbers does it begin and end?",
        "From left to right, it begins at the larger x0 and ends at the smaller x1. The same holds for y.",
        "Where the boxes are apart, it would end before it begins: max(0, ...) makes that a side of 0. Do so for each "
        "side, before you multiply.",
        "union = area of the first + area of the second - overlap, then overlap / union if union else 0.0",
    ),
    mistakes=(
        Mistake(_negatives_multiplied, NEGATIVE + "Make each side 0 where it is below 0, before you multiply."),
        Mistake(
            _clipped_too_late,
            NEGATIVE + "max(0, ...) comes too late there, because two negative numbers have a positive product. Take "
            "it for each side.",
        ),
        Mistake(_absolute, "Boxes that are apart get an overlap, the area of the gap. A negative side means 0."),
        Mistake(
            _over_the_box_around,
            "You divide by the smallest box around both, which also covers what is in neither. The union is both areas "
            "together, less what is in both.",
        ),
        Mistake(
            _box_around_as_common,
            "max and min are swapped: that is the box around both. The overlap begins at the larger x0 and ends at the "
            "smaller x1.",
        ),
        Mistake(
            _common_counted_twice,
            "Two equal boxes get 0.5, because what is in both was counted twice below. Take it off once.",
        ),
        Mistake(_dice, "That is twice the overlap over the sum of both areas: Dice, which is higher. Use the union."),
        Mistake(
            _of_the_first,
            "You divide by the first box alone, so a tiny box inside a large one gets 1. With the found box below, "
            "that is IoBB. Divide by the union.",
        ),
        Mistake(
            _of_the_second,
            "You divide by the second box alone, so a box around everything gets 1. Divide by the union.",
        ),
        Mistake(_of_the_smaller, "You divide by the smaller box, so a dot in a large box gets 1. Divide by the union."),
        Mistake(_of_the_larger, "You divide by the larger box. The union is larger still, if the other sticks out."),
        Mistake(
            _last_pixels,
            "You add 1 to each side, as if x1 were the last pixel inside. Here it is where the box ends: the width is "
            "x1 - x0.",
        ),
        Mistake(_as_sizes, "You read the last two numbers as width and height. They are the other corner."),
        Mistake(
            _smaller_sides,
            "You multiply the smaller width and the smaller height, wherever the boxes are. Where does the overlap "
            "begin, and where does it end?",
        ),
        Mistake(_no_area_raises, NO_AREA),
        Mistake(_no_area_nan, NO_AREA),
        Mistake(_no_area_1, NO_AREA),
        Mistake(_same_is_1, NO_AREA + " Even of a box with itself."),
        Mistake(_apart_is_nan, "Boxes that do not overlap have an IoU of 0.0. NaN would say that nobody knows."),
        Mistake(_apart_is_none, "Boxes that do not overlap have an IoU of 0.0, which is a number like any other."),
        Mistake(_the_union, "That is the union, in pixels. Divide the overlap by it."),
        Mistake(_distance, "That is 1 - IoU, which is 0 for equal boxes. Return the IoU itself."),
        Mistake(_percent, "The value is right, in percent. Return it from 0 to 1."),
    ),
    draw=_draw_pair,
    cases=80,
)
