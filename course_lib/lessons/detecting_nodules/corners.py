"""Boxes in three formats: the same four numbers mean three different boxes."""

import numpy as np
import torch

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

FORMATS = ("xyxy", "xywh", "cxcywh")
UNKNOWN = ("yxyx", "ltrb")  #: what somebody may hand over as a format

# 12.1 --- corners


def to_corners(boxes: torch.Tensor, form: str) -> torch.Tensor:
    """The corners of boxes, float [boxes, 4] as x0, y0, x1, y1, in pixels; the boxes handed over stay as they are.

    The four numbers of a box are, as ``form`` says: "xyxy", the corners already; "xywh", the left upper corner, then
    width and height; "cxcywh", the middle, then width and height. Any other form ends with a ValueError.
    """
    if form not in ("xyxy", "xywh", "cxcywh"):
        raise ValueError(f"Expected xyxy, xywh or cxcywh, but got {form}.")
    if form == "xyxy":
        return boxes
    place, size = boxes[:, :2], boxes[:, 2:]
    low = place - size / 2 if form == "cxcywh" else place
    return torch.cat([low, low + size], dim=1)


def _draw_boxes(rng: np.random.Generator) -> Inputs:
    """One to three boxes, now and then none, that are boxes in each of the formats."""
    low = rng.integers(0, 30, (int(rng.choice(4, p=[0.1, 0.3, 0.3, 0.3])), 2))
    size = rng.integers(5, 60, low.shape)
    form = str(rng.choice([*FORMATS, rng.choice(UNKNOWN)], p=[0.2, 0.3, 0.3, 0.2]))
    places = {"xywh": (low, size), "cxcywh": (low + size / 2, size)}
    return torch.tensor(np.concatenate(places.get(form, (low, low + size)), axis=1), dtype=torch.float32), form


def _corners_and_care(answer: Answer, inputs: Inputs) -> object:
    boxes, form = inputs
    assert isinstance(boxes, torch.Tensor)  # for mypy
    before = boxes.clone()
    came = answer(boxes, form)
    return came if torch.equal(boxes, before) else "corners, but the boxes that were handed over are changed as well"


def _refuse(form: str) -> None:
    if form not in FORMATS:
        raise ValueError(form)


def _from_sides(boxes: torch.Tensor, form: str, before: float, after: float) -> torch.Tensor:
    """So many sides before and after the place, whichever of the two formats it is."""
    _refuse(form)
    if form == "xyxy":
        return boxes
    place, size = boxes[:, :2], boxes[:, 2:]
    return torch.cat([place - before * size, place + after * size], dim=1)


def _middle_as_corner(boxes: torch.Tensor, form: str) -> torch.Tensor:
    return _from_sides(boxes, form, 0, 1)


def _corner_as_middle(boxes: torch.Tensor, form: str) -> torch.Tensor:
    return _from_sides(boxes, form, 0.5, 0.5)


def _formats_swapped(boxes: torch.Tensor, form: str) -> torch.Tensor:
    return to_corners(boxes, {"xywh": "cxcywh", "cxcywh": "xywh"}.get(form, form))


def _size_as_corner(boxes: torch.Tensor, form: str) -> torch.Tensor:
    _refuse(form)
    return boxes.clone()


def _size_stays(boxes: torch.Tensor, form: str) -> torch.Tensor:
    corners = to_corners(boxes, form)
    return corners if form == "xyxy" else torch.cat([corners[:, :2], boxes[:, 2:]], dim=1)


def _middle_stays(boxes: torch.Tensor, form: str) -> torch.Tensor:
    corners = to_corners(boxes, form)
    return torch.cat([boxes[:, :2], corners[:, 2:]], dim=1) if form == "cxcywh" else corners


def _whole_size_from_the_middle(boxes: torch.Tensor, form: str) -> torch.Tensor:
    return _from_sides(boxes, form, 1, 1) if form == "cxcywh" else to_corners(boxes, form)


def _half_a_pixel_lost(boxes: torch.Tensor, form: str) -> torch.Tensor:
    if form != "cxcywh":
        return to_corners(boxes, form)
    place, half = boxes[:, :2], boxes[:, 2:] // 2
    return torch.cat([place - half, place + half], dim=1)


def _last_pixel(boxes: torch.Tensor, form: str) -> torch.Tensor:
    one = torch.tensor([0, 0, 1, 1])
    return to_corners(boxes, form) - (one if form != "xyxy" else 0)


def _height_beside_x(boxes: torch.Tensor, form: str) -> torch.Tensor:
    return to_corners(boxes if form == "xyxy" else boxes[:, [0, 1, 3, 2]], form)


def _rows_first(boxes: torch.Tensor, form: str) -> torch.Tensor:
    return to_corners(boxes, form)[:, [1, 0, 3, 2]]


def _ends_beside_starts(boxes: torch.Tensor, form: str) -> torch.Tensor:
    return to_corners(boxes, form)[:, [0, 2, 1, 3]]


def _in_place(boxes: torch.Tensor, form: str) -> torch.Tensor:
    _refuse(form)
    if form == "cxcywh":
        boxes[:, :2] -= boxes[:, 2:] / 2
    if form != "xyxy":
        boxes[:, 2:] += boxes[:, :2]
    return boxes


def _corners_once_more(boxes: torch.Tensor, form: str) -> torch.Tensor:
    return to_corners(boxes, "xywh" if form == "xyxy" else form)


def _corners_refused(boxes: torch.Tensor, form: str) -> torch.Tensor:
    return to_corners(boxes, "another" if form == "xyxy" else form)


def _unknown_left_alone(boxes: torch.Tensor, form: str) -> torch.Tensor:
    return to_corners(boxes, form if form in FORMATS else "xyxy")


def _unknown_as_middle(boxes: torch.Tensor, form: str) -> torch.Tensor:
    return to_corners(boxes, form if form in FORMATS else "cxcywh")


def _unknown_as_corner(boxes: torch.Tensor, form: str) -> torch.Tensor:
    return to_corners(boxes, form if form in FORMATS else "xywh")


def _unknown_is_none(boxes: torch.Tensor, form: str) -> torch.Tensor | None:
    return to_corners(boxes, form) if form in FORMATS else None


def _key_error(boxes: torch.Tensor, form: str) -> torch.Tensor:
    if form not in FORMATS:
        raise KeyError(form)
    return to_corners(boxes, form)


def _unbound(boxes: torch.Tensor, form: str) -> torch.Tensor:
    if form in FORMATS:
        corners = to_corners(boxes, form)
    return corners


def _by_looking(boxes: torch.Tensor, form: str) -> torch.Tensor:
    _refuse(form)
    return boxes if (boxes[:, 2:] > boxes[:, :2]).all() else to_corners(boxes, form)


def _a_list(boxes: torch.Tensor, form: str) -> object:
    return to_corners(boxes, form).tolist()


DO_NOT_GUESS = (
    "You take a form that is none of the three for one of them. A wrong box looks like any other, so nobody would "
    "notice: raise a ValueError."
)

TO_CORNERS = Exercise(
    "12.1",
    "Corners of a box",
    to_corners,
    hints=(
        "Each form needs its own line: what is given already, and where do left, top, right and bottom lie?",
        "boxes[:, :2] is the place and boxes[:, 2:] the size. With xywh, the corners are place and place + size. With "
        "cxcywh, half of the size lies on either side of the place.",
        "torch.cat([low, high], dim=1) puts the two corners of each box side by side and leaves the boxes as they are. "
        "raise ValueError(...) ends with an error.",
        "low = place - size / 2 for cxcywh and low = place for xywh, then torch.cat([low, low + size], dim=1); "
        "xyxy goes back as it is",
    ),
    mistakes=(
        Mistake(
            _middle_as_corner,
            "cxcywh was read as xywh. Its first two numbers are the middle of the box, so your boxes lie half a box "
            "too far right and down.",
        ),
        Mistake(
            _corner_as_middle,
            "xywh was read as cxcywh. Its first two numbers are the left upper corner, so your boxes lie half a box "
            "too far left and up.",
        ),
        Mistake(_formats_swapped, "xywh and cxcywh are swapped: the c stands for the centre, the middle of the box."),
        Mistake(
            _size_as_corner,
            "Width and height were taken for the right lower corner. They are how far that corner is from the other.",
        ),
        Mistake(
            _size_stays,
            "The left upper corner is right, but the last two numbers are still width and height. Add them to the "
            "corner.",
        ),
        Mistake(
            _middle_stays,
            "The right lower corner is right. With cxcywh the first two numbers are still the middle: go half of the "
            "size back from there.",
        ),
        Mistake(
            _whole_size_from_the_middle,
            "From the middle you go a whole width to either side, so the box is twice as wide and twice as high. Go "
            "half of it.",
        ),
        Mistake(
            _half_a_pixel_lost,
            "// leaves out the half of a pixel, so a box of 15 px becomes one of 14. Divide with /.",
        ),
        Mistake(
            _last_pixel,
            "You subtract 1, as if the right lower corner were the last pixel inside. Here it is where the box ends, "
            "so that its width is x1 - x0.",
        ),
        Mistake(_height_beside_x, "Width belongs to x and height to y; yours are swapped."),
        Mistake(_rows_first, "Your order is y0, x0, y1, x1, as rows and columns go. Here x comes first."),
        Mistake(_ends_beside_starts, "Your order is x0, x1, y0, y1. Here it is x0, y0, x1, y1: corner by corner."),
        Mistake(
            _in_place,
            "You calculate within the boxes that you were given, so the next one who reads them in their old form "
            "reads wrong boxes. Make a new tensor, for example with torch.cat.",
        ),
        Mistake(
            _corners_once_more,
            "xyxy are corners already, and you add one corner to the other. That is what happens when boxes are "
            "converted twice.",
        ),
        Mistake(_corners_refused, "xyxy is one of the three forms: these are corners already, so give them back."),
        Mistake(_unknown_left_alone, DO_NOT_GUESS),
        Mistake(_unknown_as_middle, DO_NOT_GUESS),
        Mistake(_unknown_as_corner, DO_NOT_GUESS),
        Mistake(
            _unknown_is_none,
            "For a form that is none of the three you return nothing, and the error comes much later. Raise a "
            "ValueError at once.",
        ),
        Mistake(_key_error, "A form that is none of the three is refused, as it should be, but with a KeyError."),
        Mistake(
            _unbound,
            "For a form that is none of the three, the corners are never made, so Python stops with an error of its "
            "own. Raise a ValueError that says what was expected.",
        ),
        Mistake(
            _by_looking,
            "You look at the numbers to find the form out. But 30, 30, 50, 60 is a box in each of the three: go by "
            "form alone.",
        ),
        Mistake(_a_list, "The corners are right, in a list. Return a tensor."),
    ),
    draw=_draw_boxes,
    observe=_corners_and_care,
    cases=60,
)
