"""From what the detector stores to what a screen shows: the window, and the negative."""

import math

import numpy as np

from course_lib.exercises.comparing import same
from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake, returned

# 1.2 --- the window


def to_8_bit(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """Grey values 0 to 255, as uint8: the window is spread over them, the rest is cut off."""
    low = center - width / 2
    part = np.clip((values - low) / width, 0, 1)
    return np.round(255 * part).astype(np.uint8)


def _draw_window(rng: np.random.Generator) -> Inputs:
    center, width = int(rng.integers(1200, 2400)), 2 * int(rng.integers(300, 700))
    low, high = center - width // 2, center + width // 2
    values = rng.integers(low, high, size=6)
    values[1] = low + math.ceil(width * (rng.integers(255) + 0.55) / 255)  # a grey to be rounded up
    if rng.integers(4):  # sometimes nothing is below or above the window
        values[0] = low - rng.integers(50, 400)
    if rng.integers(4):
        values[5] = high + rng.integers(50, 400)
    return values.reshape(2, 3), center, width


def _values_and_type(answer: Answer, inputs: Inputs) -> object:
    right, came = returned(to_8_bit, inputs), answer(*inputs)
    seen = {"the values": came}
    if isinstance(came, np.ndarray) and same(right, came):  # one thing after the other
        seen["the type of the values"] = str(came.dtype)
    return seen


def _wraps_around(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.round(255 * (values - center + width / 2) / width).astype(int).astype(np.uint8)


def _from_the_center(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.round(255 * np.clip((values - center) / width, 0, 1)).astype(np.uint8)


def _half_the_width(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.round(255 * np.clip((values - center + width) / (2 * width), 0, 1)).astype(np.uint8)


def _cut_down(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return (255 * np.clip((values - center + width / 2) / width, 0, 1)).astype(np.uint8)


def _to_one(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.clip((values - center + width / 2) / width, 0, 1)


def _no_bytes(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return 255 * np.clip((values - center + width / 2) / width, 0, 1)


def _rounded_but_no_bytes(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.round(255 * np.clip((values - center + width / 2) / width, 0, 1))


def _whole_range(values: np.ndarray, center: float, width: float) -> np.ndarray:  # noqa: ARG001  # the mistake
    return np.round(255 * values / 4095).astype(np.uint8)


def _from_zero(values: np.ndarray, center: float, width: float) -> np.ndarray:
    low, high = center - width / 2, center + width / 2
    return np.round(255 * np.clip(values, low, high) / high).astype(np.uint8)


def _divided_down(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.round(255 * np.clip((values - center + width / 2) // width, 0, 1)).astype(np.uint8)


def _own_range(values: np.ndarray, center: float, width: float) -> np.ndarray:  # noqa: ARG001  # the mistake
    return np.round(255 * (values - values.min()) / (values.max() - values.min())).astype(np.uint8)


def _own_range_in_the_window(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return _own_range(np.clip(values, center - width / 2, center + width / 2), center, width)


def _eight_bytes_each(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return to_8_bit(values, center, width).astype(np.int64)


TO_8_BIT = Exercise(
    "1.2",
    "A window from 12 bits to 8",
    to_8_bit,
    hints=(
        "Where does the window begin? Half of its width lies below the center.",
        "(values - low) / width is 0 at the beginning of the window and 1 at its end.",
        "np.clip(…, 0, 1) cuts off what lies outside. Then times 255, np.round, and astype(np.uint8).",
        "return np.round(255 * np.clip((values - center + width / 2) / width, 0, 1)).astype(np.uint8)",
    ),
    mistakes=(
        Mistake(_wraps_around, "A byte has no room below 0 and above 255, and starts anew: clip before astype."),
        Mistake(_from_the_center, "Your window begins at the center. Half of its width lies below."),
        Mistake(_half_the_width, "Your window is twice as wide: width is the whole of it, from end to end."),
        Mistake(_cut_down, "astype(np.uint8) and // cut off what follows the point: divide with /, and round first."),
        Mistake(_to_one, "That goes from 0 to 1. A byte goes from 0 to 255."),
        Mistake(_rounded_but_no_bytes, "The values are right, but still floats: astype(np.uint8) makes them bytes."),
        Mistake(_no_bytes, "The values are still floats: round them, then astype(np.uint8)."),
        Mistake(_whole_range, "That spreads all 4096 values over the greys. Only the window should be spread."),
        Mistake(_from_zero, "Black should be where the window begins: subtract low, and divide by width."),
        Mistake(_divided_down, "// leaves out what follows the point, so the whole window becomes 0: divide with /."),
        Mistake(_own_range, "You spread what this picture has, from its darkest to its brightest. Spread the window."),
        Mistake(
            _own_range_in_the_window,
            "Black and white are the ends of the window, whether this picture reaches them or not: center and width "
            "give them.",
        ),
        Mistake(_eight_bytes_each, "The values are right, but each takes 8 bytes: astype(np.uint8)."),
    ),
    draw=_draw_window,
    observe=_values_and_type,
)

# 1.3 --- the negative


def turn_round(pixels: np.ndarray, bits: int) -> np.ndarray:
    """The same picture with black and white exchanged; what is stored has so many bits."""
    return 2**bits - 1 - pixels


def _draw_negative(rng: np.random.Generator) -> Inputs:
    bits = int(rng.choice([10, 12, 14]))
    return rng.integers(3, 2**bits - 60, size=(2, 3)), bits


def _as_if_bytes(pixels: np.ndarray, bits: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return 255 - pixels


def _from_the_brightest(pixels: np.ndarray, bits: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return np.asarray(pixels.max() - pixels)


def _one_too_high(pixels: np.ndarray, bits: int) -> np.ndarray:
    return 2**bits - pixels


def _minus(pixels: np.ndarray, bits: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return -pixels


def _mirrored(pixels: np.ndarray, bits: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return pixels[:, ::-1]


def _no_power(pixels: np.ndarray, bits: int) -> np.ndarray:
    return (2 ^ bits) - 1 - pixels


def _no_power_of_all(pixels: np.ndarray, bits: int) -> np.ndarray:
    return 2 ^ bits - 1 - pixels


def _always_12_bits(pixels: np.ndarray, bits: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return 4095 - pixels


def _all_bits(pixels: np.ndarray, bits: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return ~pixels


def _as_floats(pixels: np.ndarray, bits: int) -> np.ndarray:
    return turn_round(pixels, bits).astype(float)


NO_POWER = "^ is not a power in Python, it compares bits. The power is 2**bits."


TURN_ROUND = Exercise(
    "1.3",
    "A negative, turned round",
    turn_round,
    hints=(
        "With 3 bits, 0 should become 7, and 7 should become 0. What becomes of 2?",
        "With so many bits the largest value is 2**bits - 1, whether this picture has it or not.",
        "Subtract each pixel from the largest possible value.",
        "return 2**bits - 1 - pixels",
    ),
    mistakes=(
        Mistake(_as_if_bytes, "255 is the largest value of 8 bits. These pixels have more."),
        Mistake(
            _from_the_brightest,
            "You start from this picture's brightest pixel, so each picture gets a scale of its own. Start from the "
            "largest value that the bits allow.",
        ),
        Mistake(_one_too_high, "One too high: counting starts at 0, so the largest value is 2**bits - 1."),
        Mistake(_minus, "Greys can not be negative: subtract from the largest value that the bits allow."),
        Mistake(_mirrored, "That exchanges left and right. Here black and white change places."),
        Mistake(_no_power, NO_POWER),
        Mistake(_no_power_of_all, NO_POWER),
        Mistake(_always_12_bits, "4095 is the largest value of 12 bits. Other pictures have other bits: use bits."),
        Mistake(
            _all_bits,
            "~ exchanges all bits that the computer stores, also the sign. Subtract from the largest value that these "
            "bits allow.",
        ),
        Mistake(_as_floats, "The values are right, but floats. Greys are whole numbers: without 2.0 or astype(float)."),
    ),
    draw=_draw_negative,
)
